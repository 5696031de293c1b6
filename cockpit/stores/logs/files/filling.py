"""Fills a spool from a pipe or a compressed file, a little at a time, and never waits."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time

from cockpit.errors import CockpitError
from cockpit.stores.logs.files.opened import CUT_OFF, read_error
from cockpit.stores.logs.spool.decoding import LONGEST_MAGIC, compression_of, decoder_of
from cockpit.stores.logs.spool.spool import SpoolWriter

GULP = 1 << 16
"""Bytes read at once; compressed, they may hold a thousand times as many."""
PIPE_HOLDS = 1 << 20
"""Bytes that a pipe may hold before its writer waits, where the system lets that be said."""
REST = 0.05
"""Seconds until what has ended is looked at again: a pipe may get another writer, a file may grow."""
MOST = 1 << 36
"""Bytes that a compressed log may hold; what claims to hold more is no log."""


class _TooMuch(Exception):
    """A compressed log holds more than any log does."""


class Filling:
    """One source of bytes and the spool that they go to.

    Attributes:
        number: The log's.
        total: Bytes that the source has, 0 for a pipe.
        left: Bytes of it that were not read.
        done: Whether a compressed file was read to its end.
        stream: Whether the source is a pipe.
        trouble: Why it can't go on, or what was left out; empty where all is well.
    """

    def __init__(self, number: int, path: str, writer: SpoolWriter) -> None:
        """Open the source; a pipe's writer need not be there yet.

        Raises:
            CockpitError: It can't be read.
        """
        self.number = number
        self.trouble = ""
        self.done = False
        self._path = path
        self._writer = writer
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            found = os.fstat(self._fd)
        except OSError as error:
            raise read_error(path, error) from None
        self.stream = not stat.S_ISREG(found.st_mode)
        self.total = self.left = 0 if self.stream else found.st_size
        if self.stream:
            with contextlib.suppress(OSError):
                fcntl.fcntl(self._fd, fcntl.F_SETPIPE_SZ, PIPE_HOLDS)
        self._head = b""
        self._decoder = decoder_of("") if writer.size else None
        """A spool that holds bytes already is gone on with by another process; its pipe was of plain bytes."""
        self._resting = 0.0
        self._broken = False

    @property
    def waits(self) -> int | None:
        """The descriptor that tells when there is more, if one does."""
        return self._fd if self.stream and not self._broken and not self._resting else None

    @property
    def busy(self) -> bool:
        """Whether there is more to read now."""
        return not (self.stream or self._broken or self._resting)

    def step(self) -> bool:
        """Read a little; tell whether anything came."""
        if self._broken or (self._resting and time.monotonic() < self._resting):
            return False
        try:
            data = os.read(self._fd, PIPE_HOLDS if self.stream else GULP)
        except BlockingIOError:
            self._resting = 0.0
            return False
        except OSError as error:
            if error.errno == errno.EINTR:
                return False
            return self._broke(str(read_error(self._path, error)))
        if not data:
            self._resting = time.monotonic() + REST
            self._ended()
            return False
        self._resting = 0.0
        self.left = max(0, self.left - len(data))
        return self._take(data)

    def close(self) -> None:
        """Close both."""
        os.close(self._fd)
        self._writer.close()

    def _take(self, data: bytes) -> bool:
        if self._decoder is None:
            data = self._head + data
            if len(data) < LONGEST_MAGIC and not data.endswith(b"\n"):
                self._head = data
                return False
            self._head, self._decoder = b"", decoder_of(compression_of(data))
        return self._give(data)

    def _give(self, data: bytes) -> bool:
        assert self._decoder is not None
        try:
            self._decoder.give(data, self._keep)
        except _TooMuch:
            return self._broke(f"it holds more than {MOST >> 30} GiB: the rest is left out")
        except CockpitError as error:
            return self._broke(str(error))
        if self._writer.trouble:
            self.trouble = f"older lines give way: {self._writer.trouble}"
        return True

    def _keep(self, data: bytes) -> None:
        if not self.stream and self._writer.size > MOST:
            raise _TooMuch
        self._writer.write(data)

    def _ended(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._decoder = decoder_of("")
            self._give(head)
        if not self.stream:
            self.done = True
            self.left = 0
            if self._decoder is not None and not self._decoder.whole:
                self.trouble = CUT_OFF

    def _broke(self, why: str) -> bool:
        self.trouble, self._broken, self.done, self.left = why, True, True, 0
        return False
