"""The targets that a verb knows: what cockpit.toml says, and inventories where they are needed to tell."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cockpit.targets import LOCAL, Targets

if TYPE_CHECKING:
    from pathlib import Path

    from cockpit.config import Settings
    from cockpit.inventory.inventories import Inventories


async def targets_for(settings: Settings, *names: str, data: Path | None = None) -> Targets:
    """Return the targets by which names can be told; what fails on the way is said on stderr.

    Of this machine inventories have nothing to say, so none is asked for it.

    Args:
        settings: Name the rules and the inventories.
        names: What targets were called on the command line.
        data: The data directory, in which the answers of commands are kept; None keeps none.
    """
    from cockpit.inventory.inventories import known_targets, targets_of

    if set(names) <= {LOCAL}:
        return targets_of(settings)
    targets, inventories = await known_targets(settings, data)
    complain(inventories)
    return targets


def complain(inventories: Inventories) -> None:
    """Say on stderr which inventories failed, and why."""
    from cockpit.hygiene import clean_line

    for status in inventories.statuses():
        if status.error:
            hint = f" ({status.remedy})" if status.remedy else ""
            print(f"warning: inventory {status.name}: {clean_line(status.error + hint)}", file=sys.stderr)
