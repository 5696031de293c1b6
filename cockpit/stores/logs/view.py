"""The records that some criteria admit: an index of their numbers, extended as records come.

A new filter is evaluated from the newest record backwards and in slices, so that what the operator looks at is
there at once and a million records block nobody.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from cockpit.signals import LogRecord
from cockpit.stores.logs.criteria import OPEN, Criteria, select
from cockpit.stores.logs.ends import BothEnds
from cockpit.stores.logs.filters import MOST
from cockpit.stores.logs.histogram import Histogram, keys_of
from cockpit.stores.logs.store import LogStore

if TYPE_CHECKING:
    from cockpit.stores.logs.ring.sieve import Sieve

SLICE = 0.004
"""Seconds that one slice of the search may take."""
STEPS = (16, 4096)
"""Fewest and most records between two looks at the clock."""


def _sieve(criteria: Criteria) -> Sieve:
    from cockpit.stores.logs.ring.sieve import Sieve  # not for what is drawn first

    return Sieve(criteria.node)


class Counting:
    """Tells which of the named filters a record hits."""

    def __init__(self, criteria: Criteria) -> None:
        self._tests = [(1 << place, each.query.tester()) for place, each in enumerate(criteria.filters)]

    def masks(self, records: Sequence[LogRecord]) -> Sequence[int]:
        """Return for each record a bit a filter; nothing where there are no filters."""
        if not self._tests:
            return ()
        return [sum(bit for bit, test in self._tests if test(record, None)) for record in records]


class LogView:
    """A store's records through criteria and a span of time, addressed by rank or by absolute number."""

    def __init__(self, store: LogStore) -> None:
        self.store = store
        self.criteria = OPEN
        self._tests = OPEN.tests()
        self._sieve: Sieve | None = None
        """Not where filters are counted, for which each record is tested."""
        self._numbers = BothEnds()
        self._keys = BothEnds()
        """Each number's place in the histogram, so that it can be taken out again."""
        self._histogram = Histogram()
        self._low = self._high = store.end
        """What has been looked at: from one absolute number up to another."""
        self._masks = BothEnds("Q")
        """Which of the named filters each record hits that was looked at, a bit a filter; empty without filters."""
        self._hits = [0] * MOST
        self._counting = Counting(OPEN)
        self._version = store.version
        self._step = 256
        self._from: int | None = None
        self._until: int | None = None
        self._bounds = (0, 0)

    def look(self, criteria: Criteria, *, start: int | None = None, end: int | None = None) -> bool:
        """Choose what to see; other criteria begin the search anew.

        Args:
            criteria: What a record must be.
            start: The earliest moment in nanoseconds; None for all that is kept.
            end: The last moment, as the records were known then; None for now.

        Returns:
            True where the search began anew.
        """
        self._from, self._until = start, end
        if criteria == self.criteria:
            return False
        self.criteria = criteria
        self._tests = criteria.tests()
        self._sieve = None if criteria.filters else _sieve(criteria)
        self._counting = Counting(criteria)
        self._begin()
        return True

    def advance(self, budget: float = SLICE) -> bool:
        """Look at what is new and then further back, for at most `budget` seconds.

        Returns:
            True where nothing is left to look at.
        """
        store = self.store
        self._settle()
        if not self._all_known:
            until = perf_counter() + budget
            while self._high < store.end and perf_counter() < until:
                self._look_on()
            while self._low > store.first and perf_counter() < until:
                self._look_back()
        self._bound()
        return self.complete

    @property
    def complete(self) -> bool:
        """True where every record kept has been looked at."""
        return self._all_known or (self._high >= self.store.end and self._low <= self.store.first)

    @property
    def searched(self) -> int:
        """How many of the records kept have been looked at."""
        return len(self.store) if self._all_known else self._high - max(self._low, self.store.first)

    @property
    def hits(self) -> list[int]:
        """How many records each of the named filters hits, as far as they were looked at."""
        return self._hits[: len(self.criteria.filters)]

    def packed(self) -> bytes:
        """Return nothing: its records are here."""
        return b""

    @property
    def _all_known(self) -> bool:
        """True where there is nothing to look at: all are admitted, and none is counted."""
        return self.criteria.admits_all and not len(self.criteria.filters)

    @property
    def histogram(self) -> Histogram:
        """Counts of what the criteria admit."""
        return self.store.histogram if self.criteria.admits_all else self._histogram

    def __len__(self) -> int:
        self._keep_up()
        return self._bounds[1] - self._bounds[0]

    def number(self, rank: int) -> int:
        """Return the absolute number of the record of that rank, from 0."""
        self._keep_up()
        place = self._bounds[0] + rank
        return self.store.first + place if self.criteria.admits_all else self._numbers[place]

    def rank(self, number: int) -> int:
        """Return the rank of the first record at or after an absolute number; the length where there is none."""
        self._keep_up()
        if self.criteria.admits_all:
            place = number - self.store.first
        else:
            place = bisect_left(self._numbers, number)
        low, high = self._bounds
        return min(max(place, low), high) - low

    def _keep_up(self) -> None:
        """Never point to what the store has evicted or moved since the last look."""
        if self._version != self.store.version:
            self._settle()
            self._bound()

    def _begin(self) -> None:
        self._numbers, self._keys, self._masks = BothEnds(), BothEnds(), BothEnds("Q")
        self._hits = [0] * MOST
        self._histogram = Histogram()
        self._low = self._high = self.store.end
        self._bounds = (0, 0)

    def _settle(self) -> None:
        """Follow what the store evicted, and forget what it has moved since: that is looked at again."""
        store = self.store
        moved = store.moved_since(self._version)
        self._version = store.version
        if self._all_known:
            return
        if self._high < store.first:
            self._begin()
            return
        if gone := bisect_left(self._numbers, store.first):
            self._histogram.add(self._keys.take_first(gone), -1)
            self._numbers.take_first(gone)
        if self._masks and self._low < store.first:
            self._count(self._masks.take_first(store.first - self._low), -1)
        self._low = max(self._low, store.first)
        if moved is not None and moved < self._high:
            kept = bisect_left(self._numbers, moved)
            self._histogram.add(self._keys.take_from(kept), -1)
            self._numbers.take_from(kept)
            self._count(self._masks.take_from(max(0, moved - self._low)), -1)
            self._high = max(moved, store.first)
            self._low = min(self._low, self._high)

    def _look_on(self) -> None:
        start = self._high
        stop = min(start + self._step, self.store.end)
        numbers, keys, masks = self._found(start, stop)
        self._numbers.add_after(numbers)
        self._keys.add_after(keys)
        self._masks.add_after(masks)
        self._high = stop

    def _look_back(self) -> None:
        stop = self._low
        start = max(stop - self._step, self.store.first)
        numbers, keys, masks = self._found(start, stop)
        self._numbers.add_before(numbers)
        self._keys.add_before(keys)
        self._masks.add_before(masks)
        self._low = start

    def _found(self, start: int, stop: int) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
        began = perf_counter()
        numbers, records, times = self.store.sift(start, stop, self._sieve)
        places = select(records, self._tests)
        keys = keys_of([times[place] for place in places], [records[place] for place in places])
        self._histogram.add(keys)
        masks = self._counting.masks(records)
        self._count(masks, 1)
        took = perf_counter() - began
        fewest, most = STEPS
        if took > SLICE / 4:
            self._step = max(fewest, self._step // 2)
        elif took < SLICE / 16:
            self._step = min(most, self._step * 2)
        return [numbers[place] for place in places], keys, masks

    def _count(self, masks: Sequence[int], sign: int) -> None:
        for mask, count in Counter(masks).items():
            while mask:
                low = mask & -mask
                self._hits[low.bit_length() - 1] += sign * count
                mask ^= low

    def _bound(self) -> None:
        store = self.store
        low = store.first if self._from is None else store.number_from(self._from)
        high = store.end if self._until is None else store.number_at(self._until)
        if self.criteria.admits_all:
            low, high = low - store.first, high - store.first
        else:
            low, high = bisect_left(self._numbers, low), bisect_left(self._numbers, high)
        self._bounds = (low, max(low, high))
