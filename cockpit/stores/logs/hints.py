"""What must stand in the bytes of a record for a term about its fields to hold: a search finds the few to read.

A hint finds all that pass, and some that don't; it is written for hyperscan, over bytes, whatever the case.
"""

from __future__ import annotations

import math
import re

from cockpit.formats.format import LogFormat
from cockpit.stores.logs.evaluate import any_case
from cockpit.stores.logs.quantities import Quantity, quantity, units_of
from cockpit.stores.logs.terms import Exists, Field, Named, Term

LONGEST = 64
"""Characters of a hint's text."""
MOST = 10**12
"""Above it, numbers are not told apart by their digits."""

_ESCAPED = r"|\\u"
"""A name may be written with escapes: such a record is to be read."""
_END = r'\s,;"})\]'
"""What may follow a value, for a class of characters."""
_RUN = re.compile(r"[A-Za-z0-9_.-]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.@-]*")


def hint_of(term: Term, fmt: LogFormat) -> str:
    """Return the hint for a term about fields; empty where nothing is known and each record is to be read."""
    if isinstance(term, Named):
        return _value_hint(term.value) if fmt.verbatim and term.name != "source" else ""
    if not isinstance(term, Field | Exists) or not fmt.spells(term.key):
        return ""
    name = term.key.rpartition(".")[2]
    if not name or "/" in name or len(name) > LONGEST:
        return ""
    said = rf'{any_case(name)}(?:\\?"\s*:|=)'
    if isinstance(term, Exists):
        return said + _ESCAPED
    number = quantity(term.value)
    if number is None:
        values = _text(term.value)
    elif term.sign == "=":
        values = _equal(number.number)
    else:
        values = _compared(term.sign, number)
    return rf'{said}\s*\\?"?(?:{values}){_ESCAPED}'


def _value_hint(value: str) -> str:
    """Return the longest run of plain letters and digits in a value, or an escape."""
    part = max(_RUN.findall(value), key=len, default="")[:LONGEST]
    return any_case(part) + r"|\\" if part else ""


def _text(value: str) -> str:
    """Return how a value that is no number begins, or an escape in it; empty for any."""
    part = _NAME.match(value)
    return rf"{any_case(part[0][:LONGEST])}|[^\s\\]{{0,{LONGEST}}}\\" if part else ""


def _equal(wanted: float) -> str:
    """Return an expression for a number in plain digits, or anything that is more than digits."""
    odd = rf"[0-9]*[^0-9{_END}]"
    if not math.isclose(wanted, round(wanted), rel_tol=1e-11):
        return odd
    return "" if abs(wanted) >= MOST else f"{odd}|0*{max(round(wanted), 0)}"


def _compared(sign: str, wanted: Quantity) -> str:
    """Return an expression for the numbers that compare so, or may.

    A whole number, with a unit or without, is told by its digits. A sign, a point, an exponent or a duration of
    several parts is to be read.
    """
    odd = rf"[-+.\\]|[0-9]+(?:e[-+0-9]|[^0-9A-Za-z%{_END}]|[A-Za-z]+[^A-Za-z{_END}])"
    if not wanted.kind:
        return rf"{odd}|{_whole(sign, wanted.number)}(?:[^0-9\n]|$)"
    alone = rf"{_whole(sign, wanted.number)}(?:[^0-9A-Za-z\n]|$)"
    units = (
        rf"{_whole(sign, wanted.number * wanted.scale / scale)}(?:{'|'.join(names)})(?:[^A-Za-z\n]|$)"
        for scale, names in units_of(wanted.kind).items()
    )
    return "|".join((odd, alone, *units))


def _whole(sign: str, wanted: float) -> str:
    """Return an expression for the digits of whole numbers that compare so; the next one does no harm."""
    wanted = min(max(wanted, -1.0), float(MOST))
    if sign in (">", ">="):
        return f"0*(?:{_at_least(max(math.floor(wanted), 0))})"
    if wanted >= MOST:
        return "[0-9]+"
    return f"0*(?:{_at_most(max(math.ceil(wanted), 0))})"


def _at_least(least: int) -> str:
    """Return an expression for the digits of whole numbers from one up."""
    digits = str(least)
    more = [f"[0-9]{{{len(digits) + 1},}}", digits]
    for place, digit in enumerate(digits):
        if digit < "9":
            more.append(f"{digits[:place]}[{int(digit) + 1}-9]{'[0-9]' * (len(digits) - place - 1)}")
    return "|".join(more)


def _at_most(most: int) -> str:
    """Return an expression for the digits of whole numbers up to one."""
    digits = str(most)
    fewer = ["[0-9]" + "[0-9]?" * (len(digits) - 2)] if len(digits) > 1 else []
    fewer.append(digits)
    for place, digit in enumerate(digits):
        if digit > "0":
            fewer.append(f"{digits[:place]}[0-{int(digit) - 1}]{'[0-9]' * (len(digits) - place - 1)}")
    return "|".join(fewer)
