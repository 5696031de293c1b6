"""The one thread in which a cockpit writes its action log, and the session that it writes in.

Neither the disk nor another process that holds the file ever stops the screen.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cockpit import __version__
from cockpit.actionlog import checkpoints, search
from cockpit.actionlog.chain import append, head
from cockpit.actionlog.database import connect, create, errors_mapped, immediate
from cockpit.actionlog.sessions import SessionLock, close_dead, end_session
from cockpit.actions.actor import Actor
from cockpit.errors import ActionLogError, SignatureError
from cockpit.guard import signing

if TYPE_CHECKING:
    from sqlite_utils import Database

T = TypeVar("T")


class Writer:
    """Runs jobs on the file one after another, each in the writer's thread.

    Attributes:
        interrupted: Actions that earlier sessions left open, recorded as interrupted when this one began.
        closed: Whether it takes nothing more.
    """

    def __init__(self, path: Path, session: str, *, busy_s: float, signing_key: Path | None = None) -> None:
        self.path = path
        self.session = session
        self.interrupted: list[str] = []
        self._signing_key = signing_key
        self._host = ""
        self._busy_s = busy_s
        self._synced = "full"
        self._owed: list[tuple[str, dict[str, Any]]] = []
        self.closed = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="action-log")

    def open(self, actor: Actor) -> None:
        """Open the file and begin the session; blocks.

        Raises:
            ActionLogError: It can't be read or written.
        """
        try:
            self._thread.submit(self._begin, actor).result()
        except BaseException:
            self._thread.shutdown()
            raise

    def submit(self, job: Callable[[Database], T], *, quick: bool = False) -> Future[T]:
        """Have a job run after all that were submitted before; what a quick one writes may wait for the disk.

        Raises:
            ActionLogError: The log is closed. What the job itself raises is mapped, and raised by the future.
        """
        self.must_be_open()
        return self._thread.submit(self._run, job, quick=quick)

    def must_be_open(self) -> None:
        """Tell whoever writes after the end.

        Raises:
            ActionLogError: The log is closed.
        """
        if self.closed:
            raise ActionLogError("the action log is closed", where=str(self.path))

    async def run(self, job: Callable[[Database], T]) -> T:
        """Wait for a job; a caller that is cancelled does not undo it."""
        return await asyncio.shield(asyncio.wrap_future(self.submit(job)))

    def close(self, *, clean: bool) -> None:
        """End the session, sealed by a checkpoint; twice is once. Blocks.

        Args:
            clean: Whether nothing is left open. What is, the next session records as interrupted.

        Raises:
            ActionLogError: The end could not be recorded; everything is let go of all the same.
        """
        if self.closed:
            return
        self.closed = True
        try:
            self._thread.submit(self._end, clean=clean).result()
        finally:
            self._thread.shutdown()

    # What follows runs in the writer's thread.

    def insert(self, db: Database, *rows: tuple[str, dict[str, Any]]) -> None:
        """Write records, each a table and its columns, in one transaction; they are on the disk when this returns."""
        self.pay(db)
        with immediate(db):
            for table, row in rows:
                append(db, table, row)

    def insert_output(self, db: Database, row: dict[str, Any], words: str) -> None:
        """Write output, and index its words.

        It is written without waiting for the disk: only intents and results have to outlive a power failure.
        """
        self._sync(db, "normal")
        with immediate(db):
            written = append(db, "output", row)
            if words:
                search.add_output(db, written.position, row["action"], words)

    def _sync(self, db: Database, how: str) -> None:
        """Say whether a commit waits for the disk; asked for only where that changes."""
        if how != self._synced:
            db.execute(f"pragma synchronous = {how}")
            self._synced = how

    def owe(self, table: str, row: dict[str, Any]) -> None:
        """Note a record that must be written, now or with whatever is written next."""
        self._owed.append((table, row))

    def pay(self, db: Database) -> None:
        """Write what is owed."""
        while self._owed:
            self._sync(db, "full")
            with immediate(db):
                append(db, *self._owed[0])
            del self._owed[0]

    def _begin(self, actor: Actor) -> None:
        self._host = actor.host
        with errors_mapped(self.path):
            create(self.path)
            self._lock = SessionLock(self.path, self.session)
            try:
                self._db = connect(self.path, busy_s=self._busy_s)
            except BaseException:
                self._lock.release(remove=True)
                raise
            try:
                self._introduce(actor)
                self.interrupted = close_dead(self._db, self.path, recorded_by=self.session)
                _sync_folder(self.path.parent)
            except BaseException:
                self._db.close()
                self._lock.release(remove=True)
                raise

    def _introduce(self, actor: Actor) -> None:
        row = {
            "id": self.session,
            "started_ns": time.time_ns(),
            "user": actor.user,
            "host": actor.host,
            "tty": actor.tty,
            "sudo_user": actor.sudo_user,
            "key_fingerprint": _fingerprint(self._signing_key),
            "pid": os.getpid(),
            "version": __version__,
        }
        with immediate(self._db):
            append(self._db, "sessions", row)
            self._db.execute("insert into running_sessions (session) values (?)", [self.session])

    def _run(self, job: Callable[[Database], T], *, quick: bool) -> T:
        with errors_mapped(self.path):
            if not quick:
                self._sync(self._db, "full")
            return job(self._db)

    def _end(self, *, clean: bool) -> None:
        try:
            with errors_mapped(self.path):
                self.pay(self._db)
                self._sync(self._db, "full")
                if clean:
                    self._seal()
        except BaseException:
            clean = False
            raise
        finally:
            self._db.close()
            self._lock.release(remove=clean)

    def _seal(self) -> None:
        """Record the session's end and a checkpoint. A signature may take its time, so none is waited for locked."""
        with immediate(self._db):
            end_session(self._db, self.session, how="closed", recorded_by=self.session)
            made = checkpoints.state(head(self._db), self.session, self._host)
            if self._signing_key is None:
                checkpoints.record(self._db, made)
        if self._signing_key is None:
            checkpoints.lay_beside(self.path, made)
        else:
            made = asyncio.run(checkpoints.signed(made, self._signing_key))
            checkpoints.keep(self._db, self.path, made)


def _fingerprint(key: Path | None) -> str | None:
    """Return the fingerprint of the operator's key; None where it can't be told, which its use will explain."""
    if key is None:
        return None
    try:
        return asyncio.run(signing.fingerprint(key))
    except SignatureError:
        return None


def _sync_folder(folder: Path) -> None:
    """Make the file's own name durable, which a sync of the file does not."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
