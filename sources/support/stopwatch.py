"""Times the phases of a check, and knows which of them was under way when it failed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from cockpit.signals import Value


class Stopwatch:
    """Laps by name, in seconds.

    Attributes:
        laps: How long each phase took.
        phase: The phase under way, or the one that failed.
    """

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self.laps: dict[str, float] = {}
        self.phase = ""

    @contextmanager
    def lap(self, name: str) -> Iterator[None]:
        """Time a phase; one that fails keeps its name in `phase` and gets no lap."""
        self.phase = name
        started = time.perf_counter()
        yield
        self.laps[name] = self.laps.get(name, 0.0) + time.perf_counter() - started

    @property
    def total(self) -> float:
        """Seconds since the watch was made."""
        return time.perf_counter() - self._started

    def readings(self) -> dict[str, Value]:
        """Return the laps as readings of a detail view, rounded to a microsecond."""
        return {f"{name} s": round(took, 6) for name, took in self.laps.items()}
