"""The templates of a log: how often each came, and which are new or rising since a moment."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from cockpit.formats.columns import UNDATED
from cockpit.signals import SECOND
from cockpit.stores.logs.templates.atoms import WILD, unguarded
from cockpit.stores.logs.templates.miner import LIMIT, Miner
from cockpit.stores.logs.templates.partition import Atoms
from cockpit.stores.logs.templates.shape import Shape

RECENT = 300 * SECOND
"""Nanoseconds before the last line over which a template's rate is told."""
RISE = 2.0
"""How many times its former rate a rising template has at least."""
DEVIATIONS = 3.0
"""Standard deviations by which it differs from chance."""
FEWEST = 5
"""Lines it has at least since the moment."""
_RUNS = re.compile(r"<\*>(?:[ ,|;]+<\*>)+")


class Trend(StrEnum):
    """How a template came since a moment."""

    NEW = "new"
    RISING = "rising"
    STEADY = "steady"


class Template(Struct, frozen=True):
    """One template.

    Attributes:
        id: Its identity as lines come; of two that turn out to be one, the older one's stays.
        text: What it says, `<*>` for what varies.
        count: Its lines.
        first_number: The number of its first line.
        first_at: When its first line came, in nanoseconds; `UNDATED` where none told.
        last_at: When its last line came.
        rate: Its lines a second over the last `RECENT` nanoseconds of the log.
        example: Its first line.
    """

    id: int
    text: str
    count: int
    first_number: int
    first_at: int
    last_at: int
    rate: float
    example: str


class Change(Struct, frozen=True):
    """How often a template came before and since a moment.

    Attributes:
        template: Which.
        trend: New where its first line came since then; rising by the test in `rise`.
        before: Its lines before.
        since: Its lines since then.
        ratio: Its rate since over its rate before; infinite where there was none before.
    """

    template: Template
    trend: Trend
    before: int
    since: int
    ratio: float


class _Found:
    """A template that is being put together."""

    __slots__ = ("shapes", "text")

    def __init__(self, text: str, shapes: list[Shape]) -> None:
        self.text = text
        self.shapes = shapes


