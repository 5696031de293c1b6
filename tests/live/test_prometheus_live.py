"""The prometheus source against a real Prometheus."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import pytest

from cockpit.errors import BadAnswer, Unreachable
from cockpit.signals import SECOND, AlertState, HealthState
from cockpit.source import TimeRange
from sources.prometheus import PromCheck, PrometheusOptions, PrometheusSource
from tests.helpers.tcp_server import free_port
from tests.live.collect import Closing, Collected, poll_until
from tests.live.servers import NodeExporter, Prometheus

RULES = """\
groups:
  - name: shop
    rules:
      - alert: NodeGone
        expr: up{job="gone"} == 0
        for: 2s
        labels: {severity: critical, service: shop}
        annotations: {summary: "{{ $labels.instance }} is gone", runbook_url: "https://runbooks.example/gone"}
      - alert: Always
        expr: vector(42)
        labels: {severity: info}
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: Broken
        expr: up * on (nothing) group_left up
"""


@pytest.fixture(scope="module")
def node() -> Iterator[NodeExporter]:
    with NodeExporter() as server:
        yield server


@pytest.fixture(scope="module")
def prometheus(node: NodeExporter) -> Iterator[Prometheus]:
    scrape = {"node": [node.address], "gone": [f"127.0.0.1:{free_port()}"]}
    with Prometheus(scrape=scrape, rules=RULES, external_labels={"cluster": "eu"}) as server:
        yield server


def source_of(server: Prometheus, **options: object) -> PrometheusSource:
    return PrometheusSource("prom", PrometheusOptions(url=server.url, **options))  # type: ignore[arg-type]


async def test_targets_become_rows_and_a_down_one_says_why(
    closing: Closing, prometheus: Prometheus, node: NodeExporter
) -> None:
    source, seen = closing(source_of(prometheus)), Collected()
    up = f"node {node.address}"
    await poll_until(source, seen, lambda: up in seen.health and seen.health[up].state is HealthState.OK)
    down = next(row for subject, row in seen.health.items() if subject.startswith("gone "))
    await poll_until(source, seen, lambda: seen.health[down.subject].state is HealthState.DOWN)
    assert "connection refused" in seen.health[down.subject].reason
    row = seen.health[up]
    assert row.kind == "target" and row.unit == "s" and row.value is not None and 0 < row.value < 5
    assert row.resource == {"service.name": "node", "host.name": "127.0.0.1"}
    assert abs(row.at - time.time_ns()) < 30 * SECOND
    assert seen.health["server prom"].state is HealthState.OK


async def test_an_alert_is_pending_and_then_firing(closing: Closing, prometheus: Prometheus) -> None:
    source, seen = closing(source_of(prometheus)), Collected()
    await poll_until(source, seen, lambda: seen.alert("Always"))
    firing = await poll_until(
        source, seen, lambda: (a := seen.alert("NodeGone")) and a.state is AlertState.FIRING and a
    )
    assert firing and firing.severity == "critical"
    assert firing.expression == 'up{job="gone"} == 0'
    assert firing.runbook_url == "https://runbooks.example/gone"
    assert firing.annotations["summary"].endswith("is gone")
    assert firing.labels["cluster"] == "eu", "the server's external label is part of the alert's identity"
    assert firing.value == 0.0 and 0 < time.time_ns() - firing.starts_at < 120 * SECOND
    always = seen.alert("Always")
    assert always is not None and always.value == 42.0


async def test_metric_queries_push_range_and_step_down(
    closing: Closing, prometheus: Prometheus, node: NodeExporter
) -> None:
    source, seen = closing(source_of(prometheus)), Collected()
    await poll_until(
        source, seen, lambda: (row := seen.health.get(f"node {node.address}")) and row.reason == ""
    )
    end = time.time_ns()
    within = TimeRange(end - 30 * SECOND, end)
    [series] = await source.query_metrics('up{job="node"}', within, 1.0)
    assert series.name == "up" and series.labels["job"] == "node"
    assert series.points and all(value == 1.0 for _, value in series.points)
    assert all(within.start - SECOND <= at <= within.end + SECOND for at, _ in series.points)
    gaps = [b[0] - a[0] for a, b in zip(series.points, series.points[1:], strict=False)]
    assert all(gap == SECOND for gap in gaps)
    [now] = await source.query_metrics("vector(7)", within, 0)
    assert [value for _, value in now.points] == [7.0]
    [scalar] = await source.query_metrics("1/0", within, 0)
    assert scalar.points[0][1] == math.inf
    [nothing] = await source.query_metrics("0/0", within, 0)
    assert nothing.points == ()
    [gap] = await source.query_metrics("vector(0)/0", within, 1.0)
    assert gap.points == ()
    wide = await source.query_metrics("vector(1)", TimeRange(end - 864_000 * SECOND, end), 1.0)
    assert len(wide[0].points) <= 11_000, "a step that would give too many points is widened"
    with pytest.raises(BadAnswer, match="parse error"):
        await source.query_metrics("up{", within, 1.0)


async def test_configured_expressions_become_rows(
    closing: Closing, prometheus: Prometheus, node: NodeExporter
) -> None:
    checks = (
        PromCheck(name="load", expr='node_load1{job="node"}', below=-1.0, unit="1"),
        PromCheck(name="reachable", expr="up", below=1.0, state=HealthState.DOWN),
        PromCheck(name="missing", expr="no_such_metric"),
        PromCheck(name="wrong", expr="up{"),
    )
    source, seen = closing(source_of(prometheus, checks=checks, targets=False, alerts=False)), Collected()
    await poll_until(source, seen, lambda: "load" in seen.health and seen.health["load"].value is not None)
    assert seen.health["load"].state is HealthState.OK and seen.health["load"].unit == "1"
    assert seen.health["missing"].state is HealthState.UNKNOWN
    assert "parse error" in seen.health["wrong"].reason
    bad = [
        row for subject, row in seen.health.items() if subject.startswith("reachable {") and "gone" in subject
    ]
    assert [row.state for row in bad] == [HealthState.DOWN] and "below 1" in bad[0].reason


async def test_check_says_what_it_found(closing: Closing, prometheus: Prometheus) -> None:
    said = await closing(source_of(prometheus)).check()
    assert said.startswith("Prometheus 2.") and "2 targets" in said and "4 rules" in said


async def test_a_killed_server_is_unreachable_until_it_is_back(closing: Closing) -> None:
    with Prometheus() as server:
        source, seen = closing(source_of(server, timeout=2.0)), Collected()
        await source.poll(seen)
        server.kill()
        with pytest.raises(Unreachable, match="connection refused"):
            await source.poll(seen)
        server.start()
        await source.poll(seen)
        server.pause()
        started = time.monotonic()
        source_quick = closing(source_of(server, timeout=0.5))
        with pytest.raises(Unreachable):
            await source_quick.poll(seen)
        assert time.monotonic() - started < 3
        server.resume()
        await source.poll(seen)
