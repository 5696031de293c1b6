from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit import hygiene
from cockpit.errors import BadAnswer
from cockpit.signals import Span, SpanStatus
from sources.support.jaeger_json import read_services, read_traces
from sources.support.trace_parts import Tally, Trace, identifier, summarise
from tests.helpers.examples import examples
from tests.helpers.shared_data import shared_data

T0 = 1_700_000_000_000_000


def span(number: int, parent: int = 0, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "traceID": "a1",
        "spanID": f"{number:016x}",
        "operationName": f"op{number}",
        "references": [{"refType": "CHILD_OF", "traceID": "a1", "spanID": f"{parent:016x}"}]
        if parent
        else [],
        "startTime": T0 + number,
        "duration": 100,
        "tags": [],
        "logs": [],
        "processID": "p1",
        "warnings": None,
    }
    return made | changes


def envelope(*spans: Any, **changes: Any) -> dict[str, Any]:
    trace = {"traceID": "a1", "spans": list(spans), "processes": {"p1": {"serviceName": "shop", "tags": []}}}
    return {"data": [trace | changes], "total": 0, "limit": 0, "offset": 0, "errors": None}


def tag(key: str, value: object, kind: str = "string") -> dict[str, object]:
    return {"key": key, "type": kind, "value": value}


def one(*spans: Any, tally: Tally | None = None, **changes: Any) -> Trace:
    [trace] = read_traces(envelope(*spans, **changes), "jaeger", tally or Tally())
    return trace


def by_name(trace: Trace) -> dict[str, Span]:
    return {held.name: held for held in trace.spans}


def test_a_span_is_mapped_as_the_specification_says() -> None:
    logs = [{"timestamp": T0 + 5, "fields": [tag("event", "retry"), tag("attempt", 2, "int64")]}]
    tags = [
        tag("span.kind", "client"), tag("otel.status_code", "ERROR"), tag("otel.status_description", "no stock"),
        tag("otel.scope.name", "lib"), tag("http.status_code", "503", "int64"), tag("ratio", "0.5", "float64"),
        tag("cached", "true", "bool"), tag("raw", "AQID", "binary"), tag("big", 1 << 70, "int64"),
        tag("list", [1, {"a": 2}]),
    ]  # fmt: skip
    process = {"p1": {"serviceName": "shop", "tags": [tag("hostname", "web-1"), tag("ip", "10.0.0.1")]}}
    read = one(span(1, tags=tags, logs=logs, warnings=["clock skew"]), processes=process).spans[0]
    assert read.trace_id == "00000000000000a1" and read.span_id == "0000000000000001"
    assert (read.start, read.end) == ((T0 + 1) * 1000, (T0 + 101) * 1000)
    assert (read.kind, read.status, read.status_message, read.scope) == (
        "client",
        SpanStatus.ERROR,
        "no stock",
        "lib",
    )
    assert read.resource == {"service.name": "shop", "host.name": "web-1", "ip": "10.0.0.1"}
    assert read.attributes == {
        "http.status_code": 503, "ratio": 0.5, "cached": True, "raw": "AQID", "big": str(1 << 70),
        "list": '[1,{"a":2}]', "jaeger.warnings": "clock skew",
    }  # fmt: skip
    [event] = read.events
    assert (event.name, event.at, event.attributes) == ("retry", (T0 + 5) * 1000, {"attempt": 2})


@pytest.mark.parametrize(
    ("tags", "status", "message"),
    [
        ([tag("error", True, "bool")], SpanStatus.ERROR, ""),
        ([tag("error", "true")], SpanStatus.ERROR, ""),
        ([tag("error", "timeout")], SpanStatus.ERROR, "timeout"),
        ([tag("error", False, "bool")], SpanStatus.UNSET, ""),
        ([tag("otel.status_code", "OK"), tag("error", True, "bool")], SpanStatus.OK, ""),
        ([], SpanStatus.UNSET, ""),
    ],
)
def test_the_status_comes_from_opentelemetry_before_opentracing(
    tags: list[object], status: SpanStatus, message: str
) -> None:
    read = one(span(1, tags=tags)).spans[0]
    assert (read.status, read.status_message) == (status, message)


