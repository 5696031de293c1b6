"""Reads the JSON of Zipkin's v2 API (`zipkin2-api.yaml`) into spans.

A call may be reported in parts: the client's and the server's half under one shared identifier, and each of them in
several pieces of which only one has a time. Pieces are put together, halves told apart: the server's half gets an
identifier of its own and becomes the client's child. Times are microseconds there.

The older v1 JSON says kinds by annotations with endpoints and tags by `binaryAnnotations`; read as v2 it would make
nonsense, so it is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from cockpit.errors import BadAnswer
from cockpit.signals import EMPTY, Span, SpanEvent, SpanStatus, Value
from sources.support.trace_parts import (
    LAST_MOMENT,
    MICROSECOND,
    PARTS,
    SPANS,
    Raw,
    Tally,
    Trace,
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

KINDS = frozenset({"server", "client", "producer", "consumer"})
ANCESTORS = 64
"""Ancestors that are asked for the start of a span that came without."""
_STATUS = {"OK": SpanStatus.OK, "ERROR": SpanStatus.ERROR}


class _Piece(Struct):
    """A span as one report has it; what is missing may come with another piece."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    shared: bool
    start: int
    duration: int
    service: str
    attributes: dict[str, Value]
    events: tuple[SpanEvent, ...]

    @property
    def is_server(self) -> bool:
        """Whether it can only be the server's half."""
        return self.shared or self.kind == "server"


def read_services(answer: Raw, where: str) -> list[str]:
    """Read the answer of `/api/v2/services`.

    Raises:
        BadAnswer: It is none.
    """
    if not isinstance(answer, list):
        raise _not_zipkin(where)
    return sorted({name for name in answer if isinstance(name, str) and name})


def read_traces(answer: Raw, where: str, tally: Tally) -> list[Trace]:
    """Read the answer of `/api/v2/traces`: a list of traces, each a list of spans.

    Raises:
        BadAnswer: It is none, or Zipkin's v1 JSON.
    """
    if not isinstance(answer, list):
        raise _not_zipkin(where)
    if answer and all(isinstance(one, dict) for one in answer):
        return read_spans(answer, where, tally)
    traces: list[Trace] = []
    room = SPANS
    for raw in answer:
        if not isinstance(raw, list):
            tally.drop("a trace that is no list of spans")
            continue
        found = read_spans(raw, where, tally, room)
        room -= sum(len(trace.spans) for trace in found)
        traces += found
    return traces


def read_spans(raw: Raw, where: str, tally: Tally, room: int = SPANS) -> list[Trace]:
    """Read a list of spans, as `/api/v2/trace/{id}` answers it, into the traces they belong to.

    Raises:
        BadAnswer: It is no list, or Zipkin's v1 JSON.
    """
    if not isinstance(raw, list):
        raise _not_zipkin(where)
    by_trace: dict[str, list[_Piece]] = {}
    for count, one in enumerate(raw):
        _refuse_v1(one, where)
        if count >= room:
            tally.drop("a span beyond what one answer may hold")
            continue
        piece = _piece(one, tally)
        if piece is not None:
            # Where only part of a system has 128-bit identifiers, the lower 64 bits are what they have in common.
            by_trace.setdefault(piece.trace_id[-16:], []).append(piece)
    traces = (_trace(pieces, where, tally) for pieces in by_trace.values())
    return [trace for trace in traces if trace is not None]


def _not_zipkin(where: str) -> BadAnswer:
    return BadAnswer(
        "that is no answer of Zipkin's v2 API",
        where=where,
        remedy="`url` is that of the Zipkin server (port 9411)",
    )


def _refuse_v1(raw: Raw, where: str) -> None:
    given = mapping(raw)
    if "binaryAnnotations" in given or any(
        "endpoint" in mapping(one) for one in items(given.get("annotations"))
    ):
        raise BadAnswer(
            "that is Zipkin's v1 JSON, which says kinds and tags in another way",
            where=where,
            remedy="`url` must lead to a server with the v2 API, Zipkin 2.0 or newer",
        )


