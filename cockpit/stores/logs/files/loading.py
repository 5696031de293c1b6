"""Chunks as they are loaded for drawing: their rows, the pieces those lie in, and the bytes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from cockpit.errors import CockpitError
from cockpit.formats.columns import Columns
from cockpit.formats.format import LogFormat
from cockpit.hygiene import BODY_LIMIT, clean, clean_text
from cockpit.signals import LogRecord
from cockpit.stores.logs.files.chunk import Rows, Summary, lost_rows, rows_of, without
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.opened import LogBytes
from cockpit.stores.logs.files.pieces import PIECE, Piece, Span, piece_from, piece_of
from cockpit.stores.logs.files.rotated import LogGone
from cockpit.stores.logs.files.sparse import Place
from cockpit.stores.logs.store import Placing

DRAWN = 64 << 10
"""Bytes of a record that are made into an object."""
EACH = 96 << 10
"""Bytes that are indexed in the time that a piece takes, however small it is."""
AT_ONCE = 512 << 10
"""Bytes that are indexed at once where they are in memory: some 4 ms."""
GROWN = PIECE + EACH
"""The same for what the newest chunk has grown by: some 8 ms, and what the process that reads tells at once."""


class Row(Struct, frozen=True):
    """Where a record lies: the same whatever its number becomes."""

    log: int
    offset: int
    size: int


class Loaded(NamedTuple):
    """A chunk that can be drawn.

    Attributes:
        rows: Its records by time.
        pieces: Where they lie.
        datas: The pieces' bytes.
        why: Why it can't be read as it was, then without bytes; empty where all is well.
    """

    rows: Rows
    pieces: list[Piece]
    datas: list[bytes]
    why: str = ""

    def place(self, row: int) -> Row:
        """Return where a row's record lies."""
        piece, record = self.pieces[self.rows.piece[row]], int(self.rows.record[row])
        start = int(piece.starts[record])
        end = int(piece.starts[record + 1]) if record + 1 < len(piece) else piece.span.size
        return Row(piece.span.log, piece.span.offset + start, end - start)

    def data(self, row: int, limit: int) -> bytes:
        """Return the bytes of a row's record, its last line feed included, no more than a limit.

        Raises:
            CockpitError: They can't be read any more.
        """
        if self.why:
            raise CockpitError(self.why)
        which, place = int(self.rows.piece[row]), self.place(row)
        start = place.offset - self.pieces[which].span.offset
        if self.pieces[which].span.size and not self.datas[which]:
            raise CockpitError("this record is gone: its file was rotated, and then removed or packed")
        return self.datas[which][start : start + min(place.size, limit)]

    def row(self, span: Span, offset: int) -> int:
        """Return the row of the record that holds a place within one of the spans."""
        which = next(place for place, piece in enumerate(self.pieces) if piece.span == span)
        record = int(self.pieces[which].starts.searchsorted(offset - span.offset, "right")) - 1
        return int(((self.rows.piece == which) & (self.rows.record == record)).argmax())

    def placing(self, row: int) -> Placing:
        """Tell how a row's place agrees with its record's own time."""
        return placing_of(self.lies(row))

    def lies(self, row: int) -> Place:
        """Return where a row's record lies, and by which times."""
        piece, at = self.pieces[self.rows.piece[row]], self.place(row)
        told = int(piece.times[self.rows.record[row]])
        return Place(at.log, at.size, at.offset, int(self.rows.placed[row]), told, piece.span.observed)

    def record(self, row: int, fmt: LogFormat, name: str) -> LogRecord:
        """Make a row's record.

        Raises:
            CockpitError: It can't be read any more.
        """
        return record_of(self.data(row, DRAWN), self.lies(row), fmt, name)


def placing_of(lies: Place) -> Placing:
    """Tell how a record's place agrees with its own time."""
    if lies.told < 0:
        return Placing.UNDATED
    return Placing.LATE if lies.told < lies.placed else Placing.TIMELY


def record_of(data: bytes, lies: Place, fmt: LogFormat, name: str) -> LogRecord:
    """Make a record of its bytes."""
    text = data.decode("utf-8", "replace").rstrip("\r\n")
    found = fmt.record(text, observed=lies.observed)
    record = replace(found, source=name, at=lies.placed if lies.told < 0 else found.at)
    cleaned = clean([record])[0]
    if cleaned and isinstance(cleaned[0], LogRecord):
        return cleaned[0]
    return LogRecord(at=lies.placed, body=clean_text(text, BODY_LIMIT), source=name)


