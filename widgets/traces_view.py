"""One trace opened: what it is, an overview of its time, the waterfall, and the span under the cursor in a line."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from cockpit.signals import SECOND, SpanStatus, service_of
from cockpit.stores.traces import Trace, TraceTree, build, build_steps
from widgets.slices import in_slices
from widgets.text import duration, safe, sparkline
from widgets.traces_list import counted, trace_mark
from widgets.waterfall import Waterfall
from widgets.waterfall_rows import searched

AT_ONCE = 1_000
"""Spans up to which a tree is built in one go: about 4 ms."""
PAUSE = 500
"""Rows searched between two turns of the loop."""


class TraceView(Vertical):
    """The waterfall of one trace with the lines around it; it follows the trace while spans still come in."""

    DEFAULT_CSS = """
    TraceView {
        height: 1fr;
        & > Static { height: 1; width: 1fr; background: $boost; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
        & > .view--heading { color: $text; text-style: bold; }
    }
    """  # noqa: E501

    def __init__(self) -> None:
        super().__init__()
        # Held here, since it is told what to show before it stands on the screen.
        self.waterfall = Waterfall()
        self._heading_line = Static(classes="view--heading", markup=False)
        self._overview_line = Static(classes="view--overview", markup=False)
        self._span_line = Static(classes="view--span", markup=False)
        self.trace_id = ""
        self.note = ""
        """What to say while there is nothing to show."""
        self._built: tuple[str, int] = ("", -1)
        self._building = False
        self._not_before = 0
        self._searched: tuple[tuple[str, int], Sequence[str]] = (("", -1), ())

    def compose(self) -> ComposeResult:
        """Lay the lines around the waterfall."""
        yield self._heading_line
        yield self._overview_line
        yield self.waterfall
        yield self._span_line

    @property
    def busy(self) -> bool:
        """True while a big trace is being laid out."""
        return self._building

    def open(self, trace_id: str) -> None:
        """Begin with another trace."""
        self.trace_id = trace_id
        self._built = ("", -1)
        self._not_before = 0
        self._searched = (("", -1), ())
        self.workers.cancel_group(self, "tree")
        self._building = False
        self.waterfall.show_tree(TraceTree(), fresh=True)

    def show(self, trace: Trace | None, *, now: int, moment: int | None, words: Sequence[str]) -> None:
        """Show the trace as it is now, laying it out anew where it grew, big ones less often."""
        waterfall = self.waterfall
        if waterfall.moment != moment:
            waterfall.moment = moment
            waterfall.refresh()
        held = trace is not None and trace.held
        empty = "laying out…" if self._building or held else self.note or "no spans"
        if waterfall.empty != empty:
            waterfall.empty = empty
            waterfall.refresh()
        if trace is not None and trace.held:
            stamp = (trace.trace_id, trace.version)
            if stamp != self._built and not self._building and now >= self._not_before:
                self._lay_out(trace, stamp, now)
        self._search(words)
        self._describe(trace, moment)

    # Laying out.

    def _lay_out(self, trace: Trace, stamp: tuple[str, int], now: int) -> None:
        spans = list(trace.spans.values())
        if len(spans) <= AT_ONCE:
            self._not_before = now + SECOND // 2
            self._take(build(spans), stamp)
            return
        self._building = True
        self.run_worker(
            self._build(trace, stamp, now), group="tree", exclusive=True, exit_on_error=False, name="lay out"
        )

    async def _build(self, trace: Trace, stamp: tuple[str, int], now: int) -> None:
        began = time.perf_counter()
        try:
            tree = await in_slices(build_steps(list(trace.spans.values())))
        finally:
            self._building = False
        spent = int((time.perf_counter() - began) * SECOND)
        self._not_before = now + max(SECOND, 10 * spent)
        if self.trace_id == stamp[0]:
            self._take(tree, stamp)

    def _take(self, tree: TraceTree, stamp: tuple[str, int]) -> None:
        fresh = self._built[0] != stamp[0]
        self._built = stamp
        self.waterfall.show_tree(tree, fresh=fresh)

    # Searching.

    def _search(self, words: Sequence[str]) -> None:
        wanted = (self._built, tuple(words))
        if wanted == self._searched:
            return
        self._searched = wanted
        waterfall = self.waterfall
        waterfall.words, waterfall.matches = wanted[1], []
        waterfall.refresh()
        self.workers.cancel_group(self, "search")
        if words and len(waterfall.trace_tree):
            self.run_worker(
                in_slices(self._matching(waterfall.trace_tree, wanted[1], waterfall.matches)),
                group="search",
                exclusive=True,
                exit_on_error=False,
                name="search",
            )

    def _matching(
        self, tree: TraceTree, words: Sequence[str], matches: list[int]
    ) -> Generator[None, None, None]:
        for row in range(len(tree)):
            text = searched(tree, row)
            if all(word in text for word in words):
                matches.append(row)
            if row % PAUSE == 0:
                yield
        self._moved()

    # The lines around.

    @on(Waterfall.Moved)
    def _moved(self) -> None:
        """Say what is under the cursor, and which part of the time is in sight."""
        self._span_line.update(self._span(), layout=False)
        self._overview_line.update(self._overview(), layout=False)

    def _describe(self, trace: Trace | None, moment: int | None) -> None:
        self._heading_line.update(self._heading(trace, moment), layout=False)
        self._moved()

    def _heading(self, trace: Trace | None, moment: int | None) -> Content:
        if trace is None:
            return Content(safe(f" trace {self.trace_id}: {self.note or 'not here'}", 300))
        mark, style = trace_mark(trace, moment)
        parts = [duration(trace.duration), counted(trace.span_count, "span")]
        if len(trace.services) > 1:
            parts.append(counted(len(trace.services), "service"))
        if trace.error_count:
            parts.append(counted(trace.error_count, "error"))
        if trace.refused:
            parts.append(f"{trace.refused:,} spans past the bound left out")
        elif trace.incomplete:
            parts.append(
                "incomplete" if not trace.rooted else f"{len(trace.spans):,} of {trace.expected:,} here"
            )
        if self.note:
            parts.append(self.note)
        name = safe(f"{trace.service} {trace.name}".strip(), 120)
        colour = {"error": "$text-error", "warning": "$text-warning", "ok": "$text-success"}.get(style, "")
        return Content.assemble(
            " ",
            (mark, colour or "$text-muted"),
            f" {name}",
            (safe(f"  {' · '.join(parts)}  {trace.trace_id}", 400), "$text-muted not bold"),
        )

    def _overview(self) -> Content:
        """Return how many spans run at each moment, with the part in sight between brackets."""
        waterfall = self.waterfall
        tree, window = waterfall.trace_tree, waterfall.window
        names, bars, _ = waterfall.divide(waterfall.scrollable_content_region.width)
        if not len(tree) or bars < 4:
            return Content("")
        label = " all of it"
        if not window.whole:
            label = f" {duration(window.span)} from {duration(window.start - tree.first)} on"
        counts = tree.overview
        line = sparkline(
            [max(counts[_range(cell, bars, len(counts))], default=0) for cell in range(bars)], bars, low=0
        )
        scale = max(1, tree.last - tree.first)
        left = min(bars - 1, (window.start - tree.first) * bars // scale)
        right = min(bars, max(left + 1, -(-(window.end - tree.first) * bars // scale)))
        head = f"{label[:names]:<{names}}"
        if window.whole:
            return Content.assemble(head, " ", (line, "$text-accent"))
        return Content.assemble(
            head, " ", line[:left], (line[left:right], "$text-accent reverse"), line[right:]
        )

    def _span(self) -> Content:
        waterfall = self.waterfall
        tree, row = waterfall.trace_tree, waterfall.current
        if row is None:
            return Content("")
        span = tree.spans[row]
        spent = tree.end[row] - tree.start[row]
        parts = [
            f"{duration(spent)} = {spent / max(1, tree.duration):.1%}",
            f"own {duration(tree.own[row])}",
        ]
        if critical := tree.critical_time(row):
            parts.append(f"━ critical {duration(critical)}")
        if waterfall.words:
            parts.append(f"{len(waterfall.matches):,} match")
        if span.status is SpanStatus.ERROR:
            parts.append(f"✖ {span.status_message or 'failed'}")
        parts.append(f"{service_of(span.resource)} {span.name}")
        return Content(safe(" " + " · ".join(parts), 400))


def _range(cell: int, cells: int, buckets: int) -> slice:
    low = cell * buckets // cells
    return slice(low, max(low + 1, (cell + 1) * buckets // cells))
