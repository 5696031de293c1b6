"""Finds text in a scrollback and on the screen below it, across wrapped rows, from a place in either direction."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cockpit.term.emulator import Emulator


class Found(Struct, frozen=True):
    """Where text was found.

    Attributes:
        row: The row's number, as the scrollback counts; the screen's rows go on from there.
        column: Where it begins, in characters of that row's text.
        length: How many characters of it are on that row.
    """

    row: int
    column: int
    length: int


def rows(emulator: Emulator, start: int, stop: int) -> Iterator[tuple[int, str, bool]]:
    """Yield (number, text, whether its line goes on) of rows of the scrollback and of the screen."""
    kept = emulator.scrollback
    yield from kept.texts(start, min(stop, kept.end))
    for number in range(max(start, kept.end), min(stop, kept.end + emulator.size.rows)):
        row = emulator.row(number - kept.end)
        yield number, row.text, row.wrapped


class Search:
    """What is looked for in a terminal; capitals count as soon as there is one in it.

    Args:
        emulator: The terminal.
        text: What.
    """

    def __init__(self, emulator: Emulator, text: str) -> None:
        self.text = text
        self._emulator = emulator
        self._exact = text != text.lower()
        self._sought = text if self._exact else text.lower()

    def all(self) -> list[Found]:
        """Return every place, from the oldest on."""
        kept = self._emulator.scrollback
        found: list[Found] = []
        if not self._sought:
            return found
        line: list[tuple[int, str]] = []
        for number, text, wrapped in rows(self._emulator, kept.first, kept.end + self._emulator.size.rows):
            if not wrapped and not line:  # the usual row is a line of its own
                self._in_row(number, text, found)
                continue
            line.append((number, text))
            if not wrapped:
                self._in_line(line, found)
                line.clear()
        self._in_line(line, found)
        return found

    def _in_row(self, number: int, text: str, found: list[Found]) -> None:
        text = text if self._exact else text.lower()
        at = text.find(self._sought)
        while at >= 0:
            found.append(Found(number, at, len(self._sought)))
            at = text.find(self._sought, at + len(self._sought))

    def _in_line(self, line: list[tuple[int, str]], found: list[Found]) -> None:
        """Find it in a line of several rows, and say on which of them it begins."""
        whole = "".join(text for _, text in line)
        whole = whole if self._exact else whole.lower()
        at = whole.find(self._sought)
        while at >= 0:
            before = 0
            for number, text in line:
                if at < before + len(text):
                    found.append(Found(number, at - before, min(len(self._sought), before + len(text) - at)))
                    break
                before += len(text)
            at = whole.find(self._sought, at + len(self._sought))
