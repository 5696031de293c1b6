"""From OTLP's messages to the cockpit's signals, with what is wrong repaired or rejected and counted.

A span without a valid trace and span identifier, a name of its own or any time is no span and is rejected. What can
be mended without inventing anything is mended: an end before its start becomes the start, a log record without a
time gets the time it was observed, else the time it came in, and identifiers that are none are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from typing import TypeVar

from msgspec import Struct

from cockpit.signals import EMPTY, Attributes, Level, LogRecord, Span, SpanEvent, SpanLink, SpanStatus
from sources.support.otlp_messages import (
    Event,
    KeyValue,
    Link,
    LogsRequest,
    MetricData,
    MetricsRequest,
    OtlpLogRecord,
    OtlpSpan,
    Point,
    TraceRequest,
    Wire,
)
from sources.support.otlp_messages import Resource as OtlpResource

ATTRIBUTES = 128
"""Attributes kept of one record, OpenTelemetry's own default limit; events and links likewise."""

LAST_MOMENT = 1 << 63
"""The first nanosecond that no signed 64-bit integer holds, in the year 2262."""

NO_VALUE = 1
"""The flag of a data point by which a sender says that a series has ended."""

KINDS = ("internal", "internal", "server", "client", "producer", "consumer")
STATUSES = (SpanStatus.UNSET, SpanStatus.OK, SpanStatus.ERROR)

LEVEL_WORDS = {
    "trace": Level.TRACE, "verbose": Level.TRACE, "debug": Level.DEBUG, "info": Level.INFO,
    "information": Level.INFO, "notice": Level.INFO, "warn": Level.WARN, "warning": Level.WARN,
    "error": Level.ERROR, "err": Level.ERROR, "severe": Level.ERROR, "fatal": Level.FATAL,
    "critical": Level.FATAL, "alert": Level.FATAL, "emergency": Level.FATAL, "panic": Level.FATAL,
}  # fmt: skip


class Tally(Struct):
    """What of one request was rejected, and why the first was."""

    rejected: int = 0
    why: str = ""

    def reject(self, why: str, count: int = 1) -> None:
        """Count records that can't be taken."""
        self.rejected += count
        self.why = self.why or why


class MetricPoint(Struct, frozen=True, gc=False):
    """One number of one metric at one time."""

    name: str
    unit: str
    at: int
    value: float
    attributes: Attributes
    resource: dict[str, str]


class Resources:
    """Resource dicts shared by all records of the same resource, also of later requests."""

    def __init__(self, capacity: int = 512) -> None:
        self.capacity = capacity
        self._known: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}

    def of(self, given: OtlpResource | None, wire: Wire) -> dict[str, str]:
        """Return the attributes of a resource as text."""
        pairs = tuple(
            (pair.key or "", _text(wire.value(pair.value)))
            for pair in ((given.attributes if given else None) or ())[:ATTRIBUTES]
        )
        known = self._known.get(pairs)
        if known is None:
            if len(self._known) >= self.capacity:
                self._known.pop(next(iter(self._known)))
            known = self._known[pairs] = {key: value for key, value in pairs if key}
        return known


class Reading(Struct):
    """What reading one request needs: how it was encoded, for whom, and when it came."""

    wire: Wire
    source: str
    now: int
    resources: Resources
    tally: Tally


def spans(request: TraceRequest, reading: Reading) -> Iterator[Span]:
    """Read the spans of a request one at a time."""
    for group in request.resource_spans or ():
        scopes = group.scope_spans or ()
        resource = reading.resources.of(group.resource, reading.wire) if scopes else {}
        for scope_spans in scopes:
            scope = (scope_spans.scope.name if scope_spans.scope else None) or ""
            for given in scope_spans.spans or ():
                span = _span(given, reading, scope, resource)
                if span is not None:
                    yield span


def log_records(request: LogsRequest, reading: Reading) -> Iterator[LogRecord]:
    """Read the log records of a request one at a time."""
    for group in request.resource_logs or ():
        scopes = group.scope_logs or ()
        resource = reading.resources.of(group.resource, reading.wire) if scopes else {}
        for scope_logs in scopes:
            scope = (scope_logs.scope.name if scope_logs.scope else None) or ""
            for given in scope_logs.log_records or ():
                yield _log_record(given, reading, scope, resource)


