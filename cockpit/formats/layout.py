"""How a log writes its times, in strptime's directives, and the reading of one.

`%Y %y %m %b %d %e %a %H %k %I %l %M %S` have a fixed width, as strptime(3) and strftime(3) give it; `%-m %-d %-H
%-I` have one digit or two, as glibc's strftime writes them. `%p` is AM or PM, in capitals or not. `%f` is a
fraction of any number of digits, `%z` a zone (`Z`, `UTC`, `GMT`, `+02:00`, `+0200`), `%s` a number since the epoch
in seconds to nanoseconds, `[-/]` one of several characters. Beyond strptime, `%N` is a fraction with its point or
comma, `%Q` a zone with or without a space before it, and either may be missing. Where there is no `%Y` or `%y` the
year is the last that fits; where there is no `%z` or `%Q`, the zone is the one that the log is said to be of.
"""

from __future__ import annotations

import re
from functools import cached_property

from msgspec import Struct

from cockpit.errors import UsageError
from cockpit.formats.times import MONTHS, SECOND, Zone, bounded, days_of, epoch, nanoseconds

PRESETS = {
    "iso": "%Y[-/]%m[-/]%d[T ]%H:%M:%S%N%Q",
    "syslog": "%b %e %H:%M:%S",
    "clf": "%d/%b/%Y:%H:%M:%S %z",
    "ctime": "%a %b %e %H:%M:%S%N %Y",
    "epoch": "%s",
}
"""Layouts by name."""

WIDTHS = {"Y": 4, "y": 2, "m": 2, "d": 2, "e": 2, "b": 3, "a": 3, "H": 2, "k": 2, "I": 2, "l": 2, "M": 2, "S": 2,
          "p": 2}  # fmt: skip
SHORT = ("-m", "-d", "-H", "-I")
"""Numbers of one digit or two."""
HOURS, HALF_HOURS = ("H", "k", "-H"), ("I", "l", "-I")
"""What tells the hour of the day, and what that of its half."""
_NUMBER = {"e": r"[ \d]\d", "k": r"[ \d]\d", "l": r"[ \d]\d", "b": "[A-Z][a-z]{2}", "a": "[A-Z][a-z]{2}",
           "p": "[AaPp][Mm]"}  # fmt: skip
_FRACTION = r"\d++"
_ZONE = r"(?:Z|UTC|GMT|[+-]\d\d:?\d\d)(?![0-9A-Za-z_])"
_VARIABLE = {"f": f"({_FRACTION})", "N": f"(?:[.,]({_FRACTION}))?+", "z": f"({_ZONE})", "Q": f"(?: ?({_ZONE}))?+",
             "s": r"(\d{10,19}+(?!\d)(?:\.\d++)?+)", **dict.fromkeys(SHORT, r"(\d{1,2}+)")}  # fmt: skip
_TOKEN = re.compile(r"%(?P<directive>-?.)|\[(?P<choice>[^\]]+)\]|(?P<literal>.)", re.DOTALL)


class Part(Struct, frozen=True):
    """One part of a layout: a directive, or characters of which one stands there."""

    directive: str = ""
    choice: str = ""


