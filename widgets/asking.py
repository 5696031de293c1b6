"""How a pane asks the sources: the supervisor's three methods, and nothing else of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Asks(Protocol):
    """Puts questions to sources by their names."""

    def offering(self, method: str) -> list[str]:
        """Return the names of the sources that offer an optional method of `cockpit.source.Source`."""
        ...

    def log_languages(self) -> Mapping[str, str]:
        """Return what the languages after `raw:` are called, by the names of the sources that take them."""
        ...

    async def ask(self, name: str, method: str, *args: Any, timeout: float = 30.0, **named: Any) -> Any:
        """Return a source's answer; raises CockpitError."""
        ...
