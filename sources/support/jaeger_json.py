"""Reads the JSON of Jaeger's query API, as its own screen uses it (`/api/traces`), into spans.

The mapping is the one OpenTelemetry's specification gives between spans and Jaeger: the first CHILD_OF reference
within the trace is the parent (else the first FOLLOWS_FROM), other references are links, `span.kind`,
`otel.status_code`, `otel.status_description`, `error` and the scope's tags become fields, logs become events, and
the process with its tags becomes the resource. Times are microseconds there.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from cockpit.errors import BadAnswer
from cockpit.hygiene import clean_text
from cockpit.signals import Span, SpanEvent, SpanLink, SpanStatus, Value
from sources.support.trace_parts import (
    LAST_MOMENT,
    MICROSECOND,
    PARTS,
    SPANS,
    Raw,
    Tally,
    Trace,
    attribute,
    derived_id,
    identifier,
    items,
    mapping,
    moment,
    text,
    under_servers,
    whole_number,
    without_cycles,
)

KINDS = frozenset({"internal", "server", "client", "producer", "consumer"})
_STATUS = {"OK": SpanStatus.OK, "ERROR": SpanStatus.ERROR}
_HOST_TAGS = {"hostname": "host.name"}
"""Process tags that OpenTelemetry names otherwise."""


def payload(answer: Raw, where: str) -> Raw:
    """Return the `data` of Jaeger's envelope `{"data": …, "errors": [{"code", "msg"}]}`.

    Raises:
        BadAnswer: There is none, or nothing but errors.
    """
    if not isinstance(answer, dict) or ("data" not in answer and "errors" not in answer):
        raise BadAnswer(
            "that is no answer of Jaeger's query API",
            where=where,
            remedy="`url` is that of jaeger-query (port 16686)",
        )
    data = answer.get("data")
    if data is None or data == []:
        said = next((text(mapping(error).get("msg")) for error in items(answer.get("errors"))), "")
        if said:
            raise BadAnswer(f"Jaeger says: {clean_text(said, 200)}", where=where)
    return data if data is not None else []


def read_services(answer: Raw, where: str) -> list[str]:
    """Read the answer of `/api/services`.

    Raises:
        BadAnswer: It is none.
    """
    data = payload(answer, where)
    if not isinstance(data, list):
        raise BadAnswer("Jaeger's list of services is no list", where=where)
    return sorted({name for name in data if isinstance(name, str) and name})


def read_traces(answer: Raw, where: str, tally: Tally) -> list[Trace]:
    """Read the answer of `/api/traces` or `/api/traces/{id}`.

    Raises:
        BadAnswer: It is none; what is wrong within it is counted instead.
    """
    data = payload(answer, where)
    if not isinstance(data, list):
        raise BadAnswer("Jaeger's list of traces is no list", where=where)
    traces: list[Trace] = []
    room = SPANS
    for raw in data:
        trace = read_trace(raw, where, tally, room)
        if trace is not None:
            traces.append(trace)
            room -= len(trace.spans)
    return traces


def read_trace(raw: Raw, where: str, tally: Tally, room: int = SPANS) -> Trace | None:
    """Read one trace; None, and counted, where it holds no span that can be read.

    Args:
        raw: An object with `traceID`, `spans` and `processes`.
        where: The source's name, for the spans.
        tally: Counts what is dropped and mended.
        room: Spans that still fit.
    """
    given = mapping(raw)
    trace_id = identifier(given.get("traceID"), wide=True)
    resources = {key: _resource(process) for key, process in mapping(given.get("processes")).items()}
    spans: dict[str, Span] = {}
    halves: dict[str, list[Span]] = {}
    for one in items(given.get("spans")):
        if len(spans) >= room:
            tally.drop("a span beyond what one answer may hold")
            continue
        span = _span(one, trace_id, resources, where, tally)
        if span is not None:
            trace_id = trace_id or span.trace_id
            _keep(span, spans, halves, tally)
    if not spans:
        tally.drop("a trace without a span")
        return None
    placed = under_servers(list(spans.values()), halves)
    ordered = sorted(without_cycles(placed, tally), key=lambda span: span.start)
    return Trace(trace_id, tuple(ordered))


def _keep(span: Span, spans: dict[str, Span], halves: dict[str, list[Span]], tally: Tally) -> None:
    """Keep a span; one whose identifier is taken is a copy, the server's half of a shared span, or a clash."""
    held = spans.get(span.span_id)
    if held is None:
        spans[span.span_id] = span
        return
    if held == span:
        tally.drop("a span that was there twice")
        return
    server = span if span.kind == "server" else held
    client = held if server is span else span
    if server.kind == "server" and client.kind == "client":
        spans[span.span_id] = client
        tally.mend("a span shared by client and server")
        moved = derived_id(span.trace_id, span.span_id, "server")
        spans[moved] = replace(server, span_id=moved, parent_id=client.span_id)
        halves.setdefault(span.span_id, []).append(spans[moved])
        return
    told_apart = derived_id(span.trace_id, span.span_id, span.name, str(span.start), str(span.end))
    if told_apart in spans:
        tally.drop("a span that was there twice")
        return
    tally.mend("a span whose identifier another had")
    spans[told_apart] = replace(span, span_id=told_apart)


