"""The tables of the action log, as named migrations.

A record is never changed: an action is one row of `actions`, written before it starts, and rows of `results`,
written after. The newest result counts, and so does the newest end of a session. `running_sessions` says which
sessions to look at when one of them may have died, `chain_head` where the chain ends; both are bookkeeping. Times are
nanoseconds since the epoch, UTC.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from cockpit.actionlog import search, tables, views
from cockpit.actionlog.chain import RECORDS, append
from cockpit.errors import ActionLogError

if TYPE_CHECKING:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

SET = "actionlog"


def sessions_and_actions(db: Database) -> None:
    """Lay the tables for sessions, intents, results and output."""
    _lay_sessions(db)
    _lay_intents(db)
    _lay_results(db)
    db.create_view(
        "action_states",
        "select a.rowid as place, a.*, r.ended_ns, r.state, r.exit_status, r.signal, r.error, r.output_sha256, "
        "r.output_bytes, r.output_kept "
        "from actions a left join results r on r.id = (select max(id) from results where action = a.id)",
    )


def _lay_sessions(db: Database) -> None:
    db.table("sessions").create(
        {
            "id": str,
            "started_ns": int,
            "user": str,
            "host": str,
            "tty": str,
            "sudo_user": str,
            "pid": int,
            "version": str,
        },
        pk="id",
        not_null={"started_ns", "user", "host", "pid"},
    )
    db.table("session_ends").create(
        {"id": int, "session": str, "ended_ns": int, "how": str, "recorded_by": str},
        pk="id",
        not_null={"session", "ended_ns", "how", "recorded_by"},
    )
    db.table("session_ends").create_index(["session"])
    db.table("running_sessions").create({"session": str}, pk="session")


def _lay_intents(db: Database) -> None:
    db.table("actions").create(
        {
            "id": str,
            "session": str,
            "started_ns": int,
            "incident": str,
            "actor": str,
            "origin": str,
            "target": str,
            "environment": str,
            "transport": str,
            "argv": str,
            "shell": str,
            "cwd": str,
            "reason": str,
            "ticket": str,
            "risk": str,
            "decision": str,
            "reasons": str,
        },
        pk="id",
        not_null={"session", "started_ns", "actor", "target", "environment", "argv", "risk", "decision"},
    )
    for columns in (["session"], ["started_ns"], ["incident", "started_ns"], ["target", "started_ns"]):
        db.table("actions").create_index(columns)


def _lay_results(db: Database) -> None:
    """Lay the tables for how an action ended and what it printed."""
    db.table("results").create(
        {
            "id": int,
            "action": str,
            "recorded_ns": int,
            "recorded_by": str,
            "ended_ns": int,
            "state": str,
            "exit_status": int,
            "signal": str,
            "error": str,
            "output_sha256": str,
            "output_bytes": int,
            "output_kept": int,
        },
        pk="id",
        not_null={"action", "recorded_ns", "recorded_by", "state", "output_bytes", "output_kept"},
    )
    db.table("results").create_index(["action"])
    db.table("output").create(
        {"action": str, "seq": int, "at_ns": int, "stream": str, "data": bytes},
        not_null={"action", "seq", "at_ns", "stream", "data"},
    )
    db.table("output").create_index(["action", "seq"], unique=True)


BEFORE_THE_CHAIN = {
    "sessions": "started_ns",
    "actions": "started_ns",
    "output": "at_ns",
    "results": "recorded_ns",
    "session_ends": "ended_ns",
}
"""The tables that were there before the chain, by what their rows are put in order."""


def chained_records(db: Database) -> None:
    """Give every record its place in one hash chain, and keep it as it is by triggers.

    Rows that are there already are chained in the order of their times. A tombstone says that what they said was not
    protected until then.
    """
    db.execute("drop view action_states")
    for name in BEFORE_THE_CHAIN:
        db.execute(f"alter table {name} rename to old_{name}")
    for statement in (*tables.HEAD, *map(tables.create_table, RECORDS)):
        db.execute(statement)
    count = 0
    for table, row in _in_order(db):
        append(db, table, _brought_up_to_date(table, row))
        count += 1
    for name in BEFORE_THE_CHAIN:
        db.execute(f"drop table old_{name}")
    if count:
        _say_unprotected(db, count)
    for table in RECORDS:
        for statement in tables.create_indexes(table):
            db.execute(statement)
    for statement in (*tables.triggers().values(), tables.ACTION_STATES):
        db.execute(statement)


def _in_order(db: Database) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows that predate the chain, oldest first, one at a time."""

    def rows(rank: int, table: str, time_column: str) -> Iterator[tuple[int, int, int, str, dict[str, Any]]]:
        found = db.query(f"select rowid as place, * from old_{table} order by {time_column}, rowid")  # noqa: S608
        for row in found:
            yield row[time_column], rank, row.pop("place"), table, row

    sorted_tables = [
        rows(rank, table, column) for rank, (table, column) in enumerate(BEFORE_THE_CHAIN.items())
    ]
    for *_, table, row in heapq.merge(*sorted_tables, key=lambda item: item[:3]):
        yield table, row


def _brought_up_to_date(table: str, row: dict[str, Any]) -> dict[str, Any]:
    if table == "actions":
        return {**row, "kind": "command"}
    if table != "output":
        return row
    data = row["data"]
    return {
        "action": row["action"],
        "seq": row["seq"],
        "at_ns": row["at_ns"],
        "pieces": json.dumps([[0, row["stream"], len(data)]]),
        "codec": "raw",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "data": data,
    }


def _say_unprotected(db: Database, count: int) -> None:
    now = time.time_ns()
    reason = "these records are older than the hash chain; nothing shows what happened to them until now"
    said = {"kind": "migration", "at_ns": now, "first": 1, "last": count, "reason": reason}
    append(
        db, "tombstones", {**said, "counts": json.dumps({"records": count}), "statement": json.dumps(said)}
    )


def searchable_and_named_for_people(db: Database) -> None:
    """Make the index for searching from the records that are there, and the views; neither is part of the chain."""
    for statement in (search.TABLE, *search.triggers(), *tables.MORE_INDEXES, views.COMMANDS, views.TIMELINE):
        db.execute(statement)
    search.rebuild(db)


def commands_in_recordings(db: Database) -> None:
    """Let a recording say where in it something happened: the terminal's size changed, or a command was typed."""
    db.execute("alter table recordings add column command text")
    db.execute("alter table recordings add column at_byte integer")
    db.execute("create index recordings_command on recordings (command)")


STEPS: tuple[Callable[[Database], None], ...] = (
    sessions_and_actions,
    chained_records,
    searchable_and_named_for_people,
    commands_in_recordings,
)


def migrations() -> Migrations:
    """Return the migrations, each run in one transaction together with the row that says so."""
    from sqlite_utils.migrations import Migrations

    steps = Migrations(SET)
    for step in STEPS:
        steps()(step)
    return steps


def pending(db: Database) -> list[str]:
    """Return the names of migrations that a file still needs.

    Raises:
        ActionLogError: The file has migrations that this cockpit doesn't know.
    """
    steps = migrations()
    known = {step.__name__ for step in STEPS}
    if unknown := [step.name for step in steps.applied(db) if step.name not in known]:
        raise ActionLogError(
            f"the action log was written by a newer cockpit (it has {', '.join(unknown)})",
            remedy="update this cockpit, or use another place with --data-dir",
        )
    return [step.name for step in steps.pending(db)]
