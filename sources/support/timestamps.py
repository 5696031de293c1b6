"""Reads times as HTTP APIs write them: RFC 3339, as Go prints it."""

from __future__ import annotations

import re
from datetime import datetime

from cockpit.signals import SECOND

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def nanoseconds(text: str) -> int:
    """Return a moment in nanoseconds since the epoch; 0 for a text that holds none.

    Go writes its zero time, the year 1, where a moment is not known, so that is 0 too.
    """
    found = _RFC3339.fullmatch(text.strip()) if len(text) < 64 else None
    if found is None:
        return 0
    day, clock, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone in 'Zz' else zone}")
        seconds = int(moment.timestamp())
    except (ValueError, OverflowError):
        return 0
    return max(0, seconds * SECOND + int((fraction or "0").ljust(9, "0")))
