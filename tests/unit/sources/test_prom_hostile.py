"""Answers of Prometheus and Alertmanager with parts exchanged for what they should not be, and very large ones."""

from __future__ import annotations

import copy
import json
import random
import ssl
import time
from typing import Any

import pytest

from cockpit import hygiene
from cockpit.errors import BadAnswer, SourceError, Unreachable
from cockpit.signals import Alert, AlertState, HealthSample, HealthState
from cockpit.source import TimeRange
from sources.alertmanager import AlertmanagerOptions, AlertmanagerSource
from sources.prometheus import PromCheck, PrometheusOptions, PrometheusSource
from sources.support.promlabels import resource_of
from tests.helpers.emits import Kept
from tests.helpers.http_server import Asked, Said, http_server

WHEN = "2026-01-02T03:04:05.678Z"
LABELS = {"alertname": "A", "job": "api", "instance": "n:1", "severity": "warning"}
PROMETHEUS: dict[str, Any] = {
    "/api/v1/targets": {
        "activeTargets": [
            {
                "labels": LABELS, "scrapePool": "api", "scrapeUrl": "http://n:1/metrics", "lastError": "boom",
                "lastScrape": WHEN, "lastScrapeDuration": 0.5, "health": "down",
            }
        ]
    },
    "/api/v1/rules": {
        "groups": [
            {
                "name": "g", "file": "f",
                "rules": [
                    {
                        "name": "A", "query": "up == 0", "type": "alerting", "health": "err", "lastError": "no",
                        "alerts": [
                            {"labels": LABELS, "annotations": {}, "state": "firing", "activeAt": WHEN, "value": "1e0"}
                        ],
                    }
                ],
            }
        ]
    },
    "/api/v1/query": {"resultType": "vector", "result": [{"metric": LABELS, "value": [1.5, "3"]}]},
    "/api/v1/status/config": {"yaml": "global:\n  external_labels:\n    a: b\n"},
}  # fmt: skip
ALERTMANAGER: dict[str, Any] = {
    "/api/v2/alerts/groups": [
        {
            "labels": {"alertname": "A"}, "receiver": {"name": "r"},
            "alerts": [
                {
                    "labels": LABELS, "annotations": {}, "startsAt": WHEN, "endsAt": WHEN, "updatedAt": WHEN,
                    "fingerprint": "00", "generatorURL": "http://p/graph?g0.expr=up", "receivers": [{"name": "r"}],
                    "status": {"state": "suppressed", "silencedBy": ["s"], "inhibitedBy": ["01"]},
                }
            ],
        }
    ],
    "/api/v2/silences": [
        {
            "id": "s", "matchers": [{"name": "a", "value": "b", "isRegex": False, "isEqual": True}],
            "startsAt": WHEN, "endsAt": WHEN, "createdBy": "ann", "comment": "c", "status": {"state": "active"},
        }
    ],
}  # fmt: skip
ODD: list[Any] = [
    None,
    7,
    -1e308,
    10**30,
    True,
    "",
    "\x1b[31m\u202e",
    "x" * 100_000,
    [],
    {},
    [[]],
    {"a": {"b": []}},
    "NaN",
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


def exchanged(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    changed = copy.deepcopy(value)
    within = changed
    for key in path[:-1]:
        within = within[key]
    within[path[-1]] = odd
    return changed


def variants(answers: dict[str, Any], seed: int, count: int) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        path = chance.choice(sorted(answers))
        place = chance.choice(places(answers[path]))
        made.append({**answers, path: exchanged(answers[path], place, chance.choice(ODD))})
    return made


def held(kept: Kept) -> None:
    for signal in kept.signals:
        cleaned, _ = hygiene.clean(signal)
        assert [type(one) for one in cleaned] == [type(signal)], signal


async def test_prometheus_with_odd_parts_never_crashes() -> None:
    answers = dict(PROMETHEUS)

    def answer(asked: Asked) -> Said:
        return Said(body=json.dumps({"status": "success", "data": answers.get(asked.path)}).encode())

    emitted = 0
    async with http_server(answer) as url:
        check = PromCheck(name="c", expr="up", above=1.0)
        source = PrometheusSource("p", PrometheusOptions(url=url, checks=(check,)))
        for variant in variants(PROMETHEUS, 1, 250):
            answers = variant
            kept = Kept()
            try:
                await source.poll(kept)
                await source.query_metrics("up", TimeRange(0, 1), 0)
            except SourceError as error:
                assert error.where == "p"
            held(kept)
            emitted += bool(kept.signals)
        await source.aclose()
    assert emitted > 240, "one odd part leaves the others standing"


async def test_alertmanager_with_odd_parts_never_crashes() -> None:
    answers = dict(ALERTMANAGER)
    emitted = 0
    async with http_server(lambda asked: Said(body=json.dumps(answers[asked.path]).encode())) as url:
        source = AlertmanagerSource("a", AlertmanagerOptions(url=url))
        for variant in variants(ALERTMANAGER, 2, 250):
            answers, kept = variant, Kept()
            try:
                await source.poll(kept)
                await source.list_silences()
            except BadAnswer as error:
                assert "answered with something else than its API says" in error.message
            held(kept)
            emitted += bool(kept.signals)
        await source.aclose()
    assert emitted > 40


def test_long_labels_cost_no_more_than_their_length() -> None:
    started = time.perf_counter()
    for odd in ("x" * 1_000_000, "a://" + "b" * 1_000_000, "@" * 1_000_000, ":" * 1_000_000):
        resource_of({"instance": odd, "job": odd})
    assert time.perf_counter() - started < 1


async def test_what_one_part_lacks_the_others_give() -> None:
    def answer(asked: Asked) -> Said:
        if asked.path == "/api/v1/targets":
            return Said(status=404)
        if asked.path == "/api/v1/rules":
            return Said(status=500, body=b'{"error": "rule manager is gone"}')
        return Said(body=json.dumps({"status": "success", "data": PROMETHEUS.get(asked.path)}).encode())

    async with http_server(answer) as url:
        check = PromCheck(name="c", expr="up", above=1.0, state=HealthState.DOWN)
        source, kept = PrometheusSource("p", PrometheusOptions(url=url, checks=(check,))), Kept()
        await source.poll(kept)
        rows = {row.subject: row for row in kept.health}
        assert (
            rows["targets of p"].state is HealthState.OK and "no targets API" in rows["targets of p"].reason
        )
        assert (
            rows["server p"].state is HealthState.DEGRADED
            and "rule manager is gone" in rows["server p"].reason
        )
        assert rows["c"].state is HealthState.DOWN and rows["c"].value == 3.0
        await source.aclose()


async def test_all_parts_failing_is_the_source_failing() -> None:
    async with http_server(lambda _: Said(status=503)) as url:
        source = PrometheusSource("p", PrometheusOptions(url=url))
        with pytest.raises(Unreachable, match="503"):
            await source.poll(Kept())
        await source.aclose()


async def test_many_targets_are_summed_up_by_pool() -> None:
    [target] = PROMETHEUS["/api/v1/targets"]["activeTargets"]
    targets = [
        {**target, "labels": {"job": f"j{i % 3}", "instance": f"n{i}:1"}, "scrapePool": f"j{i % 3}",
         "health": "down" if i % 100 == 0 else "up"}
        for i in range(5_000)
    ]  # fmt: skip
    body = json.dumps({"status": "success", "data": {"activeTargets": targets, "groups": []}}).encode()
    async with http_server(lambda _: Said(body=body)) as url:
        source, kept = PrometheusSource("p", PrometheusOptions(url=url, target_rows=40)), Kept()
        await source.poll(kept)
        pools = [row for row in kept.health if row.subject.startswith("pool ")]
        assert [row.subject for row in pools] == ["pool j0", "pool j1", "pool j2"]
        assert all(row.state is HealthState.DEGRADED and 0.9 < (row.value or 0) < 1 for row in pools)
        down = [row for row in kept.health if row.kind == "target" and row.state is HealthState.DOWN]
        assert len(down) == 40
        await source.aclose()


async def test_twenty_thousand_alerts_are_taken_and_no_more() -> None:
    [group] = ALERTMANAGER["/api/v2/alerts/groups"]
    [alert] = group["alerts"]
    alerts = [
        {
            **alert,
            "labels": {**LABELS, "n": str(i)},
            "fingerprint": f"{i:016x}",
            "status": {"state": "active"},
        }
        for i in range(21_000)
    ]
    answers = {"/api/v2/alerts/groups": [{**group, "alerts": alerts}], "/api/v2/silences": []}
    bodies = {path: json.dumps(answer).encode() for path, answer in answers.items()}
    async with http_server(lambda asked: Said(body=bodies[asked.path])) as url:
        source, kept = AlertmanagerSource("a", AlertmanagerOptions(url=url, timeout=20.0)), Kept()
        started = time.perf_counter()
        await source.poll(kept)
        assert time.perf_counter() - started < 10
        found = [one for one in kept.signals if isinstance(one, Alert)]
        assert len(found) == 20_000 and {one.state for one in found} == {AlertState.FIRING}
        assert sum(isinstance(one, HealthSample) for one in kept.signals) == 1
        await source.aclose()


async def test_members_that_differ_show_the_louder_state() -> None:
    [group] = ALERTMANAGER["/api/v2/alerts/groups"]
    [alert] = group["alerts"]
    active = {**alert, "status": {"state": "active"}, "receivers": [{"name": "other"}]}
    answers = [group["alerts"], [active]]
    silences = ALERTMANAGER["/api/v2/silences"]

    def member(alerts: list[Any]) -> Any:
        def answer(asked: Asked) -> Said:
            body = silences if asked.path.endswith("silences") else [{**group, "alerts": alerts}]
            return Said(body=json.dumps(body).encode())

        return answer

    async with http_server(member(answers[0])) as one, http_server(member(answers[1])) as other:
        source, kept = AlertmanagerSource("a", AlertmanagerOptions(urls=(one, other))), Kept()
        await source.poll(kept)
        [merged] = [one for one in kept.signals if isinstance(one, Alert)]
        assert merged.state is AlertState.FIRING and set(merged.receivers) == {"r", "other"}
        await source.aclose()


async def test_what_holds_an_alert_back_is_said_in_clean_words() -> None:
    [group] = ALERTMANAGER["/api/v2/alerts/groups"]
    [alert] = group["alerts"]
    status = {"state": "suppressed", "silencedBy": ["s", "gone"], "inhibitedBy": [], "mutedBy": ["nights"]}
    [silence] = ALERTMANAGER["/api/v2/silences"]
    answers: dict[str, Any] = {
        "/api/v2/alerts/groups": [{**group, "alerts": [{**alert, "status": status}]}],
        "/api/v2/silences": [{**silence, "comment": "ack: \x1b]0;pwned\x07 on it"}],
    }
    async with http_server(lambda asked: Said(body=json.dumps(answers[asked.path]).encode())) as url:
        source, kept = AlertmanagerSource("a", AlertmanagerOptions(url=url)), Kept()
        await source.poll(kept)
        [found], _ = hygiene.clean([one for one in kept.signals if isinstance(one, Alert)])
        assert isinstance(found, Alert) and found.state is AlertState.ACKNOWLEDGED
        assert found.held_by.startswith("silenced by ann until 2026-01-02 03:04 UTC: ack: ")
        assert found.held_by.endswith("; silenced by gone; muted by the time interval nights")
        assert "\x1b" not in found.held_by and "\x07" not in found.held_by
        await source.aclose()


async def test_a_transport_can_be_put_in_the_way() -> None:
    import httpx

    made: list[httpx.AsyncBaseTransport] = []

    def through(context: ssl.SSLContext) -> httpx.AsyncBaseTransport:
        made.append(httpx.AsyncHTTPTransport(verify=context, local_address="127.0.0.1"))
        return made[-1]

    async with http_server(lambda _: Said(body=b'{"status": "success", "data": {"version": "9"}}')) as url:
        options = PrometheusOptions(url=url, targets=False, alerts=False)
        source = PrometheusSource("p", options, transport=through)
        await source.poll(Kept())
        assert len(made) == 1
        await source.aclose()
