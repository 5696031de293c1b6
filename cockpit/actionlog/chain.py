"""The hash chain: every record of the file has a position in one sequence, and a hash that covers all before it.

Definition, complete, so that a verifier can be written from it in any language:

- The tables of `RECORDS` hold the records. Each has an integer column `position`, counted from 1 over all of them
  together without a gap, and a text column `hash`, 64 lower-case hexadecimal digits.
- `item(bytes)` is a netstring: the length in decimal digits, `:`, the bytes, `,`.
- `value` is a letter and an item: `i` and the decimal digits of an INTEGER (with `-` before a negative one), `t` and
  the UTF-8 of a TEXT, `b` and the bytes of a BLOB. There are no REALs.
- The canonical row is `item(table name)` and then, for each column of the row that is not NULL, in ascending order of
  the columns' names as bytes: `item(column name)` and `value`. The column `hash` is left out, and so is what
  `CONTENT` names: `output.data` and `evidence.body`, for which the column `sha256` (hexadecimal, of the BLOB as it is
  stored) stands in, so that pruning can drop the bytes.
- `hash` = SHA-256 of (the 32 bytes of the hash at position - 1, then the canonical row). Before position 1 stand 32
  zero bytes.

Columns that are NULL say nothing, so a column that a later version adds changes no hash that is there.

Where a tombstone says that whole records were pruned, its `runs` name each run of positions with the hash before it
and the hash of its last record; the chain goes on from that. See `docs/actionlog.md`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from sqlite_utils import Database

RECORDS = (
    "sessions",
    "session_ends",
    "actions",
    "results",
    "output",
    "approvals",
    "notes",
    "evidence",
    "recordings",
    "checkpoints",
    "tombstones",
)
"""The tables whose rows are records."""
CONTENT = {"output": "data", "evidence": "body"}
"""Columns that no hash covers by itself: the digest beside them does."""
GENESIS = "0" * 64
"""What stands before the first record."""
NUMBERED = frozenset({"session_ends", "results", "checkpoints", "tombstones"})
"""Tables whose `id` is the position; in a file that predates the chain, older rows have smaller ones."""


class Head(Struct, frozen=True):
    """The end of the chain."""

    position: int
    hash: str


def canonical_row(table: str, row: Mapping[str, Any]) -> bytes:
    """Return the bytes of a row that its hash covers, as the module's docstring defines them.

    Raises:
        TypeError: A value is of a type that no record holds.
    """
    left_out = ("hash", CONTENT.get(table))
    parts = [_item(table.encode())]
    for name in sorted(row):
        value = row[name]
        if value is None or name in left_out:
            continue
        parts += (_item(name.encode()), _value(value))
    return b"".join(parts)


def link(previous: str, table: str, row: Mapping[str, Any]) -> str:
    """Return the hash of a row that follows the one with the hash `previous`."""
    return hashlib.sha256(bytes.fromhex(previous) + canonical_row(table, row)).hexdigest()


def head(db: Database) -> Head:
    """Return the end of the chain; position 0 where there is no record."""
    position, digest = db.execute("select position, hash from chain_head").fetchone()
    return Head(position, digest)


def append(db: Database, table: str, row: Mapping[str, Any]) -> Head:
    """Insert a record at the end of the chain, in a transaction that holds the write lock since before it read."""
    last = head(db)
    record = {**row, "position": last.position + 1}
    if table in NUMBERED:
        record.setdefault("id", record["position"])
    record["hash"] = link(last.hash, table, record)
    names = ", ".join(record)
    marks = ", ".join("?" * len(record))
    db.execute(f"insert into {table} ({names}) values ({marks})", list(record.values()))  # noqa: S608  our own names
    db.execute("update chain_head set position = ?, hash = ?", [record["position"], record["hash"]])
    return Head(record["position"], record["hash"])


def _item(data: bytes) -> bytes:
    return b"%d:%b," % (len(data), data)


def _value(value: object) -> bytes:
    if isinstance(value, bytes):
        return b"b" + _item(value)
    if isinstance(value, str):
        return b"t" + _item(value.encode())
    if isinstance(value, int):
        return b"i" + _item(b"%d" % value)
    raise TypeError(f"a record holds no {type(value).__name__}")
