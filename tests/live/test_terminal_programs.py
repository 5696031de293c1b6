"""Programs that people use on hosts, in a real PTY: our screen shows what tmux's own shows for the same bytes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from cockpit.term import keys
from cockpit.term.bittty_emulator import BitttyEmulator
from cockpit.term.cable import LocalCable
from cockpit.term.feeding import feed
from cockpit.term.size import Size
from tests.helpers.terminals import ENVIRONMENT, started, text
from tests.live.servers import program, wait_for

SIZE = Size(80, 24)
WAIT = 15.0


class Tape(LocalCable):
    """A program's cable, with all that it printed."""

    printed = b""

    async def output(self):  # type: ignore[no-untyped-def]
        async for piece in super().output():
            self.printed += piece
            yield piece


class Driven:
    """A program, the screen it draws on, and the hands at its keys."""

    def __init__(self, cable: Tape, emulator: BitttyEmulator) -> None:
        self.cable, self.emulator = cable, emulator

    @property
    def shown(self) -> str:
        return text(self.emulator)

    async def until(self, true: Callable[[str], object], what: str) -> None:
        end = time.monotonic() + WAIT
        while not true(self.shown):
            assert time.monotonic() < end, f"waited for {what}:\n{self.shown}"
            await asyncio.sleep(0.02)

    async def quiet(self, seconds: float = 0.25) -> None:
        """Wait until it has drawn all it has to."""
        size, since = -1, time.monotonic()
        while time.monotonic() - since < seconds:
            if len(self.cable.printed) != size:
                size, since = len(self.cable.printed), time.monotonic()
            await asyncio.sleep(0.02)

    async def press(self, *names: str) -> None:
        for name in names:
            self.cable.write(keys.encode(name, name if len(name) == 1 else None, self.emulator.modes))
            await asyncio.sleep(0.01)

    def type(self, line: str) -> None:
        self.cable.write(line.encode())


async def run(
    argv: Sequence[str], drive: Callable[[Driven], object], folder: Path, **environment: str
) -> tuple[list[str], bytes]:
    """Run a program, do something with it, and return what the screen shows then, and all it printed until then."""
    cable = Tape(await started(argv, SIZE, HOME=str(folder), **environment))
    emulator = BitttyEmulator(SIZE)
    feeding = asyncio.create_task(feed(cable, emulator))
    driven = Driven(cable, emulator)
    try:
        await drive(driven)  # type: ignore[misc]
        await driven.quiet()
        return driven.shown.split("\n"), cable.printed
    finally:
        cable.close()
        await feeding


def by_tmux(printed: bytes, folder: Path) -> list[str]:
    """Return what tmux shows for the same bytes."""
    recorded, done = folder / "recorded", folder / "done"
    recorded.write_bytes(printed)
    settings = folder / "tmux.conf"
    settings.write_text("set -g status off\n")
    call = [program("tmux", "tmux"), "-S", str(folder / "socket"), "-f", str(settings)]
    shell = f"stty raw -echo; cat {recorded}; touch {done}; exec sleep 60"
    try:
        begin = [*call, "new-session", "-d", "-x", "80", "-y", "24", shell]
        subprocess.run(begin, check=True, capture_output=True, env=ENVIRONMENT)
        end = time.monotonic() + WAIT
        while not done.exists():
            assert time.monotonic() < end
            time.sleep(0.02)
        time.sleep(0.3)
        captured = subprocess.run([*call, "capture-pane", "-p"], check=True, capture_output=True, text=True)
        return [line.rstrip() for line in captured.stdout.split("\n")[:24]]
    finally:
        subprocess.run([*call, "kill-server"], check=False, capture_output=True)


def lines(folder: Path) -> Path:
    file = folder / "lines.txt"
    file.write_text(
        "".join(f"{number:4d} Zeile mit ü und 日本 {'=' * (number % 50)}\n" for number in range(400))
    )
    return file


async def test_vim(tmp_path: Path) -> None:
    async def drive(it: Driven) -> None:
        await it.until(lambda shown: "Zeile" in shown, "the file")
        await it.press("ctrl+f", "ctrl+f", "down", "end", "d", "d", "o")
        it.type("neu ü 日")
        await it.press("escape", ":")
        it.type("split\r")
        await it.press("ctrl+w", "j", "G")
        it.type(":set number\r")
        await it.quiet()
        await it.press("pageup")

    argv = [
        program("vim", "vim"),
        "-u",
        "NONE",
        "-N",
        "-i",
        "NONE",
        "-c",
        "set ruler hlsearch",
        str(lines(tmp_path)),
    ]
    ours, printed = await run(argv, drive, tmp_path)
    assert any("neu ü 日" in line for line in ours)
    assert ours == by_tmux(printed, tmp_path)


