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
PATIENCE = 30.0
"""Seconds for which what waits for that is put off."""
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
        self._due = float("inf")
        """When the next look is due, as something has happened; of the monotonic clock, and so are the others."""
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
        self._be_due(time.monotonic() + self._quick)

    def news(self, at_once: bool) -> None:
        """Say that something came that is waited for: where the last look is long ago, the next one is now.

        Args:
            at_once: Whether it is now in any case.
        """
        self._be_due(time.monotonic() if at_once else self._looked + self._quick)

    def _be_due(self, moment: float) -> None:
        self._due = min(self._due, moment)
        self._stirred.set()

    async def answered(self) -> None:
        """Wait until a key that came just now has its answer; not for the next one."""
        if (left := self._pressed + ANSWER - time.monotonic()) > 0:
            await asyncio.sleep(left)

    async def calm(self) -> None:
        """Wait until nobody is at the keys, for what holds the loop for a tenth of a second; but not for ever."""
        until = time.monotonic() + PATIENCE
        while self.pressing and time.monotonic() < until:
            await asyncio.sleep(PRESSING)

    async def rest(self) -> None:
        """Wait for the time of the next look."""
        if await self._stirs(max(SEDATE, self._quick)):
            while (left := self._due - time.monotonic()) > 0 and await self._stirs(left):
                pass  # it may be due sooner now
        self._stirred.clear()  # what came this moment is seen by this look
        self._due = float("inf")
        self._looked = time.monotonic()

    async def _stirs(self, seconds: float) -> bool:
        """Wait for so long; tell whether something happened before."""
        if not self._stirred.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._stirred.wait()
            except TimeoutError:
                return False
        self._stirred.clear()
        return True
