"""Lines that are equal once numbers and the like are wild: the smallest thing that is counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cockpit.formats.columns import UNDATED
from cockpit.stores.logs.templates.atoms import WILD

Times = NDArray[np.int64]


class Shape:
    """One shape, and when its lines came.

    Attributes:
        serial: Its place among all shapes ever, by which a template keeps its identity.
        atoms: What it has between its delimiters; `WILD` matches any.
        delimiters: As its first line had them, spaces and all.
        example: Its first line.
        count: Its lines.
        first_number, first_at, last_at: The number and time of its first line, and its last one's time;
            `UNDATED` until a line has a time.
        lines: The numbers of its lines in pieces, where they are kept.
        numbers: What the numbers in its names are, None for those that changed.
        buckets: Lines by time, in units of the miner's bucket width.
    """

    __slots__ = (
        "atoms",
        "buckets",
        "count",
        "delimiters",
        "example",
        "first_at",
        "first_number",
        "last_at",
        "lines",
        "numbers",
        "serial",
    )

    def __init__(
        self, serial: int, atoms: tuple[str, ...], delimiters: tuple[str, ...], example: str
    ) -> None:
        self.serial = serial
        self.atoms = atoms
        self.delimiters = delimiters
        self.example = example
        self.count = 0
        self.first_number = 0
        self.first_at = UNDATED
        self.last_at = UNDATED
        self.lines: list[NDArray[np.int64]] = []
        self.numbers: dict[tuple[int, int], str | None] = {}
        self.buckets: dict[int, int] = {}

    def add(self, numbers: Times, times: Times, width: int) -> int:
        """Count lines in the order they came; return how many buckets are new.

        Args:
            numbers: Their numbers.
            times: Their times in nanoseconds, `UNDATED` for none.
            width: Nanoseconds a bucket.
        """
        if not self.count:
            self.first_number = int(numbers[0])
        self.count += len(numbers)
        dated = times[times != UNDATED]
        if not len(dated):
            return 0
        first, last = int(dated.min()), int(dated.max())
        self.first_at = first if self.first_at == UNDATED else min(first, self.first_at)
        self.last_at = max(last, self.last_at)
        before = len(self.buckets)
        if first // width == last // width:
            found: Sequence[tuple[int, int]] = ((first // width, len(dated)),)
        else:
            bins, counts = np.unique(dated // width, return_counts=True)
            found = list(zip(bins.tolist(), counts.tolist(), strict=True))
        for bucket, count in found:
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count
        return len(self.buckets) - before

    def absorb(self, other: Shape) -> None:
        """Take in another one's lines, and make wild what differs."""
        if other.serial < self.serial:
            self.serial, self.example, self.delimiters = other.serial, other.example, other.delimiters
            self.first_number = other.first_number
        self.atoms = tuple(
            mine if mine == its else WILD for mine, its in zip(self.atoms, other.atoms, strict=True)
        )
        self.count += other.count
        if other.first_at != UNDATED:
            known = self.first_at != UNDATED
            self.first_at = min(self.first_at, other.first_at) if known else other.first_at
        self.last_at = max(self.last_at, other.last_at)
        self.lines += other.lines
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count
        self.see(other.numbers)

    def see(self, numbers: dict[tuple[int, int], str] | dict[tuple[int, int], str | None]) -> None:
        """Note the numbers in the names of one more line."""
        mine = self.numbers
        for key, number in numbers.items():
            if mine.setdefault(key, number) != number:
                mine[key] = None

    def coarsen(self) -> None:
        """Make each bucket twice as wide."""
        halved: dict[int, int] = {}
        for bucket, count in self.buckets.items():
            halved[bucket >> 1] = halved.get(bucket >> 1, 0) + count
        self.buckets = halved
