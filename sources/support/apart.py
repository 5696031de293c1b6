"""Parsing in a process of its own, so that busy files leave the interpreter to the screen.

Files are read here all the same: a block of bytes costs next to nothing to read and to pass on, and who holds the
offsets can't disagree with anybody. What was given away stays here until it is answered, and with each answer comes
where the file's joiner stands. So whoever goes on without the process goes on exactly where it was.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection

import msgspec
from msgspec import Struct

from cockpit.errors import SourceError
from cockpit.ours import argv_of, env_of
from cockpit.process import Process, kill, spawn
from cockpit.signals import LogRecord
from sources.support.apart_wire import LENGTH, LONGEST, Job, Part, Setup, framed, records_of
from sources.support.followed import Block, Followed

ARGV = argv_of("sources.support.apart_process")
PATIENCE = 10.0
"""Seconds without an answer after which the process is given up."""


class Given(Struct, frozen=True):
    """A block that is with the process."""

    followed: Followed
    block: Block


class Apart:
    """One process, and what is with it. `begin` it before anything else, and `end` it.

    Attributes:
        given: The blocks that were not answered yet, in order.
    """

    def __init__(self, start: str, *, joined: bool) -> None:
        self.given: deque[Given] = deque()
        self._setup = Setup(start, joined)
        self._numbers: dict[Followed, int] = {}
        self._last = 0
        self._decoder = msgspec.msgpack.Decoder(Part)
        self._process: Process | None = None

    async def begin(self) -> None:
        """Start the process and wait until it is ready.

        Raises:
            CockpitError: It can't be started, or is not ready in time.
        """
        self._process = await spawn(ARGV, stdin=True, env=env_of())
        try:
            self._send(self._setup)
            await self._part()
        except BaseException:
            await self.end()
            raise

    def give(self, followed: Followed, block: Block, now: int) -> None:
        """Pass a block on; blocks of a file are given in order."""
        number, held = self._numbers.get(followed, 0), None
        if not number:
            number = self._last = self._numbers[followed] = self._last + 1
            held = followed.joiner.held
        self.given.append(Given(followed, block))
        followed.away += 1
        self._send(Job(number, block.data, block.last, now, held))

    async def take(self) -> list[LogRecord]:
        """Return the records of the block that was given first; if that fails it stays with `given`.

        Raises:
            SourceError: The process has ended, hangs or says what makes no sense.
        """
        first = self.given[0]
        records: list[LogRecord] = []
        while (part := await self._part()).held is None:
            try:
                records += records_of(part, first.followed.parser)
            except ValueError as error:
                raise _lost(str(error)) from None
            await asyncio.sleep(0)  # what is here already is read without a turn for others
        first.followed.joiner.held = part.held
        self._forget_first()
        return records

    def back(self) -> Followed | None:
        """Take back the block given first, into its file; None where there is none."""
        if not self.given:
            return None
        first = self.given[0]
        first.followed.feed(first.block)
        self._forget_first()
        return first.followed

    def keep(self, files: Collection[Followed]) -> None:
        """Let the process forget all files but these."""
        for followed in self._numbers.keys() - set(files):
            if not followed.away:
                self._send(Job(self._numbers.pop(followed), leave=True))

    async def end(self) -> None:
        """End the process; what was given stays in `given`."""
        process, self._process = self._process, None
        if process is not None:
            await kill(process)

    def _forget_first(self) -> None:
        self.given.popleft().followed.away -= 1

    def _send(self, message: Struct) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(framed(message))

    async def _part(self) -> Part:
        output = self._process.stdout if self._process is not None else None
        if output is None:
            raise _lost("it has ended")
        try:
            async with asyncio.timeout(PATIENCE):
                (size,) = LENGTH.unpack(await output.readexactly(LENGTH.size))
                if size > LONGEST:
                    raise _lost("an answer is too long")
                return self._decoder.decode(await output.readexactly(size))
        except TimeoutError:
            raise _lost(f"no answer within {PATIENCE:g} s") from None
        except (asyncio.IncompleteReadError, OSError):
            raise _lost("it has ended") from None
        except msgspec.MsgspecError as error:
            raise _lost(str(error)) from None


def _lost(why: str) -> SourceError:
    return SourceError(f"the process that parses failed: {why}", remedy="lines are parsed without it")
