"""What a format may have left before the message: level, thread, class.

Logs are laid out in more ways than formats are known. As far as a line begins with nothing but numbers, capitals
and brackets up to a level, all that, and a thread or class after the level, says where and how badly, not what.
"""

from __future__ import annotations

import re

MOST = 16
"""Words looked at before a level."""
_LEVELS = ("trace", "debug", "info", "notice", "warn", "warning", "error", "err", "severe", "fatal", "critical",
           "crit", "alert", "emerg", "panic")  # fmt: skip
_LEVEL = re.compile(rf"(?:{'|'.join(_LEVELS).upper()}):?|[\[<(](?:[\w-]+:)?(?i:{'|'.join(_LEVELS)})[\])>]:?")
_BRACKETS = r"\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]"
_AFTER = re.compile(
    rf"(?:\s+{_BRACKETS}){{0,3}}\s+\w*[.$][\w.$-]*(?:\(\S*\)|{_BRACKETS})?(?::|\s+-+|\s+:)\s+"  # threads and a class
    rf"|(?:\s+{_BRACKETS}){{1,3}}\s*(?:\w+\s+)?-+\s+|\s+\w+\s+-+\s+|\s+[|-]+\s+|\s+"
)
_WORD = re.compile(r"\S+")


def message_of(line: str) -> str:
    """Return a folded line from where its message begins; a line without a level as it is."""
    in_brackets = False
    for count, word in enumerate(_WORD.finditer(line)):
        text = word[0]
        if _LEVEL.fullmatch(text) is not None:
            after = _AFTER.match(line, word.end())
            if after is None or (not count and text[0].isalpha() and after[0].isspace()):
                return line  # a message that begins with such a word, as far as one can tell
            return line[after.end() :] or line
        if in_brackets or text[0] == "[":
            in_brackets = "]" not in text
        elif "0" not in text and text.upper() != text:
            return line
        if count >= MOST:
            return line
    return line
