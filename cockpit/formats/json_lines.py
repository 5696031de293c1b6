"""JSON lines and logfmt, with the names that common loggers give to their fields."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import structs

from cockpit.formats import structured
from cockpit.formats.columns import UNDATED
from cockpit.formats.expression import EVERY, steps_of
from cockpit.formats.format import LineFormat, Marks, Said, encoded, find_trace, first_line
from cockpit.formats.layout import Layout
from cockpit.formats.times import Zone
from cockpit.formats.walks import Names, head_of, json_values, logfmt_values

if TYPE_CHECKING:
    from cockpit.formats.piece import Piece

NAMES = Names(
    times=frozenset(name.encode() for name in structured.TIMES),
    levels=frozenset(name.encode() for name in structured.LEVELS),
    numbers=frozenset(name.encode() for name in structured.NUMBERS),
    bodies=frozenset(name.encode() for name in structured.BODIES),
    entered={
        b"log": b"log.",
        b"t": b"t.",
        b"resourceLogs": b"",
        b"scopeLogs": b"",
        b"logRecords": b"",
        b"body": b"body.",
    },
    walk=json_values,
    bare=EVERY - frozenset(b' \t\r\f\v,]}[{":'),
    closing=b"}",
)


class JsonFormat(LineFormat):
    """An object a line.

    Args:
        zone: The zone of times that tell none.
    """

    name = "json"
    unmatched = "traces"
    names = NAMES
    verbatim = True

    def __init__(self, zone: Zone | None = None) -> None:
        self.layout = Layout("iso", zone)

    def spells(self, key: str) -> bool:
        """Say so of every key."""
        return True

    def marks(self, piece: Piece, *, observed: int) -> Marks:
        """Return which lines are objects."""
        from cockpit.formats.learned import structured_marks

        begins = piece.bytes[piece.starts] == ord("{")
        marks = structured_marks(piece, begins, self.names, self.layout, observed)
        return marks._replace(begins=begins & (marks.times != UNDATED)) if self.names.needs_time else marks

    def said(self, text: str, *, observed: int) -> Said | None:
        """Read an object; of one that is cut off, what stands before the cut."""
        line = first_line(text)
        if not line.startswith("{"):
            return None
        head = head_of(encoded(line), self.names, self.layout, observed)
        if self.names.needs_time and head.at == UNDATED:
            return None
        fields = structured.from_json(line, head)
        if fields is None:
            trace_id, span_id = find_trace(text)
            return Said(head.at, head.level, text, trace_id=trace_id, span_id=span_id)
        if line != text:
            fields.body += text[len(line) :]
        return fields


class LogfmtFormat(LineFormat):
    """`name=value` pairs, as logrus, Go kit and Prometheus write them; one of them tells time, level or text.

    Args:
        zone: The zone of times that tell none.
    """

    name = "logfmt"
    unmatched = "traces"
    names = structs.replace(
        NAMES, entered={}, walk=logfmt_values, bare=EVERY - frozenset(b' \t\r\f\v"'), closing=b""
    )
    verbatim = True

    def __init__(self, zone: Zone | None = None) -> None:
        self.layout = Layout("iso", zone)

    def spells(self, key: str) -> bool:
        """Say so of every key."""
        return True

    def marks(self, piece: Piece, *, observed: int) -> Marks:
        """Return which lines are pairs."""
        from cockpit.formats.learned import structured_marks
        from cockpit.formats.lockstep import match_all

        begins = match_all(_PAIRS, piece, piece.starts).found
        marks = structured_marks(piece, begins, self.names, self.layout, observed)
        return marks._replace(begins=begins & ((marks.times != UNDATED) | (marks.levels > 0)))

    def said(self, text: str, *, observed: int) -> Said | None:
        """Read pairs."""
        line = first_line(text)
        if _BEGINS.match(line) is None:
            return None
        raw = encoded(line)
        head = head_of(raw, self.names, self.layout, observed)
        if head.at == UNDATED and not head.level:
            return None
        pairs: dict[str, object] = {}
        for value in logfmt_values(raw, self.names):
            if len(pairs) >= structured.FIELDS:
                break
            told = raw[value.start : value.end].decode("utf-8", "replace")
            pairs[value.name.decode()] = structured.unescaped(told) if value.quoted else told
        fields = structured.said_of(pairs, line, head)
        if line != text:
            fields.body += text[len(line) :]
        return fields


_BEGINS = re.compile(r"[A-Za-z_@][\w.@/-]*+=", re.ASCII)
_PAIRS = steps_of(_BEGINS.pattern) or ()
