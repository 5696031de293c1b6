"""Help for the pane one is in: its keys as they are bound now, then everybody's."""

from __future__ import annotations

from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from cockpit.keymap import APART, LED, Keymap, show_key
from widgets.text import HEALTH_MARK, LATE_MARK, SEVERITY_MARK, fit

PLACES = {
    "pane": "Every pane", "rows": "Rows", "app": "Everywhere", "output": "Output of a command",
    "timeline": "Time line", "record": "One record of it", "terminal": "In a terminal, after the leader key",
    "scrollback": "In what scrolled away",
}  # fmt: skip
FIXED = (
    ("↑ ↓ PgUp PgDn", "scroll a detail or an output; in the command bar, earlier lines"),
    ("Enter", "send a form or a line"),
)
"""Keys that are the toolkit's own, and stay as they are."""

WIDTH = 62
"""Cells for what a key does."""
INDENT = " " * 17


LEGEND = (
    "On top: ● rec, what is run is recorded, then the cockpit's own share of a core and its memory; ◌1/7, one of "
    "seven sources is down or late. In a waterfall ━ is time on the critical path, █ is not; ~clock, moved because "
    "the clocks disagree. In the logs « came late and » is ahead of the clock."
)


class Help(ModalScreen[None]):
    """What the keys do."""

    DEFAULT_CSS = """
    Help {
        align: center middle;
        & > VerticalScroll {
            width: 90; max-width: 96%; height: auto; max-height: 92%;
            border: heavy $border; background: $surface; padding: 0 1;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "dismiss", "back")]

    def __init__(self, keymap: Keymap, place: str) -> None:
        super().__init__()
        self.keymap = keymap
        self.place = place

    def compose(self) -> ComposeResult:
        """Lay out the one text."""
        with VerticalScroll() as frame:
            frame.border_title = Content(f"Help · {self.place}")
            frame.border_subtitle = Content("Esc back")
            yield Static(self.text())

    def text(self) -> Content:
        """Return the keys by place."""
        parts: list[str | tuple[str, str]] = []
        apart = ("timeline", "rows", "record", "replay", "playback")
        usual = ("pane", "rows", "app", "output")
        beside = LED if self.place in LED else apart if self.place in APART else usual
        for place in dict.fromkeys([self.place, *beside]):
            parts.append((f"\n{PLACES.get(place, place.capitalize())}\n", "bold $text-accent"))
            for action in self.keymap.actions(place):
                keys = " ".join(show_key(key) for key in self.keymap.keys(action.id)) or "unbound"
                parts += _line(keys, action.help, action.id)
        parts.append(("\nFixed\n", "bold $text-accent"))
        for keys, what in FIXED:
            parts += _line(keys, what)
        marks = "  ".join([*(f"{mark} {state}" for state, mark in HEALTH_MARK.items()), f"{LATE_MARK} late"])
        names = ("none", "info", "warning", "error", "critical")
        severities = "  ".join(f"{mark} {name}" for mark, name in zip(SEVERITY_MARK, names, strict=True))
        parts += [("\nMarks\n", "bold $text-accent"), f"  {marks}\n  {severities}\n"]
        parts.append(f"  {LEGEND}\n")
        parts.append(
            ("\nRebind or unbind any of these by its name in [keys] of cockpit.toml.\n", "$text-muted")
        )
        return Content.assemble(*parts)


def _line(keys: str, what: str, identity: str = "") -> list[str | tuple[str, str]]:
    """Lay out one key: what it does, beneath itself where that is long, and its name at the end."""
    lines = wrap(what, WIDTH)
    beside = len(lines[-1]) + len(identity) + 2 <= WIDTH
    return [
        (f"  {fit(keys, 15)}", "bold"),
        ("\n" + INDENT).join(lines),
        (f"{'  ' if beside or not identity else chr(10) + INDENT}{identity}\n", "$text-muted"),
    ]
