"""The files that a source follows: which there are, which of them were read how far, and what comes into each."""

from __future__ import annotations

import asyncio
import glob
import gzip
import os
import stat
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct

from cockpit.formats.multiline import Joiner
from cockpit.formats.stream import LineParser
from cockpit.signals import LogRecord
from sources.support.tail import CHUNK, LINE, Mark, NotAFile, Standing, Tail, lines_of

LINGER = 30.0
"""Seconds for which a file is still read after it lost its name: its writer may not know yet."""

PATIENCE = 1.0
"""Seconds after which a line without a line feed is taken as it is."""

SETTLE = 0.15
"""Seconds after which a record that more lines might have followed is taken as it is."""

PART = 500
"""Records made at once: a few milliseconds of work."""

TURN = 8
"""Chunks read of one file before the next file has its turn."""

MARKS = 4_096
"""Files remembered after they were let go."""


class Block(Struct, frozen=True, gc=False):
    """Whole lines of a file, as they are written."""

    data: bytes
    last: bool = False
    """Whether the record that these lines end with waits for no more of them."""


class Followed:
    """One file, with what is needed to make records of it."""

    def __init__(self, path: str, parser: LineParser, joiner: Joiner) -> None:
        self.tail = Tail(path)
        self.parser = parser
        self.joiner = joiner
        self.left_at = 0.0
        """When it lost its name, on the monotonic clock; 0 while it has it."""
        self.more = False
        """True when the last turn ended before the file did."""
        self.away = 0
        """Blocks that are with somebody else, to be parsed."""
        self._texts: list[str] = []
        self._read_at = 0.0
        self._written = 0
        self._last = -1

    def opened(self, written: int) -> None:
        """Note when the file was written last, in nanoseconds."""
        self._written, self._read_at = written, time.monotonic()

    def back_fill(self, most: int) -> Iterator[list[LogRecord]]:
        """Yield the records of what is there at the start, some at a time, up to about `most` bytes.

        A line without a time has that of the line before it, or when the file was written last.
        """
        while most >= 0 and (lines := self.tail.read()) is not None:
            most -= CHUNK
            self._texts += self.joiner.join(lines)
            yield from self.ready(self._written, old=True)
        self._texts += self.joiner.flush()
        yield from self.ready(self._written, old=True)

    def blocks(self) -> Iterator[Block]:
        """Yield what came since, for one turn, to be given to `feed` in this order."""
        self.more = False
        for _ in range(TURN):
            data = self.tail.read_block()
            if data is None:
                if settled := self._settled():
                    yield settled
                return
            self._read_at = time.monotonic()
            if data:
                yield Block(data)
        self.more = True

    def feed(self, block: Block) -> None:
        """Take in a block's lines; `ready` gives out what they complete."""
        self._texts += self.joiner.join(lines_of(block.data))
        if block.last:
            self._texts += self.joiner.flush()

    def ready(self, now: int, *, old: bool = False) -> Iterator[list[LogRecord]]:
        """Yield the records that are complete, some at a time; what is not asked for stays for the next time."""
        while self._texts:
            texts, self._texts = self._texts[:PART], self._texts[PART:]
            yield self._records(texts, now, old=old)

    def rest(self, now: int) -> list[LogRecord]:
        """Return the records of all whole lines that were read; the mark is before a line that has no end yet."""
        self._texts += self.joiner.flush()
        return [record for part in self.ready(now) for record in part]

    def _settled(self) -> Block | None:
        """Return what waited long enough for a line feed, or for more lines, to be taken as it is."""
        waited = time.monotonic() - self._read_at
        if self.tail.waiting and waited >= PATIENCE:
            return Block(self.tail.flush_block(), last=True)
        if self.joiner.holding and not self.tail.waiting and waited >= SETTLE:
            return Block(b"", last=True)
        return None

    @property
    def waiting(self) -> bool:
        """True while something was read that is no record yet."""
        return self.joiner.holding or self.tail.waiting or self.away > 0

    def _records(self, texts: list[str], now: int, *, old: bool = False) -> list[LogRecord]:
        parse = self.parser.parse
        if not old:
            return [parse(text, now) for text in texts]
        records = []
        for text in texts:
            record = parse(text, now, untimed=self._last)
            self._last = record.at
            records.append(record)
        return records


class Match(Struct, frozen=True, gc=False):
    """A file that the patterns match: when it was written last, its path, its device and inode."""

    written: int
    path: str
    key: tuple[int, int]


