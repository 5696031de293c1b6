"""`cockpit run` and `cockpit log` as a person or a script calls them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.helpers.cockpit_cli import COCKPIT, actions, cockpit, environment

FIELDS = {
    "id", "session", "incident", "actor", "target", "environment", "argv", "shell", "risk", "decision", "approvals",
    "started_at", "ended_at", "exit_status", "signal", "state", "output_sha256", "output_bytes", "hash",
}  # fmt: skip


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_output_and_exit_status_are_the_commands_own(data_dir: Path) -> None:
    answer = cockpit(data_dir, "run", "--", "sh", "-c", "printf 'a\\377b'; printf err >&2; exit 42")
    assert (answer.stdout, answer.stderr, answer.returncode) == (b"a\xffb", b"err", 42)


@pytest.mark.parametrize("words", [("run", "--", "echo", "-n", "--", "x"), ("run", "echo", "-n", "--", "x")])
def test_options_after_the_program_are_its_own(data_dir: Path, words: tuple[str, ...]) -> None:
    assert cockpit(data_dir, *words).stdout == b"-- x"


def test_a_signal_is_128_and_its_number(data_dir: Path) -> None:
    assert cockpit(data_dir, "run", "--", "sh", "-c", "kill -TERM $$").returncode == 128 + 15


def test_json_is_the_action_alone_and_as_log_show_prints_it(data_dir: Path) -> None:
    words = ("--incident", "INC-9", "--reason", "why", "--ticket", "CHG-3", "--confirm", "local")
    answer = cockpit(data_dir, "run", *words, "--json", "--", "sh", "-c", "echo hi; exit 1")
    assert answer.returncode == 1
    assert answer.stderr == b"hi\n"
    action = json.loads(answer.stdout)
    assert action.keys() >= FIELDS
    assert (action["state"], action["exit_status"], action["signal"]) == ("failed", 1, None)
    assert re.fullmatch(r"[0-9a-f]{64}", action["hash"])
    assert (action["incident"], action["reason"], action["ticket"]) == ("INC-9", "why", "CHG-3")
    assert (action["argv"], action["shell"], action["approvals"]) == (
        ["sh", "-c", "echo hi; exit 1"],
        None,
        [],
    )
    assert (action["output_bytes"], action["output_sha256"]) == (3, hashlib.sha256(b"hi\n").hexdigest())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", action["started_at"])
    shown = cockpit(data_dir, "log", "show", "--json", action["id"][:20])
    assert json.loads(shown.stdout) == action


def test_an_unnamed_target_is_production_and_a_named_one_is_what_it_is_named(
    data_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "cockpit.toml").write_text('[[targets]]\nname = "local"\nenvironment = "staging"\n')
    assert cockpit(data_dir, "run", "--config", str(tmp_path / "cockpit.toml"), "--", "true").returncode == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "cockpit.toml").touch()
    assert cockpit(data_dir, "run", "--", "true", cwd=elsewhere).returncode == 0
    assert [action["environment"] for action in actions(data_dir)] == ["production", "staging"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run",), b"no command"),
        (("run", "--"), b"no command"),
        (("run", "--target", "@web", "--", "true"), b"'@web'"),
        (("run", "--parallel", "101", "--", "true"), b"from 1 to 100"),
        (("run", "--json", "--jsonl", "--", "true"), b"--jsonl"),
        (("ssh",), b"HOST"),
        (("log", "show", "zz"), b"no action begins"),
        (("log", "list", "--state", "odd"), b"odd"),
        (("log", "list", "--limit", "0"), b"--limit"),
        (("log",), b"VERB"),
    ],
)
def test_wrong_usage_is_2_and_runs_nothing(data_dir: Path, words: tuple[str, ...], said: bytes) -> None:
    answer = cockpit(data_dir, *words)
    assert answer.returncode == 2
    assert said in answer.stderr
    assert b"Traceback" not in answer.stderr
    assert not actions(data_dir)


def test_a_program_that_is_not_there_is_recorded(data_dir: Path) -> None:
    answer = cockpit(data_dir, "run", "--json", "--", "no-such-program-here")
    assert answer.returncode == 1
    assert b"not found" in answer.stderr
    assert json.loads(answer.stdout)["state"] == "failed"


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_stops_the_command_and_is_recorded(data_dir: Path, number: int, status: int) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it would be ignored, and rightly
    try:
        running = subprocess.Popen(
            [*COCKPIT, "run", "--", "sh", "-c", "echo ready; exec sleep 60"],
            env=environment(data_dir),
            stdout=subprocess.PIPE,
            cwd=data_dir.parent,
        )
    finally:
        signal.signal(signal.SIGHUP, before)
    assert running.stdout is not None
    with running.stdout:
        assert running.stdout.readline() == b"ready\n"
        [during] = actions(data_dir)
        assert (during["state"], during["ended_at"]) == ("running", None)
        running.send_signal(number)
        assert running.wait(10) == status
    [action] = actions(data_dir)
    assert (action["state"], action["signal"]) == ("cancelled", "SIGTERM")


def test_a_hang_up_that_is_ignored_stays_ignored(data_dir: Path) -> None:
    running = subprocess.Popen(
        ["nohup", *COCKPIT, "run", "--", "sh", "-c", "echo ready; sleep 0.5; exit 6"],
        env=environment(data_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=data_dir.parent,
    )
    assert running.stdout is not None
    with running.stdout:
        assert running.stdout.readline() == b"ready\n"
        running.send_signal(signal.SIGHUP)
        assert running.wait(10) == 6


def test_a_reader_that_leaves_stops_the_command(data_dir: Path) -> None:
    running = subprocess.Popen(
        [*COCKPIT, "run", "--", "yes"], env=environment(data_dir), stdout=subprocess.PIPE, cwd=data_dir.parent
    )
    assert running.stdout is not None
    assert running.stdout.read(10) == b"y\ny\ny\ny\ny\n"
    running.stdout.close()
    assert running.wait(10) == 141
    assert actions(data_dir)[0]["state"] == "cancelled"


def test_a_slow_reader_holds_the_command_back_and_ctrl_c_still_works(data_dir: Path) -> None:
    running = subprocess.Popen(
        [*COCKPIT, "run", "--", "yes"], env=environment(data_dir), stdout=subprocess.PIPE, cwd=data_dir.parent
    )
    assert running.stdout is not None
    running.stdout.read(1)
    time.sleep(0.3)  # nobody reads: the pipe is full
    running.send_signal(signal.SIGINT)
    assert running.wait(10) == 130
    running.stdout.close()
    assert actions(data_dir)[0]["output_bytes"] < 4 << 20


def test_an_output_that_can_not_be_written_is_said(data_dir: Path) -> None:
    with open("/dev/full", "wb") as full:
        answer = subprocess.run(
            [*COCKPIT, "run", "--", "echo", "x"],
            env=environment(data_dir),
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=data_dir.parent,
        )
    assert answer.returncode == 1
    assert b"can't be passed on" in answer.stderr
    assert b"should not have happened" not in answer.stderr


def test_big_output_passes_through_whole(data_dir: Path) -> None:
    answer = cockpit(data_dir, "run", "--", "head", "-c", "5000000", "/dev/zero")
    assert answer.stdout == bytes(5_000_000)
    assert actions(data_dir)[0]["output_sha256"] == hashlib.sha256(bytes(5_000_000)).hexdigest()


@pytest.mark.parametrize("words", [("list",), ("list", "--json"), ("show", "01")])
def test_a_place_where_no_log_can_be_is_4_and_no_empty_log(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file/deeper"):
        ended = cockpit(tmp_path / "data", "--data-dir", str(place), "log", *words)
        assert (ended.returncode, ended.stdout) == (4, b"")
        assert b"the action log can't be read: Not a directory" in ended.stderr


def test_lists_as_a_table_and_as_lines_of_json(data_dir: Path) -> None:
    empty = cockpit(data_dir, "log", "list")
    assert (empty.returncode, empty.stdout) == (0, b"")
    assert b"no action" in empty.stderr
    cockpit(data_dir, "run", "--", "printf", "%s", "\x1b[31m red\nnext")
    cockpit(data_dir, "run", "--incident", "INC-1", "--", "false")
    head, newest, oldest = cockpit(data_dir, "log", "list").stdout.decode().splitlines()
    assert head.split() == ["ID", "STARTED", "(UTC)", "STATE", "EXIT", "TOOK", "TARGET", "COMMAND"]
    assert newest.endswith("  false")
    assert head.index("COMMAND") == newest.index("false") == oldest.index("printf")
    assert "\x1b" not in oldest
    lines = cockpit(data_dir, "log", "list", "--jsonl").stdout.splitlines()
    assert [json.loads(line)["argv"][0] for line in lines] == ["false", "printf"]
    assert [action["argv"] for action in actions(data_dir, "--incident", "INC-1")] == [["false"]]
    assert [action["argv"][0] for action in actions(data_dir, "--state", "done")] == ["printf"]
    assert len(actions(data_dir, "--limit", "1")) == 1
    session = json.loads(lines[0])["session"]
    assert len(actions(data_dir, "--session", session)) == 1


def test_shows_one_with_its_output(data_dir: Path) -> None:
    raw = "é\x1b]0;title\x07\n".encode() + b"\xff\n"
    code = f"import os; os.write(1, {raw[:1]!r}); import time; time.sleep(0.1); os.write(1, {raw[1:]!r})"
    cockpit(data_dir, "run", "--", "python3", "-c", code)
    [action] = actions(data_dir)
    page = cockpit(data_dir, "log", "show", action["id"]).stdout.decode()
    assert f"action     {action['id']}\n" in page
    assert re.search(r"^state +done$", page, re.MULTILINE)
    piped = cockpit(data_dir, "log", "show", action["id"], "--output").stdout
    assert piped == page.encode() + b"\n" + raw
    pieces = json.loads(cockpit(data_dir, "log", "show", action["id"], "--output", "--json").stdout)["output"]
    assert (
        b"".join(base64.b64decode(p["base64"]) if "base64" in p else p["text"].encode() for p in pieces)
        == raw
    )
    assert "\x1b]0;" not in on_a_terminal(data_dir, "log", "show", action["id"], "--output")


def on_a_terminal(data_dir: Path, *words: str) -> str:
    """Run a verb with a real terminal as its output and return what that was sent."""
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [*COCKPIT, *words], env=environment(data_dir), stdout=theirs, cwd=data_dir.parent
    )
    os.close(theirs)
    text = b""
    while select.select([ours], [], [], 10)[0]:
        try:
            text += os.read(ours, 65536)
        except OSError:  # Linux: the other end is closed
            break
    os.close(ours)
    assert running.wait(10) == 0
    assert b"\xe2\x90\x9b" in text  # the picture of ESC
    return text.decode()
