"""Windows' event log as text, as `wevtutil qe LOG /f:text` writes it: a head of names and values, then a description.

    Event[0]:
      Log Name: System
      Source: Service Control Manager
      Date: 2026-11-23T22:15:23.123
      Event ID: 7036
      Level: Information
      Computer: WEB-1
      Description:
    The Windows Update service entered the running state.

Where it is written as XML or as a table, `builtin.toml` has it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cockpit.formats.columns import UNDATED
from cockpit.formats.format import LineFormat, Marks, Said
from cockpit.formats.layout import Layout
from cockpit.formats.levels import level_of

if TYPE_CHECKING:
    from cockpit.formats.piece import Piece, Places
    from cockpit.formats.times import Zone

HEAD = 20
"""Lines of a head at most."""
DATE, LEVEL = "  Date: ", "  Level: "
_EVENT = re.compile(r"Event\[[0-9]{1,9}\]:?\r?$")
_VALUE = re.compile(r"  ([A-Z][A-Za-z ]{1,20}): ?(.*)")
_LONGEST = 64
"""Bytes of a level that are looked at."""
ATTRIBUTES = {
    "Log Name": "winlog.channel",
    "Task": "winlog.task",
    "Opcode": "winlog.opcode",
    "User Name": "user.name",
}


class WindowsEventFormat(LineFormat):
    """A record begins with `Event[N]` where a date follows in its head."""

    name = "windows-event"
    verbatim = True

    def __init__(self, zone: Zone | None = None) -> None:
        self._layout = Layout("iso", zone)

    def marks(self, piece: Piece, *, observed: int) -> Marks:
        """Return where events begin."""
        import numpy as np

        from cockpit.formats.stamps import read_stamps
        from cockpit.formats.sweep import told_levels

        count = len(piece)
        begins = np.zeros(count, np.bool_)
        times = np.full(count, UNDATED, np.int64)
        levels = np.zeros(count, np.int64)
        rows = _rows(piece, "Event[")
        rows = (
            rows[[_EVENT.match(piece.text(row)) is not None for row in rows.tolist()]] if len(rows) else rows
        )
        ends = np.minimum(np.append(rows[1:], count), rows + HEAD)
        dates = _first(_rows(piece, DATE), rows, ends)
        rows, ends, dates = rows[dates >= 0], ends[dates >= 0], dates[dates >= 0]
        stamps = read_stamps(self._layout, piece, piece.starts[dates] + len(DATE), observed)
        dated = stamps.formed & (stamps.times != UNDATED)
        rows, ends = rows[dated], ends[dated]
        begins[rows] = True
        times[rows] = stamps.times[dated]
        told = _first(_rows(piece, LEVEL), rows, ends)
        rows, told = rows[told >= 0], told[told >= 0]
        levels[rows] = told_levels(
            self._level,
            piece,
            np.minimum(piece.starts[told] + len(LEVEL), piece.ends[told]),
            piece.ends[told],
        )
        return Marks(begins, times, levels)

    def fitting(self, piece: Piece, *, observed: int) -> int:
        """Return how many lines are of events' heads, however long the descriptions are."""
        return min(len(piece), HEAD * int(self.marks(piece, observed=observed).begins.sum()))

    def said(self, text: str, *, observed: int) -> Said | None:
        """Read an event."""
        lines = text.split("\n", HEAD)
        if not _EVENT.match(lines[0]):
            return None
        values: dict[str, str] = {}
        at, level, body, place = UNDATED, "", "", len(lines[0]) + 1
        for line in lines[1:HEAD]:
            if _EVENT.match(line):
                break
            if at == UNDATED and DATE not in values and line.startswith(DATE):
                values[DATE] = line
                at = self._layout.read(line[len(DATE) :], observed)
            if not level and line.startswith(LEVEL):
                level = line[len(LEVEL) :]
            place += len(line) + 1
            found = _VALUE.match(line)
            if found is not None and not body:
                values.setdefault(found[1], found[2].strip())
            if found is not None and found[1] == "Description":
                body = body or text[place:].strip("\r\n") or found[2].strip()
        if at == UNDATED:
            return None
        return _said(at, self._level(level.encode("utf-8", "surrogateescape")), body or text, values)

    @staticmethod
    def _level(told: bytes) -> int:
        return level_of(told[:_LONGEST].decode("latin-1").strip())


def _said(at: int, level: int, body: str, values: dict[str, str]) -> Said:
    attributes: dict[str, str | int] = {
        name: values[key] for key, name in ATTRIBUTES.items() if values.get(key, "N/A") != "N/A"
    }
    number = values.get("Event ID", "")
    if number.isascii() and number.isdigit() and len(number) < 19:
        attributes["event.code"] = int(number)
    return Said(at, level, body, attributes, values.get("Source", ""), values.get("Computer", ""))


def _rows(piece: Piece, text: str) -> Places:
    """Return the lines that begin with a text of up to nine characters."""
    import numpy as np

    raw = text.encode()
    mask = np.uint64((1 << 8 * min(len(raw), 8)) - 1)
    rows = np.flatnonzero((piece.words[piece.starts] & mask) == int.from_bytes(raw[:8], "little"))
    if len(raw) > 8:
        rows = rows[piece.bytes[piece.starts[rows] + 8] == raw[8]]
    return rows


def _first(wanted: Places, rows: Places, ends: Places) -> Places:
    """Return for each stretch of lines the first wanted one after its first; -1 where there is none."""
    import numpy as np

    if not len(wanted):
        return np.full(len(rows), -1, np.int64)
    place = np.searchsorted(wanted, rows, "right")
    found = wanted[np.minimum(place, len(wanted) - 1)]
    return np.where((place < len(wanted)) & (found < ends), found, -1)