class Templates:
    """The templates of the lines fed so far."""

    def __init__(self, *, limit: int = LIMIT, keep_lines: bool = False) -> None:
        self._miner = Miner(limit=limit, keep_lines=keep_lines)
        self._first_at = UNDATED
        self._last_at = UNDATED

    def __len__(self) -> int:
        """Return how many lines were fed."""
        return self._miner.count

    def feed(
        self,
        numbers: Sequence[int] | NDArray[np.int64],
        times: Sequence[int] | NDArray[np.int64],
        bodies: Sequence[str],
    ) -> None:
        """Count lines.

        Args:
            numbers: Each line's number.
            times: Each line's time in nanoseconds, `UNDATED` for none.
            bodies: What each says, without time, host and the like.
        """
        moments = np.asarray(times, np.int64)
        dated = moments[moments != UNDATED]
        if len(dated):
            first = int(dated.min())
            self._first_at = first if self._first_at == UNDATED else min(first, self._first_at)
            self._last_at = max(self._last_at, int(dated.max()))
        self._miner.feed(np.asarray(numbers, np.int64), moments, bodies)

    def snapshot(self) -> list[Template]:
        """Return the templates so far, the most frequent first."""
        return sorted(
            map(self._template, self._found()), key=lambda found: (-found.count, found.first_number)
        )

    def lines(self) -> list[tuple[Template, NDArray[np.int64]]]:
        """Return the templates with the numbers of their lines, ascending; empty where lines are not kept."""
        empty = np.empty(0, np.int64)
        told = [
            (
                self._template(found),
                np.sort(np.concatenate([empty, *(piece for shape in found.shapes for piece in shape.lines)])),
            )
            for found in self._found()
        ]
        return sorted(told, key=lambda each: (-each[0].count, each[0].first_number))

    def since(self, moment: int) -> list[Change]:
        """Return the templates with those on top that are new since a moment, then those that rise.

        Args:
            moment: Nanoseconds since the epoch. What came in the moment's bucket (a second; longer ones when the
                log is long) counts as since then.
        """
        width = self._miner.width
        first_bucket = moment // width
        long_before = max(0, moment - self._first_at) if self._first_at != UNDATED else 0
        long_since = max(SECOND, self._last_at - moment)
        changes = []
        for found in self._found():
            template = self._template(found)
            since = sum(
                count
                for shape in found.shapes
                for bucket, count in shape.buckets.items()
                if bucket >= first_bucket
            )
            before = template.count - since
            ratio, rising = rise(before, long_before, since, long_since)
            new = since > 0 and template.first_at >= moment
            trend = Trend.NEW if new else Trend.RISING if rising else Trend.STEADY
            changes.append(Change(template, trend, before, since, ratio))
        order = list(Trend)
        return sorted(
            changes,
            key=lambda change: (
                order.index(change.trend),
                -change.ratio if change.trend is Trend.RISING else 0,
                -change.since,
                -change.template.count,
                change.template.first_number,
            ),
        )

    def _found(self) -> Iterable[_Found]:
        """Put the templates together: those whose texts differ in the length of a list alone are one."""
        merged: dict[str, _Found] = {}
        for _, members, atoms in self._miner.groups():
            shapes = [self._miner.shapes[place] for place in members]
            if not any(shape.count for shape in shapes):
                continue
            text = _text(atoms, shapes)
            key = _RUNS.sub(WILD, " ".join(text.split()))
            known = merged.get(key)
            if known is None:
                merged[key] = _Found(text, shapes)
            else:
                known.shapes += shapes
                known.text = min(known.text, text, key=lambda each: (len(each), each))
        return merged.values()

    def _template(self, found: _Found) -> Template:
        first = min(found.shapes, key=lambda shape: (shape.first_number, shape.serial))
        recent = (self._last_at - RECENT) // self._miner.width
        lately = sum(
            count for shape in found.shapes for bucket, count in shape.buckets.items() if bucket > recent
        )
        return Template(
            id=min(shape.serial for shape in found.shapes),
            text=found.text,
            count=sum(shape.count for shape in found.shapes),
            first_number=first.first_number,
            first_at=min(
                (shape.first_at for shape in found.shapes if shape.first_at != UNDATED), default=UNDATED
            ),
            last_at=max(shape.last_at for shape in found.shapes),
            rate=lately * SECOND / RECENT,
            example=first.example,
        )


def rise(before: int, long_before: int, since: int, long_since: int) -> tuple[float, bool]:
    """Return the ratio of two rates, and whether the second is higher by more than chance.

    The counts are taken for Poisson's, and compared by their square roots, whose spread hardly depends on the rate
    (Huffman, "An improved approximate two-sample Poisson test", Applied Statistics 33, 1984). A rate of no lines
    in no time counts as none.

    Args:
        before: Lines in the first stretch.
        long_before: Its length, in any unit.
        since: Lines in the second stretch.
        long_since: Its length, in the same unit.
    """
    if since < FEWEST or not long_before or not long_since:
        return (math.inf if since and not before else 1.0), False
    share = long_since / long_before
    ratio = since / (before * share) if before else math.inf
    score = 2 * (math.sqrt(since + 3 / 8) - math.sqrt((before + 3 / 8) * share)) / math.sqrt(1 + share)
    return ratio, ratio >= RISE and score >= DEVIATIONS


def _text(atoms: Atoms, shapes: Sequence[Shape]) -> str:
    """Return a template's text: its oldest shape's spacing, and numbers in names where they never changed."""
    oldest = min(shapes, key=lambda shape: shape.serial)
    parts = []
    for place, atom in enumerate(atoms):
        parts.append(_named(atom, place, shapes) if "0" in atom else atom)
        if place < len(oldest.delimiters):
            parts.append(oldest.delimiters[place])
    return unguarded("".join(parts))


def _named(atom: str, place: int, shapes: Sequence[Shape]) -> str:
    """Return a name with its numbers: those that all lines have, and `WILD` for the others."""
    pieces = atom.split("0")
    told = [pieces[0]]
    for order, piece in enumerate(pieces[1:]):
        known = {shape.numbers.get((place, order)) for shape in shapes}
        (only, *more) = known
        told += (WILD if more or only is None else only, piece)
    return "".join(told)
