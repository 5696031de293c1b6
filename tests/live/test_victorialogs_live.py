"""The victorialogs source against a real VictoriaLogs: followed, searched and counted without loss or repetition."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from cockpit.discovery import PROBES, discover
from cockpit.errors import BadAnswer, Unreachable
from cockpit.signals import SECOND, LogRecord
from cockpit.source import TimeRange
from cockpit.stores.logs.query import parse_query
from cockpit.testing import check_source
from sources.support.log_fields import band_of
from sources.victorialogs import VictoriaLogsOptions, VictoriaLogsSource
from tests.helpers.log_engines import MESSAGES, QUERIES, Heard, identity
from tests.live.collect import Closing
from tests.live.victorialogs import VictoriaLogs

HOUR = 3600 * SECOND


NOW = time.time_ns()
VARIED, COUNTED, SAME, HOSTILE_AT = NOW - 3 * HOUR, NOW - 5 * HOUR + 123_456, NOW - 2 * HOUR, NOW - 8 * HOUR
RAW, TENANT, PUSHED = NOW - 100 * SECOND, NOW - 50 * SECOND, NOW - 20 * SECOND
ELSEWHERE = NOW - 9 * HOUR


@pytest.fixture(scope="module")
def server() -> Iterator[VictoriaLogs]:
    """Give one that holds what the tests look for, taken in at once as it is found only after some seconds."""
    with VictoriaLogs() as running:
        running.feed([(NOW - SECOND, {"_msg": "hello", "level": "info"})], wait=False)
        running.feed(varied(VARIED), wait=False)
        running.feed(levels(COUNTED), wait=False)
        same = [(SAME, {"_msg": f"same {number}"}) for number in range(7_000)]
        beside = [(SAME + offset, {"_msg": f"beside {offset}"}) for offset in (-2, -1, 1, 2)]
        running.feed(same + beside, wait=False)
        running.feed(
            [(HOSTILE_AT, {"_msg": f"<{text}>", "field": f"<{text}>"}) for text in HOSTILE], wait=False
        )
        for service in ("one", "two"):
            running.feed(
                [(RAW, {"_msg": f"raw of {service}", "service.name": service, "n": "5"})], wait=False
            )
        told: list[dict[str, object]] = [
            {"severity": "error"}, {"level": "warn", "severity": "error"}, {"level": "odd", "log.level": "INFO"}, {},
        ]  # fmt: skip
        running.feed([(ELSEWHERE, {"_msg": "x", **fields}) for fields in told], wait=False)
        running.feed([(TENANT, {"_msg": "of tenant 7"})], tenant=7, wait=False)
        stream = {"stream": {"app": "web", "level": "error"}, "values": [[str(PUSHED), "pushed"]]}
        pushed = json.dumps({"streams": [stream]}).encode()
        running.post("/insert/loki/api/v1/push", pushed, "application/json")
        running.settle()
        yield running


def source_of(server: VictoriaLogs, **options: object) -> VictoriaLogsSource:
    return VictoriaLogsSource("vl", VictoriaLogsOptions(url=server.url, **options))  # type: ignore[arg-type]


def ago(seconds: float) -> int:
    return time.time_ns() - int(seconds * SECOND)


async def test_it_keeps_the_contract(server: VictoriaLogs) -> None:
    report = await check_source(lambda: source_of(server, interval=0.2), seconds=0.5)
    assert report.answer.startswith("VictoriaLogs")
    assert report.signals >= 2  # records and a row of its own
    assert report.asked == ("query_logs", "count_logs")


def varied(base: int) -> list[tuple[int, dict[str, object]]]:
    """Return records of every kind that the queries tell apart."""
    records = []
    levels = ("info", "ERROR", "Warning", "debug", "fatal", "", "err", "50", "odd")
    for number in range(360):
        fields: dict[str, object] = {"_msg": MESSAGES[number % len(MESSAGES)] + " "}
        if level := levels[number % len(levels)]:
            fields["level"] = level
        if number % 5:
            fields["service.name" if number % 3 else "service"] = ("shop", "Shipping", "pay")[number % 7 % 3]
        if number % 4:
            fields["host"] = f"web-{number % 3}"
        if number % 2:
            fields |= {
                "status": str((200, 404, 500)[number % 3]),
                "took": f"{number}{('', 'ms')[number % 8 // 7]}",
            }
        if number % 11 == 0:
            fields |= {"trace_id": "00000000000000000123456789abcdef", "user": "ann", "a": {"b": number % 2}}
        if number % 13 == 0:
            fields |= {"size": "2MiB", "flag": True, "odd": "X"}
        records.append((base + number // 4 * SECOND, fields))
    return records


def levels(base: int) -> list[tuple[int, dict[str, object]]]:
    """Return records of three levels over most of an hour."""
    return [
        (base + number * 37 * SECOND, {"_msg": "x", "level": level})
        for number in range(90)
        for level in ("info", "error", "WARN")[: 1 + number % 3]
    ]


async def test_a_query_finds_what_the_filter_line_would_leave(server: VictoriaLogs, closing: Closing) -> None:
    source = closing(source_of(server))
    within = TimeRange(VARIED, VARIED + 400 * SECOND)
    everything = await source.query_logs("", within, 1000)
    assert len(everything) == 360
    assert [record.at for record in everything] == sorted(record.at for record in everything)
    for text in QUERIES:
        query = parse_query(text)
        found = await source.query_logs(text, within, 1000)
        # A word is looked for in the message alone, as if that were all the text there is.
        wanted = Counter(identity(record) for record in everything if query.test(record, record.body))
        assert Counter(identity(record) for record in found) == wanted, text


async def test_it_is_discovered_and_taken_for_nothing_else(server: VictoriaLogs) -> None:
    found = await discover([replace(probe, port=server.port) for probe in PROBES if probe.path], timeout=5)
    assert [(service.kind, service.url) for service in found.services] == [("victorialogs", server.url)]


async def test_thousands_of_one_moment_come_once_each(server: VictoriaLogs, closing: Closing) -> None:
    source = closing(source_of(server, page=100))
    within = TimeRange(SAME - 2, SAME + 2)
    found = await source.query_logs("", within, 50_000)
    assert Counter(record.body for record in found).most_common(1)[0][1] == 1
    assert len(found) == 7_004
    assert [record.body for record in found[:2]] == ["beside -2", "beside -1"]
    assert [record.body for record in await source.query_logs("", within, 3)][1:] == ["beside 1", "beside 2"]
    tested_here = await source.query_logs("same -/(?=.)7$/", within, 50_000)
    assert len(tested_here) == 6_300
    (counts,) = await source.count_logs("same", within, 10)
    assert sum(counts.counts) == 7_000


async def test_what_comes_in_is_followed_late_records_and_records_alike_too(
    server: VictoriaLogs, closing: Closing
) -> None:
    source = closing(source_of(server, query='"service.name":followed', late=4, page=50, most=400))
    now = time.time_ns()
    fed: Counter[str] = Counter()

    def feed(offset: float, *bodies: str) -> None:
        fed.update(bodies)
        at = now + int(offset * SECOND)
        server.feed([(at, {"_msg": body, "service.name": "followed"}) for body in bodies])

    heard = Heard()
    feed(-30, *(f"before {number}" for number in range(120)))
    await source.poll(heard)
    assert heard.bodies == fed
    feed(-1, *(f"same {number}" for number in range(1_000)), "alike", "alike")
    for _ in range(8):
        await source.poll(heard)
    assert heard.bodies == fed
    feed(-1, "alike", "of a moment that was read")
    feed(-3, "late")
    until = time.monotonic() + 10
    while heard.bodies != fed and time.monotonic() < until:
        await source.poll(heard)
    assert heard.bodies == fed
    for _ in range(3):
        await source.poll(heard)
    assert heard.bodies == fed
    assert heard.health["logs of vl"].state == "ok"


async def test_an_outage_loses_nothing(closing: Closing) -> None:
    with VictoriaLogs() as server:
        source = closing(source_of(server, timeout=2))
        heard = Heard()
        server.feed([(ago(5), {"_msg": "before"})])
        await source.poll(heard)
        server.stop()
        with pytest.raises(Unreachable, match="refused"):
            await source.poll(heard)
        server.start()
        server.feed([(ago(1), {"_msg": "meanwhile"})])
        await source.poll(heard)
        assert heard.bodies == {"before": 1, "meanwhile": 1}


async def test_counts_are_those_of_the_records(server: VictoriaLogs, closing: Closing) -> None:
    source = closing(source_of(server))
    within = TimeRange(COUNTED, COUNTED + 3333 * SECOND)
    records = await source.query_logs("", within, 1000)
    counted = await source.count_logs("", within, 40)
    assert len(records) == 180
    assert {one.level for one in counted} == {9, 13, 17}
    for one in counted:
        mine = Counter(
            (record.at - one.start) // one.step for record in records if band_of(record.level) == one.level
        )
        assert [mine[bucket] for bucket in range(len(one.counts))] == list(one.counts)
        assert one.start <= within.start
        assert one.start + one.step * len(one.counts) > within.end
    assert sum(sum(one.counts) for one in counted) == len(records)
    errors = await source.count_logs("level>=error", within, 40)
    assert [one.level for one in errors] == [17]
    assert errors[0].note == ""
    assert "took>5ms" in (await source.count_logs("x -took>5ms", within, 5))[0].note


async def test_what_is_refused_is_told_in_its_words(server: VictoriaLogs, closing: Closing) -> None:
    source = closing(source_of(server))
    now = time.time_ns()
    with pytest.raises(BadAnswer) as refused:
        await source.query_logs("raw: (((", TimeRange(now - SECOND, now), 10)
    assert "cannot parse query [(((" in refused.value.message
    assert "remoteAddr" not in refused.value.message


async def test_a_raw_query_whose_pipes_leave_no_records_is_told(
    server: VictoriaLogs, closing: Closing
) -> None:
    source = closing(source_of(server))
    within = TimeRange(COUNTED, COUNTED + 3333 * SECOND)
    for pipe in ("stats count() n", "fields _msg"):
        with pytest.raises(BadAnswer, match="no record") as told:
            await source.query_logs(f"raw: * | {pipe}", within, 10)
        assert "pipe" in str(told.value)


async def test_a_raw_query_and_the_sources_own_hold_together(server: VictoriaLogs, closing: Closing) -> None:
    source = closing(source_of(server, query='"service.name":one or n:6'))
    within = TimeRange(RAW, RAW)
    assert [record.body for record in await source.query_logs("raw: n:5", within, 9)] == ["raw of one"]
    assert [record.body for record in await source.query_logs("raw", within, 9)] == ["raw of one"]
    assert [one.counts for one in await source.count_logs("", within, 3)] == [(1,)]


async def test_a_comment_in_a_raw_query_hides_nothing_that_is_asked_after_it(
    server: VictoriaLogs, closing: Closing
) -> None:
    source = closing(source_of(server))
    within = TimeRange(SAME - 2, SAME + 2)
    found = await source.query_logs("raw: _msg:beside # all of them | limit 1", within, 3)
    assert [record.body for record in found] == ["beside -1", "beside 1", "beside 2"]
    (counts,) = await source.count_logs("raw: _msg:beside # all of them", within, 5)
    assert sum(counts.counts) == 4


async def test_a_level_counts_wherever_its_field_is(server: VictoriaLogs, closing: Closing) -> None:
    source = closing(source_of(server))
    within = TimeRange(ELSEWHERE, ELSEWHERE)
    records = await source.query_logs("", within, 9)
    counted = await source.count_logs("", within, 5)
    assert Counter({one.level: sum(one.counts) for one in counted}) == Counter(
        band_of(record.level) for record in records
    )
    assert {one.level for one in counted} == {0, 9, 13, 17}


async def test_a_tenant_sees_its_own(server: VictoriaLogs, closing: Closing) -> None:
    within = TimeRange(TENANT, TENANT)
    assert [one.body for one in await closing(source_of(server, account=7)).query_logs("", within, 9)] == [
        "of tenant 7"
    ]
    assert await closing(source_of(server)).query_logs("", within, 9) == []


async def test_what_came_in_as_loki_sends_it_is_read(server: VictoriaLogs, closing: Closing) -> None:
    source = closing(source_of(server))
    until = time.monotonic() + 10
    found: list[LogRecord] = []
    while not found and time.monotonic() < until:
        found = await source.query_logs("service=web pushed", TimeRange(PUSHED, PUSHED), 5)
    assert [(record.body, record.level, record.at) for record in found] == [("pushed", 17, PUSHED)]


HOSTILE = (
    '" or *', "\\", '\\"', "`", "'", "* | delete", ")", "((", "#comment", "_time:1s", "\n", "\x00", "%00", "é\u202e",
    "\U0001f600", "{}", 'a" or _msg:"', "a\\\" or *", "$", "^", "|", "\t", "\x7f", "\u2028", "or", "and", "not", "!",
)  # fmt: skip


async def test_no_text_gets_out_of_its_quotes(server: VictoriaLogs, closing: Closing) -> None:
    source = closing(source_of(server))
    within = TimeRange(HOSTILE_AT, HOSTILE_AT)
    for text in HOSTILE:
        if '"' not in text and "\n" not in text:
            found = await source.query_logs(f'"<{text}>"', within, 100)
            assert [record.attributes["field"] for record in found] == [f"<{text}>"], text
            found = await source.query_logs(f'field="<{text.replace("*", "")}>"', within, 100)
            assert all(record.attributes["field"] == f"<{text}>" for record in found), text
