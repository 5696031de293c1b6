"""`Emulator` by bittty, which is let see no more than a screen needs; the only file that knows it.

Of the five hundred things that bittty can do for a program, those are let through that programs of today use on a
screen. What is left out: macros, downloaded keys, printers, pages, status lines, VT52, resizing by the program,
rectangles (each costs milliseconds), and asking for what the screen shows. The rows that scroll away are kept here,
in a compact form; a flood's rows go there without being drawn first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import bittty.parser.csi
import bittty.style
from bittty import Board
from bittty import mode_profiles as mode
from bittty.devices.modes import MouseEncoding, MouseProtocol
from bittty.model import Model
from bittty.operations import Operation
from bittty.present import Bell, RowsScrolledOff
from bittty.present import ScrollbackCleared as BoardCleared
from bittty.style import Style
from bittty.video import Line

from cockpit.term import emulator as seen
from cockpit.term.commands import Commands
from cockpit.term.emulator import Cursor, Event, Look, Modes, Mouse, MouseCode, Row, Run, Shape
from cockpit.term.flood import Flood
from cockpit.term.scrollback import Scrollback
from cockpit.term.sequences import Kind, Sequences
from cockpit.term.size import Size

log = logging.getLogger(__name__)

MODES = frozenset({
    mode.ANSI_INSERT, mode.ANSI_NEWLINE, mode.DEC_CURSOR_APPLICATION, mode.DEC_REVERSE_SCREEN, mode.DEC_ORIGIN,
    mode.DEC_AUTOWRAP, mode.DEC_CURSOR_VISIBLE, mode.DEC_NUMERIC_KEYPAD, mode.XTERM_CURSOR_BLINK,
    mode.XTERM_ALT_SCREEN_47, mode.XTERM_ALT_SCREEN_1047, mode.XTERM_ALT_SCREEN_1049, mode.XTERM_SAVE_CURSOR_1048,
    mode.XTERM_MOUSE_X10, mode.XTERM_MOUSE_NORMAL, mode.XTERM_MOUSE_BUTTON, mode.XTERM_MOUSE_ANY,
    mode.XTERM_MOUSE_UTF8, mode.XTERM_MOUSE_SGR, mode.URXVT_MOUSE, mode.XTERM_FOCUS, mode.XTERM_ALTERNATE_SCROLL,
    mode.XTERM_BRACKETED_PASTE, mode.XTERM_REVERSE_WRAP, mode.XTERM_SYNC_OUTPUT,
})  # fmt: skip
"""The modes that a program may set."""
_DRAWN = """
    PRINT C0_BS C0_HT C0_LF C0_VT C0_FF C0_CR C0_CRLF C0_SO C0_SI C0_BEL IND RI NEL HTS
    CUP HVP CUU CUD CUF CUB CHA HPA HPR VPA VPR CNL CPL HPB VPB CBT TBC DECSCUSR SAVE RESTORE DECSLRM
    SGR ED EL SU SD ICH IL DL DCH DECSTBM RIS DECSTR SCS_G0 SCS_G1 SCS_G2 SCS_G3 SS2 SS3 LS2 LS3
    SM RM DECSET DECRST DSR CPR DA1 DA2 DECRQM DECRQSS XTGETTCAP DECKPAM DECKPNM XTSAVE XTRESTORE
"""
OPERATIONS = frozenset(_DRAWN.split())
"""The operations that a program may carry out, by bittty's names; three more are carried out here."""
MODEL = Model(
    name="xterm-256color",
    da1_response="\x1b[?62;22c",
    da2_response="\x1b[>41;280;0c",  # an xterm that knows SGR mouse reports, as vim asks for them
    da3_response=None,
    mode_capabilities=MODES,
    charsets=frozenset({"B", "A", "0"}),
    reflows=True,
)
WRONG = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a defect in bittty raises: the stream goes on, without the part that brought it about."""
TABS = 32
"""Tabulators that one sequence moves the cursor by at most."""
FORGET_AFTER = 4 << 20
"""Characters after which bittty's caches are emptied: they are keyed by what a program wrote."""


