"""The alertmanager source against a real Alertmanager, fed by a real Prometheus and by its own API."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator

import pytest

from cockpit.errors import CommandError, Unreachable
from cockpit.signals import SECOND, Alert, AlertState, HealthState, Matcher
from cockpit.source import Silencing
from sources.alertmanager import AlertmanagerOptions, AlertmanagerSource
from sources.prometheus import PrometheusOptions, PrometheusSource
from tests.helpers.tcp_server import free_port
from tests.live.collect import Closing, Collected, poll_until
from tests.live.servers import Alertmanager, Prometheus

RULES = """\
groups:
  - name: shop
    rules:
      - alert: CheckoutDown
        expr: vector(1)
        for: 2s
        labels: {severity: page, service: checkout, weird: "quote \\" back\\\\slash ünïcode"}
        annotations: {summary: "nobody can pay", runbook_url: "https://runbooks.example/pay"}
"""


@pytest.fixture(scope="module")
def alertmanager() -> Iterator[Alertmanager]:
    with Alertmanager() as server:
        yield server


def source_of(*servers: Alertmanager, **options: object) -> AlertmanagerSource:
    urls = tuple(server.url for server in servers)
    return AlertmanagerSource("am", AlertmanagerOptions(urls=urls, **options))  # type: ignore[arg-type]


def api(server: Alertmanager, path: str, body: object = None) -> object:
    """Ask Alertmanager itself, past everything of ours."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(server.url + path, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def post(server: Alertmanager, **labels: str) -> None:
    api(server, "/api/v2/alerts", [{"labels": labels, "annotations": {"summary": "posted"}}])


def silencing(*matchers: Matcher, comment: str = "deploying", seconds: int = 600) -> Silencing:
    now = time.time_ns()
    return Silencing(
        matchers=matchers,
        starts_at=now,
        ends_at=now + seconds * SECOND,
        created_by="ann",
        comment=comment,
    )


def state_of(seen: Collected, name: str) -> AlertState | None:
    alert = seen.alert(name)
    return alert.state if alert else None


async def test_a_rule_fires_through_alertmanager_and_is_silenced_and_comes_back(closing: Closing) -> None:
    with (
        Alertmanager() as am,
        Prometheus(rules=RULES, alertmanagers=[am.address], external_labels={"cluster": "eu"}) as prometheus,
    ):
        rules, at_prometheus = (
            closing(PrometheusSource("prom", PrometheusOptions(url=prometheus.url))),
            Collected(),
        )
        await poll_until(
            rules, at_prometheus, lambda: state_of(at_prometheus, "CheckoutDown") is AlertState.PENDING
        )
        await poll_until(
            rules, at_prometheus, lambda: state_of(at_prometheus, "CheckoutDown") is AlertState.FIRING
        )
        source, seen = closing(source_of(am)), Collected()
        await poll_until(
            source, seen, lambda: state_of(seen, "CheckoutDown") is AlertState.FIRING, seconds=30
        )
        ours, theirs = seen.alert("CheckoutDown"), at_prometheus.alert("CheckoutDown")
        assert ours is not None and theirs is not None
        assert ours.fingerprint == theirs.fingerprint, "one alert, two sources, one fingerprint"
        assert ours.labels == theirs.labels and ours.labels["cluster"] == "eu"
        assert ours.group == {"alertname": "CheckoutDown"} and ours.receivers == ("on-call",)
        assert ours.expression == "vector(1)" and ours.runbook_url == "https://runbooks.example/pay"
        assert ours.resource == {"service.name": "checkout"}

        matchers = [Matcher(name, value) for name, value in ours.labels.items()]
        silence = await source.act(source.silence_argv(silencing(*matchers)))
        assert state_of(seen, "CheckoutDown") is AlertState.SILENCED, "seen at once, without another poll"
        held = seen.alert("CheckoutDown")
        assert held is not None and held.silenced_by == (silence,)
        assert held.held_by.startswith("silenced by ann until ") and held.held_by.endswith(": deploying")
        [confirmed] = api(am, "/api/v2/alerts?silenced=true")  # type: ignore[misc]
        assert confirmed["status"] == {"state": "suppressed", "silencedBy": [silence], "inhibitedBy": []}  # type: ignore[has-type]
        [listed] = await source.list_silences()
        assert listed.id == silence and set(listed.matchers) == set(matchers) and listed.state == "active"

        assert silence in await source.act(source.expire_argv(silence))
        assert state_of(seen, "CheckoutDown") is AlertState.FIRING
        assert await source.list_silences() == []
        assert api(am, f"/api/v2/silence/{silence}")["status"] == {"state": "expired"}  # type: ignore[index]


async def test_an_inhibited_alert_names_the_one_that_inhibits_it(
    closing: Closing, alertmanager: Alertmanager
) -> None:
    post(alertmanager, alertname="DbDown", severity="critical", service="db", run="inhibit")
    post(alertmanager, alertname="DbSlow", severity="warning", service="db", run="inhibit")
    source, seen = closing(source_of(alertmanager)), Collected()
    await poll_until(source, seen, lambda: state_of(seen, "DbSlow") is AlertState.INHIBITED)
    slow, down = seen.alert("DbSlow"), seen.alert("DbDown")
    assert slow is not None and down is not None
    assert down.state is AlertState.FIRING and slow.inhibited_by == (down.fingerprint,)
    assert slow.held_by == "inhibited by DbDown (db)"


async def test_a_marked_silence_is_an_acknowledgement(closing: Closing, alertmanager: Alertmanager) -> None:
    post(alertmanager, alertname="DiskFull", instance="node-1:9100")
    source, seen = closing(source_of(alertmanager)), Collected()
    await poll_until(source, seen, lambda: seen.alert("DiskFull"))
    silence = await source.act(
        source.silence_argv(silencing(Matcher("alertname", "Disk.*", is_regex=True), comment="ack: on it"))
    )
    assert state_of(seen, "DiskFull") is AlertState.ACKNOWLEDGED
    await source.act(source.expire_argv(silence))
    assert state_of(seen, "DiskFull") is AlertState.FIRING
    with pytest.raises(CommandError, match="no silence"):
        await source.act(source.expire_argv("00000000-0000-0000-0000-000000000000"))


async def test_a_cluster_is_folded_and_a_dead_member_only_degrades_it(closing: Closing) -> None:
    with Alertmanager() as one, Alertmanager() as other:
        for server in (one, other):
            post(server, alertname="Shared", service="shop")
        post(other, alertname="OnlyOther", service="shop")
        source, seen = closing(source_of(one, other)), Collected()
        await poll_until(source, seen, lambda: len(seen.alerts) == 2)
        one.kill()
        await source.poll(seen)
        assert {alert.name for alert in seen.alerts} == {"Shared", "OnlyOther"}
        row = seen.health[f"alertmanager {one.url}"]
        assert row.state is HealthState.DOWN and "refused" in row.reason
        assert seen.health[f"alertmanager {other.url}"].state is HealthState.OK
        said = await source.check()
        assert f"{one.url}: connection refused" in said and f"{other.url}: Alertmanager 0." in said
        silence = await source.act(source.silence_argv(silencing(Matcher("alertname", "Shared"))))
        [confirmed] = api(other, "/api/v2/silences")  # type: ignore[misc]
        assert confirmed["id"] == silence, "the member that lives took it"  # type: ignore[has-type]
        other.kill()
        with pytest.raises(Unreachable):
            await source.poll(seen)
        one.start()
        await source.poll(seen)
        assert seen.health[f"alertmanager {one.url}"].state is HealthState.OK


async def test_an_action_says_whether_it_may_have_taken_effect(
    closing: Closing, alertmanager: Alertmanager
) -> None:
    source = closing(source_of(alertmanager, timeout=0.5))
    argv = source.silence_argv(silencing(Matcher("alertname", "Nothing")))
    alertmanager.pause()
    try:
        with pytest.raises(Unreachable, match="may or may not have taken effect"):
            await source.act(argv)
    finally:
        alertmanager.resume()
    nobody = closing(AlertmanagerSource("am", AlertmanagerOptions(url=f"http://127.0.0.1:{free_port()}")))
    with pytest.raises(Unreachable, match="refused") as refused:
        await nobody.act(argv)
    assert "may or may not" not in str(refused.value), "what was never sent took no effect"


async def test_check_counts_alerts_and_silences(closing: Closing, alertmanager: Alertmanager) -> None:
    said = await closing(source_of(alertmanager)).check()
    assert said.startswith("Alertmanager 0.") and "alerts" in said and "silences" in said


async def test_alert_fields_are_whole(closing: Closing, alertmanager: Alertmanager) -> None:
    post(
        alertmanager,
        alertname="Whole",
        severity="info",
        job="api",
        instance="https://shop.example/health",
        pod="p",
    )
    source, seen = closing(source_of(alertmanager)), Collected()
    alert = await poll_until(source, seen, lambda: seen.alert("Whole"))
    assert isinstance(alert, Alert)
    assert alert.resource == {"service.name": "api", "host.name": "shop.example", "k8s.pod.name": "p"}
    assert abs(alert.starts_at - time.time_ns()) < 30 * SECOND and alert.ends_at == 0
    assert alert.annotations == {"summary": "posted"}
