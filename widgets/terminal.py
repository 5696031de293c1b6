"""A terminal on the screen: draws an emulator's rows, passes keys and the mouse on, and starts once it has a size.

Thin: what is on the screen is the emulator's, which bytes a key is `cockpit.term.keys`', and where output comes from
the cable's. Which keys are not the program's is the container's, `widgets.terminals`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual import events, work
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from cockpit.actions.transport import Outcome
from cockpit.errors import CockpitError
from cockpit.term import keys, mouse, paste
from cockpit.term.mouse import Does
from cockpit.term.size import Size
from widgets.parts import Parts
from widgets.terminal_strip import CURSORS, UNFOCUSED, Mark, strip_of
from widgets.terminal_view import View

if TYPE_CHECKING:
    from cockpit.term.cable import Cable
    from cockpit.term.emulator import Emulator

Open = Callable[[Size], Awaitable["Cable"]]
"""Opens what the terminal hangs on; raises CockpitError."""

FRAME = 1 / 30
"""Seconds between two paints."""
FLOOD_FRAME = 0.2
"""The same in a flood, which nobody reads."""
FLOOD = 64 * 1024
"""Bytes between two paints that are a flood."""
ECHO = 0.15
"""Seconds after a key in which what comes is its answer, and painted at once."""
SYNCHRONIZED = 0.2
"""Seconds that a program may keep a half-drawn screen from being painted."""
SETTLE = 0.08
"""Seconds that a size has to last before the program is told of it."""
WHEEL = 3


class TerminalView(Parts, can_focus=True):
    """A terminal.

    Args:
        open: Opens what it hangs on, once the size is known.
        breathe: Waited for between two slices of output: others have their turn.
        clipboard: Whether the program may put text into the clipboard.
        links: Whether the program may make text a link.

    Attributes:
        cable: What it hangs on; None before it is opened.
        emulator: The screen; None before there is one.
        outcome: How the program ended; None while it runs.
        error: Why it could not be opened; empty where it could.
    """

    DEFAULT_CSS = """
    TerminalView {
        height: 1fr; background: $background; color: $text;
        & > .terminal--selected { background: $secondary; color: $text; }
        & > .terminal--found { background: $warning-muted; color: $text-warning; }
        & > .terminal--here { background: $warning; color: $background; text-style: bold; }
        & > .terminal--muted { color: $text-muted; }
    }
    """
    ALLOW_SELECT: ClassVar[bool] = False  # its own selection knows the scrollback

    @dataclass
    class Changed(Message):
        """Something that is said about the terminal changed: its title, its state, or that it rang."""

        view: TerminalView
        rang: bool = False
        printed: bool = False

    @dataclass
    class Copied(Message):
        """Text was selected, or the program offered some for the clipboard."""

        text: str
        offered: bool = False

    def __init__(
        self,
        open: Open,
        *,
        breathe: Callable[[], Awaitable[None]] | None = None,
        clipboard: bool = False,
        links: bool = False,
    ) -> None:
        super().__init__()
        self._open = open
        self._breathe = breathe
        self._clipboard, self._links = clipboard, links
        self.cable: Cable | None = None
        self.emulator: Emulator | None = None
        self.view: View | None = None
        self.outcome: Outcome | None = None
        self.error = ""
        self._started = False
        self._resizing: Timer | None = None
        self._painting: Timer | None = None
        self._fed = 0
        self._held_since = 0.0
        self._typed_at = float("-inf")
        self._cursor_row = 0
        self._dragging = False

    # From the first size to the end.

    @property
    def running(self) -> bool:
        """Whether a program runs, or is about to."""
        return not self.error and self.outcome is None

    def on_resize(self, event: events.Resize) -> None:
        """Start with the first size there is; tell later ones once they last."""
        if not event.size.width or not event.size.height:
            return
        if not self._started:
            self._started = True
            self._run(Size(event.size.width, event.size.height).within())
            return
        if self._resizing is not None:
            self._resizing.stop()
        self._resizing = self.set_timer(SETTLE, self._resize)

    def _resize(self) -> None:
        size = Size(self.size.width, self.size.height)
        if self.emulator is None or not size.columns or not size.rows or size.within() == self.emulator.size:
            return
        self.emulator.resize(size)
        if self.cable is not None:
            self.cable.resize(size.within())
        self._paint()

    @work(exit_on_error=False)
    async def _run(self, size: Size) -> None:
        """Open the cable, feed what comes, and keep how it ended."""
        from cockpit.term.feeding import breathe, feed

        try:
            await asyncio.to_thread(_prepare)
            cable = self.cable = await self._open(size)
        except CockpitError as error:
            self.error = str(error)
            self._say()
            self.refresh()
            return
        from cockpit.term.bittty_emulator import BitttyEmulator

        self.emulator = BitttyEmulator(size, clipboard=self._clipboard, links=self._links)
        self.view = View(self.emulator)
        try:
            self._resize()
            self._say()
            await feed(cable, self.emulator, fed=self._took, breathe=self._breathe or breathe)
            self.outcome = await cable.wait()
        finally:
            cable.close()
        self._paint()
        self._say()

    def hang_up(self) -> None:
        """Let go of the program."""
        if self.cable is not None:
            self.cable.close()

    def on_unmount(self) -> None:
        """Let go of the program when the terminal goes."""
        self.hang_up()

    def _say(self, *, rang: bool = False, printed: bool = False) -> None:
        self.post_message(self.Changed(self, rang=rang, printed=printed))

    # Painting.

    def _took(self, count: int) -> None:
        """Note that output came in, and see to it that it is painted."""
        first = not self._fed
        self._fed += count
        if self._painting is not None:
            return
        if first and time.monotonic() - self._typed_at < ECHO:
            delay = 0.001
        else:
            delay = FLOOD_FRAME if self._fed > FLOOD else FRAME
        self._painting = self.set_timer(delay, self._tick)

    def _tick(self) -> None:
        emulator = self.emulator
        self._painting = None
        if emulator is None:
            return
        now = time.monotonic()
        if emulator.modes.synchronized:
            self._held_since = self._held_since or now
            if now - self._held_since < SYNCHRONIZED:
                self._painting = self.set_timer(FRAME, self._tick)
                return
        self._held_since = 0.0
        flood = self._fed > FLOOD
        printed, self._fed = self._fed > 0, 0
        self._told(printed)
        self._paint()
        if flood:
            self._painting = self.set_timer(FLOOD_FRAME, self._tick_on)

    def _tick_on(self) -> None:
        """After a flood's paint, wait for the next one only while it goes on."""
        self._painting = None
        if self._fed:
            self._tick()

    def _told(self, printed: bool) -> None:
        """Pass on what the program said beside the screen."""
        from cockpit.term.emulator import ClipboardOffered, Rang, TitleChanged

        assert self.emulator is not None
        told = self.emulator.events()
        for event in told:
            if isinstance(event, ClipboardOffered):
                self.post_message(self.Copied(event.text, offered=True))
        rang = any(isinstance(event, Rang) for event in told)
        if rang or not self._looked_at or any(isinstance(event, TitleChanged) for event in told):
            self._say(rang=rang, printed=printed)

    @property
    def _looked_at(self) -> bool:
        """Whether it is on the screen: neither it nor the terminals are hidden."""
        return bool(self.display) and (self.parent is None or bool(getattr(self.parent, "display", True)))

    def _paint(self) -> None:
        """Have the rows drawn that look otherwise now."""
        if self.emulator is None or self.view is None:
            self.refresh()
            return
        moved = self.view.follow()
        rows = set(self.emulator.changed())
        if not self._looked_at or not self.is_mounted:
            return
        if moved or len(rows) >= self.size.height:
            self.refresh()
            return
        if self.view.scrolled:
            return
        rows |= {self._cursor_row, self.emulator.cursor.row}
        self._cursor_row = self.emulator.cursor.row
        self.refresh(*(Region(0, row, self.size.width, 1) for row in rows))

    def render_line(self, y: int) -> Strip:
        """Draw one row."""
        base, width = self.rich_style, self.size.width
        if self.emulator is None or self.view is None:
            return self._waiting(y)
        number = self.view.top + y
        row = self.view.row(number)
        return strip_of(
            row,
            width,
            base,
            marks=self._marks(number, base),
            reversed_screen=self.emulator.modes.reverse_screen,
        )

    def _waiting(self, y: int) -> Strip:
        lines = self.error.splitlines() if self.error else ["opening …"]
        text = lines[y] if y < len(lines) else ""
        from rich.segment import Segment

        from widgets.text import safe

        style = self.rich_style if self.error else self.get_component_rich_style("terminal--muted")
        return Strip([Segment(f" {safe(text, 1000)}", style)]).adjust_cell_length(
            self.size.width, self.rich_style
        )

    def _marks(self, number: int, base: Style) -> list[Mark]:
        """Return what is drawn over a row: what is selected, what was found, the cursor."""
        assert self.view is not None and self.emulator is not None
        marks = []
        for start, end, here in self.view.found_on(number):
            part = "terminal--here" if here else "terminal--found"
            marks.append((start, end, self.get_component_rich_style(part)))
        if (selected := self.view.selected_on(number, self.size.width)) is not None:
            marks.append((*selected, self.get_component_rich_style("terminal--selected")))
        cursor = self.emulator.cursor
        if cursor.visible and self.running and number == self.emulator.scrollback.end + cursor.row:
            style = CURSORS[cursor.shape] if self.has_focus else UNFOCUSED
            marks.append((cursor.column, cursor.column + 1, style))
        return marks

    # What is typed.

    def press(self, key: str, character: str | None) -> None:
        """Type a key."""
        if self.emulator is None:
            return
        self.type(keys.encode(key, character, self.emulator.modes))

    def type(self, data: bytes) -> None:
        """Send the program what was typed; the view goes back to the screen."""
        if not data or self.cable is None or self.view is None or self.outcome is not None:
            return
        self._typed_at = time.monotonic()
        self.cable.write(data)
        if self._painting is not None:  # what comes now is the answer, though it be in a flood
            self._painting.stop()
            self._painting = self.set_timer(FRAME, self._tick)
        if self.view.scrolled or self.view.selection:
            self.view.live()
            self.refresh()

    def paste(self, text: str) -> None:
        """Type a text that was pasted."""
        if self.emulator is not None:
            self.type(paste.encode(text, self.emulator.modes))

    def on_focus(self) -> None:
        """Tell the program, where it asked."""
        self._tell_focus(True)

    def on_blur(self) -> None:
        """Tell the program, where it asked."""
        self._tell_focus(False)

    def _tell_focus(self, gained: bool) -> None:
        self.refresh()
        if self.emulator is None or self.cable is None or not self.running:
            return
        if data := keys.focus(gained, self.emulator.modes):
            self.cable.write(data)

    # The mouse: the program's where it asked for it, else it selects and scrolls; with shift it always does.

    def _report(self, does: Does, button: int, event: events.MouseEvent) -> bool:
        """Tell the program what the mouse does; False where it does not want to know."""
        if self.emulator is None or self.view is None or event.shift or self.view.scrolled:
            return False
        modes = self.emulator.modes
        if not mouse.wants(does, button, modes.mouse):
            return False
        x, y = self._cell(event)
        data = mouse.encode(does, button, x, y, modes, alt=event.meta, ctrl=event.ctrl)
        if data and self.cable is not None and self.running:
            self.cable.write(data)
        return True

    def _cell(self, event: events.MouseEvent) -> tuple[int, int]:
        return (
            min(max(0, int(event.x)), self.size.width - 1),
            min(max(0, int(event.y)), self.size.height - 1),
        )

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Press, or begin to select."""
        event.stop()
        self.capture_mouse()
        if self._report(Does.PRESS, event.button - 1, event) or self.view is None or event.button != 1:
            return
        x, y = self._cell(event)
        self._dragging = True
        self.view.select_from(self.view.top + y, x)
        self.refresh()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Move, or select on."""
        if self._dragging and self.view is not None:
            x, y = self._cell(event)
            self.view.select_to(self.view.top + y, x)
            self.refresh()
            return
        self._report(Does.MOVE, event.button - 1 if event.button else 3, event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Release, or copy what was selected."""
        event.stop()
        self.release_mouse()
        if not self._dragging:
            self._report(Does.RELEASE, event.button - 1, event)
            return
        self._dragging = False
        self.copy()

    def copy(self) -> bool:
        """Copy what is selected; False where nothing is."""
        text = self.view.selected() if self.view is not None else ""
        if text:
            self.post_message(self.Copied(text))
        return bool(text)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Turn the wheel up."""
        event.stop()
        self._wheel(event, mouse.UP)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Turn the wheel down."""
        event.stop()
        self._wheel(event, mouse.DOWN)

    def _wheel(self, event: events.MouseEvent, button: int) -> None:
        """Tell the program, or be its arrow keys on the alternate screen, or scroll."""
        if self.emulator is None or self._report(Does.PRESS, button, event):
            return
        down = button == mouse.DOWN
        if self.emulator.modes.alternate and not event.shift:
            if self.cable is not None and self.running:
                self.cable.write(mouse.wheel(down, self.emulator.modes) * mouse.ARROWS)
            return
        self.scroll_rows(WHEEL if down else -WHEEL)

    def scroll_rows(self, rows: int) -> None:
        """Look further down or up."""
        if self.view is not None:
            self.view.scroll(rows)
            self.refresh()
            self._say()


def _prepare() -> None:
    """Import the emulator where that holds nobody up: it takes a twentieth of a second."""
    import cockpit.term.bittty_emulator  # noqa: F401
