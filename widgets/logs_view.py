"""What the logs pane shows of its records, and by which filter, floor and scope: everything but its keys.

It follows the shared scope: its labels narrow what is shown, a fixed window bounds it, and the time cursor shows
the records as they were known at that moment. In a live scope older records stay within reach by scrolling.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.getters import query_one
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import Worker

from cockpit.errors import UsageError
from cockpit.evidence import Pin, of_logs
from cockpit.scope import WHOLE, Scope
from cockpit.signals import EMPTY, SECOND, LogRecord, Resource, level_name
from cockpit.stores.base import Stores
from cockpit.stores.logs import Criteria, LogFilter, Pattern, View, parse_filter
from cockpit.stores.logs.filters import Filters
from cockpit.stores.logs.reading import StillReading
from widgets.histogram import HistogramStrip
from widgets.logs_detail import LogDetail, as_text
from widgets.logs_keys import HighlightLine
from widgets.logs_lines import LogLines
from widgets.logs_seek import SLICE
from widgets.logs_status import LogStatus, rows_parts, why_empty
from widgets.messages import Noticed
from widgets.pane import Pane
from widgets.text import clock

SHORT, TALL = 10, 24
"""Rows of the pane below which the strip is left out, and from which it has another line."""
SLOW = SECOND // 2
"""How long a search goes on before it says how far it is: a line that comes and goes moves the rows."""
SETTLED = 0.12
"""Seconds after a change of the filter in which only its newest rows are looked for: the next letter may follow."""
FLOOD = 500
"""Records that come between two looks at the store in a flood."""
EASE_OF_FILES = 0.08
"""Seconds between two pictures of files that grow fast: what comes is read elsewhere."""
EASE = 0.25
"""Seconds between two pictures of a flood."""

_CSS = """
LogsPane {
    &.-short HistogramStrip { display: none; }
    &.-tall HistogramStrip { height: 3; }
}
"""


class LogsView(Pane):
    """Log records as they come: filtered, highlighted and counted over time."""

    NAME: ClassVar[str] = "logs"
    SIGNAL: ClassVar[str] = "LogRecord"
    DEFAULT_CSS = _CSS

    lines = query_one(LogLines)
    strip = query_one(HistogramStrip)
    status = query_one(LogStatus)

    def __init__(self, stores: Stores, *, number: int, columns: Sequence[str] = ()) -> None:
        super().__init__(stores, number=number)
        self._columns = tuple(columns)
        self.floor = 0
        self.filters = Filters()
        """The named ones."""
        self.highlight_line = HighlightLine(
            placeholder="highlight a text or /expression/ · Enter keeps it", compact=True
        )
        self.highlights: tuple[Pattern, ...] = ()
        self._live: View = stores.logs.view()
        self._view = self._live
        self._filter = LogFilter()
        self._problem = ""
        """What is wrong with the filter or the highlight being typed."""
        self._seeking = ""
        self._acts: deque[Callable[[], None]] = deque()
        """What was asked for and waits for lines to be read, in the order of the keys."""
        self._reading: Worker[None] | None = None
        """Waits for them."""
        self._missing = 0
        """The record that the first of them waits for."""
        self._searching: Timer | None = None
        self._heard = ((-1, 0), 0, 0.0)
        """What is shown: the store's version and how far the search is, the store's end, and since when."""
        self._sought_at = 0
        """When the search began."""
        self._told: Hashable = None
        self._complete = True
        """Whether the search was over when it was shown last."""

    def body(self) -> ComposeResult:
        """Yield the strip, the rows and the lines under them."""
        yield HistogramStrip()
        yield LogLines(self._live, attributes=self._columns)
        yield LogStatus()

    def on_mount(self) -> None:
        """Leave until after the first picture what a key has to open."""
        self.call_after_refresh(lambda: self.mount(*self.opened_by_keys()))

    def opened_by_keys(self) -> Iterable[Widget]:
        """Yield what stands below the status once a key has opened it."""
        yield self.highlight_line

    def stamp(self) -> Hashable:
        """Follow the store, the search and what the keys changed."""
        return (
            *self._news(),
            self.floor,
            self.filters,
            self.highlights,
            self.lines.following,
            self._seeking,
            self._problem,
            *self.also(),
        )

    def also(self) -> Sequence[Hashable]:
        """Return what else is shown, besides what every logs pane shows."""
        return ()

    def _news(self) -> tuple[int, int]:
        """Return the store's version and how far the search is; in a flood as they stood last.

        Nobody reads ten screens a second, of lines that come or of matches that are found beyond the screen.
        """
        store, view, now = self.stores.logs, self._view, time.monotonic()
        news = (store.version, view.searched)
        told, end, since = self._heard
        if news != told:
            calm = store.end - end < FLOOD and (view.complete or len(view) <= self.size.height)
            if calm or now - since >= (EASE_OF_FILES if store.names else EASE):
                self._heard = news, store.end, now
                return news
        return told

    def redraw(self) -> None:
        """Show what filter, floor and scope admit, as it was at the scope's moment."""
        self._read_filter()
        scope = self.scope
        start = None if scope.end is None or scope.span == WHOLE else scope.end - scope.span
        end = scope.end if scope.cursor is None else scope.cursor
        if self._view.look(self._criteria(), start=start, end=end):
            self._sought_at = self.now
            self._search_on(SETTLED)
        self._view.advance(SLICE)
        if not self._view.complete:
            self._search_on()
        lines = self.lines
        lines.empty = self.why_empty()
        lines.show(self._view, marks=(*self._filter.marks, *self.highlights), now=self.now)
        self._show_strip()
        self._show_status()
        told = (self.floor, *self.also(), lines.following)
        complete, self._complete = self._complete, self._view.complete
        if told != self._told or self._complete > complete:
            # What a key changed, and what a search came to at last, need not wait for the second.
            self._told = told
            self.title()

    def passed(self) -> None:
        """Let the strip go on with the clock."""
        self._show_strip()

    def follow(self, scope: Scope) -> None:
        """Take over another scope; another moment shows its last records."""
        if (scope.cursor, scope.end) != (self.scope.cursor, self.scope.end):
            self.lines.follow_newest()
        super().follow(scope)

    def summary(self) -> str:
        """Say how many of how many, by which floor, and whether the rows follow."""
        view = self._view
        parts = [self.counted()]
        if self.floor:
            parts.append(f"≥{level_name(self.floor)}")
        if on := sum(each.on for each in self.filters):
            parts.append(f"{on} of {len(self.filters)} filters")
        parts += [*view.store.about, self.standing()]
        return " · ".join(part for part in parts if part)

    def counted(self) -> str:
        """Say how many there are."""
        shown, total = len(self._view), len(self._view.store)
        return f"{shown:,}" if shown == total else f"{shown:,} of {total:,}"

    def fed_by(self) -> str:
        """Name the files, where these are what is shown."""
        names = self.stores.logs.names
        if not names:
            return super().fed_by()
        return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

    def why_empty(self) -> str:
        """Say why there is no row."""
        return why_empty(self._view, self.scope, self.now)

    def standing(self) -> str:
        """Say whether the rows follow."""
        if not self.scope.live:
            return ""
        return "follow" if self.lines.following else "standing"

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
        link = "" if (number := self.lines.number) is None else self._view.store.link(number)
        return of_logs(records, matching=len(self._view), selected=self.lines.current, query=query, link=link)

    # What has to be read first.

    def surely(self, act: Callable[[], None]) -> None:
        """Do something that may raise `StillReading`: at once, or once the lines it needs were read.

        What is asked for meanwhile is done after it, so that keys have their order.
        """
        self._acts.append(act)
        waiting = self._reading is not None and not self._reading.is_finished
        if not waiting and not self._do():
            self._reading = self._once_read()

    def _do(self) -> bool:
        """Do what was asked for; False where something has to be read first."""
        while self._acts:
            act = self._acts.popleft()
            try:
                act()
            except StillReading as missing:
                self._acts.appendleft(act)
                self._missing = missing.number
                return False
            except UsageError as error:
                self.post_message(Noticed(str(error), "warning"))
        return True

    @work(group="logs-read", exclusive=True, exit_on_error=False)
    async def _once_read(self) -> None:
        try:
            while not self._do():
                self._seeking = "reading the line… Esc stops"
                await self._view.store.wait(self._missing)
        except UsageError as error:
            self.post_message(Noticed(str(error), "error"))
        finally:
            self._acts.clear()
            self._seeking = ""

    def need(self, number: int) -> None:
        """Be sure of a record and its neighbours.

        Raises:
            StillReading: It was not read yet.
            UsageError: It is gone.
        """
        store = self._view.store
        if not store.first <= number < store.end:
            raise UsageError("the line is gone")
        if not store.loaded(number):
            raise StillReading(number)

    def record_at(self, number: int | None) -> LogRecord | None:
        """Return the record that is open, else that of a number; None where there is none.

        Raises:
            StillReading: It was not read yet.
            UsageError: It is gone.
        """
        if isinstance(self.detail, LogDetail):
            return self.detail.record
        if number is None:
            return None
        self.need(number)
        return self._view.store[number]

    def action_copy(self) -> None:
        """Copy the open detail, or the row under the cursor."""
        self.surely(partial(self._after, self.lines.number, super().action_copy))

    def pin(self) -> None:
        """Pin what is shown, or say why not."""
        self.surely(partial(self._after, self.lines.number, super().pin))

    def _after(self, number: int | None, act: Callable[[], None]) -> None:
        """Do something that is about a record, once that was read."""
        self.record_at(number)
        act()

    def on_resize(self, event: events.Resize) -> None:
        """Give the strip what room there is."""
        self.set_class(event.size.height < SHORT, "-short")
        self.set_class(event.size.height >= TALL, "-tall")

    def _criteria(self) -> Criteria:
        scope = self.scope
        return Criteria(
            filter=self._filter,
            filters=self.filters,
            floor=self.floor,
            service=scope.service,
            host=scope.host,
            trace_id=scope.trace_id,
        )

    @property
    def is_writing(self) -> bool:
        """True while another line than the filter is typed, which may be what is wrong."""
        return self.highlight_line.has_class("-open")

    def _read_filter(self) -> None:
        """Read what is typed; while it is wrong, the last good filter holds."""
        if self.filter_text == self._filter.text:
            if not self.is_writing:
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

    @property
    def window(self) -> tuple[int, int]:
        """The time that the strip shows, in nanoseconds: with a scope of no width, all that there is."""
        spanned = self._view.store.spanned
        if spanned is None:
            return self.scope.window(self.now)
        start, end = self.scope.window(spanned[1])
        return (start, end) if self.scope.span != WHOLE else (spanned[0], spanned[1] + 1)

    def _show_strip(self) -> None:
        room = self.strip.room
        if room > 0 and self.strip.display:
            columns, window = self._bars(room)
            self.strip.show(columns, window, cursor=self.scope.cursor, now=self.now)

    def _bars(self, room: int) -> tuple[list[Sequence[int]], tuple[int, int]]:
        """Return the strip's columns, counts by band, and the time from the first to the last."""
        start, end = self.window
        whole = self.scope.span == WHOLE  # the first bar begins with the first record at the latest
        cell = (end - start) // max(1, room - 1) + 1 if whole else max(1, (end - start) // room)
        end = (end // cell + 1) * cell
        start = end - cell * room
        return self._view.histogram.columns(start, end, room), (start, end)

    def _show_status(self) -> None:
        slow = self.now - self._sought_at > SLOW
        parts = [self._problem, *self.asked(), self._seeking, *self._view.store.notes]
        parts += [*rows_parts(self._view, self.lines, live=self.is_live, slow=slow), *self.offered()]
        parts.append(self._filter.note)
        self.status.say([part for part in parts if part], error=self.is_wrong)

    @property
    def is_live(self) -> bool:
        """True where the rows are those that come."""
        return True

    @property
    def is_wrong(self) -> bool:
        """True where the line below the rows says that something is wrong."""
        return bool(self._problem or self._view.store.notes)

    def asked(self) -> Sequence[str]:
        """Say what is being asked for, and what became of it."""
        return ()

    def offered(self) -> Sequence[str]:
        """Say who could be asked."""
        return ()
