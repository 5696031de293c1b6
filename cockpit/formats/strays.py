"""Lines that fit no format: whether they are more of the record before, or records of their own.

A line belongs to what is before it when it is empty, indented, or one of the lines that stack traces of Java,
Python and Go begin, go on or end with. Only the line itself and the one before it are looked at, so pieces may
come in any order.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from cockpit.formats.columns import UNDATED
from cockpit.formats.format import TRACEBACK, Marks
from cockpit.formats.level_search import find_levels
from cockpit.formats.piece import Mask, Piece, Places

_CONTINUES = re.compile(
    rb"Caused by: |Suppressed: |During handling of the above exception"
    rb"|The above exception was the direct cause"
    rb"|\.\.\. \d+ more|goroutine \d+ \[|created by \S|exit status \d"
    rb"|(?:[a-z]\w*\.){2,}\w*(?:Exception|Error|Throwable)\b"
    rb"|(?:[\w*./-]+\.)+[\w.()*]+\([^)]*\)\s*$"
    rb"|[\])}]+[,;]?\s*$"
)
_ENDS_TRACE = re.compile(
    rb"(?:\w+\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning|Group)\b|(?:\w+\.)+[A-Z]\w*(?::|$)"
)
_FIRST = np.zeros(256, np.bool_)
_FIRST[list(b"CSTD.])}ABEFGHIJKLMNOPQRUVWXYZabcdefghijklmnopqrstuvwxyz_")] = True
_HEAD = 512
"""Bytes of a line that are looked at."""


def add_strays(piece: Piece, marks: Marks, *, traces: bool) -> Marks:
    """Return the marks with the records that begin at lines that fit no format.

    Args:
        piece: The piece.
        marks: Of the lines that do.
        traces: Whether lines that look like more of the record before belong to it.
    """
    begins, times, levels = marks.begins.copy(), marks.times.copy(), marks.levels.copy()
    rows = np.flatnonzero(~begins & ~_blank(piece))
    if traces:
        rows = rows[~_continues(piece, rows, begins)]
    begins[rows] = True
    times[rows] = UNDATED
    levels[rows] = find_levels(piece, piece.starts[rows], piece.ends[rows])
    head = TRACEBACK.encode()
    for row in rows[piece.bytes[piece.starts[rows]] == head[0]].tolist():
        if piece.line(row).startswith(head):
            levels[row] = 17
    return Marks(begins, times, levels)


def _blank(piece: Piece) -> Mask:
    """Tell which lines hold nothing but white space."""
    blank: Mask = piece.starts == piece.ends
    rows = np.flatnonzero(~blank & _white(piece.bytes[piece.starts]))
    rows = rows[_white(piece.bytes[piece.ends[rows] - 1])]
    short = piece.ends[rows] - piece.starts[rows] <= 2
    blank[rows[short]] = True
    for row in rows[~short].tolist():
        blank[row] = piece.line(row).isspace()
    return blank


def _white(letters: NDArray[np.uint8]) -> Mask:
    white: Mask = (letters == 32) | ((letters >= 9) & (letters <= 13))
    return white


def _continues(piece: Piece, rows: Places, begins: Mask) -> Mask:
    """Tell which of some lines, none of them blank, are more of the record before."""
    first = piece.bytes[piece.starts[rows]]
    more: Mask = (first == 32) | (first == 9)
    for place in np.flatnonzero(_FIRST[first]).tolist():
        row = int(rows[place])
        start = int(piece.starts[row])
        line = piece.bytes[start : min(int(piece.ends[row]), start + _HEAD)].tobytes()
        if _CONTINUES.match(line):
            more[place] = True
        elif line.startswith(TRACEBACK.encode()):
            more[place] = _goes_on(piece, row)
        elif row and _ENDS_TRACE.match(line):
            more[place] = piece.bytes[piece.starts[row - 1]] in (9, 32) and not begins[row - 1]
    return more


def _goes_on(piece: Piece, row: int) -> bool:
    """Tell whether a traceback belongs to the record before: not to one that a traceback ended."""
    for before in range(row - 1, max(row - 4, -1), -1):
        line = piece.line(before)[:_HEAD]
        if line and not line.isspace():
            return not (
                _ENDS_TRACE.match(line) and before and piece.bytes[piece.starts[before - 1]] in (9, 32)
            )
    return False
