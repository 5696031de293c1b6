"""Tables of JSON lines: duckdb reads these itself, whenever they are asked for."""

from __future__ import annotations

from typing import NamedTuple

from cockpit.stores.logs.sql.json_columns import json_columns
from cockpit.stores.logs.sql.names import COMMON, column_names, quoted, text
from cockpit.stores.logs.sql.sample import field_types, sampled_lines

LONGEST = 64 << 20
"""Bytes of a line at most. Up to twice as many pass: duckdb's buffers are as long as that, one for each thread."""
USUAL = 16 << 20
"""Bytes of a line that are allowed for at first: of larger buffers there would be too few for threads to share."""
_NUMBERS = ("BIGINT", "DOUBLE", "BOOLEAN")


class JsonLog(NamedTuple):
    """A log of JSON lines.

    Attributes:
        table: Its table's name.
        path: Where duckdb finds it.
        source: What it is called.
        types: Its fields' types.
    """

    table: str
    path: str
    source: str
    types: dict[str, str]


def json_log(table: str, path: str, source: str) -> JsonLog:
    """Look at a log of JSON lines.

    Raises:
        OSError: It can't be read.
    """
    types: dict[str, str] = {}
    folded: set[str] = set()
    for name, kind in field_types(sampled_lines(path)).items():
        if name.lower() not in folded:  # duckdb's names know no case
            folded.add(name.lower())
            types[name] = kind
    return JsonLog(table, path, source, types)


def json_view(log: JsonLog, compression: str, *, careful: bool, longest: int = USUAL) -> str:
    """Return the statement that makes a view of a log of JSON lines.

    Args:
        log: The log.
        compression: `gzip`, `zstd` or `none`.
        careful: Whether values may be of other types than those sampled, and lines be none. A value that is no number
            where numbers are expected is NULL then, and lines that are no objects are left out.
        longest: Bytes of a line that are allowed for.
    """
    named = column_names(log.types)
    types = {field: log.types[field] for field in named} or {"message": "VARCHAR"}
    read = {field: "VARCHAR" if careful and kind in _NUMBERS else kind for field, kind in types.items()}
    struct = ", ".join(f"{text(field)}: {text(kind)}" for field, kind in read.items())
    reading = (
        f"read_json({text(log.path)}, format='newline_delimited', columns={{{struct}}}, compression='{compression}',"
        f" maximum_object_size={longest}, ignore_errors={str(careful).lower()})"
    )
    line = "row_number() OVER ()"
    if careful:
        cast = [
            f"try_cast({quoted(field)} AS {kind}) AS {quoted(field)}" if kind in _NUMBERS else quoted(field)
            for field, kind in types.items()
        ]
        number = "line"
        while number.lower() in {field.lower() for field in types}:
            number += "_"
        line = quoted(number)
        there = " OR ".join(f"{quoted(field)} IS NOT NULL" for field in list(types)[:64])
        reading = (
            f"(SELECT {', '.join(cast)}, {line} FROM (SELECT *, row_number() OVER () AS {line} FROM {reading})"  # noqa: S608
            f" WHERE {there})"
        )
    common = json_columns(types)
    common["source"] = text(log.source)
    common["line"] = line
    columns = [f"{common[name]} AS {quoted(name)}" for name in COMMON]
    columns += [f"{quoted(field)} AS {quoted(named[field])}" for field in types if field in named]
    return f"CREATE OR REPLACE VIEW {quoted(log.table)} AS SELECT {', '.join(columns)} FROM {reading}"  # noqa: S608  names are quoted
