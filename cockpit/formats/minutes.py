"""Which minutes times begin with, with their date: of many by arrays, of a few one after the other.

Most pieces of a log have only one or two, for which arrays take longer than they are worth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cockpit.formats.layout import WIDTHS, Part
from cockpit.formats.piece import Mask, Piece, Places
from cockpit.formats.times import MONTHS, YEARS, Zone, days_of

Numbers = NDArray[np.int64]

FEW = 6
"""Minutes that are read one after the other."""

_BEFORE_MONTH = np.array([0, *(31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 0, 0, 0], np.int64)


class Minutes(NamedTuple):
    """The minutes at some places.

    Attributes:
        formed: Where their form stands.
        possible: Where there is such a minute, too.
        seconds: Since the epoch, as if in UTC.
        offsets: Seconds by which the zone of times that tell none is ahead of UTC then, where it is needed.
    """

    formed: Mask
    possible: Mask
    seconds: Numbers
    offsets: Numbers


def few_minutes(
    parts: Sequence[Part], piece: Piece, places: Places, zone: Zone, observed: int, *, need: bool
) -> Minutes:
    """Read a few minutes.

    Args:
        parts: How they are written: parts of a fixed width.
        piece: The piece.
        places: int64, shape (n,).
        zone: Of times that tell none.
        observed: A moment not before they were written, in nanoseconds.
        need: Whether the zone's offset is needed.
    """
    width = sum(WIDTHS.get(part.directive, 1) for part in parts)
    texts = [piece.bytes[place : place + width].tobytes().decode("latin-1") for place in places.tolist()]
    columns = zip(*(_minute(parts, text, zone, observed, need=need) for text in texts), strict=True)
    formed, possible, seconds, offsets = (np.array(column) for column in columns)
    return Minutes(formed, possible, seconds, offsets)


def _minute(
    parts: Sequence[Part], text: str, zone: Zone, observed: int, *, need: bool
) -> tuple[bool, bool, int, int]:
    said = _said(parts, text)
    if said is None:
        return False, False, 0, 0
    month, day = said.get("b", said.get("m", 0)), said.get("d", said.get("e", 0))
    hour, minute = said.get("H", said.get("k", 0)), said.get("M", 0)
    if hour > 23 or minute > 59 or not 1 <= month <= 12 or day < 1:
        return True, False, 0, 0
    quarter = hour * 4 + minute // 15
    if "y" in said:
        year = said["y"] + (2000 if said["y"] < 69 else 1900)
    else:
        year = said["Y"] if "Y" in said else zone.year(month, day, quarter, observed)
    days = days_of(year, month, day)
    if days is None:
        return True, False, 0, 0
    return True, True, days * 86_400 + hour * 3600 + minute * 60, zone.offset(days, quarter) if need else 0


def _said(parts: Sequence[Part], text: str) -> dict[str, int] | None:
    """Return the numbers that parts of a fixed width tell; None where the text is written otherwise."""
    said, at = {}, 0
    for part in parts:
        directive = part.directive
        told = text[at : at + WIDTHS.get(directive, 1)]
        at += len(told)
        if not directive:
            if told not in part.choice:
                return None
        elif directive in ("b", "a"):
            if not (told.isascii() and told.isalpha() and told[0].isupper() and told[1:].islower()):
                return None
            said[directive] = MONTHS.get(told, 0)
        else:
            if directive in ("e", "k") and told[0] == " ":
                told = "0" + told[1:]
            if not (told.isascii() and told.isdigit()):
                return None
            said[directive] = int(told)
    return said


def minutes_of(
    fields: Mapping[str, Numbers], formed: Mask, zone: Zone, observed: int, *, need: bool
) -> Minutes:
    """Return the minutes that numbers mean.

    Args:
        fields: By directive, of the shape of the others.
        formed: Where all of them stand.
        zone: Of times that tell none.
        observed: A moment not before they were written, in nanoseconds.
        need: Whether the zone's offset is needed.
    """
    zero = np.zeros(len(formed), np.int64)
    month = fields.get("b", fields.get("m", zero))
    day = fields.get("d", fields.get("e", zero))
    hour = fields.get("H", fields.get("k", zero))
    if "p" in fields:
        hour = fields.get("I", fields.get("l", zero))
        hour = np.where((hour >= 1) & (hour <= 12), hour % 12 + fields["p"], 24)
    minute = fields.get("M", zero)
    possible = formed & (month >= 1) & (month <= 12) & (day >= 1) & (hour <= 23) & (minute <= 59)
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
    return Minutes(formed, possible, days * 86_400 + hour * 3600 + minute * 60, offsets)


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
    return list(pairwise(bounds_of(keys[1:] != keys[:-1]).tolist()))


def _days(year: Numbers, month: Numbers, day: Numbers) -> Numbers:
    """Return the days since 1 January 1970, by counting years from March on, so that a leap day comes last."""
    year = year - (month <= 2)
    era = year // 400
    within = year - era * 400
    since_march = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    days: Numbers = era * 146_097 + within * 365 + within // 4 - within // 100 + since_march - 719_468
    return days


def bounds_of(changed: Mask) -> Places:
    """Return the first of each run, and the end of the last.

    Args:
        changed: Which ones differ from the one before; shape (n - 1,).
    """
    begins = np.ones(len(changed) + 2, np.bool_)
    begins[1:-1] = changed
    return np.flatnonzero(begins)
