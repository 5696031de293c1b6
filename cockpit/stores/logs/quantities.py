"""Numbers as logs and operators write them, with a unit or without: 500, 1.5, 250ms, 1m30s, 2MiB, 10k.

A number without a unit counts in the unit of what it is compared with: nobody knows better what `duration=300`
means than who asks for `duration>250ms`. k, M, G and T are decimal, Ki to Ti binary, with a B or without.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from typing import NamedTuple

LONGEST = 48
"""Characters of what may be a number."""

_TIMES = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "m": 60.0,
          "min": 60.0, "h": 3600.0, "d": 86400.0}  # fmt: skip
_SIZES = {"B": 1.0} | {
    f"{letter}{binary}{byte}": float(base**power)
    for power, letters in enumerate(("kK", "M", "G", "T"), 1)
    for letter in letters
    for binary, base in (("", 1000), ("i", 1024))
    for byte in ("", "B")
}
_NUMBER = r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?|\.[0-9]+"
_ONE = re.compile(rf"([+-]?(?:{_NUMBER}))([A-Za-zµμ%]*)")
_PARTS = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?(?:ns|us|µs|μs|ms|s|min|m|h|d))+")
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?)(ns|us|µs|μs|ms|s|min|m|h|d)")
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda left, right: math.isclose(left, right, rel_tol=1e-12),
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

UNITS = "ns, us, ms, s, m, h, d, or B, kB, MB, GB, KiB, MiB, GiB"


class Quantity(NamedTuple):
    """A number with its unit.

    Attributes:
        number: As written, in `scale`.
        kind: `time`, `size`, `%`, or empty for a bare number.
        scale: What one of its unit is, in seconds or bytes; 1 for a bare number.
    """

    number: float
    kind: str
    scale: float

    def compares(self, sign: str, other: Quantity) -> bool:
        """Tell whether this is in that relation to another; quantities of two kinds never are."""
        if self.kind and other.kind:
            if self.kind != other.kind:
                return False
            return _SIGNS[sign](self.number * self.scale, other.number * other.scale)
        return _SIGNS[sign](self.number, other.number)


def quantity(text: str) -> Quantity | None:
    """Read a number with or without a unit; None where it is none or its unit is unknown."""
    if len(text) > LONGEST:
        return None
    found = _ONE.fullmatch(text)
    if found is None:
        return _time_of_parts(text)
    number, unit = float(found[1]), found[2]
    if not unit:
        return Quantity(number, "", 1.0)
    if unit in _TIMES:
        return Quantity(number, "time", _TIMES[unit])
    if unit in _SIZES:
        return Quantity(number, "size", _SIZES[unit])
    return Quantity(number, "%", 1.0) if unit == "%" else None


def units_of(kind: str) -> dict[float, list[str]]:
    """Return the names of the units of a kind by what one of them is."""
    units: dict[float, list[str]] = {}
    for name, scale in {"time": _TIMES, "size": _SIZES}.get(kind, {"%": 1.0}).items():
        units.setdefault(scale, []).append(name)
    return units


def of_number(value: float) -> Quantity:
    """Return a bare number."""
    return Quantity(float(value), "", 1.0)


def _time_of_parts(text: str) -> Quantity | None:
    """Read `1h2m3.5s`, as Go writes durations."""
    if not _PARTS.fullmatch(text):
        return None
    return Quantity(sum(float(part) * _TIMES[unit] for part, unit in _PART.findall(text)), "time", 1.0)
