"""Looks for a text in all that Python still holds."""

from __future__ import annotations

import gc
import types
from collections.abc import Iterator, Sequence


def remains(text: str) -> list[str]:
    """Return what still holds a text, in a few words each; whoever asks builds it anew, so as not to hold it."""
    gc.collect()
    wanted = (text, text.encode())
    return [f"{type(holder).__name__}: {str(holder)[:300]}" for holder in _holders(wanted)]


def _holders(wanted: Sequence[str | bytes]) -> Iterator[object]:
    """Yield what holds it; the collector does not list what can't be part of a circle, such as a dict of texts."""
    waiting = gc.get_objects()
    ours = {id(waiting), id(wanted)}
    while waiting:
        holder = waiting.pop()
        if id(holder) in ours or isinstance(holder, types.FrameType | types.ModuleType | types.CodeType):
            continue
        for each in gc.get_referents(holder):
            if isinstance(each, str | bytes | bytearray):
                if any(type(one) is type(each) and one in each for one in wanted):  # type: ignore[operator]
                    yield holder
            elif isinstance(each, dict | tuple) and not gc.is_tracked(each):
                waiting.append(each)
