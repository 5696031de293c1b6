"""The rows of the logs pane: drawn from the ring, a screen at a time, standing still unless they follow.

Positions are absolute numbers, never offsets: the ring evicts and the filter finds more above while the text on
the screen stays where it is. The cost of a redraw is that of the rows in sight.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from msgspec import Struct
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from cockpit.signals import LogRecord
from cockpit.stores.logs import Pattern, View
from widgets.keys import bindings
from widgets.logs_row import RowPainter, columns_for, is_dated, value_text
from widgets.rows import ROW_ACTIONS, widest
from widgets.text import fit

STYLES = (
    "critical", "error", "warning", "info", "muted", "accent", "match", "plain", "cursor", "cursor-blur", "thumb",
)  # fmt: skip

_CSS = """
LogLines {
    height: 1fr;
    background: $surface;
    & .logs--critical { color: $text-error; text-style: bold reverse; }
    & .logs--error { color: $text-error; text-style: bold; }
    & .logs--warning { color: $text-warning; }
    & .logs--info { color: $text-primary; }
    & .logs--muted { color: $text-muted; }
    & .logs--accent { color: $text-accent; }
    & .logs--plain { color: $text; }
    & .logs--match { background: $warning-muted; color: $text-warning; text-style: bold; }
    & .logs--cursor { background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold; }
    & .logs--cursor-blur { background: $panel; }
    & .logs--thumb { color: $primary; }
}
"""
WIDEST_COLUMN = 24
"""Cells of an attribute's column."""
CACHED = 2_000
"""Records whose strips are kept."""
MARK = "♦"
"""Beside the time of a row that is marked."""
WHEEL = 3
"""Rows a turn of the wheel."""


class Anchor(Struct):
    """A record that keeps its place on the screen, whatever number it gets."""

    number: int
    record: LogRecord


