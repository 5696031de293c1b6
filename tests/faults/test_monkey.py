"""A monkey at the keys of the real program, at a real terminal, while all of its sources change.

Its keys come from a seed: any key of the registry but those that leave, words in every line that takes words, and
windows of any size, now in bursts and now slowly. Whatever it presses, the program lives, logs no traceback, and
answers a key within three seconds.
"""

from __future__ import annotations

import asyncio
import os
import pty
import random
import shutil
import struct
import termios
import time
from fcntl import ioctl
from pathlib import Path

import pytest

from tests.helpers.cockpit_cli import COCKPIT, environment
from tests.helpers.restless import restless_sources

ESCAPE = "\x1b"
NAMED = {
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "page up": "\x1b[5~",
    "page down": "\x1b[6~", "home": "\x1b[H", "end": "\x1b[F", "shift+tab": "\x1b[Z", "shift+left": "\x1b[1;2D",
    "shift+right": "\x1b[1;2C", "delete": "\x1b[3~", "backspace": "\x7f", "ctrl+o": "\x0f", "ctrl+c": "\x03",
}  # fmt: skip
OFTEN = (
    ["\r"] * 6 + [ESCAPE] * 8 + list("1234" * 4) + list("jjkk") + ["\t"] * 3 + [" "] * 4 + list("zsaS[]{}")
)
LETTERS = list("taSAufeE+-lhnNwmosLhlc,.=CykgGjx*")
"""The letters of the registry without `q`, which leaves."""
FILTERS = ("slow", "web", "level:error", "(", "trouble*", "\N{COLLISION SYMBOL}", "-took", "request.*9")
COMMANDS = (
    "since 5m", "since 1m", "at 1m", "at 23:59", "now", "service web", "host nowhere", "trace ab", "all", "target",
    "theme dracula", "theme cockpit-dark", "sources", "zoom", "help", "logs", "traces", "nonsense", "at never",
)  # fmt: skip
SIZES = ((45, 150), (45, 150), (24, 80), (50, 200), (30, 99), (5, 20), (2, 10), (1, 1), (60, 40), (6, 250))
HELD = 3.0
"""Seconds within which a key is answered."""
PROOF = "Help · ".encode()
"""What the help says, and nothing else."""


class Crash(AssertionError):
    """The program did what it must not, whatever the keys."""


