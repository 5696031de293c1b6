"""`cockpit logs` without a screen."""

from __future__ import annotations

import bz2
import csv
import gc
import gzip
import io
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import zstandard

from cockpit.cli import main
from tests.helpers.cockpit_cli import COCKPIT, environment

WEB = [
    {"time": f"2026-01-01T00:0{minute}:00Z", "level": level, "msg": f"request {minute} done", "status": status,
     "service": "web"}
    for minute, (level, status) in enumerate((("info", 200), ("warn", 404), ("error", 500), ("info", 200)))
]  # fmt: skip
AUTH = b"".join(
    b"2026-01-01T00:0%d:30Z bastion sshd[7]: login of user%d\n" % (minute, minute) for minute in range(4)
)
TRACE = (
    b"2026-01-01T00:09:00Z ERROR it broke\njava.lang.Exception: why\n\tat a.B(C.java:1)\n"
    b"2026-01-01T00:09:01Z INFO on\n"
)


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def web(tmp_path: Path) -> str:
    (tmp_path / "web.log").write_text("".join(json.dumps(each) + "\n" for each in WEB))
    return "web.log"


@pytest.fixture
def auth(tmp_path: Path) -> str:
    (tmp_path / "auth.log").write_bytes(AUTH)
    return "auth.log"


class Said:
    """What a verb printed."""

    def __init__(self, capsys: pytest.CaptureFixture[bytes]) -> None:
        self._capsys = capsys
        self.status, self.out, self.err = 0, b"", ""

    def __call__(self, *args: str) -> bytes:
        self.status = main(["logs", *args])
        out, err = self._capsys.readouterr()
        self.out, self.err = out, err.decode()
        return self.out


@pytest.fixture
def logs(capsysbinary: pytest.CaptureFixture[bytes]) -> Said:
    return Said(capsysbinary)


def piped(data: bytes, tmp_path: Path, *args: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COCKPIT, "logs", *args],
        input=data,
        env=environment(tmp_path / "data"),
        capture_output=True,
        timeout=30,
    )


# Searching.


def test_grep_prints_the_records_as_they_stand(logs: Said, web: str) -> None:
    assert (
        logs("grep", "status>=404", web)
        == Path(web).read_bytes().split(b"\n", 1)[1].rsplit(b"\n", 2)[0] + b"\n"
    )
    assert logs.status == 0
    assert logs("grep", "nothing-like-it", web) == b""
    assert logs.status == 1


def test_grep_counts_numbers_and_names(logs: Said, web: str, auth: str) -> None:
    assert logs("grep", "-c", "login or level>=error", web, auth) == b"web.log:1\nauth.log:4\n"
    assert logs("grep", "-n", "user2", web, auth) == b"auth.log:3:" + AUTH.splitlines()[2] + b"\n"
    assert logs("grep", "--no-filename", "user2", web, auth) == AUTH.splitlines()[2] + b"\n"


def test_a_record_is_found_with_all_its_lines(logs: Said, tmp_path: Path) -> None:
    (tmp_path / "app.log").write_bytes(TRACE * 3)
    assert logs("grep", "java.lang", "app.log") == b"\n".join(TRACE.splitlines()[:3] * 3) + b"\n"
    assert [line.split(b":")[0] for line in logs("grep", "-n", "broke", "app.log").splitlines()] == [
        b"1", b"2", b"3", b"5", b"6", b"7", b"9", b"10", b"11"
    ]  # fmt: skip


def test_grep_as_json(logs: Said, web: str, auth: str) -> None:
    (found,) = [json.loads(line) for line in logs("grep", "--json", "level:error", web, auth).splitlines()]
    assert found == {
        "at": "2026-01-01T00:02:00.000000000Z", "level": "error", "severity": 17, "body": "request 2 done",
        "service": "web", "host": "", "trace_id": "", "span_id": "", "attributes": {"status": 500},
        "source": "web.log", "line": 3,
    }  # fmt: skip


def test_compressed_logs_and_stdin(logs: Said, tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(AUTH))
    (tmp_path / "a.bz2").write_bytes(bz2.compress(AUTH))
    assert logs("count", "login", "a.gz", "a.bz2") == b"8\n"
    assert piped(AUTH, tmp_path, "grep", "-c", "user1").stdout == b"1\n"
    assert piped(gzip.compress(AUTH), tmp_path, "grep", "-c", "user1", "-").stdout == b"1\n"
    assert piped(AUTH, tmp_path, "count", "user1").stdout == b"1\n"


def test_what_can_t_be_read_is_named_and_the_rest_is_done(logs: Said, web: str, tmp_path: Path) -> None:
    (tmp_path / "core").write_bytes(os.urandom(20_000))
    noise = os.urandom(200_000).hex().encode()
    (tmp_path / "cut.gz").write_bytes(gzip.compress(noise)[:50_000])
    (tmp_path / "cut.zst").write_bytes(zstandard.ZstdCompressor().compress(noise)[:150_000])
    out = logs("grep", "-c", "request", "none.log", str(tmp_path), "core", "cut.gz", "cut.zst", web)
    assert logs.status == 1
    assert out == b"cut.gz:0\ncut.zst:0\nweb.log:4\n"
    for name, why in (
        ("none.log", "no such file"),
        (str(tmp_path), "directory"),
        ("core", "binary"),
        ("cut.gz", "ends before its compressed data does"),
        ("cut.zst", "ends before its compressed data does"),
    ):
        assert re.search(f"{re.escape(name)}.*{why}", logs.err)


