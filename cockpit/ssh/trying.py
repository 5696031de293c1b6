"""Tries hosts for `cockpit doctor`: each is connected and logged in to for real, and nobody is asked anything."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from cockpit.errors import CockpitError
from cockpit.hygiene import clean_line, clean_text
from cockpit.ssh.asking import Nobody
from cockpit.ssh.connections import Connections, connections_of

if TYPE_CHECKING:
    from cockpit.config import Settings
    from cockpit.ssh.comparison import Comparison
    from cockpit.ssh.pool import Pool
    from cockpit.targets import Targets

AT_ONCE = 16
"""Hosts that are tried at the same time."""


class Tried(Struct, frozen=True, kw_only=True):
    """What came of trying a host.

    Attributes:
        latency_ms: How long it took to be logged in.
        detail: Who and where that is, the way there, and the server's version.
        error: What didn't work; empty where all did.
        hint: What to do about it.
    """

    latency_ms: float
    detail: str = ""
    error: str = ""
    hint: str = ""


async def try_hosts(
    settings: Settings, names: Sequence[str], *, targets: Targets, timeout: float
) -> dict[str, Tried]:
    """Return what came of connecting to hosts, by their names.

    Args:
        settings: Name the ssh_config to read.
        names: The hosts.
        targets: The targets as inventories know them.
        timeout: Seconds for each.
    """
    connections = connections_of(settings, Nobody(), targets=targets)
    free = asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> Tried:
        async with free:
            return await _try(connections, name, timeout)

    try:
        return dict(zip(names, await asyncio.gather(*map(one, names)), strict=True))
    finally:
        await connections.close()


async def _try(connections: Connections, name: str, timeout: float) -> Tried:
    started = time.monotonic()
    detail, error, hint = "", "", ""
    try:
        async with asyncio.timeout(timeout):
            detail = await connections.on_loop(lambda pool: _reached(pool, name))
    except TimeoutError:
        error, hint = f"no answer within {timeout:g} s", "try --timeout with more"
    except CockpitError as failure:
        place = failure.where if failure.where != name else ""
        error = clean_text(f"{place}: {failure.message}" if place else failure.message)
        hint = clean_text(failure.remedy)
    took = round((time.monotonic() - started) * 1000, 1)
    return Tried(latency_ms=took, detail=detail, error=error, hint=hint)


async def _reached(pool: Pool, name: str) -> str:
    hop = await pool.hop(name)
    connection = await hop.connected()
    version = clean_line(str(connection.get_extra_info("server_version", "")))
    status = hop.status()
    through = f" through {status.through}" if status.through else ""
    return f"{status.address}{through}, {version}"


async def compare(settings: Settings, name: str, targets: Targets) -> Comparison:
    """Return what ssh_config says about a target, as the cockpit and as OpenSSH read it.

    Args:
        settings: Name the ssh_config to read.
        name: The target; ssh_config is asked about the address, user and port that it stands for.
        targets: The targets as inventories know them.

    Raises:
        CockpitError: Its configuration is wrong.
    """
    from cockpit.ssh.comparison import compared
    from cockpit.ssh.config import read
    from cockpit.ssh.finding import Finder

    finder = Finder(settings, targets)
    asked = finder.asked(name)
    files: list[Path] | None = finder.files
    reading = await read(asked.host, files=files, user=asked.user, port=asked.port)
    return await compared(reading, asked, files)
