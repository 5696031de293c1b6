"""Opens what is named as a log: a file as it is, and what is compressed or comes through a pipe by way of a spool.

The screen makes the spool and reads it; the process that reads logs fills it. A spool's file has no name, and is gone
with the two of them.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

from cockpit.stores.logs.files.filling import Filling
from cockpit.stores.logs.files.opened import LogBytes, OpenedLog, read_error
from cockpit.stores.logs.spool.decoding import LONGEST_MAGIC, compression_of
from cockpit.stores.logs.spool.spool import SpoolReader, new_spool, open_writer

LIMIT = 4 << 30
"""Bytes that a spool may take, compressed: some 40 GB of a log."""
SHARE = 2
"""A spool takes no more than such a part of what is free."""
LEAST = 16 << 20
STDIN = "stdin"


def open_here(path: str, folder: Path | None, *, limit: int = LIMIT, pipes: bool = True) -> LogBytes:
    """Open a log for the screen; what is in a spool comes once another process fills it.

    Args:
        path: A file, perhaps compressed, or a pipe.
        folder: Where a spool's file lies; None for the system's place for such files.
        limit: Bytes that a spool may take on the disk.
        pipes: Whether it may be a pipe; what has taken the place of a file may not.

    Raises:
        UsageError: It is a directory, a socket or a device.
        CockpitError: It can't be read, or there is no room for a spool.
    """
    if not (pipes and is_pipe(path)):
        log = OpenedLog(path)
        if not compression_of(log.read(0, LONGEST_MAGIC)):
            return log
        log.close()
    return new_spool(folder, label_of(path), limit=_within_reason(folder, limit))


def open_apart(number: int, path: str, spool: str) -> tuple[LogBytes, Filling]:
    """Open a spool for the process that reads, and what fills it.

    Args:
        number: The log's.
        path: As it was named.
        spool: The spool's name.

    Raises:
        CockpitError: It can't be read.
    """
    filling = Filling(number, path, open_writer(spool))
    return SpoolReader(os.open(spool, os.O_RDONLY | os.O_CLOEXEC), label_of(path)), filling


def spool_of(log: LogBytes) -> str:
    """Return the name of a log's spool, or an empty string."""
    return log.name if isinstance(log, SpoolReader) else ""


def is_pipe(path: str) -> bool:
    """Tell whether a path is of a pipe, named or not.

    Raises:
        CockpitError: It can't be looked at.
    """
    try:
        return stat.S_ISFIFO(Path(path).stat().st_mode)
    except OSError as error:
        raise read_error(path, error) from None


def path_of(descriptor: int) -> str:
    """Return a path by which a descriptor of this process is opened once more, here or in the process that reads."""
    return f"/proc/{os.getpid()}/fd/{descriptor}"


def label_of(path: str) -> str:
    """Return what a log is called."""
    return STDIN if path.startswith("/proc/") and "/fd/" in path else path


def _within_reason(folder: Path | None, limit: int) -> int:
    place = folder
    while place is not None and not place.exists():
        place = place.parent
    try:
        free = shutil.disk_usage(place or tempfile.gettempdir()).free
    except OSError as error:
        raise read_error(str(place or tempfile.gettempdir()), error) from None
    return min(limit, max(LEAST, free // SHARE))
