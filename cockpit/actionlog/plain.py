"""What a command printed, as text that can be put in front of people: without its control sequences.

Output is hostile. A sequence may move the cursor over what was said before, set the clipboard, or have the terminal
answer. It may also be cut in two by the pieces that output comes in, so what begins one is held back until it is
whole.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator

from cockpit.actionlog.records import Chunk
from cockpit.hygiene import clean_text

HELD = 4096
"""Characters that an unfinished sequence may have; a longer one is dropped as it comes."""

_START = re.compile("[\x1b\x90\x98\x9b\x9d\x9e\x9f]")
_CSI = r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
_STRING = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|(?=\x1b[^\\]))"
_ESCAPE = r"\x1b[0-OQ-WYZ\\`-~]|\x1b[ -/]+[0-~]"
_BROKEN = r"\x1b(?=[\x00-\x1f\x7f-\U0010ffff])|(?:\x1b\[|\x9b)[0-?]*[ -/]*(?=[^ -~])|\x1b[ -/]+(?=[^ -~])"
_WHOLE = re.compile(f"{_CSI}|{_STRING}|{_ESCAPE}|{_BROKEN}")
_STRING_START = re.compile(r"\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f]")
_STRING_END = re.compile(r"\x07|\x1b\\|\x9c|(?=\x1b[^\\])")

_ON_SCREEN = re.compile(
    r"\x1b\[\??[0-9;:]*[A-HJKLMPSTXZ@`abdefghlmr]|\x1b\[[0-9]* q|\x1b\[!p|\x1b[78=>DEHMNOc]|\x1b[()*+][0-9A-Z]"
)
"""What only draws: nothing that asks the terminal for an answer, or reaches past its screen."""


def drawing(sequence: str) -> bool:
    """Return whether a control sequence does no more than draw on a terminal's screen."""
    return _ON_SCREEN.fullmatch(sequence) is not None


def none(_sequence: str) -> bool:
    """Keep no control sequence."""
    return False


class Sequences:
    """Takes control sequences out of text that comes in pieces, but for those that `keep` approves of."""

    def __init__(self, keep: Callable[[str], bool] = none) -> None:
        self._keep = keep
        self._held = ""
        self._in_string = False

    def feed(self, text: str, *, last: bool = False) -> str:
        """Return the next piece without its sequences; the last one holds nothing back."""
        text, self._held = self._held + text, ""
        kept: list[str] = []
        place = 0
        while place < len(text):
            if self._in_string:
                end = _STRING_END.search(text, place)
                if end is None:
                    self._held = text[-1] if text.endswith("\x1b") and not last else ""
                    break
                place, self._in_string = end.end(), False
                continue
            start = _START.search(text, place)
            if start is None:
                kept.append(text[place:])
                break
            kept.append(text[place : start.start()])
            place = start.start()
            whole = _WHOLE.match(text, place)
            if whole is not None:
                if self._keep(whole[0]):
                    kept.append(whole[0])
                place = whole.end()
            else:
                self._hold(text[place:], last=last)
                break
        return "".join(kept)

    def _hold(self, rest: str, *, last: bool) -> None:
        if last:
            return
        if _STRING_START.match(rest):
            self._in_string, self._held = True, "\x1b" if rest.endswith("\x1b") else ""
        elif len(rest) <= HELD:
            self._held = rest


class Text:
    """Turns one stream of bytes into plain text: no control characters but tabs and line feeds."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._sequences = Sequences()
        self._return = False

    def feed(self, data: bytes, *, last: bool = False) -> str:
        """Return the next piece. A carriage return begins a line, so that nothing hides what stood there before."""
        text = self._sequences.feed(self._decoder.decode(data, final=last), last=last)
        if self._return:
            text = f"\r{text}"
        self._return = text.endswith("\r") and not last
        if self._return:
            text = text[:-1]
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        return clean_text(text, limit=len(text))


def plain(chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, str]]:
    """Yield output as plain text, each piece beside what it was made of; the streams don't mix."""
    streams: dict[str, Text] = {}
    newest: dict[str, Chunk] = {}
    for chunk in chunks:
        newest[chunk.stream.value] = chunk
        text = streams.setdefault(chunk.stream.value, Text()).feed(chunk.data)
        if text:
            yield chunk, text
    for name, stream in streams.items():
        if rest := stream.feed(b"", last=True):
            yield newest[name], rest


def words(data: bytes) -> str:
    """Return output as text to be searched; empty where it is no text."""
    text = data.decode(errors="replace")
    if text.count("\ufffd") + text.count("\0") > len(text) // 20:
        return ""
    return Sequences().feed(text, last=True).replace("\0", " ")
