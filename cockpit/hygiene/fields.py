"""What a field of a signal may be: mended where that can be, else the signal is rejected.

Structs are not checked when they are made, so a field may be of any type. Each function here raises `Wrong` where
nothing can be made of what it was given.
"""

from __future__ import annotations

import math
import re
from enum import StrEnum
from typing import TypeVar, cast

import msgspec

from cockpit.hygiene.text import LAST_MOMENT, clean_line, clean_value

ITEMS_LIMIT = 128
"""Events, links, receivers and the like kept of one signal."""
IDENTIFIER_LIMIT = 64
"""Characters kept of an identifier that is not hexadecimal."""
_HEX = re.compile(r"[0-9a-f]+")

E = TypeVar("E", bound=StrEnum)


class Wrong(Exception):
    """A field has a type that nothing can be made of, so the signal is rejected."""


def string(value: object) -> str:
    """Return text as plain `str`; nothing else is text."""
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    raise Wrong


def line(value: object) -> str:
    """Return text that is safe to show on one line."""
    return clean_line(string(value))


def lines(value: object) -> tuple[str, ...]:
    """Return a bounded tuple of such lines; what is no text is left out."""
    if value == ():
        return ()
    if not isinstance(value, tuple | list):
        raise Wrong
    cleaned = tuple(line(item) for item in value[:ITEMS_LIMIT] if isinstance(item, str))
    return value if type(value) is tuple and same(cleaned, value) else cleaned


def as_text(value: object) -> str:
    """Return a label's value as text, for one that was given as a number or the like."""
    if isinstance(value, str):
        return value
    cleaned = clean_value(value)
    return cleaned if isinstance(cleaned, str) else msgspec.json.encode(cleaned).decode()


def integer(value: object) -> int:
    """Return a whole number as plain `int`; a truth value is none."""
    if type(value) is int:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    raise Wrong


def moment(value: object) -> int:
    """Return a time between 1970 and 2262, in nanoseconds since the epoch."""
    given = integer(value)
    if 0 <= given < LAST_MOMENT:
        return given
    raise Wrong


def moment_or(value: object, otherwise: int) -> int:
    """Return such a time, or another where a whole number is none."""
    given = integer(value)
    return given if 0 <= given < LAST_MOMENT else otherwise


def number(value: object) -> float | None:
    """Return a finite number, or None for what is none; whole numbers are numbers too."""
    if value is None or (type(value) is float and math.isfinite(value)):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong
    try:
        given = float(value)
    except OverflowError:
        return None
    return given if math.isfinite(given) else None


def member(states: type[E], value: object) -> E:
    """Return a state of a kind, which may be given as its text."""
    if type(value) is states:
        return value
    try:
        return states(string(value))
    except ValueError:
        raise Wrong from None


def is_identifier(value: object) -> bool:
    """Tell whether this is lower-case hexadecimal of a bounded length."""
    return type(value) is str and len(value) <= IDENTIFIER_LIMIT and _HEX.fullmatch(value) is not None


def identifier(value: object) -> str:
    """Return an identifier in lower case where it is hexadecimal, else as a short line."""
    if value == "" or is_identifier(value):
        return cast("str", value)
    text = string(value)
    lower = text.lower()
    return lower if is_identifier(lower) else clean_line(text, IDENTIFIER_LIMIT)


def same(cleaned: tuple[object, ...], given: tuple[object, ...]) -> bool:
    """Tell whether two tuples hold the very same members."""
    return len(cleaned) == len(given) and all(a is b for a, b in zip(cleaned, given, strict=True))
