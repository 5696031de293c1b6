"""Going from row to row that something holds of: asked of the store, or in slices while rows come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

from cockpit.stores.logs.seeking import Finder, Goal
from widgets.logs_lines import LogLines

SLICE = 0.004
"""Seconds of searching between two turns of the event loop, and seconds then left to the others."""


async def seek(lines: LogLines, goal: Goal, *, step: int, waiting: Callable[[], None]) -> bool:
    """Put the cursor on the next row that is wanted.

    Args:
        lines: The rows; from the cursor on.
        goal: What is wanted.
        step: 1 to go down, -1 to go up.
        waiting: Called when it takes longer than a slice.

    Returns:
        False where there is none.
    """
    view, rank = lines.view, lines.rank
    if rank is None:
        return False
    if isinstance(view, Finder) and (goal.low or goal.node is not None):
        if not goal.low:
            waiting()
        found = await view.find(goal, view.number(rank), step)
        if found is None or lines.view is not view:
            return False
        place = view.rank(found)
        if place >= len(view) or view.number(place) != found:
            return False
        lines.go(place)
        return True
    until = perf_counter() + SLICE
    rank += step
    while 0 <= rank < len(view):
        number = view.number(rank)
        if goal.test(view.store[number]):
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
