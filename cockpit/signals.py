"""What sources emit: health samples, alerts, log records and spans.

Names, units and numbers are OpenTelemetry's (semantic conventions for resources, SeverityNumber for log levels,
UCUM for units). Times are integer nanoseconds since the epoch, UTC. Every signal is a frozen struct, so a batch
can be shared between stores, panes and recorders without a copy.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from enum import IntEnum, StrEnum

from msgspec import Struct

SECOND = 1_000_000_000
"""Nanoseconds in a second."""

Resource = Mapping[str, str]
"""Who a signal is about, by OpenTelemetry's names: `service.name`, `host.name`, `k8s.pod.name` and so on."""

Value = str | int | float | bool | None
"""An attribute's value. Arrays and maps are kept as their JSON text."""

Attributes = Mapping[str, Value]

EMPTY: Mapping[str, str] = {}


class HealthState(StrEnum):
    """How a subject is, from best to worst known: ok, degraded, down. Unknown is not fine."""

    OK = "ok"
    UNKNOWN = "unknown"
    DEGRADED = "degraded"
    DOWN = "down"

    @property
    def rank(self) -> int:
        """0 for ok, rising with how much it matters."""
        return _HEALTH_RANK[self]


_HEALTH_RANK = {HealthState.OK: 0, HealthState.UNKNOWN: 1, HealthState.DEGRADED: 2, HealthState.DOWN: 3}


class AlertState(StrEnum):
    """Where an alert is in its life, in the words of Prometheus and Alertmanager."""

    PENDING = "pending"
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    INHIBITED = "inhibited"
    RESOLVED = "resolved"


class Level(IntEnum):
    """OpenTelemetry SeverityNumber: the first number of each range. 0 is a record that gave no level."""

    UNSPECIFIED = 0
    TRACE = 1
    DEBUG = 5
    INFO = 9
    WARN = 13
    ERROR = 17
    FATAL = 21


