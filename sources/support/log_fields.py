"""Which fields of an engine's records mean what, and a record made of them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from cockpit.formats.format import find_trace
from cockpit.formats.levels import find_level, level_of
from cockpit.formats.structured import NUMBERS
from cockpit.signals import LogRecord, Resource, Value

MOST = 100
"""Fields kept of one record."""
RESOURCES = 1024
"""Resources remembered, so that records of one service share one."""
BANDS = (0, 1, 5, 9, 13, 17, 21)
"""The SeverityNumbers where levels begin; 0 for none."""
_HEX = frozenset("0123456789abcdef")


class FieldNames(Struct, frozen=True, kw_only=True):
    """The fields that hold what every record has; of several names the first that a record has counts."""

    message: tuple[str, ...]
    level: tuple[str, ...]
    service: tuple[str, ...]
    host: tuple[str, ...]
    trace: tuple[str, ...]
    span: tuple[str, ...]

    def of(self, name: str) -> tuple[str, ...]:
        """Return the fields that a name of the filter language stands for: itself where it is none of ours."""
        known = {"level": self.level, "service": self.service, "host": self.host, "trace": self.trace}
        return known.get(name, (name,))


class RecordMaker:
    """Makes records of an engine's fields.

    Args:
        source: The source's name.
        names: Which field means what.
        hidden: Fields of the engine's own that are not shown.
    """

    def __init__(self, source: str, names: FieldNames, hidden: frozenset[str] = frozenset()) -> None:
        self.source = source
        self.names = names
        self._hidden = hidden
        self._resources: dict[tuple[str, str], Resource] = {}

    def record(self, at: int, fields: Mapping[str, object], body: str | None = None) -> LogRecord:
        """Return the record that fields stand for.

        Args:
            at: Its time, in nanoseconds.
            fields: By name; what is a list or a map is shown as its JSON text.
            body: The message, where it is no field.
        """
        names, rest = self.names, dict(fields)
        for name in self._hidden:
            rest.pop(name, None)
        level = 0
        for name in names.level:
            if (value := rest.get(name)) not in (None, "") and (level := level_number(name, value)):
                del rest[name]
                break
        message = _taken(rest, names.message) if body is None else body
        service, host = _taken(rest, names.service), _taken(rest, names.host)
        trace_id, span_id = _identifier(rest, names.trace), _identifier(rest, names.span)
        if not trace_id:
            trace_id, span_id = find_trace(message)
        return LogRecord(
            at=at,
            level=level or find_level(message.encode(errors="replace")),
            body=message.rstrip("\n"),
            attributes=_attributes(rest),
            source=self.source,
            resource=self._resource(service, host),
            trace_id=trace_id,
            span_id=span_id,
        )

    def _resource(self, service: str, host: str) -> Resource:
        key = (service, host)
        found = self._resources.get(key)
        if found is None:
            if len(self._resources) >= RESOURCES:
                self._resources.clear()
            named = (("service.name", service), ("host.name", host))
            found = self._resources[key] = {name: value for name, value in named if value}
        return found


def level_number(name: str, value: object) -> int:
    """Return the SeverityNumber that a level field means; 0 where nobody knows the word."""
    if name in NUMBERS:
        text = str(value)
        return int(text) if text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= 24 else 0
    return level_of(value)


def band_of(level: int) -> int:
    """Return the SeverityNumber where a level's range begins."""
    return BANDS[min((level + 3) // 4, 6)] if level > 0 else 0


def flattened(
    found: Mapping[str, object], *, prefix: str = "", into: dict[str, object] | None = None
) -> dict[str, object]:
    """Return a nested object's fields under dotted names, as Elasticsearch and VictoriaLogs name them."""
    flat = {} if into is None else into
    for name, value in found.items():
        if len(flat) >= MOST * 2:
            break
        if isinstance(value, Mapping) and prefix.count(".") < 10:
            flattened(value, prefix=f"{prefix}{name}.", into=flat)
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _taken(rest: dict[str, object], names: tuple[str, ...]) -> str:
    """Return the text of the first of these fields that there is, taking it out."""
    for name in names:
        value = rest.get(name)
        if value not in (None, ""):
            del rest[name]
            return value if isinstance(value, str) else _text(value)
    return ""


def _identifier(rest: dict[str, object], names: tuple[str, ...]) -> str:
    for name in names:
        value = rest.get(name)
        if isinstance(value, str) and len(value) in (16, 32) and set(lower := value.lower()) <= _HEX:
            del rest[name]
            return lower if lower.strip("0") else ""
    return ""


def _attributes(rest: Mapping[str, object]) -> dict[str, Value]:
    kept: dict[str, Value] = {}
    for name, value in rest.items():
        if len(kept) >= MOST:
            kept["…"] = "more fields were left out"
            break
        kept[name] = value if value is None or isinstance(value, str | int | float) else _text(value)
    return kept


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode("utf-8", "replace")
