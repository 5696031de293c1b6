"""Redacts what a terminal showed: a secret that is echoed a key at a time, with control sequences in between.

Patterns know secrets in one piece. So a line is also looked at as a screen would show it, and as its letters alone,
which still holds what was deleted before Enter. Where a secret shows up in that, the line is recorded as plain text
with the secret cut. Full screens have no lines; there a secret is cut where it is drawn in one piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from cockpit.guard.redact import LINE, Cuts, RedactedStream, Redactor

WIDEST = 4096
"""Columns of a line as it is drawn at most."""
_EDITED = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\r*\n)")
_UNMOVED = re.compile(
    rb"\x1b(?:\[[0-9;:]*m|\[0?K|\(B|\[\?[0-9;]*[hl]|[=>]|\][0-9]+;[^\x00-\x1f\x7f]{0,1024}(?:\x07|\x1b\\))"
)
"""What moves no cursor: colours, modes, titles, and erasing what comes after, where nothing does."""
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_SCREENS = re.compile(rb"\x1b\[\?(?:1049|1047|47)([hl])")
_SCREEN_BEGUN = re.compile(rb"\x1b(?:\[(?:\?[0-9;]{0,8})?)?\Z")
_PLACED = re.compile(rb"\x1b\[[0-9;]*H")
_SEQUENCE = re.compile(
    r"\x1b\[([0-?]*)[ -/]*([@-~])|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?"
    r"|(\t|\r+|\x08|[^\x1b\t\r\x08]+)"
)
_COUNT = re.compile(r"[0-9]{1,4}")


class RedactedTerminal:
    """Redacts a terminal's output that comes in pieces.

    Args:
        redactor: Knows secrets.
        cuts: Counts what is cut.
    """

    def __init__(self, redactor: Redactor, cuts: Cuts) -> None:
        self._redactor = redactor
        self._cuts = cuts
        self._stream = RedactedStream(redactor, cuts)
        self._held = b""
        self._full_screen = False

    def feed(self, data: bytes) -> bytes:
        """Take a piece, and return what may be kept by now."""
        return self._stream.feed(b"".join(self._lines(data)))

    def finish(self) -> bytes:
        """Return the rest."""
        rest = self._line(self._held) if self._held and not self._full_screen else self._held
        self._held = b""
        return self._stream.feed(rest) + self._stream.finish()

    def _lines(self, data: bytes) -> Iterator[bytes]:
        data = self._held + data
        self._held = b""
        place = 0
        for switch in _SCREENS.finditer(data):
            yield from self._part(data[place : switch.end()], last=True)
            place = switch.end()
            self._full_screen = switch[1] == b"h"
        yield from self._part(data[place:], last=False)

    def _part(self, data: bytes, *, last: bool) -> Iterator[bytes]:
        """Yield what is let go of one stretch, which is all on one of the terminal's two screens."""
        if self._full_screen:
            begun = None if last else _SCREEN_BEGUN.search(data, max(0, len(data) - 16))
            stop = begun.start() if begun else len(data)
            self._held = data[stop:]
            # A return before a cursor is placed changes nothing on the screen, and lets go of what came before.
            yield _PLACED.sub(rb"\r\g<0>", data[:stop])
            return
        end = len(data) if last else data.rfind(b"\n") + 1
        yield from self._whole(data[:end])
        self._held = data[end:]
        if len(self._held) >= LINE:
            yield self._line(self._held)
            self._held = b""

    def _whole(self, lines: bytes) -> Iterator[bytes]:
        """Yield lines that have ended; all at once where they hold no more than text and colours, and no secret."""
        if _EDITED.search(lines) is None:
            yield lines  # what patterns find in these as they are, the stream finds
            return
        text = _UNMOVED.sub(b"", lines)
        if _EDITED.search(text) is None and not self._redactor.suspects(text):
            yield lines
        else:
            yield from map(self._line, _LINE.findall(lines))

    def _line(self, line: bytes) -> bytes:
        if _EDITED.search(line) is None:
            return line
        for text in _readings(line):
            if self._redactor.suspects(text) and (spans := self._redactor.spans(text)):
                end = b"\r\n" if line.endswith(b"\n") else b""
                return self._redactor.cut(text, spans, self._cuts) + end
        return line


class _Piece(NamedTuple):
    """Text, a return, a backspace or a tabulator; or a control sequence's parameters and final letter."""

    text: str
    given: str = ""
    final: str = ""


def _readings(line: bytes) -> Iterator[bytes]:
    """Yield what a line with control sequences may say: as drawn, and its letters alone, wrapped or not."""
    text = line.decode(errors="surrogateescape").rstrip("\r\n")
    pieces = [
        _Piece(found[3][:1] if found[3][:1] == "\r" else found[3])
        if found[3]
        else _Piece("", found[1] or "", found[2] or "")
        for found in _SEQUENCE.finditer(text)
    ]
    letters = "".join(piece.text for piece in pieces if piece.text not in ("\r", "\b"))
    for reading in dict.fromkeys((_drawn(pieces), _unwrapped(pieces), letters)):
        yield reading.encode(errors="surrogateescape")


def _unwrapped(pieces: list[_Piece]) -> str:
    """Return the letters without the blank that an editor prints to get to the next row."""
    letters: list[str] = []
    for piece in pieces:
        if piece.text == "\r" and letters:
            letters[-1] = letters[-1].removesuffix(" ")
        elif piece.text not in ("\r", "\b"):
            letters.append(piece.text)
    return "".join(letters)


def _drawn(pieces: list[_Piece]) -> str:
    """Return a row as a screen of endless width shows it in the end."""
    row: list[str] = []
    at = 0
    for piece in pieces:
        if piece.text == "\r":
            at = 0
        elif piece.text == "\b":
            at = max(0, at - 1)
        elif piece.text:
            at = _put(row, at, piece.text)
        else:
            at = _moved(row, at, piece)
    return "".join(row)


def _moved(row: list[str], at: int, piece: _Piece) -> int:
    """Do to a row what a control sequence says, and return where the cursor then is."""
    found = _COUNT.match(piece.given)
    count = int(found[0]) if found else 0
    steps = max(1, count)
    match piece.final:
        case "D":
            return max(0, at - steps)
        case "C":
            return min(WIDEST, at + steps)
        case "G":
            return min(WIDEST, steps - 1)
        case "K" | "J" if count == 0:
            del row[at:]
        case "K" | "J" if count == 2:
            row.clear()
        case "P":
            del row[at : at + steps]
        case "X":
            row[at : at + steps] = " " * len(row[at : at + steps])
        case "@":
            row[at:at] = " " * steps
        case _:
            pass
    return at


def _put(row: list[str], at: int, text: str) -> int:
    text = "".join(character for character in text if character >= " " and character != "\x7f")
    if len(row) < at:
        row += " " * (at - len(row))
    row[at : at + len(text)] = text
    return at + len(text)
