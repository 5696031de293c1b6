"""What of a trace is in sight: which rows are unfolded, and which part of its time. No drawing here."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from cockpit.stores.traces import TraceTree

NARROWEST = 100
"""Nanoseconds that a window shows at least."""


class Outline:
    """The rows in sight while some subtrees are folded.

    Attributes:
        tree: The trace.
        folded: Rows whose subtrees are folded.
        visible: The rows in sight, ascending.
    """

    def __init__(self, tree: TraceTree, folded: Iterable[int] = ()) -> None:
        self.tree = tree
        self.folded = {row for row in folded if tree.size[row] > 1}
        self.visible: list[int] = []
        self._fill()

    def place(self, row: int) -> int:
        """Return where a row is among those in sight, or where the row is that hides it."""
        return max(0, bisect_right(self.visible, row) - 1)

    def fold(self, row: int) -> bool:
        """Fold a row's subtree; False where there is none, or it is folded."""
        if self.tree.size[row] < 2 or row in self.folded:
            return False
        self.folded.add(row)
        low = bisect_right(self.visible, row)
        del self.visible[low : bisect_left(self.visible, row + self.tree.size[row], low)]
        return True

    def unfold(self, row: int) -> bool:
        """Unfold a row's subtree, but for what was folded within; False where it isn't folded."""
        if row not in self.folded:
            return False
        self.folded.discard(row)
        if (at := self.place(row)) < len(self.visible) and self.visible[at] == row:
            self.visible[at + 1 : at + 1] = self._rows(row + 1, row + self.tree.size[row])
        return True

    def fold_all(self) -> None:
        """Leave the top rows and their children in sight."""
        depth, size = self.tree.depth, self.tree.size
        self.folded = {row for row in range(len(self.tree)) if size[row] > 1 and depth[row] > 0}
        self._fill()

    def unfold_all(self) -> None:
        """Bring every row in sight."""
        self.folded.clear()
        self._fill()

    def reveal(self, row: int) -> int:
        """Unfold whatever hides a row, and return its place."""
        if hiding := self.folded.intersection(self.tree.ancestors(row)):
            self.folded -= hiding
            self._fill()
        return self.place(row)

    def carried_to(self, tree: TraceTree) -> Outline:
        """Return the same folds on a later state of the trace."""
        rows = (tree.row_of(self.tree.spans[row].span_id) for row in self.folded)
        return Outline(tree, (row for row in rows if row is not None))

    def _fill(self) -> None:
        self.visible = self._rows(0, len(self.tree))

    def _rows(self, low: int, high: int) -> list[int]:
        """Return the rows of a range that no fold within it hides."""
        folds = sorted(row for row in self.folded if low <= row < high)
        size = self.tree.size
        rows: list[int] = []
        at = 0
        while low < high:
            at = bisect_left(folds, low, at)
            if at == len(folds):
                rows += range(low, high)
                break
            rows += range(low, folds[at] + 1)
            low = folds[at] + size[folds[at]]
        return rows


class Window:
    """The part of a trace's time in sight, never beyond the trace."""

    def __init__(self, first: int, last: int) -> None:
        self.first = first
        self.last = max(last, first + 1)
        self.start = self.first
        self.end = self.last

    @property
    def whole(self) -> bool:
        """True while all of the trace is in sight."""
        return (self.start, self.end) == (self.first, self.last)

    @property
    def span(self) -> int:
        """Nanoseconds in sight."""
        return self.end - self.start

    def show(self, start: int, end: int) -> None:
        """Bring a stretch in sight, a little more than it where it is very short."""
        least = min(NARROWEST, self.last - self.first)
        if end - start < least:
            start = (start + end - least) // 2
            end = start + least
        if end - start >= self.last - self.first:
            self.reset()
            return
        start = min(max(self.first, start), self.last - (end - start))
        self.start, self.end = start, min(self.last, start + max(least, end - start))

    def zoom(self, factor: float, around: int) -> None:
        """Show less (factor above 1) or more, with a moment kept where it is, or centred when it was out of sight."""
        if not self.start <= around <= self.end:
            around = (self.start + self.end) // 2
        span = round(self.span / factor)
        share = (around - self.start) / self.span
        start = around - round(span * share)
        self.show(start, start + span)

    def pan(self, share: float) -> None:
        """Move on by a share of what is in sight."""
        step = round(self.span * share)
        span = self.span
        start = min(max(self.first, self.start + step), self.last - span)
        self.start, self.end = start, start + span

    def reset(self) -> None:
        """Show the whole trace."""
        self.start, self.end = self.first, self.last

    def stretched_to(self, first: int, last: int) -> Window:
        """Return the window on a later state of the trace: all of it, or the same part."""
        window = Window(first, last)
        if not self.whole:
            window.show(self.start, self.end)
        return window
