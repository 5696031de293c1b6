"""Makes the guard that a configuration describes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cockpit.actions.command import Command
from cockpit.guard.approval import Grant
from cockpit.guard.guard import Guard
from cockpit.guard.policy import Reasons
from cockpit.targets import Targets

if TYPE_CHECKING:
    from cockpit.config import Settings


def guard_of(
    settings: Settings,
    *,
    targets: Targets | None = None,
    elevated: Callable[[], bool] = lambda: False,
    granted: Callable[[Command], Grant | None] = lambda _: None,
) -> Guard:
    """Return the guard of a configuration.

    Args:
        settings: Names the targets, the user's rules, and what counts as an open reason.
        targets: The targets as inventories know them; without, what cockpit.toml says of them.
        elevated: Tells whether production may be changed just now.
        granted: Finds the second person's approval that covers a command, already checked.
    """
    own = settings.guard
    return Guard(
        targets or Targets(settings.targets),
        own=own.rules,
        reasons=reasons_of(settings),
        elevated=elevated,
        granted=granted,
    )


def reasons_of(settings: Settings) -> Reasons:
    """Return what a configuration takes for an open reason."""
    return Reasons(ticket=settings.guard.ticket_pattern, incident=settings.guard.incident_pattern)
