"""Everything known of one span: times, attributes, resource, events, links, and the logs written within it."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from textual.message import Message

from cockpit.signals import SECOND, LogRecord, Span, SpanStatus, level_name, service_of
from cockpit.stores.logs import Records
from cockpit.stores.traces import TraceTree
from widgets.detail import Detail, Field
from widgets.text import clock, duration

MOST_LOGS = 200
"""Log records shown of one span."""
AROUND = 10 * SECOND
"""Nanoseconds that a record's clock may be behind its span's."""
PAUSE = 4_000
"""Log records looked at between two turns of the screen's loop."""


class SpanDetail(Detail):
    """One span; `y` copies it as JSON."""

    @dataclass
    class Opened(Message):
        """The detail stands on the screen, so its logs may be looked for."""

        detail: SpanDetail

    def __init__(self, tree: TraceTree, row: int) -> None:
        self.span = tree.spans[row]
        self.facts = span_facts(tree, row)
        self.identity = _identity(self.span, orphan=row in tree.orphans)
        super().__init__(
            f"{service_of(self.span.resource)} {self.span.name}",
            self._sections([], "looking…"),
            copied=span_json(self.span),
        )

    def on_mount(self) -> None:
        """Say that it stands."""
        self.post_message(self.Opened(self))

    def show_logs(self, records: Sequence[LogRecord], *, note: str = "") -> None:
        """Show the span's log records, and in a note where they came from or why there are none."""
        if self.is_attached:
            self.show(self._sections(records, note))

    def _sections(self, records: Sequence[LogRecord], note: str) -> dict[str, list[Field]]:
        span = self.span
        logs = [
            (f"{clock(record.at, millis=True)} {level_name(record.level)}".rstrip(), record.body)
            for record in records[:MOST_LOGS]
        ]
        if note or not logs:
            logs.append(("", note or "none"))
        return {
            "": self.facts,
            "attributes": _fields(span.attributes),
            "logs of this span": logs,
            "events": [
                (f"+{duration(event.at - span.start)}", _one_line(event.name, event.attributes))
                for event in span.events
            ],
            "links": [
                (link.trace_id, f"span {link.span_id} {_one_line('', link.attributes)}".rstrip())
                for link in span.links
            ],
            "resource": _fields(span.resource),
            "identity": self.identity,
        }


def span_facts(tree: TraceTree, row: int) -> list[Field]:
    """Return a span's times and place in its trace."""
    span = tree.spans[row]
    spent = tree.end[row] - tree.start[row]
    whole = max(1, tree.duration)
    critical = tree.critical_time(row)
    mark = "✖ " if span.status is SpanStatus.ERROR else ""
    status = f"{mark}{span.status}: {span.status_message}" if span.status_message else f"{mark}{span.status}"
    fields = [
        ("status", status),
        ("duration", f"{duration(spent)}, {spent / whole:.1%} of the trace"),
        ("own time", f"{duration(tree.own[row])}, {tree.own[row] / max(1, spent):.0%} of the span"),
        ("critical path", f"{duration(critical)}, {critical / whole:.1%} of the trace" if critical else ""),
        ("started", f"{clock(span.start, date=True, millis=True)} UTC, {_offset(tree, row)} in"),
        ("below it", _below(tree, row)),
    ]
    if row in tree.moved:
        told = (
            f"its clock says {duration(abs(tree.moved[row]))} {'earlier' if tree.moved[row] > 0 else 'later'}"
        )
        fields.append(("clock", f"moved to fit its parent; {told}"))
    if row in tree.looped:
        fields.append(("parents", "go round in a circle; shown from the earliest span of it"))
    return [(name, value) for name, value in fields if value]


def span_json(span: Span) -> str:
    """Return a span as JSON text."""
    return msgspec.json.format(msgspec.json.encode(span), indent=2).decode()


def logs_of(store: Records, span: Span) -> Generator[None, None, list[LogRecord]]:
    """Look through the records from the span's start on for its own, pausing often; oldest first.

    A record that came late is kept at a later place than its time, so all that follows is looked through.
    """
    found: list[LogRecord] = []
    number = store.number_from(span.start - AROUND)
    while number < store.end and len(found) < MOST_LOGS:
        number = max(number, store.first)
        for record in store.records(number, number + PAUSE):
            if record.span_id == span.span_id and record.trace_id == span.trace_id:
                found.append(record)
        number += PAUSE
        yield
    return sorted(found, key=lambda record: record.at)


def _offset(tree: TraceTree, row: int) -> str:
    return duration(tree.start[row] - tree.first)


def _below(tree: TraceTree, row: int) -> str:
    spans, failed = tree.size[row] - 1, tree.failing[row] - (tree.spans[row].status is SpanStatus.ERROR)
    return f"{spans:,} spans, {failed:,} of them failed" if spans else "nothing"


def _identity(span: Span, *, orphan: bool) -> list[Field]:
    fields = [
        ("kind", span.kind),
        ("span", span.span_id),
        ("parent", span.parent_id + (" (missing)" if orphan else "")),
        ("trace", span.trace_id),
        ("library", span.scope),
        ("source", span.source),
    ]
    return [(name, value) for name, value in fields if value.strip()]


def _fields(mapping: Mapping[str, object]) -> list[Field]:
    return [(name, str(value)) for name, value in sorted(mapping.items())]


def _one_line(name: str, attributes: Mapping[str, object]) -> str:
    return " ".join([name, *(f"{key}={value}" for key, value in attributes.items())]).strip()
