"""Prometheus and engines that answer like it: targets, rules, alerts, checks of one's own, and metric queries.

Each look asks for the targets, the rules with their alerts, and the configured expressions, side by side. A part that
fails says so in a row of its own while the others go on; a part that the engine doesn't have is left out with a note
and asked for again some minutes later.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar, TypeVar

from msgspec.structs import replace

from cockpit.errors import BadAnswer, Denied, SourceError, Unreachable
from cockpit.signals import SECOND, Alert, AlertState, HealthSample, HealthState, Series, fingerprint
from cockpit.source import Emit, PollingSource, TimeRange
from sources.support import promapi
from sources.support.carried import carried
from sources.support.http import HttpClient, HttpOptions, Params, TransportFactory
from sources.support.http_errors import NotFound
from sources.support.promlabels import external_labels, resource_of, selector
from sources.support.thresholds import Limits
from sources.support.timestamps import nanoseconds
from sources.support.together import together

T = TypeVar("T")
ASK_AGAIN = 600.0
"""Seconds after which a part that the engine did not have is asked for again."""
CHECK_ROWS = 50
"""Rows that one configured expression may fill."""
MAX_ALERTS = 20_000
"""Alerts taken from one server."""
LARGE = 200
"""Alerts or targets from which making signals of them is done in a thread."""
AT_ONCE = 4
"""Configured expressions evaluated side by side."""


class PromCheck(Limits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An expression whose every series becomes a health row."""

    name: str
    """What the row is called."""
    expr: str
    """PromQL, evaluated now."""


