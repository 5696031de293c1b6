"""How a pane asks the sources: the supervisor's two methods, and nothing else of it."""

from __future__ import annotations

from typing import Any, Protocol


class Asks(Protocol):
    """Puts questions to sources by their names."""

    def offering(self, method: str) -> list[str]:
        """Return the names of the sources that offer an optional method of `cockpit.source.Source`."""
        ...

    async def ask(self, name: str, method: str, *args: Any, timeout: float = 30.0, **named: Any) -> Any:
        """Return a source's answer; raises CockpitError."""
        ...
