"""The critical path of a trace: the work that its duration depends on.

The method is that of CRISP (Zhang et al., "CRISP: Critical Path Analysis of Large-Scale Microservice Architectures",
USENIX ATC 2022), which Jaeger's UI uses too. From a span's end one walks back in time: the child that finished last
before the moment reached is what the span was waiting for, so the path goes through that child, then on from the
child's start; what no child covers is the span's own work. A child that runs over its parent's end counts only up to
there, so the path's stretches lie end to end and make up the root's duration exactly.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

Stretch = tuple[int, int]
"""Start and end of a part of the path, in nanoseconds."""

PAUSE = 2_000
"""Spans looked at between two chances to do something else."""


def critical_path(
    root: int, start: Sequence[int], end: Sequence[int], size: Sequence[int]
) -> Generator[None, None, dict[int, list[Stretch]]]:
    """Walk the path back from a root's end, pausing often.

    Args:
        root: The row to explain.
        start: Every row's start; rows are in pre-order.
        end: Every row's end.
        size: Every row's number of rows in its subtree, itself among them.

    Returns:
        The stretches of each row on the path that are its own work, ascending. Empty ones are left out.
    """
    path: dict[int, list[Stretch]] = {}
    waiting = [_Visit(root, start[root], end[root])]
    yield from _children_into(waiting[0], start, end, size)
    since = 0
    while waiting:
        visit = waiting[-1]
        child = visit.last_finished(end)
        if child is None:
            _own(path, visit, visit.low)
            if visit.row in path:
                path[visit.row].reverse()
            waiting.pop()
            continue
        begins = max(visit.low, start[child])
        finishes = min(end[child], visit.moment)
        _own(path, visit, finishes)
        visit.moment = begins
        inner = _Visit(child, begins, finishes)
        yield from _children_into(inner, start, end, size)
        waiting.append(inner)
        since += 1
        if since % PAUSE == 0:
            yield
    return path


class _Visit:
    """A row whose time is being explained, from `moment` back to `low`."""

    __slots__ = ("children", "ends", "low", "moment", "row")

    def __init__(self, row: int, low: int, moment: int) -> None:
        self.row = row
        self.low = low
        self.moment = moment
        self.ends = moment
        self.children: list[int] = []

    def last_finished(self, end: Sequence[int]) -> int | None:
        """Take out the child that finished last by the moment reached; one past the row's end is cut to it."""
        while self.children:
            child = self.children.pop()
            if min(end[child], self.ends) <= self.moment:
                return child
        return None


def _children_into(
    visit: _Visit, start: Sequence[int], end: Sequence[int], size: Sequence[int]
) -> Generator[None, None, None]:
    """Collect the children that run within the row's time, the one that finishes last at the end."""
    child, after = visit.row + 1, visit.row + size[visit.row]
    low, high = visit.low, visit.ends
    found: list[int] = []
    seen = 0
    while child < after:
        if start[child] < high and end[child] > low:
            found.append(child)
        child += size[child]
        seen += 1
        if seen % PAUSE == 0:
            if seen % (PAUSE * 4) == 0:
                found.sort(key=end.__getitem__)  # sorted runs: the next sort is one linear merge
            yield
    found.sort(key=end.__getitem__)
    visit.children = found


def _own(path: dict[int, list[Stretch]], visit: _Visit, down_to: int) -> None:
    if down_to < visit.moment:
        path.setdefault(visit.row, []).append((down_to, visit.moment))
