"""Scenes for pictures and snapshots: a calm night, an incident, and sources that are down; all at one moment."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from cockpit.app import CockpitApp
from cockpit.config.settings import OnCall, Settings
from cockpit.operations import Operations
from cockpit.signals import (
    SECOND,
    Alert,
    AlertState,
    HealthSample,
    HealthState,
    LogRecord,
    Signal,
    Span,
    SpanStatus,
    rfc3339,
)
from cockpit.stores.logs.files.reading import LogFiles
from cockpit.supervisor import SourceState, SourceStatus
from cockpit.targets import Environment, TargetRule
from cockpit.wiring import Cockpit
from tests.helpers.log_story import story

NOW = int(datetime(2026, 3, 14, 3, 7, tzinfo=UTC).timestamp()) * SECOND
MINUTE = 60 * SECOND
WEB = {"service.name": "checkout", "host.name": "web-1"}
DB = {"service.name": "orders-db", "host.name": "db-1"}
CART = {"service.name": "cart", "host.name": "web-2"}


class Still(Cockpit):
    """A cockpit whose stores were filled by hand and whose clock stands."""

    def __init__(self, environment: Environment, *, files: LogFiles | None = None) -> None:
        rules = (TargetRule(name="local", environment=environment),)
        super().__init__(Settings(targets=rules, rules=(), on_call=OnCall(name="Ana Souza")), files=files)
        self.told: Sequence[SourceStatus] = ()

    def start(self) -> None:
        if self.files is not None:
            self.files.start()

    def drain(self, budget: float = 0.0) -> int:
        return 0

    def statuses(self) -> tuple[SourceStatus, ...]:
        return tuple(self.told)

    def fill(self, source: str, batch: Sequence[Signal]) -> None:
        self.stores.take(source, batch)


class StillApp(CockpitApp):
    """The real app on a clock that stands, with costs that don't move."""

    def __init__(self, cockpit: Cockpit, folder: Path) -> None:
        super().__init__(
            cockpit, Operations(folder, cockpit.supervisor.ask, cockpit.settings), clock=lambda: NOW
        )
        self._cost.read = lambda: (0.012, 64_000_000)  # type: ignore[method-assign]


def calm(folder: Path) -> CockpitApp:
    """Nothing is wrong."""
    cockpit = Still(Environment.DEVELOPMENT)
    cockpit.told = statuses(SourceState.LIVE)
    healthy(cockpit)
    quiet_logs(cockpit)
    cockpit.fill("otlp", trace("a1", 0, failing=False))
    return StillApp(cockpit, folder)


def log_file(folder: Path) -> CockpitApp:
    """One log file, alone on the screen."""
    path = folder / "app.log"
    with path.open("wb") as file:
        for number in range(4_000):
            failed = number % 97 == 0 or 3_200 < number < 3_230
            said = {
                "time": rfc3339(NOW - (4_000 - number) * 3 * SECOND, digits=3),
                "level": "error" if failed else ("info", "info", "debug", "info", "warn")[number % 5],
                "msg": f"order {number} failed: connection refused" if failed else f"order {number} was sent",
                "service": ("checkout", "cart")[number % 2],
                "status": 502 if failed else 200,
            }
            file.write(msgspec.json.encode(said) + b"\n")
    cockpit = Still(Environment.DEVELOPMENT, files=LogFiles([str(path)]))
    return StillApp(cockpit, folder)


def incident(folder: Path) -> CockpitApp:
    """The database's pool is exhausted and checkout fails."""
    cockpit = Still(Environment.PRODUCTION)
    cockpit.told = statuses(SourceState.LIVE)
    healthy(cockpit)
    for minute in range(30):
        broken = minute >= 22
        value = 0.35 + 0.05 * math.sin(minute) + (0.6 if broken else 0.0)
        sample(
            cockpit,
            "checkout errors",
            HealthState.DOWN if broken else HealthState.OK,
            value,
            "1",
            WEB,
            at=NOW - (29 - minute) * MINUTE,
            reason="93 % of requests fail: connection pool exhausted"
            if broken
            else "errors within the budget",
            kind="service",
        )
    sample(
        cockpit,
        "orders-db pool",
        HealthState.DEGRADED,
        0.98,
        "1",
        DB,
        reason="98 of 100 connections in use",
        kind="check",
    )
    cockpit.fill("am", alerts())
    quiet_logs(cockpit)
    cockpit.fill(
        "files",
        [
            LogRecord(
                at=NOW - (40 - number) * SECOND,
                level=17 if number % 3 else 13,
                body=f"order {4_000 + number}: FATAL: remaining connection slots are reserved"
                if number % 3
                else "retrying the charge, attempt 3",
                source="files",
                resource=WEB,
                attributes={"order.id": 4_000 + number},
                trace_id=f"{0xB0 + number:032x}",
            )
            for number in range(40)
        ],
    )
    for number in range(6):
        cockpit.fill("otlp", trace(f"b{number}", number, failing=number % 2 == 0))
    return StillApp(cockpit, folder)


def sources_down(folder: Path) -> CockpitApp:
    """The network to the monitoring is gone: what was known is old, and is said to be."""
    cockpit = Still(Environment.STAGING)
    cockpit.told = statuses(SourceState.DOWN)
    healthy(cockpit, scraped=4 * MINUTE)
    cockpit.fill("am", alerts()[:2])
    quiet_logs(cockpit)
    return StillApp(cockpit, folder)


def worked(folder: Path) -> CockpitApp:
    """The incident, once somebody has worked on it for a while: what was done is in the action log."""
    asyncio.run(story(folder, NOW - 600 * SECOND))
    return incident(folder)


