"""The columns that every log's table has, and what tables and columns are called."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

COMMON = {
    "time": "TIMESTAMPTZ",
    "level": "VARCHAR",
    "severity": "UTINYINT",
    "body": "VARCHAR",
    "service": "VARCHAR",
    "host": "VARCHAR",
    "trace_id": "VARCHAR",
    "source": "VARCHAR",
    "line": "BIGINT",
}
"""`at` would be a word of duckdb's own, which has to be quoted; so it is `time` here."""
LOGS = "logs"
RAW = "_raw"
"""Follows the name of a field that a common column has too."""
MOST = 1000
"""Columns of a table at most, besides the common ones."""


def quoted(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def column_names(fields: Iterable[str]) -> dict[str, str]:
    """Return the columns' names of fields: no two differ by their case alone, and none is a common one."""
    taken, named = set(COMMON), {}
    for field in fields:
        name = f"{field}{RAW}" if field.lower() in COMMON else field
        while name.lower() in taken:
            name += "_"
        taken.add(name.lower())
        named[field] = name
        if len(named) >= MOST:
            break
    return named


def table_names(paths: Iterable[str]) -> list[str]:
    """Return a table's name for each file: its own without what follows its first dot, numbered where taken."""
    taken, names = {LOGS}, []
    for path in paths:
        stem = Path(path).name.lstrip(".").partition(".")[0] or "log"
        stem = "stdin" if path == "-" else stem.replace("\0", "")
        name, number = stem, 2
        while name.lower() in taken:
            name, number = f"{stem}_{number}", number + 1
        taken.add(name.lower())
        names.append(name)
    return names
