"""Telemetry is hostile input: what it may look like by the time a store holds it.

Every signal passes through `clean` between its source and the stores. Control characters become the visible
pictures that Unicode has for them, text is cut to a bound, bytes that were no UTF-8 become U+FFFD, and a signal
whose fields have the wrong types is rejected and counted. Structs are not checked when they are made, so the types
that a plugin promised are checked here too.

A clean signal is passed on as it is, at about a microsecond each; only what needs mending is made anew.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from cockpit.signals import (
    EMPTY,
    Alert,
    AlertState,
    Attributes,
    HealthSample,
    HealthState,
    LogRecord,
    Signal,
    Span,
    SpanEvent,
    SpanLink,
    SpanStatus,
    Value,
)

BODY_LIMIT = 64 * 1024
"""Characters kept of a log record's body."""
TEXT_LIMIT = 4 * 1024
"""Characters kept of any other text."""
PAIRS_LIMIT = 128
"""Attributes, labels or details kept of one signal."""
ITEMS_LIMIT = 128
"""Events, links, receivers and the like kept of one signal."""
IDENTIFIER_LIMIT = 64
"""Characters kept of an identifier that is not hexadecimal."""
MANY = 16
"""Log records from which a batch is first looked at as a whole."""
LAST_MOMENT = 1 << 63
"""Times run from 1970 to 2262: what a signed 64-bit count of nanoseconds holds."""

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]"
)
"""C0 but for tab and line feed, DEL, C1, the marks that reorder text, line separators and lone surrogates."""

_UNSAFE_ASCII = bytes(code for code in range(128) if _UNSAFE.match(chr(code)))
_BREAKS = str.maketrans("\t\n", "  ")
_HEX = re.compile(r"[0-9a-f]+")
_INFINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}

E = TypeVar("E", bound=StrEnum)
M = TypeVar("M", SpanEvent, SpanLink)


class _Wrong(Exception):
    """A field has a type that nothing can be made of, so the signal is rejected."""


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return "\ufffd"


def clean_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return text that is safe to show and at most `limit` long; what was cut is said at its end.

    Tabs and line feeds stay; `clean_line` makes spaces of them.
    """
    if len(text) > limit:
        note = f"… ({len(text):,} characters)"
        text = text[: limit - len(note)] + note if limit > 2 * len(note) else f"{text[: limit - 1]}…"
    return text if text.isprintable() else _UNSAFE.sub(_picture, text)


def clean_line(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return text that is safe to show on one line."""
    cleaned = clean_text(text, limit)
    return cleaned if cleaned.isprintable() else cleaned.translate(_BREAKS)


def clean_value(value: object) -> Value:
    """Return an attribute's value: text cleaned, numbers within 64 bits and finite, anything else as JSON text."""
    kind = type(value)
    if kind is str:
        return clean_text(cast("str", value))
    if value is None or kind is bool:
        return cast("Value", value)
    if isinstance(value, str):
        return clean_text(str.__str__(value))
    if isinstance(value, int):
        number = int(value)
        return number if -LAST_MOMENT <= number < LAST_MOMENT else clean_text(hex(number))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _INFINITE.get(value, "NaN")
    try:
        return clean_text(msgspec.json.encode(value).decode())
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
        return f"({kind.__name__})"


def clean(batch: Signal | Sequence[Signal]) -> tuple[list[Signal], int]:
    """Return the signals of a batch, or of one signal, as stores may hold them, and how many were rejected.

    What can be mended is: text is cut and made visible, states and tuples given in a kindred type are converted,
    surplus attributes are dropped. Rejected is what is none of the four signals, lacks a time between 1970 and
    2262, or has a field of a type that nothing can be made of.
    """
    given: object = (batch,) if isinstance(batch, Struct) else batch
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        return [], 1
    whole = _Pass()
    if len(given) >= MANY and whole.log_records_fit(given):
        return list(given), 0
    cleaned: list[Signal] = []
    keep = cleaned.append
    for signal in given:
        try:
            keep(_CHECKS[type(signal)](whole, signal))
        except (_Wrong, KeyError):
            pass
    return cleaned, len(given) - len(cleaned)


