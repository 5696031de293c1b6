"""cockpit.toml as typed settings, with errors that name file, line, key and what was expected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.config.defaults import default_inventories, default_sources
from cockpit.config.settings import (
    File,
    GuardSettings,
    Limits,
    LogSettings,
    LogsSettings,
    OnCall,
    Screen,
    Settings,
    SourceEntry,
    SourceTable,
)
from cockpit.inventory.settings import InventoryTable
from cockpit.locate import data_dir, find, user_file
from cockpit.rules import DEFAULT_RULES, ThresholdRule

if TYPE_CHECKING:
    from cockpit.config.document import Document, KeyPath
    from cockpit.config.reading import Reader

__all__ = [
    "Limits",
    "LogSettings",
    "OnCall",
    "Screen",
    "Settings",
    "SourceEntry",
    "data_dir",
    "load",
    "read",
    "user_file",
]

OWN_KEYS = frozenset(SourceTable.__struct_fields__)
"""The keys of a `[[sources]]` table that are not the source's options."""


def load(path: str | None = None) -> Settings:
    """Find and read the configuration; where there is no file, the defaults hold.

    Args:
        path: The file that a flag names; None looks at `COCKPIT_CONFIG`, the working directory and the user's own.

    Raises:
        ConfigErrors: All mistakes of the file.
        ConfigError: The file can't be read as TOML at all.
    """
    file = find(path)
    if file is None:
        return Settings(sources=default_sources(), inventories=default_inventories())
    return read(file)


def read(file: Path) -> Settings:
    """Read one file.

    Raises:
        ConfigErrors: All its mistakes. The options of a source are read later, with its plugin.
        ConfigError: It can't be read as TOML at all.
    """
    from cockpit.config.document import Document
    from cockpit.config.reading import Reader

    document = Document.read(file)
    raw = document.parse()
    reader = Reader(document)
    entries = _entries(reader, raw)
    own = {**raw, "sources": []} if isinstance(raw.get("sources"), list) else raw
    tables = reader.read(own, File, (), fallback=File())
    keys = _keys(reader, raw.get("keys"))
    _patterns(reader, tables.guard)
    _logs(reader, tables.logs)
    _once_each(reader, tables.inventories)
    if tables.formats:
        from cockpit.config.formats import check_formats

        check_formats(reader, tables.formats)
    reader.finish()
    defaults = default_sources() if tables.default_sources else ()
    named = {entry.name for entry in entries}
    return Settings(
        file=file,
        sources=tuple(entry for entry in defaults if entry.name not in named) + entries,
        targets=tables.targets,
        inventories=tables.inventories + default_inventories(tables),
        rules=_rules(tables),
        keys=keys,
        screen=tables.screen,
        on_call=_in_zone(tables.on_call),
        limits=tables.limits,
        guard=tables.guard,
        ssh=tables.ssh,
        terminal=tables.terminal,
        log=tables.log,
        logs=tables.logs,
        formats=tables.formats,
        warnings=_exposed(file),
    )


def _entries(reader: Reader, raw: dict[str, Any]) -> tuple[SourceEntry, ...]:
    """Read the `[[sources]]` tables as far as that goes without their plugins."""
    from cockpit.config.reading import suggestion
    from cockpit.registry import names

    tables = raw.get("sources")
    if not isinstance(tables, list):
        return ()
    known = names() if tables else ()
    entries: dict[str, SourceEntry] = {}
    for index, table in enumerate(tables):
        path = ("sources", index)
        own = {key: table[key] for key in OWN_KEYS & table.keys()} if isinstance(table, dict) else table
        read = reader.read(own, SourceTable, path, fallback=SourceTable(kind=""))
        if not read.kind:
            if isinstance(own, dict) and own.get("kind") == "":
                reader.mistake((*path, "kind"), "expected the kind of source, found an empty string")
            continue
        if read.kind not in known:
            reader.mistake(
                (*path, "kind"), f'"{read.kind}" is no kind of source', suggestion(read.kind, known)
            )
        name = read.name or read.kind
        if name in entries:
            first = reader.document.line(("sources", entries[name].index))
            reader.mistake(
                (*path, "name"),
                f'"{name}" names the source of line {first} already',
                "give each its own name",
            )
            continue
        entries[name] = _entry(read, name, index=index, table=table, document=reader.document)
    return tuple(entries.values())


