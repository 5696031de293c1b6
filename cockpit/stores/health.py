"""The health of every subject: how it is, how it was, and the line of its values."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from cockpit.signals import HealthSample, HealthState
from cockpit.stores.base import Store

POINTS = 720
"""Points kept a subject: two hours at ten seconds."""
FEWEST = 60
BUDGET = 400_000
"""Points kept over all subjects, about 48 MB at the most."""

ORDER = {
    kind: number
    for number, kind in enumerate(("service", "check", "target", "host", "unit", "disk", "network"))
}
"""Among subjects in the same state, what people ask about first; processes come last."""

Point = tuple[int, float | None, HealthState]
"""(nanoseconds, value, state)."""


class HealthRow(Struct, gc=False):
    """One subject, with its last sample and its past.

    Attributes:
        latest: The last sample.
        since: When it came into its present state, in nanoseconds.
        points: Its past, oldest first.
    """

    latest: HealthSample
    since: int
    points: deque[Point]


Key = tuple[str, str]
"""(source, subject)."""


class HealthStore(Store):
    """Every subject's last sample and a bounded past of its values and states."""

    def __init__(self, *, points: int = POINTS, subjects: int = 20_000) -> None:
        super().__init__()
        self.points = points
        self.subjects = subjects
        self.refused = 0
        """Samples of subjects past the bound."""
        self._rows: dict[Key, HealthRow] = {}
        self._order: list[HealthRow] | None = None
        """The rows in their order; None where one came, went or changed its state."""
        self._then: tuple[tuple[int, int], list[HealthRow]] | None = None

    def __len__(self) -> int:
        return len(self._rows)

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
            self._order = None
        self.append(batch)

    def rows(self, as_of: int | None = None) -> list[HealthRow]:
        """Return all subjects, the worst first, now or as they were at a moment."""
        if as_of is None:
            if self._order is None:
                self._order = sorted(self._rows.values(), key=_order)
            return self._order
        stamp = (self.version, as_of)
        if self._then is None or self._then[0] != stamp:
            rows = (_at(row, as_of) for row in self._rows.values())
            self._then = (stamp, sorted((row for row in rows if row is not None), key=_order))
        return self._then[1]

    def get(self, source: str, subject: str, as_of: int | None = None) -> HealthRow | None:
        """Return one subject, now or as it was at a moment; None where it isn't known."""
        row = self._rows.get((source, subject))
        return row if row is None or as_of is None else _at(row, as_of)

    def _take(self, sample: HealthSample) -> None:
        key = (sample.source, sample.subject)
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) >= self.subjects:
                self.refused += 1
                return
            row = self._rows[key] = HealthRow(latest=sample, since=sample.at, points=deque())
            self._order = None
        elif row.latest.state is not sample.state:
            row.since = sample.at
            self._order = None
        elif row.latest.kind != sample.kind:
            self._order = None
        row.latest = sample
        if row.points and row.points[-1][0] == sample.at:
            row.points.pop()  # the same moment told again: a source may repeat what is still so
        row.points.append((sample.at, sample.value, sample.state))
        most = max(FEWEST, min(self.points, BUDGET // len(self._rows)))
        while len(row.points) > most:
            row.points.popleft()


def _order(row: HealthRow) -> tuple[int, int, str, str]:
    sample = row.latest
    return (
        -sample.state.rank,
        ORDER.get(sample.kind, len(ORDER) + (sample.kind == "process")),
        sample.subject,
        sample.source,
    )


def _at(row: HealthRow, moment: int) -> HealthRow | None:
    """Return the row as it was, or None where it was not known yet. Reasons of the past are not kept."""
    later = 0
    for later, (at, _, _) in enumerate(reversed(row.points)):  # noqa: B007
        if at <= moment:
            break
    else:
        return None
    if not later:
        return row
    points = deque(islice(row.points, len(row.points) - later))
    at, value, state = points[-1]
    since = at
    for earlier, _, was in reversed(points):
        if was is not state:
            break
        since = earlier
    return HealthRow(
        latest=replace(row.latest, at=at, value=value, state=state, reason="", details={}),
        since=since,
        points=points,
    )
