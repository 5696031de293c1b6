"""Opens the action log as a configuration says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cockpit import secrets
from cockpit.actionlog.log import FILE, ActionLog

if TYPE_CHECKING:
    from cockpit.config import Settings


def opened(data_dir: Path, settings: Settings) -> ActionLog:
    """Open the log of a data directory; the secrets that the configuration names are cut out of it.

    Raises:
        ActionLogError: It can't be read or written.
    """
    for entry in settings.sources:
        secrets.remember_configured(entry.options, entry.document.resolve if entry.document else str)
    key = settings.log.signing_key
    return ActionLog.open(data_dir / FILE, signing_key=Path(key) if key else None)