class BitttyEmulator:
    """A terminal's state, kept by bittty.

    Args:
        size: Columns and rows.
        scrollback: Where rows go that leave the screen.
        clipboard: Whether the program may put text into the clipboard.
        links: Whether the program may make text a link.

    Attributes:
        scrollback: The rows that left the screen at the top.
        title: The window's title, cleaned.
    """

    def __init__(
        self,
        size: Size,
        *,
        scrollback: Scrollback | None = None,
        clipboard: bool = False,
        links: bool = False,
    ) -> None:
        size = size.within()
        self.scrollback = scrollback or Scrollback()
        self.title = ""
        self._board = Board(width=size.columns, height=size.rows, model=MODEL)
        self._replies = Replies()
        self._board.host.attach(self._replies)
        self._board.attach_display(self)
        self._restrict()
        self._flood = Flood(self._board, self.scrollback, self._draw)
        self._sequences = Sequences()
        self._commands = Commands(clipboard=clipboard, links=links)
        self._events: list[Event] = []
        self._page: Any = None
        self._seen = -1
        self._fed = 0
        self._told = False
        self._clustering = False
        """Whether combining characters join the one before them; with plain text alone that is only slow."""

    def _restrict(self) -> None:
        """Let a program do what it may, and nothing else."""
        board, registry = self._board, self._board.registry
        for name in registry.keys() - OPERATIONS:
            del registry[name]
        own: dict[str, Callable[[Operation], None]] = {
            "REP": lambda op: board.blitter.repeat_last_character(min(op.args[0], board.width)),
            "CHT": lambda op: board.cursor.forward_tab(min(op.args[0], TABS)),
            "ECH": self._erase_characters,
            "ED": self._erase_display,
        }
        registry.update(own)

    def _erase_display(self, operation: Operation) -> None:
        """Blank the screen, or what is before or after the cursor, row by row rather than cell by cell."""
        board, blitter = self._board, self._board.blitter
        how, page, cursor, last = operation.args[0], blitter.current_page, board.cursor, board.width - 1
        if how not in (0, 1, 2):
            blitter.clear_screen(how)
            return
        cursor.cancel_pending_wrap()
        style = Style(bg=board.style.current.bg)
        first, stop = (
            (cursor.y + 1, blitter.rows) if how == 0 else (0, cursor.y if how == 1 else blitter.rows)
        )
        page.clear_region(0, first, last, stop - 1, style)
        page.wrapped_lines[first:stop] = [False] * (stop - first)
        if how == 0:
            page.clear_region(cursor.x, cursor.y, last, cursor.y, style)
        elif how == 1:
            page.clear_region(0, cursor.y, cursor.x, cursor.y, style)

    def _erase_characters(self, operation: Operation) -> None:
        """Blank some cells from the cursor on, all at once."""
        cursor, page = self._board.cursor, self._board.blitter.current_page
        cursor.cancel_pending_wrap()
        last = min(cursor.x + operation.args[0], self._board.width) - 1
        page.clear_region(cursor.x, cursor.y, last, cursor.y, self._board.style.current)

    # What comes in.

    def feed(self, data: bytes) -> None:
        """Take in what the program printed."""
        for kind, text in self._sequences.take(data):
            if kind is Kind.SCREEN:
                self._fed += len(text)
                if not self._flood.take(text):
                    self._draw(text)
            elif kind is Kind.DEVICE:
                if text[2:4] in ("$q", "+q") and len(text) < 256:
                    self._draw(text)
            else:
                self._command(text)
        if self._fed > FORGET_AFTER:
            self._fed = 0
            _forget()

    def _draw(self, text: str) -> None:
        if not self._clustering and not text.isascii():
            self._clustering = True
            self._board.blitter.set_grapheme_clustering(True)
        try:
            self._board.parser.feed(text)
        except WRONG:
            self._board.parser.reset()
            if not self._told:
                self._told = True
                log.warning("a sequence could not be drawn", exc_info=True)

    def _command(self, text: str) -> None:
        asked = self._commands.take(text)
        if asked.title is not None:
            self.title = asked.title
            self._events.append(seen.TitleChanged(asked.title))
        if asked.clipboard is not None:
            self._events.append(seen.ClipboardOffered(asked.clipboard))
        if asked.link is not None:
            self._board.style.set_hyperlink(asked.link or None, None)
        if asked.reply:
            self._replies.write_bytes(asked.reply)

    # What bittty calls, as the screen's display.

    keeps_scrollback = True

    def present(self, event: object) -> None:
        """Take what would be lost: rows that leave, the bell."""
        if isinstance(event, RowsScrolledOff):
            for line in event.lines:
                if not self._flood.swallows():
                    self.scrollback.append(kept(line))
        elif isinstance(event, Bell):
            if seen.Rang() not in self._events:
                self._events.append(seen.Rang())
        elif isinstance(event, BoardCleared):
            self.scrollback.clear()
            self._events.append(seen.ScrollbackCleared())

    # What is asked.

    @property
    def size(self) -> Size:
        """Columns and rows."""
        return Size(self._board.width, self._board.height)

    @property
    def modes(self) -> Modes:
        """What the program asked for."""
        modes, mouse = self._board.modes, self._board.mouse
        return Modes(
            application_cursor=modes.cursor_application_mode,
            application_keypad=not modes.numeric_keypad,
            newline=modes.linefeed_newline_mode,
            bracketed_paste=modes.bracketed_paste,
            focus=modes.focus_reporting,
            mouse=MICE.get(mouse.protocol, Mouse.OFF),
            mouse_code=MOUSE_CODES.get(mouse.encoding, MouseCode.LEGACY),
            alternate=self._board.blitter.in_alt_screen,
            reverse_screen=modes.reverse_screen,
            synchronized=modes.synchronized_output,
        )

    @property
    def cursor(self) -> Cursor:
        """Where the next character goes, and how that is shown."""
        cursor, modes = self._board.cursor, self._board.modes
        return Cursor(
            cursor.display_x, cursor.y, modes.cursor_visible, Shape(cursor.shape), modes.cursor_blinking
        )

    def row(self, number: int) -> Row:
        """Return a row of the screen."""
        page = self._board.blitter.main_page
        if not 0 <= number < page.height:
            return Row()
        return Row(runs_of(page.grid[number]), page.wrapped_lines[number])

    def changed(self) -> Sequence[int]:
        """Return the rows that changed since the last call."""
        page = self._board.blitter.main_page
        rows = page.dirty_rows(self._seen) if page is self._page else range(page.height)
        self._page, self._seen = page, page.observe()
        return rows

    def replies(self) -> bytes:
        """Return what the terminal has to answer the program."""
        return self._replies.take()

    def events(self) -> Sequence[Event]:
        """Return what happened beside the screen."""
        events, self._events = self._events, []
        return events

    # The size.

    def resize(self, size: Size) -> None:
        """Change the size; the rows above a cursor that would be cut off go to the scrollback."""
        size = size.within()
        if size == self.size:
            return
        self._lift(size.rows)
        try:
            self._board.resize(size.columns, size.rows)
        except WRONG:
            log.warning("the screen could not be resized in place", exc_info=True)
            self._board.reset()
            self._board.resize(size.columns, size.rows)
        self._page = None

    def _lift(self, rows: int) -> None:
        """Move the primary screen up so far that its cursor stays on a screen of fewer rows."""
        from dataclasses import replace

        blitter, cursor = self._board.blitter, self._board.cursor
        page = blitter.primary_page
        row = cursor.saved[False].y if blitter.in_alt_screen else cursor.y
        over = min(row, page.height - 1) - (rows - 1)
        if over <= 0:
            return
        for number in range(over):
            self.scrollback.append(kept(page.line(number)))
        page.scroll_up(over)
        if blitter.in_alt_screen:
            cursor.saved[False] = replace(cursor.saved[False], y=row - over)
        else:
            cursor.set_position(cursor.display_x, cursor.y - over)


