"""Lists of names, as the data of judges is written: names with white space between them."""

from __future__ import annotations

import re

from cockpit.actions.command import Risk

Effect = tuple[Risk, str]
"""What something may do, and in plain words."""


def words(text: str) -> frozenset[str]:
    """Return the names of a text."""
    return frozenset(text.split())


def any_of(text: str) -> re.Pattern[str]:
    """Return a pattern for any of the names of a text, in which `*` stands for more letters, digits, `_` and dots."""
    names = (re.escape(name).replace(r"\*", r"[\w.]*") for name in text.split())
    return re.compile("|".join(names) or r"(?!)", re.ASCII)


def effects(text: str) -> dict[str, Effect]:
    """Return what names do: a line `risk: what it does` is followed by lines of names."""
    found: dict[str, Effect] = {}
    effect: Effect = (Risk.UNKNOWN, "")
    for line in text.split("\n"):
        risk, colon, why = line.partition(": ")
        if colon:
            effect = Risk(risk), why
        else:
            found.update(dict.fromkeys(line.split(), effect))
    return found
