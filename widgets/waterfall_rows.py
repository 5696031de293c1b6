"""How a trace's rows are drawn: guides and names, the bar on the time line, and the figures behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from cockpit.signals import SpanStatus, service_of
from cockpit.stores.traces import TraceTree
from widgets.bars import Ink, bar
from widgets.rows import Piece, RowList
from widgets.text import duration, fit, safe
from widgets.waterfall_view import Outline, Window

COLOURS = 8
GRID = (1, 2, 3)
"""Quarters of the window at which a faint line helps the eye."""

_CSS = """
WaterfallRows {
    & .waterfall--0 { color: #5f9fd7; }
    & .waterfall--1 { color: #af87d7; }
    & .waterfall--2 { color: #4fa8a0; }
    & .waterfall--3 { color: #d7875f; }
    & .waterfall--4 { color: #7fa64f; }
    & .waterfall--5 { color: #d075a8; }
    & .waterfall--6 { color: #b08a4a; }
    & .waterfall--7 { color: #7f8fd7; }
    & .waterfall--grid { color: $text-disabled; }
}
"""


class WaterfallRows(RowList[int]):
    """The rows of one trace; `trace_tree`, `outline` and `window` say what is shown."""

    DEFAULT_CSS = _CSS

    def __init__(self) -> None:
        super().__init__(self._pieces, key=self._identity, header=self._axis, empty="no spans")
        self.trace_tree = TraceTree()
        self.outline = Outline(self.trace_tree)
        self.window = Window(0, 1)
        self.moment: int | None = None
        """The time cursor, where it is set."""
        self.words: Sequence[str] = ()
        """What the filter marks rows by."""
        self._inks: dict[tuple[int, Ink], Style] = {}

    def notify_style_update(self) -> None:
        """Forget colours when the theme changes."""
        super().notify_style_update()
        self._inks.clear()

    def _identity(self, row: int) -> str:
        return self.trace_tree.spans[row].span_id

    def divide(self, width: int) -> tuple[int, int, int]:
        """Return the cells of names, of bars, and of the figures behind them."""
        figures = 17 if width >= 100 else 9
        names = min(60, max(16, width * 2 // 5))
        return names, max(0, width - names - figures - 1), figures

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        index = int(self.scroll_offset.y) + y - 1
        if y == 0 or not 0 <= index < len(self._items):
            return super().render_line(y)
        width = self.scrollable_content_region.width
        names, bars, figures = self.divide(width)
        row = self._items[index]
        base = self.style("")
        chosen = index == self.cursor
        over = self.style("cursor" if self.has_focus else "cursor-blur") if chosen else None
        segments = list(self.strip(self._name_pieces(row, names), names, _over(chosen, self.has_focus)))
        segments.append(Segment(" ", base))
        segments += self._bar_segments(row, bars, base)
        segments.append(Segment(fit(self._figures(row, figures), figures, right=True), over or base))
        return Strip(segments).adjust_cell_length(width, base)

    def _pieces(self, row: int, width: int) -> Sequence[Piece]:
        return self._name_pieces(row, width)

    def _name_pieces(self, row: int, width: int) -> list[Piece]:
        """Lay out guides, mark, service and name."""
        tree = self.trace_tree
        span = tree.spans[row]
        pieces: list[Piece] = [(self._guides(row, max(6, width * 2 // 5)), "muted")]
        failed = span.status is SpanStatus.ERROR
        hidden = row in self.outline.folded
        if failed:
            pieces.append(("✖ ", "error"))
        elif hidden and tree.failing[row]:
            pieces.append(("✗ ", "error"))
        service = service_of(span.resource)
        parent = tree.parent[row]
        if service and (parent < 0 or service_of(tree.spans[parent].resource) != service):
            pieces.append((safe(service, 60) + " ", f"service-{self._colour(service)}"))
        style = "error" if failed else ""
        if self.words and self.marks(row):
            style = "match"
        pieces.append((safe(span.name, 200), style))
        for note in self._notes(row, hidden=hidden):
            pieces.append((" " + note, "muted"))
        return cut_to(pieces, width)

    def _notes(self, row: int, *, hidden: bool) -> list[str]:
        tree = self.trace_tree
        notes = []
        if hidden:
            notes.append(f"+{tree.size[row] - 1:,}")
        if row in tree.moved:
            notes.append("~clock")
        if row in tree.orphans:
            notes.append("?parent")
        if row in tree.looped:
            notes.append("↺loop")
        if tree.spans[row].links:
            notes.append("⇢link")
        return notes

    def _guides(self, row: int, width: int) -> str:
        """Return the lines that show whose child a row is, the far ancestors as a number where there's no room."""
        tree = self.trace_tree
        parts = []
        if tree.size[row] > 1:
            tip = "▸" if row in self.outline.folded else "▾"
        else:
            tip = "─" if tree.depth[row] else " "
        at = row
        levels = tree.depth[row]
        shown = min(levels, max(1, width // 2 - 1))
        for level in range(shown):
            last = tree.is_last_child(at)
            parts.append(("└" if last else "├") if level == 0 else ("  " if last else "│ "))
            at = tree.parent[at]
        prefix = f"{levels - shown}‥" if levels > shown else ""
        return prefix + "".join(reversed(parts)) + tip + " "

    def marks(self, row: int) -> bool:
        """Tell whether the filter marks a row."""
        text = searched(self.trace_tree, row)
        return all(word in text for word in self.words)

    def _figures(self, row: int, width: int) -> str:
        spent = self.trace_tree.end[row] - self.trace_tree.start[row]
        text = duration(spent)
        if width < 12:
            return text
        return f"{text:>9} {spent / max(1, self.trace_tree.duration):>6.1%}"

    def _bar_segments(self, row: int, width: int, base: Style) -> list[Segment]:
        tree, window = self.trace_tree, self.window
        service = service_of(tree.spans[row].resource)
        colour = self._colour(service)
        first, cells = bar(
            tree.start[row],
            tree.end[row],
            (window.start, window.end),
            width,
            tree.path.get(row, ()),
        )
        blank = self._ground(width)
        if not cells and width:
            before = tree.end[row] < window.start
            blank = f"‹{blank[1:]}" if before else f"{blank[:-1]}›"
        grid = self.get_component_rich_style("waterfall--grid")
        segments = [Segment(blank[:first], grid)]
        run, ink = "", Ink.NONE
        for text, kind in cells:
            if kind is not ink and run:
                segments.append(Segment(run, self._ink(colour, ink)))
                run = ""
            run, ink = run + text, kind
        if run:
            segments.append(Segment(run, self._ink(colour, ink)))
        segments.append(Segment(blank[first + len(cells) :], grid))
        return segments

    def _colour(self, service: str) -> int:
        """Return the colour of a service: in the order in which the trace came to them, so that few share one."""
        return self.trace_tree.services.get(service, 0) % COLOURS

    def style(self, name: str) -> Style:
        """Return a named style; a service's is its bars' colour."""
        if name.startswith("service-") and name not in self._style_cache:
            colour = self.get_component_rich_style(f"waterfall--{name[8:]}")
            self._style_cache[name] = colour + Style(bold=True)
        return super().style(name)

    def _ground(self, width: int) -> str:
        """Return what lies behind the bars: faint lines at the quarters, and the time cursor."""
        cells = [" "] * width
        for quarter in GRID:
            if (at := width * quarter // 4) < width:
                cells[at] = "┊"
        if self.moment is not None and self.window.start <= self.moment <= self.window.end and width:
            at = (self.moment - self.window.start) * width // self.window.span
            cells[min(width - 1, at)] = "║"
        return "".join(cells)

    def _ink(self, colour: int, ink: Ink) -> Style:
        """Return the style of a bar's cells."""
        found = self._inks.get((colour, ink))
        if found is None:
            base = self.get_component_rich_style(f"waterfall--{colour}")
            ground = self.rich_style.bgcolor
            found = base
            if ink is not Ink.BAR:
                found = Style(color=ground, bgcolor=base.color)
            self._inks[colour, ink] = found
        return found

    def _axis(self, width: int) -> list[Piece]:
        """Lay out the time line's scale over the bars."""
        names, bars, figures = self.divide(width)
        scale = [" "] * bars
        ticks = 4 if bars >= 40 else 2 if bars >= 20 else 1
        offset = self.window.start - self.trace_tree.first
        for tick in range(ticks):
            passed = self.window.span * tick // ticks
            text = duration(offset + passed) if offset + passed else "0"
            if tick:
                text = f"┊+{duration(passed)}" if offset else f"┊{text}"
            place = bars * tick // ticks
            scale[place : place + len(text)] = text[: max(0, bars - place)]
        total = fit("of trace" if figures > 12 else "", figures, right=True)
        return [(fit(" span", names), ""), (" ", ""), ("".join(scale), ""), (total, "")]


def cut_to(pieces: Sequence[Piece], width: int) -> list[Piece]:
    """Return pieces that together take at most `width` cells."""
    fitted: list[Piece] = []
    for text, name in pieces:
        length = len(text) if text.isascii() else cell_len(text)
        if length > width:
            fitted.append((fit(text, width), name))
            break
        fitted.append((text, name))
        width -= length
    return fitted


def searched(tree: TraceTree, row: int) -> str:
    """Return the lower-case text that a filter looks at: names, status and attributes."""
    span = tree.spans[row]
    parts: list[Any] = [service_of(span.resource), span.name, span.kind, span.status_message]
    if span.status is SpanStatus.ERROR:
        parts.append("error")
    parts += [f"{name}={value}" for name, value in span.attributes.items()]
    return " ".join(parts).lower()


def _over(chosen: bool, focused: bool) -> str:
    if not chosen:
        return ""
    return "cursor" if focused else "cursor-blur"
