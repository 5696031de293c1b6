"""The records of log files that some criteria admit, told by the process apart a bit a record."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import Counter, OrderedDict
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from cockpit.stores.logs.criteria import OPEN, Criteria
from cockpit.stores.logs.files.counts import NONE, ChunkHistogram
from cockpit.stores.logs.files.numbering import Entry
from cockpit.stores.logs.files.records import FileRecords
from cockpit.stores.logs.files.searching import query_of
from cockpit.stores.logs.files.wire import Dropped, Found
from cockpit.stores.logs.seeking import Goal

CHUNKS = 64
"""Chunks whose bits are kept unpacked."""


class FileView:
    """A store's records through criteria and a span of time, addressed by rank or by number."""

    def __init__(self, store: FileRecords) -> None:
        self.store = store
        self.criteria = OPEN
        self.serial = 0
        self._found: dict[int, Found] = {}
        self._histogram = ChunkHistogram()
        self._hits: Counter[int] = Counter()
        self._counts: tuple[list[int], list[int]] | None = None
        self._picked: OrderedDict[int, NDArray[np.intp]] = OrderedDict()
        self._from: int | None = None
        self._until: int | None = None
        self._bounds: tuple[int, tuple[int, int]] = (-1, (0, 0))
        store.views.append(self._take)

    def look(self, criteria: Criteria, *, start: int | None = None, end: int | None = None) -> bool:
        """Choose what to see; other criteria begin a search.

        Args:
            criteria: What a record must be.
            start: The earliest moment in nanoseconds; None for all.
            end: The last moment; None for now.

        Returns:
            True where a search began.
        """
        if (start, end) != (self._from, self._until):
            self._from, self._until = start, end
            self._bounds = (-1, (0, 0))
        if criteria == self.criteria:
            return False
        self.criteria = criteria
        self.serial += 1
        self._take(None)
        self.store.search(self.serial, criteria)
        return True

    def advance(self, budget: float = 0.0) -> bool:
        """Return True: the search goes on by itself, elsewhere."""
        return True

    @property
    def complete(self) -> bool:
        """True where all records were read and looked at."""
        return not self.store.left and self.searched >= len(self.store)

    @property
    def searched(self) -> int:
        """How many of the records were looked at."""
        if self.criteria.admits_all:
            return len(self.store)
        return sum(entry.chunk.count for entry in self.store.chunks if entry.number in self._found)

    @property
    def histogram(self) -> ChunkHistogram:
        """Counts of what the criteria admit."""
        return self.store.histogram if self.criteria.admits_all else self._histogram

    @property
    def hits(self) -> list[int]:
        """How many records each of the named filters hits, as far as they were searched."""
        return [self._hits[place] for place in range(len(self.criteria.filters))]

    def packed(self) -> bytes:
        """Return what it looks for as a process apart takes it; empty for all."""
        return b"" if self.criteria.admits_all else query_of(self.criteria)

    async def next_level(self, number: int, step: int, low: int) -> int | None:
        """Return the number of the next record of a level or a worse one; None where there is none.

        Chunks without one are passed over by what their summaries count.

        Args:
            number: The record to begin after.
            step: 1 to go down, -1 to go up.
            low: The least SeverityNumber.

        Raises:
            UsageError: The disk does not answer.
        """
        store, band = self.store, (low + 3 >> 2) & 7
        entry = store.chunks.holding(number)
        row = number - entry.first
        while True:
            if entry.worst >= band and self._admitted(entry, band) is not None:
                levels = await store.levels(entry)
                found = self._admitted(entry, band)  # the tail may have grown meanwhile
                rows = np.empty(0, np.intp) if found is None else np.flatnonzero(found & (levels >= low))
                rows = rows[rows > row] if step > 0 else rows[rows < row]
                if len(rows):
                    return entry.first + int(rows[0 if step > 0 else -1])
            if entry.number + step not in store.chunks:
                return None
            entry = store.chunks.chunk(entry.number + step)
            row = -1 if step > 0 else entry.chunk.count

    async def find(self, goal: Goal, number: int, step: int) -> int | None:
        """Return the number of the next record after one, down (1) or up (-1); None where there is none."""
        if goal.low:
            return await self.next_level(number, step, goal.low)
        if goal.node is None:
            return None
        answer: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

        def answered(found: int | None) -> None:
            if not answer.done():
                answer.set_result(found)

        self.store.answered = answered
        self.store.look_for(self.criteria, goal.node, number, step)
        try:
            return await answer
        except asyncio.CancelledError:
            self.store.look_no_more()
            raise

    def _admitted(self, entry: Entry, band: int) -> NDArray[np.bool_] | None:
        """Return which rows of a chunk are admitted; None where none of that band of levels or a worse one are."""
        count = entry.chunk.count
        if self.criteria.admits_all:
            return np.ones(count, np.bool_)
        found = self._found.get(entry.number)
        if found is None or not found.count or found.counts.worst < band:
            return None
        if not found.bits:
            return np.ones(count, np.bool_)
        return np.unpackbits(np.frombuffer(found.bits, np.uint8), count=count).view(np.bool_)

    def __len__(self) -> int:
        low, high = self._within()
        return high - low

    def number(self, rank: int) -> int:
        """Return the number of the record of that rank, from 0."""
        rank += self._within()[0]
        if self.criteria.admits_all:
            return self.store.first + rank
        older, newer = self._sums()
        if rank < (all_older := older[-1] if older else 0):
            # Ranks count from the oldest, sums from the newest of what is older.
            back = all_older - rank
            place = bisect_right(older, back - 1)
            entry = self.store.chunks.older[place]
            row = older[place] - back
        else:
            place = bisect_right(newer, rank - all_older)
            entry = self.store.chunks.newer[place]
            row = rank - all_older - (newer[place - 1] if place else 0)
        return entry.first + self._row(entry, row)

    def rank(self, number: int) -> int:
        """Return the rank of the first record at or after a number; the length where there is none."""
        low, high = self._within()
        return min(max(self._place(number), low), high) - low

    # What was found.

    def _take(self, found: Found | Dropped | None) -> None:
        if isinstance(found, Dropped):
            for number in [number for number in self._found if number <= found.number]:
                self._hits.subtract(dict(enumerate(self._found.pop(number).hits)))
                self._histogram.put(number, NONE)
                self._picked.pop(number, None)
            self._changed()
            return
        if found is None:
            self._found.clear()
            self._picked.clear()
            self._histogram = ChunkHistogram()
            self._hits.clear()
            self._changed()
            return
        if found.serial != self.serial:
            return
        if found.number in self._found:
            before = self._found[found.number]
            self._hits.subtract(dict(enumerate(before.hits)))
        self._found[found.number] = found
        self._histogram.put(found.number, found.counts)
        self._hits.update(dict(enumerate(found.hits)))
        self._picked.pop(found.number, None)
        self._changed()

    def _changed(self) -> None:
        self._counts = None
        self._bounds = (-1, (0, 0))

    def _sums(self) -> tuple[list[int], list[int]]:
        """Return how many records are admitted up to each chunk: going back from the tail's first, and on."""
        chunks = self.store.chunks
        # A chunk may have come of which nothing was found yet, as while an earlier search is answered.
        if self._counts is None or (len(self._counts[0]), len(self._counts[1])) != (
            len(chunks.older),
            len(chunks.newer),
        ):
            self._counts = (
                list(accumulate(self._count(entry) for entry in chunks.older)),
                list(accumulate(self._count(entry) for entry in chunks.newer)),
            )
        return self._counts

    def _count(self, entry: Entry) -> int:
        found = self._found.get(entry.number)
        return 0 if found is None else found.count

    def _row(self, entry: Entry, rank: int) -> int:
        """Return the row of a chunk's admitted record of a rank."""
        found = self._found[entry.number]
        return rank if not found.bits else int(self._rows(found)[rank])

    def _rows(self, found: Found) -> NDArray[np.intp]:
        rows = self._picked.get(found.number)
        if rows is None:
            rows = np.flatnonzero(np.unpackbits(np.frombuffer(found.bits, np.uint8)))
            self._picked[found.number] = rows
            if len(self._picked) > CHUNKS:
                self._picked.popitem(last=False)
        return rows

    def _place(self, number: int) -> int:
        """Return how many admitted records lie before a number."""
        store = self.store
        number = min(max(number, store.first), store.end)
        if self.criteria.admits_all:
            return number - store.first
        older, newer = self._sums()
        total = (older[-1] if older else 0) + (newer[-1] if newer else 0)
        if number >= store.end:
            return total
        entry = store.chunks.holding(number)
        place = store.chunks.place(entry.number)
        if entry.number < 0:
            before = older[-1] - older[-entry.number - 1]
        else:
            before = (older[-1] if older else 0) + (newer[place - 1] if place else 0)
        found = self._found.get(entry.number)
        if found is None or not found.count:
            return before
        row = number - entry.first
        return before + (int(self._rows(found).searchsorted(row)) if found.bits else min(row, found.count))

    def _within(self) -> tuple[int, int]:
        """Return the places between which the span of time lies."""
        store = self.store
        if self._bounds[0] != store.version:
            low = store.first if self._from is None else store.number_from(self._from)
            high = store.end if self._until is None else store.number_at(self._until)
            low, high = self._place(low), self._place(high)
            self._bounds = (store.version, (low, max(low, high)))
        return self._bounds[1]
