"""OTLP's protobuf encoding, by opentelemetry-proto's generated messages.

They and protobuf take some 90 ms and several megabytes to import, so they are imported at the first protobuf
request. Their attribute names are those of `otlp_messages`, so the conversion reads either.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any, cast

from cockpit.signals import Value
from sources.support.otlp_json import DEPTH, Plain, json_text
from sources.support.otlp_messages import AnyValue, Identifier, Point, Request, Undecodable, What

REJECTED = {"traces": "rejected_spans", "logs": "rejected_log_records", "metrics": "rejected_data_points"}


class ProtoWire:
    """Decodes protobuf requests and encodes their answers."""

    content_type = "application/x-protobuf"

    def __init__(self) -> None:
        self._requests: dict[str, Any] = {}
        self._responses: dict[str, Any] = {}
        self._decode_error: type[Exception] = ValueError

    def prepare(self) -> None:
        """Import the generated messages."""
        from google.protobuf.message import DecodeError
        from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
        from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

        self._decode_error = DecodeError
        self._requests = {
            "traces": traces.ExportTraceServiceRequest,
            "logs": logs.ExportLogsServiceRequest,
            "metrics": metrics.ExportMetricsServiceRequest,
        }
        self._responses = {
            "traces": traces.ExportTraceServiceResponse,
            "logs": logs.ExportLogsServiceResponse,
            "metrics": metrics.ExportMetricsServiceResponse,
        }

    def decode(self, what: What, body: bytes) -> Request:
        """Decode a request.

        Raises:
            Undecodable: The body is no protobuf, or no such request.
        """
        try:
            return cast("Request", self._requests[what].FromString(body))
        except self._decode_error as error:
            raise Undecodable(f"not OTLP protobuf: {error}") from None

    def identifier(self, given: Identifier, size: int) -> str:
        """Return an identifier as lower-case hex; empty when it is none of `size` bytes."""
        if not isinstance(given, bytes) or len(given) != size or not any(given):
            return ""
        return given.hex()

    def value(self, given: AnyValue | None) -> Value:
        """Return an attribute's value; lists and maps as their JSON text."""
        message: Any = given
        which = message.WhichOneof("value")
        if which == "string_value":
            return cast("str", message.string_value)
        if which in ("int_value", "bool_value", "double_value"):
            return cast("Value", getattr(message, which))
        plain = _plain(message, which, DEPTH)
        return json_text(plain) if isinstance(plain, list | dict) else plain

    def number(self, point: Point) -> float | None:
        """Return a point's number."""
        message: Any = point
        which = message.WhichOneof("value")
        return None if which is None else float(getattr(message, which))

    def response(self, what: What, rejected: int, message: str) -> bytes:
        """Encode an Export…ServiceResponse."""
        if not rejected and not message:
            return b""
        answer = self._responses[what]()
        setattr(answer.partial_success, REJECTED[what], rejected)
        answer.partial_success.error_message = message
        return cast("bytes", answer.SerializeToString())

    def status(self, code: int, message: str) -> bytes:
        """Encode a google.rpc.Status: field 1 the code, field 2 the message.

        By hand, for its generated message is in a package that the cockpit needs for nothing else.
        """
        text = message[:1000].encode(errors="replace")
        size = len(text)
        length = bytes([size]) if size < 0x80 else bytes([size & 0x7F | 0x80, size >> 7])
        return b"\x08" + bytes([code]) + b"\x12" + length + text


def _plain(message: Any, which: str | None, depth: int) -> Plain:
    if which == "array_value":
        values = message.array_value.values
        return [_plain(item, item.WhichOneof("value"), depth - 1) for item in values] if depth else "…"
    if which == "kvlist_value":
        if not depth:
            return "…"
        pairs = message.kvlist_value.values
        return {pair.key: _plain(pair.value, pair.value.WhichOneof("value"), depth - 1) for pair in pairs}
    if which == "bytes_value":
        return b64encode(message.bytes_value).decode()
    return None if which is None else cast("Plain", getattr(message, which))
