"""Looking through what scrolled away in a terminal: row by row, by what one looks for, and copying from there."""

from __future__ import annotations

from textual import on
from textual.containers import Vertical
from textual.widgets import Input

from widgets.messages import Noticed, TextCopied
from widgets.terminals_tab import TerminalTab


class SearchLine(Input):
    """Where one types what to look for."""

    DEFAULT_CSS = "SearchLine { height: 1; border: none; padding: 0 1; background: $boost; display: none; }"

    def __init__(self) -> None:
        super().__init__(placeholder="search · Enter goes to the last place, Esc leaves", compact=True)


class LookingBack(Vertical):
    """Terminals, of which the current one is looked through.

    Attributes:
        tabs: The terminals.
        number: Which one is looked at, from 0.
        search_line: Where one types what to look for.
    """

    def __init__(self) -> None:
        super().__init__(id="terminals")
        self.tabs: list[TerminalTab] = []
        self.number = 0
        self.search_line = SearchLine()

    @property
    def current(self) -> TerminalTab | None:
        """The terminal that is looked at, or was last."""
        return self.tabs[self.number] if self.tabs else None

    def focus_current(self) -> None:
        """Give the focus to the terminal that is looked at."""
        if self.current is not None:
            self.screen.set_focus(self.current.view)

    def describe(self) -> None:
        """Say on the line what there is to say."""
        raise NotImplementedError

    def action_find(self) -> None:
        """Open the line for what to look for."""
        self.search_line.display = True
        self.search_line.value = ""
        self.screen.set_focus(self.search_line)

    def action_copy(self) -> None:
        """Copy what is selected, else what is on the screen."""
        tab = self.current
        if tab is None or tab.view.copy() or tab.view.view is None:
            return
        view = tab.view.view
        rows = [view.row(view.top + number).text.rstrip() for number in range(tab.view.size.height)]
        self.post_message(TextCopied("\n".join(rows).rstrip("\n"), "the screen"))

    def _scroll(self, rows: int) -> None:
        if self.current is not None:
            self.current.view.scroll_rows(rows)
            self.describe()

    @property
    def _page(self) -> int:
        return max(1, self.current.view.size.height - 1) if self.current is not None else 1

    def look_up(self) -> None:
        """Go up a row."""
        self._scroll(-1)

    def look_down(self) -> None:
        """Go down a row."""
        self._scroll(1)

    def look_page_up(self) -> None:
        """Go up a screen."""
        self._scroll(-self._page)

    def look_page_down(self) -> None:
        """Go down a screen."""
        self._scroll(self._page)

    def look_oldest(self) -> None:
        """Go to the oldest row."""
        self._scroll(-(1 << 30))

    def look_find(self) -> None:
        """Open the line for what to look for."""
        self.action_find()

    def look_above(self) -> None:
        """Go to the place before."""
        self._seek(-1)

    def look_below(self) -> None:
        """Go to the next place."""
        self._seek(1)

    def look_copy(self) -> None:
        """Copy what is selected, else what is on the screen."""
        self.action_copy()

    def look_end(self) -> None:
        """Go back to the screen."""
        if self.current is not None and self.current.view.view is not None:
            self.current.view.view.live()
            self.current.view.view.forget()
            self.current.view.refresh()

    def _seek(self, step: int) -> None:
        view = self.current.view if self.current is not None else None
        if view is None or view.view is None:
            return
        if not view.view.seek(step):
            self.post_message(Noticed("no further place " + ("above" if step < 0 else "below")))
        view.refresh()
        self.describe()

    @on(Input.Submitted)
    def _search(self, event: Input.Submitted) -> None:
        event.stop()
        self.search_line.display = False
        self.focus_current()
        view = self.current.view if self.current is not None else None
        if view is None or view.view is None or not event.value:
            return
        if not view.view.search(event.value):
            self.post_message(Noticed(f"nothing here says {event.value}"))
        elif not view.view.scrolled:
            view.view.go(view.view.top - 1)
        view.refresh()
        self.describe()

    def end_search(self) -> None:
        """Close the line for what to look for."""
        self.search_line.display = False
        self.focus_current()