def statuses(state: SourceState) -> list[SourceStatus]:
    """Every source of the scenes; the host is always live."""
    feeds = {
        "host": ("host", {"HealthSample"}),
        "prom": ("prometheus", {"HealthSample", "Alert"}),
        "am": ("alertmanager", {"Alert"}),
        "files": ("files", {"LogRecord"}),
        "otlp": ("otlp", {"Span", "LogRecord"}),
    }
    found = []
    for name, (kind, emits) in feeds.items():
        down = state is SourceState.DOWN and name not in ("host", "otlp")
        found.append(
            SourceStatus(
                name=name,
                kind=kind,
                emits=frozenset(emits),
                state=state if down else SourceState.LIVE,
                last_data_at=NOW - (4 * MINUTE if down else 2 * SECOND),
                error="connection refused (is it running, is the port right?)" if down else "",
                retry_at=NOW + 23 * SECOND if down else 0,
                items=1_204,
            )
        )
    return found


def healthy(cockpit: Still, *, scraped: int = 2 * SECOND) -> None:
    """A host and three targets, with a past; the targets were scraped so long ago."""
    for minute in range(30):
        at = NOW - (29 - minute) * MINUTE
        wave = math.sin(minute / 3)
        sample(cockpit, "cpu", HealthState.OK, 34 + 12 * wave, "%", WEB, at=at, reason="34 % of 4 cores")
        sample(cockpit, "memory", HealthState.OK, 61 + wave, "%", WEB, at=at, reason="9.8 GB of 16 GB used")
        sample(
            cockpit,
            "disk /",
            HealthState.OK,
            71.2,
            "%",
            WEB,
            at=at,
            reason="41 GB of 140 GB left",
            kind="disk",
        )
    for resource, name in ((WEB, "node web-1:9100"), (DB, "node db-1:9100"), (CART, "node web-2:9100")):
        sample(
            cockpit,
            name,
            HealthState.OK,
            0.012,
            "s",
            resource,
            at=NOW - scraped,
            reason="scraped",
            kind="target",
            source="prom",
        )


def sample(
    cockpit: Still,
    subject: str,
    state: HealthState,
    value: float,
    unit: str,
    resource: dict[str, str],
    *,
    at: int = NOW - 2 * SECOND,
    reason: str = "",
    kind: str = "host",
    source: str = "host",
) -> None:
    """Put one reading in."""
    cockpit.fill(
        source,
        [
            HealthSample(
                at=at,
                subject=subject,
                kind=kind,
                state=state,
                value=value,
                unit=unit,
                reason=reason,
                source=source,
                resource=resource,
            )
        ],
    )


def alerts() -> list[Alert]:
    """Two groups, one of them with a silenced and an inhibited member."""
    wanted = [
        ("CheckoutErrors", "critical", AlertState.FIRING, WEB, 8, "93 % of checkouts fail", ""),
        ("PoolExhausted", "error", AlertState.FIRING, DB, 9, "98 of 100 connections in use", ""),
        (
            "HighLatency",
            "warning",
            AlertState.INHIBITED,
            WEB,
            7,
            "p99 is 4.1 s",
            "inhibited by CheckoutErrors",
        ),
        (
            "DiskFillsUp",
            "warning",
            AlertState.SILENCED,
            CART,
            190,
            "full in 3 days",
            "silenced by Ana: new disk on Monday",
        ),
        ("QueueGrows", "warning", AlertState.PENDING, CART, 1, "1,204 messages wait", ""),
    ]
    return [
        Alert(
            at=NOW - 2 * SECOND,
            name=name,
            state=state,
            severity=severity,
            labels={"alertname": name, "severity": severity, "service": resource["service.name"]},
            annotations={"summary": summary},
            starts_at=NOW - minutes * MINUTE,
            fingerprint=f"{number:016x}",
            group={"service": resource["service.name"]},
            receivers=("on-call",),
            held_by=held,
            source="am",
            resource=resource,
        )
        for number, (name, severity, state, resource, minutes, summary, held) in enumerate(wanted)
    ]


def quiet_logs(cockpit: Still) -> None:
    """What a shop says when it sells."""
    cockpit.fill(
        "files",
        [
            LogRecord(
                at=NOW - (90 - number) * SECOND,
                level=9 if number % 7 else 13,
                body=f"GET /cart/{number} 200 {10 + number % 9} ms"
                if number % 7
                else "cache miss, loading from the database",
                source="files",
                resource=CART,
            )
            for number in range(50)
        ],
    )


def trace(name: str, number: int, *, failing: bool) -> list[Span]:
    """A checkout: web, cart and database."""
    trace_id = name.encode().hex().rjust(32, "0")
    start = NOW - (60 + number) * SECOND
    slow = 2_400_000_000 if failing else 84_000_000
    status = SpanStatus.ERROR if failing else SpanStatus.UNSET

    def span(identity: int, parent: int, what: str, begin: int, end: int, resource: dict[str, str]) -> Span:
        return Span(
            trace_id=trace_id,
            span_id=f"{identity:016x}",
            parent_id=f"{parent:016x}" if parent else "",
            name=what,
            kind="server",
            start=start + begin,
            end=start + end,
            status=status if identity in (1, 3) else SpanStatus.UNSET,
            status_message="pool exhausted" if failing and identity == 3 else "",
            source="otlp",
            resource=resource,
        )

    return [
        span(1, 0, "POST /checkout", 0, slow, WEB),
        span(2, 1, "GET /cart", 2_000_000, 14_000_000, CART),
        span(3, 1, "INSERT orders", 16_000_000, slow - 2_000_000, DB),
    ]