class Following:
    """All files that the patterns match.

    Args:
        patterns: Files and shell patterns.
        exclude: Shell patterns of paths to leave out.
        most: Files to follow at most.
        follow: Makes what is needed for one file.

    Attributes:
        refused: Paths that may not be read.
        surplus: How many more files match than are followed.
    """

    def __init__(
        self, patterns: Sequence[str], *, exclude: Sequence[str], most: int, follow: Callable[[str], Followed]
    ) -> None:
        self._patterns = [os.path.expanduser(pattern) for pattern in patterns]  # noqa: PTH111
        self._exclude = tuple(exclude)
        self._most = most
        self._follow = follow
        self._by_path: dict[str, Followed] = {}
        self._leaving: list[Followed] = []
        self._marks: dict[tuple[int, int], Mark] = {}
        self.refused: set[str] = set()
        self.surplus = 0

    @property
    def files(self) -> list[Followed]:
        """The files followed under their names."""
        return list(self._by_path.values())

    @property
    def all(self) -> list[Followed]:
        """Those, and the files that lost their names."""
        return [*self._by_path.values(), *self._leaving]

    @property
    def waiting(self) -> bool:
        """True while a line or record of some file is not complete."""
        return any(followed.waiting for followed in self.all)

    def paths(self) -> list[str]:
        """Return the matching files, those written last first."""
        return [match.path for match in self.matching()]

    def matching(self) -> list[Match]:
        """Return every regular file that matches, those written last first, each file once.

        It may take long on a large tree or a slow file system, and touches nothing of this object's state: it is
        called on a thread.
        """
        found: dict[tuple[int, int], Match] = {}
        for pattern in self._patterns:
            for path in _glob(pattern):
                if any(fnmatchcase(path, excluded) for excluded in self._exclude):
                    continue
                try:
                    told = os.stat(path)  # noqa: PTH116
                except OSError:
                    continue
                if stat.S_ISREG(told.st_mode):
                    key = (told.st_dev, told.st_ino)
                    found.setdefault(key, Match(told.st_mtime_ns, path, key))
        return sorted(found.values(), key=lambda match: (-match.written, match.path))

    def packed(self) -> list[str]:
        """Return the `.gz` files that the patterns match, or would but for `.gz` at the end, the oldest first."""
        patterns = [pattern if pattern.endswith(".gz") else f"{pattern}*.gz" for pattern in self._patterns]
        return sorted({path for pattern in patterns for path in _glob(pattern)}, key=_modified)

    def take_up(self, matching: Sequence[Match], from_end: Callable[[int], int] | None = None) -> None:
        """Follow the matching files that are not followed yet.

        Args:
            matching: What `matching` found.
            from_end: Bytes to read from the end of each, given how many files there are; None where new files have
                appeared since the start, which are read whole.
        """
        self.surplus = max(0, len(matching) - self._most)
        wanted = matching[: self._most]
        names, allowed = {match.path for match in matching}, {match.path for match in wanted}
        self.refused &= names
        for path in [path for path in self._by_path if path in names and path not in allowed]:
            self._let_go(self._by_path.pop(path))
        share = from_end(len(wanted)) if from_end else -1
        known = {followed.tail.key for followed in self.all}
        for match in wanted:
            if match.path not in self._by_path and match.key not in known:
                known.add(self._open(match.path, share))

    def turns(self) -> Iterator[Followed]:
        """Yield the files that have something to read or to settle, and act on those that lost their name."""
        for path, followed in list(self._by_path.items()):
            try:
                standing = followed.tail.look()
            except OSError:
                standing = Standing.MISSING
            if standing is Standing.STILL and not followed.waiting:
                continue
            if standing in (Standing.REPLACED, Standing.MISSING):
                followed.left_at = time.monotonic()
                self._leaving.append(followed)
                del self._by_path[path]
                yield followed
                if standing is Standing.REPLACED:
                    self._open(path, -1)
                    if path in self._by_path:
                        yield self._by_path[path]
                continue
            yield followed
        for followed in list(self._leaving):
            yield followed
            if time.monotonic() - followed.left_at > LINGER and not followed.waiting:
                self._let_go(followed)
                self._leaving.remove(followed)

    def suspend(self, now: int) -> list[LogRecord]:
        """Let all files go, remembering how far each was read; return the records that were being put together."""
        rest: list[LogRecord] = []
        for followed in self.all:
            rest += followed.rest(now)
            self._let_go(followed)
        self._by_path.clear()
        self._leaving.clear()
        return rest

    def _open(self, path: str, share: int) -> tuple[int, int]:
        """Follow a file: where it was left if it is known, else from its start or its last `share` bytes."""
        followed = self._follow(path)
        try:
            found = followed.tail.open()
        except (NotAFile, FileNotFoundError):
            return (0, 0)
        except OSError:
            self.refused.add(path)
            return (0, 0)
        self.refused.discard(path)
        mark = self._marks.pop(followed.tail.key, None)
        if (mark is None or not followed.tail.resume(mark)) and share >= 0:
            followed.tail.start_at(found.st_size - share)
        followed.opened(found.st_mtime_ns)
        self._by_path[path] = followed
        return followed.tail.key

    def _let_go(self, followed: Followed) -> None:
        while len(self._marks) >= MARKS:
            del self._marks[next(iter(self._marks))]
        self._marks[followed.tail.key] = followed.tail.mark
        followed.tail.close()


async def read_gz(path: str, parser: LineParser, joiner: Joiner, most: int) -> AsyncIterator[list[LogRecord]]:
    """Read a packed file from its start, a chunk at a time, up to `most` unpacked bytes.

    A file that is damaged or can't be read gives what could be read of it.
    """
    written, last, rest, size = int(_modified(path) * 1e9), -1, b"", 0
    try:
        with gzip.open(path, "rb") as file:
            while size < most and (data := file.read(CHUNK)):
                size += len(data)
                lines = (rest + data).split(b"\n")
                rest = lines.pop()[:LINE]
                records = []
                for text in joiner.join([line[:LINE].decode("utf-8", "replace") for line in lines]):
                    records.append(parser.parse(text, written, untimed=last))
                    last = records[-1].at
                yield records
                await asyncio.sleep(0)
    except (OSError, EOFError, zlib.error):
        pass
    texts = joiner.join([rest.decode("utf-8", "replace")] if rest else []) + joiner.flush()
    yield [parser.parse(text, written, untimed=last) for text in texts]


def _glob(pattern: str) -> Iterator[str]:
    return glob.iglob(pattern, recursive=True)  # noqa: PTH207  patterns are absolute, and Path.glob takes none


def _modified(path: str) -> float:
    try:
        return Path(path).stat().st_mtime
    except OSError:
        return 0.0