def load(logs: Logs, chunk: Summary) -> Loaded:
    """Load a chunk, however long that takes.

    Raises:
        CockpitError: Its bytes can't be read, or are others now, as of a log that was cut.
    """
    spans = chunk.spans
    datas, gone = [], set()
    for span in spans:
        try:
            datas.append(logs.data(span))
        except LogGone:
            datas.append(b"")
            gone.add(span)
    if all(len(data) == span.size or span in gone for data, span in zip(datas, spans, strict=True)):
        known = [
            logs.remembered(span) if span in gone else logs.piece(span, data)
            for span, data in zip(spans, datas, strict=True)
        ]
        pieces = without(known, chunk)
        if sum(len(piece) for piece in pieces) == chunk.count:
            return Loaded(rows_of(pieces), pieces, datas)
        for span in spans:
            logs.forget(span)
    raise CockpitError("this record is gone: the log was cut or written anew")


def lost(chunk: Summary, why: str) -> Loaded:
    """Stand in for a chunk that can't be read."""
    return Loaded(*lost_rows(chunk), [], why)


def load_now(
    logs: Logs, chunk: Summary, known: Loaded | None = None, *, most: int = AT_ONCE
) -> Loaded | None:
    """Load a chunk that is small or hardly more than what is known already, from bytes that are in memory.

    Args:
        logs: Where it lies.
        chunk: What to load.
        known: The newest records as they were loaded last, a piece a log.
        most: Bytes that may be indexed.

    Returns:
        None where it takes more than some milliseconds, or a disk would have to be waited for.
    """
    before = {} if known is None else {piece.span.log: (piece, data) for piece, data in _parts(known)}
    if sum(_cost(span, before.get(span.log)) for span in chunk.spans) > most or not chunk.spans:
        return None
    parts = []
    for span in chunk.spans:
        part = _part(logs.opened[span.log], logs.formats[span.log], span, before.get(span.log))
        if part is None:
            return None
        parts.append(part)
    pieces = [piece for piece, _ in parts]
    if sum(len(piece) for piece in pieces) != chunk.count:
        return None
    return Loaded(rows_of(pieces), pieces, [data for _, data in parts])


Part = tuple[Piece, bytes]


def _parts(loaded: Loaded) -> list[Part]:
    return list(zip(loaded.pieces, loaded.datas, strict=True)) if not loaded.why else []


def _cost(span: Span, known: Part | None) -> int:
    """Return how many bytes have to be indexed for a span, or take as long."""
    if known is None or not _begins_in(span, known[0].span):
        return EACH + span.size
    return EACH + more if (more := _end(span) - _end(known[0].span)) > 0 else 0


def _part(log: LogBytes, fmt: LogFormat, span: Span, known: Part | None) -> Part | None:
    """Return a span's piece and bytes, as much of them as can be from what is known of them."""
    if known is not None and _begins_in(span, known[0].span):
        return _cut(span, known) if _end(span) <= _end(known[0].span) else _grown(log, fmt, span, known)
    data = log.read_now(span.offset, span.size)
    return None if data is None else (piece_of(data, span, fmt), data)


def _cut(span: Span, known: Part) -> Part | None:
    piece, data = known
    begin = span.offset - piece.span.offset
    first, last = piece.starts.searchsorted((begin, begin + span.size)).tolist()
    if first == last or piece.starts[first] != begin:
        return None
    return piece_from(span, _columns(piece, first, last)), data[begin : begin + span.size]


def _grown(log: LogBytes, fmt: LogFormat, span: Span, known: Part) -> Part | None:
    """Index what came after what is known, from its last record on: that may have got more lines."""
    piece, data = known
    begin, last = span.offset - piece.span.offset, len(piece) - 1
    first = int(piece.starts.searchsorted(begin))
    more = log.read_now(_end(piece.span), _end(span) - _end(piece.span))
    if more is None or first > last or piece.starts[first] != begin:
        return None
    data = data[begin:] + more
    again = int(piece.starts[last]) - begin
    newer = fmt.columns(memoryview(data)[again:], observed=span.observed)
    if not len(newer) or newer.starts[0]:
        return None
    older = _columns(piece, first, last)
    columns = Columns(
        np.concatenate((older.starts, newer.starts + np.uint32(again))),
        np.concatenate((older.times, newer.times)),
        np.concatenate((older.levels, newer.levels)),
        0,
    )
    return piece_from(span, columns), data


def _columns(piece: Piece, first: int, last: int) -> Columns:
    starts = piece.starts[first:last]
    starts = starts - starts[0] if first < last else starts
    return Columns(starts, piece.times[first:last], piece.levels[first:last], 0)


def _begins_in(span: Span, known: Span) -> bool:
    return known.offset <= span.offset < _end(known)


def _end(span: Span) -> int:
    return span.offset + span.size