def test_the_first_child_of_is_the_parent_and_the_rest_are_links() -> None:
    references = [
        {"refType": "FOLLOWS_FROM", "traceID": "a1", "spanID": "2"},
        {"refType": "CHILD_OF", "traceID": "b2", "spanID": "9"},
        {"refType": "CHILD_OF", "traceID": "a1", "spanID": "1"},
    ]
    read = by_name(one(span(1), span(2, 1), span(3, references=references)))["op3"]
    assert read.parent_id == "0000000000000001"
    assert [(link.trace_id[-2:], link.span_id[-1], link.attributes) for link in read.links] == [
        ("a1", "2", {"opentracing.ref_type": "follows_from"}),
        ("b2", "9", {"opentracing.ref_type": "child_of"}),
    ]
    follows = [{"refType": "FOLLOWS_FROM", "traceID": "a1", "spanID": "1"}]
    assert by_name(one(span(1), span(4, references=follows)))["op4"].parent_id == "0000000000000001"


def test_64_bit_references_within_a_128_bit_trace_are_its_own() -> None:
    long = "463ac35c9f6413ad00000000000000a1"
    answer = envelope(span(1), span(2, 1), traceID=long)
    tally = Tally()
    [trace] = read_traces(answer, "jaeger", tally)
    read = by_name(trace)
    assert read["op2"].parent_id == read["op1"].span_id and read["op2"].trace_id == trace.trace_id == long
    assert tally.mended == {}


def test_a_cycle_is_cut_at_its_earliest_span() -> None:
    tally = Tally()
    trace = one(span(1, 3), span(2, 1), span(3, 2), span(4, 3), span(5, 5), tally=tally)
    parents = {held.name: held.parent_id[-1:] for held in trace.spans}
    assert parents == {"op1": "", "op2": "1", "op3": "2", "op4": "3", "op5": ""}
    assert tally.mended["a span that was its own ancestor"] == 2


def test_copies_are_dropped_and_clashes_are_kept_apart() -> None:
    tally = Tally()
    trace = one(span(1), span(1), span(1, operationName="other"), span(2, 1), tally=tally)
    assert sorted(held.name for held in trace.spans) == ["op1", "op2", "other"]
    assert len({held.span_id for held in trace.spans}) == 3
    assert tally.dropped == {"a span that was there twice": 1}


def test_halves_that_share_an_identifier_become_parent_and_child() -> None:
    processes = {"p1": {"serviceName": "web"}, "p2": {"serviceName": "shop"}}
    trace = one(
        span(1, operationName="serve", tags=[tag("span.kind", "server")], processID="p2"),
        span(1, operationName="call", tags=[tag("span.kind", "client")]),
        span(2, 1, operationName="query", processID="p2"),
        processes=processes,
    )
    read = by_name(trace)
    assert read["serve"].parent_id == read["call"].span_id == "0000000000000001"
    assert read["query"].parent_id == read["serve"].span_id


def test_dirty_spans_are_mended_or_dropped_and_counted() -> None:
    tally = Tally()
    trace = one(
        span(1, duration=-5),
        span(2, startTime=str(T0), duration="7"),
        span(3, processID="gone"),
        span(4, traceID="ffff"),
        span(5, startTime=None),
        span(6, spanID=None),
        span(7, spanID="0000000000000000"),
        span(8, references=[None, {"spanID": None}, "x"], tags=[1, {"value": 2}], logs=[{}]),
        "no span", None,
        tally=tally,
    )  # fmt: skip
    read = by_name(trace)
    assert set(read) == {"op1", "op2", "op3", "op4", "op8"}
    assert read["op1"].duration == 0 and read["op2"].duration == 7000 and read["op3"].resource == {}
    assert read["op4"].trace_id == trace.trace_id
    assert tally.dropped == {"a span without an identifier or a start": 5, "a reference to nothing": 3}
    assert tally.mended["a span whose process is missing"] == 1


