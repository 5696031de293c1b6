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
    lengths = ends - starts
    levels = np.zeros(len(starts), np.uint8)
    short = np.flatnonzero(lengths <= 16)
    sizes, places = lengths[short], starts[short]
    first = _leading(piece, places, sizes)
    second = _leading(piece, places + 8, sizes - 8) if len(sizes) and sizes.max() > 8 else None
    told = np.zeros(len(short), np.uint8)
    left = np.ones(len(short), np.bool_)
    for _ in range(DISTINCT):
        if not left.any():
            break
        one = int(left.argmax())
        same = (first == first[one]) & (sizes == sizes[one])
        if second is not None:
            same &= second == second[one]
        told[same] = level_of(piece.bytes[places[one] : places[one] + sizes[one]].tobytes())
        np.greater(left, same, out=left)
    levels[short] = told
    for row in np.append(short[left], np.flatnonzero(lengths > 16)).tolist():
        levels[row] = level_of(piece.bytes[starts[row] : ends[row]].tobytes())
    return levels


def _leading(piece: Piece, places: Places, sizes: Places) -> NDArray[np.uint64]:
    """Return up to eight bytes at some places as numbers, fewer where a size says so."""
    unused = np.uint64(64) - np.clip(sizes, 0, 8).astype(np.uint64) * np.uint64(8)
    half = unused >> np.uint64(1)  # a shift by 64 would do nothing
    words = piece.words[np.minimum(places, piece.size)]
    shifted: NDArray[np.uint64] = (words << half) << (unused - half)
    return shifted


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
