"""A log without a file: its bytes come once, are kept within bounds, and are read at any place by whoever looks."""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections import OrderedDict
from pathlib import Path

import zstandard

from cockpit.errors import CockpitError
from cockpit.stores.logs.files.opened import Change, read_error
from cockpit.stores.logs.spool.frames import Extent, FrameFile, private_file
from cockpit.stores.logs.spool.layout import (
    AT_RING,
    ENTRY,
    FRAME,
    RING,
    FrameEntry,
    Header,
    read_entries,
    read_header,
    write_header,
)

LEVEL = 1
"""Of zstd: about 500 MB/s, and logs take a tenth of their size."""
OPENED = 4
"""Frames kept decompressed by a reader."""


class SpoolReader:
    """What is kept of a log, as `LogBytes`; the file is written by a `SpoolWriter`, here or in another process.

    Attributes:
        path: What the log is called.
        begin: The first byte that is kept.
        size: Bytes that the log had when it was looked at last.
        modified: When the last came, in nanoseconds since the epoch.
        identity: The spool's device and inode.
    """

    def __init__(self, fd: int, path: str) -> None:
        """Read a file that is open; it is closed with the reader.

        Raises:
            CockpitError: It is no spool.
        """
        self.path = path
        self._fd = fd
        found = os.fstat(fd)
        self.identity = (found.st_dev, found.st_ino)
        self._entries: list[FrameEntry] = []
        self._starts: list[int] = []
        self._first = 0
        """The frame that the first entry is of."""
        self._opened: OrderedDict[int, bytes] = OrderedDict()
        self._decompressor = zstandard.ZstdDecompressor()
        self.begin = self.size = self.modified = 0
        self.look()

    @property
    def name(self) -> str:
        """A name by which another process of this user can open the file."""
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    def look(self) -> Change:
        """Tell whether it has grown.

        Raises:
            CockpitError: The disk can't be read.
        """
        known = self.size
        self._refresh()
        self.begin, self.size, self.modified = self._header.begin, self._header.end, self._header.written
        return Change.GROWN if self.size > known else Change.NONE

    def read(self, offset: int, size: int) -> bytes:
        """Return bytes from an offset; fewer where the log ends before.

        Raises:
            CockpitError: They were let go, or the disk can't be read.
        """
        parts: list[bytes] = []
        end = offset + size
        if end > self._header.end:
            self._refresh()
        while offset < end and (part := self._part(offset, end - offset)):
            parts.append(part)
            offset += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read_now(self, offset: int, size: int) -> bytes | None:
        """Return those bytes, where they are in the ring: they were written a moment ago, so they are in memory."""
        try:
            if offset + size > self._header.end:
                self._refresh()
            if offset < self._header.framed:
                return None
            data = self.read(offset, size)
        except CockpitError:
            return None
        return data if len(data) == size else None

    def beside(self) -> SpoolReader:
        """Return another reader of the file, for another thread.

        Raises:
            CockpitError: Too many files are open.
        """
        try:
            return SpoolReader(os.dup(self._fd), self.path)
        except OSError as error:
            raise read_error(self.path, error) from None

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _refresh(self) -> None:
        try:
            self._header = header = read_header(self._fd)
            known = self._first + len(self._entries)
            if header.first >= known:
                self._entries, self._starts, self._first = [], [], header.first
                known = header.first
            elif (gone := header.first - self._first) > 0:
                del self._entries[:gone], self._starts[:gone]
                self._first = header.first
            entries = read_entries(self._fd, header, known, header.frames)
        except OSError as error:
            raise read_error(self.path, error) from None
        self._entries += entries
        self._starts += [entry.start for entry in entries]

    def _part(self, offset: int, size: int) -> bytes:
        """Return some bytes from an offset, from one frame or from the ring."""
        if offset >= self._header.framed:
            size = min(size, self._header.end - offset)
            if size <= 0:
                return b""
            place = offset % RING
            part = self._pread(min(size, RING - place), AT_RING + place)
            self._refresh()
            if offset >= self._header.framed:
                return part  # a frame behind the ring's end: nobody has written over it
        return self._framed(offset, size)

    def _framed(self, offset: int, size: int) -> bytes:
        place = bisect_right(self._starts, offset) - 1
        if place < 0 or offset >= self._entries[place].end:
            raise self._gone()
        entry = self._entries[place]
        data = self._opened.get(entry.start)
        if data is None:
            data = self._decompressed(entry)
            self._opened[entry.start] = data
            if len(self._opened) > OPENED:
                self._opened.popitem(last=False)
        else:
            self._opened.move_to_end(entry.start)
        start = offset - entry.start
        return data[start : start + size]

    def _decompressed(self, entry: FrameEntry) -> bytes:
        stored = self._pread(entry.size, self._header.at_frames + entry.offset)
        try:
            data = self._decompressor.decompress(stored, max_output_size=FRAME)
        except zstandard.ZstdError:
            data = b""
        if len(data) == entry.raw:
            return data
        self._refresh()
        if entry.start < self._header.begin:
            raise self._gone()
        raise CockpitError("what was kept of it is damaged", where=self.path, remedy="open the log again")

    def _pread(self, size: int, offset: int) -> bytes:
        try:
            return os.pread(self._fd, size, offset)
        except OSError as error:
            raise read_error(self.path, error) from None

    def _gone(self) -> CockpitError:
        return CockpitError("this part was let go, as only so much of a stream is kept", where=self.path)


