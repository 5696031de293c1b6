"""Whatever is done to a log past the cockpit, `verify` names the first row that it was done to."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from cockpit.actionlog import chain, checkpoints
from cockpit.actionlog.checkpoints import Checkpoint
from cockpit.actionlog.findings import Report
from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.records import Result, State
from cockpit.actionlog.verify import verify
from cockpit.actions.command import Command, Risk
from cockpit.actions.transport import Stream
from cockpit.errors import ActionLogError, UsageError
from cockpit.guard.judge import Decision
from cockpit.targets import Target
from tests.helpers.keys import allow, make_key, needs_ssh_keygen
from tests.helpers.old_log import old_log

COMMAND = Command(argv=("true",), target=Target(name="local"), actor="ann@desk")


async def act(log: ActionLog, turn: int) -> None:
    action = await log.begin(COMMAND, Risk.READ, Decision.RUN)
    await log.output(action, Stream.STDOUT, b"line %d\n" % turn * 40)
    await log.finish(action, Result(state=State.DONE, exit_status=turn))


async def written(path: Path, *, key: Path | None = None) -> None:
    for _ in range(3):
        log = ActionLog.open(path, signing_key=key)
        for turn in range(4):
            await act(log, turn)
        await log.note("something")
        await log.evidence("logs", "lines", b"abc" * 100)
        log.close()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "actions.db"
    asyncio.run(written(path))
    return path


@pytest.fixture
def path(tmp_path: Path, original: Path) -> Path:
    """A copy of a log, without the checkpoint that lies beside the original."""
    with closing(sqlite3.connect(original)) as db:
        db.execute("pragma wal_checkpoint(truncate)")
    return Path(shutil.copy(original, tmp_path / "actions.db"))


@contextmanager
def tampering(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a log as somebody who means it ill: with its triggers gone."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        names = [row[0] for row in db.execute("select name from sqlite_master where type = 'trigger'")]
        kept = [row[0] for row in db.execute("select sql from sqlite_master where type = 'trigger'")]
        for name in names:
            db.execute(f"drop trigger {name}")
        yield db
        for sql in kept:
            db.execute(sql)


def checked(path: Path, *elsewhere: Checkpoint, allowed_signers: Path | None = None) -> Report:
    return asyncio.run(verify(path, elsewhere=elsewhere, allowed_signers=allowed_signers))


def where(report: Report) -> tuple[str, str, int]:
    assert not report.sound
    assert report.bad is not None
    return report.bad.what, report.bad.table, report.bad.position


def test_an_untouched_log_is_sound(path: Path) -> None:
    before = path.read_bytes()
    report = checked(path)
    assert (report.sound, report.bad, report.warnings) == (True, None, ())
    assert report.records == report.position == 3 * (1 + 4 * 3 + 2 + 2)
    assert path.read_bytes() == before


@pytest.mark.parametrize("table", sorted({*chain.RECORDS} - {"approvals", "recordings", "tombstones"}))
def test_an_edited_row_is_named(path: Path, table: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        columns = [row[1] for row in db.execute(f"pragma table_info({table})")]
    for column in sorted({*columns} - {"position"}):
        copy = Path(shutil.copy(path, path.with_name(f"{column}.db")))
        with tampering(copy) as db:
            key = "action || '/' || seq" if table == "output" else "id"
            sql = f"select position, {key}, typeof({column}) from {table} limit 1 offset 1"
            position, name, kind = db.execute(sql).fetchone()
            new = {"integer": f"{column} + 1", "text": f"{column} || '-'", "blob": "x'00'", "null": "'new'"}[
                kind
            ]
            db.execute(f"update {table} set {column} = {new} where position = {position}")
            if column in ("id", "action", "seq"):
                name = db.execute(f"select {key} from {table} where position = {position}").fetchone()[0]
        report = checked(copy)
        assert where(report) == ("edited", table, position), column
        assert report.bad is not None
        assert report.bad.id == str(name)


def test_a_row_set_to_nothing_is_named(path: Path) -> None:
    with tampering(path) as db:
        position = db.execute("select position from output limit 1 offset 3").fetchone()[0]
        db.execute("update output set data = null where position = ?", [position])
    assert where(checked(path)) == ("dropped", "output", position)


@pytest.mark.parametrize("table", ["sessions", "actions", "results", "output", "session_ends", "checkpoints"])
def test_a_deleted_row_is_named(path: Path, table: str) -> None:
    with tampering(path) as db:
        position = db.execute(f"select position from {table} order by position limit 1 offset 1").fetchone()[
            0
        ]
        db.execute(f"delete from {table} where position = ?", [position])
    report = checked(path)
    what, _, at = where(report)
    assert (what, at) == ("deleted", position)
    assert "no tombstone" in str(report.bad)


def test_several_deleted_rows_and_the_first_of_all_are_named(path: Path) -> None:
    with tampering(path) as db:
        for table in chain.RECORDS:
            db.execute(f"delete from {table} where position between 1 and 5")
    report = checked(path)
    assert where(report)[::2] == ("deleted", 1)
    assert "5 positions" in str(report.bad)


def copy_row(db: sqlite3.Connection, table: str, of: int, **changes: object) -> None:
    cursor = db.execute(f"select * from {table} where position = ?", [of])
    names = [column[0] for column in cursor.description]
    row = dict(zip(names, cursor.fetchone(), strict=True)) | changes
    marks = ",".join("?" * len(row))
    db.execute(f"insert into {table} ({','.join(row)}) values ({marks})", list(row.values()))


def shift(db: sqlite3.Connection, first: int, by: int) -> None:
    """Move everything from a position on."""
    for table in chain.RECORDS:
        db.execute(f"update {table} set position = -position - {by} where position >= {first}")
        db.execute(f"update {table} set position = -position where position < 0")
    db.execute(f"update chain_head set position = position + {by}")


def test_a_row_put_between_is_named(path: Path) -> None:
    with tampering(path) as db:
        at = db.execute("select position from actions order by position limit 1 offset 5").fetchone()[0]
        shift(db, at, 1)
        copy_row(db, "actions", at + 1, id="01FORGED", position=at)
    assert where(checked(path)) == ("inserted", "actions", at)


@pytest.mark.parametrize("table", ["actions", "notes"])
def test_a_row_on_a_place_that_is_taken_is_named(path: Path, table: str) -> None:
    with tampering(path) as db:
        at = db.execute("select position from results order by position limit 1 offset 2").fetchone()[0]
        old = db.execute(f"select position from {table} limit 1").fetchone()[0]
        copy_row(db, table, old, id="01FORGED", position=at)
    what, found, _ = where(checked(path))
    assert (what, found) == ("inserted", table)


@pytest.mark.parametrize("position", [-3, 0, "x"])
def test_a_row_with_no_place_is_named(path: Path, position: object) -> None:
    with tampering(path) as db:
        old = db.execute("select position from notes limit 1").fetchone()[0]
        copy_row(db, "notes", old, id="01FORGED", position=position)
    assert where(checked(path))[:2] == ("inserted", "notes")


def test_a_row_appended_past_the_cockpit_is_named(path: Path) -> None:
    with tampering(path) as db:
        end = db.execute("select position from chain_head").fetchone()[0]
        old = db.execute("select position from notes limit 1").fetchone()[0]
        copy_row(db, "notes", old, id="01FORGED", position=end + 1)
    assert where(checked(path)) == ("inserted", "notes", end + 1)


@pytest.mark.parametrize("apart", [1, 4])
@pytest.mark.parametrize("with_hash", [False, True])
def test_rows_that_changed_places_are_named(path: Path, apart: int, with_hash: bool) -> None:
    with tampering(path) as db:
        places = [row[0] for row in db.execute("select position from results order by position")]
        one, other = (places[2], places[2 + apart])
        hashes = [
            db.execute("select hash from results where position = ?", [place]).fetchone()[0]
            for place in (one, other)
        ]
        db.execute("update results set position = 100000 where position = ?", [one])
        db.execute("update results set position = ? where position = ?", [one, other])
        db.execute("update results set position = ? where position = 100000", [other])
        if with_hash:
            db.execute("update results set hash = ? where position = ?", [hashes[0], one])
            db.execute("update results set hash = ? where position = ?", [hashes[1], other])
    report = checked(path)
    assert where(report) == ("reordered", "results", one)
    assert f"position {other}" in str(report.bad)


def test_neighbours_that_changed_places_are_named(path: Path) -> None:
    with tampering(path) as db:
        one = db.execute("select position from notes limit 1").fetchone()[0]  # evidence follows at once
        db.execute("update notes set position = ? where position = ?", [one + 1, one])
        db.execute("update evidence set position = ? where position = ?", [one, one + 1])
    assert where(checked(path)) == ("reordered", "evidence", one)


def cut_tail(path: Path, rows: int, *, tidily: bool) -> int:
    """Remove the last rows; tidily, the end of the chain is said to be there as well."""
    with tampering(path) as db:
        last: int = db.execute("select position from chain_head").fetchone()[0] - rows
        for table in chain.RECORDS:
            db.execute(f"delete from {table} where position > ?", [last])
        if tidily:
            found = [
                row
                for table in chain.RECORDS
                for row in db.execute(f"select hash from {table} where position = ?", [last])
            ]
            db.execute("update chain_head set position = ?, hash = ?", [last, found[0][0]])
    return last


def test_a_tail_that_was_cut_off_is_missed(path: Path) -> None:
    last = cut_tail(path, 3, tidily=False)
    assert where(checked(path)) == ("truncated", "", last + 1)


def test_a_tail_that_was_cut_off_tidily_is_missed_by_a_checkpoint(
    path: Path, original: Path, tmp_path: Path
) -> None:
    last = cut_tail(path, 7, tidily=True)
    assert checked(path).sound, "without a checkpoint nobody can tell"
    kept = checkpoints.read(checkpoints.beside(original))
    assert where(checked(path, kept)) == ("truncated", "", last + 1)
    shutil.copy(checkpoints.beside(original), checkpoints.beside(path))
    assert where(checked(path)) == ("truncated", "", last + 1)


def rebuild(path: Path) -> None:
    """Edit a row, and make the whole chain anew so that it fits."""
    with tampering(path) as db:
        db.row_factory = sqlite3.Row
        db.execute("update results set exit_status = 99 where id = (select min(id) from results)")
        rows = [
            (row["position"], table, dict(row))
            for table in chain.RECORDS
            for row in db.execute(f"select * from {table}")
        ]
        hashes, last = {0: chain.GENESIS}, chain.GENESIS
        for position, table, row in sorted(rows, key=lambda found: found[0]):
            if table == "checkpoints":
                row["of_hash"], old = hashes[row["of_position"]], row["of_hash"]
                row["statement"] = row["statement"].replace(old, row["of_hash"])
                values = [row["of_hash"], row["statement"], position]
                db.execute("update checkpoints set of_hash = ?, statement = ? where position = ?", values)
            last = hashes[position] = chain.link(last, table, row)
            db.execute(f"update {table} set hash = ? where position = ?", [last, position])
        db.execute("update chain_head set hash = ?", [last])


def test_a_chain_that_was_rebuilt_is_found_by_a_checkpoint(path: Path, original: Path) -> None:
    rebuild(path)
    assert checked(path).sound, "without a checkpoint nobody can tell"
    kept = checkpoints.read(checkpoints.beside(original))
    assert where(checked(path, kept)) == ("rebuilt", "", kept.position)


@needs_ssh_keygen
def test_a_chain_that_was_rebuilt_has_no_signature(tmp_path: Path) -> None:
    key = make_key(tmp_path, "ann")
    allowed = allow(tmp_path, ann=key)
    path = tmp_path / "actions.db"
    asyncio.run(written(path, key=key))
    checkpoints.beside(path).unlink()
    report = checked(path, allowed_signers=allowed)
    assert (report.sound, report.signed_by, report.signed_until) == (
        True,
        "ann@example.com",
        report.position - 1,
    )
    assert checked(path).warnings == ("no signature was checked: no allowed_signers is configured",)
    rebuild(path)
    assert where(checked(path, allowed_signers=allowed))[0] == "forged"
    stranger = allow(tmp_path, bob=make_key(tmp_path, "bob"))
    report = checked(path, allowed_signers=stranger)
    assert report.signed_by is None
    assert "allowed to sign" in report.warnings[0]


def test_another_logs_checkpoint_does_not_fit(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "actions.db"
    asyncio.run(written(other))
    assert where(checked(path, checkpoints.read(checkpoints.beside(other))))[0] == "rebuilt"


def test_triggers_that_are_gone_are_told(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("drop trigger actions_no_delete")
    report = checked(path)
    assert report.sound
    assert "actions_no_delete" in report.warnings[0]


def test_an_old_log_is_sound_and_says_how_old(tmp_path: Path) -> None:
    path = tmp_path / "actions.db"
    old_log(path)
    with pytest.raises(ActionLogError, match="no hash chain yet"):
        checked(path)
    ActionLog.open(path).close()
    report = checked(path)
    assert report.sound
    [stone] = report.tombstones
    assert (stone.kind, stone.counts) == ("migration", {"records": 13})


@pytest.mark.parametrize("content", [b"no database " * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_what_is_no_log_is_unreadable(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "actions.db"
    with pytest.raises(ActionLogError):
        checked(path)
    path.write_bytes(content)
    with pytest.raises(ActionLogError):
        checked(path)


def test_a_log_can_be_verified_while_it_is_written(path: Path) -> None:
    async def both() -> None:
        log = ActionLog.open(path)
        for turn in range(20):
            await act(log, turn)
            assert (await verify(path)).sound
        log.close()

    asyncio.run(both())
    assert checked(path).sound


def test_a_session_that_ends_meanwhile_is_no_truncated_log(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = checkpoints.read

    def read_late(file: Path) -> Checkpoint:
        ActionLog.open(path).close()
        return read(file)

    monkeypatch.setattr(checkpoints, "read", read_late)
    report = checked(path)
    assert report.sound, report.bad


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[" * 100_000, '{"statement": 3}', "cockpit action log checkpoint 1\nposition x\n", "\xff"],
)
def test_what_is_no_checkpoint_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="no checkpoint"):
        checkpoints.parse(text)


async def test_a_checkpoint_is_read_as_it_is_printed(tmp_path: Path) -> None:
    from cockpit.verbs.showing import as_json

    log = ActionLog.open(tmp_path / "actions.db")
    made = await log.checkpoint()
    log.close()
    for text in (made.text(), as_json(made)):
        again = checkpoints.parse(text)
        assert (again.statement, again.position, again.hash) == (made.statement, made.position, made.hash)
    assert "not signed" in made.text()
