"""The patterns of the records that are shown: a table over the pane, what is new or rising on top."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from msgspec import Struct
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from cockpit.errors import CockpitError
from cockpit.signals import LogRecord
from cockpit.stores.logs import View
from cockpit.stores.logs.mining import Batch, Mine, Mined, Patterns, rate_text
from cockpit.stores.logs.mining_apart import mine
from widgets.rows import Piece, RowList, columns
from widgets.text import clock, safe

BATCH = 500
"""Records handed over at a time: some milliseconds."""
TREND = {
    "new": ("★ new", "error"),
    "rising": ("▲ rising", "warning"),
    "steady": ("", "muted"),
    "": ("", "muted"),
}
"""How each trend is written, and its style."""


class Choice(Struct, frozen=True):
    """A template that was chosen.

    Attributes:
        text: What it says.
        query: What finds its records; empty for none.
        keeps: Whether to keep them in, or out.
    """

    text: str
    query: str
    keeps: bool


class PatternsScreen(ModalScreen[Choice | None]):
    """Patterns as they are mined; dismissed with one to filter to or away from, or None."""

    DEFAULT_CSS = """
    PatternsScreen {
        align: center middle;
        & > Vertical { width: 96%; height: 90%; border: heavy $border; background: $surface; padding: 0 1; }
        & Static { height: 1; color: $text-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,p", "cancel", show=False),
        Binding("minus,d", "away", show=False),
        Binding("i", "towards", show=False),
    ]

    def __init__(self, wanted: Mine, view: View) -> None:
        """Make the table.

        Args:
            wanted: What is to be mined.
            view: The records that are handed over where these are no files.
        """
        super().__init__()
        self._wanted = wanted
        self._view = view
        self.rows: RowList[Mined] = RowList(
            self._draw, key=lambda each: each.text, header=self._header, empty="reading…"
        )

    def compose(self) -> ComposeResult:
        """Lay the table over the line that says how far it is."""
        with Vertical() as frame:
            since = self._wanted.since
            told = f", new or rising since {clock(since, date=True)} on top" if since is not None else ""
            frame.border_title = Content(f"Patterns{told}")
            frame.border_subtitle = Content("Enter keeps it in · - keeps it out · Esc leaves")
            yield self.rows
            yield Static("reading…", id="patterns-status")

    def on_mount(self) -> None:
        """Begin to mine."""
        self.rows.focus()
        self._mine()

    @work(exit_on_error=False)
    async def _mine(self) -> None:
        try:
            await mine(self._wanted, self._batches(), self._take)
        except CockpitError as error:
            self._say(f"✖ {error}")

    def _take(self, patterns: Patterns) -> None:
        self.rows.empty = "nothing to find patterns in" if patterns.ended else "reading…"
        self.rows.show_items(patterns.mined)
        of = patterns.of or len(self._view)
        share = "all read" if patterns.ended else f"{100 * patterns.done // max(1, of)} % read"
        wrong = f" · ✖ {patterns.error}" if patterns.error else ""
        self._say(f"{len(patterns.mined):,} patterns · {share}{wrong}")

    def _say(self, text: str) -> None:
        self.query_one("#patterns-status", Static).update(Content(safe(text, 300)))

    def _batches(self) -> Iterator[Batch]:
        """Give the records that are shown, oldest first."""
        view = self._view
        number = view.number(0) if len(view) else 0
        while (rank := view.rank(number)) < len(view):
            numbers = [view.number(place) for place in range(rank, min(rank + BATCH, len(view)))]
            records: list[LogRecord] = [view.store[each] for each in numbers]
            yield Batch(numbers, [each.at for each in records], [each.body for each in records])
            number = numbers[-1] + 1

    def action_cancel(self) -> None:
        """Leave, and stop mining."""
        self._leave(None)

    def action_away(self) -> None:
        """Keep the pattern out."""
        if (each := self.rows.current) is not None:
            self._leave(Choice(each.text, each.query, keeps=False))

    def action_towards(self) -> None:
        """Keep the pattern in."""
        if (each := self.rows.current) is not None:
            self._leave(Choice(each.text, each.query, keeps=True))

    @on(RowList.Chosen)
    def _chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self._leave(Choice(event.item.text, event.item.query, keeps=True))

    def _leave(self, choice: Choice | None) -> None:
        if self.is_current:
            self.dismiss(choice)

    def _header(self, width: int) -> Sequence[Piece]:
        return columns(
            width,
            *self._trend_cells("", "muted"),
            ("count", "", -10),
            ("lately", "", -9),
            ("last", "", 8),
            ("pattern", "", 0),
        )

    def _draw(self, each: Mined, width: int) -> Sequence[Piece]:
        word, style = TREND.get(each.trend, ("", "muted"))
        return columns(
            width,
            *self._trend_cells(word, style),
            (f"{each.count:,}", "", -10),
            (rate_text(each.rate), "muted", -9),
            (clock(each.last_at) if each.last_at > 0 else "", "muted", 8),
            (safe(each.text, 400), "strong" if each.trend == "new" else "", 0),
        )

    def _trend_cells(self, word: str, style: str) -> list[tuple[str, str, int]]:
        return [(word, style, 8)] if self._wanted.since is not None else []
