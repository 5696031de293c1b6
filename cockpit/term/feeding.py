"""Feed output in slices that are short in time, between which everybody else has a turn.

What a piece of output costs is not its length: a screen that is cleared takes four bytes and a thousand times as long
as a letter. So a slice ends after some control characters too, after fewer once those turned out to be dear.
What is plain text and line ends alone goes in whole, as an emulator takes it the short way.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

from cockpit.term.cable import Cable
from cockpit.term.emulator import Emulator

SLICE = 4096
"""Bytes in a slice at most, unless they are plain text and line ends: a whole piece of those is 2 ms."""
CONTROLS = 64
"""Control characters in a slice at most."""
LONG, SHORT = 0.004, 0.001
"""Seconds of a slice after which the next hold fewer control characters, or more again."""
HOLD = 0.0015
"""Seconds that slices may take before others have a turn."""
PAUSE = 0.003
"""Seconds that their turn is, when a flood is fed."""
PLAIN = bytes(range(0x20, 0x7F)) + b"\r\n"
_COSTLY = bytes(each for each in range(256) if each not in (0x0A, 0x1B))


class Slicer:
    """Cuts output, and learns from how long what was cut took."""

    def __init__(self) -> None:
        self.controls = CONTROLS

    def took(self, seconds: float) -> None:
        """Note how long a slice took."""
        if seconds > LONG:
            self.controls = max(1, self.controls // 2)
        elif seconds < SHORT and self.controls < CONTROLS:
            self.controls += 1

    def cut(self, data: bytes) -> Iterator[bytes]:
        """Yield slices of which each takes a few milliseconds at most."""
        if not data.translate(None, PLAIN) and data.count(b"\n") - data.count(b"\r\n") <= 1:
            yield data
            return
        at = 0
        while at < len(data):
            size = SLICE if data.isascii() else SLICE // 2
            while size > 1 and _costly(data[at : at + size]) > self.controls:
                size //= 2
            yield data[at : at + size]
            at += size


def _costly(data: bytes) -> int:
    """Count the control characters that may make a screen move."""
    return len(data.translate(None, _COSTLY))


async def breathe() -> None:
    """Give others their turn."""
    await asyncio.sleep(PAUSE)


async def feed(
    cable: Cable,
    emulator: Emulator,
    *,
    fed: Callable[[int], None] = lambda _: None,
    breathe: Callable[[], Awaitable[None]] = breathe,
) -> None:
    """Feed all of a cable's output to an emulator and send what it answers, until the cable ends.

    Args:
        cable: Where output comes from.
        emulator: What takes it.
        fed: Called after each slice with its length.
        breathe: Waited for when slices have taken their time.
    """
    feeder = Feeder(emulator, answer=cable.write, fed=fed, breathe=breathe)
    async for piece in cable.output():
        await feeder.take(piece)


class Feeder:
    """Feeds pieces to an emulator, in slices.

    Args:
        emulator: What takes them.
        answer: Called with what it answers.
        fed: Called after each slice with its length.
        breathe: Waited for when slices have taken their time.
    """

    def __init__(
        self,
        emulator: Emulator,
        *,
        answer: Callable[[bytes], None] = lambda _: None,
        fed: Callable[[int], None] = lambda _: None,
        breathe: Callable[[], Awaitable[None]] = breathe,
    ) -> None:
        self._emulator = emulator
        self._answer, self._fed, self._breathe = answer, fed, breathe
        self._slicer = Slicer()
        self._began = time.perf_counter()

    async def take(self, piece: bytes) -> None:
        """Feed a piece; others have their turn meanwhile."""
        for part in self._slicer.cut(piece):
            start = time.perf_counter()
            self._emulator.feed(part)
            if answer := self._emulator.replies():
                self._answer(answer)
            self._fed(len(part))
            self._slicer.took((now := time.perf_counter()) - start)
            if now - self._began > HOLD:
                await self._breathe()
                self._began = time.perf_counter()