class PrometheusOptions(HttpOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of a prometheus source."""

    targets: bool = True
    """Whether scrape targets become health rows."""
    target_rows: int = 200
    """Rows that targets may fill; above that, those that are down and a summary of each scrape pool are shown."""
    alerts: bool = True
    """Whether pending and firing alerts are shown."""
    checks: tuple[PromCheck, ...] = ()
    """Expressions whose series become health rows: tables of `name`, `expr`, `above`, `below`, `unit`."""
    external_labels: dict[str, str] = {}
    """Labels that the server adds on the way to Alertmanager; read from the server itself when empty."""


class PrometheusSource(PollingSource[PrometheusOptions]):
    """Feeds health and alerts from one Prometheus, and answers metric queries."""

    kind = "prometheus"
    summary = "Prometheus and compatible engines: targets, alerts, checks by PromQL, metric queries"
    options_type = PrometheusOptions
    emits: ClassVar[frozenset[type]] = frozenset({HealthSample, Alert})
    offers: ClassVar[frozenset[str]] = frozenset({"query_metrics"})
    carried = True

    def __init__(
        self, name: str, options: PrometheusOptions, *, transport: TransportFactory | None = None
    ) -> None:
        super().__init__(name, options)
        self.http = HttpClient(name, options, transport=transport or carried(self))
        self._absent: dict[str, float] = {}
        self._external: dict[str, str] | None = dict(options.external_labels) or None
        self._external_at = 0.0

    async def aclose(self) -> None:
        """Close the connections; a later question opens them again."""
        await self.http.aclose()

    async def poll(self, emit: Emit) -> None:
        """Look at targets, alerts and checks side by side, and emit what each of them gave.

        Raises:
            SourceError: Not one of them answered; the first one's reason.
        """
        await self.http.open()
        started = time.perf_counter()
        parts: list[tuple[str, Callable[[], Awaitable[Sequence[HealthSample]]]]] = []
        if self.options.targets:
            parts.append(("targets", self._target_rows))
        if self.options.alerts:
            parts.append(("rules", lambda: self._alerts(emit)))
        if self.options.checks:
            parts.append(("checks", self._check_rows))
        if not parts:
            parts.append(("server", self._server_only))
        found = await together(self._part(name, look) for name, look in parts)
        failures = [result for result in found if isinstance(result, SourceError)]
        if len(failures) == len(parts):
            raise failures[0]
        rows = [self._server_row(time.perf_counter() - started, failures)]
        for result in found:
            if not isinstance(result, SourceError):
                rows += result
        await emit.replace(HealthSample, rows)

    async def check(self) -> str:
        """Ask who answers, and count its targets and rules."""
        try:
            said = [await self._who()]
            if counted := await self._counted(
                "/api/v1/targets", promapi.TargetsData, params={"state": "active"}
            ):
                targets = counted.activeTargets or []
                down = sum(target.health == "down" for target in targets)
                said.append(f"{len(targets)} targets{f' ({down} down)' if down else ''}")
            if rules := await self._counted("/api/v1/rules", promapi.RulesData):
                said.append(f"{sum(len(group.rules or ()) for group in rules.groups or ())} rules")
            for check in self.options.checks:
                await self._query(check.expr, TimeRange(0, time.time_ns()), 0.0)
        finally:
            await self.aclose()
        return ", ".join(said)

    async def query_metrics(self, expression: str, within: TimeRange, step: float) -> list[Series]:
        """Evaluate PromQL at the range's end (a step of 0) or over it; the step widens where it would be too fine.

        At most `promapi.MAX_SERIES` series are returned. In a range, NaN and infinities are gaps.

        Raises:
            SourceError: The engine refused the expression, in its own words, or did not answer.
        """
        return await self._query(expression, within, step)

    async def _part(
        self, name: str, look: Callable[[], Awaitable[Sequence[HealthSample]]]
    ) -> Sequence[HealthSample] | SourceError:
        """Run one part of a look; what goes wrong in it is returned as a value, for the other parts to go on."""
        if time.monotonic() < self._absent.get(name, 0.0):
            return [self._note(name)]
        try:
            return await look()
        except NotFound:
            self._absent[name] = time.monotonic() + ASK_AGAIN
            return [self._note(name)]
        except (Unreachable, Denied, BadAnswer) as error:
            return _of_part(error, name)

    def _note(self, part: str) -> HealthSample:
        return self._row(f"{part} of {self.name}", "source", HealthState.OK, f"this engine has no {part} API")

    async def _target_rows(self) -> list[HealthSample]:
        data = await self._get("/api/v1/targets", promapi.TargetsData, params={"state": "active"})
        targets = data.activeTargets or []
        return (
            await asyncio.to_thread(self._rows_of, targets)
            if len(targets) > LARGE
            else self._rows_of(targets)
        )

    def _rows_of(self, targets: Sequence[promapi.Target]) -> list[HealthSample]:
        """Return a row for each target, or for the pools and what is down where there are too many."""
        shown: Sequence[promapi.Target] = targets
        rows: list[HealthSample] = []
        if len(targets) > self.options.target_rows:
            shown = [target for target in targets if target.health != "up"][: self.options.target_rows]
            rows = self._pool_rows(targets)
        taken: set[str] = set()
        for target in shown:
            row = self._target_row(target, taken)
            taken.add(row.subject)
            rows.append(row)
        return rows

    def _target_row(self, target: promapi.Target, taken: set[str]) -> HealthSample:
        labels = target.labels or {}
        subject = " ".join(part for part in (labels.get("job", ""), labels.get("instance", "")) if part)
        if not subject or subject in taken:
            subject = f"{subject} {target.scrapeUrl}".strip()
        if subject in taken:
            subject = f"{subject} {selector(labels)}"
        return HealthSample(
            at=nanoseconds(target.lastScrape) or time.time_ns(),
            subject=subject,
            kind="target",
            state=_TARGET_STATE.get(target.health, HealthState.UNKNOWN),
            reason=target.lastError or ("not scraped yet" if target.health == "unknown" else ""),
            value=target.lastScrapeDuration if math.isfinite(target.lastScrapeDuration) else None,
            unit="s",
            source=self.name,
            resource=resource_of(labels),
            details={"scrape pool": target.scrapePool, "scrape url": target.scrapeUrl, **labels},
        )

    def _pool_rows(self, targets: Sequence[promapi.Target]) -> list[HealthSample]:
        """Sum up each scrape pool in one row: its value is the share that is up."""
        pools: dict[str, list[promapi.Target]] = {}
        for target in targets:
            pools.setdefault(target.scrapePool or (target.labels or {}).get("job", ""), []).append(target)
        rows = []
        for pool, members in sorted(pools.items())[: self.options.target_rows]:
            up = sum(target.health == "up" for target in members)
            down = sum(target.health == "down" for target in members)
            state = HealthState.OK if not down else HealthState.DEGRADED if up else HealthState.DOWN
            reason = f"{down} of {len(members)} targets are down" if down else f"{len(members)} targets"
            row = self._row(f"pool {pool}", "target", state, reason)
            rows.append(replace(row, value=up / len(members), unit="1", resource=resource_of({"job": pool})))
        return rows

    async def _alerts(self, emit: Emit) -> list[HealthSample]:
        """Emit the alerts that rules hold, and return a row for each rule that can't be evaluated."""
        await self._learn_external_labels()
        try:
            data = await self._get("/api/v1/rules", promapi.RulesData)
            rules = [rule for group in data.groups or () for rule in group.rules or ()]
        except NotFound:
            found = await self._get("/api/v1/alerts", promapi.AlertsData)
            rules = [promapi.Rule(type="alerting", alerts=found.alerts)]
        held = sum(len(rule.alerts or ()) for rule in rules)
        alerts = await asyncio.to_thread(self._alerts_of, rules) if held > LARGE else self._alerts_of(rules)
        await emit.replace(Alert, alerts)
        broken = [rule for rule in rules if rule.health == "err"][:CHECK_ROWS]
        return [
            self._row(
                f"rule {rule.name}", "check", HealthState.DEGRADED, f"can't be evaluated: {rule.lastError}"
            )
            for rule in broken
        ]

    def _alerts_of(self, rules: Sequence[promapi.Rule]) -> list[Alert]:
        now = time.time_ns()
        found: dict[str, Alert] = {}
        for rule in rules:
            for alert in rule.alerts or ():
                made = self._alert(rule, alert, now)
                if made is not None and len(found) < MAX_ALERTS:
                    found[made.fingerprint] = made
        return list(found.values())

    def _alert(self, rule: promapi.Rule, alert: promapi.RuleAlert, now: int) -> Alert | None:
        state = _ALERT_STATE.get(alert.state)
        if state is None:
            return None
        labels = {**(self._external or {}), **(alert.labels or {})}
        annotations = alert.annotations or {}
        value = promapi.number_or_nan(alert.value)
        return Alert(
            at=now,
            name=labels.get("alertname", rule.name),
            state=state,
            severity=labels.get("severity", ""),
            labels=labels,
            annotations=annotations,
            starts_at=nanoseconds(alert.activeAt),
            fingerprint=fingerprint(labels),
            expression=rule.query,
            generator_url=self.http.url,
            runbook_url=annotations.get("runbook_url", "") or annotations.get("runbook", ""),
            value=value if math.isfinite(value) else None,
            source=self.name,
            resource=resource_of(labels),
        )

    async def _check_rows(self) -> list[HealthSample]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def evaluate(check: PromCheck) -> list[HealthSample]:
            async with gate:
                try:
                    series = await self._query(check.expr, TimeRange(0, time.time_ns()), 0.0)
                except BadAnswer as error:
                    return [self._row(check.name, "check", HealthState.UNKNOWN, error.message)]
            return self._judged(check, series)

        rows = await together(evaluate(check) for check in self.options.checks)
        return [row for part in rows for row in part]

    def _judged(self, check: PromCheck, series: Sequence[Series]) -> list[HealthSample]:
        if not series:
            return [self._row(check.name, "check", HealthState.UNKNOWN, "the expression gives no series now")]
        common = set.intersection(*(set(one.labels.items()) for one in series)) if len(series) > 1 else set()
        without = frozenset(name for name, _ in common)
        rows = []
        for one in series[:CHECK_ROWS]:
            tail = selector(one.labels, without=without) if len(series) > 1 else ""
            value = one.points[-1][1] if one.points else math.nan
            state, reason = check.judge(value)
            row = self._row(f"{check.name} {tail}".strip(), "check", state, reason)
            rows.append(
                replace(
                    row,
                    value=value if math.isfinite(value) else None,
                    unit=check.unit,
                    resource=resource_of(one.labels, service_label=check.service),
                    details={"expression": check.expr, **one.labels},
                )
            )
        return rows

    async def _server_only(self) -> list[HealthSample]:
        await self._who()
        return []

    def _server_row(self, seconds: float, failures: Sequence[SourceError]) -> HealthSample:
        state = HealthState.DEGRADED if failures else HealthState.OK
        reason = "; ".join(error.message for error in failures)
        row = self._row(f"server {self.name}", "source", state, reason)
        return replace(row, value=seconds, unit="s", details={"url": self.http.url})

    def _row(self, subject: str, kind: str, state: HealthState, reason: str) -> HealthSample:
        return HealthSample(
            at=time.time_ns(), subject=subject, kind=kind, state=state, reason=reason, source=self.name
        )

    async def _query(self, expression: str, within: TimeRange, step: float) -> list[Series]:
        params = {"query": expression, "limit": str(promapi.MAX_SERIES)}
        if step <= 0:
            path = "/api/v1/query"
            params["time"] = _seconds(within.end)
        else:
            path = "/api/v1/query_range"
            widest = max(0, within.end - within.start) / SECOND / (promapi.MAX_STEPS - 1)
            params |= {
                "start": _seconds(within.start),
                "end": _seconds(within.end),
                "step": f"{max(step, widest, 0.001):.3f}",
            }
        data = await self._get(path, promapi.QueryData, params=params)
        return await asyncio.to_thread(
            promapi.series_of, data, where=self.name, expression=expression, source=self.name
        )

    async def _get(self, path: str, wanted: type[T], *, params: Params | None = None) -> T:
        """GET an endpoint and unwrap its data."""
        reply = await self.http.get_json(path, promapi.Reply[wanted], params=params)  # type: ignore[valid-type]
        if reply.status != "success" or reply.data is None:
            raise BadAnswer(f"{path}: {reply.error or 'an answer without data'}", where=self.name)
        return reply.data

    async def _counted(self, path: str, wanted: type[T], *, params: Params | None = None) -> T | None:
        """GET an endpoint that an engine may lack; None says that it does."""
        try:
            return await self._get(path, wanted, params=params)
        except NotFound:
            return None

    async def _who(self) -> str:
        """Return the product and its version.

        Raises:
            SourceError: It does not answer, or not as this API does.
        """
        try:
            info = await self._get("/api/v1/status/buildinfo", promapi.BuildInfo)
        except NotFound:
            await self._query("1", TimeRange(0, time.time_ns()), 0.0)
            return "a Prometheus-compatible engine"
        return f"{info.application or 'Prometheus'} {info.version}".strip()

    async def _learn_external_labels(self) -> None:
        """Read the labels that the server adds on the way to Alertmanager, now and then."""
        if self.options.external_labels or time.monotonic() < self._external_at:
            return
        try:
            data = await self._get("/api/v1/status/config", promapi.ConfigData)
        except (NotFound, BadAnswer, Denied):
            data = promapi.ConfigData()
        self._external = external_labels(data.yaml)
        self._external_at = time.monotonic() + ASK_AGAIN


_TARGET_STATE = {"up": HealthState.OK, "down": HealthState.DOWN}
_ALERT_STATE = {"pending": AlertState.PENDING, "firing": AlertState.FIRING}


def _of_part(error: SourceError, part: str) -> SourceError:
    """Return the same error, its message led by the part of a look that it befell."""
    return type(error)(f"{part}: {error.message}", where=error.where, remedy=error.remedy)


def _seconds(moment: int) -> str:
    return f"{moment / SECOND:.3f}"
