"""A chunk: some records of one or several logs on one time line, addressed by their row.

What a chunk holds is said by spans of bytes; its rows are made from them, and made again whenever they are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from cockpit.stores.logs.files.counts import NONE, Counts, counts_of
from cockpit.stores.logs.files.pieces import Piece, Span


class Rows(NamedTuple):
    """A chunk's records in the order of their times, those of one log in the order they have there.

    Attributes:
        piece: uint16, shape (n,): which of the pieces a record lies in.
        record: uint32, shape (n,): which of the piece's records it is.
        placed: int64, shape (n,): nanoseconds since the epoch by which it is placed, never falling.
        order: intp, shape (n,): its place among all pieces' records, one after another.
    """

    piece: NDArray[np.uint16]
    record: NDArray[np.uint32]
    placed: NDArray[np.int64]
    order: NDArray[np.intp]


class Summary(Struct, frozen=True, array_like=True):
    """What is kept of a chunk whatever else is forgotten.

    Attributes:
        spans: Where its bytes lie: by log, then by place.
        count: Its records.
        first: The time of its first row, in nanoseconds.
        last: That of its last.
        counts: How many there are by second and level.
    """

    spans: tuple[Span, ...]
    count: int
    first: int
    last: int
    counts: Counts

    @property
    def size(self) -> int:
        """Bytes it takes in its logs."""
        return sum(span.size for span in self.spans)


EMPTY_CHUNK = Summary((), 0, 0, 0, NONE)


def rows_of(pieces: Sequence[Piece]) -> Rows:
    """Merge pieces by time; pieces of one log stand one after another, in the order of their bytes."""
    if len(pieces) == 1:
        count = len(pieces[0])
        order = np.arange(count)
        return Rows(np.zeros(count, np.uint16), order.astype(np.uint32), pieces[0].placed, order)
    placed = np.concatenate(_never_falling(pieces))
    order = np.argsort(placed, kind="stable")
    piece = np.repeat(np.arange(len(pieces), dtype=np.uint16), [len(part) for part in pieces])
    record = np.concatenate([np.arange(len(part), dtype=np.uint32) for part in pieces])
    return Rows(piece[order], record[order], placed[order], order)


def lost_rows(chunk: Summary) -> tuple[Rows, list[Piece]]:
    """Stand in for a chunk that can't be read as it was: its records, of which only that they were is known."""
    count, nothing = chunk.count, np.empty(0, np.int64)
    placed = np.full(count, chunk.first, np.int64)
    order = np.arange(count)
    pieces = [
        Piece(span, nothing.astype(np.uint32), nothing, nothing, nothing.astype(np.uint8))
        for span in chunk.spans
    ]
    all_of_them = Piece(chunk.spans[0], np.zeros(count, np.uint32), placed, placed, np.zeros(count, np.uint8))
    return Rows(np.zeros(count, np.uint16), order.astype(np.uint32), placed, order), [
        all_of_them,
        *pieces[1:],
    ]


def without(pieces: Sequence[Piece | None], chunk: Summary) -> list[Piece]:
    """Return pieces, and stand-ins for those that can't be read any more, whose records come first in the chunk."""
    left = chunk.count - sum(len(piece) for piece in pieces if piece is not None)
    found: list[Piece] = []
    for span, piece in zip(chunk.spans, pieces, strict=True):
        if piece is None:
            placed = np.full(max(0, left), chunk.first, np.int64)
            levels, starts = np.zeros(len(placed), np.uint8), np.zeros(len(placed), np.uint32)
            piece, left = Piece(span, starts, placed, placed, levels), 0
        found.append(piece)
    return found


def _never_falling(pieces: Sequence[Piece]) -> list[NDArray[np.int64]]:
    """Return the pieces' times, none earlier than those of their log's pieces before them."""
    floors: dict[int, int] = {}
    times = []
    for piece in pieces:
        log, placed = piece.span.log, piece.placed
        if len(placed):
            if (floor := floors.get(log)) is not None and placed[0] < floor:
                placed = np.maximum(placed, floor)
            floors[log] = int(placed[-1])
        times.append(placed)
    return times


def summary_of(pieces: Sequence[Piece], rows: Rows) -> Summary:
    """Return what is kept of a chunk."""
    levels = np.concatenate([part.levels for part in pieces]) if pieces else np.empty(0, np.uint8)
    return Summary(
        spans=tuple(part.span for part in pieces),
        count=len(rows.placed),
        first=int(rows.placed[0]) if len(rows.placed) else 0,
        last=int(rows.placed[-1]) if len(rows.placed) else 0,
        counts=counts_of(rows.placed, levels[rows.order]),
    )