class Replies:
    """The line from bittty to the program: bytes that wait to be sent."""

    LIMIT = 64 * 1024
    closed = False

    def __init__(self) -> None:
        self._data = bytearray()

    def take(self) -> bytes:
        """Return what waits."""
        data = bytes(self._data)
        self._data.clear()
        return data

    def write(self, data: str) -> int:
        """Take text."""
        return self.write_bytes(data.encode())

    def write_bytes(self, data: bytes) -> int:
        """Take bytes; a program that asks and asks and does not read is not answered for ever."""
        if len(self._data) < self.LIMIT:
            self._data += data
        return len(data)

    def flush(self) -> None:
        """Do nothing: what waits is fetched."""

    def configure_line(self, line: object) -> None:
        """Do nothing: there is no modem."""

    def resize(self, rows: int, cols: int) -> None:
        """Do nothing: the cable is told by the screen's owner."""

    def close(self) -> None:
        """Do nothing."""


MICE = {
    MouseProtocol.X10: Mouse.PRESSES,
    MouseProtocol.NORMAL: Mouse.CLICKS,
    MouseProtocol.BUTTON: Mouse.DRAGS,
    MouseProtocol.ANY: Mouse.MOVES,
}
MOUSE_CODES = {
    MouseEncoding.UTF8: MouseCode.UTF8,
    MouseEncoding.SGR: MouseCode.SGR,
    MouseEncoding.URXVT: MouseCode.URXVT,
}
_BLANK = Style()
_CHARACTER = itemgetter(1)


