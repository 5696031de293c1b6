"""A log file that is open: read at any place, and watched for what growth and rotation do to it."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Protocol

from cockpit.errors import CockpitError, UsageError

HEAD = 256
"""Bytes at a log's beginning by which it is known again."""
LAST = 64
"""Bytes at its end that must still be there when it has grown."""
NAMES = 5_000
"""Names in a folder among which a file is looked for."""
NOWAIT: int | None = getattr(os, "RWF_NOWAIT", None)
"""How preadv2 is told not to wait for a disk; None on systems that can't."""


class Change(Enum):
    """What became of a file since it was looked at last."""

    NONE = "none"
    GROWN = "grown"
    TRUNCATED = "truncated"
    """It is shorter than it was, or written anew: what was known of it is gone."""
    REPLACED = "replaced"
    """Another file has its name; the old one can still be read."""
    GONE = "gone"
    """Nothing has its name; the old one can still be read."""


class LogBytes(Protocol):
    """The bytes of a log, wherever they are kept."""

    path: str
    begin: int
    size: int
    modified: int
    identity: tuple[int, int]

    @property
    def name(self) -> str:
        """By which another process of this user opens the same file; empty where there is none."""

    def read(self, offset: int, size: int) -> bytes:
        """Return bytes from an offset; fewer where they end before."""

    def read_now(self, offset: int, size: int) -> bytes | None:
        """Return all of those bytes, where they are in memory; None where they would have to be waited for."""

    def beside(self) -> LogBytes:
        """Return what another thread can read it by; this one is closed last."""

    def look(self) -> Change:
        """Tell what changed, and keep `size` true."""

    def close(self) -> None:
        """Let go of it."""


class OpenedLog:
    """A regular file, open for reading.

    Attributes:
        path: As it was named.
        begin: Where what can be read begins: at 0.
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
        self.begin = 0
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise read_error(path, error) from None
        try:
            self._know(path)
        except CockpitError:
            self.close()
            raise

    def _know(self, path: str) -> None:
        try:
            found = os.fstat(self._fd)
        except OSError as error:
            raise read_error(path, error) from None
        if not stat.S_ISREG(found.st_mode):
            raise no_file(path, found.st_mode)
        self.identity = (found.st_dev, found.st_ino)
        self.size, self.modified = found.st_size, found.st_mtime_ns
        self._remember()

    @property
    def name(self) -> str:
        """By which another process opens this very file, whatever has its path by now."""
        return f"/proc/{os.getpid()}/fd/{self._fd}"

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

    def read_now(self, offset: int, size: int) -> bytes | None:
        """Return all of those bytes, where they are in the page cache and the file's system tells it (preadv2)."""
        if NOWAIT is None:
            return None
        data = bytearray(size)
        try:
            whole = os.preadv(self._fd, [data], offset, NOWAIT) == size
        except OSError:
            return None
        return bytes(data) if whole else None

    def beside(self) -> LogBytes:
        """Return the same: threads can read it at once."""
        return self

    def look(self) -> Change:
        """Tell what changed; of a file that was renamed and grows, that it was renamed.

        Raises:
            CockpitError: The file can't be looked at, as on a disk that is gone.
        """
        try:
            found = os.fstat(self._fd)
        except OSError as error:
            raise read_error(self.path, error) from None
        known, written = self.size, self.modified
        self.size, self.modified = found.st_size, found.st_mtime_ns
        if (self.size, self.modified) != (known, written) and not (
            self.size >= known and self._is_the_same()
        ):
            self._remember()
            return Change.TRUNCATED
        if self.size > known:
            self._remember()
        try:
            named = os.stat(self.path)  # noqa: PTH116  as files are looked at often
        except FileNotFoundError:
            return Change.GONE
        except OSError as error:
            raise read_error(self.path, error) from None
        if (named.st_dev, named.st_ino) != self.identity:
            return Change.REPLACED
        return Change.GROWN if self.size > known else Change.NONE

    def _remember(self) -> None:
        """Keep a little by which it is known again."""
        self._head = self.read(0, HEAD)
        self._place = max(0, self.size - LAST)
        self._last = self.read(self._place, self.size - self._place)

    def _is_the_same(self) -> bool:
        """Tell whether it still says what it said: it may have been truncated and written anew between two looks."""
        return (
            self.read(self._place, len(self._last)) == self._last
            and self.read(0, len(self._head)) == self._head
        )

    def close(self) -> None:
        """Close it; what is read later is an error, and not another file that has got its descriptor."""
        fd, self._fd = self._fd, -1
        with contextlib.suppress(OSError):
            os.close(fd)


class MissingLog:
    """Stands for a log that can't be opened for now: there is nothing in it, and it is seen when it comes."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.size = self.modified = self.begin = 0
        self.identity = NOWHERE
        self.name = ""

    def read(self, offset: int, size: int) -> bytes:
        """Return nothing."""
        return b""

    def read_now(self, offset: int, size: int) -> bytes | None:
        """Return nothing."""
        return None if size else b""

    def beside(self) -> LogBytes:
        """Return the same."""
        return self

    def look(self) -> Change:
        """Tell whether there is a file by its name now.

        Raises:
            UsageError: It is a directory, a pipe or a device.
            CockpitError: It can't be looked at.
        """
        try:
            found = os.stat(self.path)  # noqa: PTH116  as above
        except FileNotFoundError:
            return Change.GONE
        except OSError as error:
            raise read_error(self.path, error) from None
        if not stat.S_ISREG(found.st_mode):
            raise no_file(self.path, found.st_mode)
        return Change.REPLACED

    def close(self) -> None:
        """Do nothing."""


CUT_OFF = "it ends before its compressed data does: it was cut off, or is still written"
"""What is said of a log that is not whole, however it is compressed."""
NOWHERE = (0, 0)
"""The identity of a log that is missing."""


def open_again(path: str, identity: tuple[int, int]) -> LogBytes:
    """Open a certain file by its name, or by another in its folder that it was renamed to; else let it be missing."""
    names = [path]
    with contextlib.suppress(OSError), os.scandir(Path(path).parent) as entries:
        names += [entry.path for entry in islice(entries, NAMES) if entry.inode() == identity[1]]
    for name in names:
        try:
            log = OpenedLog(name)
        except CockpitError:
            continue
        if log.identity == identity:
            log.path = path
            return log
        log.close()
    return MissingLog(path)


_REMEDY = "a pipe is read as: cockpit logs - < PIPE"


def no_file(path: str, mode: int) -> UsageError:
    """Return what to say of what is no regular file."""
    kinds = ((stat.S_ISDIR, "a directory"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    kind = next((name for test, name in kinds if test(mode)), "a device")
    return UsageError(f"it is {kind}, not a file", where=path, remedy=_REMEDY)


def read_error(path: str, error: OSError) -> CockpitError:
    """Return what a person can do about a file that can't be read."""
    if isinstance(error, FileNotFoundError):
        near = Path(path).parent
        return CockpitError("there is no such file", where=path, remedy=f"look in {near}")
    if isinstance(error, PermissionError):
        return CockpitError(
            "you may not read it", where=path, remedy="ask for the group that may, such as adm"
        )
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return CockpitError(
            "too many files are open", where=path, remedy="open fewer, or allow more: ulimit -n 65536"
        )
    if error.errno in (errno.EIO, errno.ESTALE, errno.ENXIO):
        return CockpitError(f"the disk can't be read: {error.strerror}", where=path)
    return CockpitError(f"it can't be read: {error.strerror or error}", where=path)
