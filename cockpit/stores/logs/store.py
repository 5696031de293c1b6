"""A ring of log records in the order of their times, addressed by absolute number.

The newest are kept as the sources gave them, since one that comes late may still be sorted in among them. The others
have their place: they are packed into blocks of bytes with columns, compressed, and made into objects again when they
are asked for. Past the memory they may go on to the disk, where the configuration gives them some.

Records come in batches from many sources, a little out of order. Each is put where its time belongs as long as
that is among the newest `REORDER` records; one that comes later than that goes to the end, where it is seen, and
is marked late. A time in the future counts as the moment of arrival, so that a wrong clock pins nothing. What a
record was placed by is kept beside it, never decreasing: questions about a moment are a bisection.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import quote

from cockpit.errors import UsageError
from cockpit.signals import EMPTY, SECOND, Attributes, LogRecord
from cockpit.stores.base import Clock, Store, wall_clock
from cockpit.stores.logs.histogram import Histogram
from cockpit.stores.logs.ring.segments import Segments

if TYPE_CHECKING:
    from cockpit.formats.declaration import Declaration
    from cockpit.stores.logs.ring.sieve import Sieve
    from cockpit.stores.logs.ring.spill import Spill
    from cockpit.stores.logs.view import LogView

CAPACITY = 1_000_000
MEMORY = 64 * 1024 * 1024
"""Bytes that the records may take: packed ones what they take, the newest as `weight` reckons them."""
REORDER = 16_384
"""How many of the newest records a late one may still be sorted into."""
FEW = 32
"""Up to so many records are inserted one by one; more are merged at once."""
EARLIEST = 315_532_800 * SECOND
"""1980: a time before it is no time of a log record."""
SKEW = 2 * SECOND
"""How far ahead a record's time may be before it is worth a mark."""
PARCEL = 64
GULP = 1024
"""Records packed or evicted at once, because each time moves the whole list."""
NEWEST = 4
"""The newest take no more than such a part of the memory: heavy records are packed sooner."""
HEAVY = 1024 * 1024
"""Memory is reckoned by parcels of so many records, joined up to eight of them or so many bytes."""
TRACED = 146
"""Bytes of the identifiers that a record names."""
BASE = 152
"""Bytes of a record alone: the struct, its time and its two places in the ring."""


_LINK = re.compile(r"log:[^#\s]*#at=(?P<at>\d{1,19})&sha256=(?P<sha256>[0-9a-f]{64})")


class Placing(Enum):
    """How a record's place agrees with its time."""

    TIMELY = "timely"
    LATE = "late"
    """It came too late to be sorted in, and stands where it came."""
    AHEAD = "ahead"
    """Its time was in the future when it came."""
    UNDATED = "undated"
    """It has no time that could be meant."""


