"""Both of OTLP's encodings give the same signals, and hostile ones give none that a store can't hold."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from cockpit.hygiene import clean
from cockpit.signals import LogRecord, Span, SpanStatus
from sources.support.otlp_intake import convert
from sources.support.otlp_json import JsonWire
from sources.support.otlp_messages import Undecodable, What, Wire
from sources.support.otlp_proto import ProtoWire
from sources.support.otlp_signals import MetricPoint, Reading, Resources, Tally
from tests.helpers.examples import examples
from tests.helpers.shared_data import shared_data

NOW = 1_700_000_000_000_000_000
JSON, PROTO = JsonWire(), ProtoWire()
JSON.prepare()
PROTO.prepare()


def read(wire: Wire, what: What, body: bytes) -> tuple[list[Any], Tally]:
    tally = Tally()
    reading = Reading(wire, "otlp", NOW, Resources(), tally)
    return list(convert(what, wire.decode(what, body), reading)), tally


def test_the_specifications_samples_are_read() -> None:
    folder = shared_data("traces/otlp")
    ((span,), _) = read(JSON, "traces", (folder / "trace.json").read_bytes())
    assert (span.name, span.kind, span.duration) == ("I'm a server span", "server", 1_000_000_000)
    assert (span.parent_id, span.scope) == ("eee19b7ec3c1b173", "my.library")
    assert span.attributes == {"my.span.attr": "some value"}

    ((record,), _) = read(JSON, "logs", (folder / "logs.json").read_bytes())
    assert (record.level, record.body) == (10, "Example log record")
    assert record.resource == {"service.name": "my.service"}
    assert record.attributes["int.attribute"] == 10
    assert record.attributes["double.attribute"] == 637.704
    assert record.attributes["array.attribute"] == '["many","values"]'
    assert record.attributes["map.attribute"] == '{"some.map.key":"some value"}'

    ((event,), _) = read(JSON, "logs", (folder / "events.json").read_bytes())
    assert event.attributes["event.name"] == "browser.page_view"
    assert json.loads(event.body)["type"] == 0

    points, _ = read(JSON, "metrics", (folder / "metrics.json").read_bytes())
    assert {(point.name, point.value) for point in points} == {
        ("my.counter", 5.0),
        ("my.gauge", 10.0),
        ("my.histogram.count", 2.0),
        ("my.histogram.sum", 2.0),
        ("my.exponential.histogram.count", 3.0),
        ("my.exponential.histogram.sum", 10.0),
    }

    spans, _ = read(JSON, "traces", (folder / "jaeger_otel_traces_01.json").read_bytes())
    assert [span.kind for span in spans] == ["server", "client", "producer", "consumer"]
    assert {(len(span.events), len(span.links), span.status) for span in spans} == {(2, 2, SpanStatus.ERROR)}


any_values: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.fixed_dictionaries({"string_value": st.text(max_size=8)})
    | st.fixed_dictionaries({"bool_value": st.booleans()})
    | st.fixed_dictionaries({"int_value": st.integers(-(2**63), 2**63 - 1)})
    | st.fixed_dictionaries({"double_value": st.floats(allow_nan=False, allow_infinity=False)})
    | st.fixed_dictionaries({"bytes_value": st.binary(max_size=8)})
    | st.just({}),
    lambda inner: (
        st.fixed_dictionaries({"array_value": st.fixed_dictionaries({"values": st.lists(inner, max_size=3)})})
        | st.fixed_dictionaries(
            {
                "kvlist_value": st.fixed_dictionaries(
                    {
                        "values": st.lists(
                            st.fixed_dictionaries({"key": st.text(max_size=4), "value": inner}), max_size=3
                        )
                    }
                )
            }
        )
    ),
    max_leaves=6,
)
attributes = st.lists(st.fixed_dictionaries({"key": st.text(max_size=6), "value": any_values}), max_size=4)
trace_ids = st.binary(min_size=16, max_size=16) | st.binary(max_size=20) | st.just(bytes(16))
span_ids = st.binary(min_size=8, max_size=8) | st.binary(max_size=10) | st.just(bytes(8))
times = st.integers(0, 2**64 - 1) | st.integers(NOW, NOW + 10**12)
resources = st.fixed_dictionaries({"attributes": attributes})
scopes = st.fixed_dictionaries({"name": st.text(max_size=5)})
events = st.fixed_dictionaries(
    {"time_unix_nano": times, "name": st.text(max_size=5), "attributes": attributes}
)
links = st.fixed_dictionaries({"trace_id": trace_ids, "span_id": span_ids})
statuses = st.fixed_dictionaries({"message": st.text(max_size=5), "code": st.integers(0, 2)})
one_span = st.fixed_dictionaries(
    {
        "trace_id": trace_ids,
        "span_id": span_ids,
        "parent_span_id": span_ids,
        "name": st.text(max_size=8),
        "kind": st.integers(0, 5),
        "start_time_unix_nano": times,
        "end_time_unix_nano": times,
        "attributes": attributes,
        "events": st.lists(events, max_size=2),
        "links": st.lists(links, max_size=2),
        "status": statuses,
    }
)
one_record = st.fixed_dictionaries(
    {
        "time_unix_nano": times,
        "observed_time_unix_nano": times,
        "severity_number": st.integers(0, 24),
        "severity_text": st.sampled_from(["", "WARN", "odd"]),
        "body": any_values,
        "attributes": attributes,
        "trace_id": trace_ids,
        "span_id": span_ids,
        "event_name": st.text(max_size=4),
    }
)
one_point = st.fixed_dictionaries(
    {"time_unix_nano": times, "attributes": attributes},
    optional={"as_int": st.integers(-(2**63), 2**63 - 1)},
) | st.fixed_dictionaries(
    {"time_unix_nano": times, "as_double": st.floats(allow_nan=False, allow_infinity=False)}
)
points = st.fixed_dictionaries({"data_points": st.lists(one_point, max_size=3)})
histogram_point = st.fixed_dictionaries(
    {"time_unix_nano": times, "count": st.integers(0, 2**64 - 1), "sum": st.floats(0, 1e9)}
)
histograms = st.fixed_dictionaries({"data_points": st.lists(histogram_point, max_size=2)})
one_metric = st.fixed_dictionaries({"name": st.text(max_size=5), "unit": st.text(max_size=3)}).flatmap(
    lambda base: (
        st.builds(lambda data: {**base, "gauge": data}, points)
        | st.builds(lambda data: {**base, "sum": data}, points)
        | st.builds(lambda data: {**base, "histogram": data}, histograms)
        | st.builds(lambda data: {**base, "summary": data}, histograms)
    )
)


def requests(group: str, scoped: str, items: str, one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    inner = st.fixed_dictionaries({"scope": scopes, items: st.lists(one, max_size=3)})
    outer = st.fixed_dictionaries({"resource": resources, scoped: st.lists(inner, max_size=2)})
    return st.fixed_dictionaries({group: st.lists(outer, max_size=2)})


IDENTIFIERS = ("traceId", "spanId", "parentSpanId")


def as_otlp_json(message: Any) -> bytes:
    """Encode a message as protobuf's JSON mapping does, but for identifiers in hex, as OTLP has it."""

    def hexed(node: Any) -> Any:
        if isinstance(node, dict):
            return {
                key: base64.b64decode(value).hex() if key in IDENTIFIERS else hexed(value)
                for key, value in node.items()
            }
        return [hexed(item) for item in node] if isinstance(node, list) else node

    return json.dumps(hexed(MessageToDict(message, use_integers_for_enums=True))).encode()


