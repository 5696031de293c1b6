"""Shells on real terminals through the one door, typed at and looked at as an operator would."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cockpit.actionlog.log import ActionLog
from cockpit.actions.command import Command
from cockpit.actions.executor import Executor
from cockpit.actions.local import LocalTransport
from cockpit.actions.transport import Interactive, Launch, Transport
from cockpit.guard.guard import Guard
from cockpit.shells.session import ShellSession, shell_on
from cockpit.targets import Environment, Target, TargetRule, Targets
from cockpit.term.size import Size
from tests.live.servers import program

SECONDS = 30.0


class ShellOf(LocalTransport):
    """Opens a shell of a given kind on this machine, in a home of its own."""

    def __init__(self, shell: str, home: Path) -> None:
        self.shell = shell
        self.home = home

    async def open(self, command: Command, launch: Launch) -> Interactive:  # type: ignore[override]
        with pytest.MonkeyPatch.context() as patch:
            for name in (
                "BASH_ENV",
                "ENV",
                "ZDOTDIR",
                "HISTFILE",
                "PROMPT_COMMAND",
                "PS1",
                "XDG_CONFIG_HOME",
            ):
                patch.delenv(name, raising=False)
            patch.setenv("SHELL", self.shell)
            patch.setenv("HOME", str(self.home))
            patch.setenv("XDG_DATA_HOME", str(self.home / "data"))
            patch.setenv("LANG", "C.UTF-8")
            return await super().open(replace(command, cwd=str(self.home)), launch)


class Typist:
    """Types at a shell, and keeps all that it shows."""

    def __init__(self, session: ShellSession, log: ActionLog, executor: Executor) -> None:
        self.session = session
        self.log = log
        self.executor = executor
        self.screen = b""
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for piece in self.session.output():
            self.screen += piece
            if (
                b"\x1b[c" in piece or b"\x1b[0c" in piece
            ):  # as every terminal answers when it is asked what it is
                self.session.write(b"\x1b[?62c")

    def type(self, text: str) -> None:
        self.session.write(text.encode())

    async def until(self, true: Callable[[], Any], what: str = "it") -> None:
        end = time.monotonic() + SECONDS
        while not true():
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not come true; the screen shows {self.screen[-3000:]!r}")
            await asyncio.sleep(0.01)

    async def shows(self, text: str) -> None:
        await self.until(lambda: text.encode() in self.screen, f"{text!r} on the screen")

    async def prompt(self) -> None:
        await self.until(lambda: self.session.itemised and not self.session.running, "a prompt")
        await asyncio.sleep(0.05)

    async def run(self, line: str) -> None:
        """Type a line and wait until it has run."""
        before = len(await self.items())
        self.type(f"{line}\r")
        end = time.monotonic() + SECONDS
        while True:
            items = await self.items()
            if len(items) > before and items[-1].state != "running":
                break
            if time.monotonic() > end:
                raise AssertionError(f"{line!r} did not run; the screen shows {self.screen[-3000:]!r}")
            await asyncio.sleep(0.02)
        await self.prompt()

    async def items(self) -> list[Any]:
        """Return the actions of what was typed, oldest first."""
        return [each for each in reversed(await self.log.list(limit=500)) if each.kind == "command"]

    async def settled(self, count: int) -> list[Any]:
        """Return the actions of what was typed, once there are so many and all have ended."""
        end = time.monotonic() + SECONDS
        while True:
            items = await self.items()
            if len(items) >= count and all(each.state != "running" for each in items):
                return items
            if time.monotonic() > end:
                raise AssertionError(f"{items}; the screen shows {self.screen[-3000:]!r}")
            await asyncio.sleep(0.02)

    async def leave(self) -> None:
        self.session.close()
        await self.session.wait()
        await self._reading

    async def ended(self) -> None:
        await asyncio.wait_for(self.session.wait(), SECONDS)
        await self._reading

    def recorded(self) -> bytes:
        return b"".join(chunk.data for chunk in self.log.reading().output(self.session.action))


@contextlib.asynccontextmanager
async def typing_at(
    shell: str,
    folder: Path,
    *,
    environment: Environment = Environment.DEVELOPMENT,
    transport: Transport | None = None,
    target: str = "local",
    integrated: bool = True,
) -> AsyncIterator[Typist]:
    """Hold a shell for the length of a block, through a real executor, guard and log."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    log = ActionLog.open(folder / "data" / "actions.db")
    rules = (TargetRule(name=target, environment=environment),)
    carried = transport or ShellOf(found(shell), home)
    kind = "local" if transport is None else "ssh"
    executor = Executor(log, {kind: carried}, judge=Guard(Targets(rules)), grace_s=1.0)
    place = Target(name=target, environment=environment, transport=kind)
    command = replace(shell_on(Command(argv=(), target=place, actor="me@here")), confirmed=True)
    try:
        session = await ShellSession.open(executor, command, Size(100, 30), integrated=integrated)
        typist = Typist(session, log, executor)
        try:
            yield typist
        finally:
            await typist.leave()
    finally:
        log.close()


def found(shell: str) -> str:
    """Find a shell, or skip, saying which package brings it."""
    return program(shell, Path(shell).name)
