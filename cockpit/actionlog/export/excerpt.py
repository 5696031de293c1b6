"""The chosen records as a file of SQLite's, with the tables, the index for searching and the views of the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cockpit.actionlog import schema, search
from cockpit.actionlog.database import errors_mapped, immediate
from cockpit.actionlog.export.facts import Facts
from cockpit.actionlog.export.snapshot import Snapshot
from cockpit.errors import ActionLogError, CockpitError

if TYPE_CHECKING:
    from sqlite_utils import Database

TABLE = "excerpt"
"""What the file is an excerpt of; a log has no such table."""
_BATCH = 32


def write(snapshot: Snapshot, facts: Facts, path: Path) -> None:
    """Fill a new file.

    Raises:
        CockpitError: It can't be written.
        ActionLogError: The log can't be read.
    """
    rows = snapshot.rows()  # maps its own errors, as what is written here maps its
    try:
        with errors_mapped(path):
            db = _made(path)
        try:
            for batch in _batches(rows, snapshot):
                with errors_mapped(path), immediate(db):
                    for table, row in batch:
                        if table == "output" and not facts.with_output:
                            row = {**row, "data": None}
                        _insert(db, table, row)
            with errors_mapped(path), immediate(db):
                _finish(db, facts)
        finally:
            db.close()
    except ActionLogError as error:
        if error.where != str(path):
            raise
        raise CockpitError(f"the export can't be written: {error.message}", where=str(path)) from None


def _made(path: Path) -> Database:
    import sqlite3

    from sqlite_utils import Database

    connection = sqlite3.connect(path, isolation_level=None)
    db = Database(connection, execute_plugins=False)
    db.execute("pragma journal_mode = off")  # a file that is not whole is thrown away
    db.execute("pragma synchronous = off")
    db.execute("begin immediate")
    schema.migrations().apply(db)
    db.execute("commit")
    return db


def _batches(
    rows: Iterator[tuple[int, str, dict[str, Any]]], snapshot: Snapshot
) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    batch: list[tuple[str, dict[str, Any]]] = []
    for _, table, row in rows:
        batch.append((table, row))
        snapshot.step()
        if table == "output":
            snapshot.step(row["size"])
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch


def _insert(db: Database, table: str, row: dict[str, Any]) -> None:
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    db.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))  # noqa: S608  our own names


def _finish(db: Database, facts: Facts) -> None:
    end = facts.integrity
    search.rebuild(db)
    db.execute("update chain_head set position = ?, hash = ?", [end.position, end.hash])
    db.execute(f"create table {TABLE} (name text primary key, value text)")
    for name, value in msgspec.to_builtins(facts).items():
        text = value if isinstance(value, str) or value is None else json.dumps(value)
        db.execute(f"insert into {TABLE} values (?, ?)", [name, text])  # noqa: S608  our own name
