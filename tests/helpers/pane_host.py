"""A screen with one pane on it, whose clock stands still and whose messages are kept."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import App, ComposeResult
from textual.message import Message
from textual.widget import Widget

from cockpit.scope import ScopeTrail
from cockpit.stores.alerts import AlertStore
from cockpit.stores.base import Stores
from cockpit.stores.health import HealthStore
from cockpit.stores.logs import LogStore
from cockpit.stores.traces import TraceStore
from widgets.messages import Noticed, ScopeNarrowed, TextCopied
from widgets.pane import Pane


def empty_stores() -> Stores:
    """Return four stores with nothing in them."""
    return Stores(HealthStore(), AlertStore(), LogStore(), TraceStore())


class PaneHost(App[None]):
    """Does for one pane what the cockpit's app does for four."""

    CSS = "Pane { height: 1fr; }"
    BINDINGS = [("escape", "back", "back")]

    def __init__(self, pane: Pane, now: int) -> None:
        super().__init__()
        self.pane = pane
        self.now = now
        self.trail = ScopeTrail()
        self.told: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.focus_body()
        self.tick()

    def tick(self, passed: int = 0) -> None:
        """Let some nanoseconds pass and the pane redraw."""
        self.now += passed
        self.pane.tick(self.now, ())

    def narrow(self, **changes: object) -> None:
        """Change the scope as another pane would."""
        self.pane.follow(self.trail.push(**changes))
        self.tick()

    def on_scope_narrowed(self, event: ScopeNarrowed) -> None:
        self.told.append(event)
        self.narrow(title=event.title, **event.changes)

    def on_text_copied(self, event: TextCopied) -> None:
        self.told.append(event)

    def on_noticed(self, event: Noticed) -> None:
        self.told.append(event)

    async def action_back(self) -> None:
        if not self.pane.step_back() and self.trail.back():
            self.pane.follow(self.trail.now)
        self.tick()

    def lines(self, widget: Widget | None = None) -> list[str]:
        """Return what a widget, or the whole screen, shows as text."""
        region = (widget or self.screen).region
        strips = self.screen._compositor.render_strips()
        return [strip.crop(region.x, region.right).text for strip in strips[region.y : region.bottom]]


def shown(lines: Iterable[str]) -> str:
    """Return lines as one text without the blanks at their ends."""
    return "\n".join(line.rstrip() for line in lines)
