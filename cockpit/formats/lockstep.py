"""Runs an expression on all lines of a piece at once, a step at a time, as `re.match` would on each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from cockpit.formats.columns import UNDATED
from cockpit.formats.expression import (
    DIGITS,
    EVERY,
    LINE_FEED,
    Group,
    Literal,
    Look,
    Never,
    Quoted,
    Run,
    Step,
)
from cockpit.formats.layout import Layout
from cockpit.formats.piece import BACKSLASH, PADDING, QUOTE, Mask, Piece, Places
from cockpit.formats.stamps import Numbers, read_stamps

_NONE = np.int64(-1)

STEPS = 24
"""Bytes of a run that are looked at one after the other before its end is looked for."""
QUOTED = 6
"""Times eight bytes of a text in quotes that are looked through before its end is looked for."""
TEXT = ((Quoted(),),)
"""What a group consists of that holds a time in quotes."""
RARE = 8
"""Bytes that may end a run, at most, for their places to be listed."""


class Match(NamedTuple):
    """What an expression found at each of some lines.

    Attributes:
        found: Where it fits.
        ends: Where what fits ends.
        spans: Where the named groups begin and end; -1 where one took no part.
        times: The time that the group `time` holds, where a layout was given; `UNDATED` where it holds none.
    """

    found: Mask
    ends: Places
    spans: Mapping[str, tuple[Places, Places]]
    times: Numbers | None


class _State:
    """Where each line stands."""

    def __init__(self, piece: Piece, places: Places, layout: Layout | None, observed: int) -> None:
        self.piece = piece
        self.at = places.copy()
        self.alive = np.ones(len(places), np.bool_)
        self.layout = layout
        self.observed = observed
        self.spans: dict[str, tuple[Places, Places]] = {}
        self.times: Numbers | None = None
        self.stops: dict[frozenset[int], Places] = {}


def match_all(
    steps: tuple[Step, ...], piece: Piece, places: Places, *, layout: Layout | None = None, observed: int = 0
) -> Match:
    """Match steps at these places.

    Args:
        steps: From `steps_of`.
        piece: The piece.
        places: int64, shape (n,).
        layout: How the time in the group `time` is written, where the group's own steps are those of the layout, or
            a text in quotes, which may begin with a time.
        observed: A moment not before they were written, in nanoseconds.
    """
    state = _State(piece, places, layout, observed)
    _all(steps, state)
    nowhere = np.full(len(places), _NONE)
    for name in _names(steps) - state.spans.keys():
        state.spans[name] = (nowhere, nowhere)
    return Match(state.alive, state.at, state.spans, state.times)


def _names(steps: tuple[Step, ...]) -> set[str]:
    """Return the names of all groups."""
    groups = [step for step in steps if isinstance(step, Group)]
    inner = [_names(choice) for group in groups for choice in group.choices]
    return {group.name for group in groups if group.name}.union(*inner)


def _all(steps: tuple[Step, ...], state: _State) -> None:
    for step in steps:
        if not state.alive.any():
            return
        if isinstance(step, Run):
            _run(step, state)
        elif isinstance(step, Literal):
            state.alive &= _stands(step.text, state)
            state.at = np.minimum(state.at + len(step.text), state.piece.size)
        elif isinstance(step, Never):
            state.alive &= ~_any_stands(step.texts, state)
        elif isinstance(step, Quoted):
            state.at = _quoted(state)
        elif isinstance(step, Look):
            state.alive &= _table(step.members)[state.piece.bytes[state.at]]
        else:
            _group(step, state)


@lru_cache(maxsize=256)
def _table(members: frozenset[int]) -> Mask:
    """Return which bytes are members; nobody is to change it."""
    table = np.zeros(256, np.bool_)
    table[list(members)] = True
    return table


def _run(step: Run, state: _State) -> None:
    data = state.piece.bytes
    if step.low == step.high == 1:
        found = data[state.at]
        if len(step.members) == 1:
            state.alive &= found == next(iter(step.members))
        else:
            state.alive &= _table(step.members)[found]
        state.at = np.minimum(state.at + 1, state.piece.size)
        return
    begun = state.at
    most = step.high
    others = EVERY - step.members
    if most is None and len(others) <= RARE:
        state.at = _stop(others, state, begun)
    else:
        state.at = _walk(step, state, begun)
    if step.low:
        state.alive &= state.at - begun >= step.low


def _stop(others: frozenset[int], state: _State, begun: Places) -> Places:
    """Return the first place of one of few bytes, or of a line's end, from each place on."""
    stops = state.stops.get(others)
    if stops is None:
        stops = state.stops[others] = state.piece.places_of(bytes(others | {LINE_FEED}))
    return _next(stops, state, begun)


def _next(stops: Places, state: _State, begun: Places) -> Places:
    found = stops[np.searchsorted(stops, np.minimum(begun, state.piece.size))]
    return np.where(state.alive, found, begun)


