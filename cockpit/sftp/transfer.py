"""Transfers as the door sees them: started, followed by lines about each file, stopped."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from msgspec import Struct

from cockpit.actions.transport import Outcome, Stream
from cockpit.errors import CockpitError

Said = tuple[Stream, str]
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


class Progress(Struct, kw_only=True):
    """How far a transfer is; one object a transfer, changed as it goes on.

    Attributes:
        file: What is under way.
        done: Bytes of all files that are through.
        total: Bytes of all files; grows while a directory is being looked through.
        files_done: Files that are through, well or not.
        files: Files in all.
    """

    file: str = ""
    done: int = 0
    total: int = 0
    files_done: int = 0
    files: int = 0

    def told(self) -> str:
        """Say it in a few words; empty before anything is known."""
        if not self.total:
            return ""
        share = 100 * self.done // self.total
        count = f"  {self.files_done} of {self.files} files" if self.files > 1 else ""
        return f"{share:3} %  {amount(self.done)} of {amount(self.total)}{count}  {self.file}"


def amount(size: float) -> str:
    """Return bytes as a person reads them, such as `1.4 MiB`."""
    for unit in UNITS:
        if size < 1024 or unit == UNITS[-1]:
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


class Transfer:
    """A transfer on its way.

    Args:
        work: Moves the files; given what to call with each line about them. Returns how many failed.
    """

    def __init__(self, work: Callable[[Callable[[Stream, str], None]], Awaitable[int]]) -> None:
        self._lines: asyncio.Queue[Said | None] = asyncio.Queue()
        self._task = asyncio.ensure_future(self._run(work))

    async def output(self) -> AsyncIterator[tuple[Stream, bytes]]:
        """Yield a line a file that is through, and on stderr one for each that isn't."""
        while (said := await self._lines.get()) is not None:
            stream, line = said
            yield stream, f"{line}\n".encode(errors="replace")

    async def wait(self) -> Outcome:
        """Wait for the end."""
        await asyncio.wait([self._task])
        if self._task.cancelled():
            return Outcome(exit_status=None, signal="SIGTERM", note="stopped")
        return Outcome(exit_status=1 if self._task.result() else 0)

    def stop(self, *, kill: bool = False) -> None:
        """Stop; what has come of a file stays to be gone on with."""
        self._task.cancel()

    def close(self) -> None:
        """Stop, where it still runs."""
        self._task.cancel()

    async def _run(self, work: Callable[[Callable[[Stream, str], None]], Awaitable[int]]) -> int:
        def say(stream: Stream, line: str) -> None:
            self._lines.put_nowait((stream, line))

        try:
            return await work(say)
        except CockpitError as error:
            say(Stream.STDERR, str(error))
            return 1
        finally:
            with contextlib.suppress(asyncio.QueueFull):
                self._lines.put_nowait(None)
