"""The past in the logs pane: records older than those kept here, asked from the sources that keep them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from textual import work
from textual.worker import Worker

from cockpit.scope import Scope
from cockpit.source import TimeRange
from cockpit.stores.base import Stores
from widgets.asking import Asks
from widgets.logs_past import Past, ask_past
from widgets.logs_status import asking_parts
from widgets.logs_view import LogsView
from widgets.messages import Noticed
from widgets.text import clock


class LogsAsking(LogsView):
    """Log records, and older ones for the asking."""

    def __init__(
        self, stores: Stores, *, number: int, asks: Asks | None = None, columns: Sequence[str] = ()
    ) -> None:
        super().__init__(stores, number=number, columns=columns)
        self.asks = asks
        self.past: Past | None = None
        """What was asked for from before the ring's time, while it is shown."""
        self._asking: tuple[Worker[None], TimeRange] | None = None
        self._asked: int | None = None
        """The moment that was asked for last without a key."""
        self._answer = ""
        """What the last question's errors said."""

    def also(self) -> Sequence[Hashable]:
        """Follow the question and its answer too."""
        return (id(self.past), self._asking is None)

    def redraw(self) -> None:
        """Ask unprompted where the scope shows what is not kept here."""
        super().redraw()
        self._ask_unprompted()

    def follow(self, scope: Scope) -> None:
        """Let go of the past where the scope is live again."""
        moved = (scope.cursor, scope.end) != (self.scope.cursor, self.scope.end)
        if moved and self.past is not None and scope.live:
            self._leave_past()
        super().follow(scope)

    def standing(self) -> str:
        """Say too where the rows are the past."""
        return "past" if self.past is not None else super().standing()

    @property
    def is_live(self) -> bool:
        """True where the rows are those that come, and none from before."""
        return self.past is None

    @property
    def is_wrong(self) -> bool:
        """True too where an answer has errors."""
        return super().is_wrong or bool(self._answer)

    def asked(self) -> Sequence[str]:
        """Say what is being asked for, and what became of it."""
        asking = None if self._asking is None else self._asking[1]
        return (*asking_parts(asking, self.past), self._answer)

    def offered(self) -> Sequence[str]:
        """Say who could be asked for what is before the oldest row."""
        askable = self._offering() if self._asking is None and self.past is None else []
        if not askable or self.lines.rank != 0 or self.lines.following:
            return ()
        names = askable[0] if len(askable) == 1 else f"{len(askable)} sources"
        return (f"the oldest kept · o asks {names}",)

    def step_back(self) -> bool:
        """Drop the question, else leave the past."""
        if self._asking is not None:
            self._asking[0].cancel()
            self._asking = None
            return True
        if self.detail is None and self.past is not None and not self.filtering:
            self._leave_past()
            return True
        return super().step_back()

    def action_older(self) -> None:
        """Ask the sources for what came before."""
        if self._asking is not None:
            return
        if not self._offering():
            self.post_message(Noticed("no source can be asked for older records", "warning"))
            return
        store = self.stores.logs
        if self.past is not None:
            end = self.past.reached
        else:
            end = next(iter(store.times(store.first, store.first + 1)), self.now)
        if not self.scope.live:
            end = min(end, self.scope.moment(self.now))
        within = TimeRange(max(0, end - self.scope.span), end)
        self._asking = (self._ask(within), within)

    @work(group="logs-ask", exclusive=True, exit_on_error=False)
    async def _ask(self, within: TimeRange) -> None:
        try:
            if self.asks is None:
                return
            joined = self.past.store if self.past is not None else self.stores.logs
            past = await ask_past(self.asks, self._filter.text, within, joined)
        finally:
            self._asking = None
        self._answer = "; ".join(past.errors)
        if not past.asked and self.past is None:
            self._answer = self._answer or f"nothing older from {clock(within.start)} on"
            return
        self.lines.hold()
        self.past = past
        self._view = past.store.view()

    def _ask_unprompted(self) -> None:
        """Ask once where the scope shows a moment before anything that is kept."""
        scope, moment = self.scope, self.scope.moment(self.now)
        if scope.live or self._asking is not None or moment == self._asked:
            return
        store, known = self._view.store, self.past.reached if self.past is not None else None
        before = (
            len(store) > 0 and store.number_at(moment) == store.first and (known is None or moment < known)
        )
        if before and self._offering():
            self._asked = moment
            self.action_older()

    def _leave_past(self) -> None:
        self.past = None
        self._answer = ""
        self._view = self._live

    def _offering(self) -> list[str]:
        return [] if self.asks is None else self.asks.offering("query_logs")
