"""A log's format: what the engine asks of it, and what all of them have in common."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from msgspec import Struct

from cockpit.formats.columns import UNDATED, Columns
from cockpit.formats.levels import find_level
from cockpit.signals import EMPTY, Attributes, LogRecord, Resource

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cockpit.formats.piece import Mask, Piece
    from cockpit.formats.stamps import Numbers

_TRACE = re.compile(r"trace[_.-]?id[\"']?\s?[=:]\s?[\"']?([0-9a-f]{32}|[0-9a-f]{16})\b", re.IGNORECASE)
_SPAN = re.compile(r"span[_.-]?id[\"']?\s?[=:]\s?[\"']?([0-9a-f]{16})\b", re.IGNORECASE)
_PARENT = re.compile(r"\b00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}\b")


class Said(Struct, gc=False):
    """What a record says; `at` is `UNDATED` where it tells no time."""

    at: int
    level: int
    body: str
    attributes: Attributes = EMPTY
    service: str = ""
    host: str = ""
    trace_id: str = ""
    span_id: str = ""


class Marks(NamedTuple):
    """What a format makes of each line of a piece.

    Attributes:
        begins: Whether a record of this format begins there.
        times: int64, nanoseconds, where one begins.
        levels: uint8, where one begins.
    """

    begins: Mask
    times: Numbers
    levels: Numbers


class LogFormat(ABC):
    """How one log writes its records. It holds no state of a place in the log: pieces may come in any order."""

    name: str
    verbatim: ClassVar[bool] = False
    """Whether a record's service, host and trace id stand in its text, but for case and escapes with a backslash."""

    def spells(self, key: str) -> bool:
        """Tell whether a record with an attribute `key` always says so in its text: `key=…` or `"key": …`.

        Of a key with dots its last part is enough, and it may be written with escapes. An attribute that is told by
        its place in the line is not spelled. A search asks this, so that it reads the fewest records.
        """
        return False

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
            text: Its lines without the last line feed. What was no UTF-8 may stand there as surrogates
                (`surrogateescape`), which agrees with `columns` to the byte, or replaced.
            observed: As above; the record's time where it tells none.
        """


class LineFormat(LogFormat):
    """A format whose records are told by their first lines.

    Attributes:
        unmatched: What becomes of lines that don't fit: `joins` the record before, `traces` if they look like more of
            it and else are records of their own, or always their `own`.
    """

    unmatched: str = "joins"

    @abstractmethod
    def marks(self, piece: Piece, *, observed: int) -> Marks:
        """Return what each line is."""

    @abstractmethod
    def said(self, text: str, *, observed: int) -> Said | None:
        """Read one record; None for what is none of this format.

        Args:
            text: Its lines without the last line feed.
            observed: As above.
        """

    def bare(self, text: str) -> Said | None:
        """Read one record but for its time and level, which `columns` tells sooner; None for what does not fit."""
        return self.said(text, observed=0)

    def fields(self, text: str) -> Said:
        """Read what a record says besides its time and level."""
        return self.bare(text) or self.stray(text)

    def fitting(self, piece: Piece, *, observed: int) -> int:
        """Return how many lines fit, by which formats are told from one another."""
        return int(self.marks(piece, observed=observed).begins.sum())

    def all_marks(self, piece: Piece, *, observed: int) -> Marks:
        """Return what each line is, those that don't fit included."""
        marks = self.marks(piece, observed=observed)
        if self.unmatched != "joins" and not marks.begins.all():
            from cockpit.formats.strays import add_strays

            return add_strays(piece, marks, traces=self.unmatched == "traces")
        return marks

    def columns(self, data: memoryview, *, observed: int) -> Columns:
        """Find the records of a piece."""
        import numpy as np

        from cockpit.formats.piece import Piece

        piece = Piece(data)
        begins, times, levels = self.all_marks(piece, observed=observed)
        if begins.all():
            return Columns(piece.starts.astype(np.uint32), times, levels.astype(np.uint8), len(piece))
        rows = np.flatnonzero(begins)
        return Columns(
            piece.starts[rows].astype(np.uint32), times[rows], levels[rows].astype(np.uint8), len(piece)
        )

    def stray(self, text: str) -> Said:
        """Return a record whose first line does not fit."""
        level = 0
        if self.unmatched != "joins":
            level = stray_level(text)
        trace_id, span_id = find_trace(text)
        return Said(UNDATED, level, text, trace_id=trace_id, span_id=span_id)

    def record(self, text: str, *, observed: int) -> LogRecord:
        """Read one record, of this format or astray among its lines."""
        said = self.said(text, observed=observed) or self.stray(text)
        resource: Resource = EMPTY
        if said.service or said.host:
            named = {"service.name": said.service, "host.name": said.host}
            resource = {name: value for name, value in named.items() if value}
        return LogRecord(
            at=observed if said.at == UNDATED else said.at,
            level=said.level,
            body=said.body,
            attributes=said.attributes,
            resource=resource,
            trace_id=said.trace_id,
            span_id=said.span_id,
        )


def first_line(text: str) -> str:
    """Return a record's first line."""
    return text.partition("\n")[0]


def encoded(text: str) -> bytes:
    """Return a text's bytes, those that were no UTF-8 included."""
    return text.encode("utf-8", "surrogateescape" if not text.isascii() else "strict")


def stray_level(text: str) -> int:
    """Return the level of a record that fits no format: a Python traceback's is an error."""
    if text.startswith(TRACEBACK):
        return 17
    return find_level(encoded(first_line(text)))


TRACEBACK = "Traceback (most recent call last):"


def find_trace(body: str) -> tuple[str, str]:
    """Return the trace and span ids that a text names, as `trace_id=…` or as a W3C traceparent; empty for none."""
    if "race" not in body and "RACE" not in body and "00-" not in body:
        return "", ""
    if parent := _PARENT.search(body):
        return parent[1], parent[2]
    trace = _TRACE.search(body)
    if trace is None:
        return "", ""
    span = _SPAN.search(body)
    return trace[1].lower(), span[1].lower() if span else ""


def line_starts(data: memoryview) -> NDArray[np.uint32]:
    """Return where the lines of a piece begin: uint32, shape (lines,)."""
    import numpy as np

    from cockpit.formats.piece import Piece

    return Piece(data).starts.astype(np.uint32)
