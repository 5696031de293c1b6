"""The loki source against a server that behaves as Loki's documentation says."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.errors import BadAnswer, Denied, SourceError, Unreachable, UsageError
from cockpit.signals import SECOND, LogRecord
from cockpit.source import TimeRange
from cockpit.stores.logs.query import parse_query
from sources.loki import LokiOptions, LokiSource
from sources.support.go_text import quoted
from sources.support.log_fields import band_of
from sources.support.logql import LogQl
from tests.helpers.http_server import Asked, Said, http_server
from tests.helpers.log_engines import MESSAGES, QUERIES, Heard, identity
from tests.helpers.loki_server import Loki, Refused, parse

BASE = 1_767_000_000 * SECOND


@asynccontextmanager
async def asking(loki: Any, **options: Any) -> AsyncIterator[LokiSource]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(http_server(loki))
        options.setdefault("query", '{app=~".+"}')
        source = LokiSource("loki", LokiOptions(url=url, **options))
        stack.push_async_callback(source.aclose)
        yield source


def varied(*, structured: bool = False) -> Loki:
    """Return a Loki with lines of every kind that the queries tell apart; all of them JSON if wanted."""
    loki = Loki()
    levels = ("info", "ERROR", "Warning", "debug", "fatal", "", "err", "50", "odd")
    for number in range(360):
        message = MESSAGES[number % len(MESSAGES)] + " "
        if structured:  # a parsed field is asked of its label, not of a message that says `key=value`
            message = message.replace("=", " ")
        stream = {"app": ("shop", "Shipping", "pay")[number % 7 % 3]}
        fields: dict[str, Any] = {}
        metadata = {}
        if level := levels[number % len(levels)]:
            (stream if number % 2 else fields)["level"] = level
        if number % 4:
            stream["host"] = f"web-{number % 3}"
        if number % 5 == 0:
            metadata = {"user": "ann", "trace_id": "00000000000000000123456789abcdef"}
        if number % 3 == 0:
            fields |= {"status": (200, 404, 500)[number % 9 // 3], "took": f"{number}ms", "flag": True}
        line = json.dumps({"msg": message, **fields}) if fields or structured else message
        loki.push(BASE + number // 4 * SECOND + number, line, stream, **metadata)
    return loki


@pytest.mark.parametrize("query", ['{app=~".+"}', '{app=~".+"} | json'], ids=["lines", "parsed"])
async def test_a_query_finds_what_the_filter_line_would_leave(query: str) -> None:
    parsed = "json" in query
    loki = varied(structured=parsed)
    lines = {entry.at: entry.line for entry in loki.entries}
    async with asking(loki, query=query) as source:
        within = TimeRange(BASE, BASE + 400 * SECOND)
        everything = await source.query_logs("", within, 1000)
        assert len(everything) == 360
        for text in QUERIES:
            if text in ("-(cart 500)", "(cart 500) or refused"):
                continue  # two words under a minus or in an `or` can't be said in LogQL: the message is tested here
            tested = parse_query(text)
            wanted = [one for one in everything if tested.test(one, lines[one.at])]
            found = await source.query_logs(text, within, 1000)
            assert Counter(map(identity, found)) == Counter(map(identity, wanted)), text


async def test_thousands_of_one_moment_come_once_each() -> None:
    loki = Loki(entries=500)
    for number in range(3_000):
        loki.push(BASE, f"same {number}", {"app": "a", "pod": f"p{number % 8}"})
    loki.push(BASE - 1, "before", {"app": "a"})
    loki.push(BASE + 1, "after", {"app": "a"})
    async with asking(loki, entries=500, page=100) as source:
        found = await source.query_logs("", TimeRange(BASE - 9, BASE + 9), 10_000)
        assert Counter(one.body for one in found).most_common(1)[0][1] == 1
        assert len(found) == 3_002
        assert (found[0].body, found[-1].body) == ("before", "after")
        assert [one.body for one in await source.query_logs("", TimeRange(BASE - 9, BASE + 9), 1)] == [
            "after"
        ]


async def test_more_of_one_stream_at_one_moment_than_loki_gives_is_told() -> None:
    loki = Loki(entries=100)
    for number in range(300):
        loki.push(BASE, f"same {number}", {"app": "a"})
    loki.push(BASE - 1, "before", {"app": "a"})
    async with asking(loki, entries=100) as source:
        found = await source.query_logs("", TimeRange(BASE - 9, BASE + 9), 10_000)
        assert 101 <= len(found) == len({one.body for one in found})
        heard = Heard()
        await source.poll(heard)
        details = heard.health["logs of loki"].details
        assert "a moment has more records than Loki gives at a time" in str(details["last question"])


async def test_what_comes_in_is_followed_late_records_too() -> None:
    loki, heard, now = Loki(), Heard(), time.time_ns()
    for number in range(300):
        loki.push(now - 30 * SECOND, f"before {number}", {"app": "a"})
    async with asking(loki, late=4, page=50) as source:
        await source.poll(heard)
        assert len(heard.bodies) == 300
        for number in range(1_000):
            loki.push(now - SECOND, f"same {number}", {"app": f"a{number % 3}"})
        await source.poll(heard)
        loki.push(now - 3 * SECOND, "late", {"app": "a"})
        until = time.monotonic() + 6
        while len(heard.bodies) < 1_301 and time.monotonic() < until:
            await source.poll(heard)
        assert len(heard.bodies) == 1_301
        assert set(heard.bodies.values()) == {1}


async def test_counts_are_those_of_the_records() -> None:
    loki = varied()
    async with asking(loki) as source:
        within = TimeRange(BASE + 5, BASE + 77 * SECOND + 123_456_789)
        counted = await source.count_logs("cart", within, 13)
        grid_start, step, length = counted[0].start, counted[0].step, len(counted[0].counts)
        whole = TimeRange(grid_start, grid_start + step * length - 1)
        assert whole.start <= within.start
        assert whole.end >= within.end
        records = await source.query_logs("cart", whole, 1000)
        assert sum(sum(one.counts) for one in counted) == len(records)
        grid = Counter((one.at - grid_start) // step for one in records)
        assert [sum(column) for column in zip(*(one.counts for one in counted), strict=True)] == [
            grid[bucket] for bucket in range(length)
        ]
        labelled = await source.count_logs("level>=error", within, 13)
        assert {one.level for one in labelled} == {17, 21}
        assert "status>=500" in (await source.count_logs("status>=500", within, 5))[0].note


@pytest.mark.parametrize(
    ("refused", "kind", "words"),
    [
        (Refused(400, "parse error at line 1, col 9: syntax error: unexpected )"), BadAnswer, "unexpected"),
        (Refused(401, "no org id"), Denied, "no org id"),
        (Refused(429, "too many outstanding requests", **{"retry-after": "7"}), Unreachable, "alone for 7 s"),
        (Refused(500, "context deadline exceeded"), BadAnswer, "deadline"),
        (Refused(504, ""), Unreachable, "504"),
        (
            Refused(400, "the query time range exceeds the limit (query length: 721h)"),
            BadAnswer,
            "a shorter time",
        ),
    ],
)
async def test_errors_are_told_in_lokis_words(refused: Refused, kind: type[SourceError], words: str) -> None:
    loki = Loki()
    loki.refusing = refused
    async with asking(loki) as source:
        with pytest.raises(kind, match=words) as raised:
            await source.query_logs("x", TimeRange(0, 10), 5)
        assert "loki" in str(raised.value)


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"<html>", b'{"status":"success","data":{"resultType":"streams","result":7}}',
     b'{"data":{"resultType":"streams","result":[{"stream":{},"values":[["x","y"]]}]}}',
     b'{"data":{"resultType":"streams","result":[{"stream":{},"values":[["1"]]}]}}'],
)  # fmt: skip
async def test_what_is_no_answer_of_lokis_is_refused(body: bytes) -> None:
    def answer(_asked: Asked) -> Said:
        return Said(200, body, {"content-type": "application/json"})

    async with asking(answer) as source:
        with pytest.raises(BadAnswer):
            await source.query_logs("x", TimeRange(0, 10), 5)


async def test_a_limit_below_the_page_names_the_option() -> None:
    async with asking(Loki(entries=20)) as source:
        with pytest.raises(BadAnswer, match="set `entries`"):
            await source.query_logs("", TimeRange(0, 10), 100)


async def test_a_query_that_counts_gives_no_records() -> None:
    async with asking(varied()) as source:
        with pytest.raises(BadAnswer, match="matrix"):
            await source.query_logs(
                'raw: sum by (app) (count_over_time({app="shop"} [1000ms]))',
                TimeRange(BASE, BASE + SECOND),
                5,
            )


async def test_a_raw_query_is_taken_as_it_is() -> None:
    async with asking(varied()) as source:
        within = TimeRange(BASE, BASE + 400 * SECOND)
        found = await source.query_logs('raw: {app="pay"} |= "cart" != "200"', within, 1000)
        assert found
        assert all("500" in one.body and one.resource["service.name"] == "pay" for one in found)
        counted = await source.count_logs('raw: {app="pay"} |= "cart" != "200"', within, 10)
        assert sum(sum(one.counts) for one in counted) == len(found)


async def test_a_comment_at_the_end_of_a_raw_query_hides_nothing_that_is_put_after_it() -> None:
    loki = Loki()
    for number in range(30):
        loki.push(BASE, f"line {number}", {"app": "shop", "host": f"web-{number % 3}"})
    async with asking(loki, entries=10) as source:
        query = 'raw: {app="shop"} |= "line" # {app="pay"}'
        found = await source.query_logs(query, TimeRange(BASE, BASE), 100)
        assert {one.body for one in found} == {f"line {number}" for number in range(30)}
        (counts,) = await source.count_logs(query, TimeRange(BASE, BASE), 5)
        assert sum(counts.counts) == 30


async def test_a_tenant_is_sent() -> None:
    loki = Loki(tenant="ops")
    async with asking(loki, tenant="ops") as source:
        assert await source.check() == "Loki 3.1.0, 0 labels, no record of the last 900 s"
    async with asking(loki) as source:
        with pytest.raises(Denied):
            await source.check()


async def test_a_trace_in_a_label_is_found_by_its_id() -> None:
    async with asking(varied()) as source:
        within = TimeRange(BASE, BASE + 400 * SECOND)
        trace = "00000000000000000123456789abcdef"
        everything = await source.query_logs("", within, 1000)
        wanted = [one.body for one in everything if one.trace_id == trace]
        assert wanted
        assert [one.body for one in await source.query_logs(trace, within, 1000)] == wanted
        assert [one.body for one in await source.query_logs(f"trace:{trace[16:]}", within, 1000)] == wanted


@settings(max_examples=200)
@given(st.text(max_size=30))
def test_no_text_gets_out_of_its_quotes(text: str) -> None:
    source = LokiOptions(url="http://x", level_fields=(text,), service_fields=(text,)).names()
    for query in (
        f'"{text}"',
        f"-{text}",
        f'service="{text}"',
        f'{text}="{text}"',
        "level>=warn",
        f"/{text}/",
    ):
        try:
            root = parse_query(query).root
        except UsageError:
            continue
        translator = LogQl("loki", source, labels={"a", "x"}, parsed=True)
        pushed = translator.node(root)
        parse(f'{{app="x"}}{pushed.asked or ""}')  # one selector and whole stages: else it is refused


@given(st.text())
def test_a_quoted_text_is_one_token_of_printable_signs(text: str) -> None:
    written = quoted(text)
    chosen, _ = parse(f'{{a={written}, b="c"}}')
    safe = "".join("\ufffd" if 0xD800 <= ord(sign) < 0xE000 else sign for sign in text)
    assert chosen({"a": safe, "b": "c"})
    assert "\n" not in written


def test_a_level_is_the_same_here_and_in_counts() -> None:
    assert [band_of(level) for level in (0, 1, 4, 5, 9, 12, 13, 17, 20, 21, 24)] == [
        0, 1, 1, 5, 9, 9, 13, 17, 17, 21, 21,
    ]  # fmt: skip
    assert LogRecord(at=0, body="").level == 0


async def test_what_a_cancelled_look_had_not_handed_over_comes_with_the_next() -> None:
    loki, now = Loki(), time.time_ns()
    for number in range(3_000):
        loki.push(now - 30 * SECOND + number, f"{number}", {"app": "a"})

    class Stuck(Heard):
        async def __call__(self, batch: Any) -> None:
            if self.bodies:
                await asyncio.sleep(60)
            await super().__call__(batch)

    async with asking(loki, backlog=3_000) as source:
        stuck, heard = Stuck(), Heard()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await source.poll(stuck)
        assert stuck.bodies
        await source.poll(heard)
        assert stuck.bodies + heard.bodies == Counter(f"{number}" for number in range(3_000))


async def test_an_outage_longer_than_is_looked_back_is_told_for_a_while() -> None:
    loki = Loki()
    loki.push(time.time_ns() - SECOND // 2, "old", {"app": "a"})
    async with asking(loki, lookback=0.6) as source:
        heard = Heard()
        await source.poll(heard)
        await asyncio.sleep(2)
        await source.poll(heard)
        await source.poll(heard)
        assert "1 s were left out" in heard.health["logs of loki"].reason
