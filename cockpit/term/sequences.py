"""Takes a stream apart into what an emulator may see and what is dealt with here, with bounds on everything.

Strings (titles, clipboards, hyperlinks, device control) never reach the emulator; a control sequence does once it is
whole, if it is of a sane length. So no emulator's parser ever holds more than a few characters, whatever is printed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from enum import Enum

SEQUENCE_LIMIT = 128
"""Characters of a control sequence at most: the longest that programs write sets six attributes and two colours."""
STRING_LIMIT = 64 * 1024
"""Characters of a string at most; a longer one is swallowed whole."""

UNSEEN = re.compile("[\x80-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters of eight bits, which no program that writes UTF-8 means, and those that turn text around."""
TOKEN = re.compile(
    r"\x1b(?:"
    r"(?P<osc>\][^\x07\x18\x1a\x1b]*(?:\x07|\x1b\\))"
    r"|(?P<dcs>P[^\x07\x18\x1a\x1b]*(?:\x07|\x1b\\))"
    r"|(?P<string>[X^_][^\x07\x18\x1a\x1b]*(?:\x07|\x1b\\))"
    r"|(?P<broken>[\]PX^_][^\x07\x18\x1a\x1b]*(?:[\x18\x1a]|(?=\x1b[^\\])))"
    r"|(?P<csi>\[[\x00-\x17\x19\x1c-\x3f]*[\x40-\x7e])"
    r"|(?P<cut>\[[\x00-\x17\x19\x1c-\x3f]*[\x18\x1a\x7f-\U0010ffff])"
    r"|(?P<vt52>[<YZ])"
    r"|(?P<rest>(?:[\]PX^_][^\x07\x18\x1a\x1b]*\x1b?|\[[\x00-\x17\x19\x1c-\x3f]*)?\Z)"
    r")"
)
"""What begins with an escape and is not left to the emulator as it stands."""
STRING_END = re.compile(r"[\x07\x18\x1a]|\x1b\\|(?=\x1b[^\\])")
CONTROL_END = re.compile(r"[\x40-\x7e\x18\x1a]|(?=\x1b)")


class Kind(Enum):
    """What a token is."""

    SCREEN = 1
    """For the emulator: text, control characters, whole control sequences."""
    COMMAND = 2
    """An operating system command: its number and its text."""
    DEVICE = 3
    """A device control string, with its frame."""


class Sequences:
    """Takes a stream of bytes apart, however it is cut into pieces."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._rest = ""
        self._skipping: re.Pattern[str] | None = None

    @property
    def pending(self) -> bool:
        """Whether the last piece ended within a sequence."""
        return bool(self._rest) or self._skipping is not None

    def take(self, data: bytes) -> Iterator[tuple[Kind, str]]:
        """Yield what a piece holds, with what was left of the one before."""
        text = self._decode(data)
        if not text.isascii():
            text = UNSEEN.sub("", text)
        if self._skipping is not None:
            found = self._skipping.search(self._rest + text)
            if found is None:
                self._rest = "\x1b" if text.endswith("\x1b") else ""
                return
            text, self._rest, self._skipping = (self._rest + text)[found.end() :], "", None
        if self._rest:
            text, self._rest = self._rest + text, ""
        if "\x1b" not in text:
            if text:
                yield Kind.SCREEN, text
            return
        yield from self._split(text)

    def _split(self, text: str) -> Iterator[tuple[Kind, str]]:
        parts: list[str] = []
        at = 0
        for found in TOKEN.finditer(text):
            kind = found.lastgroup
            if kind == "csi" and found.end() - found.start() <= SEQUENCE_LIMIT:
                continue  # stays where it is
            parts.append(text[at : found.start()])
            at = found.end()
            if kind == "rest":
                self._hold(found[0])
            elif kind in ("osc", "dcs"):
                if whole := "".join(parts):
                    yield Kind.SCREEN, whole
                parts.clear()
                if len(found[0]) > STRING_LIMIT:
                    continue
                if kind == "osc":
                    yield Kind.COMMAND, found[0][2:].removesuffix("\x07").removesuffix("\x1b\\")
                else:
                    yield Kind.DEVICE, found[0].removesuffix("\x07").removesuffix("\x1b\\") + "\x1b\\"
        parts.append(text[at:])
        if whole := "".join(parts):
            yield Kind.SCREEN, whole

    def _hold(self, rest: str) -> None:
        """Keep the beginning of a sequence; of one that is too long only that its end is to be found."""
        string = rest[1:2] != "["
        if len(rest) <= (STRING_LIMIT if string else SEQUENCE_LIMIT):
            self._rest = rest
            return
        self._skipping = STRING_END if string else CONTROL_END
        self._rest = "\x1b" if string and rest.endswith("\x1b") else ""
