"""The rows of the time line: a window of what was read, which slides along a log of any length."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip

from cockpit.actionlog.timeline import Entry
from widgets.rows import Piece, RowList
from widgets.timeline_row import Layout, draw, header, laid

NEAR = 150
"""Rows from either end of the window at which more is asked for."""


class TimelineRows(RowList[Entry]):
    """Entries, newest first; says when it comes near an end of what it was given."""

    DEFAULT_CSS = """
    TimelineRows { scrollbar-size-vertical: 0; & .rows--thumb { color: $primary; } }
    """

    class Near(Message):
        """The rows in sight come near an end of those that are read.

        Attributes:
            older: Whether it is the end with the oldest.
        """

        def __init__(self, *, older: bool) -> None:
            super().__init__()
            self.older = older

    class EdgeAsked(Near):
        """The newest or the oldest entry of all was asked for."""

    def __init__(self) -> None:
        super().__init__(
            lambda entry, width: draw(entry, width, self.now, self._layout),
            key=lambda entry: entry.key,
            header=lambda width: header(width, self._layout),
        )
        self._layout = Layout()
        self.now = 0
        self.span: tuple[int, int] | None = None
        """The first and the last position of the log, to tell how far down this is; None to tell by rows."""

    @property
    def at_newest(self) -> bool:
        """Whether the first row is under the cursor and in sight."""
        return self.cursor == 0 and self.scroll_offset.y == 0

    def put(self, entries: Sequence[Entry]) -> None:
        """Show other entries; those that stay keep their place on the screen."""
        top = int(self.scroll_offset.y)
        above = self._items[top] if not self.at_newest and top < len(self._items) else None
        self._moved = self._moved and not self.at_newest
        self._layout = laid(entries)
        self.show_items(entries)
        if above is None:
            return
        place = next((number for number, each in enumerate(entries) if each.key == above.key), None)
        if place is not None and place != top:
            self.scroll_to(y=place, animate=False, immediate=True)

    def begin(self, entries: Sequence[Entry], *, oldest: bool = False) -> None:
        """Show entries with the cursor on the newest or the oldest of them."""
        self._moved = False
        self._layout = laid(entries)
        self.show_items(entries)
        if oldest and entries:  # before it scrolls, lest the first row count as near
            self._moved = True
            self.set_reactive(RowList.cursor, len(entries) - 1)
        self.scroll_to(y=len(entries) if oldest else 0, animate=False, immediate=True)
        self.renew()

    def action_edge(self, last: int) -> None:
        """Ask for the newest or the oldest entry of all."""
        self.post_message(self.EdgeAsked(older=bool(last)))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for more where the rows come near an end."""
        super().watch_scroll_y(old_value, new_value)
        self.look()

    def watch_cursor(self) -> None:
        """Ask for more where the cursor comes near an end."""
        super().watch_cursor()
        self.look()

    def look(self) -> None:
        """Ask for more where the rows in sight or the cursor come near an end."""
        top, bottom = int(self.scroll_offset.y), int(self.scroll_offset.y) + self.size.height
        if min(top, self.cursor) < NEAR:
            self.post_message(self.Near(older=False))
        if max(bottom, self.cursor) > len(self._items) - NEAR:
            self.post_message(self.Near(older=True))

    # Drawing.

    def render_line(self, y: int) -> Strip:
        """Draw a line, and the bar's cell beside it."""
        strip = super().render_line(y)
        width = self.size.width
        if y == self._thumb():
            return Strip([*strip.crop(0, width - 1), Segment("▐", self.style("thumb"))], width)
        return strip

    def _line(self, y: int, width: int, top: int) -> tuple[Sequence[Piece], str]:
        return super()._line(y, width - 1, top)

    def _thumb(self) -> int:
        """Return the line of the screen that says how far down this is; -1 where all is in sight."""
        rows, room, top = len(self._items), self.size.height - 1, int(self.scroll_offset.y)
        if rows <= room or room < 2:
            return -1
        if self.span is None:
            return 1 + round((room - 1) * top / (rows - room))
        first, last = self.span
        place = self._items[min(top, rows - 1)].position
        return 1 + round((room - 1) * (last - place) / max(1, last - first))
