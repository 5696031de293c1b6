"""SFTP on a hop: a session like any other, so counted, and opened on a further connection where one is full."""

from __future__ import annotations

import asyncio

import asyncssh

from cockpit.errors import ChannelRefused
from cockpit.ssh.hop import Hop
from cockpit.ssh.link import Release
from cockpit.ssh.ways import surely


async def sftp_client(hop: Hop, answer: float) -> asyncssh.SFTPClient:
    """Open SFTP on a hop; on the connections' loop.

    Args:
        hop: The host's.
        answer: Seconds that the host may take to answer.

    Raises:
        SshError: It can't be connected, or has no SFTP.
    """

    async def opening(connection: asyncssh.SSHClientConnection, release: Release) -> asyncssh.SFTPClient:
        try:
            async with asyncio.timeout(answer):
                client = await surely(
                    connection.start_sftp_client(path_errors="surrogateescape"), asyncssh.SFTPClient.exit
                )
        except TimeoutError:
            raise ChannelRefused(
                f"it did not answer within {answer:g} s when asked for SFTP",
                where=hop.config.name,
                remedy="check its load",
            ) from None
        closing = asyncio.ensure_future(client.wait_closed())
        closing.add_done_callback(lambda _: release())
        hop.keep(closing)
        return client

    return await hop.session(opening)
