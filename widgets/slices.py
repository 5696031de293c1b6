"""Long work on the screen's loop, a few milliseconds at a time, so that keys and paint get their turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

SLICE = 0.004
"""Seconds of work between two turns of the loop."""


async def in_slices(steps: Generator[None, None, T]) -> T:
    """Drive a generator to its end and return what it returns, letting the loop turn every few milliseconds."""
    until = time.perf_counter() + SLICE
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: T = done.value
            return result
        if time.perf_counter() > until:
            await asyncio.sleep(0)
            until = time.perf_counter() + SLICE