class _Pass:
    """One pass over a batch; a mapping that many of its signals share is looked at once."""

    def __init__(self) -> None:
        self._attributes: dict[int, Attributes] = {}
        self._labels: dict[int, Mapping[str, str]] = {}
        self._names: set[str] = {""}

    def log_record(self, given: LogRecord) -> LogRecord:
        """Check a log record; the shortest way through is for one that needs nothing."""
        at, level, body = given.at, given.level, given.body
        attributes = self.attributes(given.attributes)
        resource = self.labels(given.resource)
        source, trace_id, span_id = given.source, given.trace_id, given.span_id
        if (
            type(at) is int
            and 0 <= at < LAST_MOMENT
            and type(level) is int
            and 0 <= level <= 24
            and type(body) is str
            and len(body) <= BODY_LIMIT
            and (body.isprintable() or not _UNSAFE.search(body))
            and attributes is given.attributes
            and resource is given.resource
            and (trace_id == "" or _is_identifier(trace_id))
            and (span_id == "" or _is_identifier(span_id))
            and self.name(source) is source
        ):
            return given
        return LogRecord(
            at=_time(at),
            level=min(24, max(0, _integer(level))),
            body=clean_text(_string(body), BODY_LIMIT),
            attributes=attributes,
            source=self.name(source),
            resource=resource,
            trace_id=_identifier(trace_id),
            span_id=_identifier(span_id),
        )

    def log_records_fit(self, batch: Sequence[object]) -> bool:
        """Tell whether all are log records that need nothing: field by field, which takes half as long."""
        if set(map(type, batch)) != {LogRecord}:
            return False
        records = cast("Sequence[LogRecord]", batch)
        moments = [record.at for record in records]
        levels = [record.level for record in records]
        if set(map(type, moments)) != {int} or set(map(type, levels)) != {int}:
            return False
        if min(moments) < 0 or max(moments) >= LAST_MOMENT or min(levels) < 0 or max(levels) > 24:
            return False
        bodies = [record.body for record in records]
        names = [record.source for record in records]
        identifiers = [record.trace_id for record in records] + [record.span_id for record in records]
        if set(map(type, bodies)) | set(map(type, names)) | set(map(type, identifiers)) != {str}:
            return False
        return (
            max(map(len, bodies)) <= BODY_LIMIT
            and _all_safe(bodies)
            and all(self.name(name) == name for name in set(names))
            and all(map(_is_identifier, set(identifiers) - {""}))
            and _all_kept(self.attributes, [record.attributes for record in records])
            and _all_kept(self.labels, [record.resource for record in records])
        )

    def span(self, given: Span) -> Span:
        """Check a span; one without identifiers belongs to no trace."""
        start = _time(given.start)
        trace_id, span_id = _identifier(given.trace_id), _identifier(given.span_id)
        if not trace_id or not span_id:
            raise _Wrong
        return _mended(
            given,
            trace_id=trace_id,
            span_id=span_id,
            parent_id=_identifier(given.parent_id),
            name=_line(given.name),
            kind=self.name(given.kind),
            start=start,
            end=max(start, _time_or(given.end, start)),
            status=_member(SpanStatus, given.status),
            status_message=_line(given.status_message),
            attributes=self.attributes(given.attributes),
            events=self._members(SpanEvent, given.events, lambda event: self._event(event, start)),
            links=self._members(SpanLink, given.links, self._link),
            scope=self.name(given.scope),
            source=self.name(given.source),
            resource=self.labels(given.resource),
        )

    def health_sample(self, given: HealthSample) -> HealthSample:
        """Check a health sample; a value that is no number is no value."""
        return _mended(
            given,
            at=_time(given.at),
            subject=_line(given.subject),
            kind=self.name(given.kind),
            state=_member(HealthState, given.state),
            reason=_line(given.reason),
            value=_number(given.value),
            unit=self.name(given.unit),
            source=self.name(given.source),
            resource=self.labels(given.resource),
            details=self.attributes(given.details),
        )

    def alert(self, given: Alert) -> Alert:
        """Check an alert; its annotations may have several lines."""
        return _mended(
            given,
            at=_time(given.at),
            name=_line(given.name),
            state=_member(AlertState, given.state),
            severity=self.name(given.severity),
            labels=self.labels(given.labels),
            annotations=self._annotations(given.annotations),
            starts_at=_time_or(given.starts_at, 0),
            ends_at=_time_or(given.ends_at, 0),
            fingerprint=_line(given.fingerprint),
            group=self.labels(given.group),
            receivers=_lines(given.receivers),
            silenced_by=_lines(given.silenced_by),
            inhibited_by=_lines(given.inhibited_by),
            held_by=_line(given.held_by),
            expression=_line(given.expression),
            generator_url=_line(given.generator_url),
            runbook_url=_line(given.runbook_url),
            value=_number(given.value),
            source=self.name(given.source),
            resource=self.labels(given.resource),
        )

    def name(self, text: object) -> str:
        """Check a text that many signals share: the same again is known to be clean."""
        if type(text) is str and text in self._names:
            return text
        cleaned = _line(text)
        self._names.add(cleaned)
        return cleaned

    def attributes(self, given: Attributes) -> Attributes:
        """Check a mapping to values of any kind."""
        if given is EMPTY:
            return given
        known = self._attributes.get(id(given))
        if known is None:
            known = self._attributes[id(given)] = self._checked_attributes(given)
        return known

    def labels(self, given: Mapping[str, str]) -> Mapping[str, str]:
        """Check a mapping to lines of text: a resource, or labels."""
        if given is EMPTY:
            return given
        known = self._labels.get(id(given))
        if known is None:
            known = self._labels[id(given)] = self._checked_labels(given)
        return known

    def _checked_attributes(self, given: Attributes) -> Attributes:
        names = self._names
        if type(given) is dict and len(given) <= PAIRS_LIMIT:
            for key, value in given.items():
                kind = type(value)
                if type(key) is not str or (key not in names and self.name(key) is not key):
                    break
                if kind is str:
                    text = cast("str", value)
                    if len(text) > TEXT_LIMIT or not (text.isprintable() or not _UNSAFE.search(text)):
                        break
                elif kind is not bool and value is not None and clean_value(value) is not value:
                    break
            else:
                return given
        return {key: clean_value(value) for key, value in self._pairs(given)}

    def _checked_labels(self, given: Mapping[str, str]) -> Mapping[str, str]:
        cleaned = {key: _line(_as_text(value)) for key, value in self._pairs(given)}
        return given if type(given) is dict and cleaned == given else cleaned

    def _annotations(self, given: Mapping[str, str]) -> Mapping[str, str]:
        cleaned = {key: _as_text(clean_value(value)) for key, value in self._pairs(given)}
        return given if type(given) is dict and cleaned == given else cleaned

    def _pairs(self, given: object) -> list[tuple[str, object]]:
        if not isinstance(given, Mapping):
            raise _Wrong
        named = [(self.name(key), value) for key, value in given.items() if isinstance(key, str)]
        return named[:PAIRS_LIMIT]

    def _event(self, given: SpanEvent, start: int) -> SpanEvent:
        return _mended(
            given,
            at=_time_or(given.at, start),
            name=_line(given.name),
            attributes=self.attributes(given.attributes),
        )

    def _link(self, given: SpanLink) -> SpanLink:
        return _mended(
            given,
            trace_id=_identifier(given.trace_id),
            span_id=_identifier(given.span_id),
            attributes=self.attributes(given.attributes),
        )

    def _members(self, kind: type[M], given: object, check: Callable[[M], M]) -> tuple[M, ...]:
        if given == ():
            return ()
        if not isinstance(given, tuple | list):
            raise _Wrong
        cleaned = tuple(check(item) for item in given[:ITEMS_LIMIT] if type(item) is kind)
        return given if type(given) is tuple and _same(cleaned, given) else cleaned


