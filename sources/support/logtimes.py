"""The times that log lines carry, in nanoseconds since the epoch, UTC.

A line's date and second are turned into a number once and remembered: the next line has most often the same second.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
LATEST = 1 << 62
"""About the year 2116: what claims to be later is no time."""

MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}

ISO = r"(\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?(?: ?(Z|UTC|GMT|[+-]\d\d:?\d\d)\b)?"
"""Groups: date and time to the second, fraction, zone."""

_ISO = re.compile(ISO)
_NAMED = {"Z": "+00:00", "UTC": "+00:00", "GMT": "+00:00"}


class Moments:
    """Turn times of one log into nanoseconds, remembering the last second seen."""

    def __init__(self) -> None:
        self._second = ""
        self._zone: str | None = ""
        self._second_at = -1
        self._other = ""
        self._other_at = -1

    def iso(self, second: str, fraction: str | None, zone: str | None) -> int:
        """Return the time of an ISO 8601 date and second, its fraction and its zone; -1 for one that can't be.

        Without a zone the time is this machine's local time.
        """
        if second != self._second or zone != self._zone:
            self._second, self._zone, self._second_at = second, zone, _seconds(second, zone)
        at = self._second_at
        return at + nanoseconds(fraction) if fraction and at >= 0 else at

    def yearless(self, month: str, day: str, clock: str, observed: int) -> int:
        """Return the time of `Nov 23 22:15:23`, which is of the last twelve months as seen from `observed`.

        The month may be a number as well. A day ahead is allowed for clocks and zones that differ.
        """
        key = f"{month} {day} {clock}"
        if key != self._other:
            self._other, self._other_at = key, _yearless(month, day, clock, observed)
        return self._other_at

    def common(self, text: str) -> int:
        """Return the time of the common log format, `23/Nov/2026:22:15:23 +0000`; -1 for one that can't be."""
        if text != self._other:
            month = MONTHS.get(text[3:6], 0)
            iso = f"{text[7:11]}-{month:02d}-{text[:2]} {text[12:20]}"
            self._other, self._other_at = text, _seconds(iso, text[21:])
        return self._other_at

    def named(self, month: str, day: str, clock: str, year: str) -> int:
        """Return the local time of `Mon Nov 23 22:15:23 2026`, as ctime(3) writes it; -1 for one that can't be."""
        key = f"{year} {month} {day} {clock}"
        if key != self._other:
            iso = f"{year}-{MONTHS.get(month, 0):02d}-{int(day):02d} {clock}"
            self._other, self._other_at = key, _seconds(iso, None)
        return self._other_at


def _seconds(second: str, zone: str | None) -> int:
    if zone:
        zone = _NAMED.get(zone, zone)
    try:
        moment = datetime.fromisoformat(second.replace("/", "-") + (zone or ""))
        return bounded(int(moment.timestamp()) * SECOND)
    except (ValueError, OverflowError, OSError):
        return -1


def _yearless(month: str, day: str, clock: str, observed: int) -> int:
    seen = datetime.fromtimestamp(observed / SECOND, UTC).year if 0 <= observed < LATEST else 1970
    number = MONTHS.get(month) or (int(month) if month.isdecimal() else 0)
    for year in (seen + 1, seen, seen - 1, seen - 2, seen - 3, seen - 4):
        at = _seconds(f"{year}-{number:02d}-{int(day):02d} {clock}", None)
        if 0 <= at <= observed + DAY:
            return at
    return -1


def nanoseconds(fraction: str) -> int:
    """Return a fraction's digits as nanoseconds: `123` is 123 ms."""
    size = len(fraction)
    return int(fraction) * _POWERS[size] if size <= 9 else int(fraction[:9])


_POWERS: tuple[int, ...] = (10**9, 10**8, 10**7, 10**6, 10**5, 10**4, 1000, 100, 10, 1)


def bounded(at: int) -> int:
    """Return a time that signals can carry, else -1."""
    return at if 0 <= at < LATEST else -1


def epoch(number: float | str) -> int:
    """Return the time of a number since the epoch in s, ms, µs or ns, told apart by its size; -1 for none."""
    try:
        if isinstance(number, str):
            whole, _, fraction = number.partition(".")
            number = int(whole)
            if fraction and number < 100_000_000_000:
                return bounded(number * SECOND + nanoseconds(fraction))
        if isinstance(number, float):
            for limit, scale in ((1e11, 1e9), (1e14, 1e6), (1e17, 1e3)):
                if number < limit:
                    return bounded(int(number * scale))
            return bounded(int(number))
        for bound, factor in ((10**11, SECOND), (10**14, 1_000_000), (10**17, 1_000)):
            if number < bound:
                return bounded(number * factor)
        return bounded(number)
    except (ValueError, OverflowError):
        return -1


def any_time(value: object, moments: Moments) -> int:
    """Return the time that a field's value means: ISO 8601 text, or a number since the epoch; -1 for neither."""
    if isinstance(value, str):
        found = _ISO.match(value)
        if found:
            return moments.iso(found[1], found[2], found[3])
        return epoch(value) if value[:1].isdigit() and len(value) < 32 else -1
    if isinstance(value, bool) or not isinstance(value, int | float):
        return -1
    return epoch(value) if value > 0 else -1