class Monkey:
    """A program in a PTY, and what is pressed there.

    Attributes:
        pressed: The keys so far, the newest last.
        left: Whether the program was left in order, as one can from the palette.
    """

    def __init__(self, file: Path, folder: Path, seed: int) -> None:
        self._chance = random.Random(seed)
        self._log = folder / "data" / "cockpit.log"
        self.pressed: list[str] = []
        self.left = False
        self._seen = bytearray()
        # Nothing is found on this PATH but echo: a line that comes about by chance runs nothing.
        tools = folder / "bin"
        tools.mkdir()
        (tools / "echo").symlink_to(shutil.which("echo") or "/bin/echo")
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            homes = {"HOME": str(folder), "PATH": str(tools), "PYTHONPATH": str(Path(__file__).parents[2])}
            env = {
                **environment(folder / "data"),
                **homes,
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
            }
            os.execvpe(COCKPIT[0], [*COCKPIT, "--config", str(file)], env)
        self._resize(45, 150)
        asyncio.get_running_loop().add_reader(self._fd, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._fd)
        self._seen += data
        if len(self._seen) > 2 << 20:
            del self._seen[: 1 << 20]

    def _resize(self, rows: int, columns: int) -> None:
        self._size = rows, columns
        ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _write(self, keys: str) -> None:
        self.pressed.append(keys)
        try:
            os.write(self._fd, keys.encode())
        except OSError:
            self._look()

    def _look(self) -> None:
        """Raise what went wrong so far."""
        kept = self._log.read_text() if self._log.exists() else ""
        if "Traceback" in kept:
            raise Crash(kept[-6000:])
        pid, status = os.waitpid(self._pid, os.WNOHANG) if not self.left else (0, 0)
        if pid:
            asyncio.get_running_loop().remove_reader(self._fd)
            while True:
                try:
                    data = os.read(self._fd, 65536)
                except OSError:
                    break
                if not data:
                    break
                self._seen += data
            self.left = True
            if code := os.waitstatus_to_exitcode(status):
                raise Crash(f"exit status {code}: {self._seen[-40000:].decode(errors='replace')}")

    async def _until(self, words: bytes, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while words not in self._seen:
            self._look()
            if self.left or time.monotonic() > end:
                return False
            await asyncio.sleep(0.02)
        return True

    async def begin(self) -> None:
        """Wait until data is drawn."""
        if not await self._until(b"request", 20):
            raise Crash("no data was drawn")

    async def _press(self) -> None:
        """Press a key, or type a line; a shell line is written at once, so that nothing comes between."""
        chance = self._chance
        kind = chance.random()
        if kind < 0.50:
            self._write(chance.choice(OFTEN))
        elif kind < 0.74:
            self._write(chance.choice(LETTERS))
        elif kind < 0.84:
            self._write(chance.choice(list(NAMED.values())))
        elif kind < 0.88:
            self._write("/" + chance.choice(FILTERS) + chance.choice(["", "\r", "\r"]))
        elif kind < 0.91:
            self._write(":" + chance.choice(COMMANDS) + "\r")
        elif kind < 0.93:
            self._write(f"!echo {chance.choice(SIZES)[1]}\r")
        elif kind < 0.94:
            self._write("?")
        elif kind < 0.95:
            await self._search()
        elif kind < 0.97:
            self._click()
        else:
            rows, columns = chance.choice(SIZES)
            self.pressed.append(f"<{columns}x{rows}>")
            self._resize(rows, columns)

    async def _search(self) -> None:
        """Open the palette, type, and step back from it before anything there is chosen."""
        for keys in ("\x10", self._chance.choice(("fold", "wider", "theme", "k")), ESCAPE):
            self._write(keys)
            await asyncio.sleep(0.15 + 0.3 * self._chance.random())

    def _click(self) -> None:
        """Click anywhere but near the key bar's end, where the key is that leaves; now and then turn the wheel."""
        row = self._chance.randint(1, max(1, self._size[0] - 3))
        column = self._chance.randint(1, max(1, self._size[1] * 2 // 5))
        button = self._chance.choice((0, 0, 0, 64, 65))
        times = self._chance.randint(1, 3)
        self._write(f"{ESCAPE}[<{button};{column};{row}M{ESCAPE}[<{button};{column};{row}m" * times)

    async def play(self, keys: int) -> None:
        """Press that many keys, in bursts and with pauses, and look after each that the program lives."""
        pause = 0.0
        for number in range(keys):
            if number % 15 == 0:
                pause = self._chance.choice((0.0, 0.005, 0.01, 0.02, 0.06))
            await self._press()
            await asyncio.sleep(pause * 2 * self._chance.random())
            self._look()
            if self.left:
                return
            if number % 150 == 149:
                await self.prove()

    async def prove(self) -> None:
        """Step back out of everything and see that a key is answered."""
        await asyncio.sleep(0.3)
        self._resize(45, 150)
        for _ in range(8):
            self._write(ESCAPE)
            await asyncio.sleep(0.13)
        del self._seen[:]
        self._write("?")
        if not await self._until(PROOF, HELD) and not self.left:
            raise Crash(f"no answer within {HELD:g} s: {self._seen[-3000:].decode(errors='replace')}")
        if not self.left:
            self._write(ESCAPE)
            await asyncio.sleep(0.2)

    async def leave(self) -> None:
        """Leave, within five seconds."""
        if not self.left:
            self._write("\x11")
        end = time.monotonic() + 5
        while not self.left:
            self._look()
            if time.monotonic() > end:
                raise Crash("it did not leave within five seconds")
            await asyncio.sleep(0.02)

    def close(self) -> None:
        """Let go of the terminal, and of a program that stayed."""
        asyncio.get_running_loop().remove_reader(self._fd)
        if not self.left:
            os.kill(self._pid, 9)
            os.waitpid(self._pid, 0)
        os.close(self._fd)


async def run(folder: Path, seed: int, keys: int) -> Monkey:
    """Let a monkey play.

    Raises:
        Crash: With the seed and the last keys.
    """
    async with restless_sources(folder, seed) as file:
        monkey = Monkey(file, folder, seed)
        try:
            await monkey.begin()
            await monkey.play(keys)
            await monkey.leave()
        except Crash as crash:
            raise Crash(
                f"seed {seed}, key {len(monkey.pressed)}, after {monkey.pressed[-25:]}\n{crash}"
            ) from None
        finally:
            monkey.close()
    return monkey


async def test_no_key_brings_the_program_down(tmp_path: Path) -> None:
    for seed in (
        1,
        2,
        3,
    ):  # where the machine is slow, an Enter may reach the palette and leave: another one then
        folder = tmp_path / str(seed)
        folder.mkdir()
        if len((await run(folder, seed, 300)).pressed) > 300:
            return
    pytest.fail("it was left before its time, each time")
