"""Finds the record of a link again in logs that are open, also where it has moved."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from cockpit.errors import CockpitError, UsageError
from cockpit.stores.logs.files.links import Link, files_of, found_again
from cockpit.stores.logs.files.opened import OpenedLog
from cockpit.stores.logs.files.store import FileStore

LOOKS = 0.05
"""Seconds between two looks whether a record has been read by now."""


async def follow(store: FileStore, link: Link, waiting: Callable[[str], None]) -> int:
    """Return the number of the record that a link speaks of, once it is read.

    Args:
        store: The logs that are open.
        link: What is looked for.
        waiting: Told what is waited for.

    Raises:
        UsageError: Its file is not open, or the record is gone.
    """
    log, offset = await _placed(store, link, waiting)
    while (number := store.number_of(log, offset)) is None:
        if not store.left and store.number_of(log, offset) is None:
            raise UsageError("the line is there, but can't be read", where=store.paths[0])
        waiting(
            f"the line is read once {100 * (store.total - store.left) // max(1, store.total)} % becomes more"
        )
        await asyncio.sleep(LOOKS)
    return number


async def _placed(store: FileStore, link: Link, waiting: Callable[[str], None]) -> tuple[int, int]:
    """Return the log and the offset of the record of a link.

    Raises:
        UsageError: Its file is not open, or the record is gone.
    """
    related = [number for number, log in enumerate(store.logs.opened) if _may_be(log.path, link.path)]
    if not related:
        raise UsageError(
            "that file is not open here",
            where=link.path,
            remedy="open it in another terminal: cockpit logs LINK",
        )
    try:
        for number in related:
            if link.stands_in(store.logs.opened[number]):
                return number, link.offset
        for number in related:
            path = store.logs.opened[number].path
            if (offset := await _searched(path, link, waiting)) is not None:
                return number, offset
        elsewhere = [path for path in files_of(link) if not any(_same(path, each) for each in store.paths)]
    except CockpitError as error:
        raise UsageError(f"the line can't be looked for: {error}") from None
    raise UsageError(
        "that line is gone from here: nothing in the log has its hash",
        where=link.path,
        remedy=f"it may be in {elsewhere[0]}: cockpit logs LINK"
        if elsewhere
        else "it may be in a packed file",
    )


async def _searched(path: str, link: Link, waiting: Callable[[str], None]) -> int | None:
    """Search a file by content on a thread, which ends when this is cancelled."""
    ended, done = threading.Event(), [0]
    log = OpenedLog(path)

    def goes_on(looked_at: int) -> bool:
        done[0] = looked_at
        return not ended.is_set()

    try:
        search = asyncio.create_task(asyncio.to_thread(found_again, log, link, goes_on))
        while not search.done():
            waiting(f"the line has moved: looking for it, {100 * done[0] // max(1, log.size)} %")
            await asyncio.wait([search], timeout=LOOKS)
        return search.result()
    finally:
        ended.set()
        if not search.done():
            await asyncio.wait([search])
        log.close()


def _may_be(path: str, wanted: str) -> bool:
    """Tell whether a file is the one of a link, or one that it may have been rotated to or from."""
    here, there = Path(path).resolve(), Path(wanted)
    return here == there or (
        here.parent == there.parent and here.name.startswith(there.stem.partition(".")[0])
    )


def _same(path: str, other: str) -> bool:
    return Path(path).resolve() == Path(other).resolve()
