"""Expands `web[01:50]`: several hosts in one word of an Ansible inventory.

Source: Ansible's documentation, "How to build your inventory", on ranges of hosts.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from cockpit.inventory.limits import MOST_HOSTS

_RANGE = re.compile(r"\[([^\[\]:]*):([^\[\]:]*)(?::([^\[\]:]*))?\]")
_ADDRESS = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::(\d{1,5}))?")
_PORT = re.compile(r"(.+):(\d{1,5})")
_LETTERS = string.ascii_letters


def hosts_of(word: str) -> tuple[list[str], int]:
    """Return the hosts that a word stands for, and the port that follows it; 0 for none.

    Raises:
        ValueError: A range makes no sense, or is far too long.
    """
    address = _ADDRESS.fullmatch(word)
    if address and ("::" in address[1] or address[1].count(":") == 7):
        return [address[1]], int(address[2] or 0)
    with_port = _PORT.fullmatch(word) if _RANGE.sub("", word).count(":") == 1 else None
    if with_port:
        return list(expanded(with_port[1])), int(with_port[2])
    return list(expanded(word)), 0


def expanded(name: str) -> Iterator[str]:
    """Yield the names that a name with ranges stands for, each range from left to right.

    Raises:
        ValueError: A range makes no sense, or all of them together are far too long.
    """
    parts: list[tuple[str, ...]] = []
    end, count = 0, 1
    for found in _RANGE.finditer(name):
        steps = _steps(found[0], found[1], found[2], found[3])
        count *= len(steps)
        if count > MOST_HOSTS:
            raise ValueError(f"{name[:80]!r} stands for more than {MOST_HOSTS:,} hosts")
        parts += [(name[end : found.start()],), steps]
        end = found.end()
    parts.append((name[end:],))
    return _joined(parts)


def _joined(parts: list[tuple[str, ...]]) -> Iterator[str]:
    from itertools import product

    return ("".join(chosen) for chosen in product(*parts))


def _steps(text: str, first: str, last: str, step: str | None) -> tuple[str, ...]:
    """Return what one range stands for, both ends included; `[:5]` begins at 0."""
    first = first or "0"
    if step is not None and not (step.isdecimal() and int(step)):
        raise ValueError(f"the range {text!r} goes by steps of {step!r}; give a number above 0")
    by = int(step or 1)
    if first in _LETTERS and last in _LETTERS and len(first) == len(last) == 1:
        found = tuple(_LETTERS[_LETTERS.index(first) : _LETTERS.index(last) + 1 : by])
    elif first.isascii() and last.isascii() and first.isdecimal() and last.isdecimal():
        if max(len(first), len(last)) > len(str(MOST_HOSTS)) + 6:
            raise ValueError(f"the range {text!r} has numbers that are far too large")
        width = len(first) if first.startswith("0") and len(first) > 1 else 0
        if width and width != len(last):
            raise ValueError(f"the range {text!r} has ends of different length")
        numbers = range(int(first), int(last) + 1, by)
        if len(numbers) > MOST_HOSTS:
            raise ValueError(f"the range {text!r} stands for more than {MOST_HOSTS:,} hosts")
        found = tuple(str(number).zfill(width) for number in numbers)
    else:
        raise ValueError(f"the range {text!r} goes neither from number to number nor from letter to letter")
    if not found:
        raise ValueError(f"the range {text!r} ends before it begins")
    return found
