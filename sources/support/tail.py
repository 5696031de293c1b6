"""One log file, read as it grows, and known again when it was truncated, copied away or filled anew.

A `Tail` stays with the file that it opened, so that what is written after a rotation by name is still read; whether
the path has another file by now is for its owner to act on. It holds where it stands and the file's first bytes:
another file under the same inode, or the same file filled anew, doesn't pass for the old one.
"""

from __future__ import annotations

import contextlib
import os
import stat
from enum import Enum

from msgspec import Struct

LINE = 64 * 1024
"""Bytes kept of one line; the rest of a longer one is skipped and counted."""

HEAD = 128
"""Bytes at a file's start by which it is known again."""

CHUNK = 32 * 1024
"""Bytes read at once: a slice of work of a few milliseconds."""


class Mark(Struct, frozen=True, gc=False):
    """How far a file was read, and how it began."""

    offset: int
    head: bytes


class Standing(Enum):
    """What became of a path since the last look."""

    STILL = "nothing new"
    CHANGED = "there is something to read"
    REPLACED = "another file has the name now"
    MISSING = "no file has the name"


class NotAFile(Exception):
    """The path is a directory, a FIFO, a socket or a device."""


class Lines:
    """Cut what is read of a file into whole lines, and keep the one that has no end yet.

    Attributes:
        partial: The beginning of that line.
        skipped: Bytes left out of it, since it is too long.
    """

    def __init__(self) -> None:
        self.partial = b""
        self.skipped = 0

    @property
    def waiting(self) -> bool:
        """True while the last line has no line feed yet."""
        return bool(self.partial) or self.skipped > 0

    def take(self, data: bytes) -> bytes:
        """Return what makes whole lines of a chunk of at most `LINE` bytes and of what was kept; keep the rest."""
        if b"\0" in data:
            # A file copied away and cut while its writer goes on begins with a hole.
            data = data.replace(b"\0", b"")
        newline = data.rfind(b"\n")
        if newline < 0:
            self.partial = self._kept(data)
            return b""
        block = data[: newline + 1]
        if self.waiting:
            # A chunk holds at most LINE bytes, so no line in the midst of one is too long.
            first, _, others = block.partition(b"\n")
            block = self._finished(self._kept(first)) + others
            self.clear()
        self.partial = self._kept(data[newline + 1 :])
        return block

    def flush(self) -> bytes:
        """Give out the last line although no line feed has ended it; nothing where there is none."""
        if not self.waiting:
            return b""
        line = self._finished(self.partial)
        self.clear()
        return line

    def clear(self) -> None:
        """Forget what was kept."""
        self.partial, self.skipped = b"", 0

    def _kept(self, data: bytes) -> bytes:
        """Return the line so far with this added, counting what is too much."""
        line = self.partial + data if self.partial else data
        if len(line) > LINE:
            self.skipped += len(line) - LINE
            line = line[:LINE]
        return line

    def _finished(self, line: bytes) -> bytes:
        if not self.skipped:
            return line + b"\n"
        return line.rstrip(b"\r") + f"… ({self.skipped:,} more bytes)\n".encode()


class Tail:
    """Follow one path.

    Attributes:
        path: The path followed.
        key: (device, inode) of the file that is open.
        offset: Bytes read of it.
        lines: The line that is being read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.key = (0, 0)
        self.offset = 0
        self.lines = Lines()
        self._modified = 0
        self._descriptor = -1
        self._head = b""

    def open(self) -> os.stat_result:
        """Open the path's file, to be read from its start.

        Raises:
            NotAFile: It is no regular file.
            OSError: It can't be opened.
        """
        # Without O_NONBLOCK, opening a FIFO would wait for its writer.
        descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise NotAFile(self.path)
        except BaseException:
            os.close(descriptor)
            raise
        self.close()
        self._descriptor = descriptor
        self.key = (found.st_dev, found.st_ino)
        self._rewind()
        return found

    def start_at(self, offset: int) -> None:
        """Begin near an offset, at the start of the line after it; 0 begins at the start."""
        self._rewind()
        if offset <= 0:
            return
        self._remember_head()
        before = os.pread(self._descriptor, LINE, offset - 1)
        newline = before.find(b"\n")
        self.offset = offset + newline if newline >= 0 else offset - 1 + len(before)

    def resume(self, mark: Mark) -> bool:
        """Go on where a mark says, if this is still the file that it was made for."""
        if os.fstat(self._descriptor).st_size < mark.offset or not self._begins_with(mark.head):
            return False
        self.offset, self._head = mark.offset, mark.head
        return True

    @property
    def mark(self) -> Mark:
        """How far the file was read in whole lines."""
        return Mark(self.offset - len(self.lines.partial), self._head)

    @property
    def waiting(self) -> bool:
        """True while the last line has no line feed yet."""
        return self.lines.waiting

    def close(self) -> None:
        """Let the file go."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def look(self) -> Standing:
        """Tell what became of the path; one stat(2).

        Raises:
            OSError: The path can't be looked at, for another reason than that it is gone.
        """
        try:
            found = os.stat(self.path)  # noqa: PTH116  200 of these a second, and a Path costs three times as much
        except (FileNotFoundError, NotADirectoryError):
            return Standing.MISSING
        if (found.st_dev, found.st_ino) != self.key:
            return Standing.REPLACED
        if found.st_size == self.offset and found.st_mtime_ns == self._modified:
            return Standing.STILL
        self._modified = found.st_mtime_ns
        return Standing.CHANGED

    def read(self) -> list[str] | None:
        """Return the whole lines of the next chunk, which may be none; None at the end of what there is.

        Raises:
            OSError: The file can't be read.
        """
        block = self.read_block()
        return None if block is None else lines_of(block)

    def read_block(self) -> bytes | None:
        """Return the same as they are written, each with its line feed.

        Raises:
            OSError: The file can't be read.
        """
        size = os.fstat(self._descriptor).st_size
        if size < self.offset or not self._begins_with(self._head):
            self._rewind()
        data = os.pread(self._descriptor, CHUNK, self.offset) if size > self.offset else b""
        if not data:
            return None
        self._remember_head()
        self.offset += len(data)
        return self.lines.take(data)

    def flush(self) -> list[str]:
        """Give out the last line although no line feed has ended it."""
        return lines_of(self.flush_block())

    def flush_block(self) -> bytes:
        """Give it out as it is written; nothing where there is none."""
        return self.lines.flush()

    def _rewind(self) -> None:
        self.offset, self._head = 0, b""
        self.lines.clear()

    def _begins_with(self, head: bytes) -> bool:
        return not head or os.pread(self._descriptor, len(head), 0) == head

    def _remember_head(self) -> None:
        if len(self._head) < HEAD:
            self._head = os.pread(self._descriptor, HEAD, 0)

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            self.close()


def lines_of(block: bytes) -> list[str]:
    """Return a block's lines as text, without what ends them."""
    if not block:
        return []
    text = block.decode("utf-8", "replace")
    lines = text.split("\n")
    del lines[-1]
    return [line.rstrip("\r") for line in lines] if "\r" in text else lines
