"""The four panes together: which one is current, which has the whole screen, and the scope that all follow."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.containers import Container
from textual.message import Message

from cockpit.scope import Scope
from cockpit.stores.base import Stores
from widgets.alerts import AlertsPane
from widgets.asking import Asks
from widgets.health import HealthPane
from widgets.logs import LogsPane
from widgets.pane import Pane
from widgets.traces import TracesPane

PANES: tuple[type[Pane], ...] = (HealthPane, AlertsPane, LogsPane, TracesPane)


class Board(Container):
    """Health, alerts, logs and traces."""

    DEFAULT_CSS = """
    Board {
        height: 1fr; layout: grid; grid-size: 2 2;
        &.-zoomed { layout: vertical; }
        &.-zoomed Pane { display: none; }
        &.-zoomed Pane.-current { display: block; height: 1fr; }
    }
    """

    class Turned(Message):
        """Another pane became the current one."""

        def __init__(self, pane: Pane) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, stores: Stores, asks: Asks, *, author: str, log_columns: Sequence[str] = ()) -> None:
        """Make the panes.

        Args:
            stores: What they read.
            asks: How they ask the sources.
            author: In whose name silences are made.
            log_columns: Attributes of log records that are columns at the start.
        """
        # Held here, since a query finds only what is on the screen on top, which may be the help.
        self.panes: tuple[Pane, ...] = (
            (LogsPane(stores, number=1, columns=log_columns),)
            if stores.logs is not stores.streamed
            else (
                HealthPane(stores, number=1),
                AlertsPane(stores, number=2, asks=asks, author=author),
                LogsPane(stores, number=3, asks=asks, columns=log_columns),
                TracesPane(stores, number=4, asks=asks),
            )
        )
        super().__init__(*self.panes, id="panes")
        self.set_class(len(self.panes) == 1, "-zoomed")
        self.panes[0].add_class("-current")

    @property
    def current(self) -> Pane:
        """The pane that has the focus, or had it last."""
        return next(pane for pane in self.panes if pane.has_class("-current"))

    @property
    def zoomed(self) -> bool:
        """Whether the current pane has the whole screen."""
        return self.has_class("-zoomed")

    def choose(self, number: int) -> None:
        """Make a pane the current one by its number, and give it the focus."""
        chosen = self.panes[min(number, len(self.panes)) - 1]
        self._turn_to(chosen)
        chosen.focus_body()

    def goto(self, link: str) -> None:
        """Go to the log record that a link speaks of."""
        pane = next(pane for pane in self.panes if isinstance(pane, LogsPane))
        self.choose(pane.number)
        pane.goto(link)

    def zoom(self, on: bool) -> None:
        """Give the whole screen to the current pane, or take it back."""
        self.set_class(on or len(self.panes) == 1, "-zoomed")

    def follow(self, scope: Scope) -> None:
        """Let all panes take over another scope."""
        for pane in self.panes:
            pane.follow(scope)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Note which pane the focus came to, by mouse or tab."""
        place = next((node for node in event.widget.ancestors_with_self if isinstance(node, Pane)), None)
        if place is not None:
            self._turn_to(place)

    def _turn_to(self, chosen: Pane) -> None:
        for pane in self.panes:
            pane.set_class(pane is chosen, "-current")
        self.post_message(self.Turned(chosen))
