"""The app's scope: what a pane or a key narrows or moves, all panes follow."""

from __future__ import annotations

from textual import on

from cockpit.pace import Pace
from cockpit.scope import WHOLE
from cockpit.signals import SECOND
from cockpit.stores.base import Clock
from widgets.app_keys import WINDOWS
from widgets.commanding import CommandingApp
from widgets.lines import Breadcrumb
from widgets.messages import CursorMoved, FilterChanged, ScopeNarrowed
from widgets.text import age


class ScopingApp(CommandingApp):
    """An app whose panes all follow one scope."""

    breadcrumb: Breadcrumb
    _pace: Pace
    _clock: Clock

    @on(ScopeNarrowed)
    def _narrowed(self, event: ScopeNarrowed) -> None:
        self.cockpit.trail.push(title=event.title, **event.changes)
        self.spread()

    @on(CursorMoved)
    def _cursor_moved(self, event: CursorMoved) -> None:
        self.move_cursor(event.moment)

    @on(FilterChanged)
    def _filter_changed(self) -> None:
        if self.cockpit.files is not None:  # they are searched elsewhere, so that letters wait for nothing
            self._pace.news(at_once=True)

    def move_cursor(self, moment: int | None) -> None:
        """Have all panes look at a moment, in nanoseconds since the epoch; None lets go of it."""
        self.cockpit.trail.amend(cursor=moment)
        self.spread()

    def spread(self) -> None:
        """Let all panes take over the scope as it is now."""
        self._pace.stir()
        self.board.follow(self.cockpit.trail.now)
        self.breadcrumb.refresh()

    def action_shift(self, direction: int) -> None:
        """Move the time cursor by a sixtieth of the window; at now it lets go."""
        now, scope = self._clock(), self.cockpit.trail.now
        begin, until = self.cockpit.window(now)
        end = self.cockpit.latest(now) if scope.end is None else scope.end
        moment = (end if scope.cursor is None else scope.cursor) + direction * max(
            SECOND, (until - begin) // 60
        )
        self.move_cursor(None if moment >= end else moment)

    def action_widen(self, direction: int) -> None:
        """Go to the next wider or narrower window."""
        span = self.cockpit.trail.now.span
        if span == WHOLE:
            if direction > 0:
                return
            start, end = self.cockpit.window(self._clock())
            span = end - start
        if direction > 0:
            widest = span if self.cockpit.files is None else WHOLE
            wanted = next((each for each in WINDOWS if each > span), widest)
        else:
            wanted = next((each for each in reversed(WINDOWS) if each < span), span)
        title = self.cockpit.trail.now.title
        told = {"title": f"last {age(wanted)}"} if title.startswith("last ") else {}
        self.cockpit.trail.amend(span=wanted, **told)
        self.spread()
