"""Takes a session's own marks out of what a shell prints: where prompts begin and end, and which line runs.

A mark is OSC 133 or OSC 633 and ends with the session's nonce. What looks like one and doesn't is output like any
other, so a host can't forge a command line by printing it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

LONGEST = 1 << 20
"""Bytes that a mark may have; what goes on for longer is none."""
_START = re.compile(rb"\x1b\](?:133|633);")
_BEGUN = re.compile(rb"\x1b(?:\](?:1(?:3(?:3)?)?|6(?:3(?:3)?)?)?)?\Z")
_END = re.compile(rb"[\x00-\x1f\x7f]")
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")


class MarkKind(StrEnum):
    """What a mark says."""

    PROMPT = "A"
    """The prompt begins."""
    EDITING = "B"
    """The prompt is over, and the operator's line begins."""
    LINE = "E"
    """The line that was accepted."""
    STARTED = "C"
    """It starts, and what it prints follows."""
    READY = "D"
    """The shell is ready for another line; its text is the exit status of the one before."""
    PROPERTY = "P"
    """`Cwd=…`, `Shell=…`, or `None=` and why lines are not marked."""
    ASKED = "H"
    """The operator pressed Enter on this line, and the shell waits to be told to accept it."""


class Mark(Struct, frozen=True):
    """One mark."""

    kind: MarkKind
    text: str = ""


class MarkParser:
    """Splits what a shell prints into bytes to show and marks, in order, wherever its pieces end.

    Args:
        nonce: The word that the session's own marks end with.
    """

    def __init__(self, nonce: str) -> None:
        self._tail = f";{nonce}".encode()
        self._held = b""

    def feed(self, data: bytes) -> Iterator[bytes | Mark]:
        """Yield what a piece holds; the beginning of what may be a mark is kept for the next one."""
        searched = max(0, len(self._held) - 1)  # an ESC at the end may yet be a terminator's beginning
        data = self._held + data if self._held else data
        self._held = b""
        place = shown = 0
        while (start := _START.search(data, place)) is not None:
            end = _END.search(data, max(start.end(), searched))
            if end is None:
                if len(data) - start.start() <= LONGEST:
                    break
                place = start.end()
                continue
            over = _over(data, end.start())
            if over == 0:
                break
            mark = self._mark(data[start.start() + 2 : end.start()]) if over > 0 else None
            if mark is None:
                place = end.start() if over < 0 else over
                continue
            if start.start() > shown:
                yield data[shown : start.start()]
            yield mark
            place = shown = over
        begun = start or _BEGUN.search(data, max(place, len(data) - 5))
        stop = begun.start() if begun is not None else len(data)
        self._held = data[stop:]
        if stop > shown:
            yield data[shown:stop]

    def finish(self) -> bytes:
        """Return what was kept: the output is over."""
        held, self._held = self._held, b""
        return held

    def _mark(self, body: bytes) -> Mark | None:
        if not body.endswith(self._tail):
            return None
        _, _, rest = body[: -len(self._tail)].partition(b";")
        kind, _, text = rest.partition(b";")
        try:
            return Mark(MarkKind(kind.decode(errors="replace")), _unescaped(text))
        except ValueError:
            return Mark(MarkKind.PROPERTY)


def _over(data: bytes, end: int) -> int:
    """Return where the terminator at a place ends: 0 where that isn't known yet, -1 where it is no terminator."""
    if data[end] == 7:
        return end + 1
    if data[end] != 27:
        return -1
    if len(data) == end + 1:
        return 0
    return end + 2 if data[end + 1 : end + 2] == b"\\" else -1


def _unescaped(text: bytes) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text.decode(errors="replace"))
