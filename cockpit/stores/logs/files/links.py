"""Links to a record of a log file: where it was, and the hash by which it is found again where it moved."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import numpy as np
from msgspec import Struct

from cockpit.errors import CockpitError, UsageError
from cockpit.stores.logs.files.opened import LogBytes, OpenedLog
from cockpit.stores.logs.files.pieces import LINE_FEED, PIECE

if TYPE_CHECKING:
    from cockpit.stores.logs.files.records import FileRecords

_LINK = re.compile(
    r"file:(?P<path>[^#\s]+)#offset=(?P<offset>\d+)&size=(?P<size>\d+)&sha256=(?P<sha256>[0-9a-f]{64})"
)
LARGEST = 16 << 20
"""Bytes of a record that a link can speak of."""
SIBLINGS = 20
"""Rotated files that are looked at."""
_PACKED = (".gz", ".bz2", ".xz", ".zst", ".Z", ".lz4")


class Link(Struct, frozen=True):
    """A record of a log.

    Attributes:
        path: The log's name when the link was made.
        offset: Where the record began, in bytes.
        size: How many bytes it took, its last line feed included.
        sha256: Of those bytes.
    """

    path: str
    offset: int
    size: int
    sha256: str

    def __str__(self) -> str:
        return f"file:{quote(self.path)}#offset={self.offset}&size={self.size}&sha256={self.sha256}"

    def stands_in(self, log: LogBytes, offset: int | None = None) -> bool:
        """Tell whether a log has the record at its place, or at another one.

        Raises:
            CockpitError: The log can't be read.
        """
        data = log.read(self.offset if offset is None else offset, self.size)
        return len(data) == self.size and hashlib.sha256(data).hexdigest() == self.sha256


def read_link(text: str) -> Link:
    """Read a link.

    Raises:
        UsageError: It is none.
    """
    found = _LINK.fullmatch(text.strip())
    if found is None or len(found["offset"]) > 18 or int(found["size"]) > LARGEST:
        raise UsageError(
            f"{text[:200]!r} is no link to a log line",
            remedy="a link is file:PATH#offset=N&size=N&sha256=HASH, as evidence has it",
        )
    path = unquote(found["path"])
    if "\0" in path:
        raise UsageError("the link's path has a NUL in it", remedy="copy the link again")
    return Link(path, int(found["offset"]), int(found["size"]), found["sha256"])


def link_of(store: FileRecords, number: int) -> Link:
    """Return a link to a record.

    Raises:
        CockpitError: It is not ready, or can't be read any more.
    """
    row, data = store.row(number), store.bytes_of(number, LARGEST)
    return Link(store.places[row.log], row.offset, len(data), hashlib.sha256(data).hexdigest())


def files_of(link: Link) -> list[str]:
    """Return the files to open for a link: the one that has the record at its place, else all that may have it.

    Raises:
        UsageError: Neither the file nor one that it was rotated to is there.
    """
    candidates = [path for path in (Path(link.path), *_siblings(Path(link.path))) if path.is_file()]
    for path in candidates:
        try:
            log = OpenedLog(str(path))
        except CockpitError:
            continue
        try:
            if link.stands_in(log):
                return [str(path)]
        except CockpitError:
            continue
        finally:
            log.close()
    if not candidates:
        raise UsageError(
            "the file is not there, nor one that it was rotated to",
            where=link.path,
            remedy=f"unpack it if it was packed; look in {Path(link.path).parent}",
        )
    return [str(path) for path in candidates]


def _siblings(path: Path) -> Iterator[Path]:
    """Return the files that a log may have been rotated to, the latest first."""
    try:
        found = [
            each
            for each in path.parent.iterdir()
            if each.name.startswith(path.stem)
            and each != path
            and each.suffix not in _PACKED
            and each.is_file()
        ]
    except OSError:
        return iter(())
    return iter(sorted(found, key=lambda each: each.stat().st_mtime, reverse=True)[:SIBLINGS])


def found_again(log: LogBytes, link: Link, goes_on: Callable[[int], bool]) -> int | None:
    """Search a log for the record of a link by its content.

    Args:
        log: Where to look.
        link: What for.
        goes_on: Told how many bytes were looked at; the search ends where it returns False.

    Returns:
        The offset of the record; None where it is not there.

    Raises:
        CockpitError: The log can't be read.
    """
    size = link.size
    for begin in range(0, log.size, PIECE):
        if not goes_on(begin):
            return None
        data = log.read(begin, PIECE + size)
        raw = np.frombuffer(data, np.uint8)
        starts = np.flatnonzero(raw[: PIECE - 1] == LINE_FEED[0]) + 1
        if not begin or log.read(begin - 1, 1) == LINE_FEED:
            starts = np.concatenate((np.zeros(1, starts.dtype), starts))
        starts = starts[starts + size <= len(raw)]
        ends = starts + size
        whole = (raw[ends - 1] == LINE_FEED[0]) | (ends + begin == log.size)
        for start in starts[whole].tolist():
            if hashlib.sha256(data[start : start + size]).hexdigest() == link.sha256:
                return begin + int(start)
    return None
