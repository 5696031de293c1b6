"""The output of a program of this machine as its holder reads it; `process.stream` starts the program."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
from collections import deque
from collections.abc import AsyncIterator
from typing import cast

READ = 64 * 1024
"""Bytes in one piece of output."""
HELD = 4 * READ
"""Bytes of output held for a slow reader before the program is made to wait."""
PIPE_HOLDS = 1024 * 1024
"""Bytes that a program may write before anybody has read them, where the system lets that be said."""
LINGER = 1.0
"""Seconds to go on reading after a program's end, where something it left running still holds its output."""
LEFTOVER = 4 << 20
"""Bytes to read after a program's end at most: more than two pipes can hold, so the rest is not its own."""


class Streaming(asyncio.SubprocessProtocol):
    """A running program whose output is read in pieces, in the order it came.

    While nobody reads, the program waits: at most `HELD` bytes and what one read brought are kept here. The end of
    the program is known when it ends, even if something it left behind still holds its output.

    Attributes:
        pid: The program's process id, and that of the session and group it leads.
        left_behind: Whether its output was given up because something it left running still held it.
    """

    def __init__(self) -> None:
        self.pid = 0
        self.left_behind = False
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pieces: deque[tuple[int, bytes]] = deque()
        self._held = 0
        self._open = {1, 2}
        self._paused = False
        self._leftover = 0
        self._changed = asyncio.Event()
        self._giving_up: asyncio.TimerHandle | None = None

    async def pieces(self) -> AsyncIterator[tuple[int, bytes]]:
        """Yield (1 for stdout or 2 for stderr, at most `READ` bytes) until both are at their end. For one reader."""
        while True:
            while self._pieces:
                number, piece = self._pieces.popleft()
                self._held -= len(piece)
                if self._held <= HELD // 2:
                    self._pause(False)
                yield number, piece
            if not self._open:
                return
            self._changed.clear()
            await self._changed.wait()

    async def ended(self) -> int:
        """Wait for the program's end and return its exit status, or minus the signal that ended it."""
        return await asyncio.shield(self._ended)

    def signal(self, number: int) -> None:
        """Signal the program and all that is still in its group.

        The group outlives its leader while something in it runs. Once the leader has ended, only output that is still
        held says so, and without that nothing is signalled: the number could be another's by now.
        """
        if not self._ended.done() or self._open:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def close(self) -> None:
        """Let go of the program's output; a program still running is killed."""
        if self._giving_up is not None:
            self._giving_up.cancel()
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; asyncio calls this first."""
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self.pid = self._transport.get_pid()
        for fd in self._open:
            _widen(self._transport.get_pipe_transport(fd))

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Hold what came, and make the program wait when that is much."""
        for start in range(0, len(data), READ):
            self._pieces.append((fd, data[start : start + READ]))
        self._held += len(data)
        if self._ended.done():
            self._leftover += len(data)
        if self._held > HELD:
            self._pause(True)
        self._changed.set()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Note the end of one output."""
        self._open.discard(fd)
        self._changed.set()

    def process_exited(self) -> None:
        """Note the program's end, and read on for as long as it takes to have all it wrote."""
        status = self._transport.get_returncode()
        if not self._ended.done():
            self._ended.set_result(status if status is not None else -signal.SIGKILL)
        self._linger()

    def _linger(self) -> None:
        self._giving_up = asyncio.get_running_loop().call_later(LINGER, self._give_up)

    def _give_up(self) -> None:
        """Stop reading what a program left running still holds, once nothing of the program's own can be unread.

        What the program wrote lies in the pipe when it ends: a full `LINGER` of reading without a pause has it all.
        """
        if not self._open:
            return
        if (self._paused or self._pieces) and self._leftover < LEFTOVER:
            self._linger()
            return
        self.left_behind = True
        for fd in tuple(self._open):
            if (pipe := self._transport.get_pipe_transport(fd)) is not None:
                pipe.close()

    def _pause(self, paused: bool) -> None:
        if paused == self._paused:
            return
        self._paused = paused
        for fd in self._open:
            pipe = cast(asyncio.ReadTransport, self._transport.get_pipe_transport(fd))
            if paused:
                pipe.pause_reading()
            else:
                pipe.resume_reading()


def _widen(pipe: asyncio.BaseTransport | None) -> None:
    """Let a pipe hold more, so that a flood takes fewer reads: each may wait for other threads' use of Python."""
    if pipe is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError, ValueError):  # refused, or closed already
            fcntl.fcntl(pipe.get_extra_info("pipe"), fcntl.F_SETPIPE_SZ, PIPE_HOLDS)
