"""The logs pane: every source's records on one time line."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual.app import ComposeResult

from cockpit.signals import LogRecord, level_name, service_of
from widgets.pane import Pane
from widgets.rows import Piece, RowList, columns
from widgets.text import clock, safe


class LogsPane(Pane):
    """The last log records."""

    NAME: ClassVar[str] = "logs"
    SIGNAL: ClassVar[str] = "LogRecord"

    def body(self) -> ComposeResult:
        """Yield the list."""
        yield RowList[LogRecord](self.draw, key=id, empty="no log records yet")

    def stamp(self) -> Hashable:
        """Follow the store."""
        return self.stores.logs.version

    def redraw(self) -> None:
        """Show the newest records first."""
        self.query_one(RowList).show_items(self.stores.logs.last(200)[::-1])

    def draw(self, record: LogRecord, width: int) -> Sequence[Piece]:
        """Lay out one record."""
        return columns(
            width,
            (clock(record.at), "muted", 8),
            (level_name(record.level), "", 5),
            (safe(service_of(record.resource)), "accent", 12),
            (safe(record.body, width), "", 0),
        )
