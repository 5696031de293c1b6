"""Which cockpits are alive, and what one that died has left open.

A session holds a lock (flock) on a file of its own for as long as its process lives; the kernel lets go of it however
that ends, `kill -9` and power loss included, and no process id is ever mistaken for another's. Whoever opens the log
next records the open actions of a dead session as interrupted.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.actionlog.capture import Sums, pieces_of
from cockpit.actionlog.chain import append
from cockpit.actionlog.database import immediate
from cockpit.actionlog.records import State

if TYPE_CHECKING:
    from sqlite_utils import Database

INTERRUPTED = "the cockpit was gone before the command's end was known"


def lock_path(path: Path, session: str) -> Path:
    """Return the file whose lock says that a session of the log at `path` lives."""
    return path.parent / "sessions" / f"{session}.lock"


class SessionLock:
    """Says to every other process that a session lives."""

    def __init__(self, path: Path, session: str) -> None:
        self._path = lock_path(path, session)
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        while True:
            self._number = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(self._number, fcntl.LOCK_EX)
                if self._is_in_place():
                    return
            except OSError:
                os.close(self._number)
                raise
            os.close(self._number)

    def _is_in_place(self) -> bool:
        """Return whether the locked file is still the one of that name: `_sweep` may have taken it for a stray."""
        try:
            return os.path.samestat(os.fstat(self._number), self._path.stat())
        except FileNotFoundError:
            return False

    def release(self, *, remove: bool) -> None:
        """Let go; the file stays where the session left something open."""
        if remove:
            self._path.unlink(missing_ok=True)
        os.close(self._number)


@contextlib.contextmanager
def _dead(path: Path, session: str) -> Iterator[bool]:
    """Hold a session's lock for the length of a block if its process is gone; yield whether it is."""
    try:
        number = os.open(lock_path(path, session), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield True
        return
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(number)


def is_alive(path: Path, session: str) -> bool:
    """Return whether the process of a session runs."""
    with _dead(path, session) as dead:
        return not dead


def close_dead(db: Database, path: Path, *, recorded_by: str) -> list[str]:
    """Record the open actions of dead sessions as interrupted, and return those actions' ids."""
    interrupted: list[str] = []
    for row in list(db.query("select session from running_sessions where session <> ?", [recorded_by])):
        session = row["session"]
        with _dead(path, session) as dead:
            if dead:
                interrupted += _close(db, session, recorded_by)
                lock_path(path, session).unlink(missing_ok=True)
    _sweep(db, path)
    return interrupted


def _sweep(db: Database, path: Path) -> None:
    """Remove the locks of sessions that died before they were recorded."""
    recorded = {row["session"] for row in db.query("select session from running_sessions")}
    for lock in lock_path(path, "").parent.glob("*.lock"):
        if lock.stem not in recorded:
            with _dead(path, lock.stem) as dead:
                if dead:
                    lock.unlink(missing_ok=True)


def _close(db: Database, session: str, recorded_by: str) -> list[str]:
    """Close one dead session in one transaction; another process may have been faster."""
    with immediate(db):
        if not list(db.query("select 1 from running_sessions where session = ?", [session])):
            return []
        open_actions = [
            row["id"]
            for row in db.query(
                "select id from actions a where session = ? "
                "and not exists (select 1 from results where action = a.id) order by id",
                [session],
            )
        ]
        now = time.time_ns()
        for action in open_actions:
            append(db, "results", {**_kept(db, action), **_interrupted(action, now, recorded_by)})
        end_session(db, session, how="died", recorded_by=recorded_by)
    return open_actions


def _interrupted(action: str, now: int, recorded_by: str) -> dict[str, object]:
    return {
        "action": action,
        "recorded_ns": now,
        "recorded_by": recorded_by,
        "ended_ns": None,
        "state": State.INTERRUPTED.value,
        "exit_status": None,
        "signal": None,
        "error": INTERRUPTED,
    }


def _kept(db: Database, action: str) -> dict[str, object]:
    """Sum up the output that reached the log."""
    sums = Sums()
    for row in db.query("select * from output where action = ? order by seq", [action]):
        try:
            pieces = pieces_of(row)
        except ValueError:
            break  # damaged; `cockpit log verify` names the row
        sums.add(pieces)
        sums.kept += row["size"]
    return sums.columns()


def end_session(db: Database, session: str, *, how: str, recorded_by: str) -> None:
    """Record a session's end and strike it from those to look after, within a transaction."""
    end = {"session": session, "ended_ns": time.time_ns(), "how": how, "recorded_by": recorded_by}
    append(db, "session_ends", end)
    db.execute("delete from running_sessions where session = ?", [session])
