"""The elasticsearch source against a server that behaves as Elasticsearch's and OpenSearch's documentation says."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import BadAnswer, Denied, SourceError, Unreachable
from cockpit.signals import SECOND
from cockpit.source import TimeRange
from cockpit.stores.logs.query import parse_query
from sources.elasticsearch import ElasticsearchOptions, ElasticsearchSource
from sources.support.es_dsl import wildcard
from tests.helpers.es_server import Elasticsearch, Refused
from tests.helpers.http_server import Asked, Said, http_server
from tests.helpers.log_engines import MESSAGES, QUERIES, Heard, identity

BASE = 1_767_000_000 * SECOND
TYPES = {
    "message": "text", "log.level": "keyword", "service.name": "keyword", "host.name": "keyword",
    "trace.id": "keyword", "status": "long", "took": "keyword", "user": "text", "flag": "keyword",
    "odd": "keyword", "size": "keyword", "a.b": "long",
}  # fmt: skip


@asynccontextmanager
async def asking(engine: Any, **options: Any) -> AsyncIterator[ElasticsearchSource]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(http_server(engine))
        source = ElasticsearchSource("es", ElasticsearchOptions(url=url, **options))
        stack.push_async_callback(source.aclose)
        yield source


def varied(engine: Elasticsearch) -> Elasticsearch:
    """Put documents of every kind in that the queries tell apart."""
    levels = ("info", "ERROR", "Warning", "debug", "fatal", "", "err", "50", "odd")
    for number in range(360):
        source: dict[str, Any] = {
            "message": MESSAGES[number % len(MESSAGES)] + " ",
            "@timestamp": "as it came",
        }
        if level := levels[number % len(levels)]:
            source["log"] = {"level": level}
        if number % 5:
            source["service"] = {"name": ("shop", "Shipping", "pay")[number % 7 % 3]}
        if number % 4:
            source["host.name"] = f"web-{number % 3}"
        if number % 2:
            source |= {
                "status": (200, 404, 500)[number % 3],
                "took": f"{number}{('', 'ms')[number % 8 // 7]}",
            }
        if number % 11 == 0:
            source |= {
                "trace": {"id": "00000000000000000123456789abcdef"},
                "user": "Ann",
                "a": {"b": number % 2},
            }
        if number % 13 == 0:
            source |= {"size": "2MiB", "flag": "true", "odd": "X"}
        engine.index(BASE + number // 4 * SECOND + number, source)
    return engine


@pytest.mark.parametrize("opensearch", [False, True])
async def test_a_query_finds_what_the_filter_line_would_leave(opensearch: bool) -> None:
    async with asking(varied(Elasticsearch(TYPES, opensearch=opensearch)), parts=True) as source:
        within = TimeRange(BASE, BASE + 400 * SECOND)
        everything = await source.query_logs("", within, 1000)
        assert len(everything) == 360
        for text in QUERIES:
            tested = parse_query(text)
            wanted = Counter(identity(one) for one in everything if tested.test(one))
            found = Counter(identity(one) for one in await source.query_logs(text, within, 1000))
            # The index looks for words in the message alone; that is all that may be missing.
            missing = wanted - found
            assert not found - wanted, text
            assert all(not tested.test(one, one.body) for one in everything if identity(one) in missing), text


async def test_whole_words_are_found_by_the_index() -> None:
    engine = varied(Elasticsearch(TYPES))
    async with asking(engine) as source:
        within = TimeRange(BASE, BASE + 400 * SECOND)
        bodies = {one.body for one in await source.query_logs('"CONNECTION refused" -cart', within, 1000)}
        assert bodies == {"connection refused by 10.0.0.1 "}
        assert "wildcard" not in engine.asked[-1].body.decode()
        assert await source.query_logs("refuse", within, 1000) == []


@pytest.mark.parametrize("opensearch", [False, True])
@pytest.mark.parametrize("kind", ["date", "date_nanos"])
async def test_thousands_of_one_moment_come_once_each(kind: str, opensearch: bool) -> None:
    engine = Elasticsearch({"message": "text", "@timestamp": kind}, opensearch=opensearch)
    for number in range(12_000):
        engine.index(
            BASE + number % 7, {"message": "same" if kind == "date" else f"same {number}", "n": number}
        )
    for offset in (-2_000_000, -1_000_000, 1_000_000):
        engine.index(BASE + offset, {"message": f"beside {offset}", "n": offset})
    async with asking(engine, page=1_000) as source:
        within = TimeRange(BASE - 9_000_000, BASE + 9_000_000)
        found = await source.query_logs("", within, 50_000)
        assert len(found) == len({one.attributes["n"] for one in found}) == 12_003
        assert (found[0].body, found[-1].body) == ("beside -2000000", "beside 1000000")
        assert not engine.held
        assert engine.opened == (kind == "date")


async def test_what_comes_in_is_followed_late_records_too() -> None:
    engine, heard, now = Elasticsearch(TYPES), Heard(), time.time_ns()
    for number in range(300):
        engine.index(now - 30 * SECOND, {"message": f"before {number}"})
    async with asking(engine, late=4, page=50) as source:
        await source.poll(heard)
        assert len(heard.bodies) == 300
        for number in range(1_000):
            engine.index(now - SECOND, {"message": f"same {number}"})
        for _ in range(2):
            engine.index(now - SECOND, {"message": "alike"})
        await source.poll(heard)
        engine.index(now - 3 * SECOND, {"message": "late"})
        until = time.monotonic() + 6
        while len(heard.bodies) < 1_302 and time.monotonic() < until:
            await source.poll(heard)
        assert len(heard.bodies) == 1_302
        assert heard.bodies.pop("alike") == 2
        assert set(heard.bodies.values()) == {1}


async def test_counts_are_those_of_the_documents() -> None:
    engine = varied(Elasticsearch(TYPES))
    async with asking(engine) as source:
        within = TimeRange(BASE + 5, BASE + 77 * SECOND + 123_456_789)
        counted = await source.count_logs("cart", within, 13)
        start, step, length = counted[0].start, counted[0].step, len(counted[0].counts)
        records = await source.query_logs("cart", TimeRange(start, start + step * length - 1), 1000)
        grid = Counter((one.at - start) // step for one in records)
        assert [sum(column) for column in zip(*(one.counts for one in counted), strict=True)] == [
            grid[bucket] for bucket in range(length)
        ]
        assert {one.level for one in await source.count_logs("level>=error", within, 13)} == {17, 21}
        assert "refused/" in (await source.count_logs("/refused/", within, 5))[0].note


async def test_a_part_of_an_answer_is_told_as_one() -> None:
    engine = varied(Elasticsearch(TYPES))
    reason = {"type": "circuit_breaking_exception", "reason": "too much at once"}
    failures = [{"shard": 0, "index": "logs-app", "reason": reason}]
    engine.shards = {"total": 2, "successful": 1, "failed": 1, "failures": failures}
    within = TimeRange(BASE, BASE + 400 * SECOND)
    async with asking(engine) as source:
        assert len(await source.query_logs("cart", within, 9)) == 9
        assert (
            "1 of 2 shards failed: too much at once" in (await source.count_logs("cart", within, 9))[0].note
        )
        heard = Heard()
        await source.poll(heard)
        await source.poll(heard)
        assert heard.health["logs of es"].state == "degraded"
        assert "1 of 2 shards failed" in heard.health["logs of es"].reason
        assert "1 of 2 shards failed" in str(heard.health["logs of es"].details["last question"])
        engine.shards = {"total": 2, "failed": 0}
        engine.timed_out = True
        assert "out of time" in (await source.count_logs("cart", within, 9))[0].note


@pytest.mark.parametrize(
    ("refused", "kind", "words"),
    [
        (
            Refused(400, "parsing_exception", "Failed to parse query [((]"),
            BadAnswer,
            r"Failed to parse query \[\(\(",
        ),
        (
            Refused(401, "security_exception", "missing authentication credentials"),
            Denied,
            "missing authentication",
        ),
        (Refused(403, "security_exception", "action is unauthorized"), Denied, "unauthorized"),
        (
            Refused(429, "es_rejected", "rejected execution", **{"retry-after": "3"}),
            Unreachable,
            "alone for 3 s",
        ),
        (Refused(503, "no_shard_available", "all shards failed"), Unreachable, "all shards failed"),
        (Refused(400, "illegal_argument", "Result window is too large"), BadAnswer, "max_result_window"),
        (Refused(502, "", ""), Unreachable, "502"),
    ],
)
async def test_errors_are_told_in_its_words(refused: Refused, kind: type[SourceError], words: str) -> None:
    engine = Elasticsearch(TYPES)
    engine.refusing = refused
    async with asking(engine) as source:
        with pytest.raises(kind, match=words) as raised:
            await source.query_logs("", TimeRange(0, 10), 5)
        assert "may or may not" not in str(raised.value)


async def test_an_index_that_is_not_there_is_told() -> None:
    async with asking(Elasticsearch(TYPES), index="other") as source:
        with pytest.raises(BadAnswer, match=r"no such index \[other\]"):
            await source.check()
    async with asking(Elasticsearch(TYPES), index="oth*") as source:
        assert await source.check() == "Elasticsearch 8.17.0 (logging), no record of the last 900 s"


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"<html>", b'{"hits":{"hits":[{"_source":7}]}}', b'{"hits":3}']
)
async def test_what_is_no_answer_is_refused(body: bytes) -> None:
    def answer(_asked: Asked) -> Said:
        return Said(200, body, {"content-type": "application/json"})

    async with asking(answer) as source:
        with pytest.raises(BadAnswer):
            await source.query_logs("", TimeRange(0, 10), 5)


async def test_a_raw_query_and_the_sources_own_hold_together() -> None:
    async with asking(varied(Elasticsearch(TYPES)), query="service.name:shop") as source:
        within = TimeRange(BASE, BASE + 400 * SECOND)
        own = await source.query_logs("", within, 1000)
        assert {one.resource["service.name"] for one in own} == {"shop"}
        for raw in ("raw: status:500", 'raw: {"range": {"status": {"gte": 500}}}'):
            found = await source.query_logs(raw, within, 1000)
            assert found
            assert {(one.resource["service.name"], one.attributes["status"]) for one in found} == {
                ("shop", 500)
            }
        with pytest.raises(Exception, match="not JSON"):
            await source.query_logs("raw: {", within, 5)


def test_a_query_that_is_no_json_is_refused_with_the_options() -> None:
    with pytest.raises(msgspec.ValidationError, match="query is not JSON"):
        msgspec.convert({"url": "http://x", "query": "{"}, ElasticsearchOptions)


@given(st.text())
def test_a_wildcard_pattern_means_the_text(text: str) -> None:
    from tests.helpers.es_server import _wildcard

    assert _wildcard(wildcard(text), insensitive=False).fullmatch(text)
    assert json.loads(json.dumps(wildcard(text))) == wildcard(text)
    assert not _wildcard(wildcard(f"{text}*"), insensitive=False).fullmatch(f"{text}x")
