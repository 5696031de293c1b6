"""Texts for the query languages of engines written in Go: LogsQL and LogQL.

Their strings are Go's (go.dev/ref/spec, interpreted string literals), their regular expressions RE2's
(github.com/google/re2/wiki/Syntax).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cockpit.errors import UsageError
from cockpit.stores.logs.expressions import read_expression


def quoted(text: str) -> str:
    """Return a text as a string between double quotes, as Go's strconv.Unquote reads it.

    Whatever the text, the result is one token: a quote or a backslash in it is escaped, and so is what is not
    printable ASCII but for letters and signs of other scripts.
    """
    written = []
    for character in text:
        code = ord(character)
        if character in '"\\':
            written.append("\\" + character)
        elif 0x20 <= code < 0x7F or (code >= 0xA0 and character.isprintable()):
            written.append(character)
        elif 0xD800 <= code < 0xE000:
            written.append("\\ufffd")
        else:
            written.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    return f'"{"".join(written)}"'


def literal(text: str) -> str:
    """Return an expression that finds a text whatever the case."""
    return f"(?i){written(text)}"


def glob(text: str) -> str:
    """Return an expression that a whole value matches whatever the case; `*` stands for anything."""
    return f"(?is)^{written(text, any_for_star=True)}$"


def either_of(texts: Iterable[str]) -> str:
    """Return an expression for one of some texts."""
    return "|".join(written(text) for text in texts)


def re2(pattern: str) -> str:
    """Return an expression of the filter language for RE2; empty where that can't mean the same."""
    try:
        expression = read_expression(pattern)
    except UsageError:
        return ""
    return "" if expression.backtracks else f"(?im){expression.whole}"


def written(text: str, *, any_for_star: bool = False) -> str:
    """Write a text so that every sign in it stands for itself, but for `*` where that is to stand for anything."""
    if any_for_star:
        return ".*".join(written(part) for part in re.split("[*]+", text))
    return "".join(
        character
        if character.isalnum() or character in "_ " or ord(character) >= 0x80
        else f"\\x{ord(character):02x}"
        for character in text
    )
