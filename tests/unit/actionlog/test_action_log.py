"""The action log: intents, results and output that stay as they were written."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import Result, State
from cockpit.actions.command import Command, Origin, Risk
from cockpit.actions.transport import Stream
from cockpit.errors import ActionLogError, UsageError
from cockpit.guard.judge import Decision
from cockpit.signals import rfc3339
from cockpit.targets import Environment, Target

DONE = Result(state=State.DONE, exit_status=0)


def command(*argv: str, incident: str = "", target: str = "local") -> Command:
    place = Target(name=target, environment=Environment.STAGING)
    return Command(argv=argv or ("true",), target=place, actor="ann@desk", incident=incident)


async def begin(log: ActionLog, asked: Command | None = None) -> str:
    return await log.begin(asked or command(), Risk.UNKNOWN, Decision.RUN, ("because",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "actions.db"


@pytest.fixture
def log(path: Path) -> Iterator[ActionLog]:
    opened = ActionLog.open(path, busy_s=0.3)
    yield opened
    opened.close()


async def test_an_action_holds_what_was_asked_and_what_came_of_it(log: ActionLog, path: Path) -> None:
    asked = Command(
        argv=("sh", "-c", "echo hi"),
        shell="echo hi",
        target=Target(name="local", environment=Environment.STAGING),
        actor="ann@desk",
        cwd="/tmp",
        reason="to see",
        ticket="CHG-1",
        incident="INC-2",
        origin=Origin.PANE,
    )
    action = await log.begin(asked, Risk.READ, Decision.RUN, ("echo reads",))
    await log.output(action, Stream.STDOUT, b"hi\n")
    await log.output(action, Stream.STDERR, b"\xff\x00")
    await log.finish(action, Result(state=State.FAILED, exit_status=3, error="odd"))
    found = await log.show(action)
    assert (found.argv, found.shell, found.cwd) == (("sh", "-c", "echo hi"), "echo hi", "/tmp")
    assert (found.actor, found.reason, found.ticket, found.incident) == (
        "ann@desk",
        "to see",
        "CHG-1",
        "INC-2",
    )
    assert (found.target, found.environment, found.origin) == ("local", "staging", "pane")
    assert (found.risk, found.decision, found.reasons) == ("read", "run", ("echo reads",))
    assert (found.state, found.exit_status, found.signal, found.error) == (State.FAILED, 3, None, "odd")
    assert found.output_sha256 == hashlib.sha256(b"hi\n\xff\x00").hexdigest()
    assert (found.output_bytes, found.output_kept, found.output_cut) == (5, 5, 0)
    assert found.session == log.session
    assert found.ended_at is not None
    assert found.started_at < found.ended_at
    assert [(chunk.stream, chunk.data) for chunk in ActionReader(path).output(action)] == [
        (Stream.STDOUT, b"hi\n"),
        (Stream.STDERR, b"\xff\x00"),
    ]


async def test_an_argument_that_is_no_utf8_comes_back_as_it_was(log: ActionLog) -> None:
    odd = os.fsdecode(b"a\xffb")
    action = await begin(log, Command(argv=("ls", odd, "новый\n"), target=Target(name=odd), actor="ann"))
    found = await log.show(action)
    assert found.argv == ("ls", odd, "новый\n")
    assert found.target == "a\ufffdb"


async def test_rows_are_only_ever_added(log: ActionLog, path: Path) -> None:
    statements: list[str] = []
    log._writer._db.conn.set_trace_callback(statements.append)
    action = await begin(log)
    await log.output(action, Stream.STDOUT, b"x")
    await log.finish(action, DONE)
    words = {statement.split()[0].lower() for statement in statements}
    assert "insert" in words
    assert not words & {"delete", "replace"}
    changed = {statement.split()[1] for statement in statements if statement.lower().startswith("update")}
    assert changed == {"chain_head"}


async def test_output_beyond_the_bound_is_counted_and_hashed(path: Path) -> None:
    log = ActionLog.open(path, keep=10)
    action = await begin(log)
    for piece in (b"12345678", b"90abc", b"def"):
        await log.output(action, Stream.STDOUT, piece)
    await log.finish(action, DONE)
    found = await log.show(action)
    assert (found.output_bytes, found.output_kept, found.output_cut) == (16, 10, 6)
    assert found.output_sha256 == hashlib.sha256(b"1234567890abcdef").hexdigest()
    assert b"".join(chunk.data for chunk in ActionReader(path).output(action)) == b"1234567890"
    log.close()


async def test_lists_newest_first_by_filter(log: ActionLog) -> None:
    first = await begin(log, command("one", incident="INC-1"))
    second = await begin(log, command("two", target="other"))
    third = await begin(log, command("three", incident="INC-1"))
    await log.finish(second, Result(state=State.FAILED, exit_status=1))
    assert [action.id for action in await log.list()] == [third, second, first]
    assert [action.id for action in await log.list(limit=1)] == [third]
    assert [action.id for action in await log.list(incident="INC-1")] == [third, first]
    assert [action.id for action in await log.list(target="other")] == [second]
    assert [action.id for action in await log.list(state="failed")] == [second]
    assert [action.id for action in await log.list(state="running", limit=1)] == [third]
    assert not await log.list(state="interrupted")
    assert len(await log.list(session=log.session[:20])) == 3
    assert not await log.list(session="7ZZZ")


async def test_shows_by_the_beginning_of_an_id(log: ActionLog) -> None:
    first, second = await begin(log), await begin(log)
    shared = first[:8]
    assert second.startswith(shared)
    assert (await log.show(second.lower())).id == second
    with pytest.raises(UsageError, match="more than one"):
        await log.show(shared)
    for unknown in ("zzz", "", "  "):
        with pytest.raises(UsageError, match="begins with"):
            await log.show(unknown)


async def test_a_reader_finds_nothing_where_nothing_was_written(path: Path) -> None:
    reader = ActionReader(path)
    assert not reader.list()
    with pytest.raises(UsageError):
        reader.show("01")
    assert not path.parent.exists()


async def test_only_the_owner_may_read_it(path: Path, log: ActionLog) -> None:
    await begin(log)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    files = [found for found in path.parent.rglob("*") if found.is_file()]
    assert len(files) >= 4  # the file, its write-ahead log, the redactor's key, this session's lock
    assert {stat.S_IMODE(found.stat().st_mode) for found in files} == {0o600}


async def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    path.parent.mkdir()
    path.touch(0o644)
    ActionLog.open(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_commit_waits_for_the_disk(log: ActionLog) -> None:
    await log.finish(await begin(log), DONE)

    def pragmas() -> list[object]:
        names = ("journal_mode", "synchronous")
        return [log._writer._db.execute(f"pragma {name}").fetchone()[0] for name in names]

    assert await log._writer.run(lambda _: pragmas()) == ["wal", 2]


async def test_the_loop_runs_on_while_another_process_holds_the_file(path: Path, log: ActionLog) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    turns = 0
    writing = asyncio.ensure_future(begin(log))
    while not writing.done():
        await asyncio.sleep(0.01)
        turns += 1
    with pytest.raises(ActionLogError, match="locked") as caught:
        await writing
    assert caught.value.remedy
    assert turns > 10
    other.execute("rollback")
    other.close()
    await log.finish(await begin(log), DONE)


async def test_a_result_that_failed_is_written_later(path: Path, log: ActionLog) -> None:
    action = await begin(log)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(ActionLogError):
        await log.finish(action, DONE)
    other.close()
    assert (await log.show(action)).state is State.RUNNING
    await begin(log)
    assert (await log.show(action)).state is State.DONE


async def test_a_full_disk_is_an_error_and_what_was_kept_stays(path: Path, log: ActionLog) -> None:
    action = await begin(log)
    await log.output(action, Stream.STDOUT, b"kept\n")
    while not list(ActionReader(path).output(action)):
        await asyncio.sleep(0.02)
    db = log._writer._db
    db.execute(f"pragma max_page_count = {db.execute('pragma page_count').fetchone()[0]}")
    await log.output(action, Stream.STDOUT, os.urandom(100_000).replace(b"\n", b" ") + b"\n")
    await asyncio.sleep(0.3)
    with pytest.raises(ActionLogError, match="full"):
        await log.output(action, Stream.STDOUT, b"after")
    await log.finish(action, DONE)
    found = await log.show(action)
    assert (found.output_bytes, found.output_kept, found.output_cut) == (100_011, 5, 100_006)
    assert [chunk.data for chunk in ActionReader(path).output(action)] == [b"kept\n"]


@pytest.mark.parametrize(
    "content", [b"this is no database at all, " * 40, b"SQLite format 3\0" + b"\xff" * 4096]
)
async def test_a_damaged_file_is_an_error_and_stays_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ActionLogError) as caught:
        ActionLog.open(path)
    assert str(path) in str(caught.value)
    assert "aside" in caught.value.remedy
    assert path.read_bytes() == content
    with pytest.raises(ActionLogError):
        ActionReader(path).list()


async def test_a_place_that_can_be_no_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ActionLogError) as caught:
        ActionLog.open(tmp_path / "file" / "actions.db")
    assert caught.value.exit_status == 4
    assert caught.value.remedy


async def test_a_newer_cockpits_file_is_left_alone(path: Path) -> None:
    ActionLog.open(path).close()
    with sqlite3.connect(path) as db:
        db.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at) values ('actionlog', 'later', 'x')"
        )
    db.close()
    with pytest.raises(ActionLogError, match="newer cockpit"):
        ActionLog.open(path)


async def test_opening_again_keeps_everything(path: Path) -> None:
    log = ActionLog.open(path)
    action = await begin(log)
    await log.finish(action, DONE)
    log.close()
    again = ActionLog.open(path)
    assert again.interrupted == []
    assert (await again.show(action)).state is State.DONE
    assert again.session > log.session
    again.close()


async def test_a_closed_log_takes_nothing_more(path: Path) -> None:
    log = ActionLog.open(path)
    log.close()
    log.close()
    with pytest.raises(ActionLogError, match="closed"):
        await begin(log)


async def test_an_action_that_outlives_its_log_is_told(path: Path) -> None:
    log = ActionLog.open(path)
    action = await begin(log)
    log.close()
    for late in (log.output(action, Stream.STDOUT, b"x"), log.finish(action, DONE)):
        with pytest.raises(ActionLogError, match="closed"):
            await late


async def test_a_lock_that_a_killed_start_left_is_swept_away(path: Path) -> None:
    ActionLog.open(path).close()
    stray = path.parent / "sessions" / "01ARYZ6S41TSV4RRFFQ69G5FAV.lock"
    stray.touch()
    log = ActionLog.open(path)
    assert [lock.stem for lock in stray.parent.iterdir()] == [log.session]
    log.close()


async def test_an_open_action_of_a_live_session_is_running(path: Path, log: ActionLog) -> None:
    action = await begin(log)
    other = ActionLog.open(path)
    assert other.interrupted == []
    assert (await other.show(action)).state is State.RUNNING
    other.close()


async def test_an_open_action_of_a_dead_session_is_interrupted(path: Path) -> None:
    dead = ActionLog.open(path)
    action = await begin(dead)
    await dead.output(action, Stream.STDOUT, b"half")
    dead.close()  # with its action still open, as a process that was killed leaves it
    shown = ActionReader(path).show(action)
    assert (shown.state, shown.ended_at) == (State.INTERRUPTED, None)
    log = ActionLog.open(path)
    assert log.interrupted == [action]
    recorded = await log.show(action)
    assert (recorded.state, recorded.ended_at, recorded.exit_status) == (State.INTERRUPTED, None, None)
    assert recorded.output_sha256 == hashlib.sha256(b"half").hexdigest()
    assert [found.id for found in await log.list(state="interrupted")] == [action]
    log.close()
    after = ActionLog.open(path)
    assert after.interrupted == []
    after.close()
    assert not list((path.parent / "sessions").iterdir())


async def test_a_result_after_all_counts_more_than_interrupted(path: Path, log: ActionLog) -> None:
    action = await begin(log)
    (path.parent / "sessions" / f"{log.session}.lock").unlink()
    other = ActionLog.open(path)
    assert other.interrupted == [action]
    other.close()
    await log.finish(action, DONE)
    assert (await log.show(action)).state is State.DONE


async def test_a_file_in_a_folder_that_is_not_writable_can_be_read(path: Path) -> None:
    log = ActionLog.open(path)
    action = await begin(log)
    await log.finish(action, DONE)
    log.close()
    path.parent.chmod(0o500)
    code = (
        "import sys; from pathlib import Path; from cockpit.actionlog.reader import ActionReader\n"
        "print(ActionReader(Path(sys.argv[1])).list()[0].id)"
    )
    limited = ["setpriv", "--bounding-set", "-dac_override"] if os.geteuid() == 0 else []
    answer = subprocess.run(
        [*limited, sys.executable, "-c", code, str(path)], capture_output=True, timeout=20
    )
    path.parent.chmod(0o700)
    assert answer.stdout.decode().strip() == action, answer.stderr


async def test_many_sessions_in_threads_lose_nothing(path: Path) -> None:
    def work(number: int) -> None:
        async def act() -> None:
            log = ActionLog.open(path)
            for turn in range(10):
                action = await begin(log, command(f"{number}-{turn}"))
                await log.output(action, Stream.STDOUT, b"%d" % turn)
                await log.finish(action, DONE)
            log.close()

        asyncio.run(act())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    found = ActionReader(path).list(limit=100)
    assert {action.argv[0] for action in found} == {f"{n}-{t}" for n in range(4) for t in range(10)}
    assert {(action.state, action.output_bytes) for action in found} == {(State.DONE, 1)}


def test_importing_it_imports_nothing_heavy() -> None:
    code = (
        "import sys, cockpit.actionlog.log, cockpit.actionlog.reader, cockpit.actionlog.schema, "
        "cockpit.actions.executor, cockpit.actions.local, cockpit.actions.source, "
        "cockpit.verbs.run, cockpit.verbs.log\n"
        "print([name for name in ('sqlite_utils', 'sqlite3', 'psutil', 'textual') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_times_are_rfc3339_to_the_nanosecond() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000000000Z"
    assert rfc3339(1_767_323_045_000_000_006) == "2026-01-02T03:04:05.000000006Z"
    assert rfc3339(time.time_ns()) < rfc3339(time.time_ns() + 1000)
