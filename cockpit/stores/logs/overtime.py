"""Counts of records over time, in buckets that grow with the span, so that memory is bounded."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from cockpit.errors import UsageError
from cockpit.signals import SECOND

LENGTHS = tuple(
    seconds * SECOND
    for seconds in (
        1,
        5,
        10,
        30,
        60,
        300,
        600,
        1800,
        3600,
        10_800,
        21_600,
        43_200,
        86_400,
        604_800,
        2_419_200,
    )
)
"""Lengths of buckets, each a part of the next."""
MOST = 1 << 16
"""Buckets kept at most; where there are more they are joined to longer ones."""
BANDS = 7
"""No level, and the six ranges of SeverityNumber."""
_UNITS = {"ms": SECOND // 1000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND}


def read_length(text: str) -> int:
    """Return the nanoseconds of a length such as `30s`, `1m` or `1h`.

    Raises:
        UsageError: It is none.
    """
    found = re.fullmatch(r"(\d{1,9})(ms|s|m|h|d)", text)
    if found is None or not int(found[1]):
        raise UsageError(f"{text!r} is no length of time", remedy="write it as 500ms, 30s, 1m, 1h or 1d")
    return int(found[1]) * _UNITS[found[2]]


class OverTime:
    """Counts by bucket and level.

    Attributes:
        length: Of a bucket, in nanoseconds.
    """

    def __init__(self, length: int = 0) -> None:
        """Begin with none.

        Args:
            length: Of a bucket; 0 chooses one by the span in the end.
        """
        self._fixed = bool(length)
        self.length = length or LENGTHS[0]
        self._counts: dict[int, NDArray[np.int64]] = {}

    def add(self, times: NDArray[np.int64], levels: NDArray[np.uint8]) -> None:
        """Count records.

        Args:
            times: Nanoseconds, shape (n,).
            levels: SeverityNumber, shape (n,).

        Raises:
            UsageError: The buckets asked for are too many.
        """
        if not len(times):
            return
        bands = (levels.astype(np.int64) + 3 >> 2).clip(0, BANDS - 1)
        keys, counts = np.unique((times // self.length) * 8 + bands, return_counts=True)
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            self._row(key >> 3)[key & 7] += count
        while len(self._counts) > MOST:
            longer = next((length for length in LENGTHS if length > self.length), 0)
            if self._fixed or not longer:
                raise UsageError(f"more than {MOST:,} buckets hold records", remedy="use a longer --bucket")
            self._join(longer)

    def buckets(self, most: int) -> list[tuple[int, list[int]]]:
        """Return all buckets from the first to the last that holds records, empty ones between them included.

        Args:
            most: Buckets at most, unless their length was given.

        Returns:
            For each where it begins, in nanoseconds, and its counts by band.

        Raises:
            UsageError: The buckets asked for are too many.
        """
        if not self._counts:
            return []
        while not self._fixed and self._span() > most:
            longer = next((length for length in LENGTHS if length > self.length), 2 * self.length)
            self._join(longer)
        if self._span() > MOST:
            raise UsageError(f"the records span more than {MOST:,} buckets", remedy="use a longer --bucket")
        none = [0] * BANDS
        return [
            (number * self.length, self._counts[number].tolist() if number in self._counts else none)
            for number in range(min(self._counts), max(self._counts) + 1)
        ]

    def _span(self) -> int:
        return max(self._counts) - min(self._counts) + 1

    def _row(self, number: int) -> NDArray[np.int64]:
        row = self._counts.get(number)
        if row is None:
            row = self._counts[number] = np.zeros(BANDS, np.int64)
        return row

    def _join(self, length: int) -> None:
        counts, factor = self._counts, length // self.length
        self._counts, self.length = {}, length
        for number, row in counts.items():
            self._row(number // factor)[:] += row
