"""The logs pane: every source's records on one time line.

It follows the shared scope: its labels narrow what is shown, a fixed window bounds it, and the time cursor shows
the records as they were known at that moment. In a live scope older records stay within reach by scrolling.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.getters import query_one
from textual.timer import Timer
from textual.widgets import Input
from textual.worker import Worker

from cockpit.errors import UsageError
from cockpit.evidence import Pin, of_logs
from cockpit.keymap import Action
from cockpit.scope import Scope
from cockpit.signals import EMPTY, SECOND, Level, LogRecord, Resource, host_of, level_name, service_of
from cockpit.source import TimeRange
from cockpit.stores.base import Stores
from cockpit.stores.logs import Criteria, LogFilter, Pattern, View, parse_filter, read_marks
from widgets.asking import Asks
from widgets.histogram import HistogramStrip
from widgets.keys import bindings
from widgets.logs_detail import LogDetail, as_text
from widgets.logs_keys import ACTIONS, HighlightLine
from widgets.logs_lines import LogLines
from widgets.logs_past import Past, ask_past
from widgets.logs_seek import SLICE, seek
from widgets.logs_status import LogStatus, asking_parts, rows_parts, why_empty
from widgets.messages import CursorMoved, Noticed, ScopeNarrowed, ShellRequested
from widgets.pane import Pane
from widgets.text import clock

FLOORS = (0, Level.DEBUG, Level.INFO, Level.WARN, Level.ERROR, Level.FATAL)
SHORT, TALL = 10, 24
"""Rows of the pane below which the strip is left out, and from which it has another line."""
SLOW = SECOND // 2
"""How long a search goes on before it says how far it is: a line that comes and goes moves the rows."""
SETTLED = 0.12
"""Seconds after a change of the filter in which only its newest rows are looked for: the next letter may follow."""
FLOOD = 500
"""Records that come between two looks at the store in a flood."""
EASE = 0.25
"""Seconds between two pictures of a flood."""

_CSS = """
LogsPane {
    &.-short HistogramStrip { display: none; }
    &.-tall HistogramStrip { height: 3; }
}
"""


class LogsPane(Pane):
    """Log records as they come: filtered, highlighted and counted over time."""

    NAME: ClassVar[str] = "logs"
    SIGNAL: ClassVar[str] = "LogRecord"
    ACTIONS: ClassVar[tuple[Action, ...]] = ACTIONS
    DEFAULT_CSS = _CSS
    BINDINGS = bindings(ACTIONS)

    lines = query_one(LogLines)
    strip = query_one(HistogramStrip)
    status = query_one(LogStatus)
    highlight_line = query_one(HighlightLine)

    def __init__(self, stores: Stores, *, number: int, asks: Asks | None = None) -> None:
        super().__init__(stores, number=number)
        self.asks = asks
        self.floor = 0
        self.highlights: tuple[Pattern, ...] = ()
        self.past: Past | None = None
        """What was asked for from before the ring's time, while it is shown."""
        self._live: View = stores.logs.view()
        self._view = self._live
        self._filter = LogFilter()
        self._problem = ""
        """What is wrong with the filter or the highlight being typed."""
        self._asking: tuple[Worker[None], TimeRange] | None = None
        self._asked: int | None = None
        """The moment that was asked for last without a key."""
        self._answer = ""
        """What the last question's errors said."""
        self._seeking = ""
        self._searching: Timer | None = None
        self._heard = ((-1, 0), 0, 0.0)
        """What is shown: the store's version and how far the search is, the store's end, and since when."""
        self._sought_at = 0
        """When the search began."""
        self._told: Hashable = None

    def body(self) -> ComposeResult:
        """Yield the strip, the rows and the lines under them."""
        yield HistogramStrip()
        yield LogLines(self._live)
        yield LogStatus()
        yield HighlightLine(placeholder="highlight a text or /expression/ · Enter keeps it", compact=True)

    # Drawing.

    def stamp(self) -> Hashable:
        """Follow the store, the search and what the keys changed."""
        return (
            *self._news(),
            self.floor,
            self.highlights,
            id(self.past),
            self.lines.following,
            self._asking is None,
            self._seeking,
            self._problem,
        )

    def _news(self) -> tuple[int, int]:
        """Return the store's version and how far the search is; in a flood as they stood last.

        Nobody reads ten screens a second, of lines that come or of matches that are found beyond the screen.
        """
        store, view, now = self.stores.logs, self._view, time.monotonic()
        news = (store.version, view.searched)
        told, end, since = self._heard
        if news != told:
            calm = store.end - end < FLOOD and (view.complete or len(view) <= self.size.height)
            if calm or now - since >= EASE:
                self._heard = news, store.end, now
                return news
        return told

    def redraw(self) -> None:
        """Show what filter, floor and scope admit, as it was at the scope's moment."""
        self._read_filter()
        scope = self.scope
        start = None if scope.end is None else scope.end - scope.span
        end = scope.end if scope.cursor is None else scope.cursor
        if self._view.look(self._criteria(), start=start, end=end):
            self._sought_at = self.now
            self._search_on(SETTLED)
        self._view.advance(SLICE)
        if not self._view.complete:
            self._search_on()
        lines = self.lines
        lines.empty = why_empty(self._view, scope, self.now)
        lines.show(self._view, marks=(*self._filter.marks, *self.highlights), now=self.now)
        self._show_strip()
        self._show_status()
        told = (self.floor, id(self.past), lines.following)
        if told != self._told:  # what a key changed need not wait for the second
            self._told = told
            self.title()
        self._ask_unprompted()

    def passed(self) -> None:
        """Let the strip go on with the clock."""
        self._show_strip()

    def follow(self, scope: Scope) -> None:
        """Take over another scope; another moment shows its last records, and a live one lets go of the past."""
        if (scope.cursor, scope.end) != (self.scope.cursor, self.scope.end):
            if self.past is not None and scope.live:
                self._leave_past()
            self.lines.follow_newest()
        super().follow(scope)

    def summary(self) -> str:
        """Say how many of how many, by which floor, and whether the rows follow."""
        view = self._view
        shown, total = len(view), len(view.store)
        parts = [f"{shown:,}" if shown == total else f"{shown:,} of {total:,}"]
        if self.floor:
            parts.append(f"≥{level_name(self.floor)}")
        if self.past is not None:
            parts.append("past")
        elif self.scope.live:
            parts.append("follow" if self.lines.following else "standing")
        return " · ".join(parts)

    def resource(self) -> Resource:
        """Return who the record under the cursor is about."""
        record = self.lines.current
        return EMPTY if record is None else record.resource

    def copied(self) -> tuple[str, str]:
        """Copy the record under the cursor in full."""
        record = self.lines.current
        return ("", "") if record is None else (as_text(record), f"log record of {clock(record.at)}")

    def evidence(self) -> Pin:
        """Pin the open record, or the records in view with what they are filtered by."""
        floor = f"level>={level_name(self.floor)}" if self.floor else ""
        query = self.found_by(floor)
        if isinstance(self.detail, LogDetail):
            return of_logs([self.detail.record], matching=1, selected=self.detail.record, query=query)
        records = self.lines.in_view
        if not records:
            raise UsageError("there is no log line in view to pin")
        return of_logs(records, matching=len(self._view), selected=self.lines.current, query=query)

    def on_resize(self, event: events.Resize) -> None:
        """Give the strip what room there is."""
        self.set_class(event.size.height < SHORT, "-short")
        self.set_class(event.size.height >= TALL, "-tall")

    def _criteria(self) -> Criteria:
        scope = self.scope
        return Criteria(
            filter=self._filter,
            floor=self.floor,
            service=scope.service,
            host=scope.host,
            trace_id=scope.trace_id,
        )

    def _read_filter(self) -> None:
        """Read what is typed; while it is wrong, the last good filter holds."""
        if self.filter_text == self._filter.text:
            if not self.highlight_line.has_class("-open"):
                self._problem = ""
            return
        try:
            self._filter = parse_filter(self.filter_text)
            self._problem = ""
        except UsageError as error:
            self._problem = f"✖ {error} · the last good filter holds"

    def _search_on(self, wait: float = 0.0) -> None:
        """Go on searching in slices until all is searched; ticks show how far it is.

        Args:
            wait: Seconds until it goes on, as while a filter is being typed; else it goes on as it does already.
        """
        if not self.is_mounted or (self._searching is not None and not wait):
            return
        if self._searching is not None:
            self._searching.stop()

        def slice_of_it() -> None:
            self._searching = None
            if not self._view.advance(SLICE):
                self._search_on()

        self._searching = self.set_timer(max(SLICE, wait), slice_of_it)

    def _show_strip(self) -> None:
        width = self.strip.room
        if width <= 0 or not self.strip.display:
            return
        start, end = self.scope.window(self.now)
        cell = max(1, (end - start) // width)
        end = (end // cell + 1) * cell
        start = end - cell * width
        columns = self._view.histogram.columns(start, end, width)
        self.strip.show(columns, (start, end), cursor=self.scope.cursor, now=self.now)

    def _show_status(self) -> None:
        asking = None if self._asking is None else self._asking[1]
        askable = self._offering() if asking is None and self.past is None else []
        parts = [self._problem, *asking_parts(asking, self.past), self._answer, self._seeking]
        live, slow = self.past is None, self.now - self._sought_at > SLOW
        parts += [*rows_parts(self._view, self.lines, askable, live=live, slow=slow), self._filter.note]
        self.status.say([part for part in parts if part], error=bool(self._problem or self._answer))

    # The rows.

    @on(LogLines.Moved)
    def _moved(self) -> None:
        self._show_status()
        self.title()

    @on(LogLines.Chosen)
    async def _open(self, event: LogLines.Chosen) -> None:
        """Open the record's detail, and let every pane follow its trace, else its service or host."""
        event.stop()
        rank = self.lines.rank
        if rank is None:
            return
        placing = self._view.store.placing(self._view.number(rank))
        await self.open_detail(LogDetail(event.record, placing, self.now))
        if narrowed := _trace_of(event.record) or _place_of(event.record):
            self.post_message(narrowed)

    @on(HistogramStrip.Picked)
    def _picked(self, event: HistogramStrip.Picked) -> None:
        event.stop()
        self.post_message(CursorMoved(None if event.moment >= self.now else event.moment))

    def action_follow(self) -> None:
        """Follow, or stand still."""
        lines = self.lines
        if self.past is not None:
            self._leave_past()
            lines.follow_newest()
        elif lines.following:
            lines.hold()
        else:
            lines.follow_newest()

    def action_wrap(self) -> None:
        """Wrap, or don't."""
        self.lines.toggle_wrap()

    def action_shift_floor(self, step: int) -> None:
        """Raise or lower the level floor."""
        place = FLOORS.index(self.floor) + step
        self.floor = FLOORS[min(max(0, place), len(FLOORS) - 1)]

    def action_next_floor(self) -> None:
        """Take the next level floor, after the last the first."""
        self.floor = FLOORS[(FLOORS.index(self.floor) + 1) % len(FLOORS)]

    def action_narrow(self) -> None:
        """Move the shared scope to the record's service or host."""
        if (record := self._record()) is not None:
            self.post_message(
                _place_of(record) or Noticed("this record names neither a service nor a host", "warning")
            )

    def action_shell(self) -> None:
        """Ask for a terminal on the record's host."""
        record = self._record()
        self.post_message(ShellRequested(host_of(record.resource) if record is not None else ""))

    def action_trace(self) -> None:
        """Move the shared scope to the record's trace."""
        if (record := self._record()) is not None:
            self.post_message(_trace_of(record) or Noticed("this record belongs to no trace", "warning"))

    def action_moment(self) -> None:
        """Put the time cursor on the record."""
        rank = self.lines.rank
        if rank is not None:
            number = self._view.number(rank)
            self.post_message(CursorMoved(self._view.store.times(number, number + 1)[0]))

    def _record(self) -> LogRecord | None:
        detail = self.detail
        return detail.record if isinstance(detail, LogDetail) else self.lines.current

    # Errors and matches.

    def action_seek_error(self, step: int) -> None:
        """Go to the next error, down or up."""
        self._seek(lambda record: record.level >= Level.ERROR, step, "error")

    def action_seek_match(self, step: int) -> None:
        """Go to the next row that a highlight, or else the filter, matches."""
        marks = self.highlights or self._filter.marks
        if not marks:
            self.post_message(Noticed("nothing is highlighted: h highlights a text"))
            return
        self._seek(lambda record: any(mark.found_in(record.body) for mark in marks), step, "match")

    @work(group="logs-seek", exclusive=True, exit_on_error=False)
    async def _seek(self, wanted: Callable[[LogRecord], bool], step: int, what: str) -> None:
        def waiting() -> None:
            self._seeking = f"looking for the next {what}… Esc stops"

        try:
            if not await seek(self.lines, wanted, step=step, waiting=waiting):
                self.post_message(Noticed(f"no {what} {'below' if step > 0 else 'above'}"))
        finally:
            self._seeking = ""

    def action_highlight(self) -> None:
        """Open the line for a highlight."""
        self.highlight_line.add_class("-open")
        self.screen.set_focus(self.highlight_line)

    @on(Input.Changed, "HighlightLine")
    def _highlight_typed(self, event: Input.Changed) -> None:
        event.stop()
        try:
            self.highlights = read_marks(event.value)
            self._problem = ""
        except UsageError as error:
            self._problem = f"✖ {error}"

    @on(Input.Submitted, "HighlightLine")
    def _highlight_kept(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_highlight(keep=bool(event.value))

    def _close_highlight(self, *, keep: bool) -> None:
        line = self.highlight_line
        if not keep:
            line.value = ""
            self.highlights = ()
            self._problem = ""
        line.remove_class("-open")
        self.focus_body()

    # The past.

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

    # Stepping back.

    def step_back(self) -> bool:
        """Undo the pane's own last step: a question, the highlight line, a detail, the past, the filter."""
        if self._asking is not None:
            self._asking[0].cancel()
            self._asking = None
            return True
        if self._seeking:
            self.workers.cancel_group(self, "logs-seek")
            return True
        if self.screen.focused is self.highlight_line:
            self._close_highlight(keep=False)
            return True
        if self.detail is None and self.past is not None and not self.filtering:
            self._leave_past()
            return True
        if super().step_back():
            return True
        if self.highlights:
            self._close_highlight(keep=False)
            return True
        return False


def _place_of(record: LogRecord) -> ScopeNarrowed | None:
    service, host = service_of(record.resource), host_of(record.resource)
    if service:
        return ScopeNarrowed(service, {"service": service})
    return ScopeNarrowed(host, {"host": host}) if host else None


def _trace_of(record: LogRecord) -> ScopeNarrowed | None:
    trace_id = record.trace_id
    return ScopeNarrowed(f"trace {trace_id[:8]}", {"trace_id": trace_id}) if trace_id else None
