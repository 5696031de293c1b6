"""Blocks of records by number, compressed, the oldest of them on the disk where that is allowed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from threading import Thread
from typing import TYPE_CHECKING

from msgspec import Struct

from cockpit.signals import LogRecord
from cockpit.stores.logs.histogram import counts_of

if TYPE_CHECKING:
    import zstandard

    from cockpit.stores.logs.ring.packing import Unpacked
    from cockpit.stores.logs.ring.spill import Spill

LEVEL = 1
"""Of zstd: logs take a fifth to a tenth of their size."""
OPENED = 8
"""Blocks whose records are kept as objects once they were asked for: a screen shows those of one or two."""
OVERHEAD = 400
"""Bytes that a segment takes beside what it holds."""


class Segment(Struct):
    """A block and its place.

    Attributes:
        first: The number of its first record.
        count: Its records.
        start: When its first record is placed, in nanoseconds.
        last: When its last is.
        buckets: How many there are by second and level, as `Histogram` keeps them.
        data: The block, compressed; empty where it is on the disk.
        frame: Where it is on the disk, or -1.
    """

    first: int
    count: int
    start: int
    last: int
    buckets: tuple[tuple[int, int], ...]
    data: bytes
    frame: int = -1

    @property
    def bytes(self) -> int:
        """Bytes of memory that it takes."""
        return len(self.data) + OVERHEAD + 120 * len(self.buckets)


class Segments:
    """Records that won't move any more, from the oldest on.

    Attributes:
        bytes: The memory they take.
        lost: Records that went before they were the oldest allowed, as the disk could not be written or read.
    """

    def __init__(self, spill: Spill | None = None) -> None:
        self.bytes = 0
        self.lost = 0
        self.spill = spill
        self._all: list[Segment] = []
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self._memory = 0
        """The place of the oldest that is not on the disk."""
        self._opened: OrderedDict[int, Unpacked] = OrderedDict()
        self._scanned: tuple[int, Unpacked] | None = None
        self._codec: tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor] | None = None
        self._importing: Thread | None = None

    def __len__(self) -> int:
        return self._all[-1].first + self._all[-1].count - self._all[0].first if self._all else 0

    def __bool__(self) -> bool:
        return bool(self._all)

    @property
    def oldest(self) -> Segment:
        """The oldest; there must be one."""
        return self._all[0]

    @property
    def last(self) -> int:
        """When the newest record is placed; there must be one."""
        return self._lasts[-1]

    def prepare(self) -> None:
        """Have the codec imported on a thread: it takes longer than the screen may wait."""
        if self._codec is None and self._importing is None:
            self._importing = Thread(target=_codec, name="log ring", daemon=True)
            self._importing.start()

    def add(self, first: int, records: Sequence[LogRecord], times: Sequence[int]) -> None:
        """Take records in after all others.

        Args:
            first: The number of the first.
            records: In the order of their times.
            times: By which they are placed, in nanoseconds.
        """
        if self._codec is None:
            if self._importing is not None:
                self._importing.join()
            self._codec = _codec()
        from cockpit.stores.logs.ring.packing import pack  # not for what is drawn first

        segment = Segment(
            first=first,
            count=len(records),
            start=times[0],
            last=times[-1],
            buckets=tuple(counts_of(times, records)),
            data=self._codec[0].compress(pack(records, times)),
        )
        self._all.append(segment)
        self._firsts.append(first)
        self._lasts.append(segment.last)
        self.bytes += segment.bytes

    def drop(self) -> Segment:
        """Let go of the oldest and return it."""
        gone = self._all.pop(0)
        del self._firsts[0], self._lasts[0]
        self._memory = max(0, self._memory - 1)
        self.bytes -= gone.bytes
        self._opened.pop(gone.first, None)
        if self.spill is not None and gone.frame >= 0:
            self.spill.drop(gone.frame + 1)
        return gone

    def put_away(self) -> bool:
        """Bring the oldest that is in memory to the disk; False where there is none or it can't be."""
        if self.spill is None or self._memory >= len(self._all):
            return False
        segment = self._all[self._memory]
        frame = self.spill.put(segment.data)
        if frame is None:
            return False
        self.bytes -= segment.bytes
        segment.frame, segment.data = frame, b""
        self.bytes += segment.bytes
        self._memory += 1
        return True

    def expired(self, now: int) -> bool:
        """Tell whether the oldest is on the disk no more, or has been there for too long."""
        if self.spill is None or not self._all or self._all[0].frame < 0:
            return False
        return self._all[0].frame < self.spill.first or self._all[0].last < now - self.spill.age

    def holding(self, number: int) -> Segment:
        """Return the segment of a record, which must be here."""
        return self._all[bisect_right(self._firsts, number) - 1]

    def between(self, start: int, stop: int) -> Sequence[Segment]:
        """Return the segments that have records from one number up to another."""
        if start >= stop or not self._all:
            return ()
        return self._all[max(0, bisect_right(self._firsts, start) - 1) : bisect_left(self._firsts, stop)]

    def after(self, moment: int) -> int | None:
        """Return the number of the first record after a moment, or None where that is not here."""
        place = bisect_right(self._lasts, moment)
        if place == len(self._all):
            return None
        segment = self._all[place]
        if segment.start > moment:
            return segment.first
        return segment.first + bisect_right(self.scan(segment).times, moment)

    def around(self, moment: int) -> Sequence[Segment]:
        """Return the segments that have records of that moment, or may have."""
        low = bisect_left(self._lasts, moment)
        high = low
        while high < len(self._all) and self._all[high].start <= moment:
            high += 1
        return self._all[low:high]

    def open(self, segment: Segment) -> Unpacked:
        """Return a segment to draw from: its records stay the same objects as long as they are looked at."""
        known = self._opened.get(segment.first)
        if known is None:
            known = self._opened[segment.first] = self.scan(segment)
            if len(self._opened) > OPENED:
                self._opened.popitem(last=False)
        else:
            self._opened.move_to_end(segment.first)
        return known

    def scan(self, segment: Segment) -> Unpacked:
        """Return a segment to search: what is drawn from stays open."""
        known = self._opened.get(segment.first)
        if known is not None:
            return known
        if self._scanned is None or self._scanned[0] != segment.first:
            self._scanned = (segment.first, self._unpacked(segment))
        return self._scanned[1]

    def drawn(self, record: LogRecord) -> int | None:
        """Return the number of a record that is drawn from here, or None."""
        for first, opened in self._opened.items():
            row = opened.row(record)
            if row is not None:
                return first + row
        return None

    def _unpacked(self, segment: Segment) -> Unpacked:
        from cockpit.stores.logs.ring.packing import Unpacked, pack

        data = segment.data
        if segment.frame >= 0 and self.spill is not None:
            data = self.spill.get(segment.frame)
        if data and self._codec is not None and (block := _decompressed(self._codec[1], data)):
            return Unpacked(block)
        gone = LogRecord(at=segment.start, body="✖ this record can't be read from the disk any more")
        return Unpacked(pack([gone] * segment.count, [segment.start] * segment.count))


def _codec() -> tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor]:
    import zstandard

    import cockpit.stores.logs.ring.packing  # noqa: F401  on this thread, as all that packing needs

    return zstandard.ZstdCompressor(level=LEVEL, write_checksum=True), zstandard.ZstdDecompressor()


def _decompressed(codec: zstandard.ZstdDecompressor, data: bytes) -> bytes:
    """Return a block, or nothing where the disk gave back something else than it was given."""
    import zstandard

    try:
        return codec.decompress(data)
    except zstandard.ZstdError:
        return b""