def test_a_wrong_query_is_wrong_usage(logs: Said, web: str) -> None:
    assert logs("grep", "/(/", web) == b""
    assert logs.status == 2
    logs("grep", "level>=loud", web)
    assert "level>=loud" in logs.err


def test_a_reader_that_leaves_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "big.log").write_bytes(AUTH * 50_000)
    process = subprocess.Popen(
        [*COCKPIT, "logs", "grep", "login", str(tmp_path / "big.log")],
        env=environment(tmp_path / "data"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == AUTH.splitlines(keepends=True)[0]
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 141


def test_a_format_of_one_s_own(logs: Said, tmp_path: Path) -> None:
    (tmp_path / "till.toml").write_text(
        "name = \"till\"\npattern = '(?P<time>) (?P<level>[A-Z]) till=(?P<till>\\d+) '\n"
        'time = "%d.%m.%Y %H:%M:%S"\nzone = "UTC"\nlevels = { I = "info", E = "error" }\n'
        'fields = { till = "till:int" }\n'
    )
    (tmp_path / "till.log").write_text(
        "23.11.2026 23:15:23 E till=7 drawer stuck\n23.11.2026 23:15:24 I till=8 open\n"
    )
    assert logs("count", "--format", "till.toml", "till>7 level=info", "till.log") == b"1\n"
    assert logs("grep", "--format", "till.toml", "level=error", "till.log").startswith(
        b"23.11.2026 23:15:23 E"
    )
    sql = "select till, body from logs where level = 'error'"
    assert (
        logs("sql", sql, "till.log", "--format", "till.toml", "--csv") == b"till,body\r\n7,drawer stuck\r\n"
    )
    logs("count", "--format", "tille", "till.log")
    assert logs.status == 2


# Counting.


def test_counting_by_fields(logs: Said, web: str, auth: str) -> None:
    assert logs("count", web, auth) == b"8\n"
    assert logs("count", "level>=warn", web, auth) == b"2\n"
    assert json.loads(logs("count", "--json", "--by", "service,status", web, auth)) == {
        "count": 8,
        "of": 8,
        "groups": [
            {"service": "sshd", "status": "", "count": 4},
            {"service": "web", "status": "200", "count": 2},
            {"service": "web", "status": "404", "count": 1},
            {"service": "web", "status": "500", "count": 1},
        ],
    }
    assert logs("count", "--by", "level", "--limit", "1", web) == b"COUNT  LEVEL\n    2  info\n"
    assert json.loads(logs("count", "--json", "--by", "source,level", "--query=-level=info", web))["groups"] == [
        {"source": "web.log", "level": "error", "count": 1}, {"source": "web.log", "level": "warn", "count": 1}
    ]  # fmt: skip


def test_the_first_word_is_a_file_where_there_is_one(logs: Said, web: str) -> None:
    assert logs("count", "done", web) == logs("count", "-e", "done", web) == b"4\n"
    logs("count", "logs/none.log", web)
    assert logs.status == 2 and "logs/none.log: there is no such file" in logs.err
    assert logs("count", "/request [12]/", web) == b"2\n"


def test_a_histogram_over_time(logs: Said, web: str, auth: str) -> None:
    document = json.loads(logs("histogram", "--json", "--bucket", "2m", web, auth))
    assert document["bucket_s"] == 120
    assert document["buckets"] == [
        {"at": "2026-01-01T00:00:00.000000000Z", "count": 4, "levels": {"none": 2, "info": 1, "warn": 1}},
        {"at": "2026-01-01T00:02:00.000000000Z", "count": 4, "levels": {"none": 2, "info": 1, "error": 1}},
    ]
    strip = logs("histogram", "--by", "level", web).decode()
    assert re.search(r"^error .*█.* 1$", strip, re.MULTILINE)
    logs("histogram", "--bucket", "soon", web)
    assert logs.status == 2 and "'soon' is no length of time" in logs.err


def test_a_histogram_of_years_has_as_many_buckets_as_asked_for(logs: Said, tmp_path: Path) -> None:
    (tmp_path / "old.log").write_text(
        "".join(f"{year}-06-01T00:00:00Z INFO x\n" for year in range(1990, 2026))
    )
    buckets = json.loads(logs("histogram", "--json", "--width", "10", "old.log"))["buckets"]
    assert 1 < len(buckets) <= 10
    assert sum(bucket["count"] for bucket in buckets) == 36


# Patterns, SQL, merging.


def test_patterns_with_the_lines_of_each(logs: Said, web: str, auth: str) -> None:
    found = json.loads(logs("patterns", "--json", web, auth))
    assert {each["template"]: each["lines"] for each in found} == {
        "request <*> done": [1, 2, 3, 4], "login of user<*>": [5, 6, 7, 8]
    }  # fmt: skip
    assert b"login of user<*>" in logs("patterns", auth)
    (only,) = json.loads(logs("patterns", "--json", "--since", "2026-01-01T00:00:00Z", auth))
    assert only["trend"] == "new"


def test_sql_as_table_csv_and_json(logs: Said, web: str) -> None:
    sql = "select level, count(*) as n from logs group by level order by n desc, level"
    assert logs("sql", sql, web) == b"level  n\ninfo   2\nerror  1\nwarn   1\n"
    assert logs("sql", sql, web, "--csv") == b"level,n\r\ninfo,2\r\nerror,1\r\nwarn,1\r\n"
    assert json.loads(logs("sql", sql, web, "--json"))[0] == {"level": "info", "n": 2}
    assert json.loads(logs("sql", "select time from web limit 1", web, "--jsonl")) == {
        "time": "2026-01-01T00:00:00Z"
    }
    assert json.loads(logs("sql", "select 1 from logs where false", web, "--json")) == []
    logs("sql", "drop table logs", web)
    assert logs.status == 3


def test_sql_survives_what_logs_hold(logs: Said, tmp_path: Path) -> None:
    lines = [
        {"time": "2026-01-01T00:00:00Z", "msg": '\x1b[31m"a,b"\n\tc', "x\x07": float(2**70), "o": {"k": [1]}}
    ]
    (tmp_path / "a.log").write_text(json.dumps(lines[0]) + "\n")
    assert b"\x1b" not in logs("sql", "select * from logs", "a.log")
    table = list(csv.reader(io.StringIO(logs("sql", "select body, o from logs", "a.log", "--csv").decode())))
    assert table == [["body", "o"], ['\x1b[31m"a,b"\n\tc', '{"k":[1]}']]
    assert json.loads(logs("sql", "select o from logs", "a.log", "--json")) == [{"o": {"k": [1]}}]


def test_sql_reads_stdin(tmp_path: Path) -> None:
    found = piped(AUTH, tmp_path, "sql", "select service, count(*) as n from stdin group by 1", "--jsonl")
    assert (found.returncode, json.loads(found.stdout)) == (0, {"service": "sshd", "n": 4})
    lines = "".join(json.dumps(each) + "\n" for each in WEB).encode()
    found = piped(
        lines, tmp_path, "sql", "select sum(status) as n, any_value(source) as s from stdin", "--jsonl"
    )
    assert json.loads(found.stdout) == {"n": 1304, "s": "(stdin)"}


def test_ctrl_c_ends_a_statement(web: str, tmp_path: Path) -> None:
    sql = "select sum(a.range * b.range) from range(10000000) a, range(10000000) b"
    process = subprocess.Popen(
        [*COCKPIT, "logs", "sql", sql, web],
        cwd=tmp_path,
        env={**environment(tmp_path / "data"), "TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    deadline = time.monotonic() + 20
    while not list(tmp_path.glob("cockpit-sql-*/0.log")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)  # it is under way, or just about to be
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(10) == 130
        assert process.stderr.read() == b""
        assert not list(tmp_path.glob("cockpit-sql-*"))
    finally:
        process.kill()
        process.stderr.close()


def test_merging_by_time(logs: Said, web: str, auth: str, tmp_path: Path) -> None:
    lines = logs("merge", web, auth).splitlines()
    assert [line.split(b":")[0] for line in lines] == [b"web.log", b"auth.log"] * 4
    assert [json.loads(line)["at"][14:19] for line in logs("merge", "--json", web, auth).splitlines()] == [
        f"0{minute}:{second}" for minute in range(4) for second in ("00", "30")
    ]
    (tmp_path / "late.log").write_bytes(TRACE + AUTH[: AUTH.index(b"\n") + 1])
    assert logs("merge", "late.log").splitlines()[-1] == b"late.log~ " + AUTH.splitlines()[0]
    assert (
        logs("merge", "--window", "3600", "late.log").splitlines()[0] == b"late.log: " + AUTH.splitlines()[0]
    )


# Which verb.


def test_files_open_the_screen_and_a_verb_does_not(
    logs: Said, web: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []

    def open_screen(args: object, *, files: list[str]) -> int:
        opened.append(files)
        return 0

    monkeypatch.setattr("cockpit.cli.open_screen", open_screen)
    logs(web, "other.log")
    logs("open", "grep")
    logs("--data-dir", "elsewhere", web)
    assert opened == [[web, "other.log"], ["grep"], [web]]
    logs()
    assert logs.status == 2
    assert logs("--help").count(b"histogram") == 1


@pytest.mark.parametrize("verb", ["grep", "count", "histogram", "patterns", "sql", "merge"])
def test_each_verb_has_help(logs: Said, verb: str) -> None:
    assert b"FILE" in logs(verb, "--help")


@pytest.mark.parametrize("name", ["web.log", "missing.log"])
def test_garbage_is_looked_for_once_logs_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "web.log").write_text("".join(json.dumps(each) + "\n" for each in WEB))
    main(["logs", "count", "--by", "level", str(tmp_path / name)])
    assert gc.isenabled()
