"""A batch of signals as the stores may hold it: each checked, and made anew only where it needs mending."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from cockpit.hygiene.fields import (
    ITEMS_LIMIT,
    Wrong,
    as_text,
    identifier,
    integer,
    is_identifier,
    line,
    lines,
    member,
    moment,
    moment_or,
    number,
    same,
    string,
)
from cockpit.hygiene.text import LAST_MOMENT, TEXT_LIMIT, UNSAFE, all_safe, clean_text, clean_value
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
)

BODY_LIMIT = 64 * 1024
"""Characters kept of a log record's body."""
PAIRS_LIMIT = 128
"""Attributes, labels or details kept of one signal."""
MANY = 16
"""Log records from which a batch is first looked at as a whole."""

M = TypeVar("M", SpanEvent, SpanLink)


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
        except (Wrong, KeyError):
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
            and (body.isprintable() or not UNSAFE.search(body))
            and attributes is given.attributes
            and resource is given.resource
            and (trace_id == "" or is_identifier(trace_id))
            and (span_id == "" or is_identifier(span_id))
            and self.name(source) is source
        ):
            return given
        return LogRecord(
            at=moment(at),
            level=min(24, max(0, integer(level))),
            body=clean_text(string(body), BODY_LIMIT),
            attributes=attributes,
            source=self.name(source),
            resource=resource,
            trace_id=identifier(trace_id),
            span_id=identifier(span_id),
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
            and all_safe(bodies)
            and all(self.name(name) == name for name in set(names))
            and all(map(is_identifier, set(identifiers) - {""}))
            and _all_kept(self.attributes, [record.attributes for record in records])
            and _all_kept(self.labels, [record.resource for record in records])
        )

    def span(self, given: Span) -> Span:
        """Check a span; one without identifiers belongs to no trace."""
        start = moment(given.start)
        trace_id, span_id = identifier(given.trace_id), identifier(given.span_id)
        if not trace_id or not span_id:
            raise Wrong
        return _mended(
            given,
            trace_id=trace_id,
            span_id=span_id,
            parent_id=identifier(given.parent_id),
            name=line(given.name),
            kind=self.name(given.kind),
            start=start,
            end=max(start, moment_or(given.end, start)),
            status=member(SpanStatus, given.status),
            status_message=line(given.status_message),
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
            at=moment(given.at),
            subject=line(given.subject),
            kind=self.name(given.kind),
            state=member(HealthState, given.state),
            reason=line(given.reason),
            value=number(given.value),
            unit=self.name(given.unit),
            source=self.name(given.source),
            resource=self.labels(given.resource),
            details=self.attributes(given.details),
        )

    def alert(self, given: Alert) -> Alert:
        """Check an alert; its annotations may have several lines."""
        return _mended(
            given,
            at=moment(given.at),
            name=line(given.name),
            state=member(AlertState, given.state),
            severity=self.name(given.severity),
            labels=self.labels(given.labels),
            annotations=self._annotations(given.annotations),
            starts_at=moment_or(given.starts_at, 0),
            ends_at=moment_or(given.ends_at, 0),
            fingerprint=line(given.fingerprint),
            group=self.labels(given.group),
            receivers=lines(given.receivers),
            silenced_by=lines(given.silenced_by),
            inhibited_by=lines(given.inhibited_by),
            held_by=line(given.held_by),
            expression=line(given.expression),
            generator_url=line(given.generator_url),
            runbook_url=line(given.runbook_url),
            value=number(given.value),
            source=self.name(given.source),
            resource=self.labels(given.resource),
        )

    def name(self, text: object) -> str:
        """Check a text that many signals share: the same again is known to be clean."""
        if type(text) is str and text in self._names:
            return text
        cleaned = line(text)
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
                    if len(text) > TEXT_LIMIT or not (text.isprintable() or not UNSAFE.search(text)):
                        break
                elif kind is not bool and value is not None and clean_value(value) is not value:
                    break
            else:
                return given
        return {key: clean_value(value) for key, value in self._pairs(given)}

    def _checked_labels(self, given: Mapping[str, str]) -> Mapping[str, str]:
        cleaned = {key: line(as_text(value)) for key, value in self._pairs(given)}
        return given if type(given) is dict and cleaned == given else cleaned

    def _annotations(self, given: Mapping[str, str]) -> Mapping[str, str]:
        cleaned = {key: as_text(clean_value(value)) for key, value in self._pairs(given)}
        return given if type(given) is dict and cleaned == given else cleaned

    def _pairs(self, given: object) -> list[tuple[str, object]]:
        if not isinstance(given, Mapping):
            raise Wrong
        named = [(self.name(key), value) for key, value in given.items() if isinstance(key, str)]
        return named[:PAIRS_LIMIT]

    def _event(self, given: SpanEvent, start: int) -> SpanEvent:
        return _mended(
            given,
            at=moment_or(given.at, start),
            name=line(given.name),
            attributes=self.attributes(given.attributes),
        )

    def _link(self, given: SpanLink) -> SpanLink:
        return _mended(
            given,
            trace_id=identifier(given.trace_id),
            span_id=identifier(given.span_id),
            attributes=self.attributes(given.attributes),
        )

    def _members(self, kind: type[M], given: object, check: Callable[[M], M]) -> tuple[M, ...]:
        if given == ():
            return ()
        if not isinstance(given, tuple | list):
            raise Wrong
        cleaned = tuple(check(item) for item in given[:ITEMS_LIMIT] if type(item) is kind)
        return given if type(given) is tuple and same(cleaned, given) else cleaned


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


def _all_kept(check: Callable[[Any], object], mappings: Sequence[object]) -> bool:
    """Tell whether a check leaves all mappings as they are; the same one again is known to be left."""
    known: object = None
    for mapping in mappings:
        if mapping is not known:
            if check(mapping) is not mapping:
                return False
            known = mapping
    return True
