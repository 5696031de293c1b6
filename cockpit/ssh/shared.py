"""Work that several wait for, and that goes on while one of them still does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

R = TypeVar("R")


class Shared(Generic[R]):
    """A task. One who stops waiting stops nobody else; when nobody is left, it is cancelled.

    Attributes:
        given_up: Whether it was cancelled because nobody waited; whoever comes now begins anew.
    """

    def __init__(self, work: Coroutine[Any, Any, R]) -> None:
        self.given_up = False
        self._waiting = 0
        self._task = asyncio.ensure_future(work)
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())

    @property
    def open(self) -> bool:
        """Whether there is something to wait for."""
        return not self.given_up and not self._task.done()

    async def result(self) -> R:
        """Wait for the result.

        Raises:
            asyncio.CancelledError: The waiter was cancelled, or the task was by `cancel`.
        """
        self._waiting += 1
        try:
            return await asyncio.shield(self._task)
        finally:
            self._waiting -= 1
            if not self._waiting and not self._task.done():
                self.given_up = True
                self._task.cancel()

    async def cancel(self) -> None:
        """Cancel it for everybody, and wait for its end."""
        self._task.cancel()
        await asyncio.wait({self._task})

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._task.cancelled()
