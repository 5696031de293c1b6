"""What text and values may look like: visible, bounded, and finite."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import cast

import msgspec

from cockpit.signals import (
    Value,
)

TEXT_LIMIT = 4 * 1024
"""Characters kept of a text, where nothing else is said."""
LONG = 1024
"""Characters from which a text is cleaned letter by letter of the alphabet rather than of the text."""
MANY = 128
"""Different unsafe letters up to which that pays."""
LAST_MOMENT = 1 << 63
"""Times run from 1970 to 2262: what a signed 64-bit count of nanoseconds holds."""

UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]"
)
"""C0 but for tab and line feed, DEL, C1, the marks that reorder text, line separators and lone surrogates."""

_UNSAFE_ASCII = bytes(code for code in range(128) if UNSAFE.match(chr(code)))
_BREAKS = str.maketrans("\t\n", "  ")
_INFINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return "\ufffd"


def clean_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return text that is safe to show and at most `limit` long; what was cut is said at its end.

    Tabs and line feeds stay; `clean_line` makes spaces of them.
    """
    if len(text) > limit:
        note = f"… ({len(text):,} characters)"
        text = text[: limit - len(note)] + note if limit > 2 * len(note) else f"{text[: limit - 1]}…"
    return text if text.isprintable() else _pictured(text)


def _pictured(text: str) -> str:
    """Return text with what is unsafe made visible; one by one, a long text of such letters alone takes 30 ms."""
    if len(text) > LONG:
        unsafe = [letter for letter in set(text) if UNSAFE.match(letter)]
        if len(unsafe) <= MANY:
            for letter in unsafe:
                text = text.replace(letter, UNSAFE.sub(_picture, letter))
            return text
    return UNSAFE.sub(_picture, text)


def clean_line(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return text that is safe to show on one line."""
    cleaned = clean_text(text, limit)
    return cleaned if cleaned.isprintable() else cleaned.translate(_BREAKS)


def clean_value(value: object) -> Value:
    """Return an attribute's value: text cleaned, numbers within 64 bits and finite, anything else as JSON text."""
    kind = type(value)
    if kind is str:
        return clean_text(cast("str", value))
    if value is None or kind is bool:
        return cast("Value", value)
    if isinstance(value, str):
        return clean_text(str.__str__(value))
    if isinstance(value, int):
        number = int(value)
        return number if -LAST_MOMENT <= number < LAST_MOMENT else clean_text(hex(number))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _INFINITE.get(value, "NaN")
    try:
        return clean_text(msgspec.json.encode(value).decode())
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
        return f"({kind.__name__})"


def all_safe(texts: Sequence[str]) -> bool:
    """Tell whether no text has an unsafe character; ASCII is looked through several times as fast as all else."""
    plain = [text for text in texts if text.isascii()]
    joined = "".join(plain).encode()
    if len(joined.translate(None, _UNSAFE_ASCII)) != len(joined):
        return False
    return len(plain) == len(texts) or all(
        text.isascii() or text.isprintable() or not UNSAFE.search(text) for text in texts
    )
