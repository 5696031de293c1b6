"""The three ways of reaching a host: over the network, through the hop before it, and through a ProxyCommand.

asyncssh takes each as the tunnel of a connection: it is asked for the stream that the connection then speaks over.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import asyncssh

from cockpit import process
from cockpit.hygiene import clean_line
from cockpit.ssh.host_config import HostConfig

R = TypeVar("R")
Factory = Callable[[], Any]

FAMILIES = {"any": socket.AF_UNSPEC, "inet": socket.AF_INET, "inet6": socket.AF_INET6}
EYEBALLS_S = 0.25
"""Seconds after which a host's next address is tried beside one that has not answered."""
WORDS_S = 0.2
"""Seconds to wait for what a ProxyCommand has to say about its failing."""
ATTEMPT_S = 1.0
"""Seconds between two of ConnectionAttempts."""


class Way(Protocol):
    """Something that a connection can be made over."""

    async def create_connection(self, factory: Factory, host: str, port: int) -> tuple[Any, Any]:
        """Return a transport and the protocol that the factory made for it."""
        ...

    @property
    def words(self) -> str:
        """What it says about its own failing, cleaned."""
        ...

    async def settled(self) -> None:
        """Wait a moment for what it has to say about its failing."""
        ...

    def close(self) -> None:
        """Let go of what is held for the connection, which has ended."""
        ...


class _Mute:
    """A way that has no words of its own, and holds nothing but the connection."""

    @property
    def words(self) -> str:
        """Nothing that the error does not say."""
        return ""

    async def settled(self) -> None:
        """Wait for nothing."""

    def close(self) -> None:
        """Hold nothing."""


class Direct(_Mute):
    """Over the network."""

    def __init__(self, config: HostConfig, seconds: float) -> None:
        self._config = config
        self._seconds = seconds

    async def create_connection(self, factory: Factory, host: str, port: int) -> tuple[Any, Any]:
        """Connect to whichever address answers first; as often as ConnectionAttempts says."""
        config, attempt = self._config, 1
        while True:
            try:
                async with asyncio.timeout(self._seconds):
                    return await asyncio.get_running_loop().create_connection(
                        factory,
                        host,
                        port,
                        family=FAMILIES.get(config.address_family, socket.AF_UNSPEC),
                        local_addr=(config.bind_address, 0) if config.bind_address else None,
                        happy_eyeballs_delay=EYEBALLS_S,
                    )
            except OSError:
                if attempt >= config.connection_attempts:
                    raise
            attempt += 1
            await asyncio.sleep(ATTEMPT_S)


class Through(_Mute):
    """Over a channel of another connection."""

    def __init__(self, connection: asyncssh.SSHClientConnection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds

    async def create_connection(self, factory: Factory, host: str, port: int) -> tuple[Any, Any]:
        """Have the hop before connect."""
        async with asyncio.timeout(self._seconds):
            return await surely(self._connection.create_connection(factory, host, port), close_channel)


class Proxy:
    """Over the input and output of a ProxyCommand."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._tied: process.Tied | None = None

    async def create_connection(self, factory: Factory, host: str, port: int) -> tuple[Any, Any]:
        """Start the command."""
        self._tied = await process.tied(self._command)
        return await asyncio.get_running_loop().create_connection(factory, sock=self._tied.socket)

    @property
    def words(self) -> str:
        """The last that the command wrote to its stderr."""
        return clean_line(self._tied.last_words, 300) if self._tied else ""

    async def settled(self) -> None:
        """Wait a moment for the command's end."""
        if self._tied is not None:
            await self._tied.ended(WORDS_S)

    def close(self) -> None:
        """Kill the command."""
        if self._tied is not None:
            self._tied.close()


def close_channel(opened: tuple[Any, Any]) -> None:
    """Close a channel that nobody waits for any more."""
    with contextlib.suppress(OSError):
        opened[0].close()


async def surely(opening: Awaitable[R], close: Callable[[R], None]) -> R:
    """Open a channel; one that is confirmed after this was cancelled is closed then.

    asyncssh forgets a channel whose opening was cancelled, and the host keeps it.

    Args:
        opening: Opens it.
        close: Closes what `opening` returned.
    """

    def late(task: asyncio.Future[R]) -> None:
        if not task.cancelled() and task.exception() is None:
            close(task.result())

    task = asyncio.ensure_future(opening)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(late)
        raise
