"""Connections to a lab, with its bastion where a test wants it, and times that a test can wait for."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping

from msgspec.structs import replace

from cockpit.ssh.asking import Asker
from cockpit.ssh.config import resolve
from cockpit.ssh.connections import Connections
from cockpit.ssh.host_config import HostConfig, Jump
from cockpit.ssh.pool import Find
from cockpit.ssh.program import Ending, Program
from cockpit.ssh.route import Route, route
from cockpit.ssh.status import HopState, HopStatus
from cockpit.ssh.times import Times
from tests.helpers.ssh_lab import SshLab

QUICK = Times(
    connect=15.0,
    keepalive=1.0,
    answer=5.0,
    first_wait=0.05,
    longest_wait=0.4,
    session=5.0,
    woken=0.5,
)
"""Times that a test can wait for."""


def ways(lab: SshLab, ports: Mapping[str, int] | None = None, **changes: object) -> Find:
    """Return what finds the ways of a lab.

    Args:
        lab: The lab.
        ports: Ports of 127.0.0.1 at which hosts are to be reached instead of their own.
        changes: Fields of every HostConfig that differ.
    """
    known = lab.folder / "known_hosts"
    key = (lab.folder / "host_key.pub").read_text().split(maxsplit=2)[:2]
    if ports:
        with known.open("a") as file:
            file.writelines(f"[127.0.0.1]:{port} {' '.join(key)}\n" for port in ports.values())

    async def one(jump: Jump) -> HostConfig:
        config = await resolve(jump.host, files=[lab.config], user=jump.user, port=jump.port)
        if ports and jump.host in ports:
            config = replace(config, port=ports[jump.host])
        return replace(config, **changes)

    found: dict[str, Route] = {}

    async def find(name: str) -> Route:
        if name not in found:
            found[name] = await route(name, one)
        return found[name]

    return find


@contextlib.asynccontextmanager
async def connecting(
    find: Find, asker: Asker | None = None, *, times: Times = QUICK
) -> AsyncIterator[Connections]:
    """Hold connections for the length of a block."""
    connections = Connections(find, asker, times=times)
    try:
        yield connections
    finally:
        await connections.close()


async def run(connections: Connections, host: str, line: str) -> tuple[bytes, Ending]:
    """Return what a line wrote to its stdout, and how it ended."""
    return await ended(await connections.start(host, line))


async def ended(program: Program) -> tuple[bytes, Ending]:
    """Return what a program wrote to its stdout, and how it ended."""
    out = b"".join([data async for number, data in program.pieces() if number == 1])
    return out, await program.wait()


def hop(connections: Connections, name: str) -> HopStatus | None:
    """Return how a hop is doing; None where nobody wanted it."""
    return next((status for status in connections.hops() if status.name == name), None)


async def until_state(
    connections: Connections, name: str, *states: HopState, seconds: float = 30.0
) -> HopStatus:
    """Wait until a hop is in one of some states."""

    def there() -> bool:
        found = hop(connections, name)
        return found is not None and found.state in states

    await until(there, what=f"{name} {' or '.join(states)}", seconds=seconds)
    found = hop(connections, name)
    assert found is not None
    return found


async def until(true: Callable[[], object], *, what: str = "it", seconds: float = 30.0) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds:g} s"
        await asyncio.sleep(0.01)
