"""How one log record is laid out in cells: its columns, its marks, its highlights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct
from rich.cells import chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from cockpit.signals import SECOND, LogRecord, host_of, level_name, service_of
from cockpit.stores.logs import Pattern, Placing
from widgets.rows import Piece
from widgets.text import clock, fit, safe

LEVEL_MARK = {"": " ", "trace": "·", "debug": "·", "info": "·", "warn": "▲", "error": "◆", "fatal": "✖"}
"""A shape for each level, the same as for severities, so that colour never carries it alone."""
LEVEL_STYLE = {
    "": "muted", "trace": "muted", "debug": "muted", "info": "info", "warn": "warning", "error": "error",
    "fatal": "critical",
}  # fmt: skip
PLACING_MARK = {Placing.TIMELY: " ", Placing.LATE: "«", Placing.AHEAD: "»", Placing.UNDATED: "?"}
"""Beside the time: « came late, » says it is from the future, ? has no time."""

LAID_OUT = 16_000
"""Characters of JSON that are laid out."""
WRAPPED = 40
"""Lines shown of a record that is wrapped."""
DAY = 86_400 * SECOND

_UNSEEN = dict.fromkeys(
    [0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0x2061, 0x2062, 0x2063, 0x2064, 0xFEFF, *range(0xFE00, 0xFE10)]
)
"""Joiners and variation selectors: terminals disagree how wide they make their neighbours."""


class Columns(Struct, frozen=True):
    """How many cells each column has; 0 leaves it out.

    Attributes:
        width: Of the whole row.
        time: 8 for the time of day, 12 with milliseconds, 6 more with the date.
        level: 7 for mark and word, 5 for the word.
        service: The service's name.
        source: The source's name.
        body: What is left.
        attributes: Attributes that are columns, and the cells of each.
    """

    width: int
    time: int
    level: int
    service: int
    source: int
    body: int
    attributes: tuple[tuple[str, int], ...] = ()

    @property
    def indent(self) -> int:
        """Cells before the body."""
        return self.width - self.body


def columns_for(width: int, *, dated: bool = False, attributes: Sequence[tuple[str, int]] = ()) -> Columns:
    """Choose the columns for a width.

    Args:
        width: Cells of the whole row.
        dated: Whether rows of other days are in sight.
        attributes: Those that were chosen, and the cells that they ask for; the body keeps a third of the row.
    """
    time = 12 if width >= 100 else 8
    time += 6 if dated else 0
    level = 7 if width >= 60 else 5
    service = 0 if width < 50 else max(8, min(18, width // 8))
    source = 12 if width >= 120 else 0
    used = time + 1 + sum(cells + 1 for cells in (level, service, source) if cells)
    chosen: list[tuple[str, int]] = []
    for name, cells in attributes:
        if used + cells + 1 <= width * 2 // 3:
            chosen.append((name, cells))
            used += cells + 1
    return Columns(width, time, level, service, source, max(1, width - used), tuple(chosen))


def is_dated(record: LogRecord, now: int) -> bool:
    """Tell whether a record is of another day than today, so that its date must be said."""
    return record.at >= DAY and record.at // DAY != now // DAY


def line_of(text: str, limit: int) -> str:
    """Return text as one line whose cells a terminal counts as we do."""
    line = safe(text[: limit * 4], limit * 4)
    return line if line.isascii() else line.translate(_UNSEEN)


def value_text(value: object) -> str:
    """Return an attribute's value as text; empty where it has none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def pretty(body: str) -> str | None:
    """Return a JSON object or array laid out over lines, or None where the body is neither."""
    text = body.strip()
    if not text.startswith(("{", "[")):
        return None
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return None


def laid_out(record: LogRecord) -> str | None:
    """Return a record over several lines: its JSON, or its message and what else it says; None where that is all."""
    laid = pretty(record.body[:LAID_OUT])
    lines = [record.body if laid is None else laid]
    for name, value in record.attributes.items():
        text = value_text(value)
        lines.append(f"  {name}: {pretty(text[:LAID_OUT]) or text}")
    return None if laid is None and len(lines) == 1 else "\n".join(lines)


