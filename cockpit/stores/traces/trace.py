"""One trace as the store holds it: its spans, and a summary that every span brings up to date."""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.scope import Scope
from cockpit.signals import Span, SpanStatus, host_of, service_of
from cockpit.source import TraceSummary

NAMES = 64
"""Services and hosts remembered of one trace."""


class Trace:
    """A trace's spans by identity, and what a list says of it without walking them.

    Attributes:
        trace_id: Its identifier.
        name: The root span's name; the earliest span's while no root has come.
        service: That span's `service.name`.
        start: The earliest start, in nanoseconds.
        end: The latest end.
        span_count: Spans held; for one that is only known from a search, what the search said.
        error_count: Spans with an error status.
        first_error: When the first of those ended; 0 where there is none.
        services: Spans by service, of the first 64 services.
        hosts: Spans by host, of the first 64 hosts.
        rooted: Whether a span without a parent has come.
        expected: Spans that a search said it has; 0 where none did.
        refused: Spans left out because the trace had reached its bound.
        weight: About how many bytes the spans take.
        source: The source that told of it first.
        version: Moves with every change.
    """

    __slots__ = (
        "_named_by", "_searched", "end", "error_count", "expected", "first_error", "hosts", "name", "refused",
        "rooted", "service", "services", "source", "span_count", "spans", "start", "trace_id", "version", "weight",
    )  # fmt: skip

    def __init__(self, trace_id: str, source: str = "") -> None:
        self.trace_id = trace_id
        self.source = source
        self.name = ""
        self.service = ""
        self.start = 0
        self.end = 0
        self.span_count = 0
        self.error_count = 0
        self.first_error = 0
        self.services: dict[str, int] = {}
        self.hosts: dict[str, int] = {}
        self.rooted = False
        self.expected = 0
        self.refused = 0
        self.weight = 0
        self.version = 0
        self.spans: dict[str, Span] = {}
        self._named_by = 0
        self._searched: tuple[int, str] = (-1, "")

    @classmethod
    def found(cls, answer: TraceSummary) -> Trace:
        """Make the row of a trace that a search told of and whose spans are not here."""
        trace = cls(answer.trace_id, answer.source)
        trace.name, trace.service = answer.root, answer.service
        trace.start, trace.end = answer.start, answer.start + max(0, answer.duration)
        trace.span_count = trace.expected = max(0, answer.spans)
        trace.error_count = 1 if answer.error else 0
        trace.first_error = trace.end if answer.error else 0
        if answer.service:
            trace.services[answer.service] = trace.span_count
        trace.rooted = True
        return trace

    @property
    def held(self) -> bool:
        """True where spans are here; False for one that is only known from a search."""
        return bool(self.spans)

    @property
    def duration(self) -> int:
        """Nanoseconds from the earliest start to the latest end."""
        return self.end - self.start

    @property
    def incomplete(self) -> bool:
        """True while the root or other spans are known to be missing."""
        return not self.rooted or self.refused > 0 or self.expected > len(self.spans)

    def duration_at(self, moment: int | None) -> int:
        """Return the duration as it was at a moment: of a trace still running, what had passed."""
        if moment is None or moment >= self.end:
            return self.duration
        return max(0, moment - self.start)

    def errors_at(self, moment: int | None) -> int:
        """Return the errors as far as they had happened at a moment."""
        return self.error_count if moment is None or self.first_error <= moment else 0

    def admitted(self, scope: Scope) -> bool:
        """Tell whether any of its spans has the scope's labels."""
        return (not scope.service or scope.service in self.services) and (
            not scope.host or scope.host in self.hosts
        )

    def searched(self) -> str:
        """Return the lower-case text that a filter looks at: names, identifier, services, and whether it failed."""
        if self._searched[0] != self.version:
            failed = "error" if self.error_count else ""
            text = f"{self.name} {self.service} {self.trace_id} {' '.join(self.services)} {failed}"
            self._searched = (self.version, text.lower())
        return self._searched[1]

    def take(self, span: Span) -> bool:
        """Take a span in, and tell whether it was new.

        A second one of the same identifier and kind is the same span told again: the one that ended later stays.
        Zipkin gives a call's client and server side one identifier, so another kind is another span.
        """
        key, known = self._place(span)
        if known is not None:
            if span.end > known.end or (span.end == known.end and len(span.events) > len(known.events)):
                self.spans[key] = span
                self.weight += weigh(span) - weigh(known)
                self._count_errors(span, known)
                self._stretch(span)
                self._name(span)
                self.version += 1
            return False
        if not self.spans:
            self._begin(span)
        self.spans[key] = span
        self.span_count = len(self.spans)
        self.weight += weigh(span)
        self._count_errors(span, None)
        self._stretch(span)
        self._name(span)
        _tally(self.services, service_of(span.resource))
        _tally(self.hosts, host_of(span.resource))
        self.version += 1
        return True

    def has(self, span: Span) -> bool:
        """Tell whether the span is held."""
        return self._place(span)[1] is not None

    def _place(self, span: Span) -> tuple[str, Span | None]:
        key = span.span_id
        known = self.spans.get(key)
        if known is not None and known.kind != span.kind:
            key = f"{key} {span.kind}"
            known = self.spans.get(key)
        return key, known

    def _begin(self, span: Span) -> None:
        """Forget what a search said of it, now that its spans come."""
        self.start, self.end = span.start, span.end
        self.error_count = self.first_error = 0
        self.services, self.hosts = {}, {}
        self.rooted = False
        self._named_by = 0
        self.name = ""

    def _stretch(self, span: Span) -> None:
        self.start = min(self.start, span.start)
        self.end = max(self.end, span.end)

    def _name(self, span: Span) -> None:
        is_root = not span.parent_id
        if self._named_by and self.rooted and not is_root:
            return
        if not self._named_by or (is_root and not self.rooted) or span.start < self._named_by:
            self.name, self.service = span.name, service_of(span.resource)
            self._named_by = max(1, span.start)
        self.rooted = self.rooted or is_root

    def _count_errors(self, span: Span, before: Span | None) -> None:
        failed = span.status is SpanStatus.ERROR
        self.error_count += failed - (before is not None and before.status is SpanStatus.ERROR)
        if failed and (not self.first_error or span.end < self.first_error):
            self.first_error = span.end


def weigh(span: Span) -> int:
    """Return about how many bytes a span takes: its texts, and what Python needs around them."""
    size = 360 + len(span.name) + len(span.status_message)
    if span.attributes:
        size += _weigh_values(span.attributes.values())
    for event in span.events:
        size += 140 + len(event.name) + _weigh_values(event.attributes.values())
    for link in span.links:
        size += 200 + _weigh_values(link.attributes.values())
    return size


def _weigh_values(values: Iterable[object]) -> int:
    size = 64
    for value in values:
        size += 100 + len(value) if type(value) is str else 60
    return size


def _tally(names: dict[str, int], name: str) -> None:
    if name and (name in names or len(names) < NAMES):
        names[name] = names.get(name, 0) + 1
