"""Times of many lines read at once, as `Layout.read` reads the time of one.

Neighbouring lines have most often the same minute, so what stands before the seconds is read once for each run
of lines that have the same bytes there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cockpit.formats.columns import UNDATED
from cockpit.formats.layout import SHORT, WIDTHS, Layout, Part
from cockpit.formats.piece import Mask, Piece, Places
from cockpit.formats.times import LATEST, MONTHS, SECOND, UNITS, YEARS, Zone

Numbers = NDArray[np.int64]

_BEFORE_MONTH = np.array([0, *(31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 0, 0, 0], np.int64)
_POWERS = np.array([10**power for power in range(9, -1, -1)], np.int64)
_WORDY = np.zeros(256, np.bool_)
_WORDY[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")] = True
_VARIABLE = frozenset("fNzQs")
"""Directives of no fixed width."""


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
    if any(part.directive in _VARIABLE for part in layout.parts):
        return _read(layout, piece, places, observed)
    width = sum(WIDTHS.get(part.directive, 1) for part in layout.parts)
    heads, sizes = _runs(piece, places, width)
    times, _, formed = _read(layout, piece, places[heads], observed)
    return Stamps(np.repeat(times, sizes), places + width, np.repeat(formed, sizes))


def _read(layout: Layout, piece: Piece, places: Places, observed: int) -> Stamps:
    leading = _leading(layout.parts)
    width = sum(WIDTHS.get(part.directive, 1) for part in leading)
    heads, sizes = _runs(piece, places, width)
    run = np.repeat(np.arange(len(heads)), sizes)
    early = _Reading(piece, places[heads])
    early.read(leading)
    late = _Reading(piece, places + width)
    late.read(layout.parts[len(leading) :])
    formed = early.formed[run] & late.formed
    if "Y" in late.said or "y" in late.said:  # as ctime writes it
        early = early.spread(run)
        early.said |= {name: late.said[name] for name in ("Y", "y") if name in late.said}
        run = np.arange(len(places))
    base, local, possible = _bases(
        early, layout.zone, observed, need=late.zoned is None or not late.zoned.all()
    )
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
    base, local, possible = _bases(said, layout.zone, observed, need=zoned is None or not zoned.all())
    second = said.said.get("S", np.int64(0))
    seconds = base + second - (local if zoned is None else np.where(zoned, said.offset, local))
    good = said.formed & possible & (second <= 60) & (seconds >= 0)
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
    words = piece.windows(places, count * 8).view(np.uint64).reshape(-1, count)
    changed = np.zeros(len(places), np.bool_)
    changed[0] = True
    for number in range(count):
        column = words[:, number] << np.uint64(max(0, 8 * (number * 8 + 8 - width)))
        changed[1:] |= column[1:] != column[:-1]
    heads = np.flatnonzero(changed)
    return heads, np.diff(heads, append=len(places))


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


def _bases(said: _Reading, zone: Zone, observed: int, *, need: bool) -> tuple[Numbers, Numbers, Mask]:
    """Return the seconds to the minute as if in UTC, the zone's offset where it is needed, and what is possible."""
    fields = said.said
    zero = np.zeros(len(said.at), np.int64)
    month = fields.get("b", fields.get("m", zero))
    day = fields.get("d", fields.get("e", zero))
    hour = fields.get("H", fields.get("k", zero))
    if "p" in fields:
        hour = fields.get("I", fields.get("l", zero))
        hour = np.where((hour >= 1) & (hour <= 12), hour % 12 + fields["p"], 24)
    minute = fields.get("M", zero)
    possible = said.formed & (month >= 1) & (month <= 12) & (day >= 1) & (hour <= 23) & (minute <= 59)
    month, day = np.where(possible, month, 1), np.where(possible, day, 1)
    quarter = np.where(possible, hour * 4 + minute // 15, 0)
    if "Y" in fields:
        year = fields["Y"]
    elif "y" in fields:
        year = fields["y"] + np.where(fields["y"] < 69, 2000, 1900)
    else:
        year = _years(zone, month, day, quarter, possible, observed)
    possible &= (year >= YEARS.start) & (year < YEARS.stop)
    year = np.where(possible, year, 1970)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    possible &= day <= _BEFORE_MONTH[month] + (leap & (month == 2))
    days = _days(year, month, np.where(possible, day, 1))
    offsets = zero.copy()
    if need:
        key = days * 96 + quarter
        for first, last in _stretches(key):
            if possible[first:last].any():
                offsets[first:last] = zone.offset(int(days[first]), int(quarter[first]))
    return days * 86_400 + hour * 3600 + minute * 60, offsets, possible


def _years(
    zone: Zone, month: Numbers, day: Numbers, quarter: Numbers, possible: Mask, observed: int
) -> Numbers:
    years = np.zeros(len(month), np.int64)
    known: dict[tuple[int, int, int], int] = {}
    for first, last in _stretches(((month * 32 + day) * 96 + quarter) * 2 + possible):
        if possible[first]:
            key = (int(month[first]), int(day[first]), int(quarter[first]))
            if key not in known:
                known[key] = zone.year(*key, observed)
            years[first:last] = known[key]
    return years


def _stretches(keys: Numbers) -> list[tuple[int, int]]:
    """Return the first and the end of each run of equal keys."""
    firsts = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1)).tolist()
    return list(zip(firsts, [*firsts[1:], len(keys)], strict=True))


def _days(year: Numbers, month: Numbers, day: Numbers) -> Numbers:
    """Return the days since 1 January 1970, by counting years from March on, so that a leap day comes last."""
    year = year - (month <= 2)
    era = year // 400
    within = year - era * 400
    since_march = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    days: Numbers = era * 146_097 + within * 365 + within // 4 - within // 100 + since_march - 719_468
    return days


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
