"""A program on a host, on a channel of its connection: started there, read and written from any event loop.

The channel lives on the connections' loop; whoever reads it lives on another. What comes in waits in a deque between
the two, at most `HELD` bytes and one packet of it: then the channel's window closes and the program waits.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import Future
from typing import Any

import asyncssh
from asyncssh.constants import EXTENDED_DATA_STDERR
from msgspec import Struct

READ = 64 * 1024
"""Bytes in one piece at most."""
HELD = 4 * READ
"""Bytes held for a slow reader before the program is made to wait."""


class Size(Struct, frozen=True):
    """A terminal's size in cells."""

    columns: int
    rows: int


class Ending(Struct, frozen=True, kw_only=True):
    """How a program ended, as far as its host said.

    Attributes:
        exit_status: None where a signal ended it, or where nothing was said.
        signal: The signal's name, such as `SIGTERM`.
        lost: Why nothing was said; empty where something was.
    """

    exit_status: int | None = None
    signal: str | None = None
    lost: str = ""


class Program(asyncssh.SSHClientSession[bytes]):
    """A program on a host. `pieces` is for one reader; everything may be called from any thread."""

    def __init__(self, hop: str, loop: asyncio.AbstractEventLoop) -> None:
        self.hop = hop
        self._loop = loop
        self._channel: Any = None
        self._pieces: deque[tuple[int, bytes]] = deque()
        self._held = 0
        self._paused = False
        self._over = False
        self._reader: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._ending = Ending(lost="the channel was closed without an exit status")
        self._ended: Future[Ending] = Future()

    async def pieces(self) -> AsyncIterator[tuple[int, bytes]]:
        """Yield (1 for stdout or 2 for stderr, bytes) until the end."""
        changed = asyncio.Event()
        self._reader = (asyncio.get_running_loop(), changed)
        while True:
            changed.clear()
            over, taken = self._over, 0
            while self._pieces:
                number, data = self._pieces.popleft()
                for start in range(0, len(data), READ):
                    yield number, data[start : start + READ]
                taken += len(data)
            if taken:
                self._soon(self._took, taken)
            elif over:
                return
            else:
                await changed.wait()

    async def wait(self) -> Ending:
        """Wait for the end."""
        return await asyncio.shield(asyncio.wrap_future(self._ended))

    @property
    def over(self) -> bool:
        """Whether it has ended, or its connection has."""
        return self._over

    def write(self, data: bytes) -> None:
        """Send input; what its program does not read waits on the connections' loop."""
        self._soon(self._channel.write, data)

    def write_eof(self) -> None:
        """End its input."""
        self._soon(self._channel.write_eof)

    def resize(self, size: Size) -> None:
        """Tell its terminal another size."""
        self._soon(self._channel.change_terminal_size, size.columns, size.rows)

    def signal(self, name: str) -> None:
        """Have the host signal the program and its group; a server may ignore that.

        Args:
            name: Without `SIG`, such as `TERM`.
        """
        self._soon(self._channel.send_signal, name)

    def close(self) -> None:
        """Close the channel; a program that writes to it then gets SIGPIPE, any other goes on."""
        self._soon(self._channel.close)

    def _soon(self, what: Any, *args: Any) -> None:
        def call() -> None:
            with contextlib.suppress(OSError):  # the channel is closed already
                what(*args)

        with contextlib.suppress(RuntimeError):  # the loop is
            self._loop.call_soon_threadsafe(call)

    def _took(self, count: int) -> None:
        self._held -= count
        if self._paused and self._held <= HELD // 2:
            self._paused = False
            self._channel.resume_reading()

    def _tell(self) -> None:
        if self._reader is not None:
            loop, changed = self._reader
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(changed.set)

    # What asyncssh calls, on the connections' loop.

    def connection_made(self, chan: Any) -> None:
        """Keep the channel."""
        self._channel = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Hold what came, and close the window when that is much."""
        self._pieces.append((2 if datatype == EXTENDED_DATA_STDERR else 1, data))
        self._held += len(data)
        if self._held > HELD and not self._paused:
            self._paused = True
            self._channel.pause_reading()
        self._tell()

    def eof_received(self) -> bool:
        """Keep our half open until the exit status is here."""
        return True

    def exit_status_received(self, status: int) -> None:
        """Note how it ended."""
        self._ending = Ending(exit_status=status)

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        """Note which signal ended it."""
        self._ending = Ending(signal=f"SIG{signal}")

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        if exc is not None and self._ending.lost:
            self._ending = Ending(lost=f"the connection was lost: {' '.join(str(exc).split())}")
        self._over = True
        if not self._ended.done():
            self._ended.set_result(self._ending)
        self._tell()
