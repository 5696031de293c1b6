"""One hop: its connection, made when it is first wanted, and how it is doing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from enum import StrEnum

import asyncssh
from msgspec import Struct

from cockpit.errors import SshError
from cockpit.ssh.asking import Asker
from cockpit.ssh.errors import ssh_errors
from cockpit.ssh.host_config import HostConfig


class HopState(StrEnum):
    """How far a connection is."""

    IDLE = "idle"
    CONNECTING = "connecting"
    UP = "up"
    DOWN = "down"


class HopStatus(Struct, frozen=True, kw_only=True):
    """How a hop is doing now.

    Attributes:
        name: As the operator named it.
        address: `user@host:port`.
        through: The hop before it; empty where there is none.
        since_ns: When it came into this state.
        latency_ms: How long its last keep-alive took to be answered, or its connection to be made; 0 where unknown.
        error: Why it is down.
    """

    name: str
    address: str
    state: HopState
    through: str = ""
    since_ns: int = 0
    latency_ms: float = 0.0
    error: str = ""


class Hop:
    """One hop of a way; several ways may share it. Belongs to the connections' loop."""

    def __init__(
        self, config: HostConfig, before: Hop | None, asker: Asker, changed: Callable[[], None]
    ) -> None:
        self.config = config
        self.before = before
        self._asker = asker
        self._changed = changed
        self._connection: asyncssh.SSHClientConnection | None = None
        self._connecting: asyncio.Lock = asyncio.Lock()
        self._state, self._since, self._error, self._latency = HopState.IDLE, time.time_ns(), "", 0.0

    def status(self) -> HopStatus:
        """Return how it is doing."""
        config = self.config
        return HopStatus(
            name=config.name,
            address=f"{config.user}@{config.hostname}:{config.port}",
            through=self.before.config.name if self.before else "",
            state=self._state,
            since_ns=self._since,
            latency_ms=self._latency,
            error=self._error,
        )

    async def connected(self) -> asyncssh.SSHClientConnection:
        """Return its connection, making it where there is none.

        Raises:
            SshError: It, or a hop before it, can't be connected.
        """
        async with self._connecting:
            if self._connection is None or self._connection.is_closed():
                self._turn(HopState.CONNECTING)
                started = time.monotonic()
                try:
                    self._connection = await self._connect()
                except SshError as error:
                    self._turn(HopState.DOWN, str(error))
                    raise
                except BaseException:
                    self._turn(HopState.IDLE)
                    raise
                self._latency = (time.monotonic() - started) * 1000
                self._turn(HopState.UP)
            return self._connection

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            await self._connection.wait_closed()
            self._turn(HopState.IDLE)

    async def _connect(self) -> asyncssh.SSHClientConnection:
        config = self.config
        tunnel = await self.before.connected() if self.before else None
        with ssh_errors(config.name):
            return await asyncssh.connect(
                config.hostname,
                config.port,
                tunnel=tunnel,
                config=None,
                username=config.user,
                client_keys=[each for each in config.identity_files if _there(each)],
                agent_path=config.identity_agent or None,
                known_hosts=list(config.user_known_hosts_files),
                connect_timeout=config.connect_timeout or 10,
                encryption_algs="^aes128-gcm@openssh.com,aes256-gcm@openssh.com",
                compression_algs=["none"],
            )

    def _turn(self, state: HopState, error: str = "") -> None:
        self._state, self._since, self._error = state, time.time_ns(), error
        self._changed()


def _there(path: str) -> bool:
    from pathlib import Path

    return Path(path).exists()
