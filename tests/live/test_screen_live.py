"""The whole way through, on the screen: a rule fires in a real Prometheus, travels through a real Alertmanager,
shows in the alerts pane, is silenced from the pane, and Alertmanager's own API confirms it."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from cockpit.actionlog.log import FILE
from cockpit.actionlog.reader import ActionReader
from cockpit.app import CockpitApp
from cockpit.config import read
from cockpit.operations import Operations
from cockpit.signals import AlertState
from cockpit.wiring import Cockpit
from tests.helpers.tcp_server import free_port
from tests.live.servers import Alertmanager, NodeExporter, Prometheus
from widgets.alerts import AlertsPane
from widgets.plot import Plot
from widgets.silence import SilenceForm

RULES = """\
groups:
  - name: shop
    rules:
      - alert: CheckoutDown
        expr: up == 0
        labels: {severity: critical, service: checkout}
        annotations: {summary: "nobody answers at {{ $labels.instance }}", runbook_url: "https://runbooks.example/down"}
      - alert: Busy
        expr: node_load1 >= 0
        labels: {severity: warning, service: node}
        annotations: {summary: "the node has a load"}
"""


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Prometheus, Alertmanager]]:
    with (
        Alertmanager() as alertmanager,
        NodeExporter() as node,
        Prometheus(
            scrape={"node": [node.address], "gone": [f"127.0.0.1:{free_port()}"]},
            rules=RULES,
            alertmanagers=[alertmanager.address],
        ) as prometheus,
    ):
        yield prometheus, alertmanager


@asynccontextmanager
async def screen(
    folder: Path, prometheus: Prometheus, alertmanager: Alertmanager
) -> AsyncIterator[Pilot[int]]:
    config = folder / "cockpit.toml"
    config.write_text(
        f"""
default_sources = false
[[sources]]
name = "prom"
kind = "prometheus"
url = "{prometheus.url}"
interval = 1
[[sources]]
name = "am"
kind = "alertmanager"
url = "{alertmanager.url}"
interval = 1
[[targets]]
name = "*"
environment = "development"
"""
    )
    cockpit = Cockpit(read(config))
    app = CockpitApp(cockpit, Operations(folder / "data", cockpit.supervisor.ask, cockpit.settings))
    async with app.run_test(size=(140, 45)) as pilot:
        yield pilot


async def until(true: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    for _ in range(int(seconds / 0.1)):
        if true():
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"waited {seconds:g} s for {what}")


def silences(alertmanager: Alertmanager) -> list[dict[str, object]]:
    with urllib.request.urlopen(f"{alertmanager.url}/api/v2/silences", timeout=5) as answer:
        found: list[dict[str, object]] = json.load(answer)
        return found


@pytest.mark.live
async def test_an_alert_travels_to_the_pane_and_is_silenced_from_it(
    tmp_path: Path, servers: tuple[Prometheus, Alertmanager]
) -> None:
    prometheus, alertmanager = servers
    async with screen(tmp_path, prometheus, alertmanager) as pilot:
        app = pilot.app
        assert isinstance(app, CockpitApp)
        alerts = app.cockpit.stores.alerts

        def state(name: str) -> AlertState | None:
            return next((alert.state for alert in alerts.alerts() if alert.name == name), None)

        def folded() -> bool:
            """Both sources report it, and it is one alert."""
            found = [alert for alert in alerts.alerts() if alert.name == "CheckoutDown"]
            return len(found) == 1 and bool(found[0].receivers) and found[0].expression == "up == 0"

        await until(folded, "the alert from Prometheus and Alertmanager as one")
        assert state("CheckoutDown") is AlertState.FIRING
        await until(lambda: "CheckoutDown" in app.verdict.render_line(0).text, "the verdict to name it")
        down = app.cockpit.stores.health.rows()[0].latest
        assert (str(down.state), down.source) == ("down", "prom")

        await pilot.press("2", "g", "enter")
        pane = app.query_one(AlertsPane)
        await until(lambda: pane.query(Plot) and pane.query_one(Plot).series, "the expression's graph")
        assert app.cockpit.trail.now.service == "checkout"
        await pilot.press("escape", "escape")
        assert pane.detail is None

        await pilot.press("g", "s")
        await until(lambda: pane.query(SilenceForm), "the form")
        form = pane.query_one(SilenceForm)
        await until(lambda: isinstance(app.focused, Input), "the focus in the form")
        await pilot.press("enter")
        assert silences(alertmanager) == [], "a silence without a comment was sent"
        await pilot.press(*"rebooting", "enter")
        assert not form.is_attached or form.wanted().comment == "rebooting"
        await until(lambda: silences(alertmanager), "Alertmanager to hold the silence")
        (made,) = silences(alertmanager)
        assert made["comment"] == "rebooting"
        await until(lambda: state("CheckoutDown") is AlertState.SILENCED, "the pane to show it silenced")
        assert "rebooting" in next(alert.held_by for alert in alerts.alerts() if alert.name == "CheckoutDown")

        await until(lambda: state("Busy") is AlertState.FIRING, "the other alert")
        await pilot.press("slash", *"busy", "enter")
        await until(lambda: [row.name for row in pane._shown] == ["Busy"], "the filter")
        await pilot.press("a")
        await until(lambda: state("Busy") is AlertState.ACKNOWLEDGED, "the acknowledgement")

    reader = ActionReader(tmp_path / "data" / FILE)
    recorded = reader.list(limit=10)
    reader.close()
    assert [action.argv[:3] for action in recorded] == [("amtool", "silence", "add")] * 2
    assert all(action.state == "done" and action.target == "am" for action in recorded)


@pytest.mark.live
async def test_a_server_that_dies_is_told_on_its_panes_and_comes_back(
    tmp_path: Path, servers: tuple[Prometheus, Alertmanager]
) -> None:
    prometheus, alertmanager = servers
    async with screen(tmp_path, prometheus, alertmanager) as pilot:
        app = pilot.app
        assert isinstance(app, CockpitApp)
        pane = app.query_one(AlertsPane)
        await until(lambda: "3 sources live" in str(pane.border_subtitle), "both sources live")
        alertmanager.kill()
        await until(lambda: "am down" in str(pane.border_subtitle), "the pane to say it is down")
        assert "again in" in str(pane.border_subtitle)
        alertmanager.start()
        await until(lambda: "3 sources live" in str(pane.border_subtitle), "it to come back")
