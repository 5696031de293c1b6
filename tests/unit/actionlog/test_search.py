"""Searching the log: what is found, by what, in which order; and that the index follows the records."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cockpit.actionlog import search
from cockpit.actionlog.database import connect, immediate
from cockpit.actionlog.filters import Filter
from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import Action, State
from cockpit.actions.command import Risk
from cockpit.errors import UsageError
from cockpit.moments import moment
from cockpit.signals import SECOND
from tests.helpers.log_filling import act
from tests.helpers.old_log import old_log


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "actions.db"


def found(path: Path, text: str, *, limit: int = 50, **wanted: Any) -> list[str]:
    """Return the ids of what is found, newest first."""
    reader = ActionReader(path)
    try:
        return [each.id for each in reader.search(Filter(text=text, **wanted), limit=limit)]
    finally:
        reader.close()


async def test_words_of_the_command_the_reason_a_note_and_the_output_are_found(path: Path) -> None:
    log = ActionLog.open(path)
    first = await act(
        log, "kubectl", "rollout", "restart", "deploy/checkout-7f", reason="Füße kalt", ticket="CHG-77"
    )
    second = await act(
        log,
        "/bin/sh",
        "-c",
        "x",
        shell="systemctl status nginx | head",
        output=[b"\x1b[31mOOMKilled\x1b[0m 10.0.0.7\n"],
    )
    await log.note("the replica lagged behind", action=first)
    lone = await log.note("postgres failed over")
    pinned = await log.evidence("logs", "timeouts", b"one", query="level=error")
    log.close()
    for text in ("kubectl", "checkout-7f", "CHG-77", "füße", "fuße", "replica", '"rollout restart"', "roll*"):
        assert found(path, text) == [first], text
    for text in ("nginx", "oomkilled", "10.0.0.7", "status nginx", "systemctl head"):
        assert found(path, text) == [second], text
    assert found(path, "postgres") == [lone]
    assert found(path, "timeouts") == found(path, "level=error") == [pinned]
    for text in ("31mOOMKilled", '"restart rollout"', "kubectl nginx", "kubectl OR nginx", "rollou"):
        assert found(path, text) == [], text


async def test_newest_first_and_no_more_than_the_limit(path: Path) -> None:
    log = ActionLog.open(path)
    made = [await act(log, "true", str(turn), output=[b"true\n"]) for turn in range(6)]
    await log.note("true again", action=made[0])
    log.close()
    assert found(path, "true") == made[::-1]
    assert found(path, "true", limit=2)[0] == made[-1]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"target": "db-1"}, [1]),
        ({"risk": "destructive"}, [2]),
        ({"state": "failed"}, [3]),
        ({"kind": "command"}, [3, 2, 1, 0]),
        ({"kind": "export"}, []),
        ({"incident": "INC é*\"'"}, [3]),
        ({"target": "db-1", "risk": "destructive"}, []),
        ({"state": "running"}, []),
        ({"session": "0"}, [3, 2, 1, 0]),
        ({"session": "7Z"}, []),
    ],
)
async def test_filters_of_a_search_and_a_list_choose_the_same(
    path: Path, wanted: dict[str, Any], expected: list[int]
) -> None:
    log = ActionLog.open(path)
    made = [
        await act(log, "echo", output=[b"word"]),
        await act(log, "echo", target="db-1"),
        await act(log, "echo", risk=Risk.DESTRUCTIVE),
        await act(log, "echo", state=State.FAILED, status=1, incident="INC é*\"'"),
    ]
    log.close()
    assert found(path, "echo", **wanted) == [made[number] for number in expected]
    reader = ActionReader(path)
    assert [each.id for each in reader.find(Filter(**wanted))] == [made[number] for number in expected]
    reader.close()


async def test_a_span_of_time(path: Path) -> None:
    log = ActionLog.open(path)
    made = [await act(log, "echo", str(turn)) for turn in range(3)]
    log.close()
    reader = ActionReader(path)
    times = [moment(reader.show(action).started_at, 0) for action in made]
    for since, until, expected in (
        (times[1], None, made[:0:-1]),
        (None, times[1], made[:1]),
        (times[1], times[1] + 1, made[1:2]),
        (times[2] + 1, None, []),
        (0, times[0] + 10**18, made[::-1]),
        (times[1], times[1], []),
    ):
        wanted = Filter(text="echo", since_ns=since, until_ns=until)
        assert [each.id for each in reader.search(wanted)] == expected
        assert [each.id for each in reader.find(wanted)] == expected
    reader.close()


@pytest.mark.parametrize("span", [0, 3, 44, 45, 46, 400, 799, 801, 5000])
def test_the_facets_of_a_span_cover_it(span: int) -> None:
    day = 86_400 * SECOND
    first = moment("2024-02-28T23:00:00Z", 0)
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(search.TABLE)
        for number in (0, span // 2, span):
            named = "select strftime(' d%Y%m%d m%Y%m y%Y', ? / 1000000000, 'unixepoch')"
            words = db.execute(named, [first + number * day]).fetchone()[0]
            db.execute("insert into search (rowid, command, facets) values (?, 'x', ?)", [number + 1, words])
        wanted = Filter(text="x", since_ns=first, until_ns=first + span * day + 1)
        match = search.expression(wanted, 0, first + 9000 * day)
        rows = db.execute("select rowid from search where search match ?", [match]).fetchall()
    assert {row[0] for row in rows} == {1, span // 2 + 1, span + 1}


@pytest.mark.parametrize("text", ["", "  ", "--", '"" *', "\0", " ".join("x" * 33), "…"])
async def test_a_search_for_no_word_or_too_many_is_refused(path: Path, text: str) -> None:
    ActionLog.open(path).close()
    with pytest.raises(UsageError):
        found(path, text)


@pytest.mark.parametrize(
    "text",
    [
        'a"b',
        "a\0b",
        "NOT x",
        "(x",
        "x)",
        "x:y",
        "-x",
        "^x",
        "{a}:x",
        "x AND",
        "NEAR(x y)",
        "\udcff x",
        "*x",
        "x**",
    ],
)
async def test_nothing_that_is_searched_for_is_an_operator(path: Path, text: str) -> None:
    log = ActionLog.open(path)
    await act(log, "unrelated")
    log.close()
    assert found(path, text.encode(errors="replace").decode()) == []


def test_a_log_that_nobody_has_written_holds_nothing(path: Path) -> None:
    assert found(path, "x", since_ns=5) == []


async def test_only_the_beginning_of_the_output_is_searched_and_no_binary(path: Path) -> None:
    log = ActionLog.open(path)
    begun = b"beginning " + b"filler " * (search.SEARCHED // 7) + b" ending"
    first = await act(log, "cat", output=[begun])
    await act(log, "cat", output=[bytes(range(256)) * 40 + b" inbinary "])
    log.close()
    assert found(path, "beginning") == [first]
    assert found(path, "ending") == found(path, "inbinary") == []


async def test_the_index_made_anew_is_the_index_that_was_written(path: Path) -> None:
    log = ActionLog.open(path)
    action = await act(log, "echo", "é", output=[b"x " * 40_000, b"tail"], incident="I", reason="why")
    await act(log, "echo", output=[b"second"])
    await log.note("a note", action=action)
    await log.note("another", incident="I")
    await log.evidence("plot", "title", b"{}", query="up")
    log.close()
    words = ("echo", "x", "second", "note", "another", "title", "why", "up", "é")
    wanted: tuple[dict[str, Any], ...] = ({}, {"incident": "I"}, {"target": "local"}, {"risk": "read"})
    before = [found(path, word, **each) for word in words for each in wanted]
    assert any(before)
    with closing(connect(path)) as db:
        with immediate(db):
            search.rebuild(db)
        db.execute("insert into search (search) values ('integrity-check')")
    assert [found(path, word, **each) for word in words for each in wanted] == before


def test_an_old_file_becomes_searchable(path: Path) -> None:
    old_log(path)
    assert len(found(path, "hello")) == 3
    reader = ActionReader(path)
    both = reader.search(Filter(text="hello", incident="INC-1"))
    assert {each.id[-2:] for each in both} == {"01", "02", "03"}
    assert all(isinstance(each, Action) for each in both)
    reader.close()


async def test_what_was_pruned_is_not_found_and_not_in_the_file(path: Path) -> None:
    log = ActionLog.open(path)
    await act(log, "echo", "forgettable", output=[b"unmentionable\n"])
    log.close()
    log = ActionLog.open(path)
    kept = await act(log, "echo", "kept")
    await log.prune(9 * 10**18, reason="age")
    log.close()
    assert found(path, "forgettable") == found(path, "unmentionable") == []
    assert found(path, "kept") == [kept]
    assert b"forgettable" not in path.read_bytes()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", 1_000_000 - 7200),
        ("90s", 1_000_000 - 90),
        ("1w", 1_000_000 - 604_800),
        ("13:46", 999_960),
        ("13:47", 1_000_020 - 86_400),
        ("1970-01-02", 86_400),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:00:01Z", 1),
    ],
)
def test_a_moment(text: str, expected: int) -> None:
    assert moment(text, 1_000_000 * SECOND) == expected * SECOND


def test_a_moment_has_nanoseconds() -> None:
    assert moment("1970-01-01T00:00:01.000000007Z", 0) == SECOND + 7
    assert moment("1970-01-01T00:00:01.5+00:00", 0) == 3 * SECOND // 2


@pytest.mark.parametrize("text", ["", "yesterday", "25:00", "14:60", "2026-13-01", "h", "99999999h", "-"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(UsageError, match="no time"):
        moment(text, 10**18)
