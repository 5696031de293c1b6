"""The newest records of the logs: what still grows, is sorted in, and is then left behind for good."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from cockpit.signals import SECOND
from cockpit.stores.logs.files.chunk import Rows, rows_of
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.merging import split
from cockpit.stores.logs.files.pieces import LINE_FEED, LONGEST, PIECE, Piece, Span

REORDER = SECOND
"""How long a record of one log is waited for by those of others, in nanoseconds of their own times."""
FULL = 4 * PIECE
"""Bytes at which waiting ends."""


class Newest:
    """The tail: its pieces, a log each, and the rows they make.

    Attributes:
        pieces: By log, those that have records here.
        rows: The pieces' records by time.
    """

    def __init__(self, logs: Logs, spans: Iterable[Span], ends: dict[int, int]) -> None:
        """Begin with what is known.

        Args:
            logs: The logs.
            spans: The tail's spans.
            ends: Where each log's tail begins.
        """
        self._logs = logs
        self._lows = dict(ends)
        self._highs = dict(ends)
        self._observed: dict[int, int] = {}
        self.pieces: list[Piece] = []
        for span in spans:
            self._observed[span.log] = span.observed
            self._lows[span.log], self._highs[span.log] = span.offset, span.offset + span.size
            self.pieces.append(logs.piece(span))
        self.rows: Rows | None = rows_of(self.pieces) if self.pieces else None

    def __len__(self) -> int:
        return 0 if self.rows is None else len(self.rows.placed)

    @property
    def size(self) -> int:
        """Bytes it takes in its logs."""
        return sum(piece.span.size for piece in self.pieces)

    def join(self, number: int) -> None:
        """Take a log in that has only just been found."""
        self._lows[number] = self._highs[number] = 0

    def outrun(self, number: int) -> bool:
        """Tell whether a log has let go of bytes that are here, or that were not read yet."""
        return self._logs.opened[number].begin > self._lows[number]

    def behind(self, number: int, least: int = 1) -> bool:
        """Tell whether a log has so many bytes that are not here yet."""
        return self._logs.opened[number].size - self._highs[number] >= least

    def grow(self, numbers: Iterable[int], observed: int) -> int:
        """Read on, a piece a log at most.

        Args:
            numbers: The logs that have more.
            observed: When they were written last, in nanoseconds.

        Returns:
            The first row that is not what it was; the count before where rows were only added.

        Raises:
            CockpitError: A log can't be read.
        """
        before, pieces = self.rows, {piece.span.log: piece for piece in self.pieces}
        changed = set()
        for number in numbers:
            low, high = self._lows[number], self._highs[number]
            end = self._end(number, high)
            if end <= high:
                continue
            if (known := pieces.get(number)) is not None:
                self._logs.forget(known.span)
            span = Span(number, low, end - low, observed)
            pieces[number] = self._logs.piece(span)
            self._highs[number] = end
            changed.add(number)
        self.pieces = [pieces[number] for number in sorted(pieces)]
        self.rows = rows_of(self.pieces) if self.pieces else None
        return _moved(before, self.rows, self.pieces, changed)

    def close(self) -> list[Piece]:
        """Where it has grown enough, leave behind what no later record comes before; return that."""
        if self.size < PIECE or self.rows is None:
            return []
        cut = None if len(self._lows) == 1 or self.size >= FULL else int(self.rows.placed[-1]) - REORDER
        gone: list[Piece] = []
        kept: list[Piece] = []
        for piece in self.pieces:
            last = len(piece) - 1  # lines may still come that belong to it
            if piece.span.size - int(piece.starts[last]) >= LONGEST:
                last += 1  # it never ends: it is cut
            early, late = split(
                piece, last if cut is None else min(last, int(piece.placed.searchsorted(cut)))
            )
            if len(early):
                gone.append(early)
            if late is not None:
                kept.append(late)
        if sum(piece.span.size for piece in gone) < PIECE // 2 and self.size < FULL:
            return []
        for piece in self.pieces:
            self._logs.forget(piece.span)
        self._logs.keep([*gone, *kept])
        self.pieces, self.rows = kept, rows_of(kept) if kept else None
        for piece in gone:
            self._lows[piece.span.log] = piece.span.offset + piece.span.size
        for piece in kept:
            self._lows[piece.span.log] = piece.span.offset
        return gone

    def _end(self, number: int, high: int) -> int:
        """Return how far a log is read now: to its end, or about a piece on to the end of a line."""
        log = self._logs.opened[number]
        if log.size - high <= PIECE:
            return log.size
        data = log.read(high, PIECE)
        return high + (data.rfind(LINE_FEED) + 1 or len(data))


def _moved(before: Rows | None, after: Rows | None, pieces: list[Piece], changed: set[int]) -> int:
    if before is None or after is None:
        return 0
    count = min(len(before.record), len(after.record))
    same = (before.record[:count] == after.record[:count]) & (before.piece[:count] == after.piece[:count])
    moved = count if same.all() else int(same.argmin())
    # The last record that a log had may have got more lines.
    for place, piece in enumerate(pieces):
        if piece.span.log in changed and (rows := np.flatnonzero(before.piece == place)).size:
            moved = min(moved, int(rows[-1]))
    return moved