def _quoted(state: _State) -> Places:
    """Return the place of the quote that ends a text, or of the line's end."""
    at = state.at.copy()
    rows = np.flatnonzero(state.alive)
    far = []
    for _ in range(QUOTED):
        count, stop = state.piece.text_run(at[rows])
        at[rows] += count
        far.append(rows[stop == BACKSLASH])
        rows = rows[count == 8]
        if not len(rows):
            break
    far.append(rows)
    left = np.concatenate(far)
    if len(left):
        stops = state.piece.quotes()
        at[left] = stops[np.searchsorted(stops, np.minimum(state.at[left], state.piece.size))]
    return at


def _any_stands(texts: tuple[bytes, ...], state: _State) -> Mask:
    """Return where one of several texts stands."""
    stands = np.zeros(len(state.at), np.bool_)
    words = state.piece.words[state.at]
    for text in texts:
        mask = np.uint64((1 << 8 * min(len(text), 8)) - 1)
        begun = (words & mask) == int.from_bytes(text[:8], "little")
        if len(text) > 8 and begun.any():
            begun &= _stands(text, state)
        stands |= begun
    return stands


def _stands(text: bytes, state: _State) -> Mask:
    """Return where a text stands."""
    if len(text) == 1:
        stands: Mask = state.piece.bytes[state.at] == text[0]
        return stands
    stands = np.ones(len(state.at), np.bool_)
    for start in range(0, len(text), PADDING):
        part = text[start : start + PADDING]
        places = np.minimum(state.at + start, state.piece.size) if start else state.at
        words = state.piece.wide_words(places, -(-len(part) // 8))
        for number in range(words.shape[1]):
            eight = part[8 * number : 8 * number + 8]
            mask = np.uint64((1 << 8 * len(eight)) - 1)
            stands &= words[:, number] & mask == int.from_bytes(eight, "little")
    return stands


def _walk(step: Run, state: _State, begun: Places) -> Places:
    """Step over bytes of a class, on fewer and fewer lines."""
    data, table = state.piece.bytes, _table(step.members)
    at = begun.copy()
    rows = np.flatnonzero(state.alive & table.take(data[at]))
    taken = 0
    most = STEPS if step.high is None else min(step.high, STEPS)
    if (
        step.high is None and step.members >= DIGITS
    ):  # most of them are numbers: up to eight digits are one step
        at[rows] += state.piece.count_digits(at[rows])
        rows = rows[table.take(data[at[rows]])]
    while len(rows) and taken < most:
        at[rows] += 1
        taken += 1
        rows = rows[table.take(data[at[rows]])]
    if len(rows) and taken != step.high:
        _far(step, state, at, rows, taken)
    return at


def _far(step: Run, state: _State, at: Places, rows: Places, taken: int) -> None:
    """Find the ends of long runs, each by itself."""
    data, table = state.piece.bytes, _table(step.members)
    limit = None if step.high is None else step.high - taken
    for row in rows.tolist():
        place = int(at[row])
        size = 256
        while True:
            window = table[data[place : place + size]]
            over = window if limit is None else window[:limit]
            stopped = np.flatnonzero(~over)
            if len(stopped):
                place += int(stopped[0])
                break
            if limit is not None and len(over) == limit:
                place += limit
                break
            place += len(over)
            limit = None if limit is None else limit - len(over)
            size *= 4
        at[row] = place


def _dated(step: Group, state: _State, layout: Layout) -> tuple[Mask, Places]:
    """Read times; return where the group fits, and its ends."""
    piece, alive = state.piece, state.alive
    rows = np.flatnonzero(alive)
    stamps = read_stamps(layout, piece, state.at[rows], state.observed)
    state.times, ends = np.full(len(alive), UNDATED), state.at.copy()
    state.times[rows], ends[rows] = stamps.times, np.minimum(stamps.ends, piece.size)
    formed = alive.copy()
    formed[rows] = stamps.formed
    if step.choices != TEXT:
        return formed, ends
    state.alive = alive & ~(formed & (piece.bytes[ends] == QUOTE))
    if state.alive.any():  # elsewhere a quote right after the time ends the text
        ends = np.where(state.alive, _quoted(state), ends)
    state.alive = alive
    return alive.copy(), ends


def _group(step: Group, state: _State) -> None:
    begun, before = state.at, state.alive
    whole = np.zeros(len(begun), np.bool_)
    ends = begun.copy()
    if step.name == "time" and state.layout is not None:
        whole, ends = _dated(step, state, state.layout)
    else:
        for choice in step.choices:
            state.at, state.alive = begun.copy(), before & ~whole
            known = set(state.spans)
            _all(choice, state)
            for name in state.spans.keys() - known:  # a group in what did not fit as a whole took no part
                first, last = state.spans[name]
                state.spans[name] = (np.where(state.alive, first, _NONE), np.where(state.alive, last, _NONE))
            ends = np.where(state.alive, state.at, ends)
            whole = whole | state.alive
    taken = before & whole
    state.at = np.where(taken, ends, begun)
    state.alive = before if step.optional else taken
    if step.name:
        state.spans[step.name] = (np.where(taken, begun, _NONE), np.where(taken, state.at, _NONE))
