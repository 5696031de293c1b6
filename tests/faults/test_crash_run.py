"""A crash at any moment leaves the intent, and says so; a log that can't be written lets nothing run."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.helpers.cockpit_cli import COCKPIT, actions, cockpit, environment
from tests.helpers.examples import examples

KILLS = examples(18)
AT_ONCE = 3


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    end_orphans(tmp_path)


def end_orphans(marks: Path) -> None:
    """End the commands whose cockpit was killed; each wrote its own process id."""
    for mark in marks.glob("mark-*"):
        if pid := mark.read_text().strip():
            try:
                os.killpg(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass


def start(data_dir: Path, *argv: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COCKPIT, "run", "--", *argv],
        env=environment(data_dir),
        cwd=data_dir.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.timeout(600)
def test_kill_9_at_any_moment_loses_no_intent(data_dir: Path, tmp_path: Path) -> None:
    chance = random.Random(20)
    before = time.monotonic()
    assert start(data_dir, "true").wait(20) == 0
    whole = time.monotonic() - before
    started: list[tuple[subprocess.Popen[bytes], float]] = []
    for number in range(KILLS):
        line = f"echo $$ > {tmp_path}/mark-{number:03}; echo said-{number:03}; sleep 30"
        started.append(
            (start(data_dir, "sh", "-c", line), time.monotonic() + chance.uniform(0.3, 2.5) * whole)
        )
        if len(started) == AT_ONCE:
            for running, moment in sorted(started, key=lambda pair: pair[1]):
                time.sleep(max(0.0, moment - time.monotonic()))
                running.kill()
                running.wait(10)
            started = []
    marks = {path.name[-3:] for path in tmp_path.glob("mark-*") if path.read_text()}
    assert len(marks) >= KILLS // 6, "too few commands started for this to prove anything"
    before_recovery = actions(data_dir, "--limit", "1000")
    assert start(data_dir, "true").wait(20) == 0
    recorded = actions(data_dir, "--limit", "1000")
    by_mark = {m[1]: action for action in recorded if (m := re.search(r"mark-(\d\d\d)", action["argv"][-1]))}
    assert marks <= by_mark.keys(), "a command ran that has no intent"
    assert {action["state"] for action in by_mark.values()} == {"interrupted"}
    assert {action["ended_at"] for action in by_mark.values()} == {None}
    assert {action["id"]: action["state"] for action in before_recovery}.items() <= {
        action["id"]: action["state"] for action in recorded
    }.items()
    with closing(sqlite3.connect(data_dir / "actions.db")) as db:
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert db.execute("select count(*) from results where state = 'interrupted'").fetchone()[0] == len(
            by_mark
        )
        assert db.execute("select count(*) from running_sessions").fetchone() == (0,)
    assert not list((data_dir / "sessions").iterdir())


def test_a_live_session_is_never_taken_for_a_dead_one(data_dir: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = f"echo $$ > {tmp_path}/mark-00; while [ ! -e {go} ]; do sleep 0.05; done; exit 5"
    living = start(data_dir, "sh", "-c", script)
    while not (tmp_path / "mark-00").exists():
        time.sleep(0.02)
    for _ in range(3):
        assert cockpit(data_dir, "run", "--", "true").returncode == 0
    assert actions(data_dir, "--state", "running")[0]["argv"][0] == "sh"
    os.kill(living.pid, signal.SIGSTOP)  # stopped is not dead
    assert cockpit(data_dir, "run", "--", "true").returncode == 0
    assert not actions(data_dir, "--state", "interrupted")
    os.kill(living.pid, signal.SIGCONT)
    go.touch()
    assert living.wait(10) == 5
    assert actions(data_dir, "--state", "failed")[0]["exit_status"] == 5


def test_two_processes_that_write_at_once_lose_nothing(data_dir: Path) -> None:
    code = """
import asyncio, sys
from pathlib import Path
from cockpit.actionlog.log import ActionLog
from cockpit.actions.command import Command
from cockpit.actions.executor import Executor
from cockpit.actions.local import LocalTransport
from cockpit.targets import Target
from tests.helpers.judges import Lenient

async def work(log, who):
    executor = Executor(log, {"local": LocalTransport()}, judge=Lenient())
    for turn in range(25):
        command = Command(argv=("sh", "-c", f"echo {who}-{turn}"), target=Target(name="local"), actor=who)
        ended = await executor.run(command)
        assert ended.log_error is None, ended

