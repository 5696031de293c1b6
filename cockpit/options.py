"""What an option may be besides a plain value; apart from `cockpit.source`, with which asyncio comes (30 ms)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

FilePath = Annotated[str, Meta(extra={"path": True})]
"""An option that names a file: the configuration expands `~` and reads it relative to cockpit.toml's folder."""


class Secret(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a secret is kept: exactly one of the three. Never in the clear, so it can't be shown by mistake.

    A plain string in cockpit.toml is accepted for a `Secret` too; the configuration warns about it.
    """

    env: str = ""
    """The name of an environment variable."""
    file: str = ""
    """A file whose first line is the secret."""
    command: tuple[str, ...] = ()
    """An argv whose first line of output is the secret."""
    clear: str = ""
    """Set by the configuration for a plain string."""

    def __repr__(self) -> str:
        return "Secret(…)"

    def __bool__(self) -> bool:
        return bool(self.env or self.file or self.command or self.clear)
