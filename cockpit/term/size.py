"""A terminal's size, for whoever has one to do with."""

from __future__ import annotations

from msgspec import Struct

MOST = 1000
"""Columns or rows that a terminal has at most: whatever it is told, its memory is bounded."""


class Size(Struct, frozen=True):
    """A terminal's size in cells."""

    columns: int
    rows: int

    def within(self) -> Size:
        """Return the nearest size that a terminal can have."""
        return Size(min(MOST, max(2, self.columns)), min(MOST, max(1, self.rows)))
