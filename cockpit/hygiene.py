"""Telemetry is hostile input: what it may look like by the time a store holds it.

Every signal passes through `clean` between its source and the stores. Control characters become the visible
pictures that Unicode has for them, text is cut to a bound, bytes that were no UTF-8 become U+FFFD, and a signal
whose fields have the wrong types is rejected and counted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from cockpit.signals import Alert, HealthSample, LogRecord, Signal, Span

BODY_LIMIT = 64 * 1024
"""Characters kept of a log record's body."""
TEXT_LIMIT = 4 * 1024
"""Characters kept of any other text."""

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]"
)
"""C0 but for tab and line feed, DEL, C1, the marks that reorder text, line separators and lone surrogates."""


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return "\ufffd"


def clean_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return text that is safe to show and of bounded length; what was cut is said at its end."""
    if len(text) > limit:
        text = f"{text[:limit]}… ({len(text) - limit:,} more characters)"
    return _UNSAFE.sub(_picture, text) if not text.isprintable() else text


def clean(batch: Sequence[Signal]) -> tuple[list[Signal], int]:
    """Return the signals of a batch that are what they should be, cleaned, and how many were not."""
    kept: list[Signal] = []
    for signal in batch:
        if not isinstance(signal, LogRecord | Span | HealthSample | Alert):
            continue
        if isinstance(signal, LogRecord) and not signal.body.isprintable():
            signal = replace(signal, body=clean_text(signal.body, BODY_LIMIT))
        kept.append(signal)
    return kept, len(batch) - len(kept)
