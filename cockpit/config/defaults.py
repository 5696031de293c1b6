"""The sources that run when nobody named any: what is useful on any machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from cockpit.config.settings import File, SourceEntry
from cockpit.inventory.settings import InventoryTable

JOURNALS = (Path("/run/log/journal"), Path("/var/log/journal"))
"""Where journald keeps its files; a machine without either, such as a container, has no journal to follow."""


def default_sources() -> tuple[SourceEntry, ...]:
    """Return this machine's health, its log files, its journal where there is one, and the OTLP receiver."""
    kinds = ["host", "files", "otlp"]
    if shutil.which("journalctl") and any(any(journal.glob("*/*.journal")) for journal in JOURNALS):
        kinds.insert(2, "journald")
    return tuple(SourceEntry(name=kind, kind=kind) for kind in kinds)


def default_inventories(tables: File | None = None) -> tuple[InventoryTable, ...]:
    """Return the hosts of ssh_config, unless the file has an inventory of that name; they come after its own."""
    tables = tables or File()
    if any(table.called == "ssh_config" for table in tables.inventories):
        return ()
    return (InventoryTable(kind="ssh_config", path=tables.ssh.config),)
