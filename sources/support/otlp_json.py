"""OTLP/JSON: protobuf's JSON mapping but for hex identifiers and numeric enums.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: lowerCamelCase keys, 64-bit integers as decimal
text (numbers are read too), unknown fields ignored.
"""

from __future__ import annotations

import json
import re

import msgspec

from cockpit.signals import Value
from sources.support.otlp_messages import (
    AnyValue,
    Identifier,
    LogsRequest,
    MetricsRequest,
    Point,
    Request,
    TraceRequest,
    Undecodable,
    What,
)

DEPTH = 16
"""Levels kept of a value that nests."""

HEX = re.compile(r"[0-9a-fA-F]*")

REJECTED = {"traces": "rejectedSpans", "logs": "rejectedLogRecords", "metrics": "rejectedDataPoints"}

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]


class JsonWire:
    """Decodes OTLP/JSON and encodes its answers."""

    content_type = "application/json"

    def __init__(self) -> None:
        self._decoders: dict[str, msgspec.json.Decoder[Request]] = {}

    def prepare(self) -> None:
        """Build the three decoders; `strict=False` reads integers given as text."""
        self._decoders = {
            "traces": msgspec.json.Decoder(TraceRequest, strict=False),
            "logs": msgspec.json.Decoder(LogsRequest, strict=False),
            "metrics": msgspec.json.Decoder(MetricsRequest, strict=False),
        }

    def decode(self, what: What, body: bytes) -> Request:
        """Decode a request.

        Raises:
            Undecodable: The body is no JSON, or no such request.
        """
        try:
            return self._decoders[what].decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Undecodable(f"not OTLP/JSON: {error}") from None
        except RecursionError:
            raise Undecodable("not OTLP/JSON: nested too deeply") from None

    def identifier(self, given: Identifier, size: int) -> str:
        """Return an identifier as lower-case hex; empty when it is none of `size` bytes."""
        if not isinstance(given, str) or len(given) != size * 2 or not HEX.fullmatch(given):
            return ""
        return given.lower() if given.strip("0") else ""

    def value(self, given: AnyValue | None) -> Value:
        """Return an attribute's value; lists and maps as their JSON text."""
        if given is None:
            return None
        if given.string_value is not None:
            return given.string_value
        plain = _plain(given, DEPTH)
        return json_text(plain) if isinstance(plain, list | dict) else plain

    def number(self, point: Point) -> float | None:
        """Return a point's number."""
        if point.as_double is not None:
            return point.as_double
        return None if point.as_int is None else float(point.as_int)

    def response(self, what: What, rejected: int, message: str) -> bytes:
        """Encode an Export…ServiceResponse."""
        if not rejected and not message:
            return b"{}"
        partial = {REJECTED[what]: str(rejected), "errorMessage": message}
        return msgspec.json.encode({"partialSuccess": partial})

    def status(self, code: int, message: str) -> bytes:
        """Encode a google.rpc.Status."""
        return msgspec.json.encode({"code": code, "message": message})


def json_text(plain: Plain) -> str:
    """Return a list or map as JSON text; text that is no UTF-8 stays as it is, for hygiene to replace."""
    try:
        return msgspec.json.encode(plain).decode()
    except (UnicodeEncodeError, OverflowError):
        return json.dumps(plain)


def _plain(given: AnyValue | None, depth: int) -> Plain:
    if given is None:
        return None
    for scalar in (given.string_value, given.bool_value, given.int_value, given.double_value):
        if scalar is not None:
            return scalar
    if given.array_value is not None:
        return [_plain(item, depth - 1) for item in given.array_value.values or ()] if depth else "…"
    if given.kvlist_value is not None:
        pairs = given.kvlist_value.values or ()
        return {pair.key or "": _plain(pair.value, depth - 1) for pair in pairs} if depth else "…"
    return given.bytes_value
