"""The records of log files as a store: numbered, on one time line, made into objects only when they are asked for."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from cockpit.errors import CockpitError, UsageError
from cockpit.formats.declaration import Declaration
from cockpit.hygiene import BODY_LIMIT, clean, clean_text
from cockpit.signals import LogRecord
from cockpit.stores.base import Store
from cockpit.stores.logs.files.chunk import EMPTY_CHUNK, Rows, lost_rows, rows_of, without
from cockpit.stores.logs.files.counts import NONE, ChunkHistogram
from cockpit.stores.logs.files.first import first_tail
from cockpit.stores.logs.files.links import link_of, read_link
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.naming import short_names
from cockpit.stores.logs.files.numbering import Entry, Numbering
from cockpit.stores.logs.files.opened import LogBytes, MissingLog, open_again
from cockpit.stores.logs.files.opening import LIMIT, is_pipe, label_of, open_here, spool_of
from cockpit.stores.logs.files.pieces import Piece
from cockpit.stores.logs.files.rotated import LogGone, RotatedLog, rotate, settle
from cockpit.stores.logs.files.searching import query_of
from cockpit.stores.logs.files.sparse import Place, place_in
from cockpit.stores.logs.files.wire import (
    Added,
    Closed,
    Dropped,
    Emptied,
    Found,
    Next,
    Older,
    Read,
    Sampled,
    Searched,
    Sought,
    Tail,
    Told,
    Trouble,
)
from cockpit.stores.logs.store import Placing

if TYPE_CHECKING:
    from cockpit.stores.logs.criteria import Criteria
    from cockpit.stores.logs.files.view import FileView
    from cockpit.stores.logs.terms import Node

BUDGET = 16 << 20
"""Bytes of packed columns remembered here: what is drawn is in one chunk or two."""
CHUNKS = 8
"""Chunks whose bytes are kept for drawing."""
RECORDS = 4_000
"""Records kept as objects."""
DRAWN = 64 << 10
"""Bytes of a record that are made into an object."""
GONE = "this record is gone: the log was cut or written anew"


class Row(Struct, frozen=True):
    """Where a record lies: the same whatever its number becomes."""

    log: int
    offset: int
    size: int


class FileStore(Store):
    """Log files, read from their end; `told` brings what the process apart found.

    Attributes:
        histogram: Counts by second and level of all that was read.
        names: A short name for each log.
        declared: Formats that the operator declared.
        zone: Of times that tell none; empty for this machine's.
        troubles: By log, why it can't be read at present; -1 for the whole, -2 for the process that reads.
        left: Bytes that were not read yet.
        total: Bytes that there were to read.
    """

    def __init__(
        self,
        paths: Sequence[str],
        *,
        folder: Path | None = None,
        limit: int = LIMIT,
        formats: Sequence[Declaration] = (),
        zone: str = "",
    ) -> None:
        """Open files and read their last records; what is compressed or a pipe comes later.

        Args:
            paths: Files, compressed files and pipes.
            folder: Where spools of the latter are kept; None for the system's place for such files.
            limit: Bytes that each may take on the disk, compressed.
            formats: Formats that the operator declared.
            zone: Of times that tell none; empty for this machine's.

        Raises:
            CockpitError: One can't be read.
        """
        super().__init__()
        self.late = 0
        self.paths = tuple(paths)
        self._folder = folder
        self.declared = tuple(formats)
        self.zone = zone
        self._limit = limit
        self._streams: dict[str, LogBytes] = {}
        """By path, the spools of pipes: what was read of a pipe does not come again."""
        self.views: list[Callable[[Found | Dropped | None], None]] = []
        """Told what a search found and what is gone; None where all that was found before is void."""
        self.news: Callable[[bool], None] = lambda at_once: None
        """Told when something came that is to be seen soon, which the progress of reading is not; and whether that is
        at once, as what a search came to is."""
        self.answered: Callable[[int | None], None] | None = None
        """Told the number of the record that was looked for last; None where there is none."""
        self._question = 0
        self._begin()

    def _begin(self, *, anyway: bool = False) -> None:
        """Open the files anew, whatever was known of them; those that can't be opened are missing, if anyway."""
        logs, troubles = Logs(budget=BUDGET, formats=self.declared, zone=self.zone), {}
        try:
            for number, path in enumerate(self.paths):
                try:
                    logs.add(self._log_of(path, again=anyway))
                except CockpitError as error:
                    if not anyway:
                        raise
                    troubles[number] = str(error)
                    logs.add(MissingLog(path))
            opened, tail = first_tail(logs, self.paths)
        except CockpitError:
            logs.close()
            raise
        self.logs, self.troubles = logs, troubles
        self.opened = replace(
            opened,
            identities=[log.identity for log in logs.opened],
            formats=self.declared,
            zone=self.zone,
            sampled=logs.sampled,
            spools=[spool_of(log) for log in logs.opened],
        )
        self.names = short_names([label_of(path) for path in self.paths])
        self.histogram = ChunkHistogram()
        self.chunks = Numbering(tail)
        self.histogram.put(0, tail.counts)
        self.total = sum(log.size for log in self.logs.opened)
        self.left = sum(self.opened.ends)
        self._sparse: dict[int, Found] = {}
        """By chunk, where the few rows lie that were found in it last."""
        self._lost: dict[int, str] = {}
        """By chunk, why it can't be read as it was."""
        self._moves: deque[tuple[int, int]] = deque(maxlen=1024)
        self._rows: OrderedDict[int, tuple[Rows, list[Piece], list[bytes]]] = OrderedDict()
        self._records: OrderedDict[int, tuple[Row, LogRecord]] = OrderedDict()

    # What the pane asks.

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
        row = number - entry.first
        try:
            place, record = self._read(entry, row)
        except CockpitError as error:
            return LogRecord(at=entry.chunk.first, body=f"✖ {error}")
        if len(self._records) >= RECORDS:
            self._records.popitem(last=False)
        self._records[number] = (place, record)
        return record

    def records(self, start: int, stop: int) -> list[LogRecord]:
        """Return the records from one number up to another, as far as they are known."""
        return [self[number] for number in range(max(start, self.first), min(stop, self.end))]

    def times(self, start: int, stop: int) -> list[int]:
        """Return the times, in nanoseconds, by which those records are placed."""
        found: list[int] = []
        number, stop = max(start, self.first), min(stop, self.end)
        while number < stop:
            entry = self.chunks.holding(number)
            until = min(stop, entry.first + entry.chunk.count)
            try:
                placed = self._opened(entry)[0].placed
            except CockpitError:  # each of its records says so
                found += [entry.chunk.first] * (until - number)
            else:
                found += placed[number - entry.first : until - entry.first].tolist()
            number = until
        return found

    def number_at(self, moment: int) -> int:
        """Return the number of the first record after a moment."""
        return self._number(moment + 1)

    def number_from(self, moment: int) -> int:
        """Return the number of the first record at or after a moment."""
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

    def number_of(self, log: int, offset: int) -> int | None:
        """Return the number of the record that holds a place of a log; None where that is not read yet."""
        for entry in self.chunks:
            for span in entry.chunk.spans:
                if span.log != log or not span.offset <= offset < span.offset + span.size:
                    continue
                rows, pieces, _ = self._opened(entry)
                which = next(place for place, piece in enumerate(pieces) if piece.span == span)
                record = int(pieces[which].starts.searchsorted(offset - span.offset, "right")) - 1
                found = (rows.piece == which) & (rows.record == record)
                return entry.first + int(found.argmax())
        return None

    def place(self, number: int) -> tuple[int, int]:
        """Return the log and the offset at which a record lies, whatever its number becomes."""
        row = self.row(number)
        return row.log, row.offset

    def link(self, number: int) -> str:
        """Return a link by which a record is found again.

        Raises:
            UsageError: Its log can't be read any more.
        """
        try:
            self._checked(self.chunks.holding(number))
            return str(link_of(self, number))
        except (CockpitError, IndexError) as error:
            raise UsageError(f"no link to this line: {error}") from None

    async def follow(self, link: str, waiting: Callable[[str], None]) -> int:
        """Return the number of the record that a link speaks of, once it is read.

        Raises:
            UsageError: It is no link, its file is not open, or the record is gone.
        """
        from cockpit.stores.logs.files.following import follow

        return await follow(self, read_link(link), waiting)

    def levels(self, entry: Entry) -> NDArray[np.uint8]:
        """Return the SeverityNumbers of a chunk's rows: shape (count,)."""
        rows, pieces, _ = self._opened(entry)
        return np.concatenate([piece.levels for piece in pieces])[rows.order]

    def last(self, count: int) -> list[LogRecord]:
        """Return the newest records, oldest first."""
        return self.records(self.end - max(0, count), self.end)

    def placing(self, number: int) -> Placing:
        """Tell how a record's place agrees with its own time."""
        entry = self.chunks.holding(number)
        row = number - entry.first
        if (known := self._known(entry, row)) is not None:
            told, placed = known.told, known.placed
        else:
            rows, pieces, _ = self._opened(entry)
            told, placed = int(pieces[rows.piece[row]].times[rows.record[row]]), int(rows.placed[row])
        if told < 0:
            return Placing.UNDATED
        return Placing.LATE if told < placed else Placing.TIMELY

    def moved_since(self, version: int) -> int | None:
        """Return the lowest number from which records have moved since a version, or None where none have."""
        if not self._moves or self._moves[-1][0] <= version:
            return None
        if len(self._moves) == self._moves.maxlen and self._moves[0][0] > version:
            return self.first
        return min(number for moved, number in self._moves if moved > version)

    def locate(self, record: LogRecord) -> int | None:
        """Return the number that a record has now, or None where it is not known any more."""
        for number, (_, known) in reversed(self._records.items()):
            if known is record:
                return number
        return None

    def row(self, number: int) -> Row:
        """Return where a record lies."""
        known = self._records.get(number)
        if known is not None:
            return known[0]
        entry = self.chunks.holding(number)
        return self._place(entry, number - entry.first)

    # What the process tells.

    def told(self, messages: Sequence[Told]) -> None:
        """Take over what was found; what could not be read is tried again."""
        for chunk in self._lost:
            self._rows.pop(chunk, None)
        self._lost.clear()
        settle(self.logs.opened)
        for message in messages:
            match message:
                case Older():
                    entry = self.chunks.add_older(message.chunk)
                    self.histogram.put(entry.number, message.chunk.counts)
                case Tail():
                    self._grow(message)
                case Closed():
                    closed = self.chunks.tail.number
                    self._forget_from(closed, self.chunks.tail.first)
                    self.chunks.close(message.chunk, message.tail)
                    self.histogram.put(closed, message.chunk.counts)
                    self.histogram.put(closed + 1, message.tail.counts)
                case Dropped():
                    self._drop(message)
                case Found():
                    self._keep_places(message)
                    for view in self.views:
                        view(message)
                case Sought():
                    self._answer(message)
                case Read():
                    self.left, self.total = message.left, message.total
                case Added():
                    self._join(message)
                case Sampled():
                    self._sample(message)
                case Emptied():
                    self._empty()
                case Trouble():
                    self._trouble(message)
        self.touched()
        if self._to_be_seen(messages):
            self.news(any(isinstance(message, Searched) for message in messages))

    def _to_be_seen(self, messages: Sequence[Told]) -> bool:
        return not all(isinstance(each, Older) or (isinstance(each, Read) and self.left) for each in messages)

    def begin_again(self) -> None:
        """Forget everything and read the last records, as after a loss of who reads the rest.

        Raises:
            CockpitError: A file that could be opened can't be read; nothing is changed then.
        """
        before = self.logs
        self._begin(anyway=True)
        for log in before.opened:
            if log not in self._streams.values():
                log.close()
        self._moves.append((self.version + 1, -(1 << 62)))
        self._void()
        self.touched()

    def close(self) -> None:
        """Close the files."""
        self.logs.close()

    def _grow(self, message: Tail) -> None:
        tail = self.chunks.tail
        self.histogram.put(tail.number, message.chunk.counts)
        if message.moved < tail.chunk.count:
            self._moves.append((self.version + 1, tail.first + message.moved))
        self._forget_from(tail.number, tail.first + message.moved)
        tail.chunk = message.chunk

    def _drop(self, message: Dropped) -> None:
        for entry in self.chunks.drop(message.number):
            self.histogram.put(entry.number, NONE)
            self._rows.pop(entry.number, None)
            self._sparse.pop(entry.number, None)
        for known in [known for known in self._records if known < self.first]:
            del self._records[known]
        for view in self.views:
            view(message)

    def _forget_from(self, chunk: int, number: int) -> None:
        self._rows.pop(chunk, None)
        for known in [known for known in self._records if known >= number]:
            del self._records[known]

    def _join(self, message: Added) -> None:
        try:
            self.logs.add(open_again(message.path, message.identity))
        except CockpitError as error:
            self.logs.add(MissingLog(message.path))
            self.troubles[message.number] = str(error)
        known = [log.path for log in self.logs.opened].index(message.path)
        self.names.append(self.names[known])
        rotate(self.logs.opened, message.path)

    def _sample(self, message: Sampled) -> None:
        try:
            self.logs.opened[message.number].look()
            self.logs.sample(message.number, message.size)
        except CockpitError as error:
            self.troubles[message.number] = str(error)

    def _log_of(self, path: str, *, again: bool) -> LogBytes:
        if path not in self._streams:
            log = open_here(path, self._folder, limit=self._limit, pipes=not again)
            if not is_pipe(path):
                return log
            self._streams[path] = log
        self._streams[path].look()
        return self._streams[path]

    def _empty(self) -> None:
        self._rows.clear()
        self._sparse.clear()
        self._records.clear()
        self.logs.clear()
        self.chunks = Numbering(EMPTY_CHUNK)
        self.histogram = ChunkHistogram()
        self._moves.append((self.version + 1, -(1 << 62)))
        self._void()

    def _keep_places(self, found: Found) -> None:
        if found.places:
            self._sparse[found.number] = found
        else:
            self._sparse.pop(found.number, None)

    def _void(self) -> None:
        if (answered := self.answered) is not None:
            self.answered = None
            answered(None)
        for view in self.views:
            view(None)

    def _answer(self, message: Sought) -> None:
        if message.serial != self._question or (answered := self.answered) is None:
            return
        self.answered = None
        there = message.row >= 0 and message.number in self.chunks
        answered(self.chunks.chunk(message.number).first + message.row if there else None)

    def _trouble(self, message: Trouble) -> None:
        if message.text:
            self.troubles[message.number] = message.text
        else:
            self.troubles.pop(message.number, None)

    # Reading.

    def _number(self, moment: int) -> int:
        entry = self.chunks.reached(moment)
        if not entry.chunk.count:
            return entry.first
        try:
            return entry.first + int(self._opened(entry)[0].placed.searchsorted(moment))
        except CockpitError:
            return entry.first

    def _opened(self, entry: Entry) -> tuple[Rows, list[Piece], list[bytes]]:
        known = self._rows.get(entry.number)
        if known is not None:
            self._rows.move_to_end(entry.number)
            return known
        try:
            known = self._made(entry)
        except CockpitError as error:
            self._lost[entry.number] = str(error)
            known = (*lost_rows(entry.chunk), [])
        self._rows[entry.number] = known
        if len(self._rows) > CHUNKS:
            self._rows.popitem(last=False)
        return known

    def _made(self, entry: Entry) -> tuple[Rows, list[Piece], list[bytes]]:
        """Return a chunk's rows, the pieces they lie in and their bytes.

        Raises:
            CockpitError: They can't be read, or are others now, as of a log that was cut.
        """
        spans = entry.chunk.spans
        datas, gone = [], set()
        for span in spans:
            try:
                datas.append(self.logs.data(span))
            except LogGone:
                datas.append(b"")
                gone.add(span)
        if all(len(data) == span.size or span in gone for data, span in zip(datas, spans, strict=True)):
            known = [
                self.logs.remembered(span) if span in gone else self.logs.piece(span, data)
                for span, data in zip(spans, datas, strict=True)
            ]
            pieces = without(known, entry.chunk)
            if sum(len(piece) for piece in pieces) == entry.chunk.count:
                return rows_of(pieces), pieces, datas
            for span in spans:
                self.logs.forget(span)
        raise CockpitError(GONE)

    def _checked(self, entry: Entry) -> tuple[Rows, list[Piece], list[bytes]]:
        """Return a chunk that was read.

        Raises:
            CockpitError: It can't be read as it was.
        """
        known = self._opened(entry)
        if entry.number in self._lost:
            raise CockpitError(self._lost[entry.number])
        return known

    def _known(self, entry: Entry, row: int) -> Place | None:
        """Return where a row lies, if that is known while its chunk is not open."""
        found = self._sparse.get(entry.number)
        return None if found is None or entry.number in self._rows else place_in(found, row)

    def _place(self, entry: Entry, row: int) -> Row:
        if (known := self._known(entry, row)) is not None:
            return Row(known.log, known.offset, known.size)
        rows, pieces, _ = self._opened(entry)
        piece, record = pieces[rows.piece[row]], int(rows.record[row])
        start = int(piece.starts[record])
        end = int(piece.starts[record + 1]) if record + 1 < len(piece) else piece.span.size
        return Row(piece.span.log, piece.span.offset + start, end - start)

    def _read(self, entry: Entry, row: int) -> tuple[Row, LogRecord]:
        known = self._known(entry, row)
        if known is not None:
            place = Row(known.log, known.offset, known.size)
            return place, self._record(known, self._line(known))
        rows, pieces, datas = self._checked(entry)
        place, which = self._place(entry, row), int(rows.piece[row])
        span = pieces[which].span
        start = place.offset - span.offset
        if span.size and not datas[which]:
            raise LogGone(self.logs.opened[span.log].path)
        data = datas[which][start : start + min(place.size, DRAWN)]
        told = int(pieces[which].times[rows.record[row]])
        lies = Place(place.log, place.size, place.offset, int(rows.placed[row]), told, span.observed)
        return place, self._record(lies, data)

    def _line(self, place: Place) -> bytes:
        """Return a record's bytes.

        Raises:
            CockpitError: They can't be read, or no record begins there any more.
        """
        before = min(1, place.offset)
        size = min(place.size, DRAWN)
        data = self.logs.opened[place.log].read(place.offset - before, before + size)
        if len(data) < before + size or data[:before] not in (b"", b"\n"):
            raise CockpitError(GONE)
        return data[before:]

    def _record(self, place: Place, data: bytes) -> LogRecord:
        """Make a record of its bytes."""
        text = data.decode("utf-8", "replace").rstrip("\r\n")
        found = self.logs.formats[place.log].record(text, observed=place.observed)
        source = self.names[place.log]
        record = replace(found, source=source, at=place.placed if place.told < 0 else found.at)
        cleaned = clean([record])[0]
        if cleaned and isinstance(cleaned[0], LogRecord):
            return cleaned[0]
        return LogRecord(at=place.placed, body=clean_text(text, BODY_LIMIT), source=source)
