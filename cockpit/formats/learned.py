"""Times and levels of many structured lines, JSON or logfmt, at once.

Loggers write their names in the same order, so the form of one line up to where its time and level are told
(what stands between the values, to the byte) fits most others. Lines of that form are read together; a few
forms are learned a piece, and what fits none is read by itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cockpit.formats.columns import UNDATED
from cockpit.formats.expression import Group, Literal, Quoted, Run, Step
from cockpit.formats.format import Marks
from cockpit.formats.layout import Layout
from cockpit.formats.level_search import find_levels
from cockpit.formats.levels import SYSLOG
from cockpit.formats.lockstep import Match, match_all
from cockpit.formats.piece import Mask, Piece, Places
from cockpit.formats.stamps import Numbers, read_stamps
from cockpit.formats.sweep import told_levels
from cockpit.formats.walks import Found, Names, head_of, time_of, told_level

FORMS = 12
"""Forms learned a piece at most."""
FEW = 24
"""Lines that are read one by one rather than learned from."""
LONGEST = 40
"""Values of a form at most."""
COLON = 58
_EPOCH = Layout("epoch")


class _Form(NamedTuple):
    """How a line is written up to where it has told all."""

    steps: tuple[Step, ...]
    whole: bool
    """Whether it goes to the line's end."""
    time: bool
    """Whether it tells a time, quoted or not."""
    time_text: bool
    """Whether that may be a text rather than a number."""
    time_quoted: bool
    level: bytes
    """The name that tells the level; empty for none."""
    body: bool


def structured_marks(piece: Piece, begins: Mask, names: Names, layout: Layout, observed: int) -> Marks:
    """Return the times and levels of structured lines.

    Args:
        piece: The piece.
        begins: Which of its lines are structured, shape (lines,).
        names: What tells what.
        layout: How times are written in text.
        observed: A moment not before the piece was written, in nanoseconds.
    """
    count = len(piece)
    times = np.full(count, UNDATED, np.int64)
    levels = np.zeros(count, np.int64)
    left = np.flatnonzero(begins)
    for _ in range(FORMS):
        if len(left) <= FEW:
            break
        form = _Learner(piece.line(int(left[0])), names, layout, observed).learn()
        if form is None:
            times[left[0]], levels[left[0]], *_ = head_of(piece.line(int(left[0])), names, layout, observed)
            left = left[1:]
            continue
        known = _read(form, piece, left, names, layout, observed, times, levels)
        if not known[0]:
            times[left[0]], levels[left[0]], *_ = head_of(piece.line(int(left[0])), names, layout, observed)
            known[0] = True
        left = left[~known]
    for row in left.tolist():
        times[row], levels[row], *_ = head_of(piece.line(row), names, layout, observed)
    return Marks(begins, times, levels)


class _Learner:
    """Put together the form of one line."""

    def __init__(self, line: bytes, names: Names, layout: Layout, observed: int) -> None:
        self.line, self.names, self.layout, self.observed = line, names, layout, observed
        self.steps: list[Step] = []
        self.done = 0
        self.roles: dict[str, Found] = {}
        self.weak = False

    def learn(self) -> _Form | None:
        """Return the form; None for a line that is none to go by."""
        whole = True
        for number, value in enumerate(self.names.walk(self.line, self.names)):
            role = self._role(value)
            if number >= LONGEST or role is None:
                return None
            self._add(value, role)
            if "time" in self.roles and "level" in self.roles and ("body" in self.roles or not self.weak):
                whole = False
                break
        if not self.steps or (whole and not self.line.rstrip().endswith(self.names.closing)):
            return None
        if whole:
            self.steps.append(Literal(self.line[self.done :]))
        time, level = self.roles.get("time"), self.roles.get("level")
        return _Form(
            tuple(self.steps),
            whole,
            time is not None,
            time is not None and (time.quoted or COLON in self.names.bare),
            time is not None and time.quoted,
            level.name if level else b"",
            "body" in self.roles,
        )

    def _role(self, value: Found) -> str | None:
        """Return what a value tells; None for one that would tell it if it made sense."""
        raw = self.line[value.start : value.end]
        name, names = value.name, self.names
        if "time" not in self.roles and name in names.times:
            return "time" if time_of(raw, value.quoted, self.layout, self.observed) != UNDATED else None
        if "level" not in self.roles and (name in names.levels or name in names.numbers):
            told = told_level(raw, name, names)
            self.weak = names.priority and told == SYSLOG[6]
            return "level" if told else None
        return "body" if "body" not in self.roles and name in names.bodies and value.quoted else ""

    def _add(self, value: Found, role: str) -> None:
        content: Step = Quoted() if value.quoted else Run(self.names.bare, 0, None)
        self.steps += [
            Literal(self.line[self.done : value.start]),
            Group(role, ((content,),)) if role else content,
        ]
        self.done = value.end
        if role:
            self.roles[role] = value


def _read(
    form: _Form,
    piece: Piece,
    rows: Places,
    names: Names,
    layout: Layout,
    observed: int,
    times: Numbers,
    levels: Numbers,
) -> Mask:
    """Read the lines of a form, and return which they are."""
    quoted = layout if form.time_quoted else None
    match = match_all(form.steps, piece, piece.starts[rows], layout=quoted, observed=observed)
    known = match.found
    if form.whole:
        known &= match.ends == piece.ends[rows]
    rows_known = np.flatnonzero(known)
    if form.time:
        at = _times(form, piece, match, rows_known, layout, observed)
        known[rows_known] &= at != UNDATED
        times[rows[rows_known]] = at
    if form.level:
        starts, ends = (span[rows_known] for span in match.spans["level"])
        told = told_levels(lambda raw: told_level(raw, form.level, names), piece, starts, ends)
        known[rows_known] &= told > 0
        levels[rows[rows_known]] = told
    rows_known = np.flatnonzero(known)
    if form.level and not names.priority:
        return known
    weak = rows_known[levels[rows[rows_known]] == SYSLOG[6]] if form.level else rows_known
    if form.body:
        starts, ends = (span[weak] for span in match.spans["body"])
        told = find_levels(piece, starts, ends)
        levels[rows[weak]] = np.where(told, told, SYSLOG[6] if form.level else 0)
    elif not form.whole:
        known[weak] = False
    return known


def _times(form: _Form, piece: Piece, match: Match, rows: Places, layout: Layout, observed: int) -> Numbers:
    starts, ends = (span[rows] for span in match.spans["time"])
    at = np.full(len(rows), UNDATED, np.int64)
    if match.times is not None:
        at = match.times[rows]
    elif form.time_text:
        at = read_stamps(layout, piece, starts, observed).times
    left = np.flatnonzero(at == UNDATED)
    if len(left):
        stamps = read_stamps(_EPOCH, piece, starts[left], observed)
        at[left] = np.where(stamps.formed & (stamps.ends == ends[left]), stamps.times, UNDATED)
    return at
