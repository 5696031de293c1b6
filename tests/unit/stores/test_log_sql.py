"""SQL over logs: what the tables hold, what a statement may not do, and what hostile logs can't."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.errors import CockpitError, Refused, UsageError
from cockpit.stores.logs.sql import Limits, query_sql
from cockpit.stores.logs.sql.json_table import USUAL
from cockpit.stores.logs.sql.sample import field_types
from cockpit.stores.logs.sql.statement import columns_asked

OBJECTS: list[dict[str, Any]] = [
    {
        "time": f"2026-01-01T00:00:{second:02}Z",
        "level": level,
        "msg": f"m{second}",
        "status": 200 + second % 3,
    }
    for second, level in enumerate(("info", "WARN", "error", "info", "debug", "info"))
]
SYSLOG = b"".join(
    b"Jan  5 10:00:%02d web-1 sshd[%d]: Accepted key\n" % (second, 100 + second) for second in range(30)
)


def written(path: Path, objects: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(each) + "\n" for each in objects))
    return str(path)


def rows(sql: str, *files: str, **how: Any) -> list[tuple[Any, ...]]:
    with query_sql(sql, files, **how) as result:
        return [row for batch in result.batches() for row in batch]


def test_fields_of_json_lines_are_columns(tmp_path: Path) -> None:
    file = written(tmp_path / "web.log", OBJECTS)
    assert rows("select level, count(*) from logs group by all order by 2 desc, 1", file) == [
        ("info", 3), ("debug", 1), ("error", 1), ("warn", 1)
    ]  # fmt: skip
    assert rows("select sum(status), max(line), min(body), any_value(source) from web", file) == [
        (sum(each["status"] for each in OBJECTS), 6, "m0", file)
    ]
    assert rows("select level_raw, severity from logs where line = 2", file) == [("WARN", 13)]
    assert rows("select epoch_ns(time) from logs order by time limit 1", file) == [
        (1_767_225_600_000_000_000,)
    ]


@pytest.mark.parametrize(
    ("told", "level", "severity"),
    [("Warning", "warn", 13), (30, "info", 9), (50, "error", 17), (3, "error", 17), ("panic", "fatal", 21),
     ("40", "warn", 13), ("whatever", None, None)],
)  # fmt: skip
def test_levels_are_those_of_the_pane(
    tmp_path: Path, told: object, level: str | None, severity: int | None
) -> None:
    file = written(tmp_path / "a.log", [{"time": "2026-01-01T00:00:00Z", "level": told, "msg": "x"}])
    assert rows("select level, severity from logs", file) == [(level, severity)]


@pytest.mark.parametrize("moment", ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", 1767225600, 1767225600000,
                                    1767225600.0, 1767225600000000000, "1767225600000000000"])  # fmt: skip
def test_times_are_told_in_any_unit(tmp_path: Path, moment: object) -> None:
    file = written(tmp_path / "a.log", [{"ts": moment, "level": "info", "msg": "x"}] * 3)
    assert rows("select distinct epoch(time) from logs", file) == [(1767225600.0,)]


def test_other_formats_are_read_by_their_fields(tmp_path: Path) -> None:
    path = tmp_path / "auth.log"
    path.write_bytes(SYSLOG)
    found = rows('select service, host, body, "process.pid", line from auth where line = 3', str(path))
    assert found == [("sshd", "web-1", "Accepted key", 102, 3)]
    assert rows("select count(*), count(time) from logs", str(path)) == [(30, 30)]
    assert json.loads(rows("select attributes from logs limit 1", str(path))[0][0]) == {"process.pid": 100}


def test_several_logs_are_one_table_and_each_is_its_own(tmp_path: Path) -> None:
    first, other = written(tmp_path / "a.log", OBJECTS), tmp_path / "b.log"
    other.write_bytes(SYSLOG)
    assert rows("select source, count(*), sum(status) from logs group by 1 order by 1", first, str(other)) == [
        (first, 6, sum(each["status"] for each in OBJECTS)), (str(other), 30, None)
    ]  # fmt: skip
    assert rows("select (select count(*) from a), (select count(*) from b)", first, str(other)) == [(6, 30)]
    again = written(tmp_path / "logs.json", OBJECTS)
    assert rows("select count(*) from logs_2", again) == [(6,)]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress, bz2.compress, lzma.compress])
def test_compressed_json_lines_are_read_too(tmp_path: Path, pack: Any) -> None:
    path = tmp_path / "web.log.packed"
    path.write_bytes(pack("".join(json.dumps(each) + "\n" for each in OBJECTS).encode()))
    assert rows("select count(*), sum(status) from web", str(path)) == [
        (6, sum(each["status"] for each in OBJECTS))
    ]


def test_a_type_that_changes_later_and_lines_that_are_no_objects(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    many = [{"time": "2026-01-01T00:00:00Z", "level": "info", "status": 1, "pad": "x" * 200}] * 30_000
    text = "".join(json.dumps(each) + "\n" for each in many)
    odd = (
        json.dumps({"time": "2026-01-01T00:00:00Z", "level": "info", "status": "none"})
        + "\nTraceback\n\n{cut"
    )
    path.write_text(text + odd.replace("\n{cut", "\n") + text + '{"time": "2026')
    with query_sql("select count(*), sum(status), max(line) from logs", [str(path)]) as result:
        (batch,) = result.batches()
        assert batch == [(60_001, 60_000, 60_002)]  # blank lines are not counted
        assert len(result.notes) == 1 and str(path) in result.notes[0]
    with query_sql(
        "select level from logs", [str(path)]
    ) as result:  # rows were handed out before it is found
        assert sum(len(batch) for batch in result.batches()) == 60_001


@pytest.mark.parametrize(
    "sql",
    ["drop table logs", "create table x as select 1", "insert into logs values (1)", "copy logs to '/tmp/stolen'",
     "copy (select 1) to '/tmp/stolen'", "attach '/tmp/x.db'", "install httpfs", "load httpfs", "set threads = 1",
     "pragma version", "call pragma_version()", "delete from logs", "export database '/tmp/x'", "checkpoint",
     "explain analyze create table x (i int)", "explain copy (select 1) to '/tmp/stolen'",
     "select * from read_text('/etc/passwd')", "select * from read_csv('/etc/passwd')",
     "select * from glob('/etc/*')",
     "select * from read_json('/tmp/*.json')"],
)  # fmt: skip
def test_what_does_more_than_reading_the_logs_is_refused(tmp_path: Path, sql: str) -> None:
    file = written(tmp_path / "a.log", OBJECTS)
    with pytest.raises(Refused) as found:
        rows(sql, file)
    assert found.value.exit_status == 3


@pytest.mark.parametrize("sql", ["", "select 1; select 2", "selec 1", "select nope from logs", "select 1 as"])
def test_a_wrong_statement_says_where(tmp_path: Path, sql: str) -> None:
    with pytest.raises(UsageError):
        rows(sql, written(tmp_path / "a.log", OBJECTS))
    with pytest.raises(UsageError, match="line 2, at 'nope from logs'"):
        rows("select level,\n nope from logs", written(tmp_path / "a.log", OBJECTS))


@pytest.mark.parametrize("sql", ["describe logs", "show tables", "explain select 1", "summarize logs", "from logs",
                                 "with x as (select * from logs) select count(*) from x", "table logs"])  # fmt: skip
def test_what_only_reads_is_let_through(tmp_path: Path, sql: str) -> None:
    assert rows(sql, written(tmp_path / "a.log", OBJECTS))


def test_it_stops_when_its_time_is_over(tmp_path: Path) -> None:
    file = written(tmp_path / "a.log", OBJECTS)
    with pytest.raises(CockpitError, match="took longer than"):
        rows(
            "select sum(a.range * b.range) from range(10000000) a, range(1000000) b",
            file,
            limits=Limits(seconds=0.2),
        )


def test_memory_is_bounded(tmp_path: Path) -> None:
    file = written(tmp_path / "a.log", OBJECTS)
    with pytest.raises(CockpitError, match="memory"):
        rows("select list(range) from range(30000000)", file, limits=Limits(memory=20 << 20, disk=1 << 20))


def test_nothing_is_left_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    file = written(tmp_path / "a.log", OBJECTS)
    rows("select 1 from logs", file)
    with pytest.raises(UsageError):
        rows("select nope from logs", file)
    assert [path.name for path in tmp_path.iterdir()] == ["a.log"]


def test_hostile_names_of_fields_and_files(tmp_path: Path) -> None:
    names = [
        'a"b',
        "it's",
        "x\ny",
        "\x1b[31m",
        "select",
        "",
        "a.b",
        "Level",
        "line",
        "; drop table logs",
        "ä",
        "[*]",
    ]
    objects = [{"level": "info", "msg": "x", **{name: number for number, name in enumerate(names)}}] * 3
    file = written(tmp_path / "we[i]rd *'\"?.log", objects)
    with query_sql("select * from logs", [file]) as result:
        (batch,) = result.batches()
        found = dict(zip(result.columns, batch[0], strict=True))
    for number, name in enumerate(names):
        if name and name != "Level":  # no two names differ by their case alone
            assert found["line_raw" if name == "line" else name] == number
    assert found["source"] == file


def test_ten_thousand_fields(tmp_path: Path) -> None:
    file = written(tmp_path / "a.log", [{f"field {number}": number for number in range(10_000)}] * 5)
    with query_sql('select count(*), sum("field 7") from logs', [file]) as result:
        assert list(result.batches()) == [[(5, 35)]]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"")), max_size=12))
def test_hostile_lines_among_objects_lose_none_of_them(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("sql") / "a.log"
    good = b'{"time":"2026-01-01T00:00:00Z","level":"info","msg":"good","n":1}\n'
    path.write_bytes(good * 100 + b"".join(line + b"\n" for line in lines) + good * 3)
    assert rows("select count(*) from logs where body = 'good' and n = 1", str(path)) == [(103,)]


@pytest.mark.parametrize(
    ("sql", "asked"),
    [("select level, count(*) from logs group by level", True), ("select * from logs", False),
     ("select logs from logs", False), ("from logs", False), ("select count(*) from (from logs)", False),
     ("select level from logs join b using (line)", True), ("select columns('l.*') from logs", False),
     ("summarize logs", False), ("select '*' from logs", True), ("select l from logs l", False),
     ("select line from logs natural join b", False), ("select $$'$$, body, 'x' from logs", False),
     (r"select e'\'', body, '' from logs", False), ("select level /* ' */, body, '' from logs", False)],
)  # fmt: skip
def test_columns_are_read_only_where_they_may_be_asked_for(sql: str, asked: bool) -> None:
    assert (columns_asked(sql, frozenset(("logs", "b"))) is not None) == asked


def test_names_in_quotes_hide_nothing() -> None:
    asked = columns_asked("""select "a--b", "it's", body from logs -- host""", frozenset(("logs",)))
    assert asked is not None and {"a--b", "it's", "body"} <= asked and "host" not in asked


@pytest.mark.parametrize(
    "sql", ["select count(*), min(time) from auth", "select level, severity, line from auth"]
)
def test_what_is_left_out_changes_no_answer(tmp_path: Path, sql: str) -> None:
    path = tmp_path / "auth.log"
    path.write_bytes(SYSLOG)
    assert columns_asked(sql, frozenset(("auth", "logs"))) is not None
    assert rows(sql, str(path)) == rows(sql.replace("auth", "(select * from auth)"), str(path))


def test_a_line_longer_than_buffers_are_at_first_is_read_after_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = {"level": "info", "msg": "x" * (33 << 20), "n": 2}
    file = written(tmp_path / "a.log", [{"level": "info", "msg": "x", "n": 1}, long])
    with query_sql("select sum(n), max(length(body)), max(line) from logs", [file]) as result:
        assert list(result.batches()) == [[(3, 33 << 20, 2)]]
        assert result.notes == []
    monkeypatch.setattr("cockpit.stores.logs.sql.json_table.LONGEST", USUAL)
    with pytest.raises(UsageError, match=f"maximum_object_size.*{file}"):
        rows("select sum(n), max(length(body)) from logs", file)


def plain_types(lines: list[bytes]) -> dict[str, str]:
    """Tell each field's type from the values that any line has, one after another."""
    kinds: dict[str, set[str]] = {}
    for line in lines:
        for name, value in json.loads(line).items():
            known = kinds.setdefault(name, set())
            if isinstance(value, bool):
                known.add("BOOLEAN")
            elif isinstance(value, int):
                known.add("BIGINT" if -(1 << 63) <= value < 1 << 63 else "DOUBLE")
            elif isinstance(value, float):
                known.add("DOUBLE")
            elif value is not None:
                known.add("VARCHAR" if isinstance(value, str) else "JSON")
    joined = {frozenset({"BIGINT", "DOUBLE"}): "DOUBLE", frozenset[str](): "VARCHAR"}
    return {
        name: joined.get(frozenset(known))
        or (known.pop() if len(known) == 1 else "JSON" if "JSON" in known else "VARCHAR")
        for name, known in kinds.items()
    }


VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [None, True, 1, -1, 1 << 62, (1 << 63) - 1, 1 << 63, -(1 << 63), 1.5, "", "9" * 30, [], {"a": 1}]
    ),
    st.integers(-(1 << 64) + 1, (1 << 64) - 1),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), VALUES), min_size=1, max_size=30))
def test_lines_alike_are_looked_at_once_and_tell_the_same_types(objects: list[dict[str, Any]]) -> None:
    lines = [json.dumps(each).encode() for each in objects for _ in range(2)]
    assert field_types(lines) == plain_types(lines)
