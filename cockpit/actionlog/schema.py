"""The tables of the action log, as named migrations.

A record is never changed: an action is one row of `actions`, written before it starts, and rows of `results`,
written after. The newest result counts, and so does the newest end of a session. `running_sessions` alone is
bookkeeping, and says which sessions to look at when one of them may have died. Times are nanoseconds since the
epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cockpit.errors import ActionLogError

if TYPE_CHECKING:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

SET = "actionlog"


def sessions_and_actions(db: Database) -> None:
    """Lay the tables for sessions, intents, results and output."""
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
    db.create_view(
        "action_states",
        "select a.rowid as place, a.*, r.ended_ns, r.state, r.exit_status, r.signal, r.error, r.output_sha256, "
        "r.output_bytes, r.output_kept "
        "from actions a left join results r on r.id = (select max(id) from results where action = a.id)",
    )


STEPS: tuple[Callable[[Database], None], ...] = (sessions_and_actions,)


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