class LogStore(Store):
    """The last records, bounded by count and by memory; a reader's place holds while the oldest go.

    Attributes:
        first: The absolute number of the oldest record kept, which is also the count of those evicted.
        late: How many came too late to be sorted in.
        packed: The records that have their place for good.
        histogram: Counts by second and level of all that is kept.
    """

    names: Sequence[str] = ()
    files: Sequence[str] = ()
    declared: Sequence[Declaration] = ()
    zone = ""

    def __init__(
        self,
        *,
        capacity: int = CAPACITY,
        memory: int = MEMORY,
        reorder: int = REORDER,
        clock: Clock = wall_clock,
        spill: Spill | None = None,
    ) -> None:
        """Begin without any.

        Args:
            capacity: Records kept at most.
            memory: Bytes that they may take.
            reorder: How many of the newest a late one may still be sorted into.
            clock: The present, in nanoseconds.
            spill: Where older ones go before they are let go.
        """
        super().__init__()
        self.capacity = capacity
        self.memory = memory
        self.reorder = reorder
        self.first = 0
        self.late = 0
        self.packed = Segments(spill)
        self.histogram = Histogram()
        self._clock = clock
        self._block = min(GULP, max(1, capacity // 32))
        self._head = 0
        """The number of the first record that is not packed."""
        self._weight = 0
        self._ring: list[LogRecord] = []
        self._times: list[int] = []
        self._moves: deque[tuple[int, int]] = deque(maxlen=1024)
        """(version, number): from that number on, records got other numbers."""
        self._weights: deque[list[int]] = deque()
        """[records, bytes] of the parcels kept, oldest first."""

    @property
    def spanned(self) -> tuple[int, int] | None:
        """None: they come as things happen."""
        return None

    @property
    def about(self) -> Sequence[str]:
        """Nothing."""
        return ()

    @property
    def notes(self) -> Sequence[str]:
        """What keeps older records from going to the disk."""
        trouble = self.packed.spill.trouble if self.packed.spill is not None else ""
        return [f"older records can't all be kept on the disk: {trouble}"] if trouble else ()

    def __len__(self) -> int:
        return self.end - self.first

    def __getitem__(self, number: int) -> LogRecord:
        place = number - self._head
        if place >= 0:
            return self._ring[place]
        if number < self.first:
            raise IndexError(f"record {number} is evicted")
        segment = self.packed.holding(number)
        return self.packed.open(segment).record(number - segment.first)

    @property
    def bytes(self) -> int:
        """About what the records take in memory."""
        return self.packed.bytes + self._weight

    @property
    def end(self) -> int:
        """The absolute number that the next record will get."""
        return self._head + len(self._ring)

    def append(self, batch: Sequence[LogRecord]) -> None:
        """Take records in, each where its time belongs; pack what has its place, evict what is past the bounds."""
        if not batch:
            return
        self.touched()
        records: Sequence[LogRecord] = batch
        times = self._placed_times([record.at for record in batch])
        if times != sorted(times):
            records, times = _by_time(records, times)
        records, times = self._within_reach(records, times)
        self.histogram.count(times, records)
        if self._times and times[0] < self._times[-1]:
            self._sort_in(records, times)
        else:
            self._ring.extend(records)
            self._times.extend(times)
        self._weigh(batch)
        self._pack()
        self._evict()

    def view(self) -> LogView:
        """Return a view of all of them, which can be narrowed."""
        from cockpit.stores.logs.view import LogView

        return LogView(self)

    def last(self, count: int) -> list[LogRecord]:
        """Return the newest `count` records, oldest first."""
        return self.records(self.end - max(0, count), self.end)

    def records(self, start: int, stop: int) -> list[LogRecord]:
        """Return the records from one absolute number up to another, as far as they are kept."""
        head = self._head
        found: list[LogRecord] = []
        for segment in self.packed.between(max(start, self.first), min(stop, head)):
            opened = self.packed.open(segment)
            low, high = max(0, start - segment.first), min(segment.count, stop - segment.first)
            found += [opened.record(row) for row in range(low, high)]
        return found + self._ring[max(0, start - head) : max(0, stop - head)]

    def times(self, start: int, stop: int) -> list[int]:
        """Return the times, in nanoseconds, by which those records were placed."""
        head = self._head
        found: list[int] = []
        for segment in self.packed.between(max(start, self.first), min(stop, head)):
            found += self.packed.scan(segment).times[max(0, start - segment.first) : stop - segment.first]
        return found + self._times[max(0, start - head) : max(0, stop - head)]

    def sift(
        self, start: int, stop: int, sieve: Sieve | None
    ) -> tuple[list[int], list[LogRecord], list[int]]:
        """Return the records from one absolute number up to another that may pass a sieve.

        Returns:
            Their numbers, the records, and the times by which they are placed.
        """
        head = self._head
        numbers: list[int] = []
        records: list[LogRecord] = []
        times: list[int] = []
        for segment in self.packed.between(max(start, self.first), min(stop, head)):
            block = self.packed.scan(segment)
            rows = range(segment.count) if sieve is None else sieve.rows(segment.first, block)
            low, high = bisect_left(rows, start - segment.first), bisect_left(rows, stop - segment.first)
            numbers += [segment.first + row for row in rows[low:high]]
            records += [block.made(row) for row in rows[low:high]]
            times += [block.times[row] for row in rows[low:high]]
        low, high = max(0, start - head), max(0, stop - head)
        numbers += range(head + low, head + min(high, len(self._ring)))
        return numbers, records + self._ring[low:high], times + self._times[low:high]

    def number_at(self, moment: int) -> int:
        """Return the number of the first record after a moment: those below it are what was known then."""
        found = self.packed.after(moment)
        return self._head + bisect_right(self._times, moment) if found is None else found

    def number_from(self, moment: int) -> int:
        """Return the number of the first record at or after a moment."""
        return self.number_at(moment - 1)

    def placing(self, number: int) -> Placing:
        """Tell how a record's place agrees with its own time."""
        at, placed = self[number].at, self.times(number, number + 1)[0]
        if at < EARLIEST:
            return Placing.UNDATED
        if at < placed:
            return Placing.LATE
        return Placing.AHEAD if at > placed + SKEW else Placing.TIMELY

    def moved_since(self, version: int) -> int | None:
        """Return the lowest number from which records have moved since a version, or None where none have."""
        if not self._moves or self._moves[-1][0] <= version:
            return None
        if len(self._moves) == self._moves.maxlen and self._moves[0][0] > version:
            return self.first
        return min(number for moved, number in self._moves if moved > version)

    def locate(self, record: LogRecord) -> int | None:
        """Return the number that a record has now, or None where it is gone."""
        start = bisect_left(self._times, record.at)
        for place in range(start, bisect_right(self._times, record.at, start)):
            if self._ring[place] is record:
                return self._head + place
        for place, known in enumerate(self._ring):
            if known is record:  # placed by another time than its own
                return self._head + place
        return self._locate_packed(record)

    def _locate_packed(self, record: LogRecord) -> int | None:
        """Find a record that is drawn from a block, or was drawn when it was not packed yet."""
        if (found := self.packed.drawn(record)) is not None:
            return found
        for segment in self.packed.around(record.at):
            opened = self.packed.scan(segment)
            for row in range(bisect_left(opened.times, record.at), bisect_right(opened.times, record.at)):
                if opened.made(row) == record:
                    return segment.first + row
        return None

    def ready(self, numbers: Iterable[int]) -> bool:
        """Return True: all are here."""
        return True

    def expect(self, numbers: Iterable[int]) -> None:
        """Do nothing, as above."""

    def loaded(self, number: int) -> bool:
        """Return True, as above."""
        return True

    async def wait(self, number: int) -> None:
        """Return at once, as above."""

    def place(self, number: int) -> tuple[int, int] | None:
        """Return None: a record lies nowhere else."""
        return None

    def number_of(self, log: int, offset: int) -> int | None:
        """Return None, as above."""
        return None

    def link(self, number: int) -> str:
        """Return a link by which a record is found again as long as it is kept."""
        record, placed = self[number], self.times(number, number + 1)[0]
        return f"log:{quote(record.source)}#at={placed}&sha256={_digest(record)}"

    async def follow(self, link: str, waiting: Callable[[str], None]) -> int:
        """Return the number of the record that a link speaks of.

        Raises:
            UsageError: It is no link, or the record is gone.
        """
        found = _LINK.fullmatch(link.strip())
        if found is None:
            raise UsageError(
                f"{link[:200]!r} is no link to a record here",
                remedy="cockpit logs LINK opens a link to a line of a file",
            )
        at = int(found["at"])
        for number in range(self.number_from(at), self.number_at(at)):
            if _digest(self[number]) == found["sha256"]:
                return number
        raise UsageError("that record is not kept any more", remedy="o asks the sources for older ones")

    def _placed_times(self, times: list[int]) -> list[int]:
        """Return the times to place records by: none in the future, none before there were logs."""
        if min(times) >= EARLIEST and max(times) <= (now := self._clock()):
            return times
        now = self._clock()
        return [at if EARLIEST <= at <= now else now for at in times]

    def _within_reach(
        self, records: Sequence[LogRecord], times: list[int]
    ) -> tuple[Sequence[LogRecord], list[int]]:
        """Send what comes too late to be sorted in to the end."""
        floor = len(self._times) - self.reorder
        if floor <= 0 and not self.packed:
            return records, times
        oldest = self._times[max(0, floor)]
        if times[0] >= oldest:
            return records, times
        newest = self._times[-1]
        self.late += sum(at < oldest for at in times)
        return _by_time(records, [at if at >= oldest else newest for at in times])

    def _sort_in(self, records: Sequence[LogRecord], times: list[int]) -> None:
        start = bisect_right(self._times, times[0], max(0, len(self._times) - self.reorder))
        self._moves.append((self.version, self._head + start))
        if len(records) <= FEW:
            for record, at in zip(records, times, strict=True):
                start = bisect_right(self._times, at, start)
                self._times.insert(start, at)
                self._ring.insert(start, record)
            return
        self._ring[start:], self._times[start:] = _by_time(
            [*self._ring[start:], *records], [*self._times[start:], *times]
        )

    def _weigh(self, batch: Sequence[LogRecord]) -> None:
        for start in range(0, len(batch), PARCEL):
            part = batch[start : start + PARCEL]
            total = weight(part)
            self._weight += total
            if self._weights and self._weights[-1][0] < PARCEL * 8 and self._weights[-1][1] < HEAVY:
                self._weights[-1][0] += len(part)
                self._weights[-1][1] += total
            else:
                self._weights.append([len(part), total])

    def _pack(self) -> None:
        """Pack the oldest of the newest: what is no longer sorted into, and more where records are heavy."""
        if len(self._ring) > self.reorder // 2:
            self.packed.prepare()
        while True:
            count = min(self._block, len(self._ring) - self.reorder)
            if count < self._block:
                if self._weight <= self.memory // NEWEST or len(self._weights) < 2:
                    return
                parcel, size = self._weights[0]
                count = min(self._block, parcel, max(1, HEAVY * parcel // size), len(self._ring) - 1)
            self.packed.add(self._head, self._ring[:count], self._times[:count])
            self._leave(count)

    def _evict(self) -> None:
        """Let the oldest go, to the disk first where there is some."""
        packed = self.packed
        while self.bytes > self.memory and packed.put_away():
            pass
        now = self._clock()
        while packed:
            full = len(self) - self.capacity >= packed.oldest.count or self.bytes > self.memory
            if not (full or packed.expired(now)):
                break
            gone = packed.drop()
            self.histogram.add_counts(gone.buckets, -1)
            self.first += gone.count
        if not packed:
            self._evict_newest()

    def _evict_newest(self) -> None:
        surplus = len(self._ring) - self.capacity
        if surplus < self._block:
            surplus = 0
        gone = weight = 0
        for count, size in self._weights:
            over = self._weight - weight > self.memory and gone + count < len(self._ring)
            if not (gone + count <= surplus or over):
                break
            gone, weight = gone + count, weight + size
        gone = max(gone, surplus)
        if gone:
            self.histogram.count(self._times[:gone], self._ring[:gone], -1)
            self._leave(gone)
            self.first = self._head

    def _leave(self, count: int) -> None:
        """Take the oldest out of the newest."""
        del self._ring[:count]
        del self._times[:count]
        self._head += count
        while count:
            oldest = self._weights[0]
            part = min(count, oldest[0])
            size = oldest[1] * part // oldest[0]
            oldest[0] -= part
            oldest[1] -= size
            self._weight -= size
            count -= part
            if not oldest[0]:
                self._weight -= oldest[1]
                self._weights.popleft()


def weight(records: Sequence[LogRecord]) -> int:
    """Return about how many bytes records take; their resources and sources are shared and don't count."""
    total = BASE * len(records) + sum([record.body.__sizeof__() for record in records])
    total += TRACED * (len(records) - [record.trace_id for record in records].count(""))
    known: Attributes = EMPTY
    size = 0
    for attributes in [record.attributes for record in records]:
        if attributes is not known:
            known, size = attributes, _weight_of(attributes)
        total += size
    return total


def _weight_of(attributes: Attributes) -> int:
    return 0 if attributes is EMPTY else 184 + sum(value.__sizeof__() for value in attributes.values())


def _by_time(records: Sequence[LogRecord], times: list[int]) -> tuple[list[LogRecord], list[int]]:
    """Sort both by time; what is equal keeps its order."""
    order = sorted(range(len(times)), key=times.__getitem__)
    return [records[n] for n in order], [times[n] for n in order]


def _digest(record: LogRecord) -> str:
    import hashlib  # not for what is drawn first

    return hashlib.sha256(f"{record.source}\0{record.body}".encode("utf-8", "replace")).hexdigest()
