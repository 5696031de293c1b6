"""Lines that belong together: stack traces, wrapped messages, indented dumps.

Without a pattern of the operator's own, a line continues the record before it when it is indented, or when it
is one of the lines that Java's, Python's and Go's stack traces begin or end with.
"""

from __future__ import annotations

import re

from msgspec import Struct

LINES = 500
"""Lines joined into one record at most."""

SIZE = 64 * 1024
"""Characters joined into one record at most."""

_CONTINUES = re.compile(
    r"[ \t]+\S"
    r"|Caused by: |Suppressed: |Traceback \(most recent call last\):|During handling of the above exception"
    r"|The above exception was the direct cause"
    r"|\.\.\. \d+ more|goroutine \d+ \[|created by \S+"
    r"|(?:[a-z]\w*\.){2,}\w*(?:Exception|Error|Throwable)\b"
    r"|[\])}]+[,;]?$"
)
_ENDS_TRACEBACK = re.compile(
    r"(?:\w+\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning)\b|(?:\w+\.)+[A-Z]\w*: "
)
_FIRST = frozenset(" \tCSTD.gc])}") | frozenset("abcdefghijklmnopqrstuvwxyz")


class Held(Struct, frozen=True, array_like=True, gc=False):
    """What a joiner holds, so that another can go on with it."""

    lines: list[str]
    size: int
    blank: int
    traceback: bool


class Joiner:
    """Join the lines of one stream into records.

    Args:
        start: A pattern that the first line of every record has; None for what stack traces look like.
        enabled: False for a record a line.
    """

    def __init__(self, start: re.Pattern[str] | None = None, *, enabled: bool = True) -> None:
        self._start = start
        self._enabled = enabled
        self._held: list[str] = []
        self._size = 0
        self._blank = 0
        self._traceback = False

    @property
    def holding(self) -> bool:
        """True while a record waits for lines that may follow it."""
        return bool(self._held)

    @property
    def held(self) -> Held:
        """The record that is being put together."""
        return Held(list(self._held), self._size, self._blank, self._traceback)

    @held.setter
    def held(self, held: Held) -> None:
        self._held, self._size = list(held.lines), held.size
        self._blank, self._traceback = held.blank, held.traceback

    def join(self, lines: list[str]) -> list[str]:
        """Return the records that these lines complete; the last one is held until the next line or `flush`."""
        if not self._enabled:
            return [line for line in lines if line and not line.isspace()]
        records: list[str] = []
        held = self._held
        for line in lines:
            if not line or line.isspace():
                self._blank += 1  # a trace may go on after it
            elif held and self.continues(line) and len(held) < LINES and self._size < SIZE:
                held.extend([""] * min(self._blank, 4))
                held.append(line)
                self._blank, self._size = 0, self._size + len(line)
            else:
                if held:
                    records.append(held[0] if len(held) == 1 else "\n".join(held))
                    held.clear()
                held.append(line)
                self._blank, self._size = 0, len(line)
                self._traceback = line.startswith("Traceback (")
        return records

    def flush(self) -> list[str]:
        """Return the record that is held."""
        held, self._held, self._blank = self._held, [], 0
        return ["\n".join(held)] if held else []

    def continues(self, line: str) -> bool:
        """Tell whether a line belongs to the record before it."""
        if self._start is not None:
            return self._start.search(line) is None
        if line[:1] in _FIRST and line and _CONTINUES.match(line) is not None:
            self._traceback = self._traceback or line.startswith("Traceback (")
            return True
        if self._traceback and line:
            if _ENDS_TRACEBACK.match(line) is None:
                self._traceback = False
                return False
            self._traceback = False
            return True
        return False
