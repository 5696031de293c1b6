"""How often the screen follows what comes in: quick while anything happens, seldom while nothing does.

To be woken costs a machine at rest more than what there is to do then: half a millisecond, as all caches are cold.
"""

from __future__ import annotations

import asyncio
import time

SEDATE = 0.25
"""Seconds between two looks while nothing comes in and nobody presses a key."""
PRESSING = 0.3
"""Seconds after a key in which another is to be reckoned with."""
ANSWER = 0.025
"""Seconds that a key has the loop for itself: as long as its answer takes to be drawn."""


class Pace:
    """Measures the time from one look at the stores to the next.

    Args:
        quick: Seconds between two looks while something happens.
    """

    def __init__(self, quick: float) -> None:
        self._quick = quick
        self._stirred = asyncio.Event()
        self._wait = quick
        """Seconds that a look waits after something has happened."""
        self._looked = float("-inf")
        self._pressed = float("-inf")

    @property
    def pressing(self) -> bool:
        """Whether somebody is at the keys just now: what can wait does."""
        return time.monotonic() - self._pressed < PRESSING

    @property
    def answering(self) -> bool:
        """Whether a key came just now, whose answer is yet to be drawn."""
        return time.monotonic() - self._pressed < ANSWER

    def press(self) -> None:
        """Say that a key was pressed."""
        self._pressed = time.monotonic()
        self.stir()

    def stir(self) -> None:
        """Say that something happened: the next look comes after the quick time."""
        self._stirred.set()

    def news(self, at_once: bool) -> None:
        """Say that something came that is waited for: where the last look is long ago, the next one is now.

        Args:
            at_once: Whether it is now in any case.
        """
        self._wait = min(self._wait, 0.0 if at_once else self._looked + self._quick - time.monotonic())
        self._stirred.set()

    async def answered(self) -> None:
        """Wait until a key that came just now has its answer; not for the next one."""
        if (left := self._pressed + ANSWER - time.monotonic()) > 0:
            await asyncio.sleep(left)

    async def rest(self) -> None:
        """Wait for the time of the next look."""
        await self._rest()
        self._wait = self._quick
        self._looked = time.monotonic()

    async def _rest(self) -> None:
        if not self._stirred.is_set():
            try:
                async with asyncio.timeout(max(SEDATE, self._quick)):
                    await self._stirred.wait()
            except TimeoutError:
                return
        self._stirred.clear()
        await asyncio.sleep(self._wait)
