"""What real shells showed, recorded for real, played on the real screen: at its size, by line and by time."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from textual.widgets import Input

from cockpit.actionlog.log import FILE, ActionLog
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import State
from cockpit.actionlog.reel import Reel
from cockpit.actionlog.verify import verify
from cockpit.term.bittty_emulator import BitttyEmulator
from cockpit.term.size import Size
from tests.helpers.cockpit_cli import COCKPIT, actions, cockpit, environment
from tests.helpers.screen import Screen, screen, shown
from tests.helpers.shells import typing_at
from tests.helpers.terminals import text
from widgets.timeline import TimelineScreen
from widgets.timeline_playback import PlaybackScreen

RED = r"printf '\033[2J\033[3;10H\033[31mRED\033[0m\033[9;1H'"


async def recorded(folder: Path) -> str:
    """Record a session in bash with a full-screen drawing in it, and return the shell's action."""
    async with typing_at("bash", folder) as at:
        await at.prompt()
        await at.run("echo first")
        await at.run(RED)
        await at.run("seq 1 60")
        await at.run("false")
        await at.run("export API_TOKEN=hunter2hunter2hunter2")
        await at.run("echo last")
        return at.session.action


async def playing(on: Screen, wanted: str = "kind:shell") -> PlaybackScreen:
    await on.until(lambda: on.app.operations.recording, "the log")
    await on.press("T")
    await on.until(lambda: isinstance(on.app.screen, TimelineScreen), "the time line")
    await on.press("slash")
    on.app.screen.query_one(Input).value = wanted
    await on.until(lambda: "1 fit" in shown(on.app), "the shell")
    await on.press("enter", "p")
    await on.until(lambda: isinstance(on.app.screen, PlaybackScreen), "the replay")
    found = on.app.screen
    assert isinstance(found, PlaybackScreen)
    await on.until(lambda: found.player is not None and found.view.emulator is not None, "the player")
    return found


def on_it(found: PlaybackScreen) -> list[str]:
    return text(found.view.emulator).splitlines()


async def ask(on: Screen, found: PlaybackScreen, key: str, words: str) -> None:
    await on.press(key)
    found.query_one(Input).value = words
    await on.press("enter")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shell")
    asyncio.run(recorded(folder))
    return folder


@pytest.fixture
def kept(shell: Path, tmp_path: Path) -> Path:
    """Return a folder with the session, as it was recorded once."""
    shutil.copytree(shell / "data", tmp_path / "data")
    return tmp_path


async def test_a_recorded_shell_is_played_on_a_terminal(kept: Path) -> None:
    async with screen(kept, size=(110, 40)) as on:
        found = await playing(on)
        await on.press("space")
        player = found.player
        assert player is not None and player.paused and len(found.reel.steps) == 6
        assert found.reel.ending == ""

        await ask(on, found, "g", "9:00:00")
        await on.until(lambda: "last" in on_it(found) and "ended" in shown(on.app), "the end")
        assert found.view.emulator is not None and found.view.emulator.size.columns == 100
        assert "6 of 6 lines · echo last" in shown(on.app)
        assert "hunter2" not in "\n".join(on_it(found)) and "hunter2" not in shown(on.app)

        while "3 of 6 lines · seq 1 60" not in shown(on.app):
            assert player.position > 0
            await on.press("left_square_bracket")
            await on.pilot.pause(0.1)
        assert on_it(found)[2][9:12] == "RED", "drawn where it was, and in its colour"
        run = next(run for run in found.view.emulator.row(2).runs if "RED" in run.text)
        assert run.look.foreground == 1
        row = next(line for line in shown(on.app).splitlines() if line[9:12] == "RED")
        assert row.strip() == "RED"
        await on.press("right_square_bracket")
        await on.until(lambda: "4 of 6 lines · false · exit 1" in shown(on.app), "the fourth line")
        assert any(line == "60" for line in on_it(found))
        stood = player.position
        await on.pilot.pause(0.3)
        assert player.position == stood, "a step leaves it paused"

        await ask(on, found, "slash", "41")
        await on.until(lambda: "1 place" in on.notices, f"41; {on.notices}")
        await on.until(lambda: any(line.strip() == "41" for line in shown(on.app).splitlines()), "the row")
        await on.press("escape")
        await on.press("home")
        await on.until(lambda: "RED" not in shown(on.app), "the beginning")
        await on.press("plus", "plus", "plus", "plus", "plus", "plus")
        await on.until(lambda: "ended" in shown(on.app) and "last" in on_it(found), "the end")
        await ask(on, found, "g", "nowhere")
        await on.until(lambda: any("no place in a recording" in each for each in on.notices), "why")
        await on.press("escape")
        await on.until(lambda: isinstance(on.app.screen, TimelineScreen), "the time line")


