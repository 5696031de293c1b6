"""A log's format: what the engine asks of it, and the one that fits every text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cockpit.formats.columns import UNDATED, Columns
from cockpit.signals import LogRecord

LINE_FEED = 10


class LogFormat(ABC):
    """How one log writes its records. It holds no state of a place in the log: pieces may come in any order."""

    name: ClassVar[str]

    @abstractmethod
    def columns(self, data: memoryview, *, observed: int) -> Columns:
        """Find the records of a piece, their times and levels.

        Args:
            data: Whole lines; the last may lack its line feed at the end of the log.
            observed: A moment in nanoseconds not before the piece was written, by which a missing year is told.
        """

    @abstractmethod
    def record(self, text: str, *, observed: int) -> LogRecord:
        """Read one record, which may have several lines, for drawing and for questions about its fields.

        Args:
            text: Its lines without the last line feed.
            observed: As above; the record's time where it tells none.
        """


class PlainFormat(LogFormat):
    """A record a line, without time or level."""

    name = "plain"

    def columns(self, data: memoryview, *, observed: int) -> Columns:
        """Count lines."""
        starts = line_starts(data)
        count = len(starts)
        return Columns(starts, np.full(count, UNDATED, np.int64), np.zeros(count, np.uint8), count)

    def record(self, text: str, *, observed: int) -> LogRecord:
        """Take the text as it is."""
        return LogRecord(at=observed, body=text)


def line_starts(data: memoryview) -> NDArray[np.uint32]:
    """Return where the lines of a piece begin: uint32, shape (lines,)."""
    if not len(data):
        return np.empty(0, np.uint32)
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == LINE_FEED)
    open_end = not len(ends) or ends[-1] != len(data) - 1
    starts = np.empty(len(ends) + open_end, np.uint32)
    starts[0] = 0
    starts[1:] = ends[: len(starts) - 1] + 1
    return starts
