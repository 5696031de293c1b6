"""Reads notes, evidence and approvals, on a connection of its own that can write nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.actionlog.capture import unpack
from cockpit.actionlog.database import connect, connect_to_read, errors_mapped
from cockpit.actionlog.files import MEDIA_TYPE, Manifest, manifest_of
from cockpit.actionlog.records import (
    Answer,
    Approval,
    Evidence,
    Note,
    Recorded,
    Recording,
    Session,
    SessionEnd,
)
from cockpit.actionlog.schema import pending
from cockpit.errors import ActionLogError, UsageError
from cockpit.signals import rfc3339

if TYPE_CHECKING:
    from sqlite_utils import Database


class EntryReader:
    """Answers questions about what was pinned and approved. A log that nothing has written yet is an empty one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db: Database | None = None
        self._lock = threading.Lock()

    def note(self, note: str) -> Note:
        """Return one note by its id or the beginning of it.

        Raises:
            UsageError: No note, or more than one, has an id that begins so.
            ActionLogError: The log can't be read.
        """
        return note_of(self._one("select * from notes", note, "note"))

    def notes(self, *, incident: str = "", action: str = "", limit: int = 1000) -> Sequence[Note]:
        """Return the newest notes that fit, newest first.

        Raises:
            ActionLogError: The log can't be read.
        """
        return tuple(map(note_of, self._newest("notes", limit, incident=incident, action=action)))

    def evidence(self, *, incident: str = "", limit: int = 1000) -> Sequence[Evidence]:
        """Return the newest evidence that fits, newest first, but for its content.

        Raises:
            ActionLogError: The log can't be read.
        """
        return tuple(map(evidence_of, self._newest("evidence", limit, incident=incident)))

    def evidence_body(self, evidence: str) -> bytes:
        """Return the content of a piece of evidence by its id or the beginning of it.

        Raises:
            UsageError: None, or more than one, has an id that begins so, or its content was pruned.
            ActionLogError: The log can't be read, or the content is damaged.
        """
        row = self._one("select * from evidence", evidence, "evidence")
        if row["body"] is None:
            raise UsageError(f"the content of {row['id']} was pruned")
        try:
            return unpack(row["codec"], row["size"], row["body"])
        except ValueError as error:
            raise self._damaged(f"evidence {row['id']}", error) from None

    def manifests(self) -> Sequence[tuple[str, Manifest]]:
        """Return the files that pieces of evidence name, each with the evidence's id, oldest first.

        Raises:
            ActionLogError: The log can't be read, or a manifest is damaged.
        """
        sql = "select id from evidence where media_type = :type and body is not null order by position"
        with self._lock, errors_mapped(self.path):
            found = list(self._query(sql, {"type": MEDIA_TYPE}))
        return tuple((row["id"], manifest_of(self.evidence_body(row["id"]))) for row in found)

    def approval(self, request: str) -> Approval:
        """Return one request for approval, by its id or the beginning of it, with the answers to it.

        Raises:
            UsageError: No request, or more than one, has an id that begins so.
            ActionLogError: The log can't be read.
        """
        row = self._one("select * from (select * from approvals where kind = 'request')", request, "request")
        return self._with_answers(row)

    def approvals(self, *, incident: str = "", limit: int = 1000) -> Sequence[Approval]:
        """Return the newest requests for approval that fit, newest first, with the answers to each.

        Raises:
            ActionLogError: The log can't be read.
        """
        rows = self._newest("approvals", limit, incident=incident, kind="request")
        return tuple(self._with_answers(row) for row in rows)

    def ran_under(self, request: str) -> bool:
        """Return whether an action was let run under the approval with that full id.

        Raises:
            ActionLogError: The log can't be read.
        """
        with self._lock, errors_mapped(self.path):
            found = self._query(
                "select 1 from actions where decision = 'run' and approvals is not null "
                "and exists (select 1 from json_each(approvals) where value = :request) limit 1",
                {"request": request},
            )
            return next(found, None) is not None

    def recording(self, action: str) -> Sequence[Recording]:
        """Return the places in the recording of the shell with that full id, in order; none where it is no shell.

        Raises:
            ActionLogError: The log can't be read.
        """
        return self._recordings("action", action)

    def recorded_in(self, command: str) -> Recording | None:
        """Return where in a shell's recording the command with that full id was typed; None where it wasn't.

        Raises:
            ActionLogError: The log can't be read.
        """
        found = self._recordings("command", command)
        return found[0] if found else None

    def _recordings(self, column: str, value: str) -> Sequence[Recording]:
        sql = f"select * from recordings where {column} = :value order by position"  # noqa: S608  fixed names
        with self._lock, errors_mapped(self.path):
            return tuple(map(recording_of, self._query(sql, {"value": value})))

    def _with_answers(self, row: dict[str, Any]) -> Approval:
        with self._lock, errors_mapped(self.path):
            answers = self._query(
                "select * from approvals where request = :id order by position", {"id": row["id"]}
            )
            return _approval_of(row, list(answers))

    def _newest(self, table: str, limit: int, **wanted: str) -> list[dict[str, Any]]:
        """Return the newest rows of a table whose columns are as wanted; an empty string wants nothing."""
        conditions = [f"{name} = :{name}" for name, value in wanted.items() if value]
        where = f"where {' and '.join(conditions)}" if conditions else ""
        columns = "*, body is not null as kept" if table == "evidence" else "*"
        sql = f"select {columns} from {table} {where} order by position desc limit :limit"  # noqa: S608  fixed names
        with self._lock, errors_mapped(self.path):
            return list(self._query(sql, {**wanted, "limit": limit}))

    def _one(self, select: str, beginning: str, what: str) -> dict[str, Any]:
        """Return the one row whose id begins so."""
        first = beginning.strip().upper()
        sql = f"{select} where id >= :first and id < :first || '~' order by id limit 2"
        with self._lock, errors_mapped(self.path):
            rows = list(self._query(sql, {"first": first}))
        if len(rows) != 1 or not first:
            which = f"more than one {what} begins" if rows else f"no {what} begins"
            raise UsageError(f"{which} with {beginning!r}")
        return rows[0]

    def _damaged(self, what: str, error: ValueError) -> ActionLogError:
        return ActionLogError(
            f"{what} is damaged: {error}",
            where=str(self.path),
            remedy="`cockpit log verify` names the first bad row",
        )

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def _query(self, sql: str, values: Mapping[str, object]) -> Iterator[dict[str, Any]]:
        if self._db is None:
            if not self.path.exists():
                return iter(())
            self._db = self._opened()
        return iter(self._db.query(sql, dict(values)))

    def _opened(self) -> Database:
        """Open the file; one from an older cockpit is brought up to date first."""
        db = connect_to_read(self.path)
        if pending(db):
            db.close()
            connect(self.path).close()
            db = connect_to_read(self.path)
        return db


