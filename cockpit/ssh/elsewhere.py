"""Crosses from the connections' loop to where the operator is: the screen's loop, or the command line's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from cockpit.errors import ActionLogError

if TYPE_CHECKING:
    from cockpit.ssh.asking import Asker, OfferedKey, Question, Verdict

R = TypeVar("R")


class Elsewhere:
    """An asker that has another one ask, on that one's own loop. While there is none, every answer is no."""

    def __init__(self) -> None:
        self._there: tuple[asyncio.AbstractEventLoop, Asker] | None = None

    def answer_by(self, asker: Asker) -> None:
        """Have an asker answer from now on, on the loop that runs here.

        Args:
            asker: Its methods are called on that loop.
        """
        self._there = (asyncio.get_running_loop(), asker)

    def answer_no_more(self) -> None:
        """Answer no from now on."""
        self._there = None

    async def secret(self, question: Question) -> str | None:
        """Return the answer; None where there is none."""
        return await self._over(lambda asker: asker.secret(question), None)

    async def accept(self, key: OfferedKey) -> bool:
        """Return whether an unknown host key is the right one."""
        return await self._over(lambda asker: asker.accept(key), False)

    async def record(self, key: OfferedKey, verdict: Verdict) -> None:
        """Put what became of a host key into the action log.

        Raises:
            ActionLogError: It can't be recorded.
        """
        if not await self._over(lambda asker: _done(asker.record(key, verdict)), False):
            raise ActionLogError("what became of a host key can't be recorded", where=key.hop)

    def tell(self, hop: str, text: str) -> None:
        """Say something in passing."""
        if self._there is not None:
            loop, asker = self._there
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(asker.tell, hop, text)

    async def _over(self, ask: Callable[[Asker], Awaitable[R]], otherwise: R) -> R:
        """Ask on the other loop; cancelled here, it is cancelled there."""
        if self._there is None:
            return otherwise
        loop, asker = self._there

        async def there() -> R:
            return await ask(asker)

        asking = there()
        try:
            answer = asyncio.run_coroutine_threadsafe(asking, loop)
        except RuntimeError:
            asking.close()
            return otherwise
        return await asyncio.wrap_future(answer)


async def _done(work: Awaitable[None]) -> bool:
    await work
    return True
