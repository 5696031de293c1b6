"""What the world calls a log level, in OpenTelemetry's SeverityNumbers.

The numbers of syslog's severities, and of the words that syslog and others use, are those that OpenTelemetry's
logs data model gives in its appendix on severity mappings.
"""

from __future__ import annotations

import re
from functools import cache

SYSLOG = (21, 19, 18, 17, 13, 10, 9, 5)
"""SeverityNumber by syslog's severity: emergency, alert, critical, error, warning, notice, informational, debug."""

WORDS: dict[str, int] = {
    "trace": 1, "finest": 1, "verbose": 1, "silly": 1, "finer": 2,
    "debug": 5, "dbg": 5, "fine": 5, "debg": 5, "config": 6,
    "info": 9, "information": 9, "informational": 9, "inf": 9, "log": 9, "statement": 9, "hint": 9, "detail": 9,
    "notice": 10, "success": 10,
    "warn": 13, "warning": 13, "wrn": 13,
    "error": 17, "err": 17, "eror": 17, "severe": 17, "failure": 17,
    "critical": 18, "crit": 18, "dpanic": 18,
    "alert": 19,
    "fatal": 21, "emerg": 21, "emergency": 21, "panic": 21, "ftl": 21,
}  # fmt: skip

LETTERS = {"V": 1, "D": 5, "I": 9, "W": 13, "E": 17, "F": 21, "A": 21}
"""The letters of Android's logcat and of klog."""

_PROSE = ("fine", "config", "success", "failure", "detail", "hint", "statement")
"""Words that mean a level in a `level` field alone."""

_SPOKEN = {word: level for word, level in WORDS.items() if word not in _PROSE}

BOUNDS = b" \t\r\n\f\v[](){}<>|:,;-\"'*"
"""What may stand around a level."""
OPENING = b"[<(|"
CLOSING = b":]>|"
"""What sets off a level that is not in capitals."""
WINDOW = 160
"""Bytes from the start of a record's text within which a level is looked for."""
NAMED = 12
"""Bytes that may name a level before it, at most."""
KEYS = (b"level=", b"lvl=", b"severity=")
"""What makes a level of any word of levels that follows, as in logfmt."""


def spoken() -> dict[str, int]:
    """Return the words that mean a level in text as well as in a field."""
    return dict(_SPOKEN)


def forms() -> list[tuple[bytes, bytes, bytes, int]]:
    """Return the ways in which a level may be told in text.

    A word counts in capitals, or in any case when something sets it off: `[warn]`, `[core:warn]`, `error:`,
    `level=error`.

    Returns:
        What stands before the word, the word and what stands after it, as regular expressions; and its level.
    """
    bound, opened, closed = (b"[" + re.escape(text) + b"]" for text in (BOUNDS, OPENING, CLOSING))
    keys = bound + b"(?:" + b"|".join(KEYS) + b")[\"']?"
    found = []
    for word, level in _SPOKEN.items():
        capitals, small, capital = (text.encode() for text in (word.upper(), word, word.capitalize()))
        found.append((bound, capitals, bound, level))
        found.append((keys, capitals, bound, level))
        for text in (small, capital):
            found += [(opened, text, bound, level), (bound, text, closed, level), (keys, text, bound, level)]
    return found


def level_of(value: object) -> int:
    """Return the level that a `level` field means; 0 for none.

    Args:
        value: A word, or a number: 0 to 7 as syslog counts, from 10 on as bunyan and pino do.
    """
    if isinstance(value, str):
        found = WORDS.get(value.lower())
        if found is not None:
            return found
        return level_of(int(value)) if value.isascii() and value.isdigit() and len(value) < 4 else 0
    if isinstance(value, int | float) and not isinstance(value, bool):
        if 10 <= value <= 69:
            return (1, 5, 9, 13, 17, 21)[int(value) // 10 - 1]
        if 0 <= value <= 7 and value == int(value):
            return SYSLOG[int(value)]
    return 0


@cache
def _framed() -> re.Pattern[bytes]:
    """Compile the ways in which a level may be told, when one is looked for: it takes 3 ms."""
    framed: dict[tuple[bytes, bytes], list[bytes]] = {}
    for before, word, after, _ in sorted(forms(), key=lambda form: -len(form[1])):
        framed.setdefault((before, after), []).append(word)
    return re.compile(
        b"|".join(
            b"(?:%s)(%s)(?=%s)" % (before, b"|".join(words), after)
            for (before, after), words in framed.items()
        )
    )


_TOLD = {word: level for _, word, _, level in forms()}


_APART = bytes.maketrans(BOUNDS + b"=", b" " * (len(BOUNDS) + 1))
_ANY = frozenset(_TOLD)


def find_level(line: bytes, start: int = 0) -> int:
    """Return the level that a line tells in words from a place on; 0 for none."""
    before = min(start, NAMED)
    framed = b"\n" + line[start - before : start + WINDOW + 1]
    if _ANY.isdisjoint(framed.translate(_APART).split()):
        return 0  # most lines have no such word, which is known in a tenth of the time
    if len(line) - start <= WINDOW:
        framed += b"\n"
    for found in _framed().finditer(framed):
        group = found.lastindex or 0
        if found.start(group) > before:
            return _TOLD[found[group]]
    return 0
