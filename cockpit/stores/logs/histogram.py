"""How many records of each level came when, kept up as they come and go.

Counts are kept by second, by minute and by hour, so that a strip over any window reads some hundreds of buckets
and never the records. A batch is folded into few (second, level) pairs before it touches a bucket.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

from cockpit.signals import SECOND, LogRecord

BANDS = 8
"""0 for no level, then trace, debug, info, warn, error, fatal; the eighth makes the shift a power of two."""

WARN_BAND, ERROR_BAND = 4, 5

RESOLUTIONS = (1, 60, 3600)
"""Seconds a bucket."""
FEW = 16
"""Records a second below which a batch is counted record by record."""
MOST_BUCKETS = 7200
"""Buckets read for one strip; a longer window is read from the next coarser ones."""


def keys_of(times: Iterable[int], records: Iterable[LogRecord]) -> list[int]:
    """Return each record's place in a histogram: its second, shifted by three bits, and its level's band."""
    return [
        at // SECOND << 3 | (record.level + 3 >> 2) & 7 for at, record in zip(times, records, strict=True)
    ]


def counts_of(times: Sequence[int], records: Sequence[LogRecord]) -> list[tuple[int, int]]:
    """Return the keys of records in the order of their times, and how many have each; a key may come twice."""
    if not times:
        return []
    first, last = times[0] // SECOND, times[-1] // SECOND
    if (last - first) * FEW > len(times):
        return [*Counter(keys_of(times, records)).items()]
    counts: list[tuple[int, int]] = []
    begin = 0
    for second in range(first, last + 1):
        end = len(times) if second == last else bisect_left(times, (second + 1) * SECOND, begin)
        levels = Counter([record.level for record in records[begin:end]])
        counts += [(second << 3 | (level + 3 >> 2) & 7, count) for level, count in levels.items()]
        begin = end
    return counts


class Histogram:
    """Counts by time and level."""

    def __init__(self) -> None:
        self.totals = [0] * BANDS
        self._buckets: tuple[dict[int, list[int]], ...] = tuple({} for _ in RESOLUTIONS)

    def __len__(self) -> int:
        return sum(self.totals)

    def count(self, times: Sequence[int], records: Sequence[LogRecord], sign: int = 1) -> None:
        """Count records in the order of their times in, or out again with a sign of -1."""
        self.add_counts(counts_of(times, records), sign)

    def add(self, keys: Iterable[int], sign: int = 1) -> None:
        """Count records in by their keys, or out again with a sign of -1."""
        self._add((key, count * sign) for key, count in Counter(keys).items())

    def add_counts(self, counts: Iterable[tuple[int, int]], sign: int = 1) -> None:
        """Count records in by pairs of their key and how many have it, or out again with a sign of -1."""
        self._add((key, count * sign) for key, count in counts)

    def _add(self, counts: Iterable[tuple[int, int]]) -> None:
        for key, count in counts:
            second, band = key >> 3, key & 7
            self.totals[band] += count
            for resolution, buckets in zip(RESOLUTIONS, self._buckets, strict=True):
                number = second // resolution
                bucket = buckets.get(number)
                if bucket is None:
                    bucket = buckets[number] = [0] * BANDS
                bucket[band] += count
                if count < 0 and not any(bucket):
                    del buckets[number]

    def columns(self, start: int, end: int, width: int) -> list[Sequence[int]]:
        """Return counts by band for `width` columns from one time to another.

        A column narrower than a second holds what its whole second held, so that a short window has no gaps.
        """
        columns = [[0] * BANDS for _ in range(max(0, width))]
        span = end - start
        if span <= 0 or not columns:
            return list(columns)
        level = next((n for n, size in enumerate(RESOLUTIONS) if span <= size * MOST_BUCKETS * SECOND), 2)
        size, buckets = RESOLUTIONS[level] * SECOND, self._buckets[level]
        first, last = start // size, end // size
        numbers: Iterable[int] = range(first, last + 1)
        if last - first > len(buckets):
            numbers = [number for number in buckets if first <= number <= last]
        for number in numbers:
            bucket = buckets.get(number)
            if bucket is None:
                continue
            left = min(width - 1, max(0, (number * size - start) * width // span))
            right = min(width, max(left + 1, ((number + 1) * size - start) * width // span))
            for column in columns[left:right]:
                for band, count in enumerate(bucket):
                    column[band] += count
        return list(columns)
