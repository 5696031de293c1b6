"""Jaeger and Zipkin sources against servers that answer as the two APIs are documented."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from cockpit.errors import BadAnswer, Denied, SourceError, Unreachable
from cockpit.signals import SECOND, SpanStatus
from cockpit.source import TimeRange
from cockpit.testing import check_source
from sources.jaeger import JaegerOptions, JaegerSource
from sources.support.trace_parts import Tally
from sources.support.trace_polling import Seen, TraceStoreSource
from sources.zipkin import ZipkinOptions, ZipkinSource
from tests.helpers.emits import Kept
from tests.helpers.http_server import Asked, Said, http_server
from tests.helpers.tcp_server import free_port
from tests.helpers.trace_servers import Jaeger, Zipkin, serving

NOW = time.time_ns() // 1000 * 1000
HOUR = TimeRange(NOW - 3600 * SECOND, NOW + 3600 * SECOND)


def trace_of(number: int, *, service: str, ago: float, duration: float, error: bool, count: int) -> Any:
    """Return the plain facts of a trace: a root and `count - 1` children."""
    start = time.time_ns() // 1000 - int(ago * 1_000_000)
    return [
        {
            "trace": f"{number:032x}",
            "span": f"{number * 100 + step:016x}",
            "parent": f"{number * 100:016x}" if step else "",
            "service": service,
            "start": start + step,
            "duration": int(duration * 1_000_000) - step,
            "error": error,
        }
        for step in range(count)
    ]


def as_jaeger(facts: Any) -> Any:
    return {
        "traceID": facts[0]["trace"],
        "processes": {"p1": {"serviceName": facts[0]["service"], "tags": []}},
        "warnings": None,
        "spans": [
            {
                "traceID": one["trace"],
                "spanID": one["span"],
                "operationName": f"op {one['span']}",
                "references": [{"refType": "CHILD_OF", "traceID": one["trace"], "spanID": one["parent"]}]
                if one["parent"]
                else [],
                "startTime": one["start"],
                "duration": one["duration"],
                "tags": [{"key": "error", "type": "bool", "value": True}] if one["error"] else [],
                "logs": [],
                "processID": "p1",
                "warnings": None,
            }
            for one in facts
        ],
    }


def as_zipkin(facts: Any) -> Any:
    return [
        {
            "traceId": one["trace"],
            "id": one["span"],
            **({"parentId": one["parent"]} if one["parent"] else {}),
            "name": f"op {one['span']}",
            "timestamp": one["start"],
            "duration": one["duration"],
            "localEndpoint": {"serviceName": one["service"]},
            "tags": {"error": "boom"} if one["error"] else {},
        }
        for one in facts
    ]


def jaeger_store(*traces: Any) -> Jaeger:
    return Jaeger(*(as_jaeger(facts) for facts in traces))


def zipkin_store(*traces: Any) -> Zipkin:
    return Zipkin(*(as_zipkin(facts) for facts in traces))


def jaeger_source(url: str, **options: Any) -> JaegerSource:
    return JaegerSource("store", JaegerOptions(url=url, **options))


def zipkin_source(url: str, **options: Any) -> ZipkinSource:
    return ZipkinSource("store", ZipkinOptions(url=url, **options))


KINDS = [
    pytest.param((jaeger_store, as_jaeger, jaeger_source), id="jaeger"),
    pytest.param((zipkin_store, as_zipkin, zipkin_source), id="zipkin"),
]
Kind = tuple[Callable[..., Jaeger | Zipkin], Callable[[Any], Any], Callable[..., TraceStoreSource[Any]]]

SHOP = trace_of(1, service="shop", ago=300, duration=0.2, error=False, count=3)
SLOW = trace_of(2, service="shop", ago=200, duration=4.0, error=False, count=2)
FAILED = trace_of(3, service="shop", ago=100, duration=0.1, error=True, count=1)
BILLING = trace_of(4, service="billing", ago=50, duration=0.3, error=False, count=2)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_look_emits_every_span_once(kind: Kind) -> None:
    store_of, as_stored, source_of = kind
    store = store_of(SHOP, SLOW, FAILED, BILLING)
    async with serving(store) as url:
        source, kept = source_of(url), Kept()
        await source.poll(kept)
        first = len(kept.spans)
        await source.poll(kept)
        assert (first, len(kept.spans)) == (8, 8)
        late = trace_of(5, service="shop", ago=1, duration=0.5, error=False, count=2)
        store.traces.append(as_stored(late))
        await source.poll(kept)
        assert [span.trace_id for span in kept.spans[8:]] == [late[0]["trace"]] * 2
        await source.aclose()
    assert {span.source for span in kept.spans} == {"store"}
    assert {span.resource["service.name"] for span in kept.spans} == {"shop", "billing"}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_trace_that_grew_gives_its_new_spans_alone(kind: Kind) -> None:
    store_of, as_stored, source_of = kind
    growing = trace_of(7, service="shop", ago=5, duration=0.5, error=False, count=4)
    store = store_of(growing[:2])
    async with serving(store) as url:
        source, kept = source_of(url), Kept()
        await source.poll(kept)
        store.traces[:] = [as_stored(growing)]
        await source.poll(kept)
        await source.aclose()
    assert [span.span_id for span in kept.spans] == [one["span"] for one in growing]


@pytest.mark.parametrize("kind", KINDS)
async def test_failed_and_slow_traces_are_found_behind_many_newer_ones(kind: Kind) -> None:
    store_of, _, source_of = kind
    newer = [
        trace_of(10 + n, service="shop", ago=n / 10, duration=0.1, error=False, count=1) for n in range(30)
    ]
    async with serving(store_of(SHOP, SLOW, FAILED, *newer)) as url:
        source, kept = source_of(url, limit=5), Kept()
        await source.poll(kept)
        await source.aclose()
    found = {span.trace_id for span in kept.spans}
    assert SLOW[0]["trace"] in found and FAILED[0]["trace"] in found and SHOP[0]["trace"] not in found
    assert len(found) == 7


@pytest.mark.parametrize("kind", KINDS)
async def test_services_take_turns_within_the_bound(kind: Kind) -> None:
    store_of, _, source_of = kind
    traces = [trace_of(n, service=f"svc-{n}", ago=9, duration=0.1, error=False, count=1) for n in range(1, 6)]
    async with serving(store_of(*traces)) as url:
        source, kept = source_of(url, services_per_look=2), Kept()
        sizes = []
        for _ in range(3):
            await source.poll(kept)
            sizes.append(len({span.resource["service.name"] for span in kept.spans}))
        await source.aclose()
    assert sizes == [2, 4, 5]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_search_is_pushed_down_and_answered_newest_first(kind: Kind) -> None:
    store_of, _, source_of = kind
    store = store_of(SHOP, SLOW, FAILED, BILLING)
    async with serving(store) as url:
        source = source_of(url)
        everything = await source.find_traces("", HOUR, 10)
        shop = await source.find_traces("shop", HOUR, 2)
        failed = await source.find_traces("shop", HOUR, 10, errors_only=True)
        older = TimeRange(NOW - 3600 * SECOND, NOW - 250 * SECOND)
        old = await source.find_traces("shop", older, 10)
        none = await source.find_traces("shop", HOUR, 0)
        await source.aclose()
    assert [found.trace_id for found in everything] == [t[0]["trace"] for t in (BILLING, FAILED, SLOW, SHOP)]
    assert [found.trace_id for found in shop] == [FAILED[0]["trace"], SLOW[0]["trace"]]
    assert [(found.trace_id, found.error, found.spans) for found in failed] == [(FAILED[0]["trace"], True, 1)]
    assert [found.trace_id for found in old] == [SHOP[0]["trace"]] and none == []
    slow = shop[1]
    assert (slow.root, slow.service, slow.source) == (f"op {SLOW[0]['span']}", "shop", "store")
    assert slow.duration == 4 * SECOND and slow.start == SLOW[0]["start"] * 1000
    searches = [asked for asked in store.asked if asked.path.endswith("/traces")]
    assert {asked.param("limit") for asked in searches} >= {"2", "10"}


@pytest.mark.parametrize("kind", KINDS)
async def test_one_trace_is_fetched_and_an_unknown_one_is_empty(kind: Kind) -> None:
    store_of, _, source_of = kind
    async with serving(store_of(SHOP, FAILED)) as url:
        source = source_of(url)
        spans = await source.get_trace(FAILED[0]["trace"])
        unknown = await source.get_trace("f" * 32)
        hostile = await source.get_trace("../services?x=")
        await source.aclose()
    assert [span.status for span in spans] == [SpanStatus.ERROR]
    assert unknown == hostile == []


@pytest.mark.parametrize("kind", KINDS)
async def test_doctor_hears_of_services_and_spans(kind: Kind) -> None:
    store_of, _, source_of = kind
    async with serving(store_of(SHOP, BILLING)) as url:
        assert await source_of(url).check() == "2 services, 2 spans in the newest trace of billing"
    async with serving(store_of()) as url:
        assert "no service yet" in await source_of(url).check()


@pytest.mark.parametrize("kind", KINDS)
async def test_the_contract_is_kept(kind: Kind) -> None:
    store_of, _, source_of = kind
    async with serving(store_of(SHOP, SLOW, FAILED)) as url:
        report = await check_source(lambda: source_of(url, interval=0.2), seconds=0.5)
    assert report.signals >= 6 and report.asked == ("find_traces", "get_trace")
    dead = f"http://127.0.0.1:{free_port()}"
    await check_source(lambda: source_of(dead, interval=0.2), reachable=False, seconds=0.5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Said(500, b'{"data":null,"errors":[{"code":500,"msg":"storage is down"}]}'), SourceError),
        (Said(401, b"who are you"), Denied),
        (Said(200, b"<html>a login page</html>"), BadAnswer),
        (Said(200, b'{"unexpected": true}'), BadAnswer),
        (Said(200, b'"a text"'), BadAnswer),
        (Said(200, b"[" * 100_000), BadAnswer),
        (Said(200, b"[]", wait=5), Unreachable),
    ],
)
async def test_what_goes_wrong_is_an_error_to_act_on(
    kind: Kind, said: Said, expected: type[SourceError]
) -> None:
    async with http_server(lambda asked: said) as url:
        source, kept = kind[2](url, timeout=0.4), Kept()
        with pytest.raises(expected) as caught:
            await source.poll(kept)
        await source.aclose()
    assert caught.value.where == "store" and caught.value.message
    assert kept.spans == []


async def test_jaeger_s_own_words_are_passed_on() -> None:
    async with serving(jaeger_store(SHOP)) as url:
        source = jaeger_source(url)
        with pytest.raises(BadAnswer, match="parameter 'service' is required"):
            await source.search("", HOUR, 1)
        await source.aclose()


async def test_zipkin_is_asked_once_for_any_service() -> None:
    store = zipkin_store(SHOP, BILLING)
    async with serving(store) as url:
        source = zipkin_source(url)
        assert len(await source.find_traces("", HOUR, 10)) == 2
        await source.aclose()
    assert [(asked.path, "serviceName" in asked.params) for asked in store.asked] == [
        ("/api/v2/traces", False)
    ]


async def test_a_store_that_answers_in_no_order_is_put_in_order() -> None:
    store = jaeger_store(SHOP, SLOW, FAILED)

    def backwards(asked: Asked) -> Said:
        said = store(asked)
        found = json.loads(said.body)
        return Said(200, json.dumps(found | {"data": found["data"][::-1]}).encode())

    async with http_server(backwards) as url:
        source = jaeger_source(url)
        found = await source.find_traces("shop", HOUR, 3)
        await source.aclose()
    assert [one.trace_id for one in found] == [t[0]["trace"] for t in (FAILED, SLOW, SHOP)]


async def test_a_service_whose_traces_are_broken_hides_no_other() -> None:
    store = jaeger_store(SHOP, BILLING)

    def answer(asked: Asked) -> Said:
        if asked.param("service") == "billing":
            return Said(200, b"not json")
        return store(asked)

    async with http_server(answer) as url:
        source, kept = jaeger_source(url), Kept()
        with pytest.raises(BadAnswer):
            await source.poll(kept)
        await source.aclose()
    assert len(kept.spans) == len(SHOP)


async def test_a_server_that_dies_and_comes_back_loses_nothing() -> None:
    store = zipkin_store(SHOP)
    gone = True

    def answer(asked: Asked) -> Said:
        return Said(503, b"starting") if gone else store(asked)

    async with http_server(answer) as url:
        source, kept = zipkin_source(url), Kept()
        with pytest.raises(SourceError):
            await source.poll(kept)
        gone = False
        await source.poll(kept)
        await source.aclose()
    assert len(kept.spans) == len(SHOP)


async def test_a_large_trace_comes_in_batches_and_leaves_the_loop_free() -> None:
    large = trace_of(9, service="shop", ago=20, duration=0.5, error=False, count=20_000)
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - before)

    async with serving(jaeger_store(large)) as url:
        source, kept = jaeger_source(url, slow=0.0, timeout=30.0), Kept()
        watching = asyncio.create_task(watch())
        await source.poll(kept)
        watching.cancel()
        await source.aclose()
    assert len(kept.spans) == 20_000 and kept.batches > 20
    assert longest < 2.0


def test_what_was_seen_is_forgotten_within_the_bound() -> None:
    from sources.support.jaeger_json import read_traces

    seen = Seen(capacity=100)
    traces = [
        trace
        for number in range(1, 51)
        for trace in read_traces(
            {"data": [as_jaeger(trace_of(number, service="s", ago=1, duration=1, error=False, count=10))]},
            "store",
            Tally(),
        )
    ]
    assert all(len(seen.fresh(trace)) == 10 for trace in traces)
    assert [len(seen.fresh(trace)) for trace in traces[-5:]] == [0] * 5
    assert len(seen.fresh(traces[0])) == 10


@pytest.mark.parametrize("options", [{"limit": 0}, {"services_per_look": 0}, {"slow": -1.0}])
def test_a_mistake_in_the_options_is_told(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        jaeger_source("http://127.0.0.1", **options)
