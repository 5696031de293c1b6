"""The lines that a command printed: a bounded ring of bytes, made safe only where they are drawn."""

from __future__ import annotations

import re
from collections import deque

from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from widgets.text import safe

LINES = 5_000
"""Lines kept on the screen; the action log keeps more."""
LONGEST = 2_000
"""Characters shown of one line."""
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
"""Control sequences of ECMA-48: a command's colours say nothing here, and its cursor moves would."""


class OutputLines(ScrollView, can_focus=True):
    """Follows the last line, if it is to, until somebody scrolls up, and again once they are back at the end.

    Taking output in costs a split of the bytes; the screen is drawn once a tick, whatever came in since.
    """

    DEFAULT_CSS = """
    OutputLines {
        height: 1fr;
        background: $surface;
        overflow-x: auto;
        scrollbar-size: 1 1;
        scrollbar-gutter: stable;
    }
    """

    def __init__(self, *, id: str | None = None, follows: bool = True) -> None:
        super().__init__(id=id)
        self._follows = follows
        self.taken = 0
        """Whole lines that came in, those that were let go included."""
        self._ring: deque[bytes] = deque(maxlen=LINES)
        self._partial = b""
        self._widest = 0
        self._moved = False
        self._gone = 0
        """Lines let go of by the last drawing."""

    @property
    def gone(self) -> int:
        """Lines that are no more shown."""
        return self.taken - len(self._ring)

    def clear(self) -> None:
        """Start again with nothing."""
        self._ring.clear()
        self.taken = self._widest = self._gone = 0
        self._partial = b""
        self._moved = True
        self.scroll_to(0, 0, animate=False, immediate=True)

    def feed(self, data: bytes) -> None:
        """Take a piece of output in."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > 4 * LONGEST:
            lines.append(self._partial)
            self._partial = b""
        if lines:
            self.taken += len(lines)
            kept = [line[: 4 * LONGEST] for line in lines[-LINES:]]
            self._widest = (
                max(self._widest, *map(len, kept)) if len(kept) > 1 else max(self._widest, len(kept[0]))
            )
            self._ring.extend(kept)
        self._moved = True

    def end(self) -> None:
        """Take what came without a line's end for a line."""
        if self._partial:
            self.feed(b"\n")

    def tick(self) -> None:
        """Draw what came in since the last time."""
        if not self._moved:
            return
        self._moved = False
        follows = self._follows and self.scroll_offset.y >= self.max_scroll_y
        left, self._gone = self.gone - self._gone, self.gone
        width = min(LONGEST, max(self._widest, len(self._partial)))
        self.virtual_size = Size(width, len(self._ring) + bool(self._partial))
        if follows:
            self.call_after_refresh(self.scroll_end, animate=False, immediate=True, x_axis=False)
        elif left:
            self.scroll_to(y=max(0, self.scroll_offset.y - left), animate=False, immediate=True)
        self.refresh()

    def text(self) -> str:
        """Return the lines kept, as they are shown."""
        lines = [*self._ring, self._partial] if self._partial else self._ring
        return "\n".join(map(plain, lines))

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        left, top = self.scroll_offset
        number, width = int(top) + y, self.size.width
        base = self.rich_style
        if number < len(self._ring):
            text = plain(self._ring[number])
        else:
            text = plain(self._partial) if number == len(self._ring) else ""
        return Strip([Segment(text, base)]).crop_extend(int(left), int(left) + width, base)


def plain(line: bytes) -> str:
    """Return a line as a terminal would leave it: escapes gone, the last carriage return's text kept."""
    text = line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace")
    return safe(_ESCAPES.sub("", text).expandtabs(), LONGEST)
