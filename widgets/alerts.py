"""The alerts pane: what fires, the most severe first."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual.app import ComposeResult

from cockpit.signals import Alert, service_of
from widgets.pane import Pane
from widgets.rows import Piece, RowList, columns
from widgets.text import age, safe, severity_mark, severity_style


class AlertsPane(Pane):
    """Alerts with severity, age, service and state."""

    NAME: ClassVar[str] = "alerts"
    SIGNAL: ClassVar[str] = "Alert"

    def body(self) -> ComposeResult:
        """Yield the list."""
        yield RowList[Alert](self.draw, key=lambda alert: alert.fingerprint, empty="no alerts")

    def stamp(self) -> Hashable:
        """Follow the store."""
        return self.stores.alerts.version

    def redraw(self) -> None:
        """Show the alerts that the scope admits."""
        self.query_one(RowList).show_items(
            [alert for alert in self.stores.alerts.alerts() if self.scope.admits(alert.resource)]
        )

    def draw(self, alert: Alert, width: int) -> Sequence[Piece]:
        """Lay out one alert."""
        return columns(
            width,
            (severity_mark(alert.severity), severity_style(alert.severity), 1),
            (safe(alert.severity), severity_style(alert.severity), 8),
            (safe(alert.name), "strong", max(12, width // 3)),
            (str(alert.state), "", 9),
            (safe(service_of(alert.resource)), "accent", 0),
            (age(self.now - alert.starts_at), "muted", -3),
        )