log = ActionLog.open(Path(sys.argv[1]))
asyncio.run(work(log, sys.argv[2]))
log.close()
"""
    path = data_dir / "actions.db"
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(path), who], stderr=subprocess.PIPE)
        for who in "abc"
    ]
    for worker in workers:
        _, said = worker.communicate(timeout=60)
        assert worker.returncode == 0, said.decode()
    recorded = actions(data_dir, "--limit", "1000")
    assert {action["argv"][-1] for action in recorded} == {f"echo {w}-{t}" for w in "abc" for t in range(25)}
    assert len(recorded) == 75
    assert {action["state"] for action in recorded} == {"done"}
    with closing(sqlite3.connect(path)) as db:
        found = {(action, bytes(data)) for action, data in db.execute("select action, data from output")}
    assert found == {(a["id"], a["argv"][-1].split()[1].encode() + b"\n") for a in recorded}


def refused(answer: subprocess.CompletedProcess[bytes], mark: Path) -> None:
    """Assert that nothing ran, and that the operator was told why and what to do."""
    assert answer.returncode == 4, answer
    assert not mark.exists()
    assert b"cockpit: " in answer.stderr
    assert b"the action log" in answer.stderr
    assert b"Traceback" not in answer.stderr
    assert b"should not have happened" not in answer.stderr


def test_a_full_disk_lets_nothing_run(data_dir: Path, tmp_path: Path) -> None:
    assert cockpit(data_dir, "run", "--", "true").returncode == 0
    for limit in (0, 4096, 16384):

        def small(limit: int = limit) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        mark = tmp_path / f"ran-{limit}"
        refused(cockpit(data_dir, "run", "--", "touch", str(mark), preexec_fn=small), mark)
    assert cockpit(data_dir, "run", "--", "true").returncode == 0
    assert [action["state"] for action in actions(data_dir, "--limit", "10")].count("done") == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
@pytest.mark.skipif(
    not shutil.which("unshare"), reason="unshare is not installed (Debian package util-linux)"
)
def test_a_disk_that_fills_in_mid_command_is_told(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    script = (
        'mount -t tmpfs -o size=600k none "$1" || exit 77; shift; '
        '"$@" run -- sh -c "head -c 3000000 /dev/urandom; echo the end"; echo "status $?" >&2; '
        '"$@" run -- touch ../ran; echo "status $?" >&2; "$@" log list --jsonl >&2'
    )
    answer = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", str(disk), *COCKPIT],
        env=environment(disk / "data"),
        cwd=disk,
        capture_output=True,
        timeout=60,
    )
    if answer.returncode == 77 or b"unshare failed" in answer.stderr:
        pytest.skip("this machine lets nobody mount")
    assert len(answer.stdout) == 3_000_000 + len("the end\n"), "the command was to run on"
    said = answer.stderr.decode()
    statuses = re.findall(r"^status (\d+)$", said, re.MULTILINE)
    assert statuses[0] == "4"
    assert "exit status 0" in said
    assert "not whole" in said
    assert "disk is full" in said
    first = json.loads(said.splitlines()[-1])
    assert first["argv"][0] == "sh"
    assert first["output_kept"] < 600_000


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
@pytest.mark.skipif(
    not shutil.which("unshare"), reason="unshare is not installed (Debian package util-linux)"
)
def test_a_disk_that_is_full_or_read_only_lets_nothing_run(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    script = """
disk=$1; shift
mount -t tmpfs -o size=2m none "$disk" || exit 77
try() { "$@"; echo "status $?" >&2; }
try "$@" run -- true
cat /dev/zero > "$disk/filler" 2>/dev/null
try "$@" run -- touch ran-full
rm "$disk/filler"
try "$@" run -- true
mount -o remount,ro none "$disk"
try "$@" run -- touch ran-read-only
try "$@" log list --jsonl
mount -o remount,rw none "$disk"
try "$@" log verify
"""
    answer = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", str(disk), *COCKPIT],
        env=environment(disk / "data"),
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
    )
    if answer.returncode == 77 or b"unshare failed" in answer.stderr:
        pytest.skip("this machine lets nobody mount")
    said = answer.stderr.decode()
    assert re.findall(r"^status (\d+)$", said, re.MULTILINE) == ["0", "4", "0", "4", "0", "0"], said
    assert not list(tmp_path.glob("ran-*"))
    assert "full" in said
    assert re.search(r"can't be (written|kept|opened)", said)
    assert answer.stdout.decode().count('"state": "done"') == 2
    assert "sound: " in answer.stdout.decode()


def test_a_folder_that_can_not_be_written_lets_nothing_run(tmp_path: Path) -> None:
    limited = ("setpriv", "--bounding-set", "-dac_override") if os.geteuid() == 0 else ()
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    mark = tmp_path / "ran"
    refused(cockpit(locked / "data", "run", "--", "touch", str(mark), prefix=limited, cwd=tmp_path), mark)
    refused(cockpit(locked, "run", "--", "touch", str(mark), prefix=limited, cwd=tmp_path), mark)


def test_a_damaged_or_locked_log_lets_nothing_run(data_dir: Path, tmp_path: Path) -> None:
    data_dir.mkdir()
    (data_dir / "actions.db").write_bytes(os.urandom(8192))
    mark = tmp_path / "ran"
    answer = cockpit(data_dir, "run", "--", "touch", str(mark))
    refused(answer, mark)
    assert b"move it aside" in answer.stderr
    (data_dir / "actions.db").unlink()
    assert cockpit(data_dir, "run", "--", "true").returncode == 0
    with closing(sqlite3.connect(data_dir / "actions.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        refused(cockpit(data_dir, "run", "--", "touch", str(mark)), mark)


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed (Debian package strace)")
def test_the_intent_is_on_the_disk_before_the_command_is_started(data_dir: Path, tmp_path: Path) -> None:
    assert cockpit(data_dir, "run", "--", "true").returncode == 0
    trace = tmp_path / "trace"
    prefix = ("strace", "-f", "-y", "-e", "trace=execve,fdatasync,fsync,pwrite64", "-o", str(trace))
    answer = cockpit(data_dir, "run", "--", "/bin/echo", "traced", prefix=prefix)
    if b"ptrace" in answer.stderr:
        pytest.skip("this machine lets nobody trace")
    calls = trace.read_text().splitlines()
    started = next(n for n, call in enumerate(calls) if 'execve("/bin/echo"' in call)
    writes = [n for n, call in enumerate(calls[:started]) if "pwrite64" in call and "actions.db-wal" in call]
    syncs = [n for n, call in enumerate(calls[:started]) if "sync(" in call and "actions.db-wal" in call]
    assert writes
    assert syncs
    assert syncs[-1] > writes[-1]
