"""The screen told to leave, or left without its terminal, while a command runs."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.cockpit_cli import COCKPIT, actions, environment
from widgets.driver import Output


class Screen:
    """The real program on a terminal of its own, which is the one that controls it."""

    def __init__(self, folder: Path, *, leader: tuple[str, ...] = ("setsid", "--ctty")) -> None:
        (folder / "c.toml").write_text("default_sources = false\n")
        self.terminal, theirs = pty.openpty()
        self.program = subprocess.Popen(
            [*leader, *COCKPIT, "--config", str(folder / "c.toml")],
            env=environment(folder / "data") | {"TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)

    def wait_for(self, *wanted: bytes, seconds: float = 40.0) -> None:
        """Read on until all of these were drawn, in any order."""
        seen, end = b"", time.monotonic() + seconds
        while not all(each in seen for each in wanted):
            assert time.monotonic() < end, seen[-500:]
            if select.select([self.terminal], [], [], 0.1)[0]:
                seen += os.read(self.terminal, 65536)

    def ended(self, seconds: float = 20.0) -> int:
        """Read on until the program is gone and return its exit status, or minus a signal."""
        end = time.monotonic() + seconds
        while self.program.poll() is None:
            assert time.monotonic() < end, "it did not leave"
            if self.terminal >= 0 and select.select([self.terminal], [], [], 0.02)[0]:
                try:
                    os.read(self.terminal, 65536)
                except OSError:  # the program closed its end
                    self.hang_up()
            time.sleep(0.01)
        return self.program.returncode

    def hang_up(self) -> None:
        if self.terminal >= 0:
            os.close(self.terminal)
        self.terminal = -1


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    screen = Screen(tmp_path)
    yield screen
    screen.program.kill()
    screen.program.wait()
    screen.hang_up()


@pytest.mark.parametrize("how", ["SIGTERM", "hang-up"])
def test_a_running_command_is_stopped_and_recorded(how: str, screen: Screen, tmp_path: Path) -> None:
    screen.wait_for(b"Health")
    os.write(screen.terminal, b"!echo $((6 * 7))nd; exec sleep 60\r")
    screen.wait_for(b"42nd")
    if how == "SIGTERM":
        screen.program.send_signal(signal.SIGTERM)
        assert screen.ended() == 128 + signal.SIGTERM
    else:
        screen.hang_up()
        screen.ended()
    (action,) = actions(tmp_path / "data")
    assert (action["state"], action["signal"]) == ("cancelled", "SIGTERM")


def test_a_terminal_that_goes_without_a_signal_is_noticed(tmp_path: Path) -> None:
    screen = Screen(tmp_path, leader=("setsid", "--wait"))
    try:
        screen.wait_for(b"Health")
        screen.hang_up()
        assert screen.ended() == 128 + signal.SIGHUP
    finally:
        screen.program.kill()
        screen.program.wait()


def test_a_screen_that_is_continued_has_one_writer_and_hears_keys(screen: Screen) -> None:
    screen.wait_for(b"Health")
    before = settled(screen.program.pid)
    for _ in range(3):
        screen.program.send_signal(signal.SIGSTOP)
        screen.program.send_signal(signal.SIGCONT)
        screen.wait_for(b"\x1b[?1049h", b"Health")
    assert threads(screen.program.pid) <= before + 1, "the old writer and reader are still there"
    os.write(screen.terminal, b"?")
    screen.wait_for(b"Every pane")


def test_output_goes_on_after_its_terminal() -> None:
    terminal, theirs = pty.openpty()
    output = Output(os.fdopen(theirs, "w"))
    output.write("seen")
    output.flush()
    assert os.read(terminal, 100) == b"seen"
    os.close(terminal)
    for _ in range(3):
        output.write("x" * 100_000)
        output.flush()
    assert os.readlink(f"/proc/self/fd/{output.fileno()}") == os.devnull


def settled(pid: int) -> int:
    """Return how many threads there are once a second has brought no more: some start after the first paint."""
    count, since = threads(pid), time.monotonic()
    while time.monotonic() - since < 1.0:
        time.sleep(0.1)
        if threads(pid) != count:
            count, since = threads(pid), time.monotonic()
    return count


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))
