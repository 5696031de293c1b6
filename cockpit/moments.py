"""Spans of time and moments as people type them: on the command line, after `:`, and in a search."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from cockpit.errors import UsageError
from cockpit.signals import SECOND

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"(\d{1,5})\s*([smhdw])", re.ASCII)
_FRACTION = re.compile(r"(?<=:\d\d)\.(\d{1,9})\d*")


def span(text: str) -> int:
    """Read a length of time (`90s`, `20m`, `2h`, `3d`, `1w`) as nanoseconds.

    Raises:
        UsageError: It is none, or nothing long.
    """
    found = _SPAN.fullmatch(text.strip())
    if not found or not int(found[1]):
        raise UsageError(f"{text!r} is no span of time", remedy="such as 30m, 4h or 2d")
    return _length(found)


def moment(text: str, now: int) -> int:
    """Read a span ago (`90s`, `20m`, `2h`, `3d`, `1w`), `HH:MM[:SS]` of the last 24 hours, a day, or RFC 3339.

    What names no zone is UTC.

    Raises:
        UsageError: It is none of these.
    """
    text = text.strip()
    if ago := _SPAN.fullmatch(text.removeprefix("-")):
        return now - _length(ago)
    try:
        if clock := re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", text):
            hour, minute, second = (int(part or 0) for part in clock.groups())
            today = datetime.fromtimestamp(now // SECOND, UTC)
            found = today.replace(hour=hour, minute=minute, second=second)
            if int(found.timestamp()) * SECOND > now:
                found -= timedelta(days=1)
            return int(found.timestamp()) * SECOND
        fraction = _FRACTION.search(text)
        at = datetime.fromisoformat(_FRACTION.sub("", text))
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return int(at.timestamp()) * SECOND + int((fraction[1] if fraction else "0").ljust(9, "0"))
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is no time", remedy="such as 2h, 14:05, 2026-01-31 or 2026-01-31T14:05:00Z"
        ) from None


def _length(found: re.Match[str]) -> int:
    return int(found[1]) * _UNITS[found[2]] * SECOND
