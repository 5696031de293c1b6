"""java.util.logging's SimpleFormatter, as Tomcat wrote its logs: time, class and method, then the level and the text.

Nov 23, 2026 10:15:23 PM org.apache.catalina.core.StandardService startInternal
SEVERE: Failed to start connector
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cockpit.formats.declaration import Declaration
from cockpit.formats.declared import DeclaredFormat
from cockpit.formats.format import Marks, Said, encoded, first_line
from cockpit.formats.levels import level_of

if TYPE_CHECKING:
    from cockpit.formats.piece import Piece
    from cockpit.formats.times import Zone

DECLARATION = Declaration(
    name="java-logging",
    pattern=r"(?P<time>) (?P<class>[A-Za-z_$][^ ]*) (?P<method>[^ ]+)",
    time="%b %-d, %Y %-I:%M:%S %p",
    fields={"class": "code.namespace", "method": "code.function.name"},
    search=False,
)
_LEVEL = re.compile(rb"([A-Z]{4,7}): ")


class JavaLoggingFormat(DeclaredFormat):
    """Its level is the first word of a record's second line."""

    def __init__(self, zone: Zone | None = None) -> None:
        super().__init__(DECLARATION, zone, trusted=True)

    def marks(self, piece: Piece, *, observed: int) -> Marks:
        """Return where records begin."""
        import numpy as np

        marks = super().marks(piece, observed=observed)
        rows = np.flatnonzero(marks.begins[:-1] & ~marks.begins[1:])
        for row in rows.tolist():
            start = piece.starts[row + 1]
            marks.levels[row] = _told(piece.bytes[start : min(start + 9, piece.ends[row + 1])].tobytes())
        return marks

    def said(self, text: str, *, observed: int) -> Said | None:
        """Read a record."""
        said = super().said(text, observed=observed)
        if said is not None:
            said.level, said.body = _second(text, said.body)
        return said

    def bare(self, text: str) -> Said | None:
        """Read a record but for its time and level."""
        said = super().bare(text)
        if said is not None:
            said.body = _second(text, said.body)[1]
        return said


def _second(text: str, body: str) -> tuple[int, str]:
    """Return the level that the second line tells, and the text from there on."""
    rest = text[len(first_line(text)) + 1 :]
    return _told(encoded(first_line(rest))[:9]), rest or body


def _told(line: bytes) -> int:
    found = _LEVEL.match(line)
    return level_of(found[1].decode()) if found is not None else 0
