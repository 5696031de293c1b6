"""`cockpit log search`, `export`, `verify BUNDLE` and `replay` as a person or a script calls them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import pty
import resource
import select
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cockpit.actionlog.capture import Packer
from cockpit.actionlog.log import ActionLog
from cockpit.actions.transport import Stream
from tests.helpers.cockpit_cli import COCKPIT, actions, cockpit, environment
from tests.helpers.keys import allow, make_key, needs_ssh_keygen
from tests.helpers.log_filling import act

FORMATS = ("md", "html", "json", "jsonl", "csv", "cast", "sqlite", "tar")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def done(answer: subprocess.CompletedProcess[bytes]) -> bytes:
    assert answer.returncode == 0, answer.stderr.decode()
    return answer.stdout


def test_a_search_prints_what_holds_the_words(data_dir: Path) -> None:
    done(cockpit(data_dir, "run", "--incident", "INC-1", "--", "printf", "needle in the output"))
    done(cockpit(data_dir, "run", "--", "printf", "other"))
    done(cockpit(data_dir, "note", "--incident", "INC-1", "a needle in a note"))
    found = json.loads(done(cockpit(data_dir, "log", "search", "needle", "--json")))
    assert [one.get("record") for one in found] == ["note", None]
    assert found[1]["argv"] == ["printf", "needle in the output"]
    assert found[0]["text"] == "a needle in a note"
    lines = done(cockpit(data_dir, "log", "search", "needle", "in", "--jsonl")).splitlines()
    assert [json.loads(line) for line in lines] == found
    table = done(cockpit(data_dir, "log", "search", "needle")).decode().splitlines()
    assert table[1].endswith("a needle in a note")
    assert len(table) == 3
    only = json.loads(
        done(cockpit(data_dir, "log", "search", "needle", "--risk", "read", "--since", "1h", "--json"))
    )
    assert [one["id"] for one in only] == [one["id"] for one in actions(data_dir, "--risk", "read")][
        -len(only) :
    ]
    assert json.loads(done(cockpit(data_dir, "log", "search", "needle", "--until", "1h", "--json"))) == []
    assert [one["argv"][1] for one in actions(data_dir, "--kind", "command", "--since", "5m")] == [
        "other",
        "needle in the output",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("search", "--"), b"TEXT"),
        (("search", "..."), b"no word"),
        (("list", "--since", "yesterday"), b"no time"),
        (("list", "--kind", "odd"), b"no kind of action"),
        (("list", "--risk", "odd"), b"odd"),
        (("export",), b"--format"),
        (("export", "--format", "odd"), b"odd"),
        (("export", "--format", "md"), b"nothing is recorded"),
        (("export", "--format", "sqlite"), b"--output"),
        (("replay", "01"), b"no action begins"),
        (("replay", "01", "--speed", "0"), b"--speed"),
    ],
)
def test_wrong_usage_is_2(data_dir: Path, words: tuple[str, ...], said: bytes) -> None:
    answer = cockpit(data_dir, "log", *words)
    assert answer.returncode == 2
    assert said in answer.stderr
    assert b"Traceback" not in answer.stderr


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_is_recorded_with_what_came_of_it(data_dir: Path, tmp_path: Path, form: str) -> None:
    done(cockpit(data_dir, "run", "--incident", "INC-1", "--", "echo", "said"))
    target = tmp_path / "out"
    target.write_text("older")
    words = (
        "log",
        "export",
        "--format",
        form,
        "--incident",
        "INC-1",
        "--reason",
        "postmortem",
        "-o",
        str(target),
    )
    answer = cockpit(data_dir, *words)
    assert (done(answer), answer.stderr) == (b"", b"")
    assert target.stat().st_mode & 0o777 == 0o600
    [export, _] = actions(data_dir)
    said = [export[name] for name in ("kind", "state", "risk", "reason")]
    assert said == ["export", "done", "read", "postmortem"]
    assert export["argv"][:7] == ["cockpit", "log", "export", "--format", form, "--incident", "INC-1"]
    shown = json.loads(done(cockpit(data_dir, "log", "show", export["id"], "--output", "--json")))
    said = json.loads(shown["output"][0]["text"])
    data = target.read_bytes()
    assert said == {"file": str(target), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    if form in ("json", "jsonl", "csv", "md", "html"):
        assert b"said" in data
        piped = done(cockpit(data_dir, "log", "export", "--format", form, "--incident", "INC-1"))
        assert piped[:20] == data[:20]
    done(cockpit(data_dir, "log", "verify"))
    told = json.loads(done(cockpit(data_dir, *words, "--json")))
    assert (told["file"], told["bytes"]) == (str(target), target.stat().st_size)
    assert (told["format"], told["records"]["actions"], told["action"]) == (
        form,
        1,
        actions(data_dir)[0]["id"],
    )
    assert cockpit(data_dir, "log", "export", "--format", form, "--json").returncode == 2


def test_without_a_log_that_can_be_written_nothing_is_exported(data_dir: Path, tmp_path: Path) -> None:
    done(cockpit(data_dir, "run", "--", "true"))
    with closing(sqlite3.connect(data_dir / "actions.db", isolation_level=None)) as db:
        db.execute("begin immediate")  # another process that does not let go
        answer = cockpit(data_dir, "log", "export", "--format", "md", "-o", str(tmp_path / "x.md"))
        db.execute("rollback")
    assert answer.returncode == 4
    assert b"locked" in answer.stderr
    assert not (tmp_path / "x.md").exists()


def test_the_log_itself_is_not_written_over(data_dir: Path) -> None:
    done(cockpit(data_dir, "run", "--", "true"))
    answer = cockpit(data_dir, "log", "export", "--format", "md", "-o", str(data_dir / "actions.db"))
    assert answer.returncode == 2
    assert len(actions(data_dir)) == 1


def test_an_export_that_fails_is_recorded_so_and_leaves_nothing(data_dir: Path, tmp_path: Path) -> None:
    done(cockpit(data_dir, "run", "--", "sh", "-c", "yes | head -c 3000000"))
    before = sorted(tmp_path.iterdir())

    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    words = ("log", "export", "--format", "jsonl", "-o", str(tmp_path / "x"))
    answer = cockpit(data_dir, *words, preexec_fn=no_large_files)
    assert answer.returncode == 1
    assert b"the export can't be written: File too large" in answer.stderr
    assert sorted(tmp_path.iterdir()) == before
    assert [one["state"] for one in actions(data_dir, "--kind", "export")] == ["failed"]
    with open("/dev/full", "wb") as full:
        piped = subprocess.run(
            [*COCKPIT, *words[:-2]],
            env=environment(data_dir),
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert piped.returncode == 1
    assert b"should not have happened" not in piped.stderr
    assert [one["state"] for one in actions(data_dir, "--kind", "export")] == ["failed", "failed"]


def test_what_is_no_file_is_written_to_and_stays_what_it_is(data_dir: Path, tmp_path: Path) -> None:
    done(cockpit(data_dir, "run", "--", "echo", "said"))
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    words = [*COCKPIT, "log", "export", "--format", "jsonl", "-o", str(pipe)]
    running = subprocess.Popen(words, env=environment(data_dir), cwd=tmp_path)
    assert b"said" in pipe.read_bytes()
    assert running.wait(10) == 0
    assert pipe.is_fifo()
    (tmp_path / "real").touch()
    link.symlink_to(tmp_path / "real")
    done(cockpit(data_dir, "log", "export", "--format", "jsonl", "-o", str(link)))
    assert link.is_symlink()
    assert b"said" in (tmp_path / "real").read_bytes()
    answer = cockpit(data_dir, "log", "export", "--format", "sqlite", "-o", str(pipe))
    assert answer.returncode == 2
    assert pipe.is_fifo()


@needs_ssh_keygen
def test_a_bundle_is_verified_elsewhere(data_dir: Path, tmp_path: Path) -> None:
    key = make_key(tmp_path, "ann")
    allowed = allow(tmp_path, ann=key)
    done(cockpit(data_dir, "run", "--", "echo", "said"))
    own = tmp_path / "config" / "cockpit" / "cockpit.toml"
    config = tmp_path / "signed.toml"
    config.write_text(f'{own.read_text()}[log]\nsigning_key = "{key}"\nallowed_signers = "{allowed}"\n')
    bundle = tmp_path / "x.tar"
    done(cockpit(data_dir, "--config", str(config), "log", "export", "--format", "tar", "-o", str(bundle)))
    elsewhere = tmp_path / "elsewhere" / "data"
    answer = cockpit(elsewhere, "log", "verify", str(bundle), "--allowed-signers", str(allowed))
    assert done(answer).startswith(b"sound: ")
    assert b"signed by ann@example.com" in answer.stdout
    assert b"warning: no signature was checked" in done(cockpit(elsewhere, "log", "verify", str(bundle)))
    report = json.loads(done(cockpit(elsewhere, "log", "verify", str(bundle), "--json")))
    assert (report["sound"], report["bad"], report["left_out"]) == (True, None, 0)
    with tarfile.open(bundle, "a") as tar:
        tar.addfile(tarfile.TarInfo("extra"))
    answer = cockpit(elsewhere, "log", "verify", str(bundle))
    assert answer.returncode == 1
    assert b"NOT SOUND" in answer.stdout
    assert not elsewhere.exists()


BIG = 200 << 20
PIECE = os.urandom(64 * 1024).hex().encode() * 2


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with an action that printed 200 MB, of which the log holds every byte."""
    folder = tmp_path_factory.mktemp("big") / "data"
    log = ActionLog.open(folder / "actions.db")
    packer = Packer()

    async def fill() -> None:
        action = await act(log, "cat", "big")
        await log._writer.run(lambda db: db.execute("pragma synchronous = off"))
        for seq in range(BIG // len(PIECE)):
            row = packer.row(action, seq, [(time.time_ns(), Stream.STDOUT, PIECE)])
            await log._writer.run(lambda db, row=row: log._writer.insert(db, ("output", row)))  # type: ignore[misc]

    asyncio.run(fill())
    log.close()
    return folder


MEMORY = 40 << 20
"""Bytes that an export may need more for 200 MB of output than for none."""
PEAK = """
import resource, sys
from cockpit.cli import main
status = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, file=sys.stderr)
sys.exit(status)
"""


def peak(data_dir: Path, *words: str) -> int:
    """Run a verb and return the most memory that it held at once."""
    answer = subprocess.run(
        [sys.executable, "-c", PEAK, *words],
        env=environment(data_dir),
        capture_output=True,
        cwd=data_dir.parent,
    )
    assert answer.returncode == 0, answer.stderr
    return int(answer.stderr.splitlines()[-1])


@pytest.mark.parametrize("form", FORMATS)
def test_memory_is_bounded_whatever_is_exported(big: Path, tmp_path: Path, form: str) -> None:
    small = tmp_path / "small" / "data"
    cockpit(small, "run", "--", "echo", "x")
    least = peak(small, "log", "export", "--format", form, "-o", str(tmp_path / "small.out"))
    words = ("log", "export", "--format", form, "--kind", "command", "--no-verify")
    most = peak(big, *words, "-o", str(tmp_path / "big.out"))
    assert most - least < MEMORY, f"{most:,} against {least:,}"
    size = (tmp_path / "big.out").stat().st_size
    assert size > (BIG if form in ("json", "jsonl", "cast") else 300)
    if form in ("md", "html"):
        assert b"bytes left out" in (tmp_path / "big.out").read_bytes()
        assert size > 64 * 1024
    if form == "tar":
        assert peak(big, "log", "verify", str(tmp_path / "big.out")) - least < MEMORY
    (tmp_path / "big.out").unlink()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_no_half_file_and_is_recorded(
    big: Path, tmp_path: Path, number: int, status: int
) -> None:
    target = tmp_path / "x.jsonl"
    target.write_text("older")
    running = subprocess.Popen(
        [*COCKPIT, "log", "export", "--format", "jsonl", "-o", str(target)],
        env=environment(big),
        cwd=tmp_path,
    )
    deadline = time.monotonic() + 20
    while not any(part.stat().st_size > 1 << 20 for part in tmp_path.glob(".*.part")):
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.005)
    running.send_signal(number)
    assert running.wait(20) == status
    assert [file.name for file in tmp_path.iterdir()] == ["x.jsonl"]
    assert target.read_text() == "older"
    newest = actions(big, "--kind", "export", "--limit", "1")[0]
    assert (newest["state"], newest["signal"]) == ("cancelled", signal.Signals(number).name)


