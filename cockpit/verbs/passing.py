"""Passes bytes on to an output of this process without ever stopping its event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select

from cockpit.errors import CommandError

PIECE = select.PIPE_BUF
"""Bytes that a pipe takes without making the writer wait, once it says that it is ready."""


async def pass_on(number: int, data: bytes) -> None:
    """Write all of `data` to the file descriptor, waiting where its reader is slow.

    The descriptor stays as it is: one that is shared with a terminal or a parent must not become non-blocking.

    Raises:
        BrokenPipeError: Nobody reads it any more.
        CommandError: It can't be written: its disk is full, or it is closed.
    """
    left = memoryview(data)
    try:
        while left:
            if not select.select([], [number], [], 0)[1]:
                await _ready(number)
            left = left[os.write(number, left[:PIECE]) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CommandError(
            f"its output can't be passed on, so it was stopped: {error.strerror}",
            remedy="what was kept of it is in the action log",
        ) from error


async def _ready(number: int) -> None:
    """Wait until a descriptor takes some bytes."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_writer(number, tell)
    try:
        await ready
    finally:
        with contextlib.suppress(ValueError):
            loop.remove_writer(number)
