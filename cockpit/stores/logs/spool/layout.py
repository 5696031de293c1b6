"""How a spool's file is laid out, so that one process writes it and others read it.

    header · ring of the last bytes as they came · table of frames · frames

The header is written last and holds a checksum: whoever reads it while it is written reads it again. Bytes go into
the ring at once; when a frame of them is complete it is compressed, and said in the table. A reader looks for bytes
in frames first, then in the ring, and sees by the header that they were still there when it read them.
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import NamedTuple

from cockpit.errors import CockpitError

FRAME = 1 << 20
"""Bytes of a log that are compressed together."""
RING = 4 * FRAME
"""Bytes kept as they came: a reader has so much time, less a frame, before they are written over."""
ENTRY = struct.Struct("<QQIIQ")
HEADER = struct.Struct("<8sQQQQQQQI")
MAGIC = b"spool\0\0\1"
AT_RING = 4096
LEAST_FRAMES = 64
TRIES = 1000


class Header(NamedTuple):
    """What stands in a spool's file.

    Attributes:
        limit: Bytes that frames may take.
        first: The oldest frame kept.
        frames: How many frames there have been.
        begin: The first byte of the log that is kept.
        framed: The first byte that is in no frame.
        end: Bytes that the log has had.
        written: When the last came, in nanoseconds since the epoch.
    """

    limit: int
    first: int = 0
    frames: int = 0
    begin: int = 0
    framed: int = 0
    end: int = 0
    written: int = 0

    @property
    def most(self) -> int:
        """Frames that the table holds."""
        return max(LEAST_FRAMES, self.limit >> 15)

    @property
    def at_table(self) -> int:
        """Where the table begins."""
        return AT_RING + RING

    @property
    def at_frames(self) -> int:
        """Where frames begin."""
        return self.at_table + self.most * ENTRY.size


class FrameEntry(NamedTuple):
    """A frame in the table: where it begins in the log and in the file, its size there and in the log, and when."""

    start: int
    offset: int
    size: int
    raw: int
    written: int

    @property
    def end(self) -> int:
        """The first byte of the log after it."""
        return self.start + self.raw


def write_header(fd: int, header: Header) -> None:
    """Publish a header."""
    body = HEADER.pack(MAGIC, *header, 0)[:-4]
    os.pwrite(fd, body + struct.pack("<I", zlib.crc32(body)), 0)


def read_header(fd: int) -> Header:
    """Read the header as it is now.

    Raises:
        CockpitError: It is no spool.
        OSError: The disk can't be read.
    """
    for _ in range(TRIES):
        found = os.pread(fd, HEADER.size, 0)
        if len(found) == HEADER.size and zlib.crc32(found[:-4]) == struct.unpack("<I", found[-4:])[0]:
            magic, *values, _ = HEADER.unpack(found)
            if magic == MAGIC:
                return Header(*values)
    raise CockpitError("what was kept of the log can't be read", remedy="open the log again")


def read_entries(fd: int, header: Header, first: int, end: int) -> list[FrameEntry]:
    """Read entries of the table from one frame up to another."""
    found: list[FrameEntry] = []
    while first < end:
        place = first % header.most
        count = min(end - first, header.most - place)
        data = os.pread(fd, count * ENTRY.size, header.at_table + place * ENTRY.size)
        found += [FrameEntry(*entry) for entry in ENTRY.iter_unpack(data)]
        first += count
    return found