def test_an_export_to_a_reader_that_leaves_ends(big: Path, tmp_path: Path) -> None:
    running = subprocess.Popen(
        [*COCKPIT, "log", "export", "--format", "jsonl"],
        env=environment(big),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
    )
    assert running.stdout is not None
    running.stdout.read(100)
    running.stdout.close()
    assert running.wait(20) == 141


def test_progress_is_told_on_a_terminal_alone(big: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    words = [*COCKPIT, "log", "export", "--format", "jsonl", "-o", str(tmp_path / "x")]
    running = subprocess.Popen(words, env=environment(big), cwd=tmp_path, stderr=theirs)
    os.close(theirs)
    said = b"".join(read(ours))
    assert running.wait(20) == 0
    assert b"exporting [" in said
    assert b" %" in said
    assert said.endswith(b"\r\x1b[K")


def read(number: int) -> Iterator[bytes]:
    """Yield what comes from a terminal until it is closed or silent for long."""
    while select.select([number], [], [], 20)[0]:
        try:
            yield os.read(number, 65536)
        except OSError:
            break
    os.close(number)


def test_a_replay_keeps_the_pace_and_cleans_what_it_shows(data_dir: Path) -> None:
    script = r"printf 'one\n'; sleep .6; printf '\033]0;t\007\033[31mtwo\033[0m\n'; sleep .4"
    done(cockpit(data_dir, "run", "--", "sh", "-c", script))
    [action] = actions(data_dir)
    began = time.monotonic()
    assert done(cockpit(data_dir, "log", "replay", action["id"])) == b"one\ntwo\n"
    took = time.monotonic() - began
    assert took > 1.0
    began = time.monotonic()
    raw = done(
        cockpit(data_dir, "log", "replay", action["id"], "--raw", "--speed", "20", "--idle-limit", "0.1")
    )
    assert raw == b"one\n\x1b]0;t\x07\x1b[31mtwo\x1b[0m\n"
    assert time.monotonic() - began < took
    assert done(cockpit(data_dir, "log", "replay", action["id"], "--from", "3600")) == b"one\ntwo\n"
    document = json.loads(
        done(cockpit(data_dir, "log", "replay", action["id"], "--json", "--idle-limit", "0.1"))
    )
    assert [piece["text"] for piece in document["pieces"]] == ["one\n", "\x1b]0;t\x07\x1b[31mtwo\x1b[0m\n"]
    assert 0 < document["pieces"][0]["due_s"] < document["pieces"][1]["due_s"] < document["length_s"] <= 0.3
    done(cockpit(data_dir, "run", "--", "true"))
    answer = cockpit(data_dir, "log", "replay", actions(data_dir)[0]["id"])
    assert (answer.returncode, b"nothing that it printed" in answer.stderr) == (2, True)


def test_a_replay_at_a_terminal_obeys_keys(data_dir: Path) -> None:
    done(
        cockpit(
            data_dir, "run", "--", "sh", "-c", "echo first; sleep 0.3; echo second; sleep 1.2; echo third"
        )
    )
    [action] = actions(data_dir)
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [*COCKPIT, "log", "replay", action["id"]],
        env=environment(data_dir),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""

    def until(text: bytes) -> None:
        nonlocal said
        deadline = time.monotonic() + 20
        while text not in said:
            assert time.monotonic() < deadline, said
            if select.select([ours], [], [], 1)[0]:
                said += os.read(ours, 65536)
        said = said[said.index(text) + len(text) :]

    until(b"second")
    os.write(ours, b" ")
    until(b"paused")
    time.sleep(1.5)
    assert not select.select([ours], [], [], 0)[0]
    os.write(ours, b"\x1b[D")
    until(b"\x1b[2J")  # what was shown after that moment has to go
    until(b"0.0 of")
    os.write(ours, b"+ ")
    until(b"2x")
    until(b"first")
    until(b"third")
    running.wait(20)
    os.close(ours)
    assert running.returncode == 0


def test_a_replay_is_left_by_q(data_dir: Path) -> None:
    done(cockpit(data_dir, "run", "--", "sh", "-c", "echo first; sleep 1; echo second"))
    ours, theirs = pty.openpty()
    before: Any = __import__("termios").tcgetattr(theirs)
    running = subprocess.Popen(
        [*COCKPIT, "log", "replay", actions(data_dir)[0]["id"], "--speed", "0.1"],
        env=environment(data_dir),
        stdin=theirs,
        stdout=theirs,
    )
    said = b""
    while b"first" not in said:
        said += os.read(ours, 65536)
    os.write(ours, b"q")
    assert running.wait(10) == 0
    assert __import__("termios").tcgetattr(theirs) == before
    os.close(theirs)
    os.close(ours)


def test_the_limit_of_memory_is_one_that_can_be_missed() -> None:
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0
    assert MEMORY < BIG / 4
