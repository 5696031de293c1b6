"""A trace as a waterfall: a row a span, its bar on the trace's time line. Only the rows in sight are drawn."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from cockpit.keymap import Action
from cockpit.signals import SpanStatus, service_of
from cockpit.stores.traces import TraceTree
from widgets.bars import Ink, bar
from widgets.keys import bindings
from widgets.rows import Piece, RowList
from widgets.text import duration, fit, safe
from widgets.waterfall_view import Outline, Window

ACTIONS = (
    Action("traces.turn", ("space",), "fold", "Fold the span's children away, or unfold them.", footer=True),
    Action("traces.fold", ("left", "h"), "fold", "Fold the span's children away, or go to its parent."),
    Action("traces.unfold", ("right", "l"), "unfold", "Unfold the span's children, or go to the first."),
    Action("traces.fold_all", ("f",), "fold all", "Fold all but the top spans and their children."),
    Action("traces.unfold_all", ("u",), "unfold all", "Unfold all spans."),
    Action("traces.zoom(2.0)", ("plus", "equals_sign"), "zoom in", "Show half the time.", footer=True),
    Action("traces.zoom(0.5)", ("minus",), "zoom out", "Show twice the time."),
    Action("traces.zoom_span", ("w",), "span's time", "Show just the span's own time, or the whole trace again."),
    Action("traces.pan(-1)", ("comma", "shift+left"), "pan back", "Move the time in sight back."),
    Action("traces.pan(1)", ("full_stop", "shift+right"), "pan on", "Move the time in sight on."),
    Action("traces.error(1)", ("e",), "next error", "Go to the next span that failed, folded or not.", footer=True),
    Action("traces.error(-1)", ("E",), "previous error", "Go to the span before this one that failed."),
    Action("traces.match(1)", ("n",), "next match", "Go to the next span that the filter marks."),
    Action("traces.match(-1)", ("N",), "previous match", "Go to the span before this one that the filter marks."),
    Action("traces.critical(1)", ("c",), "critical path", "Go to the next span on the critical path."),
    Action("traces.critical(-1)", ("C",), "critical path back", "Go to the span before it on the critical path."),
)  # fmt: skip

COLOURS = 8
GRID = (1, 2, 3)
"""Quarters of the window at which a faint line helps the eye."""

_CSS = """
Waterfall {
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


class Waterfall(RowList[int]):
    """The rows of one trace; `trace_tree`, `outline` and `window` say what is shown."""

    DEFAULT_CSS = _CSS
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "waterfall--grid",
        *(f"waterfall--{number}" for number in range(COLOURS)),
    }
    BINDINGS = bindings(ACTIONS)

    class Moved(Message):
        """The window, the folds or the cursor changed."""

    def __init__(self) -> None:
        super().__init__(self._pieces, key=self._identity, header=self._axis, empty="no spans")
        self.trace_tree = TraceTree()
        self.outline = Outline(self.trace_tree)
        self.window = Window(0, 1)
        self.moment: int | None = None
        """The time cursor, where it is set."""
        self.words: Sequence[str] = ()
        self.matches: list[int] = []
        """Rows that the filter marks, ascending."""
        self._inks: dict[tuple[int, Ink], Style] = {}

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

    def _identity(self, row: int) -> str:
        return self.trace_tree.spans[row].span_id

    def notify_style_update(self) -> None:
        """Forget colours when the theme changes."""
        super().notify_style_update()
        self._inks.clear()

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

    # Drawing.

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
        for tick in range(ticks):
            at = self.window.start - self.trace_tree.first + self.window.span * tick // ticks
            text = f"{'' if tick == 0 else '┊'}{duration(at) if at else '0'}"
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
