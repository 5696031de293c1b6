"""The one deliberate way to remove something from the log; it leaves a tombstone that says what is gone.

What goes is the output's bytes, or whole sessions that ended before a date. In one transaction the triggers step
aside, the rows go, a tombstone is appended, and the triggers are back. The chain verifies afterwards: of each run of
positions that went, the tombstone keeps the hash before it and the hash of its last record.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from cockpit.actionlog import search, tables
from cockpit.actionlog.chain import RECORDS, append, head
from cockpit.actionlog.database import immediate
from cockpit.errors import ActionLogError
from cockpit.signals import rfc3339

if TYPE_CHECKING:
    from sqlite_utils import Database

OF_SESSIONS = {
    "sessions": "id in ({0})",
    "session_ends": "session in ({0})",
    "actions": "session in ({0})",
    "results": "action in (select id from actions where session in ({0}))",
    "output": "action in (select id from actions where session in ({0}))",
    "approvals": "session in ({0})",
    "notes": "session in ({0})",
    "evidence": "session in ({0})",
    "recordings": "session in ({0})",
}
"""Which rows go with a session. Checkpoints and tombstones stay."""
_DOOMED = "select session from doomed"


class Plan(Struct, frozen=True, kw_only=True):
    """What would go.

    Attributes:
        kind: `sessions` or `output`.
        counts: How many records of each table, or how many chunks of output and bytes.
        runs: Of whole records: first position, last position, the hash before and the hash of the last.
        first: Of output: the first position of whose bytes there may be none any more.
        last: The last such position.
        sessions: Which sessions go.
        at_position: Where the chain stood when this was planned.
        at_hash: The hash there.
    """

    kind: str
    counts: dict[str, int]
    runs: tuple[tuple[int, int, str, str], ...] | None
    first: int | None
    last: int | None
    sessions: tuple[str, ...]
    at_position: int
    at_hash: str

    @property
    def empty(self) -> bool:
        """Whether there is nothing to prune."""
        return not any(self.counts.values())

    def statement(self, *, reason: str, actor: str, before_ns: int) -> str:
        """Return the text that is signed, JSON."""
        said = {
            "cockpit_tombstone": 1,
            "kind": self.kind,
            "actor": actor,
            "at": rfc3339(time.time_ns()),
            "before": rfc3339(before_ns),
            "reason": reason,
            "counts": self.counts,
            "runs": self.runs,
            "first": self.first,
            "last": self.last,
            "head": [self.at_position, self.at_hash],
        }
        return json.dumps(said, sort_keys=True)


def plan_sessions(db: Database, before_ns: int) -> Plan:
    """Plan to remove the sessions that ended before a moment, whole."""
    with _doomed(db, before_ns) as sessions:
        at = head(db)
        stated = {row["of_position"] for row in db.query("select of_position from checkpoints")}
        places: list[tuple[int, str]] = []
        counts: dict[str, int] = {}
        for table, which in OF_SESSIONS.items():
            rows = db.execute(f"select position, hash from {table} where {which.format(_DOOMED)}").fetchall()  # noqa: S608
            counts[table] = len(rows)
            places += rows
        return Plan(
            kind="sessions",
            counts=counts,
            runs=tuple(_runs(db, sorted(places), stated)),
            first=None,
            last=None,
            sessions=sessions,
            at_position=at.position,
            at_hash=at.hash,
        )


def plan_output(db: Database, before_ns: int) -> Plan:
    """Plan to drop the bytes of output that came before a moment, and of sessions that have ended."""
    at = head(db)
    first_open = db.execute(
        "select min(o.position) from output o join actions a on a.id = o.action "
        "where a.session in (select session from running_sessions)"
    ).fetchone()[0]
    last = db.execute(
        "select max(position) from output where at_ns < ? and position < ?",
        [before_ns, first_open or at.position + 1],
    ).fetchone()[0]
    chunks, size = db.execute(
        "select count(*), coalesce(sum(size), 0) from output where position <= ? and data is not null",
        [last or 0],
    ).fetchone()
    return Plan(
        kind="output",
        counts={"output": chunks, "bytes": size},
        runs=None,
        first=1,
        last=last or 0,
        sessions=(),
        at_position=at.position,
        at_hash=at.hash,
    )


@contextlib.contextmanager
def _doomed(db: Database, before_ns: int) -> Iterator[tuple[str, ...]]:
    """Hold the ids of sessions that ended before a moment in a table of this connection alone."""
    db.execute("create temp table if not exists doomed (session text primary key)")
    db.execute("delete from doomed")
    db.execute(
        "insert into doomed select session from session_ends where session not in "
        "(select session from running_sessions) group by session having max(ended_ns) < ?",
        [before_ns],
    )
    try:
        yield tuple(row["session"] for row in db.query("select session from doomed order by session"))
    finally:
        db.execute("delete from doomed")


def _runs(
    db: Database, places: list[tuple[int, str]], stated: set[int]
) -> Iterator[tuple[int, int, str, str]]:
    """Yield the runs of consecutive positions, ended where a checkpoint states a position."""
    first, last, digest = 0, -1, ""
    before = ""
    for position, current in places:
        if position != last + 1 or last in stated:
            if first:
                yield first, last, before, digest
            first, before = position, digest if position == last + 1 else hash_at(db, position - 1)
        last, digest = position, current
    if first:
        yield first, last, before, digest


def hash_at(db: Database, position: int) -> str:
    """Return the hash at a position, also where its record was pruned before."""
    if position == 0:
        from cockpit.actionlog.chain import GENESIS

        return GENESIS
    for table in RECORDS:
        if row := db.execute(f"select hash from {table} where position = ?", [position]).fetchone():  # noqa: S608
            return str(row[0])
    for (runs,) in db.execute("select runs from tombstones where runs is not null").fetchall():
        for _, last, _, digest in json.loads(runs):
            if last == position:
                return str(digest)
    raise ActionLogError(
        f"the chain has a hole at position {position}", remedy="see `cockpit log verify` before pruning"
    )


def carry_out(db: Database, plan: Plan, tombstone: dict[str, Any]) -> None:
    """Remove what is planned and append the tombstone, all or nothing; what is removed is overwritten on the disk.

    Raises:
        ActionLogError: What is there is not what was planned.
    """
    import sqlite3

    db.execute("pragma secure_delete = on")
    with immediate(db):
        _step_aside(db)
        gone = _remove_sessions(db, plan) if plan.kind == "sessions" else _drop_output(db, plan)
        if gone != plan.counts:
            raise ActionLogError(
                "what is there is not what was planned; nothing was pruned", remedy="try again"
            )
        for sql in tables.triggers().values():
            db.execute(sql)
        append(db, "tombstones", tombstone)
        search.rebuild(db)  # what is gone is not to be found either
    # The room is given back where nobody else reads just now; else the next pruning does.
    with contextlib.suppress(sqlite3.OperationalError):
        db.execute("pragma wal_checkpoint(truncate)")
        db.execute("vacuum")
        db.execute("pragma wal_checkpoint(truncate)")


def _step_aside(db: Database) -> None:
    for name in tables.triggers():
        db.execute(f"drop trigger if exists {name}")


def _remove_sessions(db: Database, plan: Plan) -> dict[str, int]:
    db.execute("create temp table if not exists doomed (session text primary key)")
    db.execute("delete from doomed")
    db.conn.executemany("insert into doomed values (?)", [(session,) for session in plan.sessions])
    gone = {}
    # Results and output are found by their actions, so the actions go after them.
    for table in ("results", "output", *(name for name in OF_SESSIONS if name not in ("results", "output"))):
        gone[table] = db.execute(f"delete from {table} where {OF_SESSIONS[table].format(_DOOMED)}").rowcount  # noqa: S608
    db.execute("delete from doomed")
    return gone


def _drop_output(db: Database, plan: Plan) -> dict[str, int]:
    which = "position <= ? and data is not null"
    size = db.execute(f"select coalesce(sum(size), 0) from output where {which}", [plan.last]).fetchone()[0]  # noqa: S608
    chunks = db.execute(f"update output set data = null where {which}", [plan.last]).rowcount  # noqa: S608
    return {"output": chunks, "bytes": size}


async def tombstone_of(
    plan: Plan, *, reason: str, actor: str, session: str, before_ns: int, key: Path | None
) -> dict[str, Any]:
    """Return the row that says what a pruning removed, signed where there is a key.

    Raises:
        SignatureError: There is a key, and nothing can be signed with it.
    """
    from cockpit.guard import signing

    statement = plan.statement(reason=reason, actor=actor, before_ns=before_ns)
    row: dict[str, Any] = {
        "session": session,
        "at_ns": time.time_ns(),
        "kind": plan.kind,
        "actor": actor,
        "reason": reason,
        "counts": json.dumps(plan.counts),
        "runs": None if plan.runs is None else json.dumps(plan.runs),
        "first": plan.first,
        "last": plan.last,
        "statement": statement,
    }
    if key is None:
        return {**row, "remark": "not signed: no signing_key is configured"}
    signature = await signing.sign(statement.encode(), key, signing.TOMBSTONE)
    return {**row, "signature": signature, "key_fingerprint": signing.fingerprint_of(signature)}