def note_of(row: Mapping[str, Any]) -> Note:
    """Return a row of `notes` as a record."""
    return Note(
        id=row["id"],
        session=row["session"],
        at=rfc3339(row["at_ns"]),
        actor=row["actor"],
        incident=row["incident"],
        action=row["action"],
        text=row["text"],
        hash=row["hash"],
    )


def evidence_of(row: Mapping[str, Any]) -> Evidence:
    """Return a row of `evidence` as a record; its content is read by itself."""
    return Evidence(
        id=row["id"],
        session=row["session"],
        at=rfc3339(row["at_ns"]),
        actor=row["actor"],
        incident=row["incident"],
        kind=row["kind"],
        title=row["title"],
        query=row["query"],
        start_ns=row["start_ns"],
        end_ns=row["end_ns"],
        media_type=row["media_type"],
        size=row["size"],
        content_sha256=row["content_sha256"],
        kept=bool(row["kept"]),
        hash=row["hash"],
    )


def session_of(row: Mapping[str, Any]) -> Session:
    """Return a row of `sessions` as a record."""
    return Session(
        id=row["id"],
        at=rfc3339(row["started_ns"]),
        user=row["user"],
        host=row["host"],
        tty=row["tty"] or None,
        sudo_user=row["sudo_user"] or None,
        key_fingerprint=row["key_fingerprint"],
        version=row["version"],
        hash=row["hash"],
    )


def session_end_of(row: Mapping[str, Any]) -> SessionEnd:
    """Return a row of `session_ends` as a record."""
    return SessionEnd(session=row["session"], at=rfc3339(row["ended_ns"]), how=row["how"], hash=row["hash"])


def _approval_of(row: Mapping[str, Any], answers: list[dict[str, Any]]) -> Approval:
    """Return a request for approval, with the answers to it, as a record."""
    return Approval(
        id=row["id"],
        session=row["session"],
        at=rfc3339(row["at_ns"]),
        actor=row["actor"],
        incident=row["incident"],
        target=row["target"],
        asked=row["asked"],
        expires_ns=row["expires_ns"],
        answers=tuple(_answer(answer) for answer in answers),
        hash=row["hash"],
    )


def _answer(row: Mapping[str, Any]) -> Answer:
    return Answer(
        id=row["id"],
        at=rfc3339(row["at_ns"]),
        granted=row["kind"] == "grant",
        approver=row["approver"],
        key_fingerprint=row["key_fingerprint"],
        signature=row["signature"],
        remark=row["remark"],
        hash=row["hash"],
    )


def recording_of(row: Mapping[str, Any]) -> Recording:
    """Return a place in a recording from its row."""
    return Recording(
        id=row["id"],
        at=row["at_ns"],
        at_byte=row.get("at_byte") or 0,
        action=row["action"],
        what=Recorded(row["kind"]),
        command=row.get("command"),
        title=row["title"],
        term=row["term"],
        columns=row["columns"],
        rows=row["rows"],
    )
