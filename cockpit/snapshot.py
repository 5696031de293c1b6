"""What the panes show, as one document: the JSON of `cockpit snapshot` and the text of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from cockpit.signals import (
    Alert,
    Attributes,
    LogRecord,
    Resource,
    Span,
    SpanStatus,
    level_name,
    rfc3339,
    service_of,
)
from cockpit.stores.health import HealthRow
from cockpit.supervisor import SourceStatus

if TYPE_CHECKING:
    from cockpit.wiring import Cockpit


class SourceSeen(Struct, frozen=True):
    """A source and how it did. `age_s` is null for one that never spoke."""

    name: str
    kind: str
    state: str
    age_s: float | None
    error: str
    items: int
    dropped: int
    rejected: int
    restarts: int


class HealthSeen(Struct, frozen=True):
    """A subject's last sample; `at` is RFC 3339 in UTC, `unit` is UCUM."""

    subject: str
    kind: str
    state: str
    reason: str
    value: float | None
    unit: str
    at: str
    source: str
    resource: Resource


class AlertSeen(Struct, frozen=True):
    """An alert as it stands. `starts_at` is empty and `age_s` null where nobody said since when."""

    name: str
    state: str
    severity: str
    labels: Resource
    annotations: Resource
    starts_at: str
    source: str
    fingerprint: str
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]
    service: str
    age_s: float | None


class LogSeen(Struct, frozen=True):
    """A log record; `level` is a name, empty where the record had none."""

    at: str
    level: str
    body: str
    resource: Resource
    source: str
    attributes: Attributes
    trace_id: str


class TraceSeen(Struct, frozen=True):
    """A trace by its root."""

    trace_id: str
    root: str
    service: str
    duration_ms: float
    error: bool
    spans: int
    started_at: str
    source: str


class Snapshot(Struct, frozen=True):
    """Everything at one moment."""

    taken_at: str
    sources: list[SourceSeen]
    health: list[HealthSeen]
    alerts: list[AlertSeen]
    logs: list[LogSeen]
    traces: list[TraceSeen]


def take(cockpit: Cockpit, *, logs: int = 200, traces: int = 50) -> Snapshot:
    """Return what the stores hold now.

    Args:
        cockpit: Whose stores.
        logs: How many of the newest records.
        traces: How many traces, the failing and the slowest first.
    """
    now = time.time_ns()
    stores = cockpit.stores
    return Snapshot(
        taken_at=rfc3339(now),
        sources=[_source(status, now) for status in cockpit.statuses()],
        health=[_health(row) for row in stores.health.rows()],
        alerts=[_alert(alert, now) for alert in stores.alerts.alerts()],
        logs=[_log(record) for record in stores.logs.last(logs)],
        traces=_traces([stores.traces.trace(trace_id) for trace_id in stores.traces.trace_ids()])[:traces],
    )


def as_text(taken: Snapshot) -> str:
    """Return a snapshot for people, a line each."""
    from cockpit.hygiene import clean_text

    lines = [f"taken at {taken.taken_at}", "", "SOURCES"]
    for source in taken.sources:
        heard = "never heard" if source.age_s is None else f"heard {source.age_s:.1f} s ago"
        lines.append(
            f"  {source.name:<16} {source.state:<9} {heard:<18} {source.items:>8} items  {source.error}"
        )
    lines += ["", "HEALTH"]
    for row in taken.health:
        value = "" if row.value is None else f"{row.value:.4g} {row.unit}"
        lines.append(f"  {row.state:<9} {row.subject:<32} {value:>16}  {row.reason}")
    lines += ["", "ALERTS"]
    lines += [_alert_line(alert) for alert in taken.alerts] or ["  none"]
    lines += ["", "LOGS"]
    lines += [_log_line(record) for record in taken.logs]
    lines += ["", "TRACES"]
    for trace in taken.traces:
        mark = "failed" if trace.error else ""
        lines.append(
            f"  {trace.duration_ms:>10.2f} ms {trace.spans:>5} spans {mark:<6} {trace.service} {trace.root}"
        )
    return "\n".join(clean_text(line, 1_000).replace("\n", " ") for line in lines)


def _alert_line(alert: AlertSeen) -> str:
    old = "" if alert.age_s is None else _span(alert.age_s)
    said = alert.annotations.get("summary") or alert.annotations.get("description", "")
    return (
        f"  {alert.state:<12} {alert.severity:<9} {old:>4} {alert.service:<16} {alert.name}  {said}".rstrip()
    )


def _log_line(record: LogSeen) -> str:
    body = record.body.splitlines()[0] if record.body else ""
    return f"  {record.at} {record.level:<5} {service_of(record.resource):<16} {body}".rstrip()


def _span(seconds: float) -> str:
    """Return an age in its largest whole unit, such as `12s`, `5m`, `3h` or `4d`."""
    whole = max(0, int(seconds))
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if whole >= length:
            return f"{whole // length}{unit}"
    return f"{whole}s"


def _source(status: SourceStatus, now: int) -> SourceSeen:
    heard = round((now - status.last_data_at) / 1e9, 3) if status.last_data_at else None
    return SourceSeen(
        status.name,
        status.kind,
        str(status.state),
        heard,
        status.error,
        status.items,
        status.dropped,
        status.rejected,
        status.restarts,
    )


def _health(row: HealthRow) -> HealthSeen:
    sample = row.latest
    return HealthSeen(
        sample.subject,
        sample.kind,
        str(sample.state),
        sample.reason,
        sample.value,
        sample.unit,
        rfc3339(sample.at),
        sample.source,
        sample.resource,
    )


def _alert(alert: Alert, now: int) -> AlertSeen:
    return AlertSeen(
        alert.name,
        str(alert.state),
        alert.severity,
        alert.labels,
        alert.annotations,
        rfc3339(alert.starts_at) if alert.starts_at else "",
        alert.source,
        alert.fingerprint,
        alert.silenced_by,
        alert.inhibited_by,
        service_of(alert.resource) or alert.labels.get("service", ""),
        round((now - alert.starts_at) / 1e9, 3) if alert.starts_at else None,
    )


def _log(record: LogRecord) -> LogSeen:
    return LogSeen(
        rfc3339(record.at),
        level_name(record.level),
        record.body,
        record.resource,
        record.source,
        record.attributes,
        record.trace_id,
    )


def _traces(traces: Sequence[Sequence[Span]]) -> list[TraceSeen]:
    seen = []
    for spans in traces:
        if not spans:
            continue
        root = next((span for span in spans if not span.parent_id), spans[0])
        start, end = min(span.start for span in spans), max(span.end for span in spans)
        failed = any(span.status is SpanStatus.ERROR for span in spans)
        seen.append(
            TraceSeen(
                root.trace_id,
                root.name,
                service_of(root.resource),
                (end - start) / 1e6,
                failed,
                len(spans),
                rfc3339(start),
                root.source,
            )
        )
    return sorted(seen, key=lambda trace: (not trace.error, -trace.duration_ms))
