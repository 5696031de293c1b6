"""The network below httpx for sources behind a bastion: streams over sockets that `Remote` dials.

Pooling, keep-alive and HTTP itself stay httpcore's. TLS is spoken here, end to end, over the dialled socket: the
bastion sees what any router on the way would.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpcore
import httpx

from cockpit.errors import Unreachable
from cockpit.source import Remote

SHARE = 0.9
"""Of the time for connecting that a dial may take, so that its end is told before that of the whole request."""
CLOSING = 0.5
"""Seconds that saying goodbye may take."""


class TunnelTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport, its pool's connections made through a bastion."""

    def __init__(self, remote: Remote, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, trust_env=False)
        # httpx takes no network backend, so its pool is replaced by one that has it; nothing is open in it yet.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=60.0,
            network_backend=TunnelBackend(remote),
        )


class TunnelBackend(httpcore.AsyncNetworkBackend):
    """Opens streams through a bastion."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Dial.

        Raises:
            Unreachable: With the hop that failed.
        """
        via = self._remote.via
        try:
            async with asyncio.timeout(timeout * SHARE if timeout else None):
                return _Stream(await self._remote.dial(host, port))
        except TimeoutError:
            raise Unreachable(
                f"not reached through {via}: no connection within {timeout:g} s",
                where=f"{host}:{port}",
                remedy=f"is {via} up, and does a firewall behind it drop packets?",
            ) from None

    async def sleep(self, seconds: float) -> None:
        """Wait before another try."""
        await asyncio.sleep(seconds)


class _Stream(httpcore.AsyncNetworkStream):
    """A dialled socket, plain or under TLS: which of them the first use tells."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        async with _mapped(httpcore.ReadTimeout, httpcore.ReadError, timeout):
            reader, _ = await self._opened()
            return await reader.read(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        async with _mapped(httpcore.WriteTimeout, httpcore.WriteError, timeout):
            _, writer = await self._opened()
            writer.write(buffer)
            await writer.drain()

    async def aclose(self) -> None:
        if self._streams is None:
            self._socket.close()
            return
        _, writer = self._streams
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSING):
                await writer.wait_closed()
        writer.transport.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        async with _mapped(httpcore.ConnectTimeout, httpcore.ConnectError, timeout):
            try:
                self._streams = await asyncio.open_connection(
                    sock=self._socket,
                    ssl=ssl_context,
                    server_hostname=server_hostname or "",
                    ssl_shutdown_timeout=CLOSING,
                )
            except BaseException:
                self._socket.close()
                raise
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # of an idle connection: whether the other side has closed it
            return self._streams is not None and (
                self._streams[0].at_eof() or self._streams[1].transport.is_closing()
            )
        if info == "socket":
            return self._socket
        return self._streams[1].get_extra_info(info) if self._streams is not None else None

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(sock=self._socket)
        return self._streams


@contextlib.asynccontextmanager
async def _mapped(
    late: type[Exception], broken: type[Exception], timeout: float | None
) -> AsyncIterator[None]:
    """Bound a block in time and raise httpcore's errors in place of the socket's."""
    try:
        async with asyncio.timeout(timeout):
            yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except OSError as error:  # TLS's errors are some too
        raise broken(str(error)) from error
