"""What comes of reading an inventory: its hosts, what was odd about it, and the files that it was read from."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from cockpit.hygiene import clean_line
from cockpit.targets import Host

MOST_SHOWN = 3
"""Examples that a remark gives."""

Stamp = tuple[str, int, int]
"""A file or folder, when it was changed in nanoseconds, and its size."""


class Reading(Struct, frozen=True, kw_only=True):
    """One inventory as it was read.

    Attributes:
        hosts: Each host once.
        remarks: What was left out and why, a line each.
        stamps: What was read; while none of it changes, reading it again would say the same. Empty for a command.
    """

    hosts: tuple[Host, ...]
    remarks: tuple[str, ...] = ()
    stamps: tuple[Stamp, ...] = ()


def some(names: Iterable[str], what: str) -> tuple[str, ...]:
    """Return a remark about names, with a few of them as examples; none about none.

    Args:
        names: The names.
        what: What is so with them.
    """
    listed = list(dict.fromkeys(names))
    if not listed:
        return ()
    shown = ", ".join(repr(clean_line(name, 60)) for name in listed[:MOST_SHOWN])
    return (f"{shown}{f' and {len(listed) - MOST_SHOWN:,} more' if len(listed) > MOST_SHOWN else ''} {what}",)
