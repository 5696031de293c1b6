"""Hops as rows of the health pane."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.config import Settings
from cockpit.signals import HealthState
from cockpit.ssh.status import HopState, HopStatus, samples
from cockpit.wiring import Cockpit
from tests.helpers.screen import NOW, screen


def status(name: str, state: HopState, **more: object) -> HopStatus:
    return HopStatus(name=name, address=f"me@{name}:22", state=state, **({"heard_ns": 5} | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "health", "reason"),
    [
        (HopState.UP, HealthState.OK, "connected"),
        (HopState.LATE, HealthState.DEGRADED, "keep-alive"),
        (HopState.DOWN, HealthState.DOWN, "connection refused"),
        (HopState.CONNECTING, HealthState.UNKNOWN, "connecting"),
    ],
)
def test_a_hop_is_a_row_with_its_reason(state: HopState, health: HealthState, reason: str) -> None:
    error = reason if state is HopState.DOWN else ""
    (sample,) = samples([status("db-1", state, latency_ms=12.0, error=error)])
    assert (sample.subject, sample.state, sample.source, sample.at) == ("ssh db-1", health, "ssh", 5)
    assert reason in sample.reason
    assert sample.value == (0.012 if state is HopState.UP else None) and sample.unit == "s"


def test_what_nobody_wanted_is_no_row() -> None:
    assert samples([status("db-1", HopState.IDLE)]) == []


def test_hops_reach_the_store_when_they_change_and_leave_it() -> None:
    cockpit = Cockpit(Settings())
    cockpit.drain()
    assert not cockpit.stores.health.rows()
    seen = (
        status("bastion", HopState.UP),
        status("db-1", HopState.DOWN, error="no route to host, seen from the hop before it"),
    )
    cockpit.hops = lambda: seen
    cockpit.drain()
    rows = {row.latest.subject: row.latest.state for row in cockpit.stores.health.rows()}
    assert rows == {"ssh bastion": HealthState.OK, "ssh db-1": HealthState.DOWN}
    version = cockpit.stores.health.version
    cockpit.drain()
    assert cockpit.stores.health.version == version
    cockpit.hops = tuple
    cockpit.drain()
    assert not cockpit.stores.health.rows()


async def test_the_health_pane_says_bastion_up_host_down(tmp_path: Path) -> None:
    seen = (
        status("bastion-eu", HopState.UP, latency_ms=34.0, heard_ns=NOW),
        status("db-1", HopState.DOWN, error="no route to host, seen from the hop before it"),
    )
    async with screen(tmp_path) as shown:
        shown.cockpit.hops = lambda: seen
        text = await shown.drawn()
        down, up = (
            next(line for line in text.splitlines() if name in line) for name in ("ssh db-1", "ssh bast")
        )
        assert "down: no route to" in down
        assert "connected" in up and "34 ms" in up