def agree(what: What, message: Any) -> list[Any]:
    by_proto, rejected = read(PROTO, what, message.SerializeToString())
    by_json, rejected_too = read(JSON, what, as_otlp_json(message))
    assert by_proto == by_json
    assert rejected == rejected_too
    return by_proto


@given(requests("resource_spans", "scope_spans", "spans", one_span))
def test_both_encodings_give_the_same_spans(given_request: dict[str, Any]) -> None:
    found = agree("traces", ExportTraceServiceRequest(**given_request))
    cleaned, rejected = clean(found)
    assert rejected == 0
    for span in cleaned:
        assert isinstance(span, Span)
        assert 0 < span.start <= span.end < 2**63
        assert len(span.trace_id) == 32 and len(span.span_id) == 16


@given(requests("resource_logs", "scope_logs", "log_records", one_record))
def test_both_encodings_give_the_same_log_records(given_request: dict[str, Any]) -> None:
    found = agree("logs", ExportLogsServiceRequest(**given_request))
    cleaned, rejected = clean(found)
    assert rejected == 0
    assert all(
        isinstance(record, LogRecord) and record.trace_id in ("", found[n].trace_id)
        for n, record in enumerate(cleaned)
    )


@given(requests("resource_metrics", "scope_metrics", "metrics", one_metric))
def test_both_encodings_give_the_same_points(given_request: dict[str, Any]) -> None:
    found = agree("metrics", ExportMetricsServiceRequest(**given_request))
    assert all(isinstance(point, MetricPoint) and 0 < point.at < 2**63 for point in found)


KEYS = (
    "resourceSpans resourceLogs resourceMetrics resource attributes scopeSpans scopeLogs scopeMetrics scope",
    "spans logRecords metrics name key value stringValue intValue doubleValue boolValue arrayValue values",
    "kvlistValue traceId spanId startTimeUnixNano endTimeUnixNano timeUnixNano body kind status code gauge",
    "dataPoints asInt",
)
keys = st.sampled_from(" ".join(KEYS).split())
json_like: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["7", 10**400, -(10**400), "1" * 400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)
bodies = st.binary(max_size=200) | st.builds(lambda plain: json.dumps(plain).encode(), json_like)
whats: st.SearchStrategy[What] = st.sampled_from(("traces", "logs", "metrics"))


@settings(max_examples=examples(80))
@given(whats, bodies, st.sampled_from([JSON, PROTO]))
def test_garbage_is_refused_or_harmless(what: What, body: bytes, wire: Wire) -> None:
    try:
        found, _ = read(wire, what, body)
    except Undecodable as error:
        assert str(error).startswith("not OTLP")
        return
    if what != "metrics":
        assert clean(found)[1] == 0