def level_name(number: int) -> str:
    """Return the short name of a SeverityNumber: `trace` to `fatal`, or an empty string for 0."""
    if number <= 0:
        return ""
    return ("trace", "debug", "info", "warn", "error", "fatal")[min((number - 1) // 4, 5)]


SEVERITIES = ("critical", "error", "warning", "info", "none")
"""Alert severities from worst to least. Other words are kept as they are and rank by their nearest meaning."""

_SEVERITY_RANK = {
    "critical": 4, "page": 4, "emergency": 4, "fatal": 4, "p1": 4, "sev1": 4, "disaster": 4,
    "error": 3, "high": 3, "major": 3, "p2": 3, "sev2": 3, "average": 3,
    "warning": 2, "warn": 2, "minor": 2, "medium": 2, "p3": 2, "sev3": 2, "ticket": 2,
    "info": 1, "informational": 1, "notice": 1, "low": 1, "p4": 1, "sev4": 1, "p5": 1, "sev5": 1,
    "none": 0, "": 0,
}  # fmt: skip


def severity_rank(severity: str) -> int:
    """Return 4 (critical) to 0 (none). A word nobody knows ranks as a warning, so that it is not overlooked."""
    return _SEVERITY_RANK.get(severity.lower(), 2)


class HealthSample(Struct, frozen=True, kw_only=True, gc=False):
    """One look at one subject."""

    at: int
    subject: str
    """What was looked at, unique within its source: `cpu`, `disk /`, `https://shop/health`, `node node-1:9100`."""
    kind: str
    """`host`, `process`, `disk`, `network`, `unit`, `check`, `target`, `service`, `source`."""
    state: HealthState
    reason: str = ""
    """Why it is in that state, in words a person can act on."""
    value: float | None = None
    """The one number that tells most, in `unit`; what the sparkline and the plot show."""
    unit: str = ""
    """UCUM: `1` for a ratio from 0 to 1, `s`, `By`, `By/s`, `%`, `{process}`."""
    source: str = ""
    resource: Resource = EMPTY
    details: Attributes = EMPTY
    """Further readings shown in the detail view."""


class Alert(Struct, frozen=True, kw_only=True, gc=False):
    """An alert as it stands now; a later one with the same fingerprint replaces it."""

    at: int
    """When it was first read as it is now; how fresh that is, its source's status says."""
    name: str
    state: AlertState
    severity: str = ""
    labels: Mapping[str, str] = EMPTY
    annotations: Mapping[str, str] = EMPTY
    starts_at: int = 0
    ends_at: int = 0
    fingerprint: str = ""
    """Same labels, same fingerprint, whoever reports it: copies from several Alertmanagers fold into one."""
    group: Mapping[str, str] = EMPTY
    """The labels of the group it is in, as Alertmanager groups it."""
    receivers: tuple[str, ...] = ()
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()
    """Identifiers (of silences, of alerts' fingerprints) that hold it back."""
    held_by: str = ""
    """What holds it back, in words: who silenced it, why and until when, or which alert inhibits it."""
    expression: str = ""
    """The rule's expression, where known."""
    generator_url: str = ""
    runbook_url: str = ""
    value: float | None = None
    source: str = ""
    resource: Resource = EMPTY


class LogRecord(Struct, frozen=True, kw_only=True, gc=False):
    """One log record, which may hold several lines."""

    at: int
    level: int = 0
    """OpenTelemetry SeverityNumber, 0 to 24."""
    body: str
    attributes: Attributes = EMPTY
    source: str = ""
    resource: Resource = EMPTY
    trace_id: str = ""
    span_id: str = ""


class SpanEvent(Struct, frozen=True, kw_only=True, gc=False):
    """Something that happened at a moment within a span."""

    at: int
    name: str
    attributes: Attributes = EMPTY


class SpanLink(Struct, frozen=True, kw_only=True, gc=False):
    """A pointer from a span to a span of another trace, or of this one."""

    trace_id: str
    span_id: str
    attributes: Attributes = EMPTY


class SpanStatus(StrEnum):
    """OpenTelemetry's span status."""

    UNSET = "unset"
    OK = "ok"
    ERROR = "error"


class Span(Struct, frozen=True, kw_only=True, gc=False):
    """One operation of a trace."""

    trace_id: str
    """32 lower-case hex digits (16 from systems that have only 64 bits)."""
    span_id: str
    """16 lower-case hex digits."""
    parent_id: str = ""
    name: str
    kind: str = "internal"
    """`internal`, `server`, `client`, `producer`, `consumer`."""
    start: int
    end: int
    status: SpanStatus = SpanStatus.UNSET
    status_message: str = ""
    attributes: Attributes = EMPTY
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()
    scope: str = ""
    """The instrumentation scope's name."""
    source: str = ""
    resource: Resource = EMPTY

    @property
    def duration(self) -> int:
        """Nanoseconds from start to end; 0 where clocks disagree."""
        return max(0, self.end - self.start)

    @property
    def at(self) -> int:
        """When it started, so that every signal has an `at`."""
        return self.start


Signal = HealthSample | Alert | LogRecord | Span


class Series(Struct, frozen=True, kw_only=True, gc=False):
    """An answer to a metrics query: one labelled line of points."""

    name: str
    labels: Mapping[str, str] = EMPTY
    points: tuple[tuple[int, float], ...] = ()
    """(nanoseconds, value), oldest first."""
    unit: str = ""
    source: str = ""


class Matcher(Struct, frozen=True, gc=False):
    """One condition on a label, as Alertmanager has it. Regular expressions match the whole value."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def __str__(self) -> str:
        sign = ("=~" if self.is_equal else "!~") if self.is_regex else ("=" if self.is_equal else "!=")
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.name}{sign}"{escaped}"'


class Silence(Struct, frozen=True, kw_only=True, gc=False):
    """A silence as Alertmanager holds it."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: int
    ends_at: int
    created_by: str = ""
    comment: str = ""
    state: str = "active"
    """`active`, `pending` or `expired`."""
    source: str = ""


_FNV_OFFSET = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return the 16 hex digits by which Prometheus and Alertmanager know an alert with these labels.

    FNV-1a, 64 bits, over each name and value in the order of names, each closed by the byte 255, as the Prometheus
    model library defines a label set's fingerprint.
    """
    digest = _FNV_OFFSET
    for name in sorted(labels):
        for part in (name, labels[name]):
            for byte in part.encode("utf-8", "surrogatepass") + b"\xff":
                digest = ((digest ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"


def rfc3339(moment: int, *, digits: int = 9) -> str:
    """Return a moment in nanoseconds as RFC 3339 in UTC, such as `2026-01-02T03:04:05.000000006Z`."""
    seconds, rest = divmod(moment, SECOND)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:09d}"[: 20 + digits] + "Z"


def service_of(resource: Resource) -> str:
    """Return `service.name`, or an empty string."""
    return resource.get("service.name", "")


def host_of(resource: Resource) -> str:
    """Return `host.name`, or an empty string."""
    return resource.get("host.name", "")
