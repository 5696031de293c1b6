"""The time for which an operator may change production: asked for, counted down, and over by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from cockpit.errors import UsageError

LONGEST = 240
"""Minutes that may be asked for at once."""


def _clock() -> float:
    """Return seconds that go on while the machine sleeps, and that no setting of the clock moves."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Elevation:
    """Whether production may be changed just now; at the start it may not.

    Args:
        clock: Seconds; a test may hold it.
    """

    def __init__(self, clock: Callable[[], float] = _clock) -> None:
        self._clock = clock
        self._until = 0.0

    @property
    def left(self) -> float:
        """Seconds that are left; 0 where there are none."""
        return max(0.0, self._until - self._clock())

    @property
    def active(self) -> bool:
        """Whether production may be changed."""
        return self.left > 0

    def begin(self, minutes: float) -> None:
        """Begin, or begin anew.

        Raises:
            UsageError: That is no time to ask for.
        """
        if not 0 < minutes <= LONGEST:
            raise UsageError(
                f"{minutes:g} minutes can't be asked for", remedy=f"more than 0 and at most {LONGEST}"
            )
        self._until = self._clock() + minutes * 60

    def drop(self) -> None:
        """End it now."""
        self._until = 0.0
