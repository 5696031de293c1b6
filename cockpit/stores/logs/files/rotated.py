"""A log that was rotated: another file has its name. It is not held open for ever, as it would fill its disk."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from cockpit.errors import CockpitError
from cockpit.stores.logs.files.opened import NAMES, Change, LogBytes, MissingLog, OpenedLog

QUIET = 60.0
"""Seconds without growth after which its writer is taken to have gone over to the new file."""
HELD = 16
"""Rotated files of one name that are held open though they have no name any more, as after they were packed."""


class LogGone(CockpitError):
    """A rotated file is neither held open nor found."""

    def __init__(self, path: str) -> None:
        super().__init__("this record is gone: its file was rotated, and then removed or packed", where=path)


class RotatedLog:
    """A rotated file: open while it may grow; later opened for each read, by whatever name it has in its folder.

    One that has no name by then is held open, as it could not be opened again; `rotate` bounds how many.

    Attributes:
        gone: Whether it can't be read any more.
        settling: Whether it is looked at just now to see if it need be open.
    """

    def __init__(self, log: LogBytes) -> None:
        """Take over a log that is open."""
        self.path = log.path
        self.begin, self.size, self.modified = log.begin, log.size, log.modified
        self.identity = log.identity
        self.gone = self.settling = False
        self._log: LogBytes | None = log
        self._name = ""
        self._due = time.monotonic() + QUIET
        self._settled = False

    @property
    def name(self) -> str:
        """By which another process opens it while it is open here."""
        return self._log.name if self._log is not None else ""

    @property
    def due(self) -> bool:
        """Whether it is time to see if it need be open."""
        waits = self._settled or self.settling or self._log is None
        return not waits and time.monotonic() >= self._due

    @property
    def held(self) -> bool:
        """Whether it is open, and stays so."""
        return self._log is not None and self._settled

    def read(self, offset: int, size: int) -> bytes:
        """Return bytes from an offset; fewer where the file ends before.

        Raises:
            LogGone: It is not to be found any more.
            CockpitError: The disk can't be read.
        """
        if self._log is not None:
            return self._log.read(offset, size)
        fd = None if self.gone else self._opened()
        if fd is None:
            self.abandon()
            raise LogGone(self.path)
        try:
            parts = []
            while size > 0 and (part := os.pread(fd, size, offset)):
                parts.append(part)
                offset, size = offset + len(part), size - len(part)
            return b"".join(parts)
        except OSError as error:
            raise CockpitError(f"the disk can't be read: {error.strerror}", where=self._name) from None
        finally:
            os.close(fd)

    def read_now(self, offset: int, size: int) -> bytes | None:
        """Return all of those bytes, where it is open and they are in memory."""
        return self._log.read_now(offset, size) if self._log is not None else None

    def beside(self) -> LogBytes:
        """Return what another thread can read it by."""
        return self._log.beside() if self._log is not None else self

    def look(self) -> Change:
        """Tell whether it was cut; that it has grown, `size` tells.

        Raises:
            CockpitError: It can't be looked at.
        """
        if self._log is None:
            return Change.NONE
        change, known = self._log.look(), self.size
        self.size, self.modified = self._log.size, self._log.modified
        if self.size > known:
            self._due = time.monotonic() + QUIET
        return change if change is Change.TRUNCATED else Change.NONE

    def settle(self) -> None:
        """Close it where it has not grown for long, and can be opened again.

        Raises:
            CockpitError: It can't be looked at.
        """
        try:
            if self._log is not None and not self._settled:
                self.look()
                if time.monotonic() >= self._due:
                    self._settle()
        finally:
            self.settling = False

    def _settle(self) -> None:
        self._settled = True
        if (fd := self._opened()) is not None:
            os.close(fd)
            self.close()

    def abandon(self) -> None:
        """Let go of it for good."""
        self.close()
        self.gone, self.size = True, 0

    def close(self) -> None:
        """Close it."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def _opened(self) -> int | None:
        """Open the file by a name that it has now; None where it has none in its folder, or was cut."""
        for name in (self._name or self.path, *_names(self.path, self.identity[1])):
            with contextlib.suppress(OSError):
                fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                found = os.fstat(fd)
                if (found.st_dev, found.st_ino) == self.identity and found.st_size >= self.size:
                    self._name = name
                    return fd
                os.close(fd)
        return None


class GoneLog(MissingLog):
    """A log that can't be opened again."""

    def read(self, offset: int, size: int) -> bytes:
        """Tell that it is gone.

        Raises:
            LogGone: Some bytes are wanted.
        """
        if size:
            raise LogGone(self.path)
        return b""


def _names(path: str, inode: int) -> Sequence[str]:
    """Return the names in a file's folder that are of an inode."""
    try:
        with os.scandir(Path(path).parent) as entries:
            return [entry.path for entry in islice(entries, NAMES) if entry.inode() == inode]
    except OSError:
        return ()


def rotate(logs: list[LogBytes], path: str) -> None:
    """Take the logs of this name, but for the last one, for rotated; let go of the oldest where too many are held."""
    for number, log in enumerate(logs[:-1]):
        if log.path == path and isinstance(log, OpenedLog):
            logs[number] = RotatedLog(log)
    held = [log for log in logs if isinstance(log, RotatedLog) and log.path == path and log.held]
    for log in held[:-HELD]:
        log.abandon()


def settle(logs: Iterable[LogBytes]) -> None:
    """Close the rotated ones that need not be open; what can't be looked at stays as it is."""
    for log in logs:
        if isinstance(log, RotatedLog) and (log.due or log.settling):
            with contextlib.suppress(CockpitError):
                log.settle()
