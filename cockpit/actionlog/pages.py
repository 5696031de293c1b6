"""Long text a page at a time, so that what a command printed is shown in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

PAGE_LINES = 4_000
PAGE_CHARACTERS = 256 * 1024


class Page(Struct, frozen=True, kw_only=True):
    """A page of text.

    Attributes:
        number: From 0.
        text: What stands on it.
        last: Whether none follows.
    """

    number: int
    text: str
    last: bool


class Pages:
    """Cuts text that comes in pieces into pages, between lines where it can; going back begins anew."""

    def __init__(self, source: Callable[[], Iterator[str]]) -> None:
        """Prepare to read.

        Args:
            source: Yields the text from its beginning.
        """
        self._source = source
        self._begin()

    def _begin(self) -> None:
        self._pieces = self._source()
        self._rest = ""
        self._next = 0
        self._end: Page | None = None

    def page(self, number: int) -> Page:
        """Return a page; past the end it is the last one.

        Raises:
            CockpitError: What the source raises.
        """
        if self._end is not None and number >= self._end.number:
            return self._end
        if number < self._next:
            self._begin()
        while True:
            text, last = self._cut()
            page = Page(number=self._next, text=text, last=last)
            self._next += 1
            if last:
                self._end = page
            if last or self._next > number:
                return page

    def _cut(self) -> tuple[str, bool]:
        """Take the next page out of what is left."""
        lines = self._rest.count("\n")
        while len(self._rest) < PAGE_CHARACTERS and lines < PAGE_LINES:
            piece = next(self._pieces, None)
            if piece is None:
                text, self._rest = self._rest, ""
                return text, True
            self._rest += piece
            lines += piece.count("\n")
        end = self._rest.rfind("\n", 0, PAGE_CHARACTERS) + 1 or PAGE_CHARACTERS
        if self._rest.count("\n", 0, end) > PAGE_LINES:
            end = 0
            for _ in range(PAGE_LINES):
                end = self._rest.index("\n", end) + 1
        text, self._rest = self._rest[:end], self._rest[end:]
        return text, False
