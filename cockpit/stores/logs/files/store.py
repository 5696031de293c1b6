"""The records of log files as a store: numbered, on one time line, made into objects only when they are asked for."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from cockpit.errors import CockpitError
from cockpit.hygiene import clean
from cockpit.signals import LogRecord
from cockpit.stores.base import Store
from cockpit.stores.logs.files.chunk import EMPTY_CHUNK, Rows, rows_of
from cockpit.stores.logs.files.first import first_tail
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.numbering import Entry, Numbering
from cockpit.stores.logs.files.opened import OpenedLog
from cockpit.stores.logs.files.pieces import Piece
from cockpit.stores.logs.files.wire import (
    Added,
    Closed,
    Emptied,
    Found,
    Older,
    Read,
    Tail,
    Told,
    Trouble,
)
from cockpit.stores.logs.histogram import Histogram
from cockpit.stores.logs.store import Placing

if TYPE_CHECKING:
    from cockpit.stores.logs.criteria import Criteria
    from cockpit.stores.logs.files.view import FileView

BUDGET = 16 << 20
"""Bytes of columns remembered here: what is drawn is in one chunk or two."""
CHUNKS = 8
"""Chunks whose bytes are kept for drawing."""
RECORDS = 4_000
"""Records kept as objects."""
DRAWN = 64 << 10
"""Bytes of a record that are made into an object."""


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
        troubles: By log, why it can't be read at present; -1 for the whole.
        left: Bytes that were not read yet.
        total: Bytes that there were to read.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        """Open files and read their last records.

        Raises:
            CockpitError: One can't be read.
        """
        super().__init__()
        self.late = 0
        self.paths = tuple(paths)
        self.views: list[Callable[[Found | None], None]] = []
        """Told what a search found; None where all that was found before is void."""
        self._begin()

    def _begin(self) -> None:
        """Open the files anew, whatever was known of them."""
        self.logs = Logs(budget=BUDGET)
        try:
            for path in self.paths:
                self.logs.add(OpenedLog(path))
            self.opened, tail = first_tail(self.logs, self.paths)
        except CockpitError:
            self.logs.close()
            raise
        self.names = short_names(self.paths)
        self.histogram = Histogram()
        self.chunks = Numbering(tail)
        self.histogram.add_counts(tail.buckets)
        self.total = sum(log.size for log in self.logs.opened)
        self.left = sum(self.opened.ends)
        self.troubles: dict[int, str] = {}
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
            found += self._opened(entry)[0].placed[number - entry.first : until - entry.first].tolist()
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

    def last(self, count: int) -> list[LogRecord]:
        """Return the newest records, oldest first."""
        return self.records(self.end - max(0, count), self.end)

    def placing(self, number: int) -> Placing:
        """Tell how a record's place agrees with its own time."""
        entry = self.chunks.holding(number)
        rows, pieces, _ = self._opened(entry)
        row = number - entry.first
        piece = pieces[rows.piece[row]]
        told = int(piece.times[rows.record[row]])
        if told < 0:
            return Placing.UNDATED
        return Placing.LATE if told < int(rows.placed[row]) else Placing.TIMELY

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
        """Take over what was found."""
        for message in messages:
            match message:
                case Older():
                    self.chunks.add_older(message.chunk)
                    self.histogram.add_counts(message.chunk.buckets)
                case Tail():
                    self._grow(message)
                case Closed():
                    self._forget_from(self.chunks.tail.number, self.chunks.tail.first)
                    self.chunks.close(message.chunk, message.tail)
                case Found():
                    for view in self.views:
                        view(message)
                case Read():
                    self.left, self.total = message.left, message.total
                case Added():
                    self._join(message)
                case Emptied():
                    self._empty()
                case Trouble():
                    self._trouble(message)
        self.touched()

    def begin_again(self) -> None:
        """Forget everything and read the last records, as after a loss of who reads the rest.

        Raises:
            CockpitError: A file can't be read; nothing is changed then but that all are closed.
        """
        self.close()
        self._begin()
        self._moves.append((self.version + 1, -(1 << 62)))
        self._void()
        self.touched()

    def close(self) -> None:
        """Close the files."""
        self.logs.close()

    def _grow(self, message: Tail) -> None:
        tail = self.chunks.tail
        self.histogram.add_counts(tail.chunk.buckets, -1)
        self.histogram.add_counts(message.chunk.buckets)
        if message.moved < tail.chunk.count:
            self._moves.append((self.version + 1, tail.first + message.moved))
        self._forget_from(tail.number, tail.first + message.moved)
        tail.chunk = message.chunk

    def _forget_from(self, chunk: int, number: int) -> None:
        self._rows.pop(chunk, None)
        for known in [known for known in self._records if known >= number]:
            del self._records[known]

    def _join(self, message: Added) -> None:
        try:
            log = OpenedLog(message.path)
        except CockpitError as error:
            self.troubles[message.number] = str(error)
            return
        self.logs.add(log)
        self.names.append(self.names[0] if len(self.names) == 1 else Path(message.path).name)

    def _empty(self) -> None:
        self._rows.clear()
        self._records.clear()
        self.logs.clear()
        self.chunks = Numbering(EMPTY_CHUNK)
        self.histogram = Histogram()
        self._moves.append((self.version + 1, -(1 << 62)))
        self._void()

    def _void(self) -> None:
        for view in self.views:
            view(None)

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
        return entry.first + int(self._opened(entry)[0].placed.searchsorted(moment))

    def _opened(self, entry: Entry) -> tuple[Rows, list[Piece], list[bytes]]:
        known = self._rows.get(entry.number)
        if known is not None:
            self._rows.move_to_end(entry.number)
            return known
        datas = [self.logs.data(span) for span in entry.chunk.spans]
        pieces = [self.logs.piece(span, data) for span, data in zip(entry.chunk.spans, datas, strict=True)]
        known = self._rows[entry.number] = (rows_of(pieces), pieces, datas)
        if len(self._rows) > CHUNKS:
            self._rows.popitem(last=False)
        return known

    def _place(self, entry: Entry, row: int) -> Row:
        rows, pieces, _ = self._opened(entry)
        piece, record = pieces[rows.piece[row]], int(rows.record[row])
        start = int(piece.starts[record])
        end = int(piece.starts[record + 1]) if record + 1 < len(piece) else piece.span.size
        return Row(piece.span.log, piece.span.offset + start, end - start)

    def _read(self, entry: Entry, row: int) -> tuple[Row, LogRecord]:
        rows, pieces, datas = self._opened(entry)
        place, which = self._place(entry, row), int(rows.piece[row])
        span = pieces[which].span
        start = place.offset - span.offset
        data = datas[which][start : start + min(place.size, DRAWN)]
        text = data.decode("utf-8", "replace").rstrip("\r\n")
        found = self.logs.formats[span.log].record(text, observed=span.observed)
        placed = int(rows.placed[row])
        undated = pieces[which].times[rows.record[row]] < 0
        record = replace(found, source=self.names[span.log], at=placed if undated else found.at)
        cleaned = clean([record])[0]
        return place, cleaned[0] if cleaned and isinstance(cleaned[0], LogRecord) else record


def short_names(paths: Sequence[str]) -> list[str]:
    """Return the shortest endings of paths that tell them apart."""
    parts = [Path(path).parts for path in paths]
    names = []
    for own in parts:
        for size in range(1, len(own) + 1):
            ending = own[-size:]
            if sum(other[-size:] == ending for other in parts) == 1 or size == len(own):
                names.append(str(Path(*ending)))
                break
    return names
