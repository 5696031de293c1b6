"""The last traces: bounded, summed up as spans come, and listed without walking a span."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from enum import StrEnum

from msgspec import Struct

from cockpit.scope import Scope
from cockpit.signals import Span
from cockpit.source import TraceSummary
from cockpit.stores.base import Store
from cockpit.stores.traces.services import ServiceRates
from cockpit.stores.traces.trace import Trace

SPANS = 200_000
TRACES = 10_000
BYTES = 160 * 1024 * 1024
ROWS = 2_000
"""Rows that one listing holds at most."""

FAILED = 1 << 64
"""Lifts a failing trace above any duration."""


class Order(StrEnum):
    """What a list of traces starts with."""

    WORST = "failing, slowest"
    SLOWEST = "slowest"
    NEWEST = "newest"
    ERRORS = "most errors"


class Listing(Struct, frozen=True):
    """An answer to "which traces".

    Attributes:
        rows: The first of them, in the order asked for.
        matched: How many there are, listed or not.
        failing: How many of those have errors.
        outside: Traces that are kept and lie outside of the window.
    """

    rows: Sequence[Trace]
    matched: int
    failing: int
    outside: int


class TraceStore(Store):
    """Spans by trace; what was heard of longest ago goes first when a bound is reached."""

    def __init__(
        self, *, spans: int = SPANS, traces: int = TRACES, size: int = BYTES, largest: int | None = None
    ) -> None:
        """Make a store.

        Args:
            spans: Spans kept.
            traces: Traces kept, those only known from a search among them.
            size: About how many bytes the spans may take.
            largest: Spans kept of one trace; by default half of all.
        """
        super().__init__()
        self.capacity = spans
        self.most_traces = traces
        self.size = size
        self.largest = min(spans, largest or max(1, spans // 2))
        self.spans = 0
        self.weight = 0
        self.pinned = ""
        """The trace that is being looked at, evicted last."""
        self.services = ServiceRates()
        self._traces: dict[str, Trace] = {}

    def __len__(self) -> int:
        return len(self._traces)

    def append(self, batch: Sequence[Span]) -> None:
        """Take spans in, in any order; a trace may arrive in many batches."""
        rate = self.services.take
        for span in self._hold(batch):
            rate(span)

    def adopt(self, spans: Sequence[Span]) -> None:
        """Take in spans that were asked for; they are no fair sample of what services do now."""
        self._hold(spans)

    def merge_found(self, answers: Iterable[TraceSummary]) -> int:
        """List traces that a search told of, and return how many were not known before."""
        fresh = 0
        for answer in answers:
            known = self._traces.get(answer.trace_id)
            if known is None:
                self._traces[answer.trace_id] = Trace.found(answer)
                fresh += 1
            else:
                known.expected = max(known.expected, answer.spans)
                known.version += 1
        self._evict()
        self.touched()
        return fresh

    def get(self, trace_id: str) -> Trace | None:
        """Return one trace, or None where it isn't known."""
        return self._traces.get(trace_id)

    def trace(self, trace_id: str) -> list[Span]:
        """Return the spans of one trace in the order they came, or an empty list."""
        found = self._traces.get(trace_id)
        return list(found.spans.values()) if found is not None else []

    def trace_ids(self) -> list[str]:
        """Return the traces kept, the one heard of longest ago first."""
        return list(self._traces)

    def traces(self) -> list[Trace]:
        """Return the traces kept, the one heard of longest ago first."""
        return list(self._traces.values())

    def listing(
        self,
        scope: Scope,
        now: int,
        *,
        order: Order = Order.WORST,
        words: Sequence[str] = (),
        limit: int = ROWS,
    ) -> Listing:
        """Return the traces of a scope's window, as of its moment.

        Args:
            scope: Window, labels and cursor; its trace id is not looked at.
            now: Nanoseconds, UTC.
            order: What comes first.
            words: Lower-case words that each must be in a trace's names, identifier or services.
            limit: Rows at most.
        """
        start, end = scope.window(now)
        moment = min(end, scope.moment(now)) if scope.cursor is not None or scope.end is not None else None
        latest = now + scope.span if moment is None else moment  # a live list shows clocks that run ahead
        admitted: Collection[Trace] = self._traces.values()
        if scope.service or scope.host:
            admitted = [trace for trace in admitted if trace.admitted(scope)]
        matched = [trace for trace in admitted if trace.end >= start and trace.start <= latest]
        outside = len(admitted) - len(matched)
        if words:
            matched = [trace for trace in matched if all(word in trace.searched() for word in words)]
        failing = sum(1 for trace in matched if trace.error_count and trace.errors_at(moment))
        matched.sort(key=_key(order, moment), reverse=True)
        return Listing(matched[:limit], len(matched), failing, outside)

    def _hold(self, batch: Sequence[Span]) -> list[Span]:
        """Keep the spans of a batch and return those that were new."""
        traces = self._traces
        heard: dict[str, Trace] = {}
        fresh = []
        for span in batch:
            trace = heard.get(span.trace_id)
            if trace is None:
                trace = traces.pop(span.trace_id, None) or Trace(span.trace_id, span.source)
                traces[span.trace_id] = heard[span.trace_id] = trace
            if len(trace.spans) >= self.largest or trace.weight > self.size // 2:
                if not trace.has(span):
                    trace.refused += 1
                    trace.version += 1
                continue
            before = trace.weight
            if trace.take(span):
                fresh.append(span)
                self.spans += 1
            self.weight += trace.weight - before
        self._evict()
        self.touched()
        return fresh

    def _evict(self) -> None:
        while len(self._traces) > 1 and (
            self.spans > self.capacity or self.weight > self.size or len(self._traces) > self.most_traces
        ):
            oldest = next(iter(self._traces))
            gone = self._traces.pop(oldest)
            if oldest == self.pinned:
                self._traces[oldest] = gone
                continue
            self.spans -= len(gone.spans)
            self.weight -= gone.weight


def _key(order: Order, moment: int | None) -> Callable[[Trace], int]:
    if order is Order.NEWEST:
        return lambda trace: trace.start
    if order is Order.ERRORS:
        return lambda trace: trace.errors_at(moment) * FAILED + trace.duration_at(moment)
    if order is Order.SLOWEST:
        return lambda trace: trace.duration_at(moment)
    if moment is None:
        return lambda trace: trace.end - trace.start + (FAILED if trace.error_count else 0)
    return lambda trace: trace.duration_at(moment) + (FAILED if trace.errors_at(moment) else 0)
