"""Pruning removes what it says and nothing else, leaves a tombstone, and the chain still verifies."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from cockpit.actionlog import checkpoints
from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.verify import verify
from cockpit.errors import ActionLogError, SignatureError
from tests.helpers.keys import allow, make_key, needs_ssh_keygen
from tests.unit.actionlog.test_verify import act, tampering, where, written

NOW = 2**62


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "actions.db"


def rows(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as db:
        count: int = db.execute(f"select count(*) from {table}").fetchone()[0]
        return count


async def test_old_sessions_go_whole_and_the_chain_verifies(path: Path) -> None:
    await written(path)
    kept = checkpoints.read(checkpoints.beside(path))
    between = time.time_ns()
    await written(path)
    log = ActionLog.open(path)
    await act(log, 1)
    open_one = await log.note("of a session that runs")
    plan = await log.prune(between, reason="older than we keep, password: hunter2", dry_run=True)
    assert rows(path, "sessions") == 7
    assert plan.counts["sessions"] == 3
    await log.prune(between, reason="older than we keep, password: hunter2")
    assert [rows(path, table) for table in ("sessions", "session_ends", "notes")] == [4, 3, 4]
    assert rows(path, "actions") == 12 + 1 + 1
    report = await verify(path, elsewhere=[kept])
    assert report.sound, report.bad
    [stone] = report.tombstones
    assert (stone.kind, stone.counts["actions"], stone.counts["output"]) == ("sessions", 12, 12)
    assert stone.reason == "older than we keep, password: [redacted:password]"
    [action] = [one for one in await log.list(limit=100) if one.kind == "prune"]
    assert (action.risk, action.argv[:2]) == ("destructive", ("prune", "sessions"))
    assert (await log.prune(between, reason="again")).empty
    await log.prune(NOW, reason="all that has ended")
    assert log.reading().note(open_one).text == "of a session that runs"
    log.close()
    assert (await verify(path, elsewhere=[kept])).sound
    with closing(sqlite3.connect(path)) as db, pytest.raises(sqlite3.IntegrityError, match="never changed"):
        db.execute("delete from notes")


async def test_output_goes_and_its_records_stay(path: Path) -> None:
    await written(path)
    size = path.stat().st_size
    log = ActionLog.open(path)
    await act(log, 1)
    plan = await log.prune(NOW, reason="space", output_only=True)
    assert plan.counts["output"] == 12
    log.close()
    reader = ActionReader(path)
    newest, *older = reader.list(limit=100)[1:]
    assert b"".join(chunk.data for chunk in reader.output(newest.id)) == b"line 1\n" * 40
    assert len(older) == 12
    assert all(not list(reader.output(action.id)) for action in older)
    assert all(action.output_bytes for action in older)
    reader.close()
    assert (await verify(path)).sound
    assert path.stat().st_size < size * 2
    log = ActionLog.open(path)
    await act(log, 2)
    log.close()
    with tampering(path) as db:
        position = db.execute("select max(position) from output").fetchone()[0]
        db.execute("update output set data = null where position = ?", [position])
    assert where(await verify(path)) == ("dropped", "output", position)


async def test_what_was_pruned_is_not_on_the_disk_any_more(path: Path) -> None:
    log = ActionLog.open(path)
    await log.note("an unmistakable sentence of the first session")
    log.close()
    log = ActionLog.open(path)
    await log.prune(NOW, reason="it was asked for")
    log.close()
    for file in path.parent.glob("actions.db*"):
        assert b"unmistakable" not in file.read_bytes(), file


@needs_ssh_keygen
async def test_a_tombstone_is_signed_and_held_to(path: Path, tmp_path: Path) -> None:
    key = make_key(tmp_path, "ann")
    allowed = allow(tmp_path, ann=key)
    await written(path, key=key)
    log = ActionLog.open(path, signing_key=key)
    await log.prune(NOW, reason="old")
    log.close()
    report = await verify(path, allowed_signers=allowed)
    assert report.sound, report.bad
    assert report.tombstones[0].signed_by == "ann@example.com"


@needs_ssh_keygen
async def test_a_forged_tombstone_hides_nothing(path: Path, tmp_path: Path) -> None:
    key = make_key(tmp_path, "ann")
    allowed = allow(tmp_path, ann=key)
    await written(path, key=key)
    log = ActionLog.open(path)  # by somebody without the key
    await log.prune(NOW, reason="nothing to see here")
    log.close()
    assert (await verify(path)).sound
    assert where(await verify(path, allowed_signers=allowed))[:2] == ("forged", "tombstones")


@needs_ssh_keygen
async def test_nothing_goes_where_the_tombstone_can_not_be_signed(path: Path, tmp_path: Path) -> None:
    await written(path)
    log = ActionLog.open(path, signing_key=make_key(tmp_path, "locked", passphrase="correct-horse"))
    with pytest.raises(SignatureError, match="passphrase"):
        await log.prune(NOW, reason="old")
    assert rows(path, "sessions") == 4
    log.close()
    with closing(sqlite3.connect(path)) as db:
        remark = db.execute("select remark from checkpoints order by position desc").fetchone()[0]
    assert remark.startswith("not signed: ")
    assert "correct-horse" not in remark


async def test_a_plan_that_no_longer_fits_prunes_nothing(path: Path) -> None:
    from cockpit.actionlog import prune

    await written(path)
    log = ActionLog.open(path)
    plan = await log._writer.run(lambda db: prune.plan_sessions(db, NOW))
    row = await prune.tombstone_of(plan, reason="r", actor="a", session=log.session, before_ns=NOW, key=None)
    await log.prune(NOW, reason="somebody was faster")
    with pytest.raises(ActionLogError, match="nothing was pruned"):
        await log._writer.run(lambda db: prune.carry_out(db, plan, row))
    await log.note("goes on")
    log.close()
    assert (await verify(path)).sound


def test_the_hashes_before_and_after_are_kept(path: Path) -> None:
    asyncio.run(written(path))
    with closing(sqlite3.connect(path)) as db:
        tables = (
            "sessions",
            "session_ends",
            "actions",
            "results",
            "output",
            "notes",
            "evidence",
            "checkpoints",
        )
        hashes = {
            position: digest
            for table in tables
            for position, digest in db.execute(f"select position, hash from {table}")
        }

    async def prune() -> None:
        log = ActionLog.open(path)
        await log.prune(NOW, reason="old")
        log.close()

    asyncio.run(prune())
    with closing(sqlite3.connect(path)) as db:
        [(text,)] = db.execute("select runs from tombstones").fetchall()
    for first, last, before, after in json.loads(text):
        assert hashes.get(first - 1, "0" * 64) == before
        assert hashes[last] == after
