"""Structured log lines: JSON objects and logfmt, with the names that common loggers give to their fields.

Known are OpenTelemetry's own, Elastic's common schema (flat or nested), bunyan and pino, zap and zerolog, structlog
and Python's json formatters, logrus, GELF, Docker's json-file and Datadog's trace fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from cockpit.signals import Value
from sources.support.levels import SYSLOG, level_of
from sources.support.logtimes import Moments, any_time

FIELDS = 100
"""Fields kept of one line; hostile lines have more."""

TIMES = (
    "time",
    "timestamp",
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

_HEX = re.compile(r"[0-9a-f]{16}(?:[0-9a-f]{16})?")
_PAIR = re.compile(r'(?<!\S)([A-Za-z_@][\w.@/-]{0,127}+)=(?:"((?:[^"\\]|\\.){0,4096}+)"|([^\s"]*+))(?=\s|$)')
_SIGNS = re.compile(r"(?:^|\s)(?:level|lvl|msg|ts|time|severity)=")
_DECODER: msgspec.json.Decoder[dict[str, object]] = msgspec.json.Decoder(dict[str, object])


class Fields(Struct, gc=False):
    """What a structured line says; `at` is -1 and `level` 0 where it says nothing."""

    at: int
    level: int
    body: str
    service: str
    host: str
    trace_id: str
    span_id: str
    rest: Mapping[str, Value]


def from_json(line: str, moments: Moments) -> Fields | None:
    """Read a JSON object; None for what is none."""
    try:
        found = _DECODER.decode(line)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return _fields(_flat(found), moments, line)


def from_logfmt(line: str, moments: Moments) -> Fields | None:
    """Read `key=value` pairs; None for a line without a level, message or time among them."""
    if "=" not in line or _SIGNS.search(line) is None or _PAIR.match(line) is None:
        return None
    pairs: dict[str, object] = {}
    for found in _PAIR.finditer(line):
        if len(pairs) >= FIELDS:
            break
        name, quoted, bare = found.groups()
        pairs[name] = bare if quoted is None else _unescaped(quoted)
    return _fields(pairs, moments, line)


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), text)


def _flat(found: dict[str, object]) -> dict[str, object]:
    """Lift the members of known objects to the top, under dotted names."""
    if not any(name in NESTED and isinstance(inner, dict) for name, inner in found.items()):
        return found
    flat: dict[str, object] = {}
    for name, value in found.items():
        if isinstance(value, dict) and name in NESTED:
            lifted = "" if name in ("attributes", "resource") else f"{name}."
            flat.update({f"{lifted}{inner}": part for inner, part in value.items()})
        else:
            flat[name] = value
    return flat


def _fields(found: dict[str, object], moments: Moments, line: str) -> Fields:
    at = -1
    for name in TIMES:
        if name in found and (at := any_time(found[name], moments)) >= 0:
            del found[name]
            break
    level = _level(found)
    body = _text(found, BODIES)
    service = _text(found, SERVICES)
    host = _text(found, HOSTS)
    trace_id, span_id = _id(found, TRACES), _id(found, SPANS)
    return Fields(
        at, level, body.rstrip("\n") if body else line, service, host, trace_id, span_id, _rest(found.items())
    )


def _level(found: dict[str, object]) -> int:
    for name in NUMBERS:
        number = found.get(name)
        if isinstance(number, int) and 1 <= number <= 24:
            return number
    for name in LEVELS:
        value = found.get(name)
        if value is None:
            continue
        if name == "level" and isinstance(value, int) and 0 <= value <= 7 and "short_message" in found:
            del found[name]
            return SYSLOG[value]
        if level := level_of(value):
            del found[name]
            return level
    return 0


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
