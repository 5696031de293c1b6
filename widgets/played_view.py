"""A terminal's recording on the screen: drawn at the size that it was recorded at, whatever the size is here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from rich.segment import Segment
from textual import events
from textual.strip import Strip

from cockpit.errors import UsageError
from cockpit.term.mouse import DOWN, Does
from cockpit.term.size import Size
from widgets.terminal import WHEEL, TerminalView, _prepare
from widgets.terminal_strip import strip_of
from widgets.terminal_view import View

if TYPE_CHECKING:
    from cockpit.term.feeding import Feeder


class PlayedView(TerminalView):
    """A terminal that is fed by whoever plays the recording; nobody types, and the mouse is ours.

    Where the recorded screen is higher than there is room, the rows around the cursor are shown; where it is wider,
    `left` says from which column on.
    """

    DEFAULT_CSS = "PlayedView { & > .terminal--outside { background: $panel; } }"

    def __init__(self) -> None:
        super().__init__(_nobody)
        self.left = 0
        self._feeder: Feeder | None = None

    def on_resize(self, event: events.Resize) -> None:
        """Draw again: the recording keeps its own size."""
        event.prevent_default()  # else the terminal's own handler comes after this one
        self.refresh()

    def begin(self, size: Size) -> None:
        """Begin with an empty screen."""
        from cockpit.term.bittty_emulator import BitttyEmulator
        from cockpit.term.feeding import Feeder

        self.emulator = BitttyEmulator(size)
        self.view = View(self.emulator)
        self._feeder = Feeder(self.emulator)

    async def feed(self, taken: Sequence[Size | bytes]) -> None:
        """Take sizes and output in, without drawing anything yet."""
        assert self.emulator is not None and self._feeder is not None
        for each in taken:
            if isinstance(each, Size):
                self.emulator.resize(each)
            else:
                await self._feeder.take(each)

    def show(self) -> None:
        """Draw what was taken in."""
        if self.emulator is not None and self.view is not None:
            self.emulator.events()
            self.emulator.changed()
            self.view.follow()
        self.refresh()

    def pan(self, columns: int) -> None:
        """Show what is further to the right, or to the left."""
        if self.emulator is not None:
            self.left = max(0, min(self.left + columns, self.emulator.size.columns - self.size.width))
            self.refresh()

    @property
    def _hidden(self) -> int:
        """How many rows of the recorded screen are above what there is room for."""
        if self.emulator is None or self.view is None or self.view.scrolled:
            return 0
        row = self.emulator.cursor.row
        if 0 <= self.view.here < len(self.view.found):
            row = max(0, self.view.found[self.view.here].row - self.emulator.scrollback.end)
        over = self.emulator.size.rows - self.size.height
        return max(0, min(over, row - self.size.height + 1))

    def render_line(self, y: int) -> Strip:
        """Draw one row; what is beside the recorded screen looks otherwise."""
        if self.emulator is None or self.view is None:
            return super().render_line(y)
        width, size = self.size.width, self.emulator.size
        outside = self.get_component_rich_style("terminal--outside")
        number = self.view.top + y + self._hidden
        if number >= self.emulator.scrollback.end + size.rows:
            return Strip([Segment(" " * width, outside)], width)
        strip = strip_of(
            self.view.row(number),
            size.columns,
            self.rich_style,
            marks=self._marks(number, self.rich_style),
            reversed_screen=self.emulator.modes.reverse_screen,
        )
        left = max(0, min(self.left, size.columns - width))
        return strip.crop(left, left + width).extend_cell_length(width, outside)

    # The mouse selects and scrolls, whatever the program had asked for.

    def _report(self, does: Does, button: int, event: events.MouseEvent) -> bool:
        return False

    def _cell(self, event: events.MouseEvent) -> tuple[int, int]:
        x, y = super()._cell(event)
        return x + self.left, y + self._hidden

    def _wheel(self, event: events.MouseEvent, button: int) -> None:
        self.scroll_rows(WHEEL if button == DOWN else -WHEEL)


async def _nobody(size: Size) -> NoReturn:
    """Open nothing: what is played hangs on no program."""
    del size
    raise UsageError("a recording is not opened")


def prepare() -> None:
    """Import the emulator; blocks for a twentieth of a second."""
    _prepare()
