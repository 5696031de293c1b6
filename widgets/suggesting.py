"""How a `:` command may go on: the names of commands, and of targets where one is wanted."""

from __future__ import annotations

from collections.abc import Sequence

from textual.suggester import Suggester

from cockpit.targets import Targets

ON_TARGETS = ("target", "ssh")
"""Commands whose argument is a target."""


class LineSuggester(Suggester):
    """Suggests the first name that begins with what was typed.

    Args:
        targets: What can be named.
    """

    def __init__(self, targets: Targets) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._targets = targets

    async def get_suggestion(self, value: str) -> str | None:
        """Return the whole line as it may become, or None."""
        return suggestion(value, self._targets)


def suggestion(line: str, targets: Targets) -> str | None:
    """Return how a line may go on, or None where nothing begins so."""
    from cockpit.colon import commands

    command, space, argument = line.partition(" ")
    if not space:
        return _first(command, commands()) if command else None
    if command not in ON_TARGETS or not argument:
        return None
    before, comma, last = argument.rpartition(",")
    mark = "!" if last.startswith("!") else ""
    found = _first(last.removeprefix("!"), targets.names()) if last.removeprefix("!") else None
    return f"{command} {before}{comma}{mark}{found}" if found else None


def _first(begun: str, names: Sequence[str]) -> str | None:
    return next((name for name in names if name.startswith(begun)), None)
