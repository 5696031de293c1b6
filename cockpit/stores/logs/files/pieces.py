"""Pieces of a log: whole records that lie one after another, found from the end of the log backwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cockpit.formats.columns import UNDATED, Columns
from cockpit.formats.format import LogFormat
from cockpit.stores.logs.files.opened import LogBytes

PIECE = 1 << 20
"""Bytes of a piece: a millisecond or two of work."""
LONGEST = 4 << 20
"""Bytes in which a record's beginning is looked for; a longer record is cut."""
LINE_FEED = b"\n"
NOTHING = Columns(np.empty(0, np.uint32), np.empty(0, np.int64), np.empty(0, np.uint8), 0)
NO_TIME = np.iinfo(np.int64).min


Take = Callable[[int, tuple[int, int], int, int], "Piece | None"]
"""Gives a piece that was read before its turn: of a log, by its number, between a multiple of a size and where the
walk stands, that size, and by which a year is told."""


class Span(NamedTuple):
    """Whole records of one log.

    Attributes:
        log: The log's number.
        offset: Where they begin, in bytes.
        size: How many bytes they take.
        observed: By which a year that the lines leave out is told, in nanoseconds.
    """

    log: int
    offset: int
    size: int
    observed: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A span, and what is known of its records.

    Attributes:
        span: Where they lie.
        starts: uint32, shape (n,): where each begins in the span; the first at 0.
        times: int64, shape (n,): as the records tell them, `UNDATED` where they don't.
        placed: int64, shape (n,): what they are placed by, never falling: a record without a time, or with an
            earlier one than those before it, has that of the record before.
        levels: uint8, shape (n,): SeverityNumber.
    """

    span: Span
    starts: NDArray[np.uint32]
    times: NDArray[np.int64]
    placed: NDArray[np.int64]
    levels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def columns(self) -> Columns:
        """What a format tells of them, but for their lines, which nobody has counted."""
        return Columns(self.starts, self.times, self.levels, 0)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Bytes of each record, its last line feed included: shape (n,)."""
        starts = self.starts.astype(np.int64)
        return np.append(starts[1:], np.int64(self.span.size)) - starts


def piece_of(data: bytes, span: Span, fmt: LogFormat) -> Piece:
    """Index a span; lines before the first record that begins in it are its first record."""
    columns = fmt.columns(memoryview(data), observed=span.observed)
    return piece_from(span, columns)


def piece_from(span: Span, columns: Columns) -> Piece:
    """Join a span with its columns."""
    starts, times, levels, _ = columns
    if span.size and (not len(starts) or starts[0]):
        starts = np.concatenate((np.zeros(1, np.uint32), starts))
        times = np.concatenate((np.full(1, UNDATED, np.int64), times))
        levels = np.concatenate((np.zeros(1, np.uint8), levels))
    return Piece(span, starts, times, placed_times(times, span.observed), levels)


def placed_times(times: NDArray[np.int64], observed: int) -> NDArray[np.int64]:
    """Return times that never fall: shape (n,).

    What stands before the first time that is told has that one, and where none is told, all have `observed`.
    """
    told = times != UNDATED
    if told.all():
        return np.maximum.accumulate(times)
    if not told.any():
        return np.full(len(times), observed, np.int64)
    placed = np.where(told, times, NO_TIME)
    placed[: int(told.argmax())] = times[told.argmax()]
    return np.maximum.accumulate(placed)


class Backwards:
    """Walks a log from some place to its beginning.

    Attributes:
        low: Where the walk stands: what lies before it is not indexed yet.
    """

    def __init__(
        self,
        number: int,
        log: LogBytes,
        fmt: LogFormat,
        *,
        end: int,
        observed: int,
        take: Take | None = None,
    ) -> None:
        """Begin at a place.

        Args:
            number: The log's number.
            log: Its bytes.
            fmt: Its format.
            end: Where to begin: where a record ends.
            observed: By which a missing year is told, in nanoseconds.
            take: Gives what was read before its turn.
        """
        self.low = end
        self._take = take
        self._border = end
        """With `take`: a multiple of a piece's size, after which the first line begins where the walk stands."""
        self._number = number
        self._log = log
        self._fmt = fmt
        self._observed = observed

    def step(self, size: int = PIECE) -> Piece | None:
        """Index the records before, about so many bytes of them; None at the beginning.

        Raises:
            CockpitError: The log can't be read.
        """
        end, floor = self.low, self._log.begin
        border = end if self._take is None else self._border
        if self._take is not None and end > floor:
            begin = _border_below(border, size)
            piece = self._take(self._number, (begin, end), size, self._observed)
            if piece is not None:
                return self._stood(piece, begin)
        while end > floor:
            begin = max(floor, border - size if self._take is None else _border_below(border, size))
            data = self._log.read(begin, end - begin)
            if len(data) < end - begin:
                end = border = self.low = begin + len(data) if data else floor  # it was cut meanwhile
                continue
            last_try = begin == floor or size >= LONGEST
            found = self._indexed(begin, data, forced=last_try)
            if found is not None:
                return self._stood(found, begin)
            size *= 4
        return None

    def _stood(self, piece: Piece, border: int) -> Piece:
        self.low, self._border = piece.span.offset, border
        self._observed = int(piece.placed[0])
        return piece

    def _indexed(self, begin: int, data: bytes, *, forced: bool) -> Piece | None:
        """Return the piece from the first record that begins in the data, or None where none does."""
        found = whole_records(data, len(data), self._fmt, self._observed, begin)
        if found is None:
            if not forced:
                return None
            found = 0, NOTHING if LINE_FEED in data[:-1] else self._columns(data)
        cut, columns = found
        return piece_from(Span(self._number, begin + cut, len(data) - cut, self._observed), columns)

    def _columns(self, data: bytes) -> Columns:
        return self._fmt.columns(memoryview(data), observed=self._observed)


def _border_below(place: int, size: int) -> int:
    """Return the greatest multiple of a size below a place."""
    return (place - 1) // size * size


def whole_records(
    data: bytes, end: int, fmt: LogFormat, observed: int, begin: int
) -> tuple[int, Columns] | None:
    """Index the records that begin in some bytes; None where none does.

    Args:
        data: Bytes of a log.
        end: Where in them a record ends.
        fmt: What the log is written in.
        observed: By which a missing year is told, in nanoseconds.
        begin: Where they lie in the log: whether a line begins right there is known of its beginning alone.

    Returns:
        Where the first of them begins, and what is known of them from there on.
    """
    cut = data.find(LINE_FEED, 0, end - 1) + 1 if begin else 0
    if begin and not cut:
        return None
    columns = fmt.columns(memoryview(data)[cut:end], observed=observed)
    if not len(columns):
        return None
    lead = int(columns.starts[0]) if begin else 0
    if lead:
        columns = Columns(columns.starts - np.uint32(lead), columns.times, columns.levels, columns.lines)
    return cut + lead, columns
