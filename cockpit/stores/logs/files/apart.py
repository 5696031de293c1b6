"""The screen's side of the process that reads logs: starts it, asks it, and hands on what it tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from cockpit.errors import CockpitError
from cockpit.ours import argv_of, env_of
from cockpit.process import Process, kill, spawn
from cockpit.stores.logs.files.wire import LENGTH, LONGEST, Look, Next, Open, Told, framed, told_of

SILENT = 3.0
"""Seconds without a word after which one is told."""


class Apart:
    """One process. `begin` it first and `end` it at last; between them, `listen` until it ends."""

    def __init__(self) -> None:
        self._process: Process | None = None

    async def begin(self, opened: Open) -> None:
        """Start it.

        Raises:
            CommandError: It can't be started.
        """
        self._process = await spawn(argv_of("cockpit.stores.logs.files.process"), stdin=True, env=env_of())
        self._send(framed(opened))

    def look(self, serial: int, query: bytes) -> None:
        """Ask for a search."""
        self._send(framed(Look(serial, query)))

    def look_for(self, question: Next) -> None:
        """Ask for one record."""
        self._send(framed(question))

    async def listen(self, take: Callable[[Sequence[Told]], None], silent: Callable[[float], None]) -> None:
        """Hand on what it tells, frame by frame, until it ends.

        Args:
            take: Told what it tells.
            silent: Told for how many seconds it has said nothing, as when it is stopped or a disk hangs; 0 once it
                speaks again.

        Raises:
            CockpitError: It has ended, or says what makes no sense.
        """
        output = self._process.stdout if self._process is not None else None
        if output is None:
            return
        try:
            while True:
                (size,) = LENGTH.unpack(await _heard(output, silent))
                if size > LONGEST:
                    raise _lost("an answer is too long")
                take(told_of(await output.readexactly(size)))
                await asyncio.sleep(0)  # what is here already is read without a turn for others
        except (asyncio.IncompleteReadError, OSError):
            raise _lost("it has ended") from None
        except msgspec.MsgspecError as error:
            raise _lost(str(error)) from None

    async def end(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None:
            await kill(process)

    def _send(self, data: bytes) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(data)


async def _heard(output: asyncio.StreamReader, silent: Callable[[float], None]) -> bytes:
    """Return how long the next frame is, as bytes; meanwhile say that nothing comes."""
    waited = 0.0
    while True:
        try:
            async with asyncio.timeout(SILENT):
                data = await output.readexactly(LENGTH.size)
        except TimeoutError:
            waited += SILENT
            silent(waited)
            continue
        if waited:
            silent(0.0)
        return data


def _lost(why: str) -> CockpitError:
    return CockpitError(f"the process that reads the logs failed: {why}")
