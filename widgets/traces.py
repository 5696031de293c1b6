"""The traces pane: failing and slowest first, the services' rates, and any trace as a waterfall."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.worker import Worker, WorkerState

from cockpit.errors import CockpitError, UsageError
from cockpit.evidence import Pin, of_trace
from cockpit.keymap import Action
from cockpit.scope import Scope
from cockpit.signals import SECOND, LogRecord, Span
from cockpit.source import TimeRange
from cockpit.stores.base import Stores
from cockpit.stores.traces import Listing, Order, ServiceRow, Trace
from widgets.asking import Asks
from widgets.keys import bindings
from widgets.messages import Noticed, ScopeNarrowed
from widgets.pane import Pane
from widgets.rows import Piece, RowList
from widgets.slices import in_slices
from widgets.text import safe
from widgets.traces_ask import adopt, fetch_trace, search_traces, span_logs
from widgets.traces_list import counted, draw_service, draw_trace, service_header, trace_header
from widgets.waterfall_keys import ACTIONS as WATERFALL_ACTIONS

if TYPE_CHECKING:
    from widgets.traces_detail import SpanDetail
    from widgets.traces_view import TraceView

BIG = 300
"""Traces from which the list is made anew twice a second instead of at every tick."""

LIST_ACTIONS = (
    Action("traces.sort", ("s",), "sort", "Sort by worst, slowest, newest, or most errors.", footer=True),
    Action("traces.services", ("t",), "services", "Show the services' rates, errors and durations.", footer=True),
    Action("traces.find", ("o",), "find", "Ask sources for traces of the scope's service and time.", footer=True),
    Action("traces.link", ("L",), "linked trace", "Open the trace that the span links to."),
)  # fmt: skip


class TracesPane(Pane):
    """The traces of the scope, its services, or the waterfall of one trace."""

    NAME: ClassVar[str] = "traces"
    SIGNAL: ClassVar[str] = "Span"
    ACTIONS: ClassVar[tuple[Action, ...]] = (*LIST_ACTIONS, *WATERFALL_ACTIONS)
    BINDINGS = bindings(LIST_ACTIONS)
    DEFAULT_CSS = """
    TracesPane {
        & .traces--services, & TraceView { display: none; }
        &.-services .traces--list { display: none; }
        &.-services .traces--services { display: block; }
        &.-open .traces--list, &.-open .traces--services { display: none; }
        &.-open TraceView { display: block; }
    }
    """

    def __init__(self, stores: Stores, *, number: int, asks: Asks | None = None) -> None:
        super().__init__(stores, number=number)
        self.asks = asks
        self.order = Order.WORST
        self.opened = ""
        """The trace whose waterfall is shown; empty for the lists."""
        self.asking = ""
        """What is being asked of sources right now."""
        self.listing = Listing((), 0, 0, 0)
        self._longest = 0
        self._view: TraceView | None = None
        self._services: RowList[ServiceRow] | None = None

    # What is shown.

    def body(self) -> ComposeResult:
        """Yield the list; the services and the waterfall take its place."""
        yield RowList[Trace](
            self._draw_trace, key=lambda trace: trace.trace_id, header=trace_header, empty="no traces yet"
        ).add_class("traces--list", update=False)

    @property
    def view(self) -> TraceView:
        """The waterfall and the lines around it; there from the first time that a trace is opened."""
        if self._view is None:
            from widgets.traces_view import TraceView

            self._view = TraceView()
            self._view.add_class("pane--body", update=False)
            self.mount(self._view, after=0)
        return self._view

    @property
    def rows(self) -> RowList[Trace]:
        """The list of traces."""
        return self.query_one(".traces--list", RowList)

    @property
    def services(self) -> RowList[ServiceRow]:
        """The table of services; there from the first time that it is shown."""
        if self._services is None:
            self._services = RowList[ServiceRow](
                draw_service,
                key=lambda row: row.service,
                header=service_header,
                empty="no requests in this window",
            )
            self._services.add_class("pane--body", "traces--services", update=False)
            self.mount(self._services, after=0)
        return self._services

    def stamp(self) -> Hashable:
        """Follow the store: the open trace, or all of it, less often where it is big."""
        traces = self.stores.traces
        place = (self.opened, self.has_class("-services"), self.order, self.asking)
        if self.opened:
            trace = traces.get(self.opened)
            return place, trace.version if trace else -1, self.view.busy
        if self.has_class("-services"):
            return place, self.now // SECOND
        return place, traces.version if len(traces) < BIG else self.now // (SECOND // 2)

    def redraw(self) -> None:
        """Show what the scope admits."""
        if self.opened:
            self._show_trace()
        elif self.has_class("-services"):
            self._show_services()
        else:
            self._show_list()

    def passed(self) -> None:
        """Let ages grow and traces leave the window."""
        self.redraw()

    def summary(self) -> str:
        """Say what is listed, and what is being asked."""
        parts = []
        if self.opened:
            parts.append(f"trace {self.opened[:8]}")
        elif self.has_class("-services"):
            parts.append(counted(len(self.services.items), "service"))
        elif self.listing.matched:
            parts += [f"{self.listing.failing:,} failing of {self.listing.matched:,}", f"{self.order} first"]
        if self.asking:
            parts.append(self.asking)
        return " · ".join(parts)

    def _moment(self) -> int | None:
        """Return the moment in the past that is shown, or None for now."""
        return None if self.scope.live else self.scope.moment(self.now)

    def _words(self) -> list[str]:
        return self.filter_text.lower().split()

    def _show_list(self) -> None:
        self.listing = self.stores.traces.listing(self.scope, self.now, order=self.order, words=self._words())
        moment = self._moment()
        self._longest = max((trace.duration_at(moment) for trace in self.listing.rows), default=0)
        outside = self.listing.outside
        self.rows.empty = f"none in this window, {outside:,} outside of it" if outside else "no traces yet"
        self.rows.show_items(self.listing.rows)

    def _show_services(self) -> None:
        start, end = self.scope.window(self.now)
        moment = self.scope.moment(self.now)
        words, service = self._words(), self.scope.service
        shift = end - moment if self.scope.cursor is not None else 0
        table = self.stores.traces.services.table(start - shift, end - shift)
        self.services.show_items(
            [
                row
                for row in table
                if (not service or row.service == service)
                and all(word in row.service.lower() for word in words)
            ]
        )

    def _show_trace(self) -> None:
        trace = self.stores.traces.get(self.opened)
        self.view.show(trace, now=self.now, moment=self._moment(), words=self._words())

    def _draw_trace(self, trace: Trace, width: int) -> Sequence[Piece]:
        return draw_trace(
            trace,
            width,
            now=self.now,
            moment=self._moment(),
            longest=self._longest,
            followed=self.scope.trace_id,
        )

    # Opening and closing.

    def follow(self, scope: Scope) -> None:
        """Take over another scope; its trace, if it names one, is opened."""
        before = self.scope.trace_id
        super().follow(scope)
        if scope.trace_id != before:
            if scope.trace_id:
                self.open_trace(scope.trace_id)
            elif self.opened:
                self.close_trace()

    def open_trace(self, trace_id: str) -> None:
        """Show a trace's waterfall, asking sources for it where it isn't here or not all of it."""
        if trace_id == self.opened:
            return
        focused = self.has_focus_within
        if self.detail is not None:
            self.close_detail()
        self.opened = self.stores.traces.pinned = trace_id
        self.view.note = ""
        self.view.open(trace_id)
        self.add_class("-open")
        trace = self.stores.traces.get(trace_id)
        if trace is None or not trace.held or trace.expected > len(trace.spans):
            self._fetch(trace_id, trace.source if trace else "")
        self.redraw()
        if focused:
            self.call_after_refresh(self.focus_body)

    def close_trace(self) -> None:
        """Go back to the list."""
        focused = self.has_focus_within
        if self.detail is not None:
            self.close_detail()
        self.opened = self.stores.traces.pinned = ""
        self.remove_class("-open")
        self.redraw()
        if focused:
            self.call_after_refresh(self.focus_body)

    @property
    def inside(self) -> bool:
        """True while a waterfall or a detail stands in place of the lists."""
        return bool(self.opened) or super().inside

    def step_back(self) -> bool:
        """Stop asking, leave the detail, the filter or the waterfall; the scope's own step closes its trace."""
        if self.asking:
            self.workers.cancel_group(self, "ask")
            self.asking = self.view.note = ""  # the worker itself may take a while to hear of it
            return True
        if super().step_back():
            return True
        if self.opened and self.opened != self.scope.trace_id:
            self.close_trace()
            return True
        if not self.opened and self.has_class("-services"):
            self.action_services()
            return True
        return False

    @on(RowList.Chosen)
    async def _chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        if self._view is not None and event.rows is self._view.waterfall:
            await self._open_span(event.item)
        elif isinstance(event.item, Trace):
            trace = event.item
            self.open_trace(trace.trace_id)
            title = f"{trace.service} {trace.name}".strip() or trace.trace_id[:8]
            self.post_message(ScopeNarrowed(title, {"trace_id": trace.trace_id}))
        elif isinstance(event.item, ServiceRow):
            self.action_services()
            self.post_message(ScopeNarrowed(event.item.service, {"service": event.item.service}))

    async def _open_span(self, row: int) -> None:
        from widgets.traces_detail import SpanDetail

        await self.open_detail(SpanDetail(self.view.waterfall.trace_tree, row))

    def on_span_detail_opened(self, event: SpanDetail.Opened) -> None:
        """Look for the logs of a span whose detail stands."""
        event.stop()
        self._look_for_logs(event.detail)

    # What the keys do.

    def action_sort(self) -> None:
        """Sort by the next order."""
        if self.opened:
            return
        orders = list(Order)
        self.order = orders[(orders.index(self.order) + 1) % len(orders)]

    def action_services(self) -> None:
        """Show the services, or the traces again."""
        if self.opened:
            return
        focused = self.has_focus_within
        self.toggle_class("-services")
        self.services.refresh()  # so that it is there before the focus looks for it
        if focused:
            self.call_after_refresh(self.focus_body)

    def action_find(self) -> None:
        """Ask for traces of the scope's service and window, or for all of the open trace's spans."""
        names = self.asks.offering("find_traces") if self.asks else []
        if not names:
            self.post_message(Noticed("no source here can be asked for traces", "warning"))
        elif self.opened:
            self._fetch(self.opened, "")
        else:
            self._find(names)

    def action_link(self) -> None:
        """Open the trace that the span under the cursor links to."""
        waterfall = self.view.waterfall
        if not self.opened or waterfall.current is None:
            return
        links = waterfall.trace_tree.spans[waterfall.current].links
        elsewhere = [link.trace_id for link in links if link.trace_id and link.trace_id != self.opened]
        if elsewhere:
            self.post_message(ScopeNarrowed(f"link {elsewhere[0][:8]}", {"trace_id": elsewhere[0]}))
        else:
            self.post_message(Noticed("this span links to no other trace"))

    def copied(self) -> tuple[str, str]:
        """Copy the trace's identifier, the span as JSON, or the service's name."""
        if self.opened:
            from widgets.traces_detail import span_json

            row = self.view.waterfall.current
            return (
                (span_json(self.view.waterfall.trace_tree.spans[row]), "span")
                if row is not None
                else ("", "")
            )
        if self.has_class("-services"):
            service = self.services.current
            return (service.service, "service") if service else ("", "")
        trace = self.rows.current
        return (trace.trace_id, "trace id") if trace else ("", "")

    def evidence(self) -> Pin:
        """Pin the open trace, or the one under the cursor, as far as its spans are here."""
        if not self.opened and self.has_class("-services"):
            raise UsageError("rates can't be pinned", remedy="open a trace")
        trace = self.stores.traces.get(self.opened) if self.opened else self.rows.current
        if trace is None:
            raise UsageError("there is no trace to pin")
        if not trace.held:
            raise UsageError("none of its spans are here", remedy="Enter asks the sources for them")
        name = f"{trace.service} {trace.name}".strip()
        return of_trace(trace.trace_id, name, list(trace.spans.values()), query=self.found_by())

    # What sources are asked.

    @work(group="ask", exclusive=True, exit_on_error=False)
    async def _find(self, names: Sequence[str]) -> None:
        assert self.asks is not None
        self.asking = f"asking {', '.join(names)}…"
        try:
            within = TimeRange(*self.scope.window(self.now))
            answers, problems = await search_traces(self.asks, names, self.scope.service, within)
        finally:
            self.asking = ""
        fresh = self.stores.traces.merge_found(answers)
        said = [f"{counted(len(answers), 'trace')} found, {fresh:,} new here", *problems]
        self.post_message(Noticed("; ".join(said), "warning" if problems else "information"))

    @work(group="ask", exclusive=True, exit_on_error=False)
    async def _fetch(self, trace_id: str, likely: str) -> None:
        names = self.asks.offering("get_trace") if self.asks else []
        held = self.stores.traces.get(trace_id)
        if self.asks is None or not names:
            self.view.note = (
                "" if held and held.held else "its spans are not here, and no source can be asked"
            )
            return
        names.sort(key=lambda name: name != likely)
        self.asking = f"asking {', '.join(names)}…"
        self.view.note = self.asking
        try:
            spans, problems = await fetch_trace(self.asks, names, trace_id)
            await adopt(self.stores.traces, spans)
        finally:
            self.asking = self.view.note = ""
        if not spans:
            unknown = "" if held and held.held else f"{', '.join(names)} don't know it either"
            self.view.note = "; ".join(problems) or unknown

    @work(group="logs", exclusive=True, exit_on_error=False)
    async def _look_for_logs(self, detail: SpanDetail) -> None:
        from widgets.traces_detail import logs_of

        span: Span = detail.span
        records: list[LogRecord] = await in_slices(logs_of(self.stores.logs, span))
        names = self.asks.offering("query_logs") if self.asks else []
        if self.asks is None or not names:
            detail.show_logs(records)
            return
        detail.show_logs(records, note=f"asking {', '.join(names)}…")
        more, problems = await span_logs(self.asks, names, span)
        known = {(record.at, record.body) for record in records}
        records += [record for record in more if (record.at, record.body) not in known]
        records.sort(key=lambda record: record.at)
        detail.show_logs(records, note="; ".join(problems))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say what went wrong while asking; a source that answers nonsense breaks no pane."""
        error = event.worker.error
        if event.state is WorkerState.ERROR and error is not None:
            text = str(error) if isinstance(error, CockpitError) else f"{type(error).__name__}: {error}"
            self.view.note = safe(text, 200)
            self.log.error(text)
            self.post_message(Noticed(safe(text, 200), "error"))
