"""The sources of this room held to the public contract, against real servers and against nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cockpit.source import Source
from cockpit.testing import check_source
from sources.alertmanager import AlertmanagerOptions, AlertmanagerSource
from sources.exposition import ExpositionOptions, ExpositionSource, Watch
from sources.prometheus import PromCheck, PrometheusOptions, PrometheusSource
from tests.helpers.tcp_server import free_port
from tests.live.servers import Alertmanager, Prometheus

RULES = "groups: [{name: g, rules: [{alert: Always, expr: vector(1)}]}]\n"


def prometheus(url: str) -> PrometheusSource:
    checks = (PromCheck(name="up", expr="vector(1)"),)
    return PrometheusSource("prom", PrometheusOptions(url=url, interval=0.5, timeout=2.0, checks=checks))


def alertmanager(url: str) -> AlertmanagerSource:
    return AlertmanagerSource("am", AlertmanagerOptions(url=url, interval=0.5, timeout=2.0))


def exposition(url: str) -> ExpositionSource:
    watch = (Watch(selector="process_open_fds"), Watch(selector="process_cpu_seconds_total"))
    return ExpositionSource("page", ExpositionOptions(url=url, interval=0.5, timeout=2.0, watch=watch))


async def test_prometheus_and_exposition_keep_the_contract() -> None:
    with Prometheus(rules=RULES) as server:
        report = await check_source(lambda: prometheus(server.url), seconds=2.0)
        assert (
            report.answer.startswith("Prometheus 2.") and report.signals and "query_metrics" in report.asked
        )
        report = await check_source(lambda: exposition(server.url), seconds=2.0)
        assert "series in" in report.answer and report.signals


async def test_alertmanager_keeps_the_contract() -> None:
    with Alertmanager() as server:
        report = await check_source(lambda: alertmanager(server.url), seconds=2.0)
        assert report.answer.startswith("Alertmanager 0.") and "list_silences" in report.asked


@pytest.mark.parametrize("make", [prometheus, alertmanager, exposition])
async def test_pointed_at_nothing_they_say_what_to_do(make: Callable[[str], Source[Any]]) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    report = await check_source(lambda: make(url), reachable=False)
    assert "connection refused" in report.answer and "is it running" in report.answer
