"""The standard input on the screen: a real command line in a real terminal, which still has the keys."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from pathlib import Path

import pytest

from cockpit.errors import UsageError
from cockpit.verbs.input_log import with_input
from tests.helpers.cockpit_cli import environment

LINE = 'i=0; while [ $i -lt 300 ]; do echo "reading $i of the pump"; i=$((i+1)); done; sleep 60'


def test_a_program_s_output_is_shown_while_it_runs_and_keys_are_heard(tmp_path: Path) -> None:
    env = {**environment(tmp_path / "data"), "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(tmp_path)
        argv = ["sh", "-c", f'({LINE}) | exec "$0" -m cockpit logs -', sys.executable]
        os.execvpe("sh", argv, env)
    try:
        _until(terminal, "reading 299 of the pump")
        os.write(terminal, b"\x11")  # ctrl+q
        _until(terminal, "\x1b[?1049l")
    finally:
        os.close(terminal)
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    assert list((tmp_path / "data" / "spools").iterdir()) == []


def _until(terminal: int, wanted: str, seconds: float = 20.0) -> None:
    shown, end = b"", time.monotonic() + seconds
    while wanted.encode() not in shown:
        if not select.select([terminal], [], [], max(0.0, end - time.monotonic()))[0]:
            raise AssertionError(f"waited for {wanted!r}: {shown[-3000:]!r}")
        shown += os.read(terminal, 1 << 16)


def test_a_terminal_is_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "isatty", lambda descriptor: True)
    with pytest.raises(UsageError, match="a terminal, not a log"):
        with_input(["-"])
    assert with_input(["a", "b"]) == ["a", "b"]
