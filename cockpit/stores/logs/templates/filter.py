"""A template as a filter, in the language that logs are asked in."""

from __future__ import annotations

import re

from cockpit.stores.logs.templates.atoms import WILD

MOST = 12
"""Phrases of a query; of more, the longest are kept."""
_APART = re.compile(rf'{re.escape(WILD)}|"|\s{{2,}}|[^\S ]')
"""What a phrase doesn't reach over: spacing may differ from line to line, and a quote ends a phrase."""


def query_for(text: str) -> str:
    """Return a query that finds a template's lines, "" where the template says nothing constant.

    It is a phrase for each constant part, `("Accepted password for" "from" "port" "ssh2")`: any engine can look for
    those, and no expression of many wild parts has to be tried on every line. A minus before it filters away. It
    also finds what says the same and more.

    Args:
        text: The template's, with `<*>` for what varies.
    """
    phrases = dict.fromkeys(
        phrase for part in _APART.split(text) if any(map(str.isalnum, phrase := part.strip()))
    )
    kept = sorted(phrases, key=len, reverse=True)[:MOST]
    terms = [f'"{phrase}"' for phrase in phrases if phrase in kept]
    return terms[0] if len(terms) == 1 else f"({' '.join(terms)})" if terms else ""
