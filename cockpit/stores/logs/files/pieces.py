"""Pieces of a log: whole records that lie one after another, found from the end of the log backwards."""

from __future__ import annotations

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
NO_TIME = np.iinfo(np.int64).min


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

    def __init__(self, number: int, log: LogBytes, fmt: LogFormat, *, end: int, observed: int) -> None:
        self.low = end
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
        while end > floor:
            begin = max(floor, end - size)
            data = self._log.read(begin, end - begin)
            if len(data) < end - begin:
                end = self.low = begin + len(data) if data else floor  # it was cut meanwhile
                continue
            last_try = begin == floor or size >= LONGEST
            found = self._indexed(begin, data, forced=last_try)
            if found is not None:
                self.low = found.span.offset
                self._observed = int(found.placed[0])
                return found
            size *= 4
        return None

    def _indexed(self, begin: int, data: bytes, *, forced: bool) -> Piece | None:
        """Return the piece from the first record that begins in the data, or None where none does."""
        cut = 0
        if begin > 0:  # whether a line begins right here is not known: the first line feed tells
            cut = data.find(LINE_FEED, 0, len(data) - 1) + 1
            if not cut and not forced:
                return None
        columns = self._fmt.columns(memoryview(data)[cut:], observed=self._observed)
        if not len(columns) and not forced:
            return None
        lead = int(columns.starts[0]) if len(columns) and begin > 0 else 0
        if lead:
            columns = Columns(columns.starts - np.uint32(lead), columns.times, columns.levels, columns.lines)
        if begin > 0 and not len(columns):
            cut = 0
        span = Span(self._number, begin + cut + lead, len(data) - cut - lead, self._observed)
        return piece_from(span, columns)