async def test_less(tmp_path: Path) -> None:
    async def drive(it: Driven) -> None:
        await it.until(lambda shown: "Zeile" in shown, "the file")
        await it.press("space", "space", "down", "up")
        it.type("/ 77 Z\r")
        await it.until(lambda shown: "  77 Zeile" in shown, "the line that was looked for")
        await it.press("pageup", "pagedown")

    ours, printed = await run([program("less", "less"), str(lines(tmp_path))], drive, tmp_path)
    assert ours == by_tmux(printed, tmp_path)


async def test_nano(tmp_path: Path) -> None:
    async def drive(it: Driven) -> None:
        await it.until(lambda shown: "Zeile" in shown, "the file")
        it.type("begonnen\r")
        await it.press("pagedown", "pagedown", "ctrl+w")
        it.type("200 Z\r")
        await it.until(lambda shown: " 200 Zeile" in shown, "the line that was looked for")

    ours, printed = await run([program("nano", "nano"), "-I", str(lines(tmp_path))], drive, tmp_path)
    assert ours == by_tmux(printed, tmp_path)


@pytest.mark.parametrize("name", ["htop", "top"])
async def test_process_viewers(tmp_path: Path, name: str) -> None:
    async def drive(it: Driven) -> None:
        await it.until(lambda shown: "PID" in shown, "the list")
        await it.press("down", "down", "pagedown")

    ours, printed = await run([program(name, "procps" if name == "top" else name)], drive, tmp_path)
    assert ours == by_tmux(printed, tmp_path)


async def test_tmux_in_it(tmp_path: Path) -> None:
    call = [program("tmux", "tmux"), "-S", str(tmp_path / "inner"), "-f", "/dev/null"]

    async def drive(it: Driven) -> None:
        await it.until(lambda shown: "[0]" in shown, "the status line")
        it.type("seq 1 60\r")
        await it.until(lambda shown: "60" in shown, "the numbers")
        await it.press("ctrl+b", "%")
        await it.until(lambda shown: "│" in shown or "x" in shown, "the border")
        it.type("printf '\\033[32mgr\\303\\274n\\033[0m\\n'\r")
        await it.until(lambda shown: "\ngrün" in shown or "│grün" in shown, "the text")

    try:
        ours, printed = await run([*call, "new-session", "sh"], drive, tmp_path)
    finally:
        subprocess.run([*call, "kill-server"], check=False, capture_output=True)
    assert ours == by_tmux(printed, tmp_path)


async def test_a_shell_with_line_editing(tmp_path: Path) -> None:
    async def drive(it: Driven) -> None:
        await it.until(lambda shown: "$" in shown, "the prompt")
        it.type("echo " + "lang " * 40)
        await it.press("home", "ctrl+right", "right", "ctrl+e", "enter")
        await it.quiet()
        it.type("seq 1 100\r")
        await it.until(lambda shown: "100" in shown, "the numbers")
        await it.press("up", "up", "ctrl+a", "#", "enter", "ctrl+r")
        it.type("seq")

    ours, printed = await run([program("bash", "bash"), "--norc", "-i"], drive, tmp_path)
    assert ours == by_tmux(printed, tmp_path)


async def test_mc(tmp_path: Path) -> None:
    async def drive(it: Driven) -> None:
        await it.until(lambda shown: "10Quit" in shown, "its keys")
        await it.press("down", "tab", "f9", "escape")

    ours, printed = await run([program("mc", "mc"), "-u"], drive, tmp_path)
    assert ours == by_tmux(printed, tmp_path)


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Run a PostgreSQL of one's own, and give the folder of its socket."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("postgres is not installed (Debian package postgresql)")
    bin_folder = found[-1].parent
    other = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        if other:
            shutil.chown(folder, "nobody", "nogroup")
        data = f"{folder}/data"
        initdb = [*other, str(bin_folder / "initdb"), "-D", data, "-U", "tester", "-A", "trust", "--no-sync"]
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder)
        server = subprocess.Popen(
            [*other, str(bin_folder / "postgres"), "-D", data, "-k", folder, "-F", "-c", "listen_addresses="],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip
        try:
            wait_for(Path(folder, ".s.PGSQL.5432").exists, what="PostgreSQL's socket")
            yield folder
        finally:
            server.send_signal(signal.SIGINT)  # without waiting for whoever is connected
            server.wait(10)


async def test_psql(tmp_path: Path) -> None:
    async def drive(it: Driven) -> None:
        await it.until(lambda shown: "=#" in shown, "the prompt")
        it.type("select n, repeat('ü', n % 30) from generate_series(1, 100) n;\r")
        await it.until(lambda shown: "\n:" in shown, "the pager")
        await it.press("space", "q")
        await it.quiet()
        it.type("\\x\rselect 1 as eins, 'zwei' as zwei;\r\\conninfo\r")
        await it.until(lambda shown: "You are connected" in shown, "the connection")
        await it.press("up", "up", "ctrl+a")

    with postgres() as folder:
        argv = [program("psql", "postgresql-client"), "-X", "-h", folder, "-U", "tester", "postgres"]
        ours, printed = await run(argv, drive, tmp_path, PAGER="less")
    assert ours == by_tmux(printed, tmp_path)
