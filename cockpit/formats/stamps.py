"""Times of many lines read at once, as `Layout.read` reads the time of one.

Where neighbouring lines have the same bytes it is read once for all of them: the whole time, and, as most often
they have the same minute at least, what stands before the seconds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cockpit.formats.columns import UNDATED
from cockpit.formats.layout import SHORT, WIDTHS, Layout, Part
from cockpit.formats.minutes import FEW, bounds_of, few_minutes, minutes_of
from cockpit.formats.piece import Mask, Piece, Places
from cockpit.formats.times import LATEST, MONTHS, SECOND, UNITS

Numbers = NDArray[np.int64]

_POWERS = np.array([10**power for power in range(9, -1, -1)], np.int64)
_WORDY = np.zeros(256, np.bool_)
_WORDY[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")] = True
_VARIABLE = frozenset("fNzQs")
"""Directives of no fixed width."""


ALIKE, BRIEF = 32, 24
"""Neighbours with so many bytes alike have the same time, if it is as short: a zone is looked for eight bytes on."""


class Stamps(NamedTuple):
    """The times at some places.

    Attributes:
        times: Nanoseconds, `UNDATED` for what has a time's form and can't be one.
        ends: Where they end.
        formed: Where the form of a time stands at all.
    """

    times: Numbers
    ends: Places
    formed: Mask


def read_stamps(layout: Layout, piece: Piece, places: Places, observed: int) -> Stamps:
    """Read the times that stand at these places.

    Args:
        layout: How they are written.
        piece: The piece.
        places: int64, shape (n,).
        observed: A moment not before they were written, in nanoseconds.
    """
    if not len(places):
        return Stamps(np.empty(0, np.int64), places, np.empty(0, np.bool_))
    if layout.parts[0].directive == "s" and len(layout.parts) == 1:
        return _epochs(piece, places)
    if layout.ragged:
        return _each(layout, piece, places, observed)
    fixed = not any(part.directive in _VARIABLE for part in layout.parts)
    width = sum(WIDTHS.get(part.directive, 1) for part in layout.parts) if fixed else ALIKE
    heads, sizes = _runs(piece, places, width)
    if not fixed and 2 * len(heads) > len(places):
        return _read(layout, piece, places, observed)
    stamps = _read(layout, piece, places[heads], observed)
    lengths = stamps.ends - places[heads]
    if not fixed and lengths.max() > BRIEF:
        return _read(layout, piece, places, observed)
    ends = places + np.repeat(lengths, sizes)
    return Stamps(np.repeat(stamps.times, sizes), ends, np.repeat(stamps.formed, sizes))


def _read(layout: Layout, piece: Piece, places: Places, observed: int) -> Stamps:
    leading = _leading(layout.parts)
    width = sum(WIDTHS.get(part.directive, 1) for part in leading)
    heads, sizes = _runs(piece, places, width)
    run = np.repeat(np.arange(len(heads)), sizes)
    late = _Reading(piece, places + width)
    late.read(layout.parts[len(leading) :])
    need = late.zoned is None or not late.zoned.all()
    years: dict[str, Numbers] = {name: late.said[name] for name in ("Y", "y") if name in late.said}
    if len(heads) <= FEW and not years:
        minutes = few_minutes(leading, piece, places[heads], layout.zone, observed, need=need)
    else:
        early = _Reading(piece, places[heads])
        early.read(leading)
        if years:  # as ctime writes it
            early = early.spread(run)
            early.said |= years
            run = np.arange(len(places))
        minutes = minutes_of(early.said, early.formed, layout.zone, observed, need=need)
    formed, possible, base, local = minutes
    formed = formed[run] & late.formed
    seconds = base[run] + late.said.get("S", np.int64(0))
    offset = local[run]
    if late.zoned is not None:
        offset = np.where(late.zoned, late.offset, offset)
    seconds -= offset
    good = formed & possible[run] & (late.said.get("S", np.int64(0)) <= 60) & (seconds >= 0)
    times = np.where(good, seconds, 0) * SECOND + late.fraction
    times[~good | (times >= LATEST)] = UNDATED
    return Stamps(times, late.at, formed)


def _each(layout: Layout, piece: Piece, places: Places, observed: int) -> Stamps:
    """Read each by itself: those whose minutes are told at no fixed place."""
    said = _Reading(piece, places)
    said.read(layout.parts)
    zoned = said.zoned
    need = zoned is None or not zoned.all()
    _, possible, base, local = minutes_of(said.said, said.formed, layout.zone, observed, need=need)
    second = said.said.get("S", np.int64(0))
    seconds = base + second - (local if zoned is None else np.where(zoned, said.offset, local))
    good = possible & (second <= 60) & (seconds >= 0)
    times = np.where(good, seconds, 0) * SECOND + said.fraction
    times[~good | (times >= LATEST)] = UNDATED
    return Stamps(times, said.at, said.formed)


def _leading(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    for number, part in enumerate(parts):
        if part.directive and (part.directive == "S" or part.directive not in WIDTHS):
            return parts[:number]
    return parts


def _runs(piece: Piece, places: Places, width: int) -> tuple[Places, Numbers]:
    """Return where runs of neighbours with the same bytes begin, and how many each has.

    Args:
        piece: The piece.
        places: int64, shape (n,), n > 0.
        width: How many bytes.
    """
    count = -(-width // 8)
    words = piece.wide_words(places, count)
    last = words[:, -1] << np.uint64(8 * (8 * count - width))
    changed = last[1:] != last[:-1]
    for column in words.T[:-1]:
        changed |= column[1:] != column[:-1]
    bounds = bounds_of(changed)
    return bounds[:-1], bounds[1:] - bounds[:-1]


class _Reading:
    """What the parts of a layout say at some places, as one after the other is read."""

    def __init__(self, piece: Piece, places: Places) -> None:
        self.piece = piece
        self.at = places
        self.formed = np.ones(len(places), np.bool_)
        self.said: dict[str, Numbers] = {}
        self.fraction = np.zeros(len(places), np.int64)
        self.zoned: Mask | None = None
        self.offset = np.zeros(len(places), np.int64)

    def spread(self, run: Numbers) -> _Reading:
        """Return this for every line of each run."""
        spread = _Reading(self.piece, self.at[run])
        spread.formed = self.formed[run]
        spread.said = {name: values[run] for name, values in self.said.items()}
        return spread

    def read(self, parts: tuple[Part, ...]) -> None:
        """Read parts."""
        for part in parts:
            directive = part.directive
            if not directive:
                self._choice(part.choice)
            elif directive in ("b", "a"):
                self._name(directive)
            elif directive == "p":
                self._half()
            elif directive in SHORT:
                self._short(directive[1:])
            elif directive in WIDTHS:
                self._number(directive)
            elif directive in ("f", "N"):
                self._fraction(optional=directive == "N")
            else:
                self._zone(optional=directive == "Q")

    def _choice(self, choice: str) -> None:
        found = self.piece.bytes[self.at]
        fits = found == ord(choice[0])
        for other in choice[1:]:
            fits |= found == ord(other)
        self.formed &= fits
        self.at = self.at + 1

    def _number(self, directive: str) -> None:
        value = np.zeros(len(self.at), np.int64)
        for place in range(WIDTHS[directive]):
            digit = self.piece.bytes[self.at + place].astype(np.int64) - 48
            if place == 0 and directive in ("e", "k", "l"):
                digit[digit == 32 - 48] = 0
            self.formed &= (digit >= 0) & (digit <= 9)
            value = value * 10 + digit
        self.said[directive] = value
        self.at = self.at + WIDTHS[directive]

    def _short(self, directive: str) -> None:
        """Read a number of one digit or two."""
        first, second = (self.piece.bytes[self.at + place].astype(np.int64) - 48 for place in (0, 1))
        self.formed &= (first >= 0) & (first <= 9)
        two = (second >= 0) & (second <= 9)
        self.said[directive] = np.where(two, first * 10 + second, first)
        self.at = self.at + 1 + two

    def _half(self) -> None:
        """Read AM or PM."""
        letter, second = (self.piece.bytes[self.at + place] | 32 for place in (0, 1))
        self.formed &= ((letter == ord("a")) | (letter == ord("p"))) & (second == ord("m"))
        self.said["p"] = np.where(letter == ord("p"), np.int64(12), np.int64(0))
        self.at = self.at + 2

    def _name(self, directive: str) -> None:
        letters = [self.piece.bytes[self.at + place].astype(np.int64) for place in range(3)]
        self.formed &= (letters[0] >= 65) & (letters[0] <= 90)
        for letter in letters[1:]:
            self.formed &= (letter >= 97) & (letter <= 122)
        self.at = self.at + 3
        if directive == "b":
            key = (letters[0] << 16) | (letters[1] << 8) | letters[2]
            number = np.zeros(len(key), np.int64)
            for name, month in MONTHS.items():
                number[key == int.from_bytes(name.encode())] = month
            self.said["b"] = number

    def _fraction(self, *, optional: bool) -> None:
        piece, at = self.piece, self.at
        mark = piece.bytes[at]
        begun = at + optional
        count, value = piece.digits(begun)
        there = count > 0
        if optional:
            there &= (mark == 46) | (mark == 44)
        else:
            self.formed &= there
        self.fraction = np.where(there, value.astype(np.int64) * _POWERS[np.minimum(count, 9)], 0)
        ends = np.where(there, begun + count, at)
        long = np.flatnonzero(there & (count == 8))
        if len(long):
            ninth = piece.bytes[ends[long]].astype(np.int64) - 48
            self.fraction[long] += np.where((ninth >= 0) & (ninth <= 9), ninth, 0)
            while len(long):
                more, _ = piece.digits(ends[long])
                ends[long] += more
                long = long[more == 8]
        self.at = ends

    def _zone(self, *, optional: bool) -> None:
        piece = self.piece
        at = self.at + (piece.bytes[self.at] == 32) if optional else self.at
        window = piece.words[at]
        width = np.zeros(len(at), np.int64)
        offset = np.zeros(len(at), np.int64)
        width[(window & np.uint64(0xFF)) == ord("Z")] = 1
        for name in (b"UTC", b"GMT"):
            width[(window & np.uint64(0xFFFFFF)) == int.from_bytes(name, "little")] = 3
        sign = (window & np.uint64(0xFF)).astype(np.int64)
        signed = np.flatnonzero((sign == 43) | (sign == 45))
        if len(signed):
            where = at[signed]
            colon = piece.bytes[where + 3] == 58
            hours = [piece.bytes[where + place].astype(np.int64) - 48 for place in (1, 2)]
            minutes = [piece.bytes[where + place + colon].astype(np.int64) - 48 for place in (3, 4)]
            formed = np.logical_and.reduce([(digit >= 0) & (digit <= 9) for digit in hours + minutes])
            ahead = (hours[0] * 10 + hours[1]) * 3600 + (minutes[0] * 10 + minutes[1]) * 60
            offset[signed] = np.where(sign[signed] == 45, -ahead, ahead)
            width[signed] = np.where(formed, 5 + colon, 0)
        zoned = (width > 0) & ~_WORDY[piece.bytes[at + width]]
        if not optional:
            self.formed &= zoned
        self.at = np.where(zoned, at + width, self.at)
        self.zoned, self.offset = zoned, offset


def _epochs(piece: Piece, places: Places) -> Stamps:
    count, value = piece.number(places)
    formed = (count >= 10) & (count <= 19)
    count = np.where(formed, count, 0)
    fraction = _Reading(piece, np.minimum(places + count, piece.size))
    pointed = piece.bytes[fraction.at] == 46
    fraction._fraction(optional=True)
    ends = np.where(pointed, fraction.at, places + count)
    times = np.full(len(places), UNDATED, np.int64)
    left = formed.copy()
    for bound, factor in UNITS:
        these = left & (value < np.uint64(bound))
        found = value[these].astype(np.int64)
        fits = found <= LATEST // factor
        times[these] = np.where(fits, np.where(fits, found, 0) * factor, UNDATED)
        if factor == SECOND:
            times[these] += np.where(pointed[these] & fits, fraction.fraction[these], 0)
        left &= ~these
    whole = left & (value < np.uint64(LATEST))
    times[whole] = value[whole].astype(np.int64)
    times[times >= LATEST] = UNDATED
    return Stamps(times, ends, formed)
