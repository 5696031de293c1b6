"""Asks one inventory, by its kind: through a process of its own where reading may take long."""

from __future__ import annotations

import asyncio
from pathlib import Path

from cockpit import process
from cockpit.errors import CockpitError, InventoryError
from cockpit.hygiene import clean_line
from cockpit.inventory.apart import read, reading_of
from cockpit.inventory.files import stamp_of
from cockpit.inventory.limits import MOST_BYTES
from cockpit.inventory.reading import Reading, some
from cockpit.inventory.settings import InventoryTable
from cockpit.naming import name_fault
from cockpit.ours import argv_of, env_of
from cockpit.targets import Host

READER = "cockpit.inventory.apart"
SMALL = 64 * 1024
"""Bytes that are read here: that takes a few milliseconds, and to start a process takes a hundred."""


async def ask(table: InventoryTable) -> Reading:
    """Return what an inventory says now.

    Raises:
        InventoryError: It can't be asked, or what it says makes no sense.
    """
    try:
        async with asyncio.timeout(table.timeout):
            return await _BY_KIND[table.kind](table)
    except TimeoutError:
        raise InventoryError(
            f"no answer within {table.timeout:g} s", remedy="give it more by `timeout`, if it needs that"
        ) from None
    except InventoryError:
        raise
    except CockpitError as error:
        raise InventoryError(error.message, where=error.where, remedy=error.remedy) from None


async def _ansible(table: InventoryTable) -> Reading:
    return await _apart(table, ("ansible", table.path))


async def _command(table: InventoryTable) -> Reading:
    status, out, err = await process.capture(table.command, timeout=table.timeout, size=MOST_BYTES + 1)
    if status:
        words = clean_line(err.decode(errors="replace").strip().rpartition("\n")[2], 200)
        raise InventoryError(f"{table.command[0]} ended with status {status}{f': {words}' if words else ''}")
    if len(out) <= SMALL:
        return await asyncio.to_thread(read, "command", "", out)
    return await _apart(table, ("command",), out)


async def _ssh_config(table: InventoryTable) -> Reading:
    files = [Path(table.path)] if table.path else None
    names = await asyncio.to_thread(_names_of, files)
    good = dict.fromkeys(name for name in names if not name_fault(name))
    odd = some((name for name in names if name_fault(name)), "left out: no name of a host may be so")
    return Reading(hosts=tuple(Host(name=name) for name in good), remarks=odd)


def _names_of(files: list[Path] | None) -> tuple[str, ...]:
    from cockpit.ssh import config

    known_names = getattr(config, "known_names", None)
    return tuple(known_names(files)) if known_names is not None else ()


async def _apart(table: InventoryTable, words: tuple[str, ...], given: bytes | None = None) -> Reading:
    """Have it read by a process, and take the answer over in steps that keep nobody waiting."""
    argv = argv_of(READER, *words)
    status, out, err = await process.capture(
        argv, timeout=table.timeout, size=4 * MOST_BYTES, stdin=given, env=env_of()
    )
    if status:
        said = clean_line(err.decode(errors="replace").strip().rpartition("\n")[2], 200)
        raise InventoryError(f"reading it failed: {said or f'status {status}'}")
    whole, hosts = Reading(hosts=()), list[Host]()
    for part in reading_of(out.splitlines()):
        if isinstance(part, Reading):
            whole = part
        else:
            hosts += part
        await asyncio.sleep(0)
    return Reading(hosts=tuple(hosts), remarks=whole.remarks, stamps=whole.stamps)


_BY_KIND = {"ansible": _ansible, "command": _command, "ssh_config": _ssh_config}


async def is_unchanged(reading: Reading) -> bool:
    """Whether reading an inventory's files again would say the same; never of a command."""
    return bool(reading.stamps) and await asyncio.to_thread(_as_they_were, reading)


def _as_they_were(reading: Reading) -> bool:
    return all(stamp_of(name) == (changed, size) for name, changed, size in reading.stamps)