def metric_points(request: MetricsRequest, reading: Reading) -> Iterator[MetricPoint]:
    """Read the points of a request one at a time; a distribution gives its count and its sum."""
    wire, tally = reading.wire, reading.tally
    for group in request.resource_metrics or ():
        scopes = group.scope_metrics or ()
        resource = reading.resources.of(group.resource, wire) if scopes else {}
        for metric in (metric for scope in scopes for metric in scope.metrics or ()):
            name, unit = metric.name or "", metric.unit or ""
            for point in _points(metric.gauge, metric.sum):
                value, at = wire.number(point), point.time_unix_nano or 0
                if not name or value is None or not 0 < at < LAST_MOMENT:
                    tally.reject("a data point without a name, a value or a time")
                elif isfinite(value):
                    yield MetricPoint(name, unit, at, value, _attributes(point.attributes, wire), resource)
            for point in _points(metric.histogram, metric.exponential_histogram, metric.summary):
                at, total = point.time_unix_nano or 0, float(point.sum or 0)
                if not name or not 0 < at < LAST_MOMENT or not isfinite(total):
                    tally.reject("a data point without a name, a sum or a time")
                    continue
                found = _attributes(point.attributes, wire)
                yield MetricPoint(
                    f"{name}.count", "1", at, float(min(max(point.count or 0, 0), 1 << 64)), found, resource
                )
                yield MetricPoint(f"{name}.sum", unit, at, total, found, resource)


def _points(*kinds: MetricData | None) -> Iterator[Point]:
    """Yield the points of a metric's data, but for those that only say that there is no value."""
    for data in kinds:
        for point in (data.data_points if data else None) or ():
            if not (point.flags or 0) & NO_VALUE:
                yield point


def _span(given: OtlpSpan, reading: Reading, scope: str, resource: dict[str, str]) -> Span | None:
    wire = reading.wire
    trace_id = wire.identifier(given.trace_id, 16)
    span_id = wire.identifier(given.span_id, 8)
    if not trace_id or not span_id:
        reading.tally.reject("a span without a valid trace and span identifier")
        return None
    start, end = given.start_time_unix_nano or 0, given.end_time_unix_nano or 0
    start = start or end
    if not 0 < start < LAST_MOMENT:
        reading.tally.reject("a span without a time")
        return None
    kind, status = given.kind or 0, given.status
    code = (status.code if status else None) or 0
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=wire.identifier(given.parent_span_id, 8),
        name=given.name or "(unnamed)",
        kind=KINDS[kind] if 0 <= kind < len(KINDS) else KINDS[0],
        start=start,
        end=end if start <= end < LAST_MOMENT else start,
        status=STATUSES[code] if 0 <= code < len(STATUSES) else SpanStatus.UNSET,
        status_message=(status.message if status else None) or "",
        attributes=_attributes(given.attributes, wire),
        events=_all(given.events, lambda event: _event(event, wire, start)),
        links=_all(given.links, lambda link: _link(link, wire)),
        scope=scope,
        source=reading.source,
        resource=resource,
    )


def _event(given: Event, wire: Wire, start: int) -> SpanEvent:
    at = given.time_unix_nano or 0
    return SpanEvent(
        at=at if 0 < at < LAST_MOMENT else start,
        name=given.name or "(unnamed)",
        attributes=_attributes(given.attributes, wire),
    )


def _link(given: Link, wire: Wire) -> SpanLink:
    return SpanLink(
        trace_id=wire.identifier(given.trace_id, 16),
        span_id=wire.identifier(given.span_id, 8),
        attributes=_attributes(given.attributes, wire),
    )


def _log_record(given: OtlpLogRecord, reading: Reading, scope: str, resource: dict[str, str]) -> LogRecord:
    wire = reading.wire
    at = given.time_unix_nano or given.observed_time_unix_nano or reading.now
    level = given.severity_number or 0
    if not 1 <= level <= 24:
        level = LEVEL_WORDS.get((given.severity_text or "").lower(), Level.UNSPECIFIED)
    attributes = _attributes(given.attributes, wire)
    if scope or given.event_name:
        attributes = dict(attributes)
        if given.event_name:
            attributes["event.name"] = given.event_name
        if scope:
            attributes["otel.scope.name"] = scope
    body = wire.value(given.body)
    return LogRecord(
        at=at if 0 < at < LAST_MOMENT else reading.now,
        level=int(level),
        body=_text(body) or given.event_name or "",
        attributes=attributes,
        source=reading.source,
        resource=resource,
        trace_id=wire.identifier(given.trace_id, 16),
        span_id=wire.identifier(given.span_id, 8),
    )


def _attributes(pairs: Sequence[KeyValue] | None, wire: Wire) -> Attributes:
    if not pairs:
        return EMPTY
    return {pair.key: wire.value(pair.value) for pair in pairs[:ATTRIBUTES] if pair.key}


G = TypeVar("G")
S = TypeVar("S")


def _all(given: Sequence[G] | None, read: Callable[[G], S]) -> tuple[S, ...]:
    return tuple(read(item) for item in given[:ATTRIBUTES]) if given else ()


def _text(value: object) -> str:
    """Return a value as the text a resource or a body holds."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
