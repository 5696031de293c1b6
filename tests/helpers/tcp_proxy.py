"""A TCP proxy on loopback that can freeze, cut, slow down and refuse: the network between us and a server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class TcpProxy:
    """Passes connections on to a port.

    Attributes:
        port: Where it listens.
        accepted: Connections that it ever took.
        delay: Seconds that each piece is held up, each way.
        let_through: Bytes of the server's that pass on each connection, and then no more; None for all.
    """

    def __init__(self, to: int) -> None:
        self.to = to
        self.port = 0
        self.accepted = 0
        self.delay = 0.0
        self.let_through: int | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    def freeze(self) -> None:
        """Pass nothing on any more, and say nothing: a network that is gone."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Pass on again, what was held up as well."""
        self._flowing.set()

    def cut(self) -> None:
        """End every connection at once."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def refuse(self) -> None:
        """Cut, and take no new connections."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    async def accept(self) -> None:
        """Take connections."""
        if self._server is None:
            self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def end(self) -> None:
        """Let go of everything."""
        await self.refuse()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        self._writers.add(writer)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.to)
            self._writers.add(back)
            try:
                await asyncio.gather(
                    self._pass(reader, back, None), self._pass(there, writer, self.let_through)
                )
            finally:
                self._writers.discard(back)
                back.transport.abort()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()
            self._tasks.discard(task)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int | None
    ) -> None:
        while data := await reader.read(64 * 1024):
            if self.delay:
                await asyncio.sleep(self.delay)
            await self._flowing.wait()
            if left is not None:
                data, left = data[:left], max(0, left - len(data))
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()


@contextlib.asynccontextmanager
async def tcp_proxy(to: int) -> AsyncIterator[TcpProxy]:
    """Hold a proxy for the length of a block."""
    proxy = TcpProxy(to)
    await proxy.accept()
    try:
        yield proxy
    finally:
        await proxy.end()