async def test_a_small_screen_shows_the_rows_around_the_cursor(kept: Path) -> None:
    async with screen(kept, size=(80, 24)) as on:
        found = await playing(on)
        await ask(on, found, "g", "9:00:00")
        await on.until(lambda: "ended" in shown(on.app), "the end")
        await on.until(lambda: any(line.strip() == "last" for line in shown(on.app).splitlines()), "the end")
        assert "100x30" in shown(on.app)
        await on.press("greater_than_sign")
        assert found.view.left == 8
        assert any(line.strip() == "55" for line in on_it(found))


def drawn(
    data: Path, *words: str, typed: Sequence[bytes] = (), until: str, columns: int = 120, rows: int = 40
) -> list[str]:
    """Run `cockpit log replay` on a terminal, type at it, and return the screen at the end."""
    action = actions(data, "--kind", "shell")[0]["id"]
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    running = subprocess.Popen(
        [*COCKPIT, "log", "replay", action, *words],
        env=environment(data) | {"TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=data.parent,
    )
    os.close(theirs)
    seen = BitttyEmulator(Size(columns, rows))
    said, deadline = b"", time.monotonic() + 30
    try:
        while until not in text(seen):
            assert time.monotonic() < deadline, text(seen)
            if select.select([ours], [], [], 0.2)[0]:
                said += (piece := os.read(ours, 65536))
                seen.feed(piece)
                if typed and b" s, " in said:
                    os.write(ours, typed[0])
                    typed = typed[1:]
        lines = text(seen).splitlines()
        os.write(ours, b"q")
        running.wait(20)
    finally:
        running.kill()
        os.close(ours)
    assert running.returncode == 0
    assert b"hunter2" not in said and b"\x1b]" not in said
    return lines


def test_the_command_line_plays_it_truly_on_a_real_terminal(kept: Path) -> None:
    typed = (
        b" ",
        b"\x1b[B",
        b"]",
        b"]",
        b"]",
    )  # it stands still, at the beginning, and goes from line to line
    lines = drawn(kept / "data", typed=typed, until="3 of 6 lines · seq 1 60")
    assert lines[2][9:12] == "RED" and lines[8].endswith("seq 1 60")
    assert lines[39].startswith(" ") and "paused" in lines[39]
    lines = drawn(kept / "data", typed=typed, until="3 of 6 lines", columns=50, rows=6)
    assert lines[3].endswith("seq 1 60") and "RED" not in "".join(lines)


def test_played_to_the_end_the_last_screen_stays(kept: Path) -> None:
    lines = drawn(kept / "data", "--speed", "64", until="6 of 6 lines · echo last")
    assert "last" in lines


CUT = """
import asyncio, sys
from pathlib import Path
from tests.helpers.shells import typing_at

async def main():
    async with typing_at("bash", Path(sys.argv[1])) as at:
        await at.prompt()
        await at.run("echo before the crash")
        await asyncio.sleep(0.3)
        print(at.session.action, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_a_recording_that_a_crash_cut_off_plays_as_far_as_it_goes(tmp_path: Path) -> None:
    from tests.helpers.shells import found as program

    program("bash")
    running = subprocess.Popen([sys.executable, "-c", CUT, str(tmp_path)], stdout=subprocess.PIPE)
    assert running.stdout is not None
    action = (await asyncio.to_thread(running.stdout.readline)).decode().strip()
    os.kill(running.pid, signal.SIGKILL)
    running.wait(10)
    running.stdout.close()
    path = tmp_path / "data" / FILE
    reader = ActionReader(path)
    assert reader.show(action).state is State.INTERRUPTED
    assert Reel(reader, reader.show(action)).ending.startswith("cut off")
    reader.close()
    async with screen(tmp_path, size=(110, 40)) as on:
        found = await playing(on)
        await ask(on, found, "g", "9:00:00")
        await on.until(lambda: "■ cut off: the cockpit was gone" in shown(on.app), "that it was cut off")
        assert "before the crash" in on_it(found)
    said = await asyncio.to_thread(cockpit, tmp_path / "data", "log", "replay", action, "--speed", "64")
    assert said.returncode == 0 and b"before the crash" in said.stdout
    assert b"cut off: the cockpit was gone" in said.stderr
    ActionLog.open(path).close()
    assert (await verify(path)).sound
