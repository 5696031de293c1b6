"""One attempt at a connection: over its way, with its own limits, and knowing how far it came."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import asyncssh
from asyncssh.encryption import get_default_encryption_algs, get_encryption_algs
from asyncssh.kex import get_default_kex_algs, get_kex_algs
from asyncssh.mac import get_default_mac_algs, get_mac_algs

from cockpit.errors import HostUnreachable, SshError
from cockpit.ssh.algorithms import chosen
from cockpit.ssh.asking import Patience
from cockpit.ssh.errors import Stage, mapped
from cockpit.ssh.host_config import HostConfig
from cockpit.ssh.times import Times
from cockpit.ssh.ways import Direct, Proxy, Through, Way

FASTEST = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
"""Ciphers that go first where nothing is said: AES-GCM is 1.7 times as fast here as ChaCha20."""


class Handshake:
    """Makes one connection.

    Attributes:
        connection: None until the host answered.
        lost: What ended the connection; None while it lives, or where it was closed in order.
    """

    def __init__(
        self,
        config: HostConfig,
        before: asyncssh.SSHClientConnection | None,
        times: Times,
        patience: Patience,
    ) -> None:
        self.config = config
        self.connection: asyncssh.SSHClientConnection | None = None
        self.lost: Exception | None = None
        self.way: Way
        self._times = times
        self._patience = patience
        self._seconds = config.connect_timeout or times.connect
        if before is not None:
            self.way = Through(before, self._seconds)
        elif config.proxy_command:
            self.way = Proxy(config.proxy_command)
        else:
            self.way = Direct(config, self._seconds)

    async def made(self, login: dict[str, Any]) -> asyncssh.SSHClientConnection:
        """Return the connection, logged in; raise what asyncssh raises, for `failure` to tell.

        Args:
            login: How to check its key and to log in: arguments for asyncssh.
        """
        factory = login.get("client_factory", asyncssh.SSHClient)
        options = self._options() | login | {"client_factory": lambda: _Noting(factory(), self)}
        config = self.config
        try:
            return await asyncssh.connect(config.hostname, config.port, tunnel=self, config=None, **options)
        except BaseException:
            await self.way.settled()
            self.way.close()
            raise

    def failure(self, error: BaseException) -> SshError:
        """Return our error for what `made` raised, or for a lack of patience with it."""
        return mapped(error, self.config.name, stage=self.stage, words=self.way.words, seconds=self._seconds)

    @property
    def stage(self) -> Stage:
        """How far it came."""
        if self.connection is None:
            return Stage.REACHING
        if self.connection.get_extra_info("server_version") is None:
            return Stage.GREETING
        if self.connection.get_extra_info("send_cipher") is None:
            return Stage.KEY_EXCHANGE
        return Stage.LOGIN

    async def create_connection(self, factory: Callable[[], Any], host: str, port: int) -> tuple[Any, Any]:
        """Reach the host; asyncssh calls this, as of any tunnel. The login's clock stands meanwhile."""
        with self._patience.paused():
            return await self.way.create_connection(factory, host, port)

    def _options(self) -> dict[str, Any]:
        config, times = self.config, self._times
        ciphers = (*FASTEST, *map(bytes.decode, get_default_encryption_algs()))
        macs, exchanges = map(bytes.decode, get_default_mac_algs()), map(bytes.decode, get_default_kex_algs())
        return {
            "login_timeout": 0,
            "keepalive_interval": config.server_alive_interval or times.keepalive,
            "keepalive_count_max": max(1, config.server_alive_count_max),
            "tcp_keepalive": config.tcp_keep_alive,
            "compression_algs": ["zlib@openssh.com", "none"] if config.compression else ["none"],
            "encryption_algs": self._chosen("Ciphers", config.ciphers, get_encryption_algs(), ciphers),
            "mac_algs": self._chosen("MACs", config.macs, get_mac_algs(), tuple(macs)),
            "kex_algs": self._chosen(
                "KexAlgorithms", config.kex_algorithms, get_kex_algs(), tuple(exchanges)
            ),
        }

    def _chosen(
        self, option: str, said: Sequence[str], able: Sequence[bytes], default: Sequence[str]
    ) -> list[str]:
        """Return those of an option's algorithms that asyncssh has."""
        there = chosen(said, able, default)
        if not there:
            raise HostUnreachable(
                f"nothing that {option} names can be done here: {', '.join(said)}",
                where=self.config.name,
                remedy=f"add one of {', '.join(default[:4])} to {option} in ssh_config",
            )
        return there


class _Noting:
    """A client's owner, whose connection's beginning and end are noted."""

    def __init__(self, client: Any, handshake: Handshake) -> None:
        self._client = client
        self._handshake = handshake

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._handshake.connection = conn
        self._client.connection_made(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._handshake.lost = exc
        self._client.connection_lost(exc)


def environment_of(config: HostConfig) -> dict[str, str]:
    """Return the variables that SendEnv and SetEnv say to send; a server takes those that AcceptEnv names."""
    sent = {
        name: value
        for name, value in os.environ.items()
        if any(fnmatchcase(name, pattern) for pattern in config.send_env)
    }
    return sent | dict(each.split("=", 1) for each in config.set_env if "=" in each)
