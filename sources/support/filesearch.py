"""Search log files from their ends backwards, for what was logged in a span of time.

Lines are compared before they are parsed, so a rare text costs little more than reading. A file whose blocks have
become older than the span is left; so is everything once the bounds on bytes and time are reached.
"""

from __future__ import annotations

import heapq
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cockpit.formats.multiline import SIZE, Joiner
from cockpit.formats.stream import LineParser
from cockpit.signals import LogRecord
from cockpit.source import TimeRange
from cockpit.stores.logs.terms import Query, Word

BLOCK = 1 << 20
"""Bytes looked at between two looks at the bounds."""

BYTES = 1 << 30
"""Bytes looked at in one search."""


class Search:
    """One search over many files; `stop` ends it from another thread.

    Args:
        query: What a record's text and fields must fulfil; lines are first compared with its longest word.
        within: The span of time.
        limit: Records returned at most: the newest.
        seconds: How long it may take.
    """

    def __init__(self, query: Query, within: TimeRange, limit: int, *, seconds: float) -> None:
        self.stop = threading.Event()
        self._word = query.pushed.lower()
        self._test = None if query.admits_all or isinstance(query.root, Word) else query.tester()
        self._within = within
        self._limit = max(0, limit)
        self._bytes = BYTES
        self._until = time.monotonic() + seconds
        self._found: list[tuple[int, int, LogRecord]] = []
        self._count = 0

    def look_into(self, path: str, parser: LineParser, joiner: Callable[[], Joiner]) -> None:
        """Search one file; one that can't be read has nothing to find."""
        try:
            stat = Path(path).stat()
            if stat.st_mtime_ns < self._within.start:
                return
            with Path(path).open("rb") as file:
                for lines in _blocks_backwards(file.fileno(), stat.st_size, joiner()):
                    self._bytes -= BLOCK
                    if not self._look_at(lines, parser, joiner(), stat.st_mtime_ns) or self._ended():
                        return
        except OSError:
            return

    @property
    def found(self) -> list[LogRecord]:
        """The newest records found, oldest first."""
        return [record for _, _, record in sorted(self._found, key=lambda one: one[:2])]

    def _ended(self) -> bool:
        return self.stop.is_set() or self._bytes <= 0 or time.monotonic() > self._until

    def _look_at(self, lines: list[str], parser: LineParser, joiner: Joiner, written: int) -> bool:
        """Search a block's lines; False when all before them is older than anything that is wanted."""
        records = [*joiner.join(lines), *joiner.flush()]
        if not records:
            return True
        word = self._word
        first = parser.parse(records[0], written)
        for text in records:
            if word and word not in text.lower():
                continue
            record = parser.parse(text, written)
            if not self._within.start <= record.at <= self._within.end:
                continue
            if self._test is None or self._test(record, text):
                self._take(record)
        oldest = self._found[0][0] if len(self._found) >= self._limit and self._found else self._within.start
        return not parser.timed or first.at >= max(self._within.start, oldest)

    def _take(self, record: LogRecord) -> None:
        self._count += 1
        entry = (record.at, self._count, record)
        if len(self._found) < self._limit:
            heapq.heappush(self._found, entry)
        elif self._found:
            heapq.heappushpop(self._found, entry)


def _blocks_backwards(descriptor: int, size: int, joiner: Joiner) -> Iterator[list[str]]:
    """Yield a file's lines, a block at a time, from its end; a record is never split between two blocks."""
    end, carried = size, b""
    while end > 0:
        start = max(0, end - BLOCK)
        data = os.pread(descriptor, end - start, start) + carried
        end = start
        if start == 0:
            yield _decoded(data)
            return
        cut = _record_start(data, joiner)
        if cut < 0:
            carried = data[: SIZE * 2]
            continue
        carried = data[:cut]
        yield _decoded(data[cut:])


def _record_start(data: bytes, joiner: Joiner) -> int:
    """Return where the first whole record of a block begins; -1 where none does."""
    at = data.find(b"\n") + 1
    while 0 < at < len(data):
        end = data.find(b"\n", at)
        line = data[at : end if end >= 0 else len(data)][:512].decode("utf-8", "replace")
        if line and not joiner.continues(line):
            return at
        at = end + 1
    return -1


def _decoded(data: bytes) -> list[str]:
    text = data.replace(b"\0", b"").decode("utf-8", "replace")
    return [line.rstrip("\r")[:SIZE] for line in text.split("\n")]
