"""What `cockpit doctor` says of inventories: each is asked for real."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from cockpit.hygiene import clean_text
from cockpit.inventory.inventories import Inventories, InventoryState, InventoryStatus
from cockpit.targets import Targets

if TYPE_CHECKING:
    from cockpit.checkup import Finding
    from cockpit.config import Settings


async def findings(
    settings: Settings, targets: Targets, only: Collection[str] | None = None
) -> list[Finding]:
    """Ask all inventories at once, have targets learn from them, and return a finding each, or of those named."""
    inventories = Inventories(settings.inventories, targets)
    await inventories.load()
    return [_finding(status) for status in inventories.statuses() if only is None or status.name in only]


def _finding(status: InventoryStatus) -> Finding:
    from cockpit.checkup import Finding

    disabled = status.state is InventoryState.DISABLED
    detail = "enabled = false" if disabled else "; ".join((f"{status.hosts:,} hosts", *status.remarks))
    return Finding(
        name=status.name,
        kind="inventory",
        state="disabled" if disabled else "failed" if status.error else "ok",
        latency_ms=round(status.took_s * 1000, 1),
        error=clean_text(status.error),
        hint=clean_text(status.remedy),
        detail="" if status.error else clean_text(detail),
    )
