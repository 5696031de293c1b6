"""A trace as a waterfall: a row a span, its bar on the trace's time line. Only the rows in sight are drawn."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from textual import events
from textual.message import Message

from cockpit.stores.traces import TraceTree
from widgets.keys import bindings
from widgets.rows import RowList
from widgets.waterfall_keys import ACTIONS
from widgets.waterfall_rows import WaterfallRows
from widgets.waterfall_view import Outline, Window


class Waterfall(WaterfallRows):
    """One trace, and what the keys do with it."""

    BINDINGS = bindings(ACTIONS)

    class Moved(Message):
        """The window, the folds or the cursor changed."""

    def __init__(self) -> None:
        super().__init__()
        self.matches: list[int] = []
        """Rows that the filter marks, ascending."""

    # What is shown.

    def show_tree(self, tree: TraceTree, *, fresh: bool) -> None:
        """Show a trace, or a later state of the same one with folds, window and cursor kept."""
        row = self.current
        if fresh or not len(self.trace_tree):
            self.outline, self.window, row = Outline(tree), Window(tree.first, tree.last), 0
            self._moved = True
        else:
            if row is not None:
                row = tree.row_of(self.trace_tree.spans[row].span_id)
            self.outline = self.outline.carried_to(tree)
            self.window = self.window.stretched_to(tree.first, tree.last)
        self.trace_tree = tree
        self.matches = []
        self._rows_changed(row or 0)

    def go_to(self, row: int) -> None:
        """Bring a row in sight, whatever folds hide it, and put the cursor on it."""
        self.outline.reveal(row)
        self._rows_changed(row)
        span = (self.trace_tree.start[row], self.trace_tree.end[row])
        if span[1] < self.window.start or span[0] > self.window.end:
            self.window.zoom(1.0, self.window.start)
            middle = sum(span) // 2
            self.window.show(middle - self.window.span // 2, middle + self.window.span // 2)

    def _rows_changed(self, row: int) -> None:
        """Take over the outline's rows, with the cursor on a row or on what hides it."""
        self._items = self.outline.visible
        self._fit_height()
        self.set_reactive(RowList.cursor, self.outline.place(row))
        self._scroll_to_cursor()
        self.refresh()
        self.post_message(self.Moved())

    def watch_cursor(self) -> None:
        """Keep the cursor on the screen and say that it moved."""
        super().watch_cursor()
        self.post_message(self.Moved())

    # What the keys do.

    def action_turn(self) -> None:
        """Fold or unfold the row under the cursor."""
        row = self.current
        if row is not None and (self.outline.unfold(row) or self.outline.fold(row)):
            self._rows_changed(row)

    def action_fold(self) -> None:
        """Fold the row, or go to its parent where there is nothing to fold."""
        row = self.current
        if row is None:
            return
        if self.outline.fold(row):
            self._rows_changed(row)
        elif (parent := self.trace_tree.parent[row]) >= 0:
            self._rows_changed(parent)

    def action_unfold(self) -> None:
        """Unfold the row, or go to its first child."""
        row = self.current
        if row is None or self.trace_tree.size[row] < 2:
            return
        self._rows_changed(row if self.outline.unfold(row) else row + 1)

    def action_fold_all(self) -> None:
        """Fold all but the top."""
        row = self.current
        self.outline.fold_all()
        self._rows_changed(row or 0)

    def action_unfold_all(self) -> None:
        """Unfold everything."""
        row = self.current
        self.outline.unfold_all()
        self._rows_changed(row or 0)

    def action_zoom(self, factor: float) -> None:
        """Show less or more of the time, around the span under the cursor."""
        row = self.current
        if row is not None:
            middle = (self.trace_tree.start[row] + self.trace_tree.end[row]) // 2
            self.window.zoom(factor, middle)
            self._looked_elsewhere()

    def action_zoom_span(self) -> None:
        """Show just the span's time, or all again when that is what is shown."""
        row = self.current
        if row is None:
            return
        before = (self.window.start, self.window.end)
        self.window.show(self.trace_tree.start[row], self.trace_tree.end[row])
        if before == (self.window.start, self.window.end):
            self.window.reset()
        self._looked_elsewhere()

    def action_pan(self, direction: int) -> None:
        """Move the time in sight by a quarter."""
        self.window.pan(direction / 4)
        self._looked_elsewhere()

    def action_error(self, direction: int) -> None:
        """Go to the next or previous failed span."""
        self._leap(self.trace_tree.errors, direction)

    def action_match(self, direction: int) -> None:
        """Go to the next or previous span that the filter marks."""
        self._leap(self.matches, direction)

    def action_critical(self, direction: int) -> None:
        """Go to the next or previous span on the critical path."""
        self._leap(sorted(self.trace_tree.path), direction)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out with ctrl and the wheel; scroll without."""
        self._wheel(event, 0.5)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in with ctrl and the wheel; scroll without."""
        self._wheel(event, 2.0)

    def _wheel(self, event: events.MouseEvent, factor: float) -> None:
        if event.ctrl:
            event.stop()
            event.prevent_default()
            self.action_zoom(factor)

    def _leap(self, rows: Sequence[int], direction: int) -> None:
        """Go to the nearest of some ascending rows in a direction, round the end where there is none."""
        row = self.current
        if row is None or not rows:
            return
        at = bisect_right(rows, row) if direction > 0 else bisect_left(rows, row) - 1
        self.go_to(rows[at % len(rows)])

    def _looked_elsewhere(self) -> None:
        self.refresh()
        self.post_message(self.Moved())
