"""Work that may wait for a disk, for ever where that hangs: on a thread of its own, which never keeps the program.

Executors are no good for it: the interpreter waits for their threads when it ends.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def begun(work: Callable[[], T], *, name: str = "log files") -> Future[T]:
    """Begin something on a thread of its own; return where its outcome will be."""
    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001  it is raised where the outcome is awaited
            outcome.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return outcome


async def aside(work: Callable[[], T]) -> T:
    """Wait for something on the loop; where one waits no longer, it goes on by itself and its outcome is dropped."""
    return await asyncio.wrap_future(begun(work))