def _entry(
    read: SourceTable, name: str, *, index: int, table: dict[str, Any], document: Document
) -> SourceEntry:
    options = {key: value for key, value in table.items() if key not in OWN_KEYS}
    return SourceEntry(
        name=name,
        kind=read.kind,
        enabled=read.enabled,
        via=read.via,
        options=options,
        index=index,
        document=document,
    )


def _keys(reader: Reader, table: object, path: KeyPath = ("keys",)) -> dict[str, tuple[str, ...]]:
    """Read `[keys]`: a key, a list of keys, or `false` for none. `app.zoom` may be written with quotes or without."""
    keys: dict[str, tuple[str, ...]] = {}
    for name, value in table.items() if isinstance(table, dict) else ():
        if isinstance(value, dict):
            keys |= _keys(reader, value, (*path, name))
            continue
        wanted = value if isinstance(value, list) else [value] if value is not False else []
        if not all(isinstance(text, str) for text in wanted):
            reader.mistake((*path, name), "expected a key, a list of keys, or false to unbind it")
            continue
        action = ".".join(str(part) for part in (*path[1:], name))
        keys[action] = tuple(key.strip() for text in wanted for key in text.split(",") if key.strip())
    return keys


def _once_each(reader: Reader, tables: Sequence[InventoryTable]) -> None:
    """Look at the names of `[[inventories]]`: a status is told by its name."""
    lines: dict[str, int] = {}
    for index, table in enumerate(tables):
        if table.called in lines:
            reader.mistake(
                ("inventories", index, "name"),
                f'"{table.called}" names the inventory of line {lines[table.called]} already',
                "give each its own name",
            )
        lines.setdefault(table.called, reader.document.line(("inventories", index)))


def _patterns(reader: Reader, guard: GuardSettings) -> None:
    """Look at the patterns of `[guard]` for mistakes."""
    import re

    for name in ("ticket_pattern", "incident_pattern"):
        try:
            re.compile(getattr(guard, name))
        except re.error as error:
            reader.mistake(("guard", name), f"is no regular expression: {error}")


def _logs(reader: Reader, logs: LogsSettings) -> None:
    """Look at `[logs]` for mistakes."""
    import re

    if not re.fullmatch(r"([1-9][0-9]{0,5}[KMGT]iB)?", logs.spill, re.ASCII):
        reader.mistake(("logs", "spill"), f"{logs.spill!r} is no size", "such as 512MiB or 2GiB")
    if not re.fullmatch(r"[1-9][0-9]{0,4}[smhdw]", logs.spill_age, re.ASCII):
        reader.mistake(
            ("logs", "spill_age"), f"{logs.spill_age!r} is no span of time", "such as 30m, 24h or 7d"
        )
    if logs.zone:
        from cockpit.errors import UsageError
        from cockpit.formats.times import Zone

        try:
            Zone(logs.zone)
        except UsageError as error:
            reader.mistake(("logs", "zone"), error.message, error.remedy)


def _rules(tables: File) -> tuple[ThresholdRule, ...]:
    """Return the built-in rules, but for those that the file replaces, and then its own."""
    named = {rule.name for rule in tables.rules}
    kept = DEFAULT_RULES if tables.default_rules else ()
    return tuple(rule for rule in kept if rule.name not in named) + tables.rules


def _in_zone(on_call: OnCall) -> OnCall:
    """Give a time without a zone the local one."""
    from msgspec.structs import replace

    return replace(on_call, until=on_call.until.astimezone()) if on_call.until else on_call


def _exposed(file: Path) -> tuple[str, ...]:
    """Warn of a file that others may change: it can name commands to run."""
    if file.stat().st_mode & 0o002:
        return (
            f"{file}: anyone on this machine may change it, and it can name commands to run; chmod o-w it",
        )
    return ()
