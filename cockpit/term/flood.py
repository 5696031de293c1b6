"""A way round drawing for rows that nobody can have seen: in a flood they scroll away within one piece of output.

`yes` prints a thousand rows for one that is painted. All of them belong into the scrollback, few onto the screen:
those between go there directly, as text, twenty times as fast. Which rows are where afterwards is the same as if all
had been drawn; a property test holds that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cockpit.term.emulator import PLAIN, Look, Row, Run

if TYPE_CHECKING:
    from cockpit.term.scrollback import Scrollback

PRINTABLE = bytes(range(0x20, 0x7F))
WORTH = 32
"""Rows that have to be saved to be worth the looking."""


def is_plain(text: str) -> bool:
    """Tell whether text is printable ASCII and line ends, nothing else."""
    if not text.isascii():
        return False
    ends = text.encode().translate(None, PRINTABLE)
    return len(ends) % 2 == 0 and ends == b"\r\n" * (len(ends) // 2)


class Flood:
    """Takes floods of plain rows past the board.

    Args:
        board: bittty's board.
        scrollback: Where rows go.
        draw: Draws text on the board.
    """

    def __init__(self, board: Any, scrollback: Scrollback, draw: Callable[[str], None]) -> None:
        self._board = board
        self._scrollback = scrollback
        self._draw = draw
        self._swallowing = 0

    def swallows(self) -> bool:
        """Tell whether a row that leaves the screen just now is one that is in the scrollback already."""
        if self._swallowing:
            self._swallowing -= 1
            return True
        return False

    def take(self, text: str) -> bool:
        """Take text, if it is a flood and can be taken this way."""
        board = self._board
        rows = board.height
        if text.count("\n") < 2 * rows + WORTH or not self._simple():
            return False
        first = text.find("\n") + 1  # what comes before may be half a line end
        if not is_plain(text[first:].removesuffix("\r")):
            return False
        self._draw(text[:first])
        lines = text[first:].split("\r\n")
        last = lines.pop()
        head = rows - board.cursor.y
        self._draw("\r\n".join([*lines[:head], ""]))
        tail = max(head, len(lines) - (rows - 1))
        if len(lines) - tail < rows - 1 or tail == head or not self._at_bottom():
            self._draw("\r\n".join([*lines[head:], last]))
            return True
        self._keep(lines[head:tail])
        self._swallowing = rows - 1
        self._draw("\r\n".join([*lines[tail:], last]))
        self._swallowing = 0
        return True

    def _keep(self, lines: list[str]) -> None:
        """Put the screen's rows into the scrollback, and then lines that would have pushed them there."""
        from cockpit.term.bittty_emulator import kept, look_of

        board, scrollback = self._board, self._scrollback
        page = board.blitter.current_page
        for number in range(board.height - 1):
            scrollback.append(kept(page.line(number)))
        look, width = look_of(board.style.current), board.width
        if look == PLAIN and max(map(len, lines)) <= width:
            spare = max(0, len(lines) - scrollback.most)
            scrollback.extend([line.rstrip(" ") for line in lines[spare:]], len(lines))
            return
        for line in lines:
            for row in wrapped(line, width, look):
                scrollback.append(row)

    def _at_bottom(self) -> bool:
        board = self._board
        return (board.cursor.y, board.cursor.display_x) == (board.height - 1, 0)

    def _simple(self) -> bool:
        """Tell whether the screen is in a state in which plain rows do nothing but scroll."""
        board = self._board
        blitter, charset = board.blitter, board.charset
        return bool(
            not blitter.in_alt_screen
            and blitter.scroll_top == 0
            and blitter.scroll_bottom == board.height - 1
            and blitter.current_page is blitter.main_page
            and board.modes.auto_wrap
            and not board.modes.insert_mode
            and charset.single_shift is None
            and charset.charset_array[charset.current_charset] == "B"
            and board.style.current.bg is None
            and board.parser.mode is None
            and not board.parser.buffer
        )


def wrapped(line: str, width: int, look: Look) -> list[Row | str]:
    """Return a line's rows on a screen, as the scrollback keeps them."""
    rows: list[Row | str] = []
    while len(line) > width:
        rows.append(Row((Run(line[:width], width, look),), wrapped=True))
        line = line[width:]
    if look == PLAIN:
        rows.append(line.rstrip(" "))
    else:
        rows.append(Row((Run(line, len(line), look),) if line else ()))
    return rows
