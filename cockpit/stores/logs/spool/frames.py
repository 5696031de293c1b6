"""Frames of bytes in one file of bounded size: where it is full, the oldest give way.

The file is written around: at its end, writing goes on at its beginning, over the oldest frames. A disk that is full
is an end as well, so what was written there already goes on being used.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cockpit.errors import CockpitError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a system says when there is no room."""


class Extent(NamedTuple):
    """Where a frame lies: bytes from where frames begin, and how many."""

    offset: int
    size: int


class FrameFile:
    """Frames by number, which rise from 0 and are never used again.

    Attributes:
        first: The oldest frame that is kept.
        end: The number that the next one gets.
        bytes: What the frames kept take.
        trouble: Why the last one could not be kept, or is kept in place of older ones; empty where all is well.
    """

    def __init__(
        self,
        fd: int,
        *,
        limit: int,
        base: int = 0,
        most: int | None = None,
        dropping: Callable[[int], None] | None = None,
    ) -> None:
        """Use a file, which stays the caller's.

        Args:
            fd: Open for reading and writing.
            limit: Bytes that frames may take.
            base: Where in the file they begin.
            most: Frames kept at most.
            dropping: Told the new `first` before the frames below it are written over.
        """
        self._fd = fd
        self._base = base
        self._most = most
        self._dropping = dropping
        self._extents: deque[Extent] = deque()
        self._at = 0
        self._edge = limit
        self._high = 0
        self.first = 0
        self.bytes = 0
        self.trouble = ""

    @property
    def end(self) -> int:
        """The number that the next frame gets."""
        return self.first + len(self._extents)

    def restore(self, first: int, extents: list[Extent]) -> None:
        """Go on where another writer of the file was."""
        self.first = first
        self._extents = deque(extents)
        self.bytes = sum(extent.size for extent in extents)
        self._at = sum(extents[-1]) if extents else 0
        self._high = max((sum(extent) for extent in extents), default=0)

    def append(self, data: bytes) -> int | None:
        """Keep a frame; return its number, or None where it can't be kept, as `trouble` says."""
        while True:
            at = self._room(len(data))
            if at is None:
                self.trouble = (
                    self.trouble or f"a frame of {len(data)} bytes is larger than all that may be kept"
                )
                return None
            try:
                _write(self._fd, data, self._base + at)
            except OSError as error:
                self.trouble = error.strerror or str(error)
                if error.errno not in FULL or self._edge <= self._high:
                    return None
                self._edge = self._high  # what is ours already can be written again
                continue
            self._extents.append(Extent(at, len(data)))
            self._at = at + len(data)
            self._high = max(self._high, self._at)
            self.bytes += len(data)
            return self.end - 1

    def extent(self, number: int) -> Extent:
        """Return where a frame lies.

        Raises:
            IndexError: It is not kept any more.
        """
        if not self.first <= number < self.end:
            raise IndexError(f"frame {number} is not kept")
        return self._extents[number - self.first]

    def read(self, number: int) -> bytes:
        """Return a frame.

        Raises:
            IndexError: It is not kept any more.
            OSError: The disk can't be read.
        """
        offset, size = self.extent(number)
        return os.pread(self._fd, size, self._base + offset)

    def drop(self, first: int) -> None:
        """Let go of the frames below a number."""
        first = min(first, self.end)
        if first <= self.first:
            return
        if self._dropping is not None:
            self._dropping(first)
        while self.first < first:
            self.bytes -= self._extents.popleft().size
            self.first += 1

    def _room(self, size: int) -> int | None:
        """Make room for a frame after the last one, or where frames begin; return its offset."""
        if size > self._edge:
            return None
        at, first = self._at, self.first
        around = at + size > self._edge
        if around:
            at = 0
        for place, extent in enumerate(self._extents):
            passed = around and extent.offset >= self._at
            over = extent.offset < at + size and at < sum(extent)
            many = self._most is not None and len(self._extents) - place >= self._most
            if not (passed or over or many):
                break
            first += 1
        self.drop(first)
        return at


def private_file(folder: Path | None) -> int:
    """Open a file without a name, which only this user can read; it is gone once nobody has it open.

    Raises:
        CockpitError: None can be made there.
    """
    try:
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, buffering=0) as made:
            return os.dup(made.fileno())
    except OSError as error:
        where = str(folder or tempfile.gettempdir())
        raise CockpitError(
            f"what is read can't be kept there: {error.strerror or error}",
            where=where,
            remedy="choose another place by --data-dir",
        ) from None


def _write(fd: int, data: bytes, offset: int) -> None:
    """Write all, or raise what the system says."""
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written