def _piece(raw: Raw, tally: Tally) -> _Piece | None:
    given = mapping(raw)
    span_id, trace_id = identifier(given.get("id")), identifier(given.get("traceId"), wide=True)
    if not span_id or not trace_id:
        tally.drop("a span without an identifier")
        return None
    parent_id = identifier(given.get("parentId"))
    if parent_id == span_id:
        tally.mend("a span that was its own ancestor")
        parent_id = ""
    duration = whole_number(given.get("duration")) or 0
    if duration < 0:
        tally.mend("a span with a negative duration")
    kind = text(given.get("kind")).lower()
    local, remote = mapping(given.get("localEndpoint")), mapping(given.get("remoteEndpoint"))
    attributes: dict[str, Value] = {
        key: text(value) for key, value in list(mapping(given.get("tags")).items())[:PARTS]
    }
    attributes.update(_endpoint(local, "network.local"))
    attributes.update(_endpoint(remote, "network.peer"))
    attributes.update({"peer.service": name} if (name := text(remote.get("serviceName"))) else {})
    attributes.update({f"zipkin.{flag}": True for flag in ("shared", "debug") if given.get(flag) is True})
    return _Piece(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent_id,
        name=text(given.get("name")),
        kind=kind if kind in KINDS else "",
        shared=given.get("shared") is True,
        start=moment(given.get("timestamp")) or 0,
        duration=max(0, duration) * MICROSECOND,
        service=text(local.get("serviceName")),
        attributes=attributes,
        events=_events(given.get("annotations"), tally),
    )


def _endpoint(endpoint: Mapping[str, Raw], prefix: str) -> dict[str, Value]:
    address = text(endpoint.get("ipv4")) or text(endpoint.get("ipv6"))
    port = whole_number(endpoint.get("port"))
    built: dict[str, Value] = {f"{prefix}.address": address} if address else {}
    if port is not None and 0 < port < 65536:
        built[f"{prefix}.port"] = port
    return built


def _events(raw: Raw, tally: Tally) -> tuple[SpanEvent, ...]:
    events: list[SpanEvent] = []
    for one in items(raw)[:PARTS]:
        note = mapping(one)
        at = moment(note.get("timestamp"))
        if at is None:
            tally.drop("an annotation without a time")
            continue
        events.append(SpanEvent(at=at, name=text(note.get("value")) or "annotation"))
    return tuple(sorted(events, key=lambda event: event.at))


def _trace(pieces: Sequence[_Piece], where: str, tally: Tally) -> Trace | None:
    """Put one trace together."""
    trace_id = max((piece.trace_id for piece in pieces), key=len)
    by_id: dict[str, list[_Piece]] = {}
    for piece in pieces:
        by_id.setdefault(piece.span_id, []).append(piece)
    wholes: list[_Piece] = []
    moved: dict[str, list[str]] = {}
    for span_id, group in by_id.items():
        first, *rest = _put_together(group)
        wholes.append(first)
        for other in rest:
            tally.mend(
                "a span shared by client and server"
                if other.is_server
                else "a span whose identifier another had"
            )
            other.span_id = derived_id(trace_id, span_id, other.kind, other.service, str(other.start))
            if other.is_server:
                other.parent_id = span_id
                moved.setdefault(span_id, []).append(other.span_id)
            wholes.append(other)
    _give_times(wholes, tally)
    resources: dict[str, dict[str, str]] = {}
    spans = {piece.span_id: _span(piece, trace_id, where, resources) for piece in wholes if piece.start}
    for _ in range(len(wholes) - len(spans)):
        tally.drop("a span in a trace without any time, or a copy")
    if not spans:
        return None
    halves = {shared: [spans[one] for one in ids if one in spans] for shared, ids in moved.items()}
    placed = under_servers(list(spans.values()), halves)
    ordered = sorted(without_cycles(placed, tally), key=lambda span: span.start)
    return Trace(trace_id, tuple(ordered))


