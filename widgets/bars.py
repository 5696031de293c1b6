"""Bars on a time line, drawn to an eighth of a cell."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from enum import Enum

LEFT = "▏▎▍▌▋▊▉"
"""Cells filled from the left by one to seven eighths."""
EIGHTHS = 8


class Ink(Enum):
    """How a cell is to be coloured."""

    NONE = 0
    """Nothing there."""
    BAR = 1
    """In the bar's colour."""
    BACK = 2
    """The bar's colour behind, the ground in front: fills a cell from the right."""
    CRITICAL = 3
    """The bar's colour behind, a line in front: on the critical path."""


Cell = tuple[str, Ink]


def bar(
    start: int, end: int, window: tuple[int, int], width: int, critical: Sequence[tuple[int, int]] = ()
) -> tuple[int, list[Cell]]:
    """Return a bar as (first cell, its cells); no cells where it is out of sight.

    The critical stretches of a bar show by shape as well as by colour: a line through it, as Jaeger draws them, and
    a heavier stroke where the bar is too short for a line.

    Args:
        start: Where the bar starts, in any unit.
        end: Where it ends.
        window: What the width shows, in the same unit.
        width: Cells there are.
        critical: Stretches of it that are on the critical path, ascending.
    """
    low, high = window
    if width <= 0 or high <= low or end < low or start > high:
        return 0, []
    eighths = width * EIGHTHS
    left = max(0, (start - low) * eighths // (high - low))
    right = min(eighths, -(-(end - low) * eighths // (high - low)))
    left = min(left, eighths - 1)
    right = max(right, left + 1)
    first, last = left // EIGHTHS, (right - 1) // EIGHTHS
    if first == last and right - left < EIGHTHS and (left % EIGHTHS or right - left < 3):
        return first, [_stroke(left % EIGHTHS, right - first * EIGHTHS, heavy=bool(critical))]
    cells: list[Cell] = [("█", Ink.BAR)] * (last - first + 1)
    if critical:
        _line(cells, first, critical, window, width)
    if (gap := left % EIGHTHS) and first != last:
        cells[0] = (LEFT[gap - 1], Ink.BACK)
    if rest := right % EIGHTHS:
        cells[-1] = (LEFT[rest - 1], Ink.BAR)
    return first, cells


def _stroke(left: int, right: int, *, heavy: bool) -> Cell:
    if heavy:
        return "┃", Ink.BAR
    middle = (left + right) / 2
    return ("▏" if middle < 3 else "│" if middle < 5 else "▕"), Ink.BAR


def _line(
    cells: list[Cell], first: int, critical: Sequence[tuple[int, int]], window: tuple[int, int], width: int
) -> None:
    """Draw the line through the cells whose middle is on the critical path, and through one at least."""
    low, high = window
    drawn = False
    for number in range(len(cells)):
        middle = low + (2 * (first + number) + 1) * (high - low) // (2 * width)
        at = bisect_right(critical, (middle, high)) - 1
        if at >= 0 and critical[at][1] > middle:
            cells[number] = ("━", Ink.CRITICAL)
            drawn = True
    if drawn:
        return
    at = bisect_right(critical, (low, low))
    for start, end in critical[max(0, at - 1) : at + 1]:
        if end > low and start < high:
            number = (max(low, start) - low) * width // (high - low) - first
            cells[min(max(0, number), len(cells) - 1)] = ("━", Ink.CRITICAL)
            return


def strip_of(share: float, width: int) -> str:
    """Return a plain bar that fills a share (0 to 1) of a width, padded."""
    eighths = round(min(1.0, max(0.0, share)) * width * EIGHTHS)
    full, rest = divmod(eighths, EIGHTHS)
    return ("█" * full + (LEFT[rest - 1] if rest else "")).ljust(width)
