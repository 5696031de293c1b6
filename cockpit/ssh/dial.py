"""Connections through a hop that are sockets here: one end of a pair, the other tied to a direct-tcpip channel.

A socket is what every library takes, TLS is done over it as over any other, and nothing listens on this machine.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, cast

import asyncssh

from cockpit.ssh.errors import ssh_errors
from cockpit.ssh.pool import Pool


class _Far(asyncssh.SSHTCPSession[bytes]):
    """The channel's side: what comes from afar goes to the socket."""

    def __init__(self) -> None:
        self.channel: Any = None
        self.near: asyncio.Transport | None = None
        self.waiting: list[bytes] = []
        self.ended = False

    def connection_made(self, chan: Any) -> None:
        self.channel = chan
        chan.pause_reading()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if self.near is not None:
            self.near.write(data)

    def eof_received(self) -> bool:
        if self.near is not None and self.near.can_write_eof():
            self.near.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if self.near is not None:
            self.near.close()

    def pause_writing(self) -> None:
        if self.near is not None:
            self.near.pause_reading()

    def resume_writing(self) -> None:
        if self.near is not None:
            self.near.resume_reading()


class _Near(asyncio.Protocol):
    """The socket's side: what is written here goes to the channel."""

    def __init__(self, far: _Far) -> None:
        self.far = far

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.far.near = cast(asyncio.Transport, transport)
        self.far.channel.resume_reading()

    def data_received(self, data: bytes) -> None:
        self.far.channel.write(data)

    def eof_received(self) -> bool:
        self.far.channel.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.far.channel.close()

    def pause_writing(self) -> None:
        self.far.channel.pause_reading()

    def resume_writing(self) -> None:
        self.far.channel.resume_reading()


async def dialled(pool: Pool, via: str, host: str, port: int) -> socket.socket:
    """Return a connected socket through a hop; on the connections' loop.

    Raises:
        CockpitError: No way leads to the hop, or it refuses.
    """
    hop = await pool.hop(via)
    connection = await hop.connected()
    with ssh_errors(via):
        _, session = await connection.create_connection(_Far, host, port, encoding=None)
    far = cast(_Far, session)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    try:
        await asyncio.get_running_loop().create_connection(lambda: _Near(far), sock=ours)
    except BaseException:
        ours.close()
        theirs.close()
        far.channel.close()
        raise
    return theirs
