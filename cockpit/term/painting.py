"""Paints an emulator's screen on a real terminal, with sequences of ours alone.

What a program printed never reaches that terminal: it is drawn in the emulator, and only what the cells then show is
painted, at any size that the terminal has.
"""

from __future__ import annotations

from functools import lru_cache

from rich.cells import set_cell_size

from cockpit.term.emulator import PLAIN, Colour, Emulator, Look, Row
from cockpit.term.size import Size


class Painter:
    """Paints rows that changed.

    Args:
        size: Of the place to paint in, from the terminal's top left corner.
    """

    def __init__(self, size: Size) -> None:
        self.size = size
        self._painted: list[str] = []

    def paint(self, emulator: Emulator) -> bytes:
        """Return what makes the terminal show the emulator's screen: where it is higher, the rows at the cursor."""
        parts: list[str] = []
        if not self._painted:
            parts.append("\x1b[0m\x1b[2J")
            self._painted = [""] * self.size.rows
        cursor, rows = emulator.cursor, emulator.size.rows
        top = max(0, min(rows - self.size.rows, cursor.row - self.size.rows + 1))
        reverse = emulator.modes.reverse_screen
        for y in range(self.size.rows):
            row = emulator.row(top + y) if top + y < rows else Row()
            line = painted(row, self.size.columns, reverse=reverse)
            if line != self._painted[y]:
                self._painted[y] = line
                # Erased first: after a letter in the last column a terminal would erase that.
                parts.append(f"\x1b[{y + 1};1H\x1b[0m\x1b[K{line}\x1b[0m")
        column = min(cursor.column, self.size.columns - 1)
        parts.append(f"\x1b[{cursor.row - top + 1};{column + 1}H\x1b[?25{'h' if cursor.visible else 'l'}")
        return "".join(parts).encode(errors="replace")


def painted(row: Row, width: int, *, reverse: bool = False) -> str:
    """Return a row as text with colours, cut off at a width."""
    parts: list[str] = []
    left = width
    for run in row.runs:
        if left <= 0:
            break
        text, cells = run.text, min(run.cells, left)
        if not text.isascii() or cells < run.cells:
            text = set_cell_size(text, cells)
        parts.append(f"{_sequence(run.look, reverse)}{text}")
        left -= cells
    return "".join(parts)


@lru_cache(maxsize=4096)
def _sequence(look: Look, reverse: bool) -> str:
    """Return the sequence (SGR of ECMA-48) that makes text look so."""
    if look is PLAIN and not reverse:
        return "\x1b[0m"
    kinds = (
        ("1", look.bold),
        ("2", look.dim),
        ("3", look.italic),
        ("4", look.underline),
        ("5", look.blink),
        ("7", look.reverse != reverse),
        ("8", look.conceal),
        ("9", look.strike),
    )
    codes = ["0", *(code for code, on in kinds if on)]
    codes += _colour("38", look.foreground) + _colour("48", look.background)
    return f"\x1b[{';'.join(codes)}m"


def _colour(code: str, colour: Colour) -> list[str]:
    if colour is None:
        return []
    return [code, "5", str(colour)] if isinstance(colour, int) else [code, "2", *map(str, colour)]
