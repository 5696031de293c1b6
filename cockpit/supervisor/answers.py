"""Answers to questions, made fit to be shown: they are telemetry as much as what a source emits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from cockpit.hygiene import clean, clean_line, clean_text
from cockpit.signals import Alert, HealthSample, LogRecord, Span
from cockpit.source import Found

_SIGNALS = (LogRecord, Span, HealthSample, Alert)
SLICE = 250
"""Items cleaned before the loop gets a turn."""


async def cleaned(answer: Any) -> Any:
    """Return an answer without control characters; signals that are none are left out."""
    if isinstance(answer, str):
        return clean_text(answer)
    if not isinstance(answer, list):
        return answer
    kept: list[Any] = []
    for start in range(0, len(answer), SLICE):
        part = answer[start : start + SLICE]
        kept += clean(part)[0] if isinstance(part[0], _SIGNALS) else map(_cleaned, part)
        await asyncio.sleep(0)
    if isinstance(answer, Found):
        reached = answer.reached if isinstance(answer.reached, int) else None
        return Found(kept, note=clean_line(str(answer.note)), reached=reached)
    return kept


def _cleaned(value: Any) -> Any:
    """Clean the texts of a struct, such as a silence or a trace's summary, at any depth."""
    if isinstance(value, str):
        return clean_line(value)
    if isinstance(value, Struct):
        changed = {name: new for name, old in asdict(value).items() if (new := _cleaned(old)) is not old}
        return replace(value, **changed) if changed else value
    if isinstance(value, Mapping):
        return {_cleaned(name): _cleaned(one) for name, one in value.items()}
    if isinstance(value, tuple) and value and isinstance(value[0], str | Struct):
        return tuple(_cleaned(one) for one in value)
    return value
