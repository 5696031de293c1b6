"""Makes an action log as the first schema had it, with rows, by that schema's own migration."""

from __future__ import annotations

import json
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from cockpit.actionlog import schema

OUTPUT = (b"hello\n", b"\xff\x00err\n")


def old_log(path: Path) -> None:
    """Write a file with two sessions, three actions and some output."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    db = Database(str(path), execute_plugins=False)
    steps = Migrations(schema.SET)
    steps()(schema.sessions_and_actions)
    steps.apply(db)
    session, start = "", 0
    for number in (1, 2):
        session = f"01ARYZ6S41TSV4RRFFQ69G5F{number:02}"
        start = 1_700_000_000_000_000_000 + number * 10_000
        who = {"user": "ann", "host": "desk", "tty": "", "sudo_user": "", "pid": 7, "version": "0.0.9"}
        db.table("sessions").insert({"id": session, "started_ns": start, **who})
        action = f"01ARYZ6S41TSV4RRFFQ69G5A{number:02}"
        db.table("actions").insert(_action(action, session, start + 1))
        for seq, (stream, data) in enumerate(zip(("stdout", "stderr"), OUTPUT, strict=True)):
            row = {"action": action, "seq": seq, "at_ns": start + 2 + seq, "stream": stream, "data": data}
            db.table("output").insert(row)
        db.table("results").insert(_result(action, session, start + 5))
        end = {"session": session, "ended_ns": start + 6, "how": "closed", "recorded_by": session}
        db.table("session_ends").insert(end)
    db.table("actions").insert(_action("01ARYZ6S41TSV4RRFFQ69G5A03", session, start + 4))
    db.close()


def _action(action: str, session: str, started: int) -> dict[str, object]:
    return {
        "id": action,
        "session": session,
        "started_ns": started,
        "incident": "INC-1",
        "actor": "ann@desk",
        "origin": "operator",
        "target": "local",
        "environment": "staging",
        "transport": "local",
        "argv": json.dumps(["echo", "hello"]),
        "shell": None,
        "cwd": None,
        "reason": None,
        "ticket": None,
        "risk": "unknown",
        "decision": "run",
        "reasons": "[]",
    }


def _result(action: str, session: str, at: int) -> dict[str, object]:
    return {
        "action": action,
        "recorded_ns": at,
        "recorded_by": session,
        "ended_ns": at,
        "state": "done",
        "exit_status": 0,
        "signal": None,
        "error": None,
        "output_sha256": "0" * 64,
        "output_bytes": 12,
        "output_kept": 12,
    }
