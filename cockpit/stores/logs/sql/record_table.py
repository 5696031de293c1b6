"""Tables that records are read into by their formats, for logs that duckdb can't read itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from cockpit.formats.columns import UNDATED
from cockpit.formats.declared import DeclaredFormat
from cockpit.formats.format import LineFormat, Said
from cockpit.signals import level_name
from cockpit.stores.logs.forward import Block, Forward
from cockpit.stores.logs.sql.names import COMMON, column_names, quoted, text

if TYPE_CHECKING:
    import duckdb

    from cockpit.stores.logs.streams import LogStream

BATCH = 20_000
"""Records handed over at a time."""
_KINDS: dict[type, str] = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE"}


class RecordTable:
    """A table that records are read into.

    Attributes:
        names: The columns' names of the attributes.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: str, fmt: LineFormat) -> None:
        self._connection = connection
        self._table = table
        self._format = fmt
        self._types: dict[str, str] = {}
        self.names: dict[str, str] = {}

    def fill(
        self,
        log: LogStream,
        source: str,
        *,
        asked: frozenset[str] | None,
        progress: Callable[[LogStream], None] = lambda log: None,
    ) -> None:
        """Read a log into the table.

        Args:
            log: The log, of which nothing was read.
            source: What it is called.
            asked: Words that may be columns, in lower case; None for all.
            progress: Called as reading goes on; what it raises ends it.

        Raises:
            CockpitError: It can't be read any further; the table has what came before.
        """
        made = False
        try:
            for block in Forward(log, self._format):
                progress(log)
                if not made:
                    self._make(block)
                    made = True
                self._insert(block, source, asked)
        finally:
            if not made:
                self._make(None)

    def _make(self, block: Block | None) -> None:
        """Create the table, by what the first records have."""
        if isinstance(self._format, DeclaredFormat):
            for name in self._format.declaration.fields.values():
                plain = name.removesuffix(":int")
                self._types[plain] = "BIGINT" if plain != name else "VARCHAR"
        for row in range(min(BATCH, len(block)) if block is not None else 0):
            for name, value in self._format.fields(block.text(row)).attributes.items():  # type: ignore[union-attr]
                if value is None:
                    self._types.setdefault(name, "VARCHAR")
                    continue
                kind = _KINDS.get(type(value), "VARCHAR")
                known = self._types.setdefault(name, kind)
                if known != kind:
                    self._types[name] = "DOUBLE" if {known, kind} == {"BIGINT", "DOUBLE"} else "VARCHAR"
        self.names = column_names(name for name in self._types if "\0" not in name)
        columns = [f"{quoted(name)} {kind}" for name, kind in COMMON.items()]
        columns += [f"{quoted(column)} {self._types[name]}" for name, column in self.names.items()]
        self._connection.execute(
            f"CREATE TABLE {quoted(self._table)} ({', '.join(columns)}, attributes JSON)"
        )

    def _insert(self, block: Block, source: str, asked: frozenset[str] | None) -> None:
        wanted = {
            name: column for name, column in self.names.items() if asked is None or column.lower() in asked
        }
        read = (
            asked is None
            or bool(wanted)
            or bool({"body", "service", "host", "trace_id", "attributes"} & asked)
        )
        for begin in range(0, len(block), BATCH):
            rows = range(begin, min(begin + BATCH, len(block)))
            columns = self._plain(block, rows, read=asked is None or "line" in asked)
            if read:
                records = [self._format.fields(block.text(row)) for row in rows]
                columns |= self._told(records, wanted, attributes=asked is None or "attributes" in asked)
            self._append(columns, source)

    def _plain(self, block: Block, rows: range, *, read: bool) -> dict[str, Any]:
        """Return what needs no record: shape (rows,) each."""
        part = slice(rows.start, rows.stop)
        levels = block.columns.levels[part]
        times = block.times[part] // 1000
        if block.before == block.observed:  # no record before has told a time
            first = block.columns.times != UNDATED
            none = int(first.argmax()) if first.any() else len(block)
            times = np.where(np.arange(rows.start, rows.stop) < none, np.iinfo(np.int64).min, times)
        words = np.array([level_name(level) or None for level in range(25)], object)
        return {
            "time": times.astype("datetime64[us]"),
            "severity": levels,
            "level": words[np.minimum(levels, 24)],
            "line": block.numbers[part] if read else np.zeros(len(rows), np.int64),
        }

    def _told(self, records: Sequence[Said], wanted: dict[str, str], *, attributes: bool) -> dict[str, Any]:
        columns: dict[str, list[Any]] = {
            "body": [record.body for record in records],
            "service": [record.service or None for record in records],
            "host": [record.host or None for record in records],
            "trace_id": [record.trace_id or None for record in records],
        }
        for name, column in wanted.items():
            columns[column] = [_text_of(record.attributes.get(name)) for record in records]
        if attributes:
            encode = msgspec.json.Encoder().encode
            columns["attributes"] = [
                encode(dict(record.attributes)).decode() if record.attributes else None for record in records
            ]
        return {name: _objects(values) for name, values in columns.items()}

    def _append(self, columns: dict[str, Any], source: str) -> None:
        """Hand rows over as arrays; a column that is not there is NULL."""
        arrays = {f"c{number}": column for number, column in enumerate(columns.values())}
        types = (
            COMMON
            | {column: self._types[name] for name, column in self.names.items()}
            | {"attributes": "JSON"}
        )
        read = {name: f"try_cast(c{number} AS {types[name]})" for number, name in enumerate(columns)}
        number = list(columns).index("time")
        read["time"] = f"timezone('UTC', c{number})"
        read["source"] = text(source)
        self._connection.register("batch", arrays)
        try:
            self._connection.execute(
                f"INSERT INTO {quoted(self._table)} ({', '.join(map(quoted, read))})"  # noqa: S608  names are quoted
                f" SELECT {', '.join(read.values())} FROM batch"
            ).fetchall()
        finally:
            self._connection.unregister("batch")


def _text_of(value: object) -> str | None:
    """Return a value as text, which a column of numbers is cast from."""
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _objects(values: Sequence[Any]) -> np.ndarray[Any, Any]:
    column = np.empty(len(values), object)
    column[:] = [
        value.encode("utf-8", "replace").decode() if isinstance(value, str) and not value.isascii() else value
        for value in values
    ]
    return column
