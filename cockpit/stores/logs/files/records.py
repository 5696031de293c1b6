"""The records of log files: numbered, on one time line, made into objects only when they are asked for."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cockpit.errors import CockpitError, UsageError
from cockpit.formats.declaration import Declaration
from cockpit.signals import LogRecord
from cockpit.stores.base import Store
from cockpit.stores.logs.files.beginning import Beginning
from cockpit.stores.logs.files.cache import ChunkCache
from cockpit.stores.logs.files.chunk import Summary
from cockpit.stores.logs.files.counts import ChunkHistogram
from cockpit.stores.logs.files.links import link_of, read_link
from cockpit.stores.logs.files.loading import DRAWN, Loaded, Row, placing_of, record_of
from cockpit.stores.logs.files.naming import short_names
from cockpit.stores.logs.files.numbering import Entry, Numbering
from cockpit.stores.logs.files.opening import label_of
from cockpit.stores.logs.files.pieces import Span
from cockpit.stores.logs.files.rotated import RotatedLog
from cockpit.stores.logs.files.searching import query_of
from cockpit.stores.logs.files.sparse import Place, place_in
from cockpit.stores.logs.files.wire import (
    Dropped,
    Found,
    Next,
)
from cockpit.stores.logs.reading import StillReading
from cockpit.stores.logs.store import Placing

if TYPE_CHECKING:
    from cockpit.stores.logs.criteria import Criteria
    from cockpit.stores.logs.files.view import FileView
    from cockpit.stores.logs.terms import Node

RECORDS = 4_000
"""Records kept as objects."""
PATIENCE = 5.0
"""Seconds for which a record is waited for."""
READING = "…"
"""What stands for a record that is not ready."""


class FileRecords(Store):
    """Records of log files as a pane asks for them; `FileStore` opens the files and is told what is in them.

    Attributes:
        paths: As the files were named.
        places: Where each log lies, links followed.
        histogram: Counts by second and level of all that was read.
        names: A short name for each log.
        declared: Formats that the operator declared.
        zone: Of times that tell none; empty for this machine's.
        troubles: By log, why it can't be read at present; -1 for the whole, -2 for the process that reads, -3 where
            a disk does not answer.
        left: Bytes that were not read yet.
        total: Bytes that there were to read.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        super().__init__()
        self.late = 0
        self.paths = tuple(paths)
        self.declared: tuple[Declaration, ...] = ()
        self.zone = ""
        self.views: list[Callable[[Found | Dropped | None], None]] = []
        """Told what a search found and what is gone; None where all that was found before is void."""
        self.news: Callable[[bool], None] = lambda at_once: None
        """Told when something came that is to be seen soon, which the progress of reading is not; and whether that is
        at once, as what a search came to is."""
        self.answered: Callable[[int | None], None] | None = None
        """Told the number of the record that was looked for last; None where there is none."""
        self._question = 0

    def _begin(self, begun: Beginning) -> None:
        """Take over what was opened, whatever was known before."""
        self.logs, self.opened, tail = begun.logs, begun.opened, begun.tail
        self.troubles, self.places = begun.troubles, begun.places
        self.names = short_names([label_of(path) for path in self.paths])
        self.histogram = ChunkHistogram()
        self.chunks = Numbering(tail)
        self.histogram.put(0, tail.counts)
        self.total = sum(log.size for log in self.logs.opened)
        self.left = sum(self.opened.ends)
        self._moves: deque[tuple[int, int]] = deque(maxlen=1024)
        self._cache = ChunkCache(self.logs)
        if begun.loaded is not None:
            self._cache.take(self.chunks.tail, tail, begun.loaded, tail=True)
        self._records: OrderedDict[int, tuple[Row, LogRecord, Placing]] = OrderedDict()
        self._sparse: dict[int, Found] = {}
        """By chunk, where the few rows lie that were found in it last."""
        self._awaited: dict[int, list[int]] = {}
        """By chunk, the records of it that are to be drawn once it is loaded: of many, it may be gone again then."""

    @property
    def first(self) -> int:
        """The number of the oldest record known; it falls while files are read."""
        return self.chunks.first

    @property
    def end(self) -> int:
        """The number that the next record will get."""
        return self.chunks.end

    @property
    def files(self) -> tuple[str, ...]:
        """The paths that were asked for."""
        return self.paths

    @property
    def spanned(self) -> tuple[int, int] | None:
        """The times of the oldest and the newest record known."""
        if not len(self):
            return None
        oldest = self.chunks.older[-1] if self.chunks.older else self.chunks.newer[0]
        newest = next(entry for entry in reversed(self.chunks.newer) if entry.chunk.count or not entry.number)
        return oldest.chunk.first, max(newest.chunk.last, oldest.chunk.last)

    @property
    def about(self) -> Sequence[str]:
        """The formats, how much of the bytes was read, and how many rotated files can't be read any more."""
        told = [", ".join(dict.fromkeys(fmt.name for fmt in self.logs.formats))]
        if self.left:
            told.append(f"reading {100 * (self.total - self.left) // max(1, self.total)} %")
        if gone := sum(isinstance(log, RotatedLog) and log.gone for log in self.logs.opened):
            told.append(f"{gone} rotated {'file' if gone == 1 else 'files'} gone")
        return told

    @property
    def notes(self) -> Sequence[str]:
        """Which logs can't be read, and why."""
        return [f"✖ {text}" for text in self.troubles.values()]

    def __len__(self) -> int:
        return self.end - self.first

    def __getitem__(self, number: int) -> LogRecord:
        known = self._records.get(number)
        if known is not None:
            return known[1]
        entry = self.chunks.holding(number)
        if self._found(number):
            return self._records[number][1]
        row, loaded = number - entry.first, self._loaded(entry)
        if loaded is None:
            return LogRecord(at=entry.chunk.first, body=READING)
        try:
            place = loaded.place(row)
            record = loaded.record(row, self.logs.formats[place.log], self.names[place.log])
        except CockpitError as error:
            return LogRecord(at=entry.chunk.first, body=f"✖ {error}")
        self._keep(number, place, record, loaded.placing(row))
        return record

    def ready(self, numbers: Iterable[int]) -> bool:
        """Tell whether records can be drawn now; else ask for them: `version` moves when they can."""
        missing = self._unread(numbers)
        for chunk, rows in missing.items():
            self._awaited[chunk] = rows
        return not missing

    def expect(self, numbers: Iterable[int]) -> None:
        """Say which records may be drawn next: they are read after all others."""
        for chunk in self._unread(numbers, ask=False):
            self._cache.expect(self.chunks.chunk(chunk))

    def _unread(self, numbers: Iterable[int], *, ask: bool = True) -> dict[int, list[int]]:
        """Return those that can't be drawn, by chunk; of chunks that are asked for, the first is asked for last."""
        found: dict[int, list[int]] = {}
        for number in numbers:
            if number not in self._records and self.first <= number < self.end and not self._found(number):
                found.setdefault(self.chunks.holding(number).number, []).append(number)
        for chunk in reversed(list(found)):
            entry = self.chunks.chunk(chunk)
            if self._loaded(entry) is not None if ask else entry.number in self._cache:
                del found[chunk]
        return found

    def loaded(self, number: int) -> bool:
        """Tell whether all can be told of a record and those of its chunk."""
        return not self.first <= number < self.end or self._loaded(self.chunks.holding(number)) is not None

    async def wait(self, number: int) -> None:
        """Wait until all can be told of a record and those of its chunk.

        Raises:
            UsageError: The disk does not answer.
        """
        left = PATIENCE
        while not self.loaded(number):
            if left <= 0:
                raise UsageError(
                    "the line is still being read: the disk does not answer",
                    where=", ".join(self.waited_for),
                    remedy="try again once it does",
                )
            began = time.monotonic()
            await self._cache.wait(left)
            left -= time.monotonic() - began

    @property
    def waited_for(self) -> Sequence[str]:
        """The files on disks that do not answer."""
        return () if self._cache.loader is None else list(dict.fromkeys(self._cache.loader.silent.values()))

    def records(self, start: int, stop: int) -> list[LogRecord]:
        """Return the records from one number up to another, as far as they are known and were read."""
        numbers = range(max(start, self.first), min(stop, self.end))
        missing = {number for rows in self._unread(numbers).values() for number in rows}
        return [self[number] for number in numbers if number not in missing]

    def times(self, start: int, stop: int) -> list[int]:
        """Return the times, in nanoseconds, by which those records are placed; about, where they are not ready."""
        found: list[int] = []
        start, stop = max(start, self.first), min(stop, self.end)
        for entry in self._chunks(start, stop):
            low, high = max(start - entry.first, 0), min(stop - entry.first, entry.chunk.count)
            loaded = self._loaded(entry)
            found += (
                [entry.chunk.first] * (high - low)
                if loaded is None
                else loaded.rows.placed[low:high].tolist()
            )
        return found

    def number_at(self, moment: int) -> int:
        """Return the number of the first record after a moment; about, where that is not ready."""
        return self._number(moment + 1)

    def number_from(self, moment: int) -> int:
        """Return the number of the first record at or after a moment; about, where that is not ready."""
        return self._number(moment)

    def view(self) -> FileView:
        """Return a view of all records, which can be narrowed."""
        from cockpit.stores.logs.files.view import FileView

        return FileView(self)

    def search(self, serial: int, criteria: Criteria) -> None:
        """Begin a search; whoever reads for the store tells what it finds by that number."""

    def look_for(self, criteria: Criteria, node: Node, number: int, step: int) -> int:
        """Begin to look for one record among those that criteria admit; `answered` is told what came of it.

        Args:
            criteria: What the records are.
            node: What it is besides.
            number: The record to begin after.
            step: 1 to go down, -1 to go up.

        Returns:
            The question's number.
        """
        self._question += 1
        entry = self.chunks.holding(number)
        query = query_of(criteria, node=node)
        self.ask(Next(self._question, query, entry.number, number - entry.first, step))
        return self._question

    def look_no_more(self) -> None:
        """Drop the question."""
        self.answered = None
        self._question += 1
        self.ask(Next(self._question, b"", 0, 0, 0))

    def ask(self, question: Next) -> None:
        """Hand on a question to whoever reads for the store."""

    def chunk_of(self, log: int, offset: int) -> Entry | None:
        """Return the chunk that holds a place of a log; None where that is not read yet."""
        return next((entry for entry in self.chunks if _span_of(entry, log, offset) is not None), None)

    def number_of(self, log: int, offset: int) -> int | None:
        """Return the number of the record that holds a place of a log; None where that is not read or not ready."""
        entry = self.chunk_of(log, offset)
        loaded = None if entry is None else self._loaded(entry)
        if entry is None or loaded is None or (span := _span_of(entry, log, offset)) is None:
            return None
        return entry.first + loaded.row(span, offset)

    def place(self, number: int) -> tuple[int, int]:
        """Return the log and the offset at which a record lies, whatever its number becomes.

        Raises:
            StillReading: It was not read yet.
        """
        row = self.row(number)
        return row.log, row.offset

    def link(self, number: int) -> str:
        """Return a link by which a record is found again.

        Raises:
            StillReading: It was not read yet.
            UsageError: It can't be read any more.
        """
        if not self.loaded(number):
            raise StillReading(number)
        try:
            return str(link_of(self, number))
        except (CockpitError, IndexError) as error:
            raise UsageError(f"no link to this line: {error}") from None

    def bytes_of(self, number: int, limit: int) -> bytes:
        """Return a record's bytes, no more than a limit.

        Raises:
            CockpitError: It is not ready, or can't be read any more.
        """
        entry = self.chunks.holding(number)
        return self._surely(entry).data(number - entry.first, limit)

    async def follow(self, link: str, waiting: Callable[[str], None]) -> int:
        """Return the number of the record that a link speaks of, once it is read.

        Raises:
            UsageError: It is no link, its file is not open, or the record is gone.
        """
        from cockpit.stores.logs.files.following import follow

        return await follow(self, read_link(link), waiting)

    async def levels(self, entry: Entry) -> NDArray[np.uint8]:
        """Return the SeverityNumbers of a chunk's rows: shape (count,).

        Raises:
            UsageError: The disk does not answer, or the chunk is gone.
        """
        await self.wait(entry.first)
        if entry.number not in self.chunks or self.chunks.chunk(entry.number) is not entry:
            raise UsageError("the log was cut or written anew meanwhile", remedy="try again")
        loaded = self._surely(entry)
        return np.concatenate([piece.levels for piece in loaded.pieces])[loaded.rows.order]

    def last(self, count: int) -> list[LogRecord]:
        """Return the newest records, oldest first."""
        return self.records(self.end - max(0, count), self.end)

    def placing(self, number: int) -> Placing:
        """Tell how a record's place agrees with its own time."""
        if (known := self._records.get(number)) is not None:
            return known[2]
        entry = self.chunks.holding(number)
        loaded = self._loaded(entry)
        return Placing.TIMELY if loaded is None or loaded.why else loaded.placing(number - entry.first)

    def moved_since(self, version: int) -> int | None:
        """Return the lowest number from which records have moved since a version, or None where none have."""
        if not self._moves or self._moves[-1][0] <= version:
            return None
        if len(self._moves) == self._moves.maxlen and self._moves[0][0] > version:
            return self.first
        return min(number for moved, number in self._moves if moved > version)

    def locate(self, record: LogRecord) -> int | None:
        """Return the number that a record has now, or None where it is not known any more."""
        for number, (_, known, _) in reversed(self._records.items()):
            if known is record:
                return number
        return None

    def row(self, number: int) -> Row:
        """Return where a record lies.

        Raises:
            StillReading: It was not read yet.
        """
        known = self._records.get(number)
        if known is not None:
            return known[0]
        entry = self.chunks.holding(number)
        return self._surely(entry).place(number - entry.first)

    # Reading.

    def _number(self, moment: int) -> int:
        entry = self.chunks.reached(moment)
        chunk = entry.chunk
        if moment <= chunk.first or not chunk.count:
            return entry.first
        if moment > chunk.last:
            return entry.first + chunk.count
        if (known := self._cache.rows.get((entry.number, moment))) is not None:
            return entry.first + known
        loaded = self._loaded(entry)
        if loaded is None:
            share = (chunk.count - 1) * (moment - chunk.first) // max(1, chunk.last - chunk.first)
            return entry.first + int(share)
        row = int(loaded.rows.placed.searchsorted(moment))
        if entry is not self.chunks.tail and not loaded.why:
            self._cache.remember(entry.number, moment, row)
        return entry.first + row

    def _chunks(self, start: int, stop: int) -> Iterator[Entry]:
        """Go through the chunks that hold records from one number up to another."""
        number, stop = max(start, self.first), min(stop, self.end)
        while number < stop:
            entry = self.chunks.holding(number)
            yield entry
            number = entry.first + entry.chunk.count

    def _found(self, number: int) -> bool:
        """Make a record of the place that a search told, where its bytes are in memory; False where that can't be."""
        entry = self.chunks.holding(number)
        found = self._sparse.get(entry.number)
        lies = None if found is None else place_in(found, number - entry.first)
        if lies is None or entry.number in self._cache or lies.log in self._cache.opening:
            return False
        before = min(1, lies.offset)
        log, size = self.logs.opened[lies.log], min(lies.size, DRAWN)
        data = log.read_now(lies.offset - before, before + size)
        if data is None or data[:before] not in (b"", b"\n"):
            return False
        self._keep(
            number, Row(lies.log, lies.offset, lies.size), self._drawn(lies, data[before:]), placing_of(lies)
        )
        return True

    def _drawn(self, lies: Place, data: bytes) -> LogRecord:
        return record_of(data, lies, self.logs.formats[lies.log], self.names[lies.log])

    def _keep(self, number: int, row: Row, record: LogRecord, placing: Placing) -> None:
        if len(self._records) >= RECORDS:
            self._records.popitem(last=False)
        self._records[number] = (row, record, placing)

    def _take(self, number: int, chunk: Summary, loaded: Loaded) -> None:
        """Take over a chunk that was loaded elsewhere, and make the records of it that are waited for."""
        if number in self.chunks:
            entry = self.chunks.chunk(number)
            self._cache.take(entry, chunk, loaded, tail=entry is self.chunks.tail)
            awaited = self._awaited.pop(number, ())
            for row in awaited:
                if entry.first <= row < entry.first + entry.chunk.count and self._loaded(entry) is not None:
                    self[row]
        self.touched()
        self.news(True)

    def _loaded(self, entry: Entry) -> Loaded | None:
        return self._cache.get(entry, tail=entry is self.chunks.tail)

    def _surely(self, entry: Entry) -> Loaded:
        loaded = self._loaded(entry)
        if loaded is None:
            raise StillReading(entry.first)
        return loaded


def _span_of(entry: Entry, log: int, offset: int) -> Span | None:
    """Return the span of a chunk that holds a place of a log."""
    for span in entry.chunk.spans:
        if span.log == log and span.offset <= offset < span.offset + span.size:
            return span
    return None
