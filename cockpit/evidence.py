"""Evidence as a pane hands it over: what is on the screen as it is now, as JSON, and how it was found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from cockpit.scope import Scope
from cockpit.signals import Alert, HealthSample, LogRecord, Series, Span, rfc3339

MOST = {"alerts": 500, "records": 1_000, "spans": 5_000, "series": 20, "points": 20_000}
"""How many of each a piece of evidence holds; more are counted."""


class Pin(Struct, frozen=True, kw_only=True):
    """What is to be pinned.

    Attributes:
        kind: `alert`, `logs`, `trace`, `plot` or `health`.
        title: What to call it.
        body: Its content.
        query: The filter and the scope that it was found with.
        start_ns: The beginning of the time it speaks of.
        end_ns: Its end.
        media_type: What its content is.
    """

    kind: str
    title: str
    body: bytes
    query: str = ""
    start_ns: int | None = None
    end_ns: int | None = None
    media_type: str = "application/json"


def query_of(scope: Scope, *filters: str) -> str:
    """Return what a view was narrowed by, in the words of the logs' filter line."""
    parts = [text for text in filters if text]
    parts += [f"{name}:{value}" for name, value in scope.labels().items()]
    if scope.cursor is not None:
        parts.append(f"at {rfc3339(scope.cursor, digits=0).replace('.Z', 'Z')}")
    return " ".join(parts)


def of_alerts(alerts: Sequence[Alert], *, query: str, now: int) -> Pin:
    """Return alerts, as they stand, as evidence."""
    first = alerts[0]
    title = f"{first.name} {first.state}" if len(alerts) == 1 else f"{first.name} and {len(alerts) - 1} more"
    starts = [alert.starts_at for alert in alerts if alert.starts_at]
    body = _body(alerts=alerts)
    return Pin(
        kind="alert", title=title, body=body, query=query, start_ns=min(starts, default=None), end_ns=now
    )


def of_logs(
    records: Sequence[LogRecord],
    *,
    matching: int,
    selected: LogRecord | None,
    query: str,
    link: str = "",
    comment: str = "",
) -> Pin:
    """Return the log records that are in view as evidence.

    Args:
        records: These, oldest first.
        matching: How many the filter leaves altogether.
        selected: The one under the cursor.
        query: What they were filtered by.
        link: Where the one under the cursor lies, so that it is found again; empty where it lies nowhere.
        comment: What was said of it.
    """
    times = [record.at for record in records if record.at > 0]
    count = f"{len(records):,} log lines" if len(records) > 1 else "1 log line"
    told = (selected or records[-1]).body.strip().partition("\n")[0]
    place = next((number for number, record in enumerate(records) if record is selected), None)
    said = {name: value for name, value in (("link", link), ("comment", comment)) if value}
    return Pin(
        kind="logs",
        title=f"{comment[:120] or count}: {told[:120]}",
        body=_body(records=records, matching=matching, selected=place, **said),
        query=query,
        start_ns=min(times, default=None),
        end_ns=max(times, default=None),
    )


def of_trace(trace_id: str, name: str, spans: Sequence[Span], *, query: str) -> Pin:
    """Return a trace as evidence, as far as its spans are here."""
    return Pin(
        kind="trace",
        title=f"trace {trace_id[:8]} {name}".rstrip(),
        body=_body(trace_id=trace_id, spans=sorted(spans, key=lambda span: span.start)),
        query=query,
        start_ns=min((span.start for span in spans), default=None),
        end_ns=max((span.end for span in spans), default=None),
    )


def of_plot(
    title: str,
    series: Sequence[Series],
    *,
    query: str,
    window: tuple[int, int],
    thresholds: Sequence[float] = (),
    about: Mapping[str, object] | None = None,
) -> Pin:
    """Return a plot as evidence, which an export draws.

    Args:
        title: What it shows.
        series: Its lines.
        query: What was asked for.
        window: From when until when.
        thresholds: Values that are marked in it.
        about: What it belongs to, such as the alert.
    """
    lines = [{"name": _name(each), "labels": each.labels, "points": _points(each)} for each in series]
    unit = series[0].unit if series else ""
    body = _body(series=lines, title=title, unit=unit, thresholds=thresholds, **(about or {}))
    return Pin(kind="plot", title=title, body=body, query=query, start_ns=window[0], end_ns=window[1])


def of_health(sample: HealthSample, *, query: str) -> Pin:
    """Return one reading as evidence."""
    title = f"{sample.subject} {sample.state}"
    return Pin(
        kind="health",
        title=title,
        body=_body(sample=sample),
        query=query,
        start_ns=sample.at,
        end_ns=sample.at,
    )


def _name(series: Series) -> str:
    labels = ", ".join(f"{name}={value}" for name, value in series.labels.items() if name != "__name__")
    return labels or series.name


def _points(series: Series) -> list[list[float]]:
    finite = [[at, value] for at, value in series.points if math.isfinite(value)]
    return finite[-MOST["points"] :]


def _body(**parts: object) -> bytes:
    """Return parts as JSON, long lists cut and what was left out counted."""
    built: dict[str, object] = {}
    for name, value in parts.items():
        most = MOST.get(name)
        if most is not None and isinstance(value, Sequence) and len(value) > most:
            built[name], built[f"{name}_left_out"] = value[:most], len(value) - most
        else:
            built[name] = value
    return msgspec.json.encode(built)
