"""A log file that is open: read at any place, and watched for what growth and rotation do to it."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from enum import Enum
from pathlib import Path
from typing import Protocol

from cockpit.errors import CockpitError, UsageError

HEAD = 256
"""Bytes at a log's beginning by which it is known again."""


class Change(Enum):
    """What became of a file since it was looked at last."""

    NONE = "none"
    GROWN = "grown"
    TRUNCATED = "truncated"
    """It is shorter than it was: what was known of it is gone."""
    REPLACED = "replaced"
    """Another file has its name; the old one can still be read."""
    GONE = "gone"
    """Nothing has its name; the old one can still be read."""


class LogBytes(Protocol):
    """The bytes of a log, wherever they are kept."""

    path: str
    size: int
    modified: int

    def read(self, offset: int, size: int) -> bytes:
        """Return bytes from an offset; fewer where they end before."""

    def look(self) -> Change:
        """Tell what changed, and keep `size` true."""

    def close(self) -> None:
        """Let go of it."""


class OpenedLog:
    """A regular file, open for reading.

    Attributes:
        path: As it was named.
        size: Bytes it had when it was looked at last.
        modified: When it was written last, in nanoseconds since the epoch.
        identity: Its device and inode: which file it is, whatever its name.
    """

    def __init__(self, path: str) -> None:
        """Open it.

        Raises:
            UsageError: It is a directory, a pipe or a device.
            CockpitError: It is not there, or may not be read.
        """
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise read_error(path, error) from None
        found = os.fstat(self._fd)
        if not stat.S_ISREG(found.st_mode):
            os.close(self._fd)
            raise UsageError(f"it is {_kind(found.st_mode)}, not a file", where=path, remedy=_REMEDY)
        self.identity = (found.st_dev, found.st_ino)
        self.size, self.modified = found.st_size, found.st_mtime_ns
        self._head = self.read(0, HEAD)

    def read(self, offset: int, size: int) -> bytes:
        """Return bytes from an offset; fewer where the file ends before.

        Raises:
            CockpitError: The disk can't be read.
        """
        parts: list[bytes] = []
        try:
            while size > 0 and (part := os.pread(self._fd, size, offset)):
                parts.append(part)
                offset, size = offset + len(part), size - len(part)
        except OSError as error:
            raise read_error(self.path, error) from None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def look(self) -> Change:
        """Tell what changed; growth of a file that was renamed is told before that it was.

        Raises:
            CockpitError: The file can't be looked at, as on a disk that is gone.
        """
        try:
            found = os.fstat(self._fd)
        except OSError as error:
            raise read_error(self.path, error) from None
        known, self.size, self.modified = self.size, found.st_size, found.st_mtime_ns
        if found.st_size < known or (found.st_size > known and not self._is_the_same()):
            self._head = self.read(0, HEAD)
            return Change.TRUNCATED
        if found.st_size > known:
            return Change.GROWN
        try:
            named = Path(self.path).stat()
        except FileNotFoundError:
            return Change.GONE
        except OSError as error:
            raise read_error(self.path, error) from None
        return Change.NONE if (named.st_dev, named.st_ino) == self.identity else Change.REPLACED

    def _is_the_same(self) -> bool:
        """Tell whether it still begins as it did: it may have been truncated and written anew between two looks."""
        head = self.read(0, HEAD)
        same = head.startswith(self._head)
        if same and len(head) > len(self._head):
            self._head = head
        return same

    def close(self) -> None:
        """Close it."""
        with contextlib.suppress(OSError):
            os.close(self._fd)


_REMEDY = "a pipe is read as: cockpit logs - < PIPE"


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a directory"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    return next((name for test, name in kinds if test(mode)), "a device")


def read_error(path: str, error: OSError) -> CockpitError:
    """Return what a person can do about a file that can't be read."""
    if isinstance(error, FileNotFoundError):
        near = Path(path).parent
        return CockpitError("there is no such file", where=path, remedy=f"look in {near}")
    if isinstance(error, PermissionError):
        return CockpitError(
            "you may not read it", where=path, remedy="ask for the group that may, such as adm"
        )
    if error.errno in (errno.EIO, errno.ESTALE, errno.ENXIO):
        return CockpitError(f"the disk can't be read: {error.strerror}", where=path)
    return CockpitError(f"it can't be read: {error.strerror or error}", where=path)