def _put_together(group: Iterable[_Piece]) -> list[_Piece]:
    """Join the pieces of one identifier into the spans they are parts of, the client's half first.

    Pieces of one side and one service are one span unless each has a start of its own: then they are several.
    """
    spans: list[_Piece] = []
    # Pieces with a kind and a start come first, so that the others find what they are part of.
    for piece in sorted(group, key=lambda one: (one.is_server, not one.kind, not one.start, one.start)):
        host = next((held for held in spans if _same_span(held, piece)), None)
        if host is None:
            spans.append(piece)
        else:
            _join(host, piece)
    return spans


def _same_span(held: _Piece, piece: _Piece) -> bool:
    if held.start and piece.start and held.start != piece.start:
        return False
    if held.kind and piece.kind and held.is_server != piece.is_server:
        return False
    return held.service == piece.service or not held.service or not piece.service


def _join(held: _Piece, piece: _Piece) -> None:
    held.parent_id = held.parent_id or piece.parent_id
    held.name = held.name or piece.name
    held.kind = held.kind or piece.kind
    held.shared = held.shared or piece.shared
    held.start = held.start or piece.start
    held.duration = max(held.duration, piece.duration)
    held.service = held.service or piece.service
    held.attributes = piece.attributes | held.attributes
    together = {(event.at, event.name): event for event in (*held.events, *piece.events)}
    held.events = tuple(together[key] for key in sorted(together))


def _give_times(pieces: Sequence[_Piece], tally: Tally) -> None:
    """Give a start to the spans that came without: the first annotation's, else the nearest ancestor's or child's."""
    known = {piece.span_id: piece for piece in pieces}
    earliest: dict[str, int] = {}
    for piece in pieces:
        if not piece.start and piece.events:
            piece.start = piece.events[0].at
            tally.mend("a span without a start")
        if piece.start and piece.parent_id:
            earliest[piece.parent_id] = min(earliest.get(piece.parent_id, piece.start), piece.start)
    fallback = min((piece.start for piece in pieces if piece.start), default=0)
    for piece in pieces:
        if piece.start or not fallback:
            continue
        tally.mend("a span without a start")
        steps = 0
        above = known.get(piece.parent_id)
        while above is not None and not above.start and steps < ANCESTORS and above is not piece:
            steps += 1
            above = known.get(above.parent_id)
        inherited = above.start if above is not None else 0
        piece.start = inherited or earliest.get(piece.span_id, fallback)
        piece.attributes["zipkin.timestamp"] = "missing"


def _span(piece: _Piece, trace_id: str, where: str, resources: dict[str, dict[str, str]]) -> Span:
    attributes = piece.attributes
    status, message = _status(attributes)
    last = piece.events[-1].at if piece.events and not piece.duration else 0
    end = max(piece.start + piece.duration, last)
    scope = str(attributes.pop("otel.scope.name", attributes.pop("otel.library.name", "")) or "")
    return Span(
        trace_id=trace_id,
        span_id=piece.span_id,
        parent_id=piece.parent_id,
        name=piece.name or "(no name)",
        kind=piece.kind or "internal",
        start=piece.start,
        end=min(end, LAST_MOMENT - 1),
        status=status,
        status_message=message,
        attributes=attributes,
        events=piece.events,
        scope=scope,
        source=where,
        resource=resources.setdefault(piece.service, {"service.name": piece.service})
        if piece.service
        else EMPTY,
    )


def _status(attributes: dict[str, Value]) -> tuple[SpanStatus, str]:
    """Read the status: OpenTelemetry's own words, else the `error` tag, whose presence says that the call failed."""
    code = str(attributes.pop("otel.status_code", "") or "").upper()
    message = str(attributes.pop("otel.status_description", "") or "")
    error = attributes.get("error")
    if code in _STATUS:
        return _STATUS[code], message or (str(error) if error and code == "ERROR" else "")
    if error is None or str(error).lower() == "false":
        return SpanStatus.UNSET, message
    return SpanStatus.ERROR, message or ("" if str(error).lower() == "true" else str(error))
