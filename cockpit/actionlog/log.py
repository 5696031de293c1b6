"""The action log as the door uses it: an intent before, output as it comes, a result after.

Every write happens in one thread of its own, so that neither the disk nor another process that holds the file ever
stops the screen. What can't be written is an `ActionLogError`, and the door then starts nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cockpit import __version__
from cockpit.actionlog.database import BUSY_S, connect, create, errors_mapped, immediate
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import Action, Result
from cockpit.actionlog.sessions import SessionLock, close_dead, end_session
from cockpit.actionlog.ulid import Ulids
from cockpit.actions.actor import current_actor
from cockpit.actions.command import Command, Risk
from cockpit.actions.transport import Stream
from cockpit.errors import ActionLogError
from cockpit.guard.judge import Decision

if TYPE_CHECKING:
    from sqlite_utils import Database

T = TypeVar("T")

FILE = "actions.db"
"""The log's name in the data directory."""
KEEP = 32 << 20
"""Bytes of output kept of one action; what comes after is counted and hashed, and not kept."""


@dataclass
class _Open:
    """An action between its intent and its result."""

    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    size: int = 0
    kept: int = 0
    pieces: int = 0
    broken: bool = False
    """Whether a piece could not be written; what is kept then ends before it."""


class ActionLog:
    """One cockpit's hold on the action log, which other cockpits and commands use at the same time.

    Attributes:
        path: The file.
        session: This session's ULID.
        interrupted: Actions that earlier sessions left open, recorded as interrupted when this one began.
    """

    def __init__(self, path: Path, *, keep: int = KEEP, busy_s: float = BUSY_S) -> None:
        self.path = path
        self.interrupted: list[str] = []
        self._keep = keep
        self._busy_s = busy_s
        self._ulids = Ulids()
        self.session = self._ulids.new()
        self._running: dict[str, _Open] = {}
        self._owed: list[dict[str, object]] = []
        self._reader: ActionReader | None = None
        self._closed = False
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="action-log")

    @classmethod
    def open(cls, path: Path, *, keep: int = KEEP, busy_s: float = BUSY_S) -> ActionLog:
        """Open the log, begin a session in it, and close what dead sessions left open.

        Blocks while it touches the disk: the screen calls it in a thread, after its first paint.

        Args:
            path: The file, made where it is missing: mode 0600, in a folder of mode 0700.
            keep: Bytes of output kept of one action.
            busy_s: Seconds to wait for another process that is writing.

        Raises:
            ActionLogError: It can't be read or written.
        """
        log = cls(path, keep=keep, busy_s=busy_s)
        try:
            log._writer.submit(log._begin_session).result()
        except BaseException:
            log._writer.shutdown()
            raise
        return log

    async def begin(
        self, command: Command, risk: Risk, decision: Decision, reasons: Sequence[str] = ()
    ) -> str:
        """Record what is about to run and return its id; it is on the disk when this returns.

        Raises:
            ActionLogError: It could not be recorded, so it must not run.
        """
        action = self._ulids.new()
        row: dict[str, object] = {
            "id": action,
            "session": self.session,
            "started_ns": time.time_ns(),
            "incident": _text(command.incident),
            "actor": _text(command.actor),
            "origin": command.origin.value,
            "target": _text(command.target.name),
            "environment": command.target.environment.value,
            "transport": command.target.transport,
            "argv": json.dumps(command.argv),
            "shell": _text(command.shell),
            "cwd": _text(command.cwd),
            "reason": _text(command.reason),
            "ticket": _text(command.ticket),
            "risk": risk.value,
            "decision": decision.value,
            "reasons": json.dumps(list(reasons)),
        }
        await self._write(lambda db: self._insert(db, "actions", row))
        self._running[action] = _Open()
        return action

    async def output(self, action: str, stream: Stream, data: bytes) -> None:
        """Keep a piece of output, up to the bound; return once it is written, so that a flood waits.

        Raises:
            ActionLogError: It could not be kept. Later pieces of the same action are counted and hashed only, so that
                what is kept has no hole.
        """
        held = self._running[action]
        held.digest.update(data)
        held.size += len(data)
        piece = data[: self._keep - held.kept]
        if not piece or held.broken:
            return
        row = {
            "action": action,
            "seq": held.pieces,
            "at_ns": time.time_ns(),
            "stream": stream.value,
            "data": piece,
        }
        held.pieces += 1
        held.kept += len(piece)
        try:
            await self._write(lambda db: self._insert_quickly(db, row))
        except ActionLogError:
            held.kept -= len(piece)
            held.broken = True
            raise

    async def finish(self, action: str, result: Result) -> None:
        """Record how an action ended.

        Raises:
            ActionLogError: It could not be recorded. It is tried again with whatever is written next; if this process
                ends before that, the next start shows the action as interrupted.
        """
        held = self._running.pop(action)
        now = time.time_ns()
        row: dict[str, object] = {
            "action": action,
            "recorded_ns": now,
            "recorded_by": self.session,
            "ended_ns": now,
            "state": result.state.value,
            "exit_status": result.exit_status,
            "signal": result.signal,
            "error": _text(result.error or ""),
            "output_sha256": held.digest.hexdigest(),
            "output_bytes": held.size,
            "output_kept": held.kept,
        }
        self._owed.append(row)
        await self._write(self._pay)

    async def list(
        self, *, limit: int = 50, session: str = "", incident: str = "", target: str = "", state: str = ""
    ) -> Sequence[Action]:
        """Return the newest actions that fit, newest first.

        Raises:
            ActionLogError: The log can't be read.
        """
        reader = self._reading()
        return await asyncio.to_thread(
            reader.list, limit=limit, session=session, incident=incident, target=target, state=state
        )

    async def show(self, action: str) -> Action:
        """Return one action by its id or the beginning of it.

        Raises:
            UsageError: No action, or more than one, has an id that begins so.
            ActionLogError: The log can't be read.
        """
        return await asyncio.to_thread(self._reading().show, action)

    def close(self) -> None:
        """End the session; twice is once. An action still open here is shown as interrupted by the next start.

        Raises:
            ActionLogError: The session's end could not be recorded; everything is let go of all the same.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self._writer.submit(self._end_session).result()
        finally:
            self._writer.shutdown()
            if self._reader is not None:
                self._reader.close()

    def _reading(self) -> ActionReader:
        if self._reader is None:
            self._reader = ActionReader(self.path)
        return self._reader

    async def _write(self, job: Callable[[Database], T]) -> T:
        """Run a job in the writer's thread; a caller that is cancelled does not undo it."""
        if self._closed:
            raise ActionLogError("the action log is closed", where=str(self.path))
        written = self._writer.submit(self._run, job)
        return await asyncio.shield(asyncio.wrap_future(written))

    # What follows runs in the writer's thread.

    def _begin_session(self) -> None:
        with errors_mapped(self.path):
            create(self.path)
            self._lock = SessionLock(self.path, self.session)
            try:
                self._db = connect(self.path, busy_s=self._busy_s)
            except BaseException:
                self._lock.release(remove=True)
                raise
            try:
                self._introduce()
                self.interrupted = close_dead(self._db, self.path, recorded_by=self.session)
                _sync_folder(self.path.parent)
            except BaseException:
                self._db.close()
                self._lock.release(remove=True)
                raise

    def _introduce(self) -> None:
        actor = current_actor()
        with immediate(self._db):
            self._db.table("sessions").insert(
                {
                    "id": self.session,
                    "started_ns": time.time_ns(),
                    "user": actor.user,
                    "host": actor.host,
                    "tty": actor.tty,
                    "sudo_user": actor.sudo_user,
                    "pid": os.getpid(),
                    "version": __version__,
                }
            )
            self._db.table("running_sessions").insert({"session": self.session})

    def _run(self, job: Callable[[Database], T]) -> T:
        with errors_mapped(self.path):
            return job(self._db)

    def _insert(self, db: Database, table: str, row: dict[str, object]) -> None:
        self._pay(db)
        with immediate(db):
            db.table(table).insert(row)

    def _insert_quickly(self, db: Database, row: dict[str, object]) -> None:
        """Write without waiting for the disk: only intents and results have to outlive a power failure."""
        db.execute("pragma synchronous = normal")
        try:
            with immediate(db):
                db.table("output").insert(row)
        finally:
            db.execute("pragma synchronous = full")

    def _pay(self, db: Database) -> None:
        """Write the results that are due."""
        while self._owed:
            with immediate(db):
                db.table("results").insert(self._owed[0])
            del self._owed[0]

    def _end_session(self) -> None:
        finished = False
        try:
            with errors_mapped(self.path):
                self._pay(self._db)
                if not self._running:
                    with immediate(self._db):
                        end_session(self._db, self.session, how="closed", recorded_by=self.session)
                    finished = True
        finally:
            self._db.close()
            self._lock.release(remove=finished)


def _text(value: str) -> str | None:
    """Return text as SQLite can hold it, None for none; an undecodable byte of an argument becomes U+FFFD."""
    return value.encode(errors="surrogateescape").decode(errors="replace") or None


def _sync_folder(folder: Path) -> None:
    """Make the file's own name durable, which a sync of the file does not."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
