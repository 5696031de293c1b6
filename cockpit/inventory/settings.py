"""What can be said of an inventory in cockpit.toml: one `[[inventories]]` table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from cockpit.naming import name_fault
from cockpit.options import FilePath
from cockpit.targets import Environment

Kind = Literal["ansible", "command", "ssh_config"]


class InventoryTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[inventories]]` table of cockpit.toml."""

    kind: Kind
    """What knows the hosts."""
    name: str = ""
    """What it is called, once per file; its kind when not given."""
    enabled: bool = True
    """Whether it is asked."""
    path: FilePath = ""
    """For `ansible` the inventory's file or folder; for `ssh_config` a file in place of your own."""
    command: tuple[str, ...] = ()
    """For `command` the program and its arguments; no shell sees them."""
    refresh: Annotated[float, Meta(ge=1, le=86_400)] = 300.0
    """Seconds after which it is looked at again."""
    timeout: Annotated[float, Meta(ge=0.1, le=600)] = 30.0
    """Seconds that it may take."""
    environment: Environment | None = None
    """The environment of its hosts that no `[[targets]]` entry fits; production where nothing is said."""
    environments: dict[str, Environment] = {}
    """The environment by group, over `environment`; for a host in several groups the gravest counts."""
    via: str = ""
    """The target through which its hosts are reached."""
    groups: tuple[str, ...] = ()
    """Groups that all its hosts belong to, beside their own."""

    def __post_init__(self) -> None:
        for text, what in _faults(self):
            if text:
                raise ValueError(f"{what} {text}")

    @property
    def called(self) -> str:
        """Its name, which is its kind where none is given."""
        return self.name or self.kind


def _faults(table: InventoryTable) -> Iterator[tuple[str, str]]:
    if table.kind == "ansible":
        yield "" if table.path else "is missing: the inventory's file or folder", "`path`"
    if table.kind == "command":
        given = table.command and table.command[0]
        yield "" if given else "is missing: the program and its arguments", "`command`"
    yield 'is for the kind "command" alone' if table.command and table.kind != "command" else "", "`command`"
    yield 'is not for the kind "command"' if table.path and table.kind == "command" else "", "`path`"
    yield name_fault(table.via) if table.via else "", "`via`"
    for group in table.groups:
        yield name_fault(group), f"the group {group!r}"
