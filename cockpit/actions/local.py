"""Carries commands to this machine."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator

from cockpit import process
from cockpit.actions.command import Command
from cockpit.actions.transport import Launch, Outcome, Stream
from cockpit.term.size import Size

_STREAMS = {1: Stream.STDOUT, 2: Stream.STDERR}


class LocalRunning:
    """A program running on this machine, in a process group of its own."""

    def __init__(self, program: process.Streaming) -> None:
        self.program = program

    async def output(self) -> AsyncIterator[tuple[Stream, bytes]]:
        """Yield what the program writes."""
        async for number, piece in self.program.pieces():
            yield _STREAMS[number], piece

    async def wait(self) -> Outcome:
        """Wait for the program's end."""
        status = await self.program.ended()
        note = (
            "something it left running still held its output, and was not read"
            if self.program.left_behind
            else ""
        )
        if status < 0:
            return Outcome(signal=signal_name(-status), note=note)
        return Outcome(exit_status=status, note=note)

    def stop(self, *, kill: bool = False) -> None:
        """Send SIGTERM or SIGKILL to the program's group."""
        self.program.signal(signal.SIGKILL if kill else signal.SIGTERM)

    def close(self) -> None:
        """Close the pipes."""
        self.program.close()


class LocalShell:
    """A shell on this machine, on a terminal of its own."""

    def __init__(self, program: process.Pty) -> None:
        self.program = program

    async def output(self) -> AsyncIterator[tuple[Stream, bytes]]:
        """Yield what is printed on the terminal."""
        while piece := await self.program.read():
            yield Stream.STDOUT, piece

    async def wait(self) -> Outcome:
        """Wait for the shell's end."""
        status = await self.program.ended()
        return Outcome(signal=signal_name(-status)) if status < 0 else Outcome(exit_status=status)

    def write(self, data: bytes) -> None:
        """Send what was typed."""
        self.program.write(data)

    def resize(self, size: Size) -> None:
        """Tell its terminal another size."""
        self.program.resize(size.columns, size.rows)

    def stop(self, *, kill: bool = False) -> None:
        """Hang up: the shell, and what runs on its terminal, get SIGHUP. A shell takes no notice of SIGTERM."""
        if kill:
            self.program.signal(signal.SIGKILL)
        self.program.close()

    def close(self) -> None:
        """Let go of the terminal."""
        self.program.close()


class LocalTransport:
    """Starts programs on this machine, with the cockpit's environment and an empty input."""

    async def start(self, command: Command) -> LocalRunning:
        """Start a command's argv; no shell sees it unless the argv names one."""
        return LocalRunning(await process.stream(command.argv, cwd=command.cwd or None))

    async def open(self, command: Command, launch: Launch) -> LocalShell:
        """Start a shell on a terminal of its own."""
        program = await process.on_terminal(
            launch.argv or (os.environ.get("SHELL") or "/bin/sh",),
            columns=launch.size.columns,
            rows=launch.size.rows,
            env={**os.environ, "TERM": launch.term},
            cwd=command.cwd or None,
        )
        return LocalShell(program)


def signal_name(number: int) -> str:
    """Return a signal's name such as `SIGTERM`, or `SIG<number>` where it has none (real-time signals)."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"


def signal_number(name: str) -> int:
    """Return the number of a signal named by `signal_name`."""
    return signal.Signals[name].value if name in signal.Signals.__members__ else int(name.removeprefix("SIG"))
