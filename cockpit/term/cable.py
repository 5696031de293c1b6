"""What a terminal hangs on: bytes out, bytes in, a size, an end. At the far side is a program or a tape.

A cable holds next to nothing: while nobody asks for more output, whoever prints waits. That is what makes ctrl+c work
at once in a flood.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Protocol

from cockpit.actions.transport import Outcome
from cockpit.term.size import Size

if TYPE_CHECKING:
    from cockpit.process import Pty
    from cockpit.ssh.program import Program

__all__ = ["Cable", "LocalCable", "Outcome", "ReplayCable", "Size", "SshCable"]

READ = 16 * 1024
"""Bytes in one piece of output at most."""


class Cable(Protocol):
    """A terminal's line. `output` is for one reader; the rest may be called at any time, also after the end."""

    def output(self) -> AsyncIterator[bytes]:
        """Yield what is to be shown, at most `READ` bytes at once; no more is taken in until it is asked for."""
        ...

    def write(self, data: bytes) -> None:
        """Send what was typed."""
        ...

    def resize(self, size: Size) -> None:
        """Tell the far side another size."""
        ...

    async def wait(self) -> Outcome:
        """Wait for the end."""
        ...

    def close(self) -> None:
        """Hang up; a program still running gets to know."""
        ...


class LocalCable:
    """A program on this machine, started by whoever hands it over.

    Args:
        program: The running program.
    """

    def __init__(self, program: Pty) -> None:
        self._program = program

    async def output(self) -> AsyncIterator[bytes]:
        """Yield what it prints."""
        while piece := await self._program.read(READ):
            yield piece

    def write(self, data: bytes) -> None:
        """Type."""
        self._program.write(data)

    def resize(self, size: Size) -> None:
        """Change its terminal's size; the program is told by SIGWINCH."""
        self._program.resize(size.columns, size.rows)

    async def wait(self) -> Outcome:
        """Wait for its end."""
        status = await self._program.ended()
        if status >= 0:
            return Outcome(exit_status=status)
        try:
            return Outcome(signal=signal.Signals(-status).name)
        except ValueError:
            return Outcome(signal=f"signal {-status}")

    def close(self) -> None:
        """Hang up: the program and what it started get SIGHUP."""
        self._program.close()


class SshCable:
    """A program on a host, on a channel with a terminal.

    Args:
        program: The running program.
    """

    def __init__(self, program: Program) -> None:
        self._program = program

    async def output(self) -> AsyncIterator[bytes]:
        """Yield what it prints."""
        async for _, data in self._program.pieces():
            for start in range(0, len(data), READ):
                yield data[start : start + READ]

    def write(self, data: bytes) -> None:
        """Type."""
        self._program.write(data)

    def resize(self, size: Size) -> None:
        """Change its terminal's size."""
        self._program.resize(size)

    async def wait(self) -> Outcome:
        """Wait for its end."""
        ending = await self._program.wait()
        return Outcome(exit_status=ending.exit_status, signal=ending.signal, unknown=ending.lost)

    def close(self) -> None:
        """Close the channel: the host hangs up the program's terminal."""
        self._program.close()


class ReplayCable:
    """A recording; what is typed goes nowhere.

    Args:
        pieces: When each piece came, in nanoseconds since whenever, and what it is.
        speed: How many times as fast as it was; 0 shows all of it at once.
        idle_limit: Seconds that pass at most between two pieces.
    """

    def __init__(
        self, pieces: Sequence[tuple[int, bytes]], *, speed: float = 1.0, idle_limit: float | None = None
    ) -> None:
        self._pieces = pieces
        self._speed = speed
        self._idle_limit = idle_limit
        self._ended = asyncio.Event()

    async def output(self) -> AsyncIterator[bytes]:
        """Yield the pieces as they are due."""
        from cockpit.actionlog.replay import Player

        player = Player([at for at, _ in self._pieces], idle_limit=self._idle_limit)
        if self._speed:
            player.set_speed(self._speed)
        began = asyncio.get_running_loop().time()
        for place, (_, data) in zip(player.places, self._pieces, strict=True):
            if self._speed:
                due = began + place / player.speed - asyncio.get_running_loop().time()
                if due > 0 and await self._over(due):
                    return
            if self._ended.is_set():
                return
            for start in range(0, len(data), READ):
                yield data[start : start + READ]
        self._ended.set()

    async def _over(self, seconds: float) -> bool:
        """Let time pass; tell whether the replay was ended meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return False
        return True

    def write(self, data: bytes) -> None:
        """Do nothing: nobody is there."""

    def resize(self, size: Size) -> None:
        """Do nothing: it was recorded at its own size."""

    async def wait(self) -> Outcome:
        """Wait for the end of the recording."""
        await self._ended.wait()
        return Outcome(exit_status=0)

    def close(self) -> None:
        """End it."""
        self._ended.set()
