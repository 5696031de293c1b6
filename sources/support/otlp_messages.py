"""OTLP's messages as OTLP/JSON spells them, for msgspec to decode.

The fields are those of opentelemetry-proto 1.x under their protobuf names, so that what reads these structs reads
protobuf's own generated messages as well; only what the conversion needs is here, and unknown fields are ignored
as the specification asks. Three things differ between the two encodings and are asked of the wire they came by:
identifiers (hex text or bytes), `AnyValue` and a point's number (which of the fields is set).

A field may be null in JSON, which means its default.
"""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct

from cockpit.signals import Value

What = Literal["traces", "logs", "metrics"]
"""The three kinds of export request, by the last part of their path."""


Int64 = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
"""A value that protobuf holds to 64 bits, and JSON to nothing."""


class Undecodable(Exception):
    """A request that is not what its content type says; the sender must not send it again."""


class _Message(Struct, rename="camel", gc=False):
    """A message: absent fields are None."""


class ArrayValue(_Message):
    """A list of values."""

    values: list[AnyValue] | None = None


class KeyValueList(_Message):
    """A map of values."""

    values: list[KeyValue] | None = None


class AnyValue(_Message):
    """One value: at most one field is set."""

    string_value: str | None = None
    bool_value: bool | None = None
    int_value: Int64 | None = None
    double_value: float | None = None
    array_value: ArrayValue | None = None
    kvlist_value: KeyValueList | None = None
    bytes_value: str | None = None


class KeyValue(_Message):
    """An attribute."""

    key: str | None = None
    value: AnyValue | None = None


class Resource(_Message):
    """Who a group of records is about."""

    attributes: list[KeyValue] | None = None


class InstrumentationScope(_Message):
    """The library that made a group of records."""

    name: str | None = None


Identifier = str | bytes | None
"""A trace or span identifier: hex text in JSON, bytes in protobuf."""


class Event(_Message):
    """A span's event."""

    time_unix_nano: int | None = None
    name: str | None = None
    attributes: list[KeyValue] | None = None


class Link(_Message):
    """A span's link."""

    trace_id: str | None = None
    span_id: str | None = None
    attributes: list[KeyValue] | None = None


class Status(_Message):
    """A span's status: 0 unset, 1 ok, 2 error."""

    message: str | None = None
    code: int | None = None


class OtlpSpan(_Message):
    """A span."""

    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    name: str | None = None
    kind: int | None = None
    start_time_unix_nano: int | None = None
    end_time_unix_nano: int | None = None
    attributes: list[KeyValue] | None = None
    events: list[Event] | None = None
    links: list[Link] | None = None
    status: Status | None = None


class ScopeSpans(_Message):
    """The spans of one scope."""

    scope: InstrumentationScope | None = None
    spans: list[OtlpSpan] | None = None


class ResourceSpans(_Message):
    """The spans of one resource."""

    resource: Resource | None = None
    scope_spans: list[ScopeSpans] | None = None


class TraceRequest(_Message):
    """ExportTraceServiceRequest."""

    resource_spans: list[ResourceSpans] | None = None


class OtlpLogRecord(_Message):
    """A log record."""

    time_unix_nano: int | None = None
    observed_time_unix_nano: int | None = None
    severity_number: int | None = None
    severity_text: str | None = None
    body: AnyValue | None = None
    attributes: list[KeyValue] | None = None
    trace_id: str | None = None
    span_id: str | None = None
    event_name: str | None = None


class ScopeLogs(_Message):
    """The log records of one scope."""

    scope: InstrumentationScope | None = None
    log_records: list[OtlpLogRecord] | None = None


class ResourceLogs(_Message):
    """The log records of one resource."""

    resource: Resource | None = None
    scope_logs: list[ScopeLogs] | None = None


class LogsRequest(_Message):
    """ExportLogsServiceRequest."""

    resource_logs: list[ResourceLogs] | None = None


class Point(_Message):
    """A point of any metric: a number, or a distribution's count and sum."""

    time_unix_nano: int | None = None
    attributes: list[KeyValue] | None = None
    as_double: float | None = None
    as_int: Int64 | None = None
    count: int | None = None
    sum: float | None = None
    flags: int | None = None


class MetricData(_Message):
    """The points of a gauge, sum, histogram, exponential histogram or summary."""

    data_points: list[Point] | None = None


class Metric(_Message):
    """A metric: one of the five kinds of data is set."""

    name: str | None = None
    unit: str | None = None
    gauge: MetricData | None = None
    sum: MetricData | None = None
    histogram: MetricData | None = None
    exponential_histogram: MetricData | None = None
    summary: MetricData | None = None


class ScopeMetrics(_Message):
    """The metrics of one scope."""

    metrics: list[Metric] | None = None


class ResourceMetrics(_Message):
    """The metrics of one resource."""

    resource: Resource | None = None
    scope_metrics: list[ScopeMetrics] | None = None


class MetricsRequest(_Message):
    """ExportMetricsServiceRequest."""

    resource_metrics: list[ResourceMetrics] | None = None


Request = TraceRequest | LogsRequest | MetricsRequest


class Wire(Protocol):
    """One of OTLP's two encodings."""

    content_type: str

    def prepare(self) -> None:
        """Import and build what decoding needs; called once, off the loop, before the first request."""

    def decode(self, what: What, body: bytes) -> Request:
        """Decode a request.

        Raises:
            Undecodable: The body is not such a request.
        """

    def identifier(self, given: Identifier, size: int) -> str:
        """Return an identifier of `size` bytes as lower-case hex; empty when it has another size or is all zero."""

    def value(self, given: AnyValue | None) -> Value:
        """Return an attribute's value; lists and maps as their JSON text."""

    def number(self, point: Point) -> float | None:
        """Return the number of a gauge's or a sum's point."""

    def response(self, what: What, rejected: int, message: str) -> bytes:
        """Encode the response to a request that was taken, in whole or in part."""

    def status(self, code: int, message: str) -> bytes:
        """Encode a google.rpc.Status for a request that was not taken."""