class SpoolWriter:
    """Writes a spool. Another may go on after it: all it knows is in the file.

    Attributes:
        trouble: Why bytes could not be kept, in words; empty where all is well.
        lost: Bytes that could not be kept, though they were not the oldest.
    """

    def __init__(self, fd: int, *, age: int | None = None) -> None:
        """Go on with a spool that `new_spool` has made; the file is closed with the writer.

        Args:
            fd: Open for reading and writing.
            age: Nanoseconds after which what came goes; None keeps it.

        Raises:
            CockpitError: It is no spool.
        """
        self._fd = fd
        self._age = age
        self._header = header = read_header(fd)
        entries = read_entries(fd, header, header.first, header.frames)
        self._written = [entry.written for entry in entries]
        self._starts = [entry.start for entry in entries]
        self._frames = FrameFile(
            fd, limit=header.limit, base=header.at_frames, most=header.most, dropping=self._drop
        )
        self._frames.restore(header.first, [Extent(entry.offset, entry.size) for entry in entries])
        self._compressor = zstandard.ZstdCompressor(level=LEVEL)
        held = header.end - header.framed
        place = header.framed % RING
        self._held = bytearray(os.pread(fd, min(held, RING - place), AT_RING + place))
        self._held += os.pread(fd, held - len(self._held), AT_RING)
        self.lost = 0

    @property
    def trouble(self) -> str:
        """Why older bytes than the limit asks for had to go."""
        return self._frames.trouble

    @property
    def size(self) -> int:
        """Bytes that the log has had."""
        return self._header.end

    def write(self, data: bytes | memoryview) -> None:
        """Take bytes in; a disk that is full costs the oldest.

        Raises:
            CockpitError: The file can't be written at all.
        """
        try:
            self._take(memoryview(data))
        except OSError as error:
            raise CockpitError(
                f"what is read can't be kept: {error.strerror or error}",
                remedy="choose another place by --data-dir",
            ) from None

    def _take(self, view: memoryview) -> None:
        now = time.time_ns()
        while view:
            end = self._header.end
            place = end % RING
            part = view[: min(FRAME - len(self._held), RING - place)]
            os.pwrite(self._fd, part, AT_RING + place)
            self._held += part
            view = view[len(part) :]
            self._header = self._header._replace(end=end + len(part), written=now)
            if len(self._held) >= FRAME:
                self._close_frame(now)
        if self._age is not None:
            self.expire(now - self._age)
        write_header(self._fd, self._header)

    def expire(self, moment: int) -> None:
        """Let go of what came before a moment, in nanoseconds since the epoch."""
        self._frames.drop(self._header.first + bisect_right(self._written, moment))

    def close(self) -> None:
        """Close the file; what was written stays readable by who else has it open."""
        os.close(self._fd)

    def _close_frame(self, now: int) -> None:
        raw = len(self._held)
        start = self._header.framed
        number = self._frames.append(self._compressor.compress(bytes(self._held)))
        self._held = bytearray()
        header = self._header._replace(framed=start + raw)
        if number is None:  # there is no room even for this one: all up to here goes
            self._frames.drop(self._frames.end)
            self.lost += raw
            self._header = header._replace(first=header.frames, begin=start + raw)
        else:
            offset, size = self._frames.extent(number)
            entry = ENTRY.pack(start, offset, size, raw, now)
            os.pwrite(self._fd, entry, header.at_table + number % header.most * ENTRY.size)
            self._starts.append(start)
            self._written.append(now)
            self._header = header._replace(frames=number + 1)
        write_header(self._fd, self._header)

    def _drop(self, first: int) -> None:
        gone = first - self._header.first
        del self._starts[:gone], self._written[:gone]
        begin = self._starts[0] if self._starts else self._header.framed
        self._header = self._header._replace(first=first, begin=begin)
        write_header(self._fd, self._header)


def new_spool(folder: Path | None, path: str, *, limit: int) -> SpoolReader:
    """Make an empty spool, and return what reads it.

    Args:
        folder: Where its file lies, which has no name; None for the system's place for such files.
        path: What the log is called.
        limit: Bytes that it may take on the disk, compressed; a few megabytes come on top.

    Raises:
        CockpitError: There is no room, or the folder can't be written.
    """
    fd = private_file(folder)
    header = Header(limit)
    try:
        os.posix_fallocate(fd, 0, header.at_frames)
        write_header(fd, header)
    except OSError as error:
        os.close(fd)
        raise CockpitError(
            f"there is no room to keep what is read: {error.strerror or error}",
            where=str(folder or ""),
            remedy="free some space, or choose another place by --data-dir",
        ) from None
    return SpoolReader(fd, path)


def open_writer(name: str) -> SpoolWriter:
    """Open the spool that a reader, perhaps of another process, has by such a name.

    Raises:
        CockpitError: It can't be opened.
    """
    try:
        fd = os.open(name, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise read_error(name, error) from None
    try:
        return SpoolWriter(fd)
    except CockpitError:
        os.close(fd)
        raise
