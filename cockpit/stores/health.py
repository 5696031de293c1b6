"""The health of every subject: how it is, how it was, and the line of its values."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from cockpit.signals import HealthSample
from cockpit.stores.base import Store

POINTS = 720
"""Points kept a subject: two hours at ten seconds."""


class HealthRow(Struct, gc=False):
    """One subject, with its last sample and its past.

    Attributes:
        latest: The last sample.
        since: When it came into its present state, in nanoseconds.
        points: (nanoseconds, value, state), oldest first.
    """

    latest: HealthSample
    since: int
    points: deque[tuple[int, float | None, str]]


Key = tuple[str, str]
"""(source, subject)."""


class HealthStore(Store):
    """Every subject's last sample and a bounded past of its values and states."""

    def __init__(self, *, points: int = POINTS, subjects: int = 20_000) -> None:
        super().__init__()
        self.points = points
        self.subjects = subjects
        self._rows: dict[Key, HealthRow] = {}

    def append(self, batch: Sequence[HealthSample]) -> None:
        """Take samples in; each becomes its subject's last one."""
        for sample in batch:
            self._take(sample)
        self.touched()

    def replace(self, source: str, batch: Sequence[HealthSample]) -> None:
        """Take samples in, and forget the subjects of that source that are not among them."""
        kept = {(source, sample.subject) for sample in batch}
        for key in [key for key in self._rows if key[0] == source and key not in kept]:
            del self._rows[key]
        self.append(batch)

    def rows(self) -> list[HealthRow]:
        """Return all subjects, the worst first, then by name."""
        return sorted(
            self._rows.values(),
            key=lambda row: (-row.latest.state.rank, row.latest.source, row.latest.subject),
        )

    def get(self, source: str, subject: str) -> HealthRow | None:
        """Return one subject, or None where it isn't known."""
        return self._rows.get((source, subject))

    def _take(self, sample: HealthSample) -> None:
        key = (sample.source, sample.subject)
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) >= self.subjects:
                return
            row = HealthRow(latest=sample, since=sample.at, points=deque(maxlen=self.points))
            self._rows[key] = row
        elif row.latest.state is not sample.state:
            row.since = sample.at
        row.latest = sample
        row.points.append((sample.at, sample.value, sample.state))