@pytest.mark.parametrize(
    ("value", "wide", "expected"),
    [
        ("1F", False, "000000000000001f"),
        ("1f", True, "000000000000001f"),
        ("0af7651916cd43dd8448eb211c80319c", True, "0af7651916cd43dd8448eb211c80319c"),
        ("f7651916cd43dd8448eb211c80319c", True, "00f7651916cd43dd8448eb211c80319c"),
        ("AAAAAAAAAAI=", False, "0000000000000002"),
        ("CvdlGRbNQ92ESOshHIAxnA==", True, "0af7651916cd43dd8448eb211c80319c"),
        (-1, False, "f" * 16),
        (255, False, "00000000000000ff"),
        ("trace-123", True, "trace-123"),
        ("0", False, ""), ("", False, ""), (None, False, ""), (True, False, ""), ({}, True, ""), ("\x1b[", True, ""),
    ],
)  # fmt: skip
def test_identifiers_are_read_as_systems_write_them(value: object, wide: bool, expected: str) -> None:
    assert identifier(value, wide=wide) == expected


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([], "no answer of Jaeger"), ("x", "no answer of Jaeger"), ({}, "no answer of Jaeger"),
        ({"data": 7}, "no list"),
        ({"data": None, "errors": [{"code": 500, "msg": "storage \x1b[31mdown"}]}, "storage"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_told(answer: object, words: str) -> None:
    with pytest.raises(BadAnswer, match=words) as caught:
        read_traces(answer, "jaeger", Tally())
    assert "\x1b" not in str(caught.value)


def test_services_are_read_and_null_means_none() -> None:
    assert read_services({"data": ["b", "a", "", 3, "a"]}, "jaeger") == ["a", "b"]
    assert read_services({"data": None, "errors": None}, "jaeger") == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["traceID", "spanID", "operationName", "references", "startTime", "duration", "tags", "logs", "processID",
     "process", "warnings", "parentSpanID"]
)  # fmt: skip


@given(
    st.lists(st.dictionaries(FIELDS, JSON, max_size=6), max_size=6),
    st.dictionaries(st.text(), JSON, max_size=2),
)
@settings(max_examples=examples(50), deadline=None)
def test_wrong_types_never_crash_and_what_comes_out_is_clean(
    changes: list[dict[str, Any]], processes: Any
) -> None:
    spans = [span(number % 3 + 1, number % 2) | change for number, change in enumerate(changes)]
    for trace in read_traces(envelope(*spans, processes=processes), "jaeger", Tally()):
        summarise(trace, "jaeger")
        kept, rejected = hygiene.clean(trace.spans)
        assert (len(kept), rejected) == (len(trace.spans), 0)


@given(JSON)
@settings(max_examples=examples(50), deadline=None)
def test_any_json_is_read_or_refused(answer: Any) -> None:
    try:
        read_traces(answer, "jaeger", Tally())
        read_traces({"data": [answer]}, "jaeger", Tally())
    except BadAnswer:
        pass


def test_a_trace_of_80_000_spans_is_read_whole() -> None:
    spans = [span(number, number - 1) for number in range(1, 80_001)]
    trace = one(*spans)
    assert len(trace.spans) == 80_000
    assert summarise(trace, "jaeger").root == "op1"


def test_sample_traces_of_jaeger_s_screen_are_read_whole() -> None:
    read = 0
    for file in sorted(shared_data("traces/jaeger-ui").glob("*.json")):
        found = json.loads(file.read_text())
        if not isinstance(found, dict) or "resourceSpans" in found:
            continue
        data = found["data"] if isinstance(found.get("data"), list) else [found.get("data", found)]
        tally = Tally()
        traces = read_traces({"data": data}, "jaeger", tally)
        given_spans = {json.dumps(one_span, sort_keys=True) for trace in data for one_span in trace["spans"]}
        assert sum(len(trace.spans) for trace in traces) == len(given_spans), file.name
        assert set(tally.dropped) <= {"a span that was there twice"}, file.name
        for trace in traces:
            assert trace.spans[0].resource["service.name"]
        read += 1
    assert read > 10
