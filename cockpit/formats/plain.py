"""The format that fits every text: a record a line, stack traces kept together, levels told in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.formats.columns import UNDATED
from cockpit.formats.format import LineFormat, Marks, Said

if TYPE_CHECKING:
    from cockpit.formats.piece import Piece


class PlainFormat(LineFormat):
    """Lines without a time."""

    name = "plain"
    unmatched = "traces"
    verbatim = True

    def spells(self, key: str) -> bool:
        """Say so of every key: there are no attributes."""
        return True

    def marks(self, piece: Piece, *, observed: int) -> Marks:
        """Return that nothing fits."""
        import numpy as np

        count = len(piece)
        return Marks(np.zeros(count, np.bool_), np.full(count, UNDATED, np.int64), np.zeros(count, np.int64))

    def said(self, text: str, *, observed: int) -> Said | None:
        """Take the text as it is."""
        return self.stray(text)