@settings(max_examples=examples(60))
@given(
    requests("resource_spans", "scope_spans", "spans", one_span), st.integers(0, 10**6), st.integers(0, 255)
)
def test_a_changed_byte_is_refused_or_harmless(request_: dict[str, Any], place: int, byte: int) -> None:
    body = bytearray(ExportTraceServiceRequest(**request_).SerializeToString())
    if body:
        body[place % len(body)] = byte
    try:
        found, _ = read(PROTO, "traces", bytes(body))
    except Undecodable:
        return
    assert clean(found)[1] == 0


@pytest.mark.parametrize("number", [10**30, -(10**400), 10**400, "9" * 400])
@pytest.mark.parametrize("place", ["asInt", "count", "timeUnixNano", "intValue", "severityNumber", "kind"])
def test_numbers_of_any_size_are_refused_or_harmless(place: str, number: int | str) -> None:
    odd = {place: number}
    point = {"timeUnixNano": NOW, "asInt": 1, **odd}
    value = {"arrayValue": {"values": [odd]}}
    pairs = [{"key": "a", "value": odd}, {"key": "b", "value": value}]
    span = {"traceId": "a" * 32, "spanId": "b" * 16, "startTimeUnixNano": NOW, "attributes": pairs, **odd}
    metrics = [{"name": "m", "gauge": {"dataPoints": [point]}, "histogram": {"dataPoints": [point]}}]
    requests: tuple[tuple[What, object], ...] = (
        ("traces", {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}),
        ("logs", {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": value, **odd}]}]}]}),
        ("metrics", {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}),
    )
    for what, plain in requests:
        try:
            found, _ = read(JSON, what, json.dumps(plain).encode())
        except Undecodable:
            assert place in ("asInt", "intValue")
        else:
            assert what == "metrics" or clean(found)[1] == 0


@pytest.mark.parametrize("depth", [30, 90, 5000, 200_000])
def test_values_that_nest_deeply_are_cut_or_refused(depth: int) -> None:
    value = b'{"arrayValue":{"values":[' * depth + b'{"intValue":1}' + b"]}}" * depth
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":' + value + b"}]}]}]}"
    try:
        ((record,), _) = read(JSON, "logs", body)
    except Undecodable as error:
        assert "nested too deeply" in str(error)
    else:
        assert record.body == "[" * 16 + '"…"' + "]" * 16


@pytest.mark.parametrize(
    "given_id",
    [
        "",
        "0" * 32,
        "5b8e",
        "0x8EFFF798038103D269B633813FC60C",
        "5_8EFFF798038103D269B633813FC60C",
        "g" * 32,
        " " * 32,
    ],
)
def test_what_is_no_identifier_is_none(given_id: str) -> None:
    assert JSON.identifier(given_id, 16) == ""


def test_a_shared_resource_is_one_object_also_in_later_requests() -> None:
    body = json.dumps(
        {
            "resourceLogs": [
                {
                    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "cart"}}]},
                    "scopeLogs": [{"logRecords": [{"body": {"stringValue": "x"}}] * 3}],
                }
            ]
            * 2
        }
    ).encode()
    resources = Resources()
    found = [
        item
        for _ in range(2)
        for item in convert("logs", JSON.decode("logs", body), Reading(JSON, "otlp", NOW, resources, Tally()))
    ]
    assert len(found) == 12
    assert len({id(record.resource) for record in found if isinstance(record, LogRecord)}) == 1


@pytest.mark.parametrize("wire", [JSON, PROTO])
def test_a_second_of_heavy_traffic_costs_well_below_a_third_of_one(wire: Wire) -> None:
    pairs = [{"key": f"attribute.{n}", "value": {"string_value": f"value {n}"}} for n in range(5)]
    span = {
        "trace_id": b"t" * 16,
        "span_id": b"s" * 8,
        "name": "GET /cart",
        "start_time_unix_nano": NOW,
        "end_time_unix_nano": NOW + 1,
        "attributes": pairs,
    }
    record = {"time_unix_nano": NOW, "body": {"string_value": "charged order 4711"}, "attributes": pairs}
    spans = ExportTraceServiceRequest(resource_spans=[{"scope_spans": [{"spans": [span] * 500}]}])
    logs = ExportLogsServiceRequest(resource_logs=[{"scope_logs": [{"log_records": [record] * 500}]}])
    encode = as_otlp_json if wire is JSON else lambda message: bytes(message.SerializeToString())
    by_traces: tuple[What, bytes] = ("traces", encode(spans))
    by_logs: tuple[What, bytes] = ("logs", encode(logs))

    def seconds() -> float:
        started = time.thread_time()
        taken = sum(
            len(clean(read(wire, what, body)[0])[0]) for what, body in [by_traces] * 4 + [by_logs] * 10
        )
        assert taken == 7000
        return time.thread_time() - started

    assert min(seconds() for _ in range(3)) < 0.3
