"""The past in the logs pane: records older than those kept here, asked from the sources that keep them.

A filter line that begins with `raw:` is no filter of what is here but a question to one engine, in its own language:
Enter puts it, and the engine's answer is shown by itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from msgspec import Struct
from textual import work
from textual.worker import Worker, get_current_worker

from cockpit.errors import UsageError
from cockpit.scope import Scope
from cockpit.source import TimeRange
from cockpit.stores.base import Stores
from cockpit.stores.logs import LogFilter
from cockpit.stores.logs.asked import asked_of
from cockpit.stores.logs.raw import RawQuery, read_raw
from widgets.asking import Asks
from widgets.logs_past import Joined, Past, Wanted, ask_past, joined
from widgets.logs_status import asking_parts
from widgets.logs_view import LogsView
from widgets.messages import Noticed
from widgets.text import clock


class _Asking(Struct, frozen=True):
    """A question that is on its way: who puts it, and for which time."""

    worker: Worker[None]
    within: TimeRange


class LogsAsking(LogsView):
    """Log records, and older ones for the asking."""

    def __init__(
        self, stores: Stores, *, number: int, asks: Asks | None = None, columns: Sequence[str] = ()
    ) -> None:
        super().__init__(stores, number=number, columns=columns)
        self.asks = asks
        self.past: Past | None = None
        """What was asked for from before the ring's time, while it is shown."""
        self._asking: _Asking | None = None
        self._asked: int | None = None
        """The moment that was asked for last without a key."""
        self._answer = ""
        """What the last question's errors said."""
        self._raw: RawQuery | None = None
        """The question of the filter line in an engine's own language, while that is what it is."""
        self._raw_asked: tuple[RawQuery, Hashable] | None = None
        """The one that was put last, and for which part of the scope."""

    def also(self) -> Sequence[Hashable]:
        """Follow the question and its answer too."""
        return (id(self.past), self._asking is None)

    def redraw(self) -> None:
        """Ask unprompted where the scope shows what is not kept here."""
        super().redraw()
        self._ask_unprompted()

    def follow(self, scope: Scope) -> None:
        """Let go of the past where the scope is live again, or shows what came after it."""
        moved = (scope.cursor, scope.end) != (self.scope.cursor, self.scope.end)
        super().follow(scope)
        past = self.past
        if moved and past is not None and self._raw is None:
            beyond = past.until is not None and scope.moment(self.now) > past.until
            if scope.live or beyond:
                self._leave_past()

    def why_empty(self) -> str:
        """Say that an answer has nothing, where that is so."""
        past = self.past
        if past is None or len(past.store):
            return super().why_empty()
        return "no answer" if past.failed else "the answer has no record"

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
        asking = None if self._asking is None else self._asking.within
        return (self._answer, self._unasked(), *asking_parts(asking, self.past))

    def offered(self) -> Sequence[str]:
        """Say who could be asked for what is before the oldest row."""
        askable = self._offering() if self._asking is None and self.past is None else []
        if not askable or self._raw is not None or self.lines.rank != 0 or self.lines.following:
            return ()
        names = askable[0] if len(askable) == 1 else f"{len(askable)} sources"
        return (f"the oldest kept · o asks {names}",)

    def step_back(self) -> bool:
        """Drop the question, else leave the past."""
        if self._asking is not None:
            self._asking.worker.cancel()
            self._asking = None
            return True
        if self.detail is None and self.past is not None and not self.filtering:
            self._leave_past()
            return True
        return super().step_back()

    def keep_filter(self) -> None:
        """Put the question that the line is, or the last one anew by this filter: more may have come in since."""
        super().keep_filter()
        self._read_filter()
        if self._raw is not None:
            self._ask_raw(self._raw)
        elif self.past is not None and not self._problem:
            self._put_question(self.past.wanted.within)

    def action_older(self) -> None:
        """Ask the sources for what came before."""
        if self._asking is not None:
            return
        if self._raw is not None and self._raw_asked is None:
            self._ask_raw(self._raw)
            return
        if not self._offering():
            self.post_message(Noticed("no source can be asked for older records", "warning"))
            return
        store = self.stores.logs
        moment = self.scope.moment(self.now)
        if self.past is not None:
            oldest, end = self.past.reached, self.past.wanted.end
        else:
            oldest, end = next(iter(store.times(store.first, store.first + 1)), self.now), moment
        self._put_question(TimeRange(max(0, min(oldest, moment) - self.scope.span), end), on=True)

    # What is asked.

    def _query(self) -> str:
        """Return what is asked of the sources: all that narrows the rows, or as much of it as can be said."""
        if self._raw is not None:
            return self._raw.asked
        try:
            return asked_of(self._criteria())
        except UsageError:
            return self._filter.text

    def _put_question(self, within: TimeRange, *, on: bool = False) -> None:
        """Put a question for a time; to go on, only for what of it is not here yet."""
        query, past = self._query(), self.past
        on = on and past is not None and past.wanted.query == query
        wanted = Wanted(tuple(self._offering()), query, within.start, within.end, alone=self._raw is not None)
        if self._asking is not None:
            self._asking.worker.cancel()
        self._asking = _Asking(self._ask(wanted, past if on else None), within)

    @work(group="logs-ask", exclusive=True, exit_on_error=False)
    async def _ask(self, wanted: Wanted, before: Past | None) -> None:
        worker = get_current_worker()
        try:
            if self.asks is None:
                return
            past = await ask_past(self.asks, wanted, await self._there(wanted, before))
        finally:
            if self._asking is not None and self._asking.worker is worker:
                self._asking = None
        self._answer = "; ".join(past.remarks)
        if not past.asked and self.past is None and not wanted.alone:
            self._answer = self._answer or f"nothing older from {clock(wanted.start)} on"
            return
        self.lines.hold()
        self.past = past
        self._view = past.store.view()

    async def _there(self, wanted: Wanted, before: Past | None) -> Joined:
        if before is not None:
            return await before.joined()
        if wanted.alone:
            return Joined([], dict.fromkeys(wanted.names, wanted.end))
        return await joined(self.stores.logs, wanted.names, wanted.end)

    def _ask_unprompted(self) -> None:
        """Ask once where the scope shows a moment before all that is kept, or another time than a raw query's."""
        scope, moment = self.scope, self.scope.moment(self.now)
        if self._asking is not None:
            return
        if self._raw is not None:
            query, time = self._raw_asked or (None, None)
            if query == self._raw and time != _time_of(scope):
                self._ask_raw(self._raw)
            return
        if scope.live or moment == self._asked or not self._offering():
            return
        store, known = self._view.store, self.past.reached if self.past is not None else None
        before = (
            len(store) > 0 and store.number_at(moment) == store.first and (known is None or moment < known)
        )
        if before:
            self._asked = moment
            self.action_older()

    def _leave_past(self) -> None:
        self.past = None
        self._answer = ""
        self._view = self._live

    def _offering(self) -> list[str]:
        if self.asks is None:
            return []
        if self._raw is not None:
            return [self._raw.source] if self._raw.source else []
        return self.asks.offering("query_logs")

    # An engine's own language.

    def _read_filter(self) -> None:
        """Read what is typed; a question in an engine's own language filters nothing."""
        raw = read_raw(self.filter_text)
        if raw is None:
            if self._raw is not None:
                self._raw = self._raw_asked = None
                self._leave_past()
            super()._read_filter()
            return
        self._filter = LogFilter(text=self.filter_text)
        try:
            self._raw = meant(raw, {} if self.asks is None else self.asks.log_languages())
            self._problem = ""
        except UsageError as error:
            self._raw = raw
            self._problem = f"✖ {error}"

    def _unasked(self) -> str:
        """Say what Enter would ask, where that is not what is shown."""
        if self._raw is None or self._problem or self._asking is not None or self.asks is None:
            past = self.past
            if self._raw is None and past is not None and self._asking is None and not self._problem:
                return "" if self._query() == past.wanted.query else "asked by another filter: o asks anew"
            return ""
        if self.past is not None and self.past.wanted.query == self._raw.asked:
            return ""
        language = self.asks.log_languages().get(self._raw.source, "")
        return f"Enter asks {self._raw.source} in {language}"

    def _ask_raw(self, raw: RawQuery) -> None:
        if self._problem:
            return
        start, end = self.scope.window(self.now)
        self._raw_asked = (raw, _time_of(self.scope))
        self._put_question(TimeRange(max(0, start), min(end, self.scope.moment(self.now))))


def meant(raw: RawQuery, languages: Mapping[str, str]) -> RawQuery:
    """Return a query in an engine's own language with the source that it is for.

    Raises:
        UsageError: There is none, it is none of an engine's, or it could be several.
    """
    known = ", ".join(f"{name} ({language})" for name, language in sorted(languages.items()))
    if not languages:
        raise UsageError(
            "raw: asks an engine that holds logs, and these records are no engine's",
            remedy="write it without raw:, in the language of the filter line",
        )
    if not raw.source and len(languages) > 1:
        first = min(languages)
        raise UsageError(f"raw: could ask {known}", remedy=f"name one: raw@{first}: …")
    source = raw.source or next(iter(languages))
    if source not in languages:
        raise UsageError(f"{source} takes no raw query", remedy=f"these do: {known}")
    if not raw.text:
        raise UsageError("raw: of what?", remedy=f"raw: and a query in {languages[source]}")
    return RawQuery(source, raw.text)


def _time_of(scope: Scope) -> Hashable:
    return (scope.span, scope.end, scope.cursor)
