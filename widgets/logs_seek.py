"""Going from row to row that something holds of, in slices, while rows come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

from cockpit.signals import LogRecord
from widgets.logs_lines import LogLines

SLICE = 0.004
"""Seconds of searching between two turns of the event loop, and seconds then left to the others."""


async def seek(
    lines: LogLines, wanted: Callable[[LogRecord], bool], *, step: int, waiting: Callable[[], None]
) -> bool:
    """Put the cursor on the next row that `wanted` holds of.

    Args:
        lines: The rows; from the cursor on.
        wanted: What must hold.
        step: 1 to go down, -1 to go up.
        waiting: Called when it takes longer than a slice.

    Returns:
        False where there is none.
    """
    view, rank = lines.view, lines.rank
    if rank is None:
        return False
    until = perf_counter() + SLICE
    rank += step
    while 0 <= rank < len(view):
        number = view.number(rank)
        if wanted(view.store[number]):
            lines.go(rank)
            return True
        if perf_counter() > until:
            waiting()
            await asyncio.sleep(SLICE)
            if lines.view is not view:
                return False
            rank = view.rank(number)  # the number, unlike the rank, stays while rows come and go
            until = perf_counter() + SLICE
        rank += step
    return False
