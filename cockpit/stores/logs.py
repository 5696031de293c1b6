"""The last log records, in a ring."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.signals import LogRecord
from cockpit.stores.base import Store

CAPACITY = 200_000


class LogStore(Store):
    """A ring of log records by absolute number: a reader's place holds while the ring evicts."""

    def __init__(self, *, capacity: int = CAPACITY) -> None:
        super().__init__()
        self.capacity = capacity
        self._ring: list[LogRecord] = []
        self.first = 0
        """The absolute number of the oldest record kept."""

    @property
    def end(self) -> int:
        """The absolute number that the next record will get."""
        return self.first + len(self._ring)

    def append(self, batch: Sequence[LogRecord]) -> None:
        """Take records in, evicting the oldest past the capacity."""
        self._ring.extend(batch)
        surplus = len(self._ring) - self.capacity
        if surplus > self.capacity // 8:
            del self._ring[:surplus]
            self.first += surplus
        self.touched()

    def __getitem__(self, number: int) -> LogRecord:
        return self._ring[number - self.first]

    def last(self, count: int) -> list[LogRecord]:
        """Return the newest `count` records, oldest first."""
        return self._ring[-count:] if count > 0 else []
