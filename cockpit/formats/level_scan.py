"""Finds the words that mean levels where few records have any, by a scan for the words themselves."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

import numpy as np

from cockpit.formats.levels import spoken
from cockpit.formats.piece import Piece, Places

if TYPE_CHECKING:
    import hyperscan as hs


def spoken_words(piece: Piece, most: int) -> tuple[Places, Places] | None:
    """Return where words that mean levels begin and end, whatever their case; None where there are too many.

    Args:
        piece: The piece.
        most: How many to put up with: each takes as long as a kilobyte without any.
    """
    import hyperscan as hs  # not for the few records that are drawn first

    words, database = _database()
    found: list[tuple[int, int]] = []

    def note(word: int, _start: int, end: int, _flags: int, _context: object) -> bool:
        found.append((word, end))
        return len(found) > most

    try:
        database.scan(cast("bytes", piece.bytes.data), match_event_handler=note)
    except hs.ScanTerminated:
        return None
    table = np.array(found, np.int64).reshape(-1, 2)
    ends = table[:, 1]
    return ends - np.array([len(word) for word in words])[table[:, 0]], ends


@cache
def _database() -> tuple[list[bytes], hs.Database]:
    """Return the words, and what finds them by their place in the list."""
    import hyperscan as hs

    words = [word.encode() for word in spoken()]
    database = hs.Database()
    database.compile(
        expressions=[rb"\b%s\b" % word for word in words],
        ids=list(range(len(words))),
        flags=[hs.HS_FLAG_CASELESS] * len(words),
    )
    return words, database
