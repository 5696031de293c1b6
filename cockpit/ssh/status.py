"""How a hop is doing, as types, and as rows of the health pane."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from cockpit.signals import HealthSample, HealthState

SOURCE = "ssh"
"""The name under which hops stand among the sources' subjects."""


class HopState(StrEnum):
    """How far a connection is."""

    IDLE = "idle"
    CONNECTING = "connecting"
    UP = "up"
    LATE = "late"
    """Connected, and an answer is owed."""
    DOWN = "down"


class HopStatus(Struct, frozen=True, kw_only=True):
    """How a hop is doing now.

    Attributes:
        name: As the operator named it.
        address: `user@host:port`.
        through: The hop before it; empty where there is none.
        since_ns: When it came into this state.
        heard_ns: When this was last found to be so.
        latency_ms: How long its last keep-alive took to be answered, or its connection to be made; 0 where unknown.
        error: Why it is down.
        connections: How many there are.
        sessions: Sessions that are open on them.
    """

    name: str
    address: str
    state: HopState
    through: str = ""
    since_ns: int = 0
    heard_ns: int = 0
    latency_ms: float = 0.0
    error: str = ""
    connections: int = 0
    sessions: int = 0


_HEALTH = {
    HopState.CONNECTING: (HealthState.UNKNOWN, "connecting"),
    HopState.UP: (HealthState.OK, "connected"),
    HopState.LATE: (HealthState.DEGRADED, "it owes an answer to a keep-alive"),
    HopState.DOWN: (HealthState.DOWN, ""),
}


def samples(statuses: Iterable[HopStatus]) -> list[HealthSample]:
    """Return a health sample for each hop that somebody wanted."""
    return [_sample(status) for status in statuses if status.state in _HEALTH]


def _sample(status: HopStatus) -> HealthSample:
    state, reason = _HEALTH[status.state]
    up = status.state is HopState.UP
    return HealthSample(
        at=status.heard_ns,
        subject=f"ssh {status.name}",
        kind="target",
        state=state,
        reason=status.error or reason,
        value=status.latency_ms / 1000 if up and status.latency_ms else None,
        unit="s",
        source=SOURCE,
        resource={"host.name": status.name},
        details={
            "address": status.address,
            "through": status.through,
            "connections": status.connections,
            "sessions": status.sessions,
        },
    )