class LogLines(Widget, can_focus=True):
    """Log records, a row each, with a cursor; follows the newest until one scrolls."""

    DEFAULT_CSS = _CSS
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"logs--{name}" for name in STYLES}
    BINDINGS: ClassVar[list[BindingType]] = bindings(ROW_ACTIONS)

    class Chosen(Message):
        """Enter was pressed on a record, or it was clicked twice."""

        def __init__(self, lines: LogLines, record: LogRecord) -> None:
            super().__init__()
            self.lines = lines
            self.record = record

        @property
        def control(self) -> LogLines:
            """The widget it happened in."""
            return self.lines

    class Moved(Message):
        """The cursor or the view was moved by hand."""

    def __init__(self, view: View, *, attributes: Sequence[str] = (), id: str | None = None) -> None:
        super().__init__(id=id)
        self.view = view
        self.following = True
        self.wrap = False
        self.pretty = False
        self.attributes = tuple(attributes)
        """Those that are columns."""
        self.now = 0
        self.empty = ""
        """What to say where there are no rows."""
        self.marked: frozenset[int] = frozenset()
        """The numbers of the records that are marked."""
        self.drawn = 0
        """Records laid out since the start: the measure of what drawing costs."""
        self._marks: tuple[Pattern, ...] = ()
        self._top: Anchor | None = None
        self._cursor: Anchor | None = None
        self._mark = 0
        """The store's end when following stopped."""
        self._version = view.store.version
        self._placed: list[tuple[int, int]] = []
        """For each row on the screen, (absolute number, which of its rows)."""
        self._strips: dict[int, tuple[LogRecord, list[Strip]]] = {}
        self._painter: RowPainter | None = None
        self._dated = False
        self._drawn_last: Hashable = None
        self._styles: dict[str, Style] = {}

    # What the pane asks for.

    @property
    def current(self) -> LogRecord | None:
        """The record under the cursor, or None where there are no rows."""
        rank = self.rank
        return None if rank is None else self.view.store[self.view.number(rank)]

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
    def in_view(self) -> list[LogRecord]:
        """The records on the screen, from the top down."""
        store = self.view.store
        numbers = dict.fromkeys(number for number, _ in self._placed)
        return [store[number] for number in numbers if store.first <= number < store.end]

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
        store, rank = self.view.store, self.rank
        rows = tuple((number, part, id(store[number])) for number, part in self._placed)
        cursor = None if rank is None else id(store[self.view.number(rank)])
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
        if (record := self.current) is not None:
            self.hold()
            self.post_message(self.Chosen(self, record))

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

    # Drawing.

    def render_line(self, y: int) -> Strip:
        """Draw one row from the cache."""
        width = self.size.width
        base = self._style("")
        if y >= len(self._placed):
            said = f" {self.empty}" if y == 0 and not self._placed else ""
            return Strip([Segment(fit(said, width), self._style("muted"))])
        number, part = self._placed[y]
        rows = self._rows(number) if self.view.store.first <= number < self.view.store.end else ()
        if part >= len(rows):
            return Strip.blank(width, base)
        strip = rows[part]
        if number in self.marked and not part:
            strip = self._with_mark(strip)
        rank = self.rank
        if rank is not None and self.view.number(rank) == number:
            strip = self._under_cursor(strip)
        return Strip([*strip, self._bar(y, base)], width)

    def notify_style_update(self) -> None:
        """Let go of strips in other colours."""
        super().notify_style_update()
        self._styles = {}
        self._forget()

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self.get_component_rich_style(f"logs--{name}") if name else self.rich_style
            self._styles[name] = style
        return style

    def _with_mark(self, strip: Strip) -> Strip:
        """Put the sign of a mark beside the time."""
        at = 0 if self._painter is None else self._painter.columns.time
        sign = Segment(MARK, self._style("match"))
        return Strip([*strip.crop(0, at), sign, *strip.crop(at + 1)], strip.cell_length)

    def _under_cursor(self, strip: Strip) -> Strip:
        if self.has_focus:
            laid = self._style("cursor")
            return Strip([Segment(segment.text, laid) for segment in strip], strip.cell_length)
        shade = Style(bgcolor=self._style("cursor-blur").bgcolor)
        return Strip(
            [Segment(segment.text, (segment.style or Style()) + shade) for segment in strip],
            strip.cell_length,
        )

    def _bar(self, y: int, base: Style) -> Segment:
        """Draw the scroll bar's cell of a row."""
        top, bottom = self._bar_place()
        return Segment("▐", self._style("thumb")) if top <= y < bottom else Segment(" ", base)

    def _bar_place(self) -> tuple[int, int]:
        """Return the rows where the scroll bar's thumb begins and ends; (0, 0) where all is in sight."""
        count, height = len(self.view), self.size.height
        if count <= height or not self._placed:
            return 0, 0
        size = max(1, height * height // count)
        room = height - size
        top = min(room, self.view.rank(self._placed[0][0]) * room // max(1, count - height))
        return top, top + size

    def _rows(self, number: int) -> list[Strip]:
        """Return a record's strips, from the cache where it is still the same record."""
        record = self.view.store[number]
        known = self._strips.get(number)
        if known is not None and known[0] is record:
            return known[1]
        if self._painter is None:
            columns = columns_for(
                max(1, self.size.width - 1), dated=self._dated, attributes=self._column_widths()
            )
            self._painter = RowPainter(
                self._style, columns, marks=self._marks, wrap=self.wrap, pretty=self.pretty
            )
        strips = self._painter.strips(record, self.view.store.placing(number))
        self.drawn += 1
        if len(self._strips) >= CACHED:
            self._strips.clear()
        self._strips[number] = (record, strips)
        return strips

    def _column_widths(self) -> list[tuple[str, int]]:
        """Return the columns that were chosen, as wide as the records in sight ask for."""
        return [
            (name, widest((_text_of(record, name) for record in self.in_view), 4, WIDEST_COLUMN))
            for name in self.attributes
        ]

    def _forget(self) -> None:
        self._strips.clear()
        self._painter = None

    # What stands where.

    def _arrange(self) -> None:
        """Decide which record stands on which row."""
        count, height = len(self.view), self.size.height
        if not count or height <= 0:
            self._placed = []
            return
        self._place(count, height)
        dated = any(is_dated(self.view.store[number], self.now) for number, _ in self._placed)
        if dated != self._dated:
            self._dated = dated
            self._forget()
            self._place(count, height)

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
        return Anchor(number, self.view.store[number])

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
            if anchor is not None and anchor.number >= moved:
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


def _text_of(record: LogRecord, name: str) -> str:
    return value_text(record.attributes.get(name, record.resource.get(name)))
