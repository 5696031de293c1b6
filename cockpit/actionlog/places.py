"""Places in the recording of an interactive shell, on their way into the log."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from msgspec import Struct


class Place(Struct, frozen=True):
    """A place in the recording of a shell: when, and after how many bytes of it, which the cleaner's thread tells."""

    at_ns: int
    at_byte: Future[int]

    def columns(self) -> dict[str, Any]:
        """Return it as columns of `recordings`; waits for the cleaner, so it belongs to the writer's thread."""
        return {"at_ns": self.at_ns, "at_byte": self.at_byte.result()}


def place_columns(
    *, command: str = "", term: str = "", size: tuple[int, int] | None = None
) -> dict[str, Any]:
    """Return what happened there as columns: a command that was typed, or the terminal and its size."""
    columns, rows = size or (None, None)
    return {
        "title": "",
        "command": command or None,
        "term": term or None,
        "columns": columns,
        "rows": rows,
    }
