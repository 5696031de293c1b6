"""The health pane: a row a host, service or check, the worst first."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from cockpit.signals import HealthState, host_of, service_of
from cockpit.stores.health import HealthRow
from widgets.messages import ScopeNarrowed
from widgets.pane import Pane
from widgets.rows import Piece, RowList, columns
from widgets.text import HEALTH_MARK, age, quantity, safe, sparkline


class HealthPane(Pane):
    """Every subject's state, reason, recent values and the freshest one."""

    NAME: ClassVar[str] = "health"
    SIGNAL: ClassVar[str] = "HealthSample"

    def body(self) -> ComposeResult:
        """Yield the list."""
        yield RowList[HealthRow](
            self.draw, key=lambda row: (row.latest.source, row.latest.subject), empty="no health samples yet"
        )

    def stamp(self) -> Hashable:
        """Follow the store."""
        return self.stores.health.version

    def redraw(self) -> None:
        """Show the subjects that scope and filter admit."""
        self.query_one(RowList).show_items(self.rows())

    def passed(self) -> None:
        """Let the ages grow."""
        self.query_one(RowList).refresh()

    def rows(self) -> Sequence[HealthRow]:
        """Return the rows to show."""
        wanted = self.filter_text.lower()
        return [
            row
            for row in self.stores.health.rows()
            if self.scope.admits(row.latest.resource)
            and (
                not wanted
                or wanted in f"{row.latest.subject} {row.latest.reason} {row.latest.source}".lower()
            )
        ]

    def summary(self) -> str:
        """Count the subjects by state."""
        rows = self.query_one(RowList).items
        counts = dict.fromkeys(HealthState, 0)
        for row in rows:
            counts[row.latest.state] += 1
        worst = [
            f"{counts[s]} {s}"
            for s in (HealthState.DOWN, HealthState.DEGRADED, HealthState.UNKNOWN)
            if counts[s]
        ]
        return ", ".join([*worst, f"{counts[HealthState.OK]} ok"])

    def draw(self, row: HealthRow, width: int) -> Sequence[Piece]:
        """Lay out one subject."""
        sample = row.latest
        state = str(sample.state)
        spark = 12 if width >= 70 else 6 if width >= 48 else 0
        subject = max(12, width * 30 // 100)
        cells: list[tuple[str, str, int]] = [
            (HEALTH_MARK[sample.state], state, 1),
            (safe(sample.subject), "strong" if sample.state is not HealthState.OK else "", subject),
            (quantity(sample.value, sample.unit), state, -9),
        ]
        if spark:
            values = [value for _, value, _ in list(row.points)[-spark:]]
            cells.append((sparkline(values, spark), "accent", spark))
        cells.append((safe(sample.reason) or state, "" if sample.state is not HealthState.OK else "muted", 0))
        cells.append((age(self.now - sample.at), "muted", -3))
        return columns(width, *cells)

    @on(RowList.Highlighted)
    def narrow(self, event: RowList.Highlighted) -> None:
        """Move the shared scope to the row's service or host."""
        event.stop()
        sample = event.item.latest
        service, host = service_of(sample.resource), host_of(sample.resource)
        if event.__class__ is RowList.Chosen and (service or host):
            self.post_message(
                ScopeNarrowed(service or host, {"service": service, "host": host if not service else ""})
            )
