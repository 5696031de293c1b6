"""The last values of every series that was scraped, within a bound for all of them together."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from cockpit.signals import SECOND
from sources.support.exposition_format import Labels, Sample, labels_of

MAX_SERIES = 50_000
"""Series kept of one endpoint."""
MAX_POINTS = 1_000_000
"""Points kept of all series together, 16 bytes each."""
LONGEST = 720
"""Points kept of one series."""
SHORTEST = 2
"""Points kept however many series there are: enough for a rate."""
GONE = 300 * SECOND
"""How long a series that is no longer exposed is kept, in nanoseconds."""


class Line:
    """One series' last points."""

    __slots__ = ("labels", "name", "times", "values")

    def __init__(self, name: str, labels: Labels) -> None:
        self.name = name
        self.labels = labels
        self.times = array("q")
        self.values = array("d")

    def add(self, at: int, value: float, keep: int) -> None:
        """Take a point in; of two for one moment the later stands."""
        if self.times and at <= self.times[-1]:
            return
        self.times.append(at)
        self.values.append(value)
        if len(self.times) >= keep + keep // 4 + 1:
            del self.times[:-keep]
            del self.values[:-keep]

    def points(self) -> Iterator[tuple[int, float]]:
        """Yield (nanoseconds, value), oldest first; of a copy, for a scrape may go on meanwhile."""
        return zip(self.times[:], self.values[:], strict=False)

    def rates(self) -> Iterator[tuple[int, float]]:
        """Yield (nanoseconds, rise a second) between neighbours; a fall is a counter that began again at 0."""
        for (since, before), (at, value) in pairwise(self.points()):
            rise = value - before if value >= before else value
            yield at, rise * SECOND / (at - since)


class MetricRing:
    """Series by name and labels.

    Attributes:
        refused: Samples of the last page that did not fit.
        wrong: Samples of the last page whose labels were malformed or came twice.
    """

    def __init__(self, *, series: int = MAX_SERIES, points: int = MAX_POINTS) -> None:
        self.capacity = series
        self.budget = points
        self.refused = 0
        self.wrong = 0
        self._lines: dict[tuple[str, Labels], Line] = {}
        self._by_name: dict[str, dict[Labels, Line]] = {}
        self._by_text: dict[tuple[str, str], Line] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def begin(self) -> None:
        """Start a page."""
        self.refused = self.wrong = 0

    def take(self, samples: Iterable[Sample], at: int) -> int:
        """Take samples in and return how many were; those without a time of their own get `at`."""
        taken = 0
        keep = max(SHORTEST, min(LONGEST, self.budget // max(1, len(self._lines))))
        for sample in samples:
            line = self._by_text.get((sample.name, sample.raw)) or self._new(sample)
            if line is not None:
                # What comes with a time of its own is kept by ours too: a clock of theirs that is wrong would
                # hide it from every window.
                line.add(at, sample.value, keep)
                taken += 1
        return taken

    def _new(self, sample: Sample) -> Line | None:
        labels = labels_of(sample.raw)
        if labels is None:
            self.wrong += 1
            return None
        line = self._lines.get((sample.name, labels))
        if line is None:
            if len(self._lines) >= self.capacity:
                self.refused += 1
                return None
            line = Line(sample.name, labels)
            self._lines[sample.name, labels] = line
            self._by_name.setdefault(sample.name, {})[labels] = line
        if len(self._by_text) < 2 * self.capacity:
            self._by_text[sample.name, sample.raw] = line
        return line

    def forget(self, before: int) -> None:
        """Drop series whose last point is older than that moment."""
        gone = [key for key, line in self._lines.items() if not line.times or line.times[-1] < before]
        for name, labels in gone:
            del self._lines[name, labels]
            del self._by_name[name][labels]
            if not self._by_name[name]:
                del self._by_name[name]
        if gone:
            kept = self._lines
            self._by_text = {
                key: line for key, line in self._by_text.items() if (line.name, line.labels) in kept
            }

    def named(self, name: str) -> Iterable[Line]:
        """Return the series of one metric, or all for an empty name."""
        return list(self._by_name.get(name, {}).values()) if name else list(self._lines.values())


def as_mapping(labels: Labels) -> Mapping[str, str]:
    """Return labels as a mapping."""
    return dict(labels)