def _span(
    raw: Raw, trace_id: str, resources: Mapping[str, dict[str, str]], where: str, tally: Tally
) -> Span | None:
    given = mapping(raw)
    span_id = identifier(given.get("spanID"))
    own_trace = identifier(given.get("traceID"), wide=True) or trace_id
    start = moment(given.get("startTime"))
    if not span_id or not own_trace or start is None:
        tally.drop("a span without an identifier or a start")
        return None
    if trace_id and own_trace[-16:] != trace_id[-16:]:
        tally.mend("a span with another trace's identifier")
    own_trace = trace_id or own_trace
    end = start + _duration(given.get("duration"), tally)
    tags = _tags(given.get("tags"))
    parent_id, links = _references(given, own_trace, span_id, tally)
    status, message = _status(tags)
    kind = str(tags.pop("span.kind", "internal")).lower()
    scope = str(tags.pop("otel.scope.name", tags.pop("otel.library.name", "")) or "")
    warnings = [text(warning) for warning in items(given.get("warnings"))[:PARTS]]
    if warnings:
        tags["jaeger.warnings"] = "; ".join(warnings)
    return Span(
        trace_id=own_trace,
        span_id=span_id,
        parent_id=parent_id,
        name=text(given.get("operationName")) or "(no name)",
        kind=kind if kind in KINDS else "internal",
        start=start,
        end=min(end, LAST_MOMENT - 1),
        status=status,
        status_message=message,
        attributes=tags,
        events=_events(given.get("logs"), start, tally),
        links=links,
        scope=scope,
        source=where,
        resource=_resource_of(given, resources, tally),
    )


def _duration(value: Raw, tally: Tally) -> int:
    duration = whole_number(value)
    if duration is None or duration < 0:
        tally.mend("a span without a duration, or with a negative one")
        return 0
    return duration * MICROSECOND


def _resource_of(
    given: Mapping[str, Raw], resources: Mapping[str, dict[str, str]], tally: Tally
) -> dict[str, str]:
    process = given.get("processID")
    if isinstance(process, str) and process in resources:
        return resources[process]
    if isinstance(given.get("process"), dict):
        return _resource(given["process"])
    tally.mend("a span whose process is missing")
    return {}


def _resource(raw: Raw) -> dict[str, str]:
    process = mapping(raw)
    tags = _tags(process.get("tags"))
    built = {_HOST_TAGS.get(key, key): _as_text(value) for key, value in tags.items() if value is not None}
    service = text(process.get("serviceName"))
    if service:
        built["service.name"] = service
    return built


def _as_text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _references(
    given: Mapping[str, Raw], trace_id: str, span_id: str, tally: Tally
) -> tuple[str, tuple[SpanLink, ...]]:
    """Return (parent, links): the parent is the first CHILD_OF of this trace, else its first FOLLOWS_FROM."""
    read: list[tuple[str, str, str]] = []
    for raw in items(given.get("references"))[:PARTS]:
        one = mapping(raw)
        other = identifier(one.get("spanID"))
        if not other:
            tally.drop("a reference to nothing")
            continue
        kind = text(one.get("refType")).upper()
        target = identifier(one.get("traceID"), wide=True) or trace_id
        # Where only part of a system has 128-bit identifiers, the lower 64 bits are what they have in common.
        read.append((kind, trace_id if target[-16:] == trace_id[-16:] else target, other))
    inside = [ref for ref in read if ref[1] == trace_id and ref[2] != span_id]
    parent = next((ref for ref in inside if ref[0] == "CHILD_OF"), None)
    parent = parent or next((ref for ref in inside if ref[0] == "FOLLOWS_FROM"), None)
    if any(ref[1] == trace_id and ref[2] == span_id for ref in read):
        tally.mend("a span that was its own ancestor")
    links = tuple(
        SpanLink(trace_id=trace, span_id=other, attributes={"opentracing.ref_type": kind.lower()})
        for kind, trace, other in read
        if (kind, trace, other) != parent and (trace, other) != (trace_id, span_id)
    )
    if parent is not None:
        return parent[2], links
    older = identifier(given.get("parentSpanID"))
    return (older if older != span_id else ""), links


def _status(tags: dict[str, Value]) -> tuple[SpanStatus, str]:
    """Take the status out of the tags: OpenTelemetry's own words before OpenTracing's `error`."""
    code = str(tags.pop("otel.status_code", "") or "").upper()
    message = str(tags.pop("otel.status_description", "") or "")
    error = tags.get("error")
    if code in _STATUS:
        return _STATUS[code], message
    if error is None or str(error).lower() in {"false", "", "0"}:
        return SpanStatus.UNSET, message
    if not message and str(error).lower() not in {"true", "1"}:
        message = str(error)
    return SpanStatus.ERROR, message


def _events(raw: Raw, start: int, tally: Tally) -> tuple[SpanEvent, ...]:
    events: list[SpanEvent] = []
    for one in items(raw)[:PARTS]:
        log = mapping(one)
        at = moment(log.get("timestamp"))
        if at is None:
            tally.mend("an event without a time")
            at = start
        fields = _tags(log.get("fields"))
        name = str(fields.pop("event", "") or "") or str(fields.get("message") or "") or "log"
        events.append(SpanEvent(at=at, name=name, attributes=fields))
    for _ in items(raw)[PARTS:]:
        tally.drop("an event beyond what one span may hold")
    return tuple(events)


def _tags(raw: Raw) -> dict[str, Value]:
    """Read `[{"key", "type", "value"}]`, each value by its declared type where it fits."""
    tags: dict[str, Value] = {}
    for one in items(raw)[:PARTS]:
        tag = mapping(one)
        key = text(tag.get("key"))
        if key:
            tags[key] = _typed(text(tag.get("type")).lower(), tag.get("value"))
    return tags


def _typed(kind: str, value: Raw) -> Value:
    if isinstance(value, str):
        if kind == "bool" and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        if kind == "int64":
            number = whole_number(value)
            return attribute(number) if number is not None else value
        if kind == "float64":
            try:
                return float(value)
            except ValueError:
                return value
    return attribute(value)
