"""Structured log lines: JSON objects and logfmt, with the names that common loggers give to their fields.

Known are OpenTelemetry's own, Elastic's common schema (flat or nested), bunyan and pino, zap and zerolog,
structlog and Python's json formatters, logrus, GELF, Docker's json-file and Datadog's trace fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from cockpit.formats.format import Said
from cockpit.formats.walks import Head
from cockpit.signals import Value

FIELDS = 100
"""Fields kept of one line; hostile lines have more."""

TIMES = (
    "time",
    "timestamp",
    "timeUnixNano",
    "@timestamp",
    "ts",
    "Timestamp",
    "t",
    "datetime",
    "asctime",
    "eventTime",
    "date",
    "@t",
)
LEVELS = ("level", "severity", "lvl", "log.level", "levelname", "severity_text", "SeverityText", "severityText",
          "loglevel", "log_level", "@l", "Level")  # fmt: skip
NUMBERS = ("severity_number", "SeverityNumber", "severityNumber")
BODIES = (
    "msg",
    "message",
    "body",
    "event",
    "short_message",
    "log",
    "Body",
    "MESSAGE",
    "text",
    "@m",
    "@mt",
    "Message",
)
SERVICES = (
    "service.name",
    "service",
    "service_name",
    "app",
    "application",
    "serviceName",
    "name",
    "dd.service",
)
HOSTS = ("host.name", "hostname", "host", "host_name", "dd.host")
TRACES = ("trace_id", "traceId", "trace.id", "traceID", "TraceId", "dd.trace_id", "otelTraceID", "traceid")
SPANS = ("span_id", "spanId", "span.id", "spanID", "SpanId", "dd.span_id", "otelSpanID", "spanid")

NESTED = frozenset({"log", "service", "host", "trace", "span", "event", "error", "http", "url", "process", "user",
                    "resource", "attributes"})  # fmt: skip
"""Objects whose members are shown as fields of their own: `{"log": {"level": "info"}}` is `log.level`."""

_NAMING = frozenset((*SERVICES, *HOSTS, *TRACES, *SPANS))
_HEX = re.compile(r"[0-9a-f]{16}(?:[0-9a-f]{16})?")
_DECODER: msgspec.json.Decoder[dict[str, object]] = msgspec.json.Decoder(dict[str, object])


def from_json(line: str, head: Head) -> Said | None:
    """Read a JSON object; None for what is none.

    Args:
        line: The text of the object.
        head: Its time and level.
    """
    try:
        found = _DECODER.decode(line)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return said_of(_flat(found), line, head)


def _flat(found: dict[str, object]) -> dict[str, object]:
    """Lift the members of known objects to the top, under dotted names."""
    if NESTED.isdisjoint(found) or not any(
        name in NESTED and isinstance(inner, dict) for name, inner in found.items()
    ):
        return found
    flat: dict[str, object] = {}
    for name, value in found.items():
        if isinstance(value, dict) and name in NESTED:
            lifted = "" if name in ("attributes", "resource") else f"{name}."
            flat.update({f"{lifted}{inner}": part for inner, part in value.items()})
        else:
            flat[name] = value
    return flat


def said_of(found: dict[str, object], line: str, head: Head) -> Said:
    """Return what a line's fields say.

    Args:
        found: The fields.
        line: The line, for one that has no message.
        head: Its time and level, and the names of the fields that told them.
    """
    for name in (head.time_name, head.level_name):
        found.pop(name.decode("utf-8", "replace"), None)
    body = _text(found, BODIES)
    service = host = trace_id = span_id = ""
    if not _NAMING.isdisjoint(found):
        service, host = _text(found, SERVICES), _text(found, HOSTS)
        trace_id, span_id = _id(found, TRACES), _id(found, SPANS)
    body = body.rstrip("\n") if body else line
    return Said(head.at, head.level, body, _rest(found.items()), service, host, trace_id, span_id)


def unescaped(text: str) -> str:
    """Return what a quoted text of logfmt means."""
    if "\\" not in text:
        return text
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), text)


def _text(found: dict[str, object], names: Iterable[str]) -> str:
    for name in names:
        value = found.get(name)
        if isinstance(value, str) and value:
            del found[name]
            return value
    return ""


def _id(found: dict[str, object], names: Iterable[str]) -> str:
    """Return the first of these fields that is an id of hex digits, taking it out."""
    for name in names:
        value = found.get(name)
        if isinstance(value, str) and _HEX.fullmatch(lower := value.lower()):
            del found[name]
            return "" if not lower.strip("0") else lower
    return ""


def _rest(items: Iterable[tuple[str, object]]) -> dict[str, Value]:
    rest: dict[str, Value] = {}
    for name, value in items:
        if len(rest) >= FIELDS:
            rest["…"] = "more fields were left out"
            break
        if value is None or isinstance(value, str | int | float):
            rest[name] = value
        else:
            rest[name] = msgspec.json.encode(value).decode("utf-8", "replace")
    return rest