_CHECKS: Mapping[type, Callable[[_Pass, Any], Signal]] = {
    LogRecord: _Pass.log_record,
    Span: _Pass.span,
    HealthSample: _Pass.health_sample,
    Alert: _Pass.alert,
}

T = TypeVar("T", bound=Struct)


def _mended(given: T, **fields: object) -> T:
    """Return the struct itself where all fields are what they were, else a new one."""
    changed = {name: value for name, value in fields.items() if getattr(given, name) is not value}
    return replace(given, **changed) if changed else given


def _same(cleaned: tuple[object, ...], given: tuple[object, ...]) -> bool:
    return len(cleaned) == len(given) and all(a is b for a, b in zip(cleaned, given, strict=True))


def _all_safe(texts: Sequence[str]) -> bool:
    """Tell whether no text has an unsafe character; ASCII is looked through several times as fast as all else."""
    plain = [text for text in texts if text.isascii()]
    joined = "".join(plain).encode()
    if len(joined.translate(None, _UNSAFE_ASCII)) != len(joined):
        return False
    return len(plain) == len(texts) or all(
        text.isascii() or text.isprintable() or not _UNSAFE.search(text) for text in texts
    )


def _all_kept(check: Callable[[Any], object], mappings: Sequence[object]) -> bool:
    """Tell whether a check leaves all mappings as they are; the same one again is known to be left."""
    known: object = None
    for mapping in mappings:
        if mapping is not known:
            if check(mapping) is not mapping:
                return False
            known = mapping
    return True


