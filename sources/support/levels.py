"""What the world calls a log level, in OpenTelemetry's SeverityNumbers.

The numbers of syslog's severities, and of the words that syslog and others use, are those that OpenTelemetry's logs
data model gives in its appendix on severity mappings.
"""

from __future__ import annotations

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
_BARE = {word.upper(): level for word, level in _SPOKEN.items()}
_DECORATED = _BARE | _SPOKEN | {word.capitalize(): level for word, level in _SPOKEN.items()}

DECORATION = "[](){}<>|:,;-\"'*"
"""What may stand around a level."""
OPENING = "[<(|"
CLOSING = ":]>|"
"""What sets off a level that is not in capitals."""
TOKENS = 8
"""Words at the start of a line among which a level is looked for."""


def level_of(value: object) -> int:
    """Return the level that a `level` field means: a word, or a number as bunyan and pino count; 0 for neither."""
    if isinstance(value, str):
        found = WORDS.get(value.lower())
        if found is not None:
            return found
        return level_of(int(value)) if value.isascii() and value.isdigit() and len(value) < 4 else 0
    if isinstance(value, int | float) and 10 <= value <= 69:
        return (1, 5, 9, 13, 17, 21)[int(value) // 10 - 1]
    return 0


def find_level(text: str, hint: int = 0) -> tuple[int, int]:
    """Look for a level among a line's first words.

    A word counts in capitals, or in any case when something sets it off: `[warn]`, `[core:warn]`, `error:`.

    Args:
        text: The line, without its time.
        hint: The place where the line before had its level; looked at first.

    Returns:
        The level, 0 where there is none, and the place of the word.
    """
    start = text[:160]
    words = start.split(None, hint + 1)
    if hint < len(words) and (level := _BARE.get(words[hint]) or _word_level(words[hint])):
        return level, hint
    words = start.split(None, TOKENS)[:TOKENS]
    for place, word in enumerate(words):
        if level := _word_level(word):
            return level, place
    return 0, hint


def _word_level(word: str) -> int:
    level = _BARE.get(word)
    if level is not None:
        return level
    if len(word) > 24:
        return 0
    bare = word.strip(DECORATION)
    if bare.isupper():
        return _BARE.get(bare, 0)
    if word[0] not in OPENING and word[-1] not in CLOSING:
        return 0
    return _DECORATED.get(bare) or (_DECORATED.get(bare.rpartition(":")[2], 0) if word[0] == "[" else 0)
