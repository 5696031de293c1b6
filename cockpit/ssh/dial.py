"""Connections through a hop that are sockets here: one end of a pair, the other tied to a direct-tcpip channel.

A socket is what every library takes, TLS is done over it as over any other, and nothing listens on this machine.
Either side may end its half and go on reading. Whichever is slower holds the other up: the pair's buffers, one write
of asyncio's and the channel's window are all that is ever held.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
from typing import Any, cast

import asyncssh

from cockpit.errors import ChannelRefused
from cockpit.ssh.errors import refused, ssh_errors
from cockpit.ssh.hop import Hop
from cockpit.ssh.pool import Pool
from cockpit.ssh.ways import close_channel, surely

LOOK_S = 0.5
"""Seconds between two looks at whether one who ended its half has gone altogether."""


class _Far(asyncssh.SSHTCPSession[bytes]):
    """The channel's side: what comes from afar goes to the socket."""

    def __init__(self, hop: Hop) -> None:
        self.hop = hop
        self.channel: Any = None
        self.near: asyncio.Transport | None = None

    def connection_made(self, chan: Any) -> None:
        self.channel = chan
        chan.pause_reading()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if self.near is not None:
            self.near.write(data)

    def eof_received(self) -> bool:
        if self.near is not None and not self.near.is_closing():
            with contextlib.suppress(OSError):  # whoever read there is gone
                self.near.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.hop.touch()
        if self.near is not None:
            self.near.close()

    def pause_writing(self) -> None:
        if self.near is not None and not self.near.is_closing():
            self.near.pause_reading()

    def resume_writing(self) -> None:
        if self.near is not None and not self.near.is_closing():
            self.near.resume_reading()


class _Near(asyncio.Protocol):
    """The socket's side: what is written here goes to the channel."""

    def __init__(self, far: _Far, ours: socket.socket) -> None:
        self.far = far
        self.ours = ours
        self.looking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.far.near = cast(asyncio.Transport, transport)
        self.far.channel.resume_reading()

    def data_received(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # the channel is closed, and connection_lost on its way
            self.far.channel.write(data)

    def eof_received(self) -> bool:
        self.far.channel.write_eof()
        self.look()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if self.looking is not None:
            self.looking.cancel()
        self.far.channel.close()

    def pause_writing(self) -> None:
        self.far.channel.pause_reading()

    def resume_writing(self) -> None:
        self.far.channel.resume_reading()

    def look(self) -> None:
        """Close the channel once the other end of the pair is closed: that reads just like the end of its half."""
        assert self.far.near is not None
        if self.far.near.is_closing():
            return
        poll = select.poll()
        poll.register(self.ours, 0)
        if poll.poll(0):
            self.far.near.abort()
        else:
            self.looking = asyncio.get_running_loop().call_later(LOOK_S, self.look)


async def dialled(pool: Pool, via: str, host: str, port: int) -> socket.socket:
    """Return a connected socket through a hop; on the connections' loop.

    Raises:
        CockpitError: No way leads to the hop, or it refuses.
    """
    hop = await pool.hop(via)
    connection = await hop.connected(for_source=True)
    with ssh_errors(via):
        try:
            async with asyncio.timeout(pool.times.answer):
                channel, session = await surely(
                    connection.create_connection(lambda: _Far(hop), host, port, encoding=None), close_channel
                )
        except TimeoutError:
            raise ChannelRefused(
                f"it did not say within {pool.times.answer:g} s whether {host} port {port} can be reached",
                where=via,
                remedy="check that port, and what lies between",
            ) from None
        except asyncssh.ChannelOpenError as error:
            raise refused(error, via, f"{host} port {port}") from None
    far = cast(_Far, session)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    try:
        await asyncio.get_running_loop().create_connection(lambda: _Near(far, ours), sock=ours)
    except BaseException:
        ours.close()
        theirs.close()
        channel.close()
        raise
    return theirs