def _string(value: object) -> str:
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    raise _Wrong


def _line(value: object) -> str:
    return clean_line(_string(value))


def _lines(value: object) -> tuple[str, ...]:
    if value == ():
        return ()
    if not isinstance(value, tuple | list):
        raise _Wrong
    cleaned = tuple(_line(item) for item in value[:ITEMS_LIMIT] if isinstance(item, str))
    return value if type(value) is tuple and _same(cleaned, value) else cleaned


def _as_text(value: object) -> str:
    """Return a label's value as text, for one that was given as a number or the like."""
    if isinstance(value, str):
        return value
    cleaned = clean_value(value)
    return cleaned if isinstance(cleaned, str) else msgspec.json.encode(cleaned).decode()


def _integer(value: object) -> int:
    if type(value) is int:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    raise _Wrong


def _time(value: object) -> int:
    moment = _integer(value)
    if 0 <= moment < LAST_MOMENT:
        return moment
    raise _Wrong


def _time_or(value: object, otherwise: int) -> int:
    moment = _integer(value)
    return moment if 0 <= moment < LAST_MOMENT else otherwise


def _number(value: object) -> float | None:
    """Return a finite number, or None for what is none; whole numbers are numbers too."""
    if value is None or (type(value) is float and math.isfinite(value)):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Wrong
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _member(states: type[E], value: object) -> E:
    if type(value) is states:
        return value
    try:
        return states(_string(value))
    except ValueError:
        raise _Wrong from None


def _is_identifier(value: object) -> bool:
    return type(value) is str and len(value) <= IDENTIFIER_LIMIT and _HEX.fullmatch(value) is not None


def _identifier(value: object) -> str:
    """Return an identifier in lower case where it is hexadecimal, else as a short line."""
    if value == "" or _is_identifier(value):
        return cast("str", value)
    text = _string(value)
    lower = text.lower()
    return lower if _is_identifier(lower) else clean_line(text, IDENTIFIER_LIMIT)
