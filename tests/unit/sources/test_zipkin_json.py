from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit import hygiene
from cockpit.errors import BadAnswer
from cockpit.signals import Span, SpanStatus
from sources.support.trace_parts import Tally, Trace, summarise
from sources.support.zipkin_json import read_services, read_spans, read_traces
from tests.helpers.examples import examples
from tests.helpers.shared_data import shared_data

T0 = 1_700_000_000_000_000


def span(number: int, parent: int = 0, service: str = "shop", **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "traceId": "00000000000000a1",
        "id": f"{number:016x}",
        "name": f"op{number}",
        "timestamp": T0 + number,
        "duration": 100,
        "localEndpoint": {"serviceName": service},
    }
    if parent:
        made["parentId"] = f"{parent:016x}"
    return made | changes


def one(*spans: Any, tally: Tally | None = None) -> Trace:
    [trace] = read_spans(list(spans), "zipkin", tally or Tally())
    return trace


def by_name(trace: Trace) -> dict[str, Span]:
    return {held.name: held for held in trace.spans}


def test_a_span_is_mapped_field_by_field() -> None:
    given_span = span(
        1,
        kind="CLIENT",
        debug=True,
        localEndpoint={"serviceName": "shop", "ipv4": "10.0.0.1", "port": 80},
        remoteEndpoint={"serviceName": "db", "ipv6": "::1", "port": "5432"},
        tags={"http.path": "/x", "error": "no stock"},
        annotations=[{"timestamp": T0 + 9, "value": "ws"}, {"timestamp": T0 + 3, "value": "wr"}],
    )
    read = one(given_span).spans[0]
    assert (read.trace_id, read.span_id, read.kind) == ("00000000000000a1", "0000000000000001", "client")
    assert (read.start, read.end) == ((T0 + 1) * 1000, (T0 + 101) * 1000)
    assert (read.status, read.status_message) == (SpanStatus.ERROR, "no stock")
    assert read.resource == {"service.name": "shop"}
    assert read.attributes == {
        "http.path": "/x", "error": "no stock", "zipkin.debug": True, "peer.service": "db",
        "network.local.address": "10.0.0.1", "network.local.port": 80,
        "network.peer.address": "::1", "network.peer.port": 5432,
    }  # fmt: skip
    assert [(event.name, event.at) for event in read.events] == [
        ("wr", (T0 + 3) * 1000),
        ("ws", (T0 + 9) * 1000),
    ]


@pytest.mark.parametrize(
    ("tags", "status", "message"),
    [
        ({"error": ""}, SpanStatus.ERROR, ""),
        ({"error": "true"}, SpanStatus.ERROR, ""),
        ({"error": "false"}, SpanStatus.UNSET, ""),
        ({"error": "boom"}, SpanStatus.ERROR, "boom"),
        ({"otel.status_code": "OK", "error": "boom"}, SpanStatus.OK, ""),
        ({"otel.status_code": "ERROR", "error": "boom"}, SpanStatus.ERROR, "boom"),
        ({}, SpanStatus.UNSET, ""),
    ],
)
def test_the_error_tag_says_that_a_call_failed(
    tags: dict[str, str], status: SpanStatus, message: str
) -> None:
    read = one(span(1, tags=tags)).spans[0]
    assert (read.status, read.status_message) == (status, message)


def test_the_server_half_of_a_shared_span_becomes_the_client_s_child() -> None:
    trace = one(
        span(1, service="web", kind="CLIENT", name="call"),
        span(1, service="shop", kind="SERVER", shared=True, name="serve", timestamp=T0 + 5),
        span(2, 1, service="shop", name="query"),
        span(3, 1, service="web", name="encode"),
    )
    read = by_name(trace)
    assert read["call"].span_id == "0000000000000001" and read["call"].parent_id == ""
    assert read["serve"].parent_id == read["call"].span_id != read["serve"].span_id
    assert read["query"].parent_id == read["serve"].span_id
    assert read["encode"].parent_id == read["call"].span_id
    assert read["serve"].attributes["zipkin.shared"] is True


def test_a_shared_span_whose_client_did_not_report_keeps_its_identifier() -> None:
    read = one(span(7, 3, kind="SERVER", shared=True)).spans[0]
    assert (read.span_id[-1], read.parent_id[-1]) == ("7", "3")


def test_the_same_halves_get_the_same_identifiers_each_time() -> None:
    halves = (span(1, kind="CLIENT", service="web"), span(1, kind="SERVER", shared=True))
    assert one(*halves) == one(*reversed(halves))


def test_pieces_of_one_span_are_put_together() -> None:
    trace = one(
        {"traceId": "a1", "id": "1", "tags": {"late": "yes"}, "localEndpoint": {"serviceName": "shop"}},
        span(1, kind="SERVER", duration=None),
        span(1, kind="SERVER", tags={"more": "yes"}, duration=50),
    )
    [read] = trace.spans
    assert read.duration == 50_000 and read.attributes == {"late": "yes", "more": "yes"}