class RowPainter:
    """Makes the strips of records at one width, with one set of highlights."""

    def __init__(
        self,
        style: Callable[[str], Style],
        columns: Columns,
        *,
        marks: Sequence[Pattern] = (),
        wrap: bool = False,
        pretty: bool = False,
    ) -> None:
        self.columns = columns
        self.wrap = wrap
        self._pretty = pretty
        self._style = style
        self._marks = marks

    def strips(self, record: LogRecord, placing: Placing) -> list[Strip]:
        """Return the rows of one record: one, or several where it is wrapped."""
        head = self._head(record, placing)
        laid = laid_out(record) if self._pretty else None
        if not self.wrap and laid is None:
            return [self._strip([*head, *self._body(record.body)])]
        lines = self._wrapped(record.body if laid is None else laid)
        style = "plain"
        rows = [self._strip([*head, *self._marked(fit(lines[0], self.columns.body), style)])]
        indent = " " * self.columns.indent
        for line in lines[1:]:
            rows.append(self._strip([(indent, ""), *self._marked(fit(line, self.columns.body), style)]))
        return rows

    def _head(self, record: LogRecord, placing: Placing) -> list[Piece]:
        columns = self.columns
        time = "--:--:--" if placing is Placing.UNDATED else clock(record.at, millis=columns.time % 6 == 0)
        if columns.time in (14, 18):
            dated = clock(record.at, date=True)[5:11] if placing is not Placing.UNDATED else ""
            time = f"{dated:6}{time}"
        level = level_name(record.level)
        word = f"{LEVEL_MARK[level]} {level}" if columns.level == 7 else level
        mark = PLACING_MARK[placing]
        pieces = [
            (fit(time, columns.time), "muted"),
            (mark, "warning" if mark != " " else "muted"),
            (fit(word, columns.level), LEVEL_STYLE[level]),
            (" ", ""),
        ]
        if columns.service:
            name = service_of(record.resource) or host_of(record.resource)
            pieces += [(fit(line_of(name, columns.service), columns.service), "accent"), (" ", "")]
        if columns.source:
            pieces += [(fit(line_of(record.source, columns.source), columns.source), "muted"), (" ", "")]
        for name, cells in columns.attributes:
            value = record.attributes.get(name, record.resource.get(name))
            pieces += [(fit(line_of(value_text(value), cells), cells), "accent"), (" ", "")]
        return pieces

    def _body(self, body: str) -> list[Piece]:
        """Return the first line that says something, and how many more there are."""
        width = self.columns.body
        text = body.strip("\n")
        end = text.find("\n")
        if end < 0:
            return self._marked(fit(line_of(text, width), width), "plain")
        more = f" ⏎ {text.count(chr(10))}"
        room = max(1, width - len(more))
        return [
            *self._marked(fit(line_of(text[:end], width), room), "plain"),
            (fit(more, width - room), "muted"),
        ]

    def _wrapped(self, body: str) -> list[str]:
        width = self.columns.body
        wrapped: list[str] = []
        for line in body.strip("\n")[: WRAPPED * width].split("\n"):
            shown = line_of(line, WRAPPED * width)
            wrapped += chop_cells(shown, width) if shown else [""]
            if len(wrapped) > WRAPPED:
                break
        if len(wrapped) > WRAPPED or len(body) > WRAPPED * width:
            wrapped[WRAPPED - 1 :] = ["… (Enter shows all)"]
        return wrapped or [""]

    def _marked(self, text: str, style: str) -> list[Piece]:
        """Cut text where a highlight begins or ends."""
        spans = [
            match.span()
            for mark in self._marks
            for match in mark.regex.finditer(text, 0, mark.length)
            if match.end() > match.start()
        ]
        if not spans:
            return [(text, style)]
        pieces: list[Piece] = []
        done = 0
        for start, end in sorted(spans):
            start = max(start, done)
            if start >= end:
                continue
            pieces += [(text[done:start], style), (text[start:end], "match")]
            done = end
        pieces.append((text[done:], style))
        return pieces

    def _strip(self, pieces: Sequence[Piece]) -> Strip:
        segments = [Segment(text, self._style(name)) for text, name in pieces if text]
        return Strip(segments).adjust_cell_length(self.columns.width, self._style(""))
