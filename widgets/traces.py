"""The traces pane: the slowest and failing first."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual.app import ComposeResult

from cockpit.signals import Span, service_of
from widgets.pane import Pane
from widgets.rows import Piece, RowList, columns
from widgets.text import duration, safe


class TracesPane(Pane):
    """The last traces by their root spans."""

    NAME: ClassVar[str] = "traces"
    SIGNAL: ClassVar[str] = "Span"

    def body(self) -> ComposeResult:
        """Yield the list."""
        yield RowList[Span](self.draw, key=lambda span: span.trace_id, empty="no traces yet")

    def stamp(self) -> Hashable:
        """Follow the store."""
        return self.stores.traces.version

    def redraw(self) -> None:
        """Show the slowest first."""
        traces = self.stores.traces
        roots = [traces.trace(trace_id)[0] for trace_id in traces.trace_ids()[-500:]]
        self.query_one(RowList).show_items(sorted(roots, key=lambda span: -span.duration))

    def draw(self, span: Span, width: int) -> Sequence[Piece]:
        """Lay out one trace."""
        return columns(
            width,
            (duration(span.duration), "", -9),
            (safe(service_of(span.resource)), "accent", 14),
            (safe(span.name), "", 0),
        )