def test_spans_that_each_have_a_time_stay_apart() -> None:
    trace = one(
        span(1, kind="CLIENT", service="web"),
        span(1, kind="SERVER", shared=True, timestamp=T0 + 2),
        span(1, kind="SERVER", shared=True, timestamp=T0 + 3),
    )
    assert len(trace.spans) == 3 and len({read.span_id for read in trace.spans}) == 3


def test_spans_without_a_time_get_the_nearest_one() -> None:
    tally = Tally()
    trace = one(
        span(1),
        span(2, 1, timestamp=None, duration=None),
        span(3, 2, timestamp=0, duration=None),
        span(4, 1, timestamp=None, duration=None, annotations=[{"timestamp": T0 + 7, "value": "sr"}]),
        tally=tally,
    )
    read = by_name(trace)
    assert read["op2"].start == read["op3"].start == read["op1"].start
    assert read["op2"].attributes["zipkin.timestamp"] == "missing"
    assert read["op4"].start == (T0 + 7) * 1000 and "zipkin.timestamp" not in read["op4"].attributes
    assert tally.mended["a span without a start"] == 3


def test_a_trace_without_any_time_is_dropped_and_counted() -> None:
    tally = Tally()
    assert read_spans([span(1, timestamp=None), span(2, 1, timestamp="x")], "zipkin", tally) == []
    assert tally.dropped == {"a span in a trace without any time, or a copy": 2}


def test_64_and_128_bit_identifiers_of_one_trace_are_one_trace() -> None:
    long = "463ac35c9f6413ad00000000000000a1"
    trace = one(span(1, traceId=long), span(2, 1))
    assert trace.trace_id == long and {read.trace_id for read in trace.spans} == {long}


def test_cycles_are_cut_and_counted() -> None:
    tally = Tally()
    trace = one(span(1, 2), span(2, 1), span(3, 3), tally=tally)
    assert {read.name: read.parent_id[-1:] for read in trace.spans} == {"op1": "", "op2": "1", "op3": ""}
    assert tally.mended["a span that was its own ancestor"] == 2


V1 = [
    {
        "traceId": "a1",
        "id": "1",
        "name": "get",
        "annotations": [{"timestamp": T0, "value": "sr", "endpoint": {"serviceName": "shop"}}],
        "binaryAnnotations": [{"key": "http.path", "value": "/"}],
    }
]


@pytest.mark.parametrize("answer", [V1, [V1], [[V1[0] | {"binaryAnnotations": []}]]])
def test_v1_is_refused_by_name(answer: Any) -> None:
    with pytest.raises(BadAnswer, match="v1 JSON"):
        read_traces(answer, "zipkin", Tally())


@pytest.mark.parametrize("answer", [{}, "x", None, 7, {"data": []}])
def test_what_is_no_answer_is_told(answer: Any) -> None:
    for read in (read_traces, read_spans):
        with pytest.raises(BadAnswer, match="Zipkin's v2 API"):
            read(answer, "zipkin", Tally())
    with pytest.raises(BadAnswer):
        read_services(answer, "zipkin")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["traceId", "id", "parentId", "name", "kind", "timestamp", "duration", "shared", "debug", "localEndpoint",
     "remoteEndpoint", "tags", "annotations"]
)  # fmt: skip


@given(st.lists(st.dictionaries(FIELDS, JSON, max_size=6), max_size=8))
@settings(max_examples=examples(50), deadline=None)
def test_wrong_types_never_crash_and_what_comes_out_is_clean(changes: list[dict[str, Any]]) -> None:
    spans = [span(number % 3 + 1, number % 2) | change for number, change in enumerate(changes)]
    try:
        traces = read_traces([spans], "zipkin", Tally())
    except BadAnswer:
        return
    for trace in traces:
        summarise(trace, "zipkin")
        kept, rejected = hygiene.clean(trace.spans)
        assert (len(kept), rejected) == (len(trace.spans), 0)
        assert len({read.span_id for read in trace.spans}) == len(trace.spans)


@given(JSON)
@settings(max_examples=examples(50), deadline=None)
def test_any_json_is_read_or_refused(answer: Any) -> None:
    try:
        read_traces(answer, "zipkin", Tally())
    except BadAnswer:
        pass


SAMPLES = {
    "ascend": 8, "envoy": 1, "messaging": 4, "messaging-kafka": 28, "simple-db-p6": 5, "skew": 4, "yelp": 16,
    "smartthings-oauth-authorization": 175,
    # 1,041 reports, of which 84 have no time and are parts of spans that others reported.
    "smartthings-mobile-web-install": 957,
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_traces_are_read_whole_and_as_one_tree(name: str) -> None:
    raw = json.loads((shared_data("traces/zipkin") / f"{name}.json").read_text())
    tally = Tally()
    [trace] = read_spans(raw, "zipkin", tally)
    known = {read.span_id for read in trace.spans}
    assert len(trace.spans) == len(known) == SAMPLES[name]
    assert [read for read in trace.spans if read.parent_id and read.parent_id not in known] == []
    assert sum(not read.parent_id for read in trace.spans) == 1
    assert tally.dropped == {}
    assert {read.resource.get("service.name", "") for read in trace.spans} == {
        held.get("localEndpoint", {}).get("serviceName", "") for held in raw
    }
