"""The rows of the logs pane: drawn from the ring, a screen at a time, standing still unless they follow.

Positions are absolute numbers, never offsets: the ring evicts and the filter finds more above while the text on
the screen stays where it is. The cost of a redraw is that of the rows in sight.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from time import perf_counter
from typing import ClassVar

from msgspec import Struct
from textual import events
from textual.binding import BindingType
from textual.message import Message

from cockpit.signals import LogRecord
from cockpit.stores.logs import Pattern, View
from widgets.keys import bindings
from widgets.logs_drawing import LogDrawing
from widgets.logs_row import is_dated
from widgets.rows import ROW_ACTIONS

WHEEL = 3
"""Rows a turn of the wheel."""
HELD = 0.15
"""Seconds for which the rows stay as they were while those to be drawn are read; then those that were not say so."""
LOOKS = 0.015
"""Seconds between two looks meanwhile."""
AHEAD = 40
"""Screens above and below that may be drawn next."""


class Anchor(Struct):
    """A record that keeps its place on the screen, whatever number it gets."""

    number: int
    record: LogRecord | None
    """None where it was not read yet."""


class LogLines(LogDrawing, can_focus=True):
    """Log records, a row each, with a cursor; follows the newest until one scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(ROW_ACTIONS)

    class Chosen(Message):
        """Enter was pressed on a record, or it was clicked twice; the record is None where it was not read yet."""

        def __init__(self, lines: LogLines, number: int, record: LogRecord | None) -> None:
            super().__init__()
            self.lines = lines
            self.number = number
            self.record = record

        @property
        def control(self) -> LogLines:
            """The widget it happened in."""
            return self.lines

    class Moved(Message):
        """The cursor or the view was moved by hand."""

    def __init__(self, view: View, *, attributes: Sequence[str] = (), id: str | None = None) -> None:
        super().__init__(view, attributes=attributes, id=id)
        self.following = True
        self.now = 0
        self._top: Anchor | None = None
        self._cursor: Anchor | None = None
        self._mark = 0
        """The store's end when following stopped."""
        self._version = view.store.version
        self._drawn_last: Hashable = None
        self._in_sight: list[LogRecord] = []
        """What was drawn last: kept, as it is known again by its identity."""
        self._held_since = 0.0
        """When the rows to be drawn began to be waited for; 0 where none are."""

    # What the pane asks for.

    @property
    def current(self) -> LogRecord | None:
        """The record under the cursor, or None where there are no rows, or it was not read yet."""
        number = self.number
        return None if number is None else self._record(number)

    @property
    def number(self) -> int | None:
        """The number of the record under the cursor, or None where there are no rows."""
        return None if (rank := self.rank) is None else self.view.number(rank)

    @property
    def rank(self) -> int | None:
        """The cursor's place among the rows, from 0; None where there are none."""
        count = len(self.view)
        if not count:
            return None
        if self.following or self._cursor is None:
            return count - 1
        return min(self.view.rank(self._cursor.number), count - 1)

    @property
    def below(self) -> int:
        """How many rows came since following stopped."""
        return 0 if self.following else max(0, len(self.view) - self.view.rank(self._mark))

    def show(self, view: View, *, marks: tuple[Pattern, ...], now: int) -> None:
        """Draw a view as it is now."""
        self.now = now
        if view is not self.view:
            self._change_view(view)
        if marks != self._marks:
            self._marks = marks
            self._forget()
        self._relocate()
        self._arrange()
        picture = self._picture()
        if picture != self._drawn_last:
            self._drawn_last = picture
            self.refresh()

    def _picture(self) -> Hashable:
        """Return what the rows on the screen depend on, so that the same is not drawn again."""
        store = self.view.store
        self._in_sight = [store[number] for number, _ in self._placed]
        rows = tuple((*at, id(record)) for at, record in zip(self._placed, self._in_sight, strict=True))
        cursor = self.number
        marked = self.marked.intersection(number for number, _ in self._placed)
        return rows, cursor, marked, self._bar_place(), self._painter is None, self._marks, self.empty

    def follow_newest(self) -> None:
        """Show the newest rows, and those to come."""
        self.following = True
        self._top = self._cursor = None
        self._arrange()
        self.refresh()

    def hold(self) -> None:
        """Stop following: what is on the screen stays there."""
        if not self.following or not len(self.view):
            return
        self._cursor = self._anchor(len(self.view) - 1)
        self._top = self._anchor(self.view.rank(self._placed[0][0])) if self._placed else self._cursor
        self._mark = self.view.store.end
        self.following = False

    def go(self, rank: int) -> None:
        """Put the cursor on a row, and the row on the screen."""
        count = len(self.view)
        if not count:
            return
        self.hold()
        rank = min(max(0, rank), count - 1)
        self._cursor = self._anchor(rank)
        self._bring_into_sight(rank)
        self._arrange()
        self.refresh()
        self.post_message(self.Moved())

    def toggle_wrap(self) -> None:
        """Show long records in full, or a row each again."""
        self.wrap = not self.wrap
        self._renew()

    def toggle_pretty(self) -> None:
        """Lay records out over several lines, or a row each again."""
        self.wrap, self.pretty = self.pretty and self.wrap, not self.pretty
        self._renew()

    def put_columns(self, attributes: Sequence[str]) -> None:
        """Let these attributes be columns."""
        self.attributes = tuple(attributes)
        self._renew()

    def _renew(self) -> None:
        self._forget()
        if (rank := self.rank) is not None and not self.following:
            self._bring_into_sight(rank)
        self._arrange()
        self.refresh()

    # Keys and mouse.

    def action_cursor(self, step: int) -> None:
        """Move by rows."""
        if (rank := self.rank) is not None and not (self.following and step > 0):
            self.go(rank + step)

    def action_page(self, step: int) -> None:
        """Move by screens."""
        if (rank := self.rank) is not None and not (self.following and step > 0):
            self._scroll(step * max(1, self.size.height - 1))
            self.go(rank + step * max(1, self.size.height - 1))

    def action_edge(self, last: int) -> None:
        """Move to the oldest row, or to the newest and follow it."""
        if last:
            self.follow_newest()
            self.post_message(self.Moved())
        else:
            self.go(0)

    def action_choose(self) -> None:
        """Choose the record under the cursor."""
        if (number := self.number) is not None:
            self.hold()
            self.post_message(self.Chosen(self, number, self.current))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Go up, which stops following."""
        event.stop()
        self._turn(-WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Go down."""
        event.stop()
        self._turn(WHEEL)

    def on_click(self, event: events.Click) -> None:
        """Move to the row clicked; a double click chooses it; the bar at the right goes to its part."""
        if event.x >= self.size.width - 1 and len(self.view) > self.size.height:
            self.go(event.y * len(self.view) // max(1, self.size.height))
        elif 0 <= event.y < len(self._placed):
            self.go(self.view.rank(self._placed[event.y][0]))
            if event.chain > 1:
                self.action_choose()

    def on_resize(self) -> None:
        """Lay the rows out for another size."""
        self._forget()
        self._arrange()
        self.refresh()

    # What stands where.

    def _arrange(self) -> None:
        """Decide which record stands on which row; while those are read, all stay as they are for a moment."""
        count, height = len(self.view), self.size.height
        if not count or height <= 0:
            self._placed = []
            return
        before = self._placed
        self._place(count, height)
        if self._is_held(before):
            self._placed = before
            return
        records = self.in_view
        dated = any(is_dated(record, self.now) for record in records) if records else self._dated
        if dated != self._dated:
            self._dated = dated
            self._forget()
            self._place(count, height)

    def _is_held(self, before: list[tuple[int, int]]) -> bool:
        """Tell whether what is to be drawn is being read, so that what was drawn before stays for now."""
        store, numbers = self.view.store, list(dict.fromkeys(number for number, _ in self._placed))
        if store.ready(numbers):
            self._held_since = 0.0
            for anchor in (self._top, self._cursor):
                if anchor is not None and anchor.record is None and store.first <= anchor.number < store.end:
                    anchor.record = self._record(anchor.number)
            if not self.following:
                self._expect(numbers)
            return False
        if not self._held_since:
            self._held_since = perf_counter()
        if perf_counter() - self._held_since >= HELD or not all(
            store.first <= number < store.end for number, _ in before
        ):
            return False
        self.set_timer(LOOKS, self._look_again)
        return True

    def _look_again(self) -> None:
        if self._held_since:
            self._arrange()
            self.refresh()

    def _expect(self, numbers: Sequence[int]) -> None:
        """Let what is a page or some away be read before it is asked for."""
        view, last = self.view, len(self.view) - 1
        top, bottom = view.rank(numbers[0]), view.rank(numbers[-1])
        far = AHEAD * self.size.height
        near = {top - self.size.height, top - far, bottom + self.size.height, bottom + far}
        view.store.expect([view.number(rank) for rank in near if 0 <= rank <= last])

    def _place(self, count: int, height: int) -> None:
        """Fill the screen from the top anchor down; move it only where the cursor would be out of sight."""
        self._placed = self._from_top(count, height)
        rank = self.rank
        if self.following or rank is None or self._top is None:
            return
        number = self.view.number(rank)
        if not any(placed == number for placed, _ in self._placed):
            self._bring_into_sight(rank)
            self._placed = self._from_top(count, height)

    def _from_top(self, count: int, height: int) -> list[tuple[int, int]]:
        if not self.following and self._top is not None:
            placed = self._downwards(min(self.view.rank(self._top.number), count - 1), height)
            if len(placed) >= height:
                return placed
        return self._upwards(count - 1, height)

    def _downwards(self, rank: int, height: int) -> list[tuple[int, int]]:
        placed: list[tuple[int, int]] = []
        while rank < len(self.view) and len(placed) < height:
            number = self.view.number(rank)
            placed += [(number, part) for part in range(self._tall(number))]
            rank += 1
        return placed[:height]

    def _upwards(self, rank: int, height: int) -> list[tuple[int, int]]:
        """Fill the screen from its last row; a record taller than the screen shows its beginning."""
        placed: list[tuple[int, int]] = []
        while rank >= 0 and len(placed) < height:
            number = self.view.number(rank)
            parts = range(self._tall(number))
            if not placed and len(parts) > height:
                parts = parts[:height]
            placed += [(number, part) for part in reversed(parts)]
            rank -= 1
        return placed[:height][::-1]

    def _tall(self, number: int) -> int:
        return len(self._rows(number)) if self.wrap or self.pretty else 1

    def _anchor(self, rank: int) -> Anchor:
        number = self.view.number(min(rank, len(self.view) - 1))
        return Anchor(number, self._record(number))

    def _bring_into_sight(self, rank: int) -> None:
        height = self.size.height
        if height <= 0 or self._top is None or rank <= self.view.rank(self._top.number):
            self._top = self._anchor(rank)
            return
        number = self.view.number(rank)
        shown = self._downwards(self.view.rank(self._top.number), height)
        if (number, self._tall(number) - 1) not in shown:
            number, part = self._upwards(rank, height)[0]
            top = self.view.rank(number)
            self._top = self._anchor(min(rank, top + 1) if part else top)

    def _scroll(self, step: int) -> None:
        """Move the rows under the cursor."""
        self.hold()
        if self._top is not None:
            last = max(0, len(self.view) - self.size.height)
            self._top = self._anchor(min(last, max(0, self.view.rank(self._top.number) + step)))

    def _turn(self, step: int) -> None:
        """Scroll by the wheel; the cursor stays, unless it would leave the screen."""
        if not len(self.view) or (self.following and step > 0):
            return
        self._scroll(step)
        ranks = [self.view.rank(number) for number, _ in self._from_top(len(self.view), self.size.height)]
        if (rank := self.rank) is not None and ranks:
            self._cursor = self._anchor(min(max(rank, ranks[0]), ranks[-1]))
        self._arrange()
        self.refresh()
        self.post_message(self.Moved())

    def _relocate(self) -> None:
        """Keep the anchors on their records where others were sorted in before them."""
        store = self.view.store
        moved = store.moved_since(self._version)
        self._version = store.version
        if moved is None or self.following:
            return
        for anchor in (self._top, self._cursor):
            if anchor is not None and anchor.record is not None and anchor.number >= moved:
                number = store.locate(anchor.record)
                if number is not None:
                    anchor.number = number

    def _change_view(self, view: View) -> None:
        """Draw another store; the cursor stays on its record where that one has it too."""
        record = self.current
        self.view = view
        self._version = view.store.version
        self._forget()
        place = None if record is None else view.store.locate(record)
        if place is None or self.following or record is None:
            self.following = True
            self._top = self._cursor = None
            return
        self._cursor = Anchor(place, record)
        self._top = Anchor(place, record)
