"""When a number is not fine: the limits that configured checks share."""

from __future__ import annotations

import math

from msgspec import Struct

from cockpit.signals import HealthState


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of a number, and what passing one means."""

    above: float | None = None
    """Values above this are not fine."""
    below: float | None = None
    """Values below this are not fine."""
    state: HealthState = HealthState.DEGRADED
    """What a value that is not fine means: `degraded` or `down`."""
    unit: str = ""
    """The value's unit (UCUM): `s`, `By`, `1` for a ratio."""
    service: str = ""
    """The label that names the service; else `service`, `app` or `job`."""

    def judge(self, value: float) -> tuple[HealthState, str]:
        """Return the state that a value means, and why."""
        if math.isnan(value):
            return HealthState.UNKNOWN, "the value is not a number"
        if self.above is not None and value > self.above:
            return self.state, f"{value:g} is above {self.above:g}"
        if self.below is not None and value < self.below:
            return self.state, f"{value:g} is below {self.below:g}"
        return HealthState.OK, ""
