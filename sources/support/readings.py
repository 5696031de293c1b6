"""How a number becomes a health sample: limits, rates, and sizes in words."""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct

from cockpit.signals import EMPTY, Attributes, HealthSample, HealthState, Resource

NEVER = math.inf
"""A limit that nothing reaches."""

Limit = tuple[float, float]
"""From where a reading counts as degraded, and from where as down."""


class Look(Struct, frozen=True, kw_only=True, gc=False):
    """One look at a host: when, on which clock, and about whom.

    Attributes:
        at: The wall clock, in nanoseconds.
        elapsed: Seconds since the look before; what rates are divided by.
        resource: The host.
        source: The source's name.
        suffix: What is added to each subject, where one source looks at several hosts.
    """

    at: int
    elapsed: float
    resource: Resource
    source: str = ""
    suffix: str = ""

    def sample(
        self,
        subject: str,
        kind: str,
        *,
        state: HealthState = HealthState.OK,
        reason: str = "",
        value: float | None = None,
        unit: str = "",
        details: Attributes = EMPTY,
    ) -> HealthSample:
        """Return a health sample of this look."""
        return HealthSample(
            at=self.at,
            subject=f"{subject}{self.suffix}",
            kind=kind,
            state=state,
            reason=reason,
            value=value,
            unit=unit,
            source=self.source,
            resource=self.resource,
            details=details,
        )


def judge(value: float, limit: Limit) -> HealthState:
    """Return the state of a reading that is worse the higher it is."""
    if value >= limit[1]:
        return HealthState.DOWN
    return HealthState.DEGRADED if value >= limit[0] else HealthState.OK


def worse(one: HealthState, other: HealthState) -> HealthState:
    """Return the worse of two states."""
    return max(one, other, key=lambda state: state.rank)


class Rates:
    """Turn counters that only rise into rates; a counter that fell was reset and gives 0 once."""

    def __init__(self) -> None:
        self._before: Mapping[str, float] = {}

    def __call__(self, counters: Mapping[str, float], elapsed: float) -> dict[str, float] | None:
        """Return each counter's rise a second, or None at the first look."""
        before, self._before = self._before, dict(counters)
        if not before or elapsed <= 0:
            return None
        return {
            name: max(0.0, number - before.get(name, number)) / elapsed for name, number in counters.items()
        }


def size(count: float) -> str:
    """Return bytes in words, in powers of 1000 as disks are sold: `1.2 GB`."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(count) < 999.5:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 9.95 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} PB"


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units: `3 d 4 h`."""
    whole = int(seconds)
    for unit, length, smaller, part in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if whole >= length:
            rest = whole % length // part
            return f"{whole // length} {unit} {rest} {smaller}" if rest else f"{whole // length} {unit}"
    return f"{whole} s"
