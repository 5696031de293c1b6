"""Finds the record of a link again in logs that are open, also where it has moved."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from cockpit.errors import CockpitError, UsageError
from cockpit.stores.logs.files.aside import aside
from cockpit.stores.logs.files.links import Link, files_of, found_again
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.opened import OpenedLog
from cockpit.stores.logs.files.records import FileRecords

LOOKS = 0.05
"""Seconds between two looks whether a record has been read by now."""


async def follow(store: FileRecords, link: Link, waiting: Callable[[str], None]) -> int:
    """Return the number of the record that a link speaks of, once it is read.

    Args:
        store: The logs that are open.
        link: What is looked for.
        waiting: Told what is waited for.

    Raises:
        UsageError: Its file is not open, or the record is gone.
    """
    log, offset = await _placed(store, link, waiting)
    while (entry := store.chunk_of(log, offset)) is None:
        if not store.left and store.chunk_of(log, offset) is None:
            raise UsageError("the line is there, but can't be read", where=store.paths[0])
        waiting(
            f"the line is read once {100 * (store.total - store.left) // max(1, store.total)} % becomes more"
        )
        await asyncio.sleep(LOOKS)
    waiting("the line is being read")
    await store.wait(entry.first)
    number = store.number_of(log, offset)
    if number is None:
        raise UsageError("the log was cut or written anew meanwhile", remedy="try again")
    return number


async def _placed(store: FileRecords, link: Link, waiting: Callable[[str], None]) -> tuple[int, int]:
    """Return the log and the offset of the record of a link.

    Raises:
        UsageError: Its file is not open, or the record is gone.
    """
    logs = store.logs.beside()
    related = [number for number, place in enumerate(store.places) if _may_be(place, link.path)]
    if not related:
        raise UsageError(
            "that file is not open here",
            where=link.path,
            remedy="open it in another terminal: cockpit logs LINK",
        )
    try:
        waiting("looking whether the line is where it was")
        found = await aside(partial(_standing, logs, related, link))
        if found is not None:
            return found, link.offset
        for number in related:
            path = store.logs.opened[number].path
            if (offset := await _searched(path, link, waiting)) is not None:
                return number, offset
        candidates = await aside(partial(files_of, link))
    except CockpitError as error:
        raise UsageError(f"the line can't be looked for: {error}") from None
    elsewhere = [path for path in candidates if path not in store.places]
    raise UsageError(
        "that line is gone from here: nothing in the log has its hash",
        where=link.path,
        remedy=f"it may be in {elsewhere[0]}: cockpit logs LINK"
        if elsewhere
        else "it may be in a packed file",
    )


def _standing(logs: Logs, numbers: Sequence[int], link: Link) -> int | None:
    """Return which of some logs has the record of a link at its place; None where none has."""
    try:
        return next((number for number in numbers if link.stands_in(logs.reader(number))), None)
    finally:
        logs.close()


async def _searched(path: str, link: Link, waiting: Callable[[str], None]) -> int | None:
    """Search a file by content on a thread, which ends when this is cancelled."""
    ended, done, size = threading.Event(), [0], [1]

    def goes_on(looked_at: int) -> bool:
        done[0] = looked_at
        return not ended.is_set()

    def search() -> int | None:
        log = OpenedLog(path)
        try:
            size[0] = log.size
            return found_again(log, link, goes_on)
        finally:
            log.close()

    try:
        searching = asyncio.ensure_future(aside(search))
        while not searching.done():
            waiting(f"the line has moved: looking for it, {100 * done[0] // max(1, size[0])} %")
            await asyncio.wait([searching], timeout=LOOKS)
        return searching.result()
    finally:
        ended.set()
        searching.cancel()


def _may_be(path: str, wanted: str) -> bool:
    """Tell whether a file is the one of a link, or one that it may have been rotated to or from."""
    here, there = Path(path), Path(wanted)
    return here == there or (
        here.parent == there.parent and here.name.startswith(there.stem.partition(".")[0])
    )
