"""Walks a log from its beginning to its end, in pieces of whole records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cockpit.errors import CockpitError
from cockpit.formats.columns import UNDATED, Columns
from cockpit.formats.format import LogFormat
from cockpit.signals import LogRecord
from cockpit.stores.logs.streams import PIECE, LogStream

LONGEST = 16 << 20
"""Bytes of a record at most; a longer one is cut."""
TAIL = 1 << 16
"""Bytes at the end of a piece in which its last record is looked for first."""
LINE_FEED = b"\n"


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records that lie one after another.

    Attributes:
        data: Their bytes.
        columns: What is known of them; the first begins at 0.
        line: The number of the first line, from 1.
        observed: A moment not before they were written, in nanoseconds.
        before: The time of the last record before them that told one; `observed` where none did.
    """

    data: memoryview
    columns: Columns
    line: int
    observed: int
    before: int

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def ends(self) -> NDArray[np.int64]:
        """Where each record ends, its last line feed included: shape (n,)."""
        return np.append(self.columns.starts[1:].astype(np.int64), np.int64(len(self.data)))

    @property
    def times(self) -> NDArray[np.int64]:
        """Nanoseconds, shape (n,): a record that tells no time has that of the one before."""
        times = self.columns.times
        told = times != UNDATED
        if told.all():
            return times
        last = np.maximum.accumulate(np.where(told, np.arange(len(times)), -1))
        return np.where(last >= 0, times[np.maximum(last, 0)], np.int64(self.before))

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The number of the line that each record begins at: shape (n,)."""
        feeds = np.flatnonzero(np.frombuffer(self.data, np.uint8) == LINE_FEED[0])
        return self.line + feeds.searchsorted(self.columns.starts)

    def text(self, row: int) -> str:
        """Return a record's text without its last line break."""
        starts = self.columns.starts
        end = int(starts[row + 1]) if row + 1 < len(starts) else len(self.data)
        return str(self.data[int(starts[row]) : end], "utf-8", "replace").rstrip("\r\n")


def read_record(block: Block, row: int, fmt: LogFormat, at: int) -> LogRecord:
    """Read one record; where it tells no time it has the one given."""
    return fmt.record(block.text(row), observed=block.observed if block.columns.times[row] >= 0 else at)


class Forward:
    """The blocks of a log, from the first to the last."""

    def __init__(
        self,
        log: LogStream,
        fmt: LogFormat,
        *,
        screen: Callable[[memoryview], bool] | None = None,
        numbered: bool = True,
    ) -> None:
        """Begin.

        Args:
            log: The log, of which nothing was read yet.
            fmt: Its format.
            screen: Tells whether bytes may hold a record that is wanted; blocks that hold none are left out.
            numbered: Whether lines are counted.
        """
        self._log = log
        self._fmt = fmt
        self._screen = screen
        self._numbered = numbered
        self._observed = log.modified
        self._before = log.modified
        self._line = 1
        self._trouble: CockpitError | None = None

    def __iter__(self) -> Iterator[Block]:
        """Read on.

        Raises:
            CockpitError: The log can't be read any further; what lies before was handed out.
        """
        rest = b""
        while True:
            data, tail, ended = self._whole_lines(rest)
            cut = len(data)
            if self._screen is not None and not self._screen(memoryview(data)):
                if not ended:
                    cut = self._last_start(data) or (0 if len(data) < LONGEST else len(data))
            elif data:
                columns = _from_start(self._fmt.columns(memoryview(data), observed=self._observed))
                if not ended and (len(columns) > 1 or len(data) < LONGEST):
                    cut = int(columns.starts[-1])
                    columns = Columns(
                        columns.starts[:-1], columns.times[:-1], columns.levels[:-1], columns.lines
                    )
                if cut:
                    yield self._block(data, cut, columns)
            if self._numbered:
                self._line += data.count(LINE_FEED, 0, cut)
            if ended:
                if self._trouble is not None:
                    raise self._trouble
                return
            rest = data[cut:] + tail

    def _block(self, data: bytes, cut: int, columns: Columns) -> Block:
        block = Block(memoryview(data)[:cut], columns, self._line, self._observed, self._before)
        told = columns.times[columns.times != UNDATED]
        if len(told):
            self._before = int(told[-1])
        return block

    def _whole_lines(self, rest: bytes) -> tuple[bytes, bytes, bool]:
        """Read on; return what goes to the end of a line, what follows that, and whether the log ends there.

        What has begun and is still not whole is doubled, so that a long record is not looked at over and over.
        """
        parts, size = [rest], len(rest)
        least = 2 * size if size > PIECE else size + 1
        while True:
            try:
                part = self._log.read()
            except CockpitError as error:
                self._trouble, part = error, b""
            if not part:
                return b"".join(parts), b"", True
            parts.append(part)
            size += len(part)
            if size >= LONGEST or (size >= least and LINE_FEED in part):
                data = b"".join(parts)
                end = data.rfind(LINE_FEED) + 1 or size
                return data[:end], data[end:], False

    def _last_start(self, data: bytes) -> int:
        """Return where the last record begins, 0 where that is the first one."""
        begin = data.rfind(LINE_FEED, 0, max(0, len(data) - TAIL)) + 1
        found = self._fmt.columns(memoryview(data)[begin:], observed=self._observed)
        if not len(found) and begin:
            begin, found = 0, self._fmt.columns(memoryview(data), observed=self._observed)
        return begin + int(found.starts[-1]) if len(found) else 0


def _from_start(columns: Columns) -> Columns:
    """Make a record of the lines before the first one."""
    starts, times, levels, lines = columns
    if len(starts) and not starts[0]:
        return columns
    return Columns(
        np.concatenate((np.zeros(1, np.uint32), starts)),
        np.concatenate((np.full(1, UNDATED, np.int64), times)),
        np.concatenate((np.zeros(1, np.uint8), levels)),
        lines,
    )
