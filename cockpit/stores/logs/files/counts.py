"""How many records of each level came when, chunk by chunk, in a few bytes a second that has any.

Seconds are kept as arrays a chunk; a strip over a long window reads minutes and hours, which are summed as chunks
come and change.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from cockpit.signals import SECOND
from cockpit.stores.logs.histogram import BANDS

SPANS = (60, 3600)
"""Seconds of the sums that are kept."""
WIDTHS = (1, 2, 4, 8)
"""Bytes that a number may take."""
MOST = 7200
"""Buckets read for one strip; a longer window is read from the next coarser ones."""


class Counts(Struct, frozen=True, array_like=True):
    """Records of a chunk by second and level, in two bytes for most pairs of these; as they are sent, little-endian.

    Attributes:
        pairs: How many pairs have any.
        first: The first pair's key: the second shifted by three bits, and the level's band.
        steps: From each key to the next, rising: unsigned numbers of the least width that holds them all.
        numbers: How many records, the same way.
    """

    pairs: int = 0
    first: int = 0
    steps: bytes = b""
    numbers: bytes = b""

    @property
    def worst(self) -> int:
        """The highest band that has any; 0 where none has."""
        return int((self.arrays()[0] & 7).max(initial=0))

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the keys and how many records each has, of shape (pairs,)."""
        keys: NDArray[np.int64] = np.empty(self.pairs, np.int64)
        keys[:1] = self.first
        keys[1:] = _wide(self.steps, self.pairs - 1)
        return np.cumsum(keys), _wide(self.numbers, self.pairs)


def _narrow(values: NDArray[np.int64]) -> bytes:
    width = next(width for width in WIDTHS if int(values.max(initial=0)) < 1 << 8 * width)
    return values.astype(f"<u{width}").tobytes()


def _wide(data: bytes, count: int) -> NDArray[np.int64]:
    if not data:
        return np.empty(0, np.int64)
    return np.frombuffer(data, f"<u{len(data) // count}").astype(np.int64)


NONE = Counts()


def counts_of(placed: NDArray[np.int64], levels: NDArray[np.uint8]) -> Counts:
    """Count records.

    Args:
        placed: Their times in nanoseconds, never falling.
        levels: Their SeverityNumbers.
    """
    if not len(placed):
        return NONE
    bands = (levels.astype(np.int64) + 3 >> 2) & 7
    # Seconds rise, so each is a stretch of records; only within them levels need counting.
    seconds = placed // SECOND
    begins = np.concatenate((np.zeros(1, np.intp), np.flatnonzero(seconds[1:] != seconds[:-1]) + 1))
    which = np.zeros(len(placed), np.int64)
    which[begins[1:]] = 1
    cells = np.bincount(np.cumsum(which) * BANDS + bands, minlength=len(begins) * BANDS)
    filled = np.flatnonzero(cells)
    keys = (seconds[begins[filled // BANDS]] << 3) | (filled % BANDS)
    return Counts(len(keys), int(keys[0]), _narrow(np.diff(keys)), _narrow(cells[filled]))


class ChunkHistogram:
    """Counts by time and level of chunks, which come, change and go by their number.

    Attributes:
        totals: Records by band: 0 for no level, then trace to fatal.
    """

    def __init__(self) -> None:
        self.totals = [0] * BANDS
        self._chunks: dict[int, tuple[int, int, Counts]] = {}
        """With the first and the last key of each."""
        self._sums: tuple[dict[int, list[int]], ...] = tuple({} for _ in SPANS)

    def __len__(self) -> int:
        return sum(self.totals)

    def put(self, number: int, counts: Counts) -> None:
        """Take over what a chunk holds now."""
        before = self._chunks.pop(number, None)
        if before is not None:
            self._add(before[2], -1)
        if counts.pairs:
            keys = counts.arrays()[0]
            self._chunks[number] = (int(keys[0]), int(keys[-1]), counts)
            self._add(counts, 1)

    def columns(self, start: int, end: int, width: int) -> list[Sequence[int]]:
        """Return counts by band for `width` columns from one time to another, in nanoseconds.

        A column narrower than a second holds what its whole second held, so that a short window has no gaps.
        """
        columns = np.zeros((max(0, width), BANDS), np.int64)
        span = end - start
        if span <= 0 or not width:
            return list(columns.tolist())
        size, keys, numbers = self._within(start, end)
        first = np.clip(((keys >> 3) * size * SECOND - start) * width // span, 0, width - 1)
        after = np.clip((((keys >> 3) + 1) * size * SECOND - start) * width // span, first + 1, width)
        bands = keys & 7
        for step in range(int((after - first).max(initial=0))):
            here = first + step < after
            np.add.at(columns, (first[here] + step, bands[here]), numbers[here])
        return list(columns.tolist())

    def _within(self, start: int, end: int) -> tuple[int, NDArray[np.int64], NDArray[np.int64]]:
        """Return the size of buckets in seconds, their keys and numbers, within a time."""
        span = end - start
        for size, sums in zip(SPANS, self._sums, strict=True):
            if span > MOST * SECOND and (span <= size * MOST * SECOND or size == SPANS[-1]):
                first, last = start // (size * SECOND), end // (size * SECOND)
                rows = [(number << 3 | band, count) for number, bands in sums.items() if first <= number <= last
                        for band, count in enumerate(bands) if count]  # fmt: skip
                table = np.array(rows, np.int64).reshape(-1, 2)
                return size, table[:, 0], table[:, 1]
        low, high = start // SECOND << 3, (end // SECOND << 3) + 8
        keys, numbers = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for first_key, last_key, counts in self._chunks.values():
            if first_key < high and last_key >= low:
                own, many = counts.arrays()
                cut = slice(*own.searchsorted((low, high)).tolist())
                keys.append(own[cut])
                numbers.append(many[cut].astype(np.int64))
        return 1, np.concatenate(keys), np.concatenate(numbers)

    def _add(self, counts: Counts, sign: int) -> None:
        keys, numbers = counts.arrays()
        many = numbers.astype(np.int64) * sign
        totals = np.bincount(keys & 7, weights=many, minlength=BANDS)
        self.totals = [known + int(more) for known, more in zip(self.totals, totals, strict=True)]
        for size, sums in zip(SPANS, self._sums, strict=True):
            buckets = (keys >> 3) // size
            found, places = np.unique(buckets, return_inverse=True)
            cells = np.zeros((len(found), BANDS), np.int64)
            np.add.at(cells, (places, keys & 7), many)
            for bucket, row in zip(found.tolist(), cells.tolist(), strict=True):
                known = sums.get(bucket)
                total = row if known is None else [a + b for a, b in zip(known, row, strict=True)]
                if any(total):
                    sums[bucket] = total
                else:
                    sums.pop(bucket, None)
