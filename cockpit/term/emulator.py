"""What a terminal's screen is to the cockpit, whoever keeps it: fed with bytes, read by rows, asked for its modes.

Everything that comes through here was written by a remote program. Text in it is as the screen shows it, free of
control characters; sizes are bounded; nothing that a stream says has an effect outside the screen, but for the events
below, which whoever owns the screen may act on or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from cockpit.term.scrollback import Scrollback
from cockpit.term.size import Size

Colour = int | tuple[int, int, int] | None
"""A colour of the palette of 256, a true one, or the terminal's own."""


class Look(Struct, frozen=True):
    """How a cell looks."""

    foreground: Colour = None
    background: Colour = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    blink: bool = False
    reverse: bool = False
    conceal: bool = False
    strike: bool = False
    link: str = ""


PLAIN = Look()


class Run(Struct, frozen=True):
    """Neighbouring cells that look the same.

    Attributes:
        text: What they show; a wide character stands for two cells, a combining one for none.
        cells: How many cells it is.
        look: How they look.
    """

    text: str
    cells: int
    look: Look = PLAIN


class Row(Struct, frozen=True):
    """One row; cells after the last run are blank.

    Attributes:
        runs: From the left.
        wrapped: Whether its line goes on in the next row.
    """

    runs: tuple[Run, ...] = ()
    wrapped: bool = False

    @property
    def text(self) -> str:
        """What it shows."""
        return "".join(run.text for run in self.runs)


class Shape(StrEnum):
    """How the cursor is drawn."""

    BLOCK = "block"
    UNDERLINE = "underline"
    BAR = "bar"


class Cursor(Struct, frozen=True):
    """The cursor, in cells from the top left corner."""

    column: int
    row: int
    visible: bool = True
    shape: Shape = Shape.BLOCK
    blinking: bool = False


class Mouse(StrEnum):
    """Of which of the mouse's doings the program wants to know."""

    OFF = "off"
    PRESSES = "presses"
    """Presses alone, as X10 had it."""
    CLICKS = "clicks"
    DRAGS = "drags"
    MOVES = "moves"


class MouseCode(StrEnum):
    """In which words the program is told of the mouse."""

    LEGACY = "legacy"
    UTF8 = "utf8"
    SGR = "sgr"
    URXVT = "urxvt"


class Modes(Struct, frozen=True):
    """What the program asked of keys, mouse and screen."""

    application_cursor: bool = False
    application_keypad: bool = False
    newline: bool = False
    """Whether Enter sends a line feed after the carriage return."""
    bracketed_paste: bool = False
    focus: bool = False
    mouse: Mouse = Mouse.OFF
    mouse_code: MouseCode = MouseCode.LEGACY
    alternate: bool = False
    """Whether the screen is the alternate one: nothing leaves it for the scrollback."""
    reverse_screen: bool = False
    synchronized: bool = False
    """Whether the program is in the middle of drawing and does not want that seen."""


class Rang(Struct, frozen=True):
    """The bell rang."""


class TitleChanged(Struct, frozen=True):
    """The program gave the window a title: cleaned, on one line."""

    title: str


class ClipboardOffered(Struct, frozen=True):
    """The program wants text put into the clipboard; told only where that was opted into."""

    text: str


class ScrollbackCleared(Struct, frozen=True):
    """The program had the scrollback forgotten."""


Event = Rang | TitleChanged | ClipboardOffered | ScrollbackCleared


class Emulator(Protocol):
    """A terminal's state.

    Attributes:
        scrollback: The rows that left the screen at the top.
        title: The window's title, cleaned.
    """

    scrollback: Scrollback
    title: str

    @property
    def size(self) -> Size:
        """Columns and rows."""
        ...

    @property
    def modes(self) -> Modes:
        """What the program asked for."""
        ...

    @property
    def cursor(self) -> Cursor:
        """Where the next character goes, and how that is shown."""
        ...

    def feed(self, data: bytes) -> None:
        """Take in what the program printed; never raises, and takes time in proportion (see `feeding.slices`)."""
        ...

    def resize(self, size: Size) -> None:
        """Change the size; lines that were wrapped are wrapped anew."""
        ...

    def row(self, number: int) -> Row:
        """Return a row of the screen."""
        ...

    def changed(self) -> Sequence[int]:
        """Return the rows that changed since the last call."""
        ...

    def replies(self) -> bytes:
        """Return what the terminal has to answer the program since the last call."""
        ...

    def events(self) -> Sequence[Event]:
        """Return what happened beside the screen since the last call."""
        ...
