"""Marks the lines of a piece by a declared format: all at once where its pattern allows, else one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cockpit.formats.columns import UNDATED
from cockpit.formats.expression import Step
from cockpit.formats.format import Marks
from cockpit.formats.layout import Layout
from cockpit.formats.level_search import find_levels
from cockpit.formats.lockstep import match_all
from cockpit.formats.piece import Piece, Places

if TYPE_CHECKING:
    from cockpit.formats.declared import DeclaredFormat

DISTINCT = 24
"""Different texts of a level that are told apart at once; what comes beyond is read line by line."""


def sweep(
    form: DeclaredFormat,
    piece: Piece,
    steps: tuple[Step, ...] | None,
    layout: Layout | None,
    *,
    observed: int,
) -> Marks:
    """Return the marks of a piece.

    Args:
        form: The format.
        piece: The piece.
        steps: Its pattern's, or None where it has to be run line by line.
        layout: Of its times, where the pattern leaves them to the layout.
        observed: A moment not before the piece was written, in nanoseconds.
    """
    if steps is None or (layout is None and form.declaration.time):
        return _one_by_one(form, piece, observed)
    match = match_all(steps, piece, piece.starts, layout=layout, observed=observed)
    times = np.full(len(piece), UNDATED, np.int64)
    if match.times is not None:
        taken = match.found & (match.spans["time"][0] >= 0)
        times[taken] = match.times[taken]
    levels = np.zeros(len(piece), np.int64)
    if form.declaration.level in match.spans:
        starts, ends = match.spans[form.declaration.level]
        rows = np.flatnonzero(match.found & (ends > starts))
        levels[rows] = told_levels(form.level_of, piece, starts[rows], ends[rows])
    if form.declaration.search:
        rows = np.flatnonzero(match.found & (levels == 0))
        levels[rows] = find_levels(piece, match.ends[rows], piece.ends[rows])
    return Marks(match.found, times, levels)


def told_levels(
    level_of: Callable[[bytes], int], piece: Piece, starts: Places, ends: Places
) -> NDArray[np.uint8]:
    """Return the levels that some places tell, each different text looked up once."""
    if not len(starts):
        return np.zeros(0, np.uint8)
    lengths = ends - starts
    short = lengths <= 16
    levels, left = np.zeros(len(starts), np.uint8), short.copy()
    words = piece.wide_words(np.minimum(starts, piece.size), 2)
    sizes = np.minimum(lengths, 16)
    halves = [
        words[:, half] & _MASKS.take(sizes + 8 - 8 * half) for half in ((0, 1) if sizes.max() > 8 else (0,))
    ]
    for _ in range(DISTINCT):
        one = int(left.argmax())
        if not left[one]:
            break
        same = lengths == lengths[one]
        for half in halves:
            same &= half == half[one]
        np.copyto(levels, level_of(piece.bytes[starts[one] : ends[one]].tobytes()), where=same)
        np.greater(left, same, out=left)
    for row in np.flatnonzero(left | ~short).tolist():
        levels[row] = level_of(piece.bytes[starts[row] : ends[row]].tobytes())
    return levels


_MASKS = np.array([(1 << 8 * max(0, min(8, size - 8))) - 1 for size in range(25)], np.uint64)
"""By eight and how many bytes count: the mask of a word that keeps them."""


def _one_by_one(form: DeclaredFormat, piece: Piece, observed: int) -> Marks:
    count = len(piece)
    begins = np.zeros(count, np.bool_)
    times = np.full(count, UNDATED, np.int64)
    levels = np.zeros(count, np.int64)
    for row in range(count):
        said = form.said(piece.text(row), observed=observed)
        if said is not None:
            begins[row], times[row], levels[row] = True, said.at, said.level
    return Marks(begins, times, levels)
