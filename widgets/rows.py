"""A list of rows that draws only what is seen: its cost follows the screen, never the store.

Not a DataTable: refilling one costs a tenth of a second for 500 rows, and there may be 10,000 alerts.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import islice
from typing import Any, ClassVar, Generic, TypeVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from cockpit.keymap import Action
from widgets.keys import bindings
from widgets.parts import Parts
from widgets.text import fit, safe

T = TypeVar("T")

Piece = tuple[str, str]
"""A text and the name of the style it is drawn in; an empty name is the plain style."""

ROW_ACTIONS = (
    Action("rows.up", ("up", "k"), "up", "Move to the row above.", call="cursor(-1)"),
    Action("rows.down", ("down", "j"), "down", "Move to the row below.", call="cursor(1)"),
    Action("rows.page_up", ("pageup",), "page up", "Move up by a screen.", call="page(-1)"),
    Action("rows.page_down", ("pagedown",), "page down", "Move down by a screen.", call="page(1)"),
    Action("rows.first", ("home", "g"), "first", "Move to the first row.", call="edge(0)"),
    Action("rows.last", ("end", "G"), "last", "Move to the last row.", call="edge(1)"),
    Action(
        "rows.open",
        ("enter",),
        "open",
        "Open the row's detail, and let the other panes follow it.",
        call="choose",
    ),
)
"""Actions that every list of rows has."""

_CSS = """
RowList {
    height: 1fr;
    overflow-x: hidden;
    overflow-y: auto;
    scrollbar-size-vertical: 1;
    background: $surface;
    & .rows--ok { color: $text-success; }
    & .rows--unknown { color: $text-muted; }
    & .rows--degraded { color: $text-warning; }
    & .rows--down { color: $text-error; text-style: bold; }
    & .rows--critical { color: $text-error; text-style: bold; }
    & .rows--error { color: $text-error; }
    & .rows--warning { color: $text-warning; }
    & .rows--info { color: $text-primary; }
    & .rows--debug { color: $text-muted; }
    & .rows--muted { color: $text-muted; }
    & .rows--accent { color: $text-accent; }
    & .rows--match { background: $warning-muted; color: $text-warning; text-style: bold; }
    & .rows--strong { text-style: bold; }
    & .rows--header { color: $text-muted; text-style: bold; }
    & .rows--marked { text-style: reverse; }
    & .rows--cursor { background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold; }
    & .rows--cursor-blur { background: $panel; text-style: bold; }
}
"""


class RowList(Parts, ScrollView, Generic[T], can_focus=True):
    """Rows of items, one line each, with a cursor that stays on its item while the list changes around it."""

    DEFAULT_CSS = _CSS
    BINDINGS: ClassVar[list[BindingType]] = bindings(ROW_ACTIONS)

    cursor: reactive[int] = reactive(0, repaint=False)

    class Highlighted(Message):
        """The cursor came to another row, by key or mouse."""

        def __init__(self, rows: RowList[Any], item: Any) -> None:
            super().__init__()
            self.rows = rows
            self.item = item

        @property
        def control(self) -> RowList[Any]:
            """The list it happened in."""
            return self.rows

    class Chosen(Highlighted):
        """Enter was pressed on a row, or it was clicked a second time."""

    def __init__(
        self,
        draw: Callable[[T, int], Sequence[Piece]],
        *,
        key: Callable[[T], Hashable],
        header: Callable[[int], Sequence[Piece]] | None = None,
        empty: str = "nothing here",
        id: str | None = None,
    ) -> None:
        """Make a list.

        Args:
            draw: Gives the pieces of an item's line at a width in cells.
            key: Tells items apart, so that the cursor stays where it was.
            header: Gives the pieces of a first line that does not scroll.
            empty: What to say where there are no rows.
            id: Textual's id.
        """
        super().__init__(id=id)
        self._draw = draw
        self._key = key
        self._header = header
        self.empty = empty
        self._items: Sequence[T] = ()
        self._moved = False
        self._style_cache: dict[str, Style] = {}
        self._drawn: dict[int, tuple[Sequence[Piece], str]] = {}
        """What each line of the screen was last drawn from."""

    @property
    def items(self) -> Sequence[T]:
        """The rows as they stand."""
        return self._items

    @property
    def current(self) -> T | None:
        """The item under the cursor, or None where there are no rows."""
        return self._items[self.cursor] if 0 <= self.cursor < len(self._items) else None

    def show_items(self, items: Sequence[T]) -> None:
        """Put other rows in, keeping the cursor on its item once somebody has moved it."""
        before = self.current if self._moved else None
        self._items = items
        if before is not None:
            wanted = self._key(before)
            at = self._found(wanted)
            self.set_reactive(RowList.cursor, min(self.cursor, max(0, len(items) - 1)) if at is None else at)
        else:
            self.set_reactive(RowList.cursor, 0)
        self._fit_height()
        self.renew()

    def _found(self, wanted: Hashable) -> int | None:
        """Return where the item of a key is now, which mostly is where it was."""
        if (current := self.current) is not None and self._key(current) == wanted:
            return self.cursor
        return next((n for n, item in enumerate(self._items) if self._key(item) == wanted), None)

    def renew(self) -> None:
        """Draw again the lines that would look otherwise now, and no others: ages grow in few of them."""
        width, height = self.size
        room, top = self.scrollable_content_region.width, int(self.scroll_offset.y)
        for y in range(height):
            if self._drawn.get(y) != self._line(y, room, top):
                self.refresh(Region(0, y, width, 1))

    def select(self, wanted: Hashable) -> bool:
        """Move the cursor to the item of that key; False where there is none."""
        for number, item in enumerate(self._items):
            if self._key(item) == wanted:
                self._moved = True
                self.cursor = number
                return True
        return False

    def notify_style_update(self) -> None:
        """Forget styles when the theme changes."""
        super().notify_style_update()
        self._style_cache.clear()

    def style(self, name: str) -> Style:
        """Return a named style over the widget's own."""
        found = self._style_cache.get(name)
        if found is None:
            found = self.get_component_rich_style(f"rows--{name}") if name else self.rich_style
            self._style_cache[name] = found
        return found

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        width = self.scrollable_content_region.width
        pieces, over = self._drawn[y] = self._line(y, width, int(self.scroll_offset.y))
        return self.strip(pieces, width, over)

    def _line(self, y: int, width: int, top: int) -> tuple[Sequence[Piece], str]:
        """Return the pieces of a line of the screen, and the style that lies over them."""
        head = 1 if self._header else 0
        if self._header is not None and y == 0:
            return self._header(width), "header"
        index = top + y - head
        if index >= len(self._items):
            text = f" {safe(self.empty, 200)}" if not self._items and y == head else ""
            return [(text, "muted")], ""
        over = ""
        if index == self.cursor and (self.has_focus or self._moved):
            over = "cursor" if self.has_focus else "cursor-blur"
        return self._draw(self._items[index], width), over

    def strip(self, pieces: Sequence[Piece], width: int, over: str) -> Strip:
        """Lay pieces into a strip of exactly `width` cells, with a style laid over all of them."""
        base = self.style("")
        laid = self.style(over) if over else None
        segments = []
        for text, name in pieces:
            style = self.style(name) if name else base
            if laid is not None:
                style = laid if over == "cursor" or not name else style + laid if over != "header" else laid
            segments.append(Segment(text, style))
        return Strip(segments).adjust_cell_length(width, laid or base)

    def watch_cursor(self) -> None:
        """Keep the cursor on the screen and say where it is."""
        self._scroll_to_cursor()
        self.renew()

    def action_cursor(self, step: int) -> None:
        """Move by rows."""
        self._go(self.cursor + step)

    def action_page(self, step: int) -> None:
        """Move by screens."""
        self._go(self.cursor + step * max(1, self.size.height - 2))

    def action_edge(self, last: int) -> None:
        """Move to the first or the last row."""
        self._go(len(self._items) - 1 if last else 0)

    def action_choose(self) -> None:
        """Choose the row under the cursor."""
        if (item := self.current) is not None:
            self._moved = True
            self.post_message(self.Chosen(self, item))

    def on_click(self, event: events.Click) -> None:
        """Move to the row clicked; a double click chooses it."""
        index = int(self.scroll_offset.y) + event.y - (1 if self._header else 0)
        if 0 <= index < len(self._items):
            self._go(index)
            if event.chain > 1:
                self.action_choose()

    def on_resize(self) -> None:
        """Fit the scroll bar to the new height."""
        self._fit_height()

    def _go(self, wanted: int) -> None:
        if not self._items:
            return
        self._moved = True
        self.cursor = min(max(0, wanted), len(self._items) - 1)
        self.renew()
        self.post_message(self.Highlighted(self, self._items[self.cursor]))

    def _fit_height(self) -> None:
        """Tell Textual how many rows there are; the screen is laid out anew only for a scroll bar to come or go."""
        size = Size(self.size.width, len(self._items) + (1 if self._header else 0))
        before, room = self.virtual_size, self.size.height
        if size == before:
            return
        if size.width != before.width or (size.height > room) != (before.height > room):
            self.virtual_size = size
            return
        self.set_reactive(RowList.virtual_size, size)
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = size.height
        self.scroll_y = self.scroll_y  # within what there is now

    def _scroll_to_cursor(self) -> None:
        height = self.size.height - (1 if self._header else 0)
        top = int(self.scroll_offset.y)
        if height <= 0:
            return
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False)


def widest(texts: Iterable[str], least: int, most: int) -> int:
    """Return the cells that a column's texts ask for, within bounds; the first hundred texts speak for all."""
    asked = max((cell_len(text) for text in islice(texts, 100)), default=0)
    return max(least, min(most, asked))


def columns(width: int, *wanted: tuple[str, str, int]) -> list[Piece]:
    """Lay out columns with one cell between them.

    Args:
        width: Cells there are.
        wanted: (text, style, cells); a negative width sets right, and 0 takes what is left.
    """
    fixed = sum(abs(cells) for _, _, cells in wanted) + len(wanted) - 1
    free = max(0, width - fixed) // max(1, sum(1 for _, _, cells in wanted if cells == 0))
    pieces: list[Piece] = []
    for text, style, cells in wanted:
        if pieces:
            pieces.append((" ", ""))
        pieces.append((fit(text, abs(cells) or free, right=cells < 0), style))
    return pieces
