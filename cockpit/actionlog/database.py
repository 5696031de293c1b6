"""Opens the action log's file and maps everything that SQLite or the disk may object to.

This is the one seam for sqlite3's exceptions. `sqlite_utils` (75 ms) and `sqlite3` are imported when a file is
opened, not when this module is.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.actionlog import schema
from cockpit.errors import ActionLogError

if TYPE_CHECKING:
    import sqlite3

    from sqlite_utils import Database

BUSY_S = 5.0
"""Seconds to wait for another process that is writing."""

_REMEDIES = {
    "SQLITE_FULL": ("has no room: the disk is full", "make room, or use another place with --data-dir"),
    "SQLITE_READONLY": ("can't be written", "check the rights of the file and its folder"),
    "SQLITE_PERM": ("can't be written", "check the rights of the file and its folder"),
    "SQLITE_CANTOPEN": ("can't be opened", "check the rights of the file and its folder"),
    "SQLITE_BUSY": ("is locked by another process", "see which with `fuser`, and end that or wait for it"),
    "SQLITE_LOCKED": (
        "another process keeps it locked",
        "see which with `fuser`, and end that or wait for it",
    ),
    "SQLITE_CORRUPT": ("is damaged", "move it aside, and a new one is begun"),
    "SQLITE_NOTADB": ("is no action log, or is damaged", "move it aside, and a new one is begun"),
    "SQLITE_IOERR": ("can't be written or read", "look for a full or failing disk, or use --data-dir"),
}


@contextlib.contextmanager
def _lightly() -> Iterator[None]:
    """Let sqlite_utils do without numpy, whose types it would know: 70 ms that no record has a use for.

    Only while there is one thread, since others may be about to import it.
    """
    hidden = "numpy" not in sys.modules and threading.active_count() == 1
    if hidden:
        sys.modules["numpy"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules["numpy"]


@contextlib.contextmanager
def errors_mapped(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into an ActionLogError that says what to do."""
    import sqlite3

    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorname", "") or ""
        what, remedy = _REMEDIES.get("_".join(code.split("_")[:2]), ("can't be used", "run `cockpit doctor`"))
        raise ActionLogError(f"the action log {what} ({error})", where=str(path), remedy=remedy) from error
    except OSError as error:
        raise ActionLogError(
            f"the action log can't be kept here ({error.strerror or error})",
            where=str(error.filename or path),
            remedy="check the rights and the disk, or use another place with --data-dir",
        ) from error


def create(path: Path) -> None:
    """Make the file and its folder where they are missing, readable by their owner alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def connect(path: Path, *, busy_s: float = BUSY_S) -> Database:
    """Open a file for writing, and bring its tables up to date. For one thread.

    A commit is on the disk when it returns: WAL with `synchronous = FULL` (https://sqlite.org/pragma.html).

    Raises:
        sqlite3.Error: It can't be opened, or is no action log.
        ActionLogError: A newer cockpit wrote it.
    """
    import sqlite3

    with _lightly():
        from sqlite_utils import Database

    connection = sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)
    try:
        db = Database(connection, execute_plugins=False)
        _set_wal(connection, busy_s)
        db.execute("pragma synchronous = full")
        db.execute("pragma fullfsync = on")
        db.execute("pragma journal_size_limit = 16777216")
        db.execute("pragma wal_autocheckpoint = 4096")
        if schema.pending(db):
            with immediate(db):
                schema.migrations().apply(db)
    except BaseException:
        connection.close()
        raise
    return db


def _set_wal(connection: sqlite3.Connection, busy_s: float) -> None:
    """Switch the file to a write-ahead log.

    The switch takes an exclusive lock for which SQLite calls no busy handler, so that two processes that begin one
    file at once have to be patient by themselves.
    """
    import sqlite3
    import time

    deadline = time.monotonic() + busy_s
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def connect_to_read(path: Path) -> Database:
    """Open a file for reading, also one in a folder that can't be written.

    Raises:
        sqlite3.Error: It can't be opened, or is no action log.
    """
    import sqlite3

    with _lightly():
        from sqlite_utils import Database

    for mode in ("mode=ro", "mode=ro&immutable=1"):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{mode}",
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("select count(*) from sqlite_master")
        except sqlite3.OperationalError:
            connection.close()
            # Only where no write-ahead log is left to read may the file be taken as it stands.
            if "immutable" in mode or os.access(path.parent, os.W_OK) or _unread_log(path):
                raise
        except sqlite3.Error:
            connection.close()
            raise
        else:
            return Database(connection, execute_plugins=False)
    raise AssertionError("the last way either returns or raises")


def _unread_log(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


@contextlib.contextmanager
def immediate(db: Database) -> Iterator[None]:
    """Hold the file's write lock for the length of a block, which is kept whole or not at all."""
    import sqlite3

    db.execute("begin immediate")
    try:
        yield
        db.execute("commit")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            db.rollback()
        raise
