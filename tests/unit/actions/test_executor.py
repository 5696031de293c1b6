"""The one door: recorded before, shown and kept as it comes, recorded after, however it ends."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import Action, State
from cockpit.actions.command import Command, Risk
from cockpit.actions.executor import Ended, Executor
from cockpit.actions.local import LocalTransport
from cockpit.actions.source import SourceTransport
from cockpit.actions.transport import Stream
from cockpit.errors import ActionLogError, CommandError, Refused, SourceError
from cockpit.guard.judge import Assessment, Decision
from cockpit.targets import Target
from tests.helpers.judges import Lenient

HERE = Target(name="local")


def command(*argv: str) -> Command:
    return Command(argv=argv, target=HERE, actor="ann@desk")


def shell(line: str) -> Command:
    return command("sh", "-c", line)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ActionLog]:
    opened = ActionLog.open(tmp_path / "actions.db", busy_s=0.3)
    yield opened
    opened.close()


@pytest.fixture
def executor(log: ActionLog) -> Executor:
    return Executor(log, {"local": LocalTransport()}, judge=Lenient(), grace_s=0.5)


def kept(log: ActionLog, action: str) -> bytes:
    return b"".join(chunk.data for chunk in ActionReader(log.path).output(action))


async def only(log: ActionLog) -> Action:
    [action] = await log.list()
    return action


class Shown:
    """What an operator would see."""

    def __init__(self) -> None:
        self.text = b""
        self.came = asyncio.Event()

    async def __call__(self, _stream: Stream, data: bytes) -> None:
        self.text += data
        self.came.set()


async def test_runs_shows_and_records(log: ActionLog, executor: Executor) -> None:
    shown = Shown()
    begun: list[str] = []
    ends: list[Ended] = []
    ended = await executor.run(
        shell("echo out; echo err >&2; exit 5"), on_output=shown, on_begin=begun.append, on_end=ends.append
    )
    assert sorted(shown.text.split()) == [b"err", b"out"]
    assert (ended.state, ended.exit_status, ended.signal, ended.log_error) == (State.FAILED, 5, None, None)
    assert begun == [ended.action]
    assert ends == [ended]
    action = await log.show(ended.action)
    assert (action.state, action.exit_status) == (State.FAILED, 5)
    assert (action.risk, action.decision, action.reasons) == ("unknown", "run", ("nothing was judged",))
    assert kept(log, ended.action) == shown.text


async def test_the_intent_is_there_before_the_command_is(log: ActionLog, executor: Executor) -> None:
    line = (
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]);"
        "print(db.execute('select count(*) from actions').fetchone()[0],"
        "db.execute('select count(*) from results').fetchone()[0])"
    )
    shown = Shown()
    await executor.run(command("python3", "-c", line, str(log.path)), on_output=shown)
    assert shown.text == b"1 0\n"


async def test_nothing_runs_without_a_record(tmp_path: Path, log: ActionLog, executor: Executor) -> None:
    other = sqlite3.connect(log.path, isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(ActionLogError):
        await executor.run(command("touch", str(tmp_path / "ran")))
    other.close()
    assert not (tmp_path / "ran").exists()


async def test_what_can_not_be_started_is_recorded(log: ActionLog, executor: Executor) -> None:
    with pytest.raises(CommandError, match="not found"):
        await executor.run(command("no-such-program-here"))
    action = await only(log)
    assert (action.state, action.exit_status) == (State.FAILED, None)
    assert "not found" in (action.error or "")


async def test_a_target_that_no_way_leads_to_is_an_error(log: ActionLog, executor: Executor) -> None:
    with pytest.raises(CommandError, match="telepathy"):
        await executor.run(
            Command(argv=("true",), target=Target(name="x", transport="telepathy"), actor="ann")
        )
    assert not await log.list()


class Judged:
    """Decides the same about everything."""

    def __init__(self, decision: Decision) -> None:
        self.decision = decision

    def assess(self, command: Command) -> Assessment:
        return Assessment(
            risk=Risk.DESTRUCTIVE,
            decision=self.decision,
            reasons=("rm removes",),
            requires=("a second person",),
        )


@pytest.mark.parametrize("decision", [Decision.DENY, Decision.CONFIRM, Decision.APPROVE])
async def test_only_a_decision_to_run_lets_it_run(tmp_path: Path, log: ActionLog, decision: Decision) -> None:
    executor = Executor(log, {"local": LocalTransport()}, judge=Judged(decision))
    with pytest.raises(Refused, match="second person") as caught:
        await executor.run(command("touch", str(tmp_path / "ran")))
    assert caught.value.exit_status == 3
    assert not (tmp_path / "ran").exists()
    action = await only(log)
    assert (action.state, action.decision, action.risk) == (State.DENIED, decision.value, "destructive")
    assert action.reasons == ("rm removes",)


async def cancelled(executor: Executor, asked: Command, *, times: int = 1) -> tuple[Ended, bytes, float]:
    """Run a command, cancel it once it has said something, and return how that ended."""
    shown = Shown()
    ends: list[Ended] = []
    task = asyncio.create_task(executor.run(asked, on_output=shown, on_end=ends.append))
    await shown.came.wait()
    began = time.monotonic()
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0.05)
    with pytest.raises(asyncio.CancelledError):
        await task
    return ends[0], shown.text, time.monotonic() - began


async def test_cancelling_stops_and_records(log: ActionLog, executor: Executor) -> None:
    ended, _, took = await cancelled(executor, shell("echo ready; exec sleep 60"))
    assert (ended.state, ended.signal) == (State.CANCELLED, "SIGTERM")
    assert took < 0.4
    action = await log.show(ended.action)
    assert (action.state, action.signal, action.error) == (
        State.CANCELLED,
        "SIGTERM",
        "stopped by the operator",
    )


async def test_last_words_are_kept(log: ActionLog, executor: Executor) -> None:
    line = "trap 'echo cleaned up; exit 9' TERM; echo ready; while :; do sleep 0.05; done"
    ended, shown, _ = await cancelled(executor, shell(line))
    assert (ended.state, ended.exit_status) == (State.CANCELLED, 9)
    assert shown.startswith(b"ready\n")
    assert b"cleaned up\n" in shown
    assert kept(log, ended.action) == shown


async def test_what_will_not_end_is_killed_after_the_grace(executor: Executor) -> None:
    ended, _, took = await cancelled(
        executor, shell("trap '' TERM; echo ready; while :; do sleep 0.05; done")
    )
    assert (ended.state, ended.signal) == (State.CANCELLED, "SIGKILL")
    assert 0.5 <= took < 1.5


async def test_a_second_cancel_kills_at_once(log: ActionLog) -> None:
    executor = Executor(log, {"local": LocalTransport()}, judge=Lenient(), grace_s=30)
    ended, _, took = await cancelled(
        executor, shell("trap '' TERM; echo ready; while :; do sleep 0.05; done"), times=2
    )
    assert (ended.state, ended.signal) == (State.CANCELLED, "SIGKILL")
    assert took < 2


async def test_cancelled_before_its_intent_is_written(
    tmp_path: Path, log: ActionLog, executor: Executor
) -> None:
    task = asyncio.create_task(executor.run(command("touch", str(tmp_path / "ran"))))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not (tmp_path / "ran").exists()
    assert {(action.state, action.error) for action in await log.list()} <= {
        (State.CANCELLED, "stopped before it started")
    }


async def test_output_that_can_not_be_shown_stops_the_command(log: ActionLog, executor: Executor) -> None:
    async def gone(_stream: Stream, _data: bytes) -> None:
        raise BrokenPipeError("nobody reads")

    with pytest.raises(BrokenPipeError):
        await executor.run(command("yes"), on_output=gone)
    action = await only(log)
    assert (action.state, action.signal) == (State.CANCELLED, "SIGTERM")
    assert "nobody reads" in (action.error or "")


async def test_a_viewer_that_hangs_does_not_keep_a_command_from_being_stopped(log: ActionLog) -> None:
    executor = Executor(log, {"local": LocalTransport()}, judge=Lenient(), grace_s=30)
    hanging = asyncio.Event()

    async def hang(_stream: Stream, _data: bytes) -> None:
        hanging.set()
        await asyncio.Event().wait()

    ends: list[Ended] = []
    task = asyncio.create_task(executor.run(command("yes"), on_output=hang, on_end=ends.append))
    await hanging.wait()
    task.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 3
    assert ends[0].state is State.CANCELLED


async def test_a_log_that_fails_in_mid_command_is_told_and_the_command_runs_on(
    tmp_path: Path, log: ActionLog, executor: Executor
) -> None:
    line = f"echo one; while [ ! -e {tmp_path}/go ]; do sleep 0.02; done; echo two; echo three; touch {tmp_path}/ran"
    shown = Shown()
    task = asyncio.create_task(executor.run(shell(line), on_output=shown))
    await shown.came.wait()
    while not kept(log, (await only(log)).id):
        await asyncio.sleep(0.02)
    other = sqlite3.connect(log.path, isolation_level=None)
    other.execute("begin immediate")
    (tmp_path / "go").touch()
    ended = await task
    other.close()
    assert (tmp_path / "ran").exists()
    assert (ended.state, ended.exit_status) == (State.DONE, 0)
    assert ended.log_error is not None
    assert "locked" in str(ended.log_error)
    assert shown.text == b"one\ntwo\nthree\n"
    await executor.run(command("true"))  # pays what is due
    action = await log.show(ended.action)
    assert (action.state, action.output_bytes, action.output_kept) == (State.DONE, 14, 4)


async def test_big_and_binary_output_is_whole(log: ActionLog, executor: Executor) -> None:
    code = "import os,sys; [sys.stdout.buffer.write(bytes(range(256)) * 64) for _ in range(256)]"
    ended = await executor.run(command("python3", "-c", code))
    action = await log.show(ended.action)
    assert (action.output_bytes, action.output_cut) == (4 << 20, 0)
    assert kept(log, ended.action) == bytes(range(256)) * 64 * 256


async def test_secrets_are_shown_and_not_kept(log: ActionLog, executor: Executor) -> None:
    token = "ghp_" + "a1B2" * 9
    shown = Shown()
    line = f"printf 'one {token[:9]}'; sleep 0.15; printf '{token[9:]} two\nPASSWORD=hunter2 last'"
    ended = await executor.run(command("sh", "-c", line), on_output=shown)
    assert shown.text == f"one {token} two\nPASSWORD=hunter2 last".encode()
    assert kept(log, ended.action) == b"one [redacted:github-token] two\nPASSWORD=[redacted:password] last"
    found = await log.show(ended.action)
    assert "hunter2" not in str(found.argv)
    assert found.redacted >= 3


async def test_commands_run_side_by_side(log: ActionLog, executor: Executor) -> None:
    ends = await asyncio.gather(*(executor.run(shell(f"sleep 0.1; echo {n}; exit {n}")) for n in range(8)))
    assert [ended.exit_status for ended in ends] == list(range(8))
    assert [kept(log, ended.action) for ended in ends] == [b"%d\n" % n for n in range(8)]


async def test_an_action_of_a_source_is_a_command_like_any_other(log: ActionLog) -> None:
    asked: list[tuple[str, str, tuple[str, ...]]] = []

    async def ask(source: str, method: str, argv: Sequence[str]) -> str:
        asked.append((source, method, tuple(argv)))
        if argv[0] == "expire":
            raise SourceError("no such silence", where=source)
        if argv[0] == "break":
            raise ValueError("a mistake in the plugin")
        if argv[0] == "hang":
            await asyncio.Event().wait()
        return "silence 42"

    executor = Executor(log, {"source": SourceTransport(ask)}, judge=Lenient(), grace_s=0.2)
    target = Target(name="am", transport="source")
    made = await executor.run(Command(argv=("silence", "a=b"), target=target, actor="ann"))
    assert (made.state, made.exit_status, kept(log, made.action)) == (State.DONE, 0, b"silence 42\n")
    lost = await executor.run(Command(argv=("expire", "7"), target=target, actor="ann"))
    assert (lost.state, lost.exit_status, kept(log, lost.action)) == (
        State.FAILED,
        1,
        b"am: no such silence\n",
    )
    assert asked == [("am", "act", ("silence", "a=b")), ("am", "act", ("expire", "7"))]
    odd = await executor.run(Command(argv=("break",), target=target, actor="ann"))
    assert odd.state is State.UNKNOWN_OUTCOME
    assert "a mistake in the plugin" in (odd.error or "")
    task = asyncio.create_task(executor.run(Command(argv=("hang",), target=target, actor="ann")))
    while len(asked) < 4:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    newest = (await log.list(limit=1))[0]
    assert newest.state is State.UNKNOWN_OUTCOME
    assert "not awaited" in (newest.error or "")
