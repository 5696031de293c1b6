"""Who makes records of the lines that files bring: the source itself, or a process apart while files are busy.

Lines are parsed here while there are few, so that quiet files cost no process. Once thousands come each second, a
process is started, and takes over with the next block when it is ready. It ends when the files were quiet for a
while; when it dies or hangs, what it had is parsed here, and another is not tried at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Collection

from cockpit.errors import CockpitError
from cockpit.signals import LogRecord
from sources.support.apart import Apart
from sources.support.followed import Block, Followed

log = logging.getLogger(__name__)

BUSY = 5_000
"""Records a second, over a whole one, from which a process apart is worth its start and its memory."""
QUIET = 1_000
"""Records a second below which it may not be."""
CALM = 30.0
"""Seconds of quiet after which it ends."""
LOOK = 1.0
"""Seconds over which records are counted."""
AGAIN = 60.0
"""Seconds after a failure in which no other is started."""
AHEAD = 8
"""Blocks that are with the process at most: it has work while the records before are handed over."""


class Pace:
    """Whether many records come."""

    def __init__(self) -> None:
        self.busy = False
        self._count = 0
        self._since = self._lively = time.monotonic()

    def add(self, count: int) -> None:
        """Count records in."""
        self._count += count
        now = time.monotonic()
        if now - self._since < LOOK:
            return
        rate = self._count / (now - self._since)
        self._count, self._since = 0, now
        if rate >= QUIET:
            self._lively = now
        self.busy = rate >= BUSY or (self.busy and now - self._lively < CALM)


class Parsing:
    """Makes records of blocks, here or apart.

    Args:
        start: The pattern that a record begins with; empty for what stack traces look like.
        joined: Whether lines are joined.
    """

    def __init__(self, start: str, *, joined: bool) -> None:
        self._apart: Apart | None = None
        self._coming: asyncio.Task[Apart] | None = None
        self._not_before = 0.0
        self._pace = Pace()
        self._start = start
        self._joined = joined

    @property
    def apart(self) -> bool:
        """Whether a process does it."""
        return self._apart is not None

    async def records(self, followed: Followed, block: Block, now: int) -> AsyncIterator[list[LogRecord]]:
        """Take a block in, and yield records that are ready, which may be those of blocks before."""
        if self._apart is None:
            followed.feed(block)
            for part in followed.ready(now):
                yield self._counted(part)
            return
        self._apart.give(followed, block, now)
        async for part in self._down_to(AHEAD - 1):
            yield part

    async def rest(self) -> AsyncIterator[list[LogRecord]]:
        """Yield the records of all blocks that were taken in."""
        async for part in self._down_to(0):
            yield part

    async def settle(self, files: Collection[Followed]) -> None:
        """Between two sweeps, do what the pace asks for: start the process, put it to work, or end it."""
        self._pace.add(0)
        if self._coming is not None and self._coming.done():
            coming, self._coming = self._coming, None
            try:
                self._apart = coming.result()
            except CockpitError as error:
                self._failed(error)
        if self._apart is not None:
            self._apart.keep(files)
            if not self._pace.busy:
                await self._dismiss()
        elif self._coming is None and self._pace.busy and time.monotonic() >= self._not_before:
            self._coming = asyncio.create_task(_begun(Apart(self._start, joined=self._joined)))

    def recall(self) -> None:
        """Take back into their files the blocks that were not answered."""
        while self._apart is not None and self._apart.back():
            pass

    async def end(self) -> None:
        """End the process, or its start."""
        if self._coming is not None:
            coming, self._coming = self._coming, None
            coming.cancel()
            with contextlib.suppress(asyncio.CancelledError, CockpitError):
                await (await coming).end()
        await self._dismiss()

    async def _down_to(self, count: int) -> AsyncIterator[list[LogRecord]]:
        """Yield records until no more than so many blocks are with the process."""
        while (apart := self._apart) is not None and len(apart.given) > count:
            async for part in self._taken(apart):
                yield part

    async def _taken(self, apart: Apart) -> AsyncIterator[list[LogRecord]]:
        """Yield what the process answers; once it fails, what can be made here of all it had."""
        try:
            yield self._counted(await apart.take())
            return
        except CockpitError as error:
            self._failed(error)
        now = time.time_ns()
        while (followed := apart.back()) is not None:
            for part in followed.ready(now):
                yield self._counted(part)
        await self._dismiss()

    def _counted(self, part: list[LogRecord]) -> list[LogRecord]:
        self._pace.add(len(part))
        return part

    def _failed(self, error: CockpitError) -> None:
        log.warning("%s", error)
        self._not_before = time.monotonic() + AGAIN

    async def _dismiss(self) -> None:
        apart, self._apart = self._apart, None
        if apart is not None:
            await apart.end()


async def _begun(apart: Apart) -> Apart:
    await apart.begin()
    return apart