def kept(line: Line) -> Row | str:
    """Return a row that leaves the screen as the scrollback keeps it."""
    runs = runs_of(line.cells, trim=not line.wrapped)
    if not line.wrapped and len(runs) <= 1 and (not runs or runs[0].look == seen.PLAIN):
        text = runs[0].text if runs else ""
        if text.isascii():
            return text
    return Row(runs, line.wrapped)


def runs_of(cells: Sequence[Any], *, trim: bool = True) -> tuple[Run, ...]:
    """Return a row's cells as runs, as far as there is anything to see where it is trimmed."""
    text = "".join(map(_CHARACTER, cells))
    end = _content(cells, text) if trim else len(cells)
    runs = []
    start = 0
    while start < end:
        style = cells[start][0]
        stop = start + 1
        while stop < end and (cells[stop][0] is style or cells[stop][0] == style):
            stop += 1
        whole = start == 0 and stop == len(cells)
        shown = text if whole else "".join(map(_CHARACTER, cells[start:stop]))
        runs.append(Run(shown, stop - start, look_of(style)))
        start = stop
    return tuple(runs)


def _content(cells: Sequence[Any], text: str) -> int:
    """Return how many cells there are before a row's blank rest."""
    end = len(cells)
    if not end or cells[-1][1] != " " or cells[-1][0] != _BLANK:
        return end
    floor = end - len(text) + len(text.rstrip(" "))
    if floor >= 0 and cells[floor:].count(cells[-1]) == end - floor:  # one and the same blank: the usual case
        return floor
    while end and cells[end - 1][1] == " " and cells[end - 1][0] == _BLANK:
        end -= 1
    return end


@lru_cache(maxsize=4096)
def look_of(style: Style) -> Look:
    """Return how cells of a style look."""
    return Look(
        foreground=_colour(style.fg),
        background=_colour(style.bg),
        bold=bool(style.bold),
        dim=bool(style.dim),
        italic=bool(style.italic),
        underline=bool(style.underline),
        blink=bool(style.blink),
        reverse=bool(style.reverse),
        conceal=bool(style.conceal),
        strike=bool(style.strike),
        link=style.hyperlink or "",
    )


def _colour(colour: Any) -> seen.Colour:
    return None if colour is None or colour.mode == "default" else colour.value


def _forget() -> None:
    """Empty bittty's caches of what programs wrote; what is drawn often is in them again at once."""
    bittty.parser.csi.parse_csi_params.cache_clear()
    bittty.parser.csi.parse_csi_operation.cache_clear()
    bittty.style.parse_sgr_sequence.cache_clear()
    bittty.style.parse_sgr_with_reset.cache_clear()
    bittty.style.interpret.cache_clear()
