"""The small lines around the panes: breadcrumb above, command bar and keys below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.suggester import Suggester
from textual.widgets import Input, Label

from cockpit.keymap import ALONE, APART, EVERYWHERE, LED, Action, Keymap, show_key
from cockpit.scope import WHOLE, Scope, ScopeTrail
from cockpit.signals import SECOND
from widgets.messages import CommandEntered
from widgets.parts import Parts
from widgets.text import age, clock, safe

HELP = ".help"
"""The action whose key is always shown, since it shows the others, in whichever place."""


class Breadcrumb(Parts):
    """Where one is: the way the scope was narrowed, its window, and the time cursor."""

    DEFAULT_CSS = """
    Breadcrumb {
        height: 1;
        background: $boost;
        color: $text-muted;
        & > .breadcrumb--cursor { color: $text-accent; text-style: bold reverse; }
        & > .breadcrumb--here { color: $text; text-style: bold; }
    }
    """

    def __init__(self, trail: ScopeTrail) -> None:
        super().__init__(id="breadcrumb")
        self.trail = trail
        self.now = 0

    def tick(self, now: int) -> None:
        """Let the clock on the line go on."""
        self.now = now
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the path on the left and the time on the right."""
        width = self.size.width
        path = [safe(step, 40) for step in self.trail.path]
        base = self.rich_style
        here = self.get_component_rich_style("breadcrumb--here")
        right = self._time(self.trail.now)
        before = " › ".join(path[:-1])
        before = f" {before} › " if before else " "
        room = max(0, width - len(right) - len(path[-1]))
        style = base if self.trail.now.live else self.get_component_rich_style("breadcrumb--cursor")
        return Strip(
            [
                Segment(before[-room:] if len(before) > room else before, base),
                Segment(path[-1], here),
                Segment(" " * max(0, room - len(before)), base),
                Segment(right, style),
            ]
        ).adjust_cell_length(width, base)

    def _time(self, scope: Scope) -> str:
        window = (
            f"last {age(scope.span)}" if scope.end is None else f"{age(scope.span)} to {clock(scope.end)}"
        )
        window = "all of it" if scope.span == WHOLE else window
        if scope.cursor is not None:
            ago = age(max(0, self.now - scope.cursor)) if self.now else "?"
            return f" AT {clock(scope.cursor, date=True)} UTC, {ago} ago · {window} "
        return f" {clock(self.now)} UTC · {window} " if self.now >= SECOND else f" {window} "


class KeyBar(Parts):
    """The keys that matter where the focus is, as they are bound now."""

    DEFAULT_CSS = """
    KeyBar {
        height: 1;
        background: $panel;
        color: $text-muted;
        & > .keybar--key { color: $text-accent; text-style: bold; }
    }
    """

    @dataclass
    class Pressed(Message):
        """A key of the line was clicked."""

        action: Action

    def __init__(self, keymap: Keymap) -> None:
        super().__init__(id="keybar")
        self.keymap = keymap
        self.place = "app"
        self._spots: list[tuple[int, int, Action]] = []

    def show_place(self, place: str) -> None:
        """Show the keys of another pane."""
        if place != self.place:
            self.place = place
            self.refresh()

    def actions(self) -> list[Action]:
        """Return what the line offers, the pane's own first."""
        own = self.keymap.actions(self.place) if self.place != EVERYWHERE else []
        shared = [] if self.place in ALONE else self.keymap.actions("pane")
        offered = own if self.place in (*APART, *LED) else [*own, *shared, *self.keymap.actions(EVERYWHERE)]
        return [action for action in offered if action.footer and self.keymap.keys(action.id)]

    def render_line(self, y: int) -> Strip:
        """Draw as many keys as there is room for; help, which shows the rest, always has its room."""
        base = self.rich_style
        strong = self.get_component_rich_style("keybar--key")
        segments = [Segment(" ", base)]
        used = 1
        self._spots = []
        offered = self.actions()
        kept = next((self._room_of(action) for action in offered if action.id.endswith(HELP)), 0)
        for action in offered:
            key = show_key(self.keymap.keys(action.id)[0])
            size = self._room_of(action)
            kept -= size if action.id.endswith(HELP) else 0
            if used + size + kept > self.size.width:
                continue
            segments += [Segment(key, strong), Segment(f" {action.label}  ", base)]
            self._spots.append((used, used + size, action))
            used += size
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _room_of(self, action: Action) -> int:
        return len(show_key(self.keymap.keys(action.id)[0])) + len(action.label) + 3

    def on_click(self, event: events.Click) -> None:
        """Ask for what the key under the mouse does."""
        for start, end, action in self._spots:
            if start <= event.x < end:
                self.post_message(self.Pressed(action))


class CommandBar(Horizontal):
    """The line for `:` commands, `!` shell lines and notes; it shows the target while it waits."""

    DEFAULT_CSS = """
    CommandBar {
        height: 1;
        background: $boost;
        & > Label { width: auto; padding: 0 1; color: $text-muted; }
        & > Input { width: 1fr; border: none; padding: 0; height: 1; background: $boost; }
    }
    """

    def __init__(self, suggester: Suggester | None = None) -> None:
        """Make the line.

        Args:
            suggester: Says how what is typed may go on; the right arrow takes it.
        """
        super().__init__(id="commandbar")
        self._suggester = suggester
        self.mode = ":"
        self.idle = ""
        """What it says while it waits."""
        self.history: dict[str, list[str]] = {":": [], "!": [], "note": []}
        self._place = 0
        self._line: Input | None = None
        """There from the first time that one types into it."""

    def compose(self) -> ComposeResult:
        """Lay out the prompt; the line comes after it."""
        yield Label(Content(" "), id="prompt")

    async def open(self, mode: str, prompt: str) -> None:
        """Take the focus for a line of that mode."""
        self.mode = mode
        self._place = len(self.history[mode])
        self.query_one("#prompt", Label).update(Content(safe(prompt)))
        if self._line is None:
            self._line = Input(compact=True, id="line", suggester=self._suggester)
            await self.mount(self._line)
        self._line.disabled = False
        self._line.value = ""
        self.screen.set_focus(self._line)

    def close(self) -> None:
        """Let go of the focus."""
        if self._line is not None:
            self._line.value = ""
            self._line.disabled = True
        self._say(self.idle)

    def wait(self, idle: str) -> None:
        """Say something else while it waits."""
        self.idle = idle
        if not self.is_open:
            self._say(idle)

    def _say(self, text: str) -> None:
        self.query_one("#prompt", Label).update(Content(safe(text, 200) or " "))

    @property
    def is_open(self) -> bool:
        """True while a line is being typed."""
        return self._line is not None and not self._line.disabled

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the line over."""
        event.stop()
        self.submit()

    def submit(self) -> None:
        """Close, and hand the line over."""
        text, mode = self._line.value.strip() if self._line is not None else "", self.mode
        self.close()
        if text:
            if not self.history[mode] or self.history[mode][-1] != text:
                self.history[mode].append(text)
            self.post_message(CommandEntered(text, mode))

    def on_key(self, event: events.Key) -> None:
        """Walk through what was typed before."""
        if event.key not in ("up", "down") or self._line is None or not self.is_open:
            return
        event.stop()
        past: Sequence[str] = self.history[self.mode]
        self._place = min(len(past), max(0, self._place + (-1 if event.key == "up" else 1)))
        self._line.value = past[self._place] if self._place < len(past) else ""
