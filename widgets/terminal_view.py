"""What of a terminal is looked at: the live screen or a part of the scrollback, what is selected, what was found.

Rows have the scrollback's numbers, which stay while output goes on: so does what is looked at. No Textual here.
"""

from __future__ import annotations

from cockpit.term.emulator import Emulator, Row
from cockpit.term.search import Found, Search

Place = tuple[int, int]
"""A row's number and a column in it."""


class View:
    """Looks at a terminal.

    Args:
        emulator: The terminal.

    Attributes:
        selection: Where the selection begins and ends, in the order it was made; None where there is none.
        found: Where the text is that was looked for.
        here: Which of them one is at.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._top: int | None = None
        self._seen = (0, 0)
        self.selection: tuple[Place, Place] | None = None
        self.found: list[Found] = []
        self.here = -1
        self._by_row: dict[int, list[tuple[int, Found]]] = {}

    # Where it looks.

    @property
    def scrolled(self) -> bool:
        """Whether it looks at what scrolled away rather than at the screen."""
        return self._top is not None

    @property
    def top(self) -> int:
        """The number of the topmost row looked at."""
        kept = self._emulator.scrollback
        return kept.end if self._top is None else max(kept.first, min(self._top, kept.end))

    def row(self, number: int) -> Row:
        """Return a row of the scrollback or of the screen."""
        kept = self._emulator.scrollback
        return kept.row(number) if number < kept.end else self._emulator.row(number - kept.end)

    def scroll(self, rows: int) -> None:
        """Look further down or up; at the end it is the screen again."""
        self.go(self.top + rows)

    def go(self, top: int) -> None:
        """Look from a row on."""
        kept = self._emulator.scrollback
        self._top = max(kept.first, top) if top < kept.end else None

    def live(self) -> None:
        """Look at the screen, with nothing selected."""
        self._top = None
        self.selection = None

    def follow(self) -> bool:
        """Tell whether other rows are looked at than at the last call, or ones with other numbers."""
        kept = self._emulator.scrollback
        seen = (self.top, kept.first if self.scrolled else kept.end)
        moved = seen != self._seen
        self._seen = seen
        return moved

    # What is selected.

    def select_from(self, row: int, column: int) -> None:
        """Begin a selection."""
        self.selection = ((row, column), (row, column))

    def select_to(self, row: int, column: int) -> None:
        """Draw the selection to a place; the cell there is in it."""
        if self.selection is not None:
            self.selection = (self.selection[0], (row, column))

    def selected_on(self, number: int, width: int) -> tuple[int, int] | None:
        """Return from which to before which cell a row is selected."""
        if self.selection is None or self.selection[0] == self.selection[1]:
            return None
        (first, start), (last, end) = sorted(self.selection)
        if not first <= number <= last:
            return None
        return (start if number == first else 0, end + 1 if number == last else width)

    def selected(self) -> str:
        """Return what is selected: wrapped rows are one line, blanks at the ends of lines are left out."""
        if self.selection is None or self.selection[0] == self.selection[1]:
            return ""
        parts = []
        for number in range(min(self.selection)[0], max(self.selection)[0] + 1):
            row = self.row(number)
            span = self.selected_on(number, 1 << 30)
            text = between(row, *span) if span is not None else ""
            parts.append(text if row.wrapped else text.rstrip(" ") + "\n")
        return "".join(parts).removesuffix("\n")

    # What was found.

    def search(self, text: str) -> int:
        """Look for a text and go to the last place above; return how many places there are."""
        self.found = Search(self._emulator, text).all()
        self._by_row = {}
        for number, each in enumerate(self.found):
            self._by_row.setdefault(each.row, []).append((number, each))
        self.here = len(self.found)
        if self.found:
            self.seek(-1)
        return len(self.found)

    def seek(self, step: int) -> bool:
        """Go to the next place below, or above; False at the end."""
        wanted = self.here + step
        if not 0 <= wanted < len(self.found):
            return False
        self.here = wanted
        row = self.found[wanted].row
        height = self._emulator.size.rows
        if not self.top <= row < self.top + height:
            self.go(row - height // 2)
        return True

    def forget(self) -> None:
        """Forget what was found."""
        self.found, self._by_row, self.here = [], {}, -1

    def found_on(self, number: int) -> list[tuple[int, int, bool]]:
        """Return (from which, to before which cell, whether one is there) of what was found on a row."""
        return [
            (*cells(self.row(number), each.column, each.length), index == self.here)
            for index, each in self._by_row.get(number, ())
        ]


def cells(row: Row, start: int, length: int) -> tuple[int, int]:
    """Return which cells some characters of a row's text are in."""
    from rich.cells import cell_len

    text = row.text
    if text.isascii():
        return start, start + length
    before = cell_len(text[:start])
    return before, before + cell_len(text[start : start + length])


def between(row: Row, start: int, end: int) -> str:
    """Return the text of some cells of a row."""
    text = row.text
    if text.isascii():
        return text[start:end]
    from rich.cells import get_character_cell_size

    at, kept = 0, []
    for character in text:
        size = get_character_cell_size(character)
        if start <= (at if size else at - 1) < end:
            kept.append(character)
        at += size
    return "".join(kept)