class Layout:
    """How times are written, compiled.

    Args:
        text: A preset's name, or directives as above.
        zone: Of times that tell none.

    Attributes:
        parts: What it consists of.
        ragged: Whether what tells the minute is of no fixed width, or goes on after it.
        expression: A regular expression that fits what it fits; it never gives back what it took.

    Raises:
        UsageError: A directive is unknown, or none tells a day or a time of day.
    """

    def __init__(self, text: str, zone: Zone | None = None) -> None:
        self.text = PRESETS.get(text, text)
        self.zone = zone or Zone()
        self.parts = _parts(self.text)
        groups, pieces = [], []
        for part in self.parts:
            if not part.directive:
                escaped = re.escape(part.choice)
                pieces.append(f"[{escaped}]" if len(part.choice) > 1 else escaped)
                continue
            groups.append(part.directive)
            if part.directive in _VARIABLE:
                pieces.append(_VARIABLE[part.directive])
            else:
                digits = r"\d" * WIDTHS[part.directive]
                pieces.append(f"({_NUMBER.get(part.directive, digits)})")
        self._groups = tuple(groups)
        self.ragged = not {"p", *SHORT}.isdisjoint(groups)
        grouped = "".join(pieces)
        self.expression = re.sub(r"(?<!\\)\((?!\?)", "(?:", grouped)
        self._grouped = grouped
        self._fraction = next((number for number, name in enumerate(groups) if name in "fN"), None)
        self._yearless = not {"Y", "y", "s"} & set(groups)
        self._last: tuple[tuple[str | None, ...], int] = ((), -1)
        self._last_seconds = -1

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile(self._grouped, re.ASCII)

    def read(self, text: str, observed: int) -> int:
        """Return the time that a text begins with; -1 where it begins with none, or with one that can't be.

        Args:
            text: The text; what follows the time is no matter.
            observed: A moment not before it was written, in nanoseconds.
        """
        found = self._regex.match(text)
        if found is None:
            return -1
        groups = found.groups()
        if self._groups == ("s",):
            return epoch(groups[0])
        fraction: str | None = None
        if (place := self._fraction) is not None:
            fraction, groups = groups[place], groups[:place] + groups[place + 1 :]
        key = (groups, observed if self._yearless else 0)
        if key != self._last:  # the next line has most often the same second
            self._last, self._last_seconds = key, self._seconds(found, observed)
        seconds = self._last_seconds
        return bounded(seconds * SECOND + (nanoseconds(fraction) if fraction else 0)) if seconds >= 0 else -1

    def _seconds(self, found: re.Match[str], observed: int) -> int:
        said = dict(zip(self._groups, found.groups(), strict=True))
        month = MONTHS.get(said["b"], 0) if "b" in said else int(said.get("m") or said["-m"])
        day = int(said.get("d") or said.get("e") or said["-d"])
        hour, minute = _hour(said), int(said.get("M", 0))
        second = int(said.get("S", 0))
        if hour > 23 or minute > 59 or second > 60:
            return -1
        quarter = hour * 4 + minute // 15
        year = _year(said) if "Y" in said or "y" in said else self.zone.year(month, day, quarter, observed)
        days = days_of(year, month, day)
        if days is None:
            return -1
        zone = said.get("z") or said.get("Q")
        offset = offset_of(zone) if zone else self.zone.offset(days, quarter)
        return days * 86_400 + hour * 3600 + minute * 60 + second - offset


def offset_of(zone: str) -> int:
    """Return a written zone's seconds ahead of UTC."""
    if zone[0] not in "+-":
        return 0
    seconds = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
    return -seconds if zone[0] == "-" else seconds


def _year(said: dict[str, str]) -> int:
    if "Y" in said:
        return int(said["Y"])
    year = int(said["y"])
    return year + (2000 if year < 69 else 1900)


def _hour(said: dict[str, str]) -> int:
    """Return the hour of the day; 24 for one that can't be."""
    if "p" not in said:
        return int(next(said[name] for name in HOURS if name in said))
    hour = int(next(said[name] for name in HALF_HOURS if name in said))
    return hour % 12 + 12 * (said["p"] in ("PM", "pm", "pM", "Pm")) if 1 <= hour <= 12 else 24


def _parts(text: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    known = {*WIDTHS, *_VARIABLE}
    text = text.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S")
    for found in _TOKEN.finditer(text):
        directive = found["directive"]
        if directive == "%" or directive is None:
            parts.append(Part(choice=found["choice"] or found["literal"] or "%"))
        elif directive in known:
            parts.append(Part(directive))
        else:
            raise UsageError(
                f"%{directive} is no directive of a time here",
                remedy="use "
                + " ".join(f"%{name}" for name in sorted(known))
                + " or a preset: "
                + ", ".join(PRESETS),
            )
    _check([part.directive for part in parts if part.directive])
    if not all(part.choice.isascii() for part in parts):
        raise UsageError("a time's layout has characters outside ASCII")
    return tuple(parts)


def _check(directives: list[str]) -> None:
    if "s" in directives:
        if directives != ["s"]:
            raise UsageError("%s is a whole time: no other directive goes with it")
        return
    for names in (
        ("Y", "y"),
        ("m", "b", "-m"),
        ("d", "e", "-d"),
        (*HOURS, *HALF_HOURS),
        ("M",),
        ("S",),
        ("p",),
        ("f", "N"),
        ("z", "Q"),
        ("a",),
    ):
        told = [name for name in directives if name in names]
        if len(told) > 1:
            raise UsageError(f"%{told[0]} and %{told[1]} say the same thing")
        if ("p" in names) and bool(told) != any(name in HALF_HOURS for name in directives):
            raise UsageError(
                "%I, %l or %-I and %p need each other", remedy="or write %H for an hour of the day"
            )
        if not told and names[0] in "mdH":
            raise UsageError(
                f"a time's layout has no {' or '.join('%' + name for name in names)}",
                remedy="or name a preset: " + ", ".join(PRESETS),
            )
