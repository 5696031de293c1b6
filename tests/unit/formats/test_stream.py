from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cockpit.formats.levels import find_level
from cockpit.formats.multiline import LINES, Joiner
from cockpit.formats.stream import LineParser
from cockpit.formats.times import LATEST, epoch
from cockpit.signals import SECOND, LogRecord, level_name
from tests.helpers.shared_data import shared_data


def at(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * SECOND + moment.microsecond * 1000


OBSERVED = at("2026-11-23T22:30:00+00:00")
TIME = at("2026-11-23T22:15:23+00:00")


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def parse(line: str, observed: int = OBSERVED) -> LogRecord:
    return LineParser({"service.name": "file"}).parse(line, observed)


@pytest.mark.parametrize(
    ("line", "time_ns", "level", "body"),
    [
        ("2026-11-23T22:15:23Z INFO up", TIME, "info", "INFO up"),
        ("2026-11-23T22:15:23.5Z WARN hot", TIME + SECOND // 2, "warn", "WARN hot"),
        ("2026-11-23 22:15:23,123 - ERROR [main] no", TIME + 123_000_000, "error", "ERROR [main] no"),
        ("2026-11-24T00:15:23.000000001+02:00 debug: x", TIME + 1, "debug", "debug: x"),
        ("2026-11-23 22:15:23.000 UTC [7] LOG:  ready", TIME, "info", "ready"),
        ("2026/11/23 22:15:23 [error] 9#9: *1 refused", TIME, "error", "refused"),
        ("[2026-11-23 22:15:23] app.CRITICAL: no", TIME, "", "app.CRITICAL: no"),
        ("[Mon Nov 23 22:15:23.500000 2026] [core:error] no", TIME + SECOND // 2, "error", "[core:error] no"),
        ("[Mon Nov 23 22:15:23 2026] [notice] ok", TIME, "info", "[notice] ok"),
        ("1795472123 WARN disk", TIME, "warn", "WARN disk"),
        ("[1795472123.25] no level", TIME + SECOND // 4, "", "no level"),
        ("1795472123000 ERROR x", TIME, "error", "ERROR x"),
        ("- 1795472123 2026.11.23 n1 FATAL x", TIME, "fatal", "2026.11.23 n1 FATAL x"),
        ("E1123 22:15:23.000001   77 server.go:12] refused", TIME + 1000, "error", "refused"),
        ("11-23 22:15:23.001  17  23 W Manager: slow", TIME + 1_000_000, "warn", "slow"),
        ("261123 221523 148 INFO dfs.DataNode: x", TIME, "info", "148 INFO dfs.DataNode: x"),
        ("update-tool 2026-11-23 22:15:23: run", TIME, "", "update-tool 2026-11-23 22:15:23: run"),
        ("no time, an error is told", OBSERVED, "", "no time, an error is told"),
        ("", OBSERVED, "", ""),
    ],
)  # fmt: skip
def test_time_level_and_body(line: str, time_ns: int, level: str, body: str) -> None:
    record = parse(line)
    assert (record.at, level_name(record.level), record.body) == (time_ns, level, body)


def test_syslog_as_daemons_write_it() -> None:
    record = parse("Nov 23 22:15:23 web-1 sshd(pam_unix)[42]: error: no such user")
    assert record.at == TIME
    assert record.resource == {"service.name": "sshd", "host.name": "web-1"}
    assert record.attributes == {"process.pid": 42}
    assert level_name(record.level) == "error"
    assert parse("<34>Nov 23 22:15:23 web-1 su: no").level == 18  # critical


def test_syslog_with_a_whole_time() -> None:
    record = parse("2026-11-23T22:15:23.000000+00:00 web-1 systemd[1]: Started x.service")
    assert record.resource == {"service.name": "systemd", "host.name": "web-1"}
    assert parse("2026-11-23T22:15:23Z INFO shop: up").resource == {"service.name": "file"}


def test_syslog_of_rfc_5424() -> None:
    record = parse('<11>1 2026-11-23T22:15:23Z web-1 shop 7 ID47 [a@1 k="v\\"]"] \ufeffno money')
    assert (record.at, record.level, record.body) == (TIME, 17, "no money")
    assert record.resource == {"service.name": "shop", "host.name": "web-1"}
    assert record.attributes["syslog.structured_data"] == '[a@1 k="v\\"]"]'
    assert parse("<11>1 - - - - - - x").at == OBSERVED


def test_web_servers_access_logs() -> None:
    record = parse('10.0.0.1 - ann [23/Nov/2026:23:15:23 +0100] "GET /a?b HTTP/1.1" 503 12 "-" "curl"')
    assert (record.at, level_name(record.level)) == (TIME, "error")
    assert record.body == '"GET /a?b HTTP/1.1" 503 12 "-" "curl"'
    assert record.attributes == {
        "client.address": "10.0.0.1",
        "http.response.status_code": 503,
        "http.request.method": "GET",
        "url.path": "/a?b",
        "user.name": "ann",
        "http.response.body.size": 12,
    }


TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "fields",
    [
        {"time": "2026-11-23T22:15:23Z", "level": "error", "msg": "no", "service": "shop", "trace_id": TRACE},
        {"time": 1795472123000, "level": 50, "msg": "no", "name": "shop", "traceId": TRACE},
        {"@timestamp": "2026-11-23T22:15:23.000Z", "log": {"level": "ERROR"}, "message": "no",
         "service": {"name": "shop"}, "trace": {"id": TRACE}},
        {"@timestamp": "2026-11-23T22:15:23.000Z", "log.level": "error", "message": "no", "service.name": "shop",
         "trace.id": TRACE},
        {"ts": 1795472123.0, "level": "error", "msg": "no", "service": "shop", "traceID": TRACE},
        {"timestamp": "2026-11-23T22:15:23Z", "level": "error", "event": "no", "app": "shop", "trace_id": TRACE},
        {"Timestamp": 1795472123000000000, "SeverityNumber": 17, "Body": "no", "TraceId": TRACE,
         "service.name": "shop"},
        {"timestamp": 1795472123.0, "version": "1.1", "level": 3, "short_message": "no", "service": "shop",
         "trace_id": TRACE.upper()},
    ],
)  # fmt: skip
def test_json_of_common_loggers(fields: dict[str, object]) -> None:
    record = parse(json.dumps(fields))
    assert (record.at, level_name(record.level), record.body) == (TIME, "error", "no")
    assert record.resource["service.name"] == "shop"
    assert record.trace_id == TRACE


def test_json_keeps_what_it_does_not_know() -> None:
    record = parse(
        json.dumps({"msg": "x", "n": 1, "deep": {"a": [1]}, "span_id": SPAN, "trace_id": "not one"})
    )
    assert record.attributes == {"n": 1, "deep": '{"a":[1]}', "trace_id": "not one"}
    assert record.span_id == SPAN
    assert parse('{"a": 1}').body == '{"a": 1}'
    assert parse('{"broken": ').body == '{"broken": '


def test_hostile_json_is_bounded() -> None:
    record = parse(json.dumps({f"k{n}": n for n in range(5000)}))
    assert len(record.attributes) <= 101
    assert parse("{" * 50_000).body == "{" * 50_000
    assert parse('{"a":' * 5_000 + "1" + "}" * 5_000).at == OBSERVED


def test_logfmt() -> None:
    record = parse('ts=2026-11-23T22:15:23Z level=warn msg="slow \\"query\\"" service=db took=12ms')
    assert (record.at, level_name(record.level), record.body) == (TIME, "warn", 'slow "query"')
    assert record.attributes == {"took": "12ms"}
    assert parse("a=1 is no logfmt").body == "a=1 is no logfmt"


def test_a_trace_named_in_text_is_found() -> None:
    record = parse(f"2026-11-23T22:15:23Z INFO [trace_id={TRACE} span_id={SPAN}] x")
    assert (record.trace_id, record.span_id) == (TRACE, SPAN)
    record = parse(f"got traceparent 00-{TRACE}-{SPAN}-01")
    assert (record.trace_id, record.span_id) == (TRACE, SPAN)
    assert parse("a trace of 00-1").trace_id == ""


def test_a_year_that_is_not_told_is_the_last_one_that_fits() -> None:
    new_year = at("2026-01-01T00:10:00+00:00")
    assert parse("Dec 31 23:59:59 h a: x", new_year).at == at("2025-12-31T23:59:59+00:00")
    assert parse("Jan  1 00:05:00 h a: x", new_year).at == at("2026-01-01T00:05:00+00:00")
    almost = at("2025-12-31T23:59:00+00:00")
    assert parse("Jan  1 00:00:01 h a: x", almost).at == at("2026-01-01T00:00:01+00:00")
    assert parse("Feb 29 00:00:00 h a: x", new_year).at == at("2024-02-29T00:00:00+00:00")


def test_times_that_cannot_be_are_no_times() -> None:
    assert parse("2026-13-45T99:99:99Z x").at == OBSERVED
    assert parse("9999-01-01T00:00:00Z x").at == OBSERVED
    assert parse("Nov 99 22:15:23 h a: x").at == OBSERVED


def test_a_stream_may_change_its_format() -> None:
    parser = LineParser()
    lines = [
        "2026-11-23T22:15:23Z INFO a",
        '{"ts": 1795472123, "msg": "b"}',
        "c",
        "2026-11-23T22:15:23Z INFO d",
    ]
    assert [parser.parse(line, OBSERVED).at for line in lines] == [TIME, TIME, OBSERVED, TIME]
    assert parser.parse("c", OBSERVED, untimed=5).at == 5


def test_without_a_zone_the_time_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    assert parse("2026-11-23 23:15:23 x").at == TIME


def test_words_in_prose_are_no_levels() -> None:
    assert find_level(b"there was no error here") == 0
    assert find_level(b"authentication failure; user") == 0
    assert find_level(b"x [warn] y") == 13
    assert find_level(b"Error: y") == 17


@given(st.text(max_size=300))
@example("<999>1 2026-11-23T22:15:23Z - - - - - ")
@example("[" * 300)
def test_any_text_is_a_record_with_a_time_that_can_be(line: str) -> None:
    record = parse(line)
    assert 0 <= record.at < LATEST
    assert 0 <= record.level <= 24
    assert isinstance(record.body, str)


@pytest.mark.parametrize(
    "start",
    [
        "",
        '1.1.1.1 - - [23/Nov/2026:22:15:23 +0000] "',
        "<1>1 - - - - - [a ",
        "level=info ",
        "Nov 23 22:15:23 h ",
        "[",
    ],
)
@pytest.mark.parametrize(
    "atom", ["a", '"', '\\"', "[", "]", '="', 'a="\\" ', "a.b.", "trace_id=", " ", "00-"]
)
def test_no_line_takes_long(start: str, atom: str) -> None:
    line = (start + atom * 65_536)[:65_536]
    before = time.process_time()
    parse(line)
    join("x", line, line)
    assert (
        time.process_time() - before < 0.4
    )  # measured: 0.02 s; a pattern that backtracks takes over a second


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
names = st.sampled_from(["time", "ts", "@timestamp", "level", "severity", "msg", "log", "service", "trace_id", "host",
                         "SeverityNumber", "event", "attributes"]) | st.text(max_size=8)  # fmt: skip


@given(st.dictionaries(names, values, max_size=8))
def test_any_json_object_is_a_record(fields: dict[str, object]) -> None:
    record = parse(json.dumps(fields))
    assert 0 <= record.at < LATEST
    assert all(value is None or isinstance(value, str | int | float) for value in record.attributes.values())
    assert all(isinstance(name, str) for name in record.resource.values())


@given(st.text(max_size=30) | st.floats() | st.integers())
def test_any_number_for_a_time_is_read_or_refused(number: float | str) -> None:
    assert -1 <= epoch(number) < LATEST


def join(*lines: str) -> list[str]:
    joiner = Joiner()
    return joiner.join(list(lines)) + joiner.flush()


def test_traces_of_java_python_and_go_stay_with_their_record() -> None:
    java = [
        "ERROR no",
        "java.lang.IllegalStateException: x",
        "\tat a.B.c(B.java:1)",
        "Caused by: b",
        "\t... 3 more",
    ]
    python = [
        "ERROR no",
        "Traceback (most recent call last):",
        '  File "a.py", line 1',
        "    x()",
        "ValueError: x",
    ]
    chained = [*python, "", "During handling of the above exception, another exception occurred:", "",
               "Traceback (most recent call last):", '  File "b.py", line 1', "app.errors.Bad: y"]  # fmt: skip
    go = ["panic: no", "", "goroutine 1 [running]:", "main.main()", "\t/a/b.go:1 +0x1"]
    for trace in (java, python, chained):
        assert join(*trace, "INFO next") == ["\n".join(trace), "INFO next"]
    assert join(*go)[0].startswith("panic: no\n\ngoroutine 1 [running]:")


def test_a_pattern_of_ones_own_decides_alone() -> None:
    import re

    joiner = Joiner(re.compile(r"^\d+ "))
    assert joiner.join(["1 a", "b", " c", "2 d"]) == ["1 a\nb\n c"]
    assert joiner.flush() == ["2 d"]


def test_records_of_joined_lines_are_bounded() -> None:
    joined = join("start", *["  more"] * (LINES * 3))
    assert max(record.count("\n") for record in joined) < LINES
    assert sum(record.count("more") for record in joined) == LINES * 3


@pytest.mark.parametrize(
    ("system", "levelled"),
    [("Android", 2000), ("Apache", 2000), ("BGL", 2000), ("HDFS", 2000), ("Hadoop", 2000), ("Zookeeper", 2000),
     ("Linux", 0), ("OpenSSH", 0)],
)  # fmt: skip
def test_real_logs_have_their_times_and_levels(system: str, levelled: int) -> None:
    path = shared_data("loghub-2k") / system / f"{system}_2k.log"
    parser = LineParser()
    records = [parser.parse(line, OBSERVED) for line in path.read_text("utf-8", "replace").splitlines()]
    assert sum(record.at != OBSERVED for record in records) >= 1990
    assert Counter(record.level > 0 for record in records)[True] >= levelled
    assert all(
        record.at < datetime.now(UTC).timestamp() * SECOND + 400 * 86400 * SECOND for record in records
    )
