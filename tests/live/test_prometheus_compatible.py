"""The prometheus source against an engine that is not Prometheus: VictoriaMetrics."""

from __future__ import annotations

import asyncio
import time

from cockpit.signals import SECOND, HealthState, Series
from cockpit.source import TimeRange
from sources.prometheus import PrometheusOptions, PrometheusSource
from tests.helpers.tcp_server import free_port
from tests.live.collect import Closing, Collected, poll_until
from tests.live.servers import NodeExporter, VictoriaMetrics


async def test_victoriametrics_gives_targets_and_answers_queries(closing: Closing) -> None:
    with (
        NodeExporter() as node,
        VictoriaMetrics(scrape={"node": [node.address], "gone": [f"127.0.0.1:{free_port()}"]}) as server,
    ):
        source, seen = closing(PrometheusSource("vm", PrometheusOptions(url=server.url))), Collected()
        subject = f"node {node.address}"
        await poll_until(
            source, seen, lambda: (row := seen.health.get(subject)) and row.state is HealthState.OK
        )
        await poll_until(
            source,
            seen,
            lambda: any(row.state is HealthState.DOWN and row.reason for row in seen.health.values()),
        )
        assert seen.alerts == [] and seen.health["server vm"].state is HealthState.OK
        until, found = time.monotonic() + 15, list[Series]()
        while (
            not found and time.monotonic() < until
        ):  # what was scraped can be asked for a second or more later
            await asyncio.sleep(0.5)
            now = time.time_ns()
            found = await source.query_metrics('up{job="node"}', TimeRange(now - 20 * SECOND, now), 1.0)
        [series] = found
        assert series.points and series.points[-1][1] == 1.0
        assert "targets" in await source.check()
