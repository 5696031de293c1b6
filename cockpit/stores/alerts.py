"""The alerts that stand now, folded by fingerprint."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.signals import Alert, severity_rank
from cockpit.stores.base import Store


class AlertStore(Store):
    """Alerts by fingerprint, with the sources that report each."""

    def __init__(self, *, capacity: int = 50_000) -> None:
        super().__init__()
        self.capacity = capacity
        self._by_source: dict[str, dict[str, Alert]] = {}

    def append(self, batch: Sequence[Alert]) -> None:
        """Take alerts in; each replaces the one of its source and fingerprint."""
        for alert in batch:
            self._by_source.setdefault(alert.source, {})[alert.fingerprint] = alert
        self.touched()

    def replace(self, source: str, batch: Sequence[Alert]) -> None:
        """Take all alerts that a source knows now; its others are gone."""
        self._by_source[source] = {alert.fingerprint: alert for alert in batch}
        self.touched()

    def alerts(self) -> list[Alert]:
        """Return every alert once, the most severe first."""
        merged: dict[str, Alert] = {}
        for alerts in self._by_source.values():
            merged.update(alerts)
        return sorted(merged.values(), key=lambda alert: (-severity_rank(alert.severity), alert.starts_at))
