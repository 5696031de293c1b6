"""Carries commands to a source that offers actions on what it shows: silence, acknowledge, restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from cockpit.actions.command import Command
from cockpit.actions.transport import Outcome, Stream
from cockpit.errors import CockpitError, OutcomeUnknown
from cockpit.process import READ

Ask = Callable[[str, str, Sequence[str]], Awaitable[str]]
"""Ask a source by its name to run a method (`act`) with an argv, wherever its loop is; raises CockpitError."""


class SourceRunning:
    """An action that a source was asked for."""

    def __init__(self, asked: asyncio.Task[str]) -> None:
        self._asked = asked

    async def output(self) -> AsyncIterator[tuple[Stream, bytes]]:
        """Yield the source's answer as stdout, or its error as stderr."""
        await asyncio.wait([self._asked])
        stream, text = self._answer()
        data = f"{text}\n".encode(errors="replace") if text else b""
        for start in range(0, len(data), READ):
            yield stream, data[start : start + READ]

    async def wait(self) -> Outcome:
        """Wait for the answer."""
        await asyncio.wait([self._asked])
        if self._asked.cancelled():
            return Outcome(unknown="it was asked for, and its answer not awaited")
        error = self._asked.exception()
        if isinstance(error, OutcomeUnknown):
            return Outcome(unknown=str(error))
        if error is not None and not isinstance(error, CockpitError):
            return Outcome(
                unknown=f"the source failed in a way that it should not: {type(error).__name__}: {error}"
            )
        return Outcome(exit_status=0 if error is None else 1)

    def stop(self, *, kill: bool = False) -> None:
        """Stop waiting for the answer; what was asked may be done all the same."""
        self._asked.cancel()

    def close(self) -> None:
        """Stop waiting for the answer."""
        self._asked.cancel()

    def _answer(self) -> tuple[Stream, str]:
        if self._asked.cancelled():
            return Stream.STDERR, ""
        error = self._asked.exception()
        if error is None:
            return Stream.STDOUT, self._asked.result().rstrip("\n")
        return Stream.STDERR, str(error) if isinstance(error, CockpitError) else repr(error)


class SourceTransport:
    """Hands a command's argv to the source that its target names."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask

    async def start(self, command: Command) -> SourceRunning:
        """Ask the source to act."""

        async def act() -> str:
            return await self.ask(command.target.name, "act", command.argv)

        return SourceRunning(asyncio.create_task(act()))
