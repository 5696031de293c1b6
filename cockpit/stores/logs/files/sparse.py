"""Where a few rows of a chunk lie, so that they can be drawn without the rest of it being read and indexed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cockpit.stores.logs.files.chunk import Rows
from cockpit.stores.logs.files.pieces import Piece
from cockpit.stores.logs.files.wire import Found

FEW = 16
"""Rows of a chunk up to which that is sent: a screen of them may lie in fifty chunks."""
_PLACE = np.dtype(
    [
        ("log", "<u4"),
        ("size", "<u4"),
        ("offset", "<i8"),
        ("placed", "<i8"),
        ("told", "<i8"),
        ("observed", "<i8"),
    ]
)


class Place(NamedTuple):
    """One row.

    Attributes:
        log: The log it lies in.
        size: Its bytes.
        offset: Where they begin.
        placed: What it is placed by, in nanoseconds.
        told: What it tells itself, or `UNDATED`.
        observed: By which a missing year is told.
    """

    log: int
    size: int
    offset: int
    placed: int
    told: int
    observed: int


def places_of(rows: Rows, pieces: Sequence[Piece], wanted: NDArray[np.intp]) -> bytes:
    """Return where rows of a chunk lie, as it is sent: little-endian, 40 bytes each."""
    places = np.zeros(len(wanted), _PLACE)
    for at, row in enumerate(wanted.tolist()):
        piece, record = pieces[rows.piece[row]], int(rows.record[row])
        span, start = piece.span, int(piece.starts[record])
        end = int(piece.starts[record + 1]) if record + 1 < len(piece) else span.size
        told = int(piece.times[record])
        places[at] = (span.log, end - start, span.offset + start, int(rows.placed[row]), told, span.observed)
    return places.tobytes()


def place_in(found: Found, row: int) -> Place | None:
    """Return where a row lies, by what a search found; None where that was not sent."""
    places = np.frombuffer(found.places, _PLACE)
    at = row
    if found.bits:
        admitted = np.flatnonzero(np.unpackbits(np.frombuffer(found.bits, np.uint8)))
        at = int(admitted.searchsorted(row))
        if at == len(admitted) or admitted[at] != row:
            return None
    return Place(*places[at].tolist()) if at < len(places) else None
