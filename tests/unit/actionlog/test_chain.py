"""The chain: what a hash covers, that it covers every record, and that old files are brought into it whole."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.actionlog import chain, schema, tables
from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import Result, State
from cockpit.actions.command import Command, Risk
from cockpit.actions.transport import Stream
from cockpit.guard.judge import Decision
from cockpit.targets import Target
from tests.helpers.old_log import OUTPUT, old_log

COMMAND = Command(argv=("echo", "é\n"), target=Target(name="local"), actor="ann@desk")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "actions.db"


async def filled(path: Path, *, sessions: int = 2) -> None:
    """Write some of every kind of record that a cockpit writes by itself."""
    for _ in range(sessions):
        log = ActionLog.open(path)
        action = await log.begin(COMMAND, Risk.CHANGE, Decision.RUN, ("because",), undo="echo again")
        await log.output(action, Stream.STDOUT, b"x" * 1000 + b"\n")
        await log.finish(action, Result(state=State.FAILED, exit_status=3))
        await log.note("looked at it", action=action)
        await log.evidence("logs", "errors", b"one\ntwo\n", query="level=error")
        request = await log.request_approval({"argv": ["rm"]}, expires_ns=1)
        await log.answer_approval(
            request, granted=True, approver="bob", signature="sig", fingerprint="SHA256:x"
        )
        log.close()


def strangers_verdict(path: Path) -> tuple[int, str]:
    """Verify a file by the words of the definition alone: with none of the code that wrote it."""
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        names = [row[0] for row in db.execute("select name from sqlite_master where type = 'table'")]
        rows = []
        for name in names:
            columns = [row[1] for row in db.execute(f"pragma table_info({name})")]
            if {"position", "hash"} <= set(columns) and name != "chain_head":
                rows += [(row["position"], name, dict(row)) for row in db.execute(f"select * from {name}")]

    def item(data: bytes) -> bytes:
        return str(len(data)).encode() + b":" + data + b","

    last = bytes(32)
    for expected, (position, name, row) in enumerate(sorted(rows, key=lambda found: found[0]), start=1):
        assert position == expected
        canonical = item(name.encode())
        for column in sorted(row, key=str.encode):
            value = row[column]
            if (
                value is None
                or column == "hash"
                or (name, column) in {("output", "data"), ("evidence", "body")}
            ):
                continue
            if isinstance(value, int):
                canonical += item(column.encode()) + b"i" + item(str(value).encode())
            elif isinstance(value, str):
                canonical += item(column.encode()) + b"t" + item(value.encode())
            else:
                canonical += item(column.encode()) + b"b" + item(value)
        last = hashlib.sha256(last + canonical).digest()
        assert row["hash"] == last.hex(), (name, position)
    return len(rows), last.hex()


async def test_a_stranger_can_verify_it(path: Path) -> None:
    await filled(path)
    count, last = strangers_verdict(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("select position, hash from chain_head").fetchall() == [(count, last)]
        for table, content in chain.CONTENT.items():
            for data, digest in db.execute(f"select {content}, sha256 from {table}"):
                assert hashlib.sha256(data).hexdigest() == digest


def test_the_canonical_row_is_what_it_was() -> None:
    row = {"id": "01", "position": 7, "text": "é", "gone": None, "hash": "ff", "blob": b"\0", "minus": -1}
    canonical = b"5:notes,4:blob,b1:\0,2:id,t2:01,5:minus,i2:-1,8:position,i1:7,4:text,t2:\xc3\xa9,"
    assert chain.canonical_row("notes", row) == canonical
    assert chain.link(chain.GENESIS, "notes", row) == hashlib.sha256(bytes(32) + canonical).hexdigest()
    with pytest.raises(TypeError):
        chain.canonical_row("notes", {"real": 1.5})


values = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
)
rows = st.dictionaries(st.text("abcdefg_", min_size=1, max_size=4), values, max_size=5)


@given(rows, rows)
def test_two_rows_that_differ_have_two_canonical_forms(
    one: dict[str, object], other: dict[str, object]
) -> None:
    def said(row: dict[str, object]) -> dict[str, object]:
        return {name: value for name, value in row.items() if value is not None}

    same = said(one) == said(other)
    assert (chain.canonical_row("notes", one) == chain.canonical_row("notes", other)) is same


async def test_every_record_refuses_to_be_changed(path: Path) -> None:
    await filled(path)
    log = ActionLog.open(path)
    recording = {"id": "r", "session": "s", "at_ns": 1, "action": "a", "kind": "terminal"}
    await log._writer.run(lambda db: log._writer.insert(db, ("recordings", recording)))
    said = {"at_ns": 1, "kind": "test", "reason": "", "counts": "{}", "statement": ""}
    await log._writer.run(lambda db: log._writer.insert(db, ("tombstones", said)))
    log.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for table in chain.RECORDS:
            assert db.execute(f"select count(*) from {table}").fetchone()[0], (
                f"no row of {table} to try it on"
            )
            column = db.execute(f"pragma table_info({table})").fetchall()[1][1]
            for statement in (
                f"update {table} set {column} = 'x'",
                f"update {table} set hash = 'x'",
                f"delete from {table}",
                f"insert or replace into {table} select * from {table} limit 1",
                f"replace into {table} select * from {table} limit 1",
                f"update or replace {table} set position = position + 1",
            ):
                with pytest.raises(sqlite3.IntegrityError, match=f"records of {table} are never changed"):
                    db.execute(statement)
    assert strangers_verdict(path)


async def test_an_old_file_is_brought_into_the_chain_with_all_its_rows(path: Path) -> None:
    old_log(path)
    reader = ActionReader(path)
    listed = reader.list()
    assert [(action.id[-2:], action.state) for action in listed] == [
        ("03", State.INTERRUPTED),
        ("02", State.DONE),
        ("01", State.DONE),
    ]
    assert {action.kind for action in listed} == {"command"}
    assert listed[2].argv == ("echo", "hello")
    assert (listed[2].exit_status, listed[2].user, listed[2].host) == (0, "ann", "desk")
    assert [(chunk.stream.value, chunk.data) for chunk in reader.output(listed[2].id)] == list(
        zip(("stdout", "stderr"), OUTPUT, strict=True)
    )
    reader.close()
    count, _ = strangers_verdict(path)
    assert count == 2 * 6 + 1 + 1
    with closing(sqlite3.connect(path)) as db:
        [(kind, first, last, reason)] = db.execute(
            "select kind, first, last, reason from tombstones"
        ).fetchall()
        assert (kind, first, last) == ("migration", 1, 13)
        assert "older than the hash chain" in reason
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert not db.execute("select name from sqlite_master where name like 'old%'").fetchall()
    await filled(path)
    assert strangers_verdict(path)[0] > count


def test_a_migration_that_fails_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_log(path)

    def fail(_db: object, _count: int) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as broken:
        broken.setattr(schema, "_say_unprotected", fail)
        with pytest.raises(sqlite3.OperationalError):
            from cockpit.actionlog.database import connect

            connect(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("select count(*) from actions").fetchone() == (3,)
        assert "position" not in [row[1] for row in db.execute("pragma table_info(actions)")]
    ActionLog.open(path).close()
    assert strangers_verdict(path)[0] > 13


def test_a_column_that_comes_later_changes_no_hash(path: Path) -> None:
    asyncio.run(filled(path))
    before = strangers_verdict(path)
    with closing(sqlite3.connect(path)) as db:
        for table in chain.RECORDS:
            db.execute(f"alter table {table} add column later text")
    assert strangers_verdict(path) == before


def test_every_record_table_has_the_triggers() -> None:
    assert set(tables.TABLES) == set(chain.RECORDS)
    assert len(tables.triggers()) == 3 * len(chain.RECORDS)


WRITER = """
import asyncio, sys
from pathlib import Path
from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.records import Result, State
from cockpit.actions.command import Command, Risk
from cockpit.actions.transport import Stream
from cockpit.guard.judge import Decision
from cockpit.targets import Target

async def work(log, who):
    for turn in range(200):
        command = Command(argv=(who, str(turn)), target=Target(name="local"), actor=who)
        action = await log.begin(command, Risk.READ, Decision.RUN)
        await log.output(action, Stream.STDOUT, f"{who}-{turn}\\n".encode())
        await log.finish(action, Result(state=State.DONE, exit_status=0))

log = ActionLog.open(Path(sys.argv[1]), busy_s=60)
asyncio.run(work(log, sys.argv[2]))
log.close()
"""


@pytest.fixture
def workers(path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    started = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), who], stderr=subprocess.PIPE)
        for who in "abcd"
    ]
    yield started
    for worker in started:
        worker.kill()


def test_four_processes_that_write_at_once_lose_nothing(
    path: Path, workers: list[subprocess.Popen[bytes]]
) -> None:
    for worker in workers:
        _, said = worker.communicate(timeout=100)
        assert worker.returncode == 0, said.decode()
    strangers_verdict(path)
    found = ActionReader(path).list(limit=1000)
    assert {action.argv for action in found} == {(who, str(turn)) for who in "abcd" for turn in range(200)}
    assert len(found) == 800
    assert {action.state for action in found} == {State.DONE}
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("select count(*) from output").fetchone() == (800,)
