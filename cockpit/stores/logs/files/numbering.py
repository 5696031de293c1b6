"""Which chunk a record lies in, by its number: the first tail begins with 0, older records are below, newer above."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from msgspec import Struct

from cockpit.stores.logs.files.chunk import Summary


class Entry(Struct):
    """A chunk with its place.

    Attributes:
        number: The chunk's: 0 for the first tail, older ones below.
        first: The number of its first record.
        chunk: What it holds.
    """

    number: int
    first: int
    chunk: Summary
    _worst: tuple[Summary, int] | None = None

    @property
    def worst(self) -> int:
        """The highest band of levels that the chunk has a record of, as `Histogram` counts them."""
        if self._worst is None or self._worst[0] is not self.chunk:
            self._worst = (self.chunk, self.chunk.counts.worst)
        return self._worst[1]


class Numbering:
    """The chunks from the oldest to the tail."""

    def __init__(self, tail: Summary) -> None:
        self.newer = [Entry(0, 0, tail)]
        self._gone = 0
        """Chunks dropped of those that are not older than the first tail."""
        self.older: list[Entry] = []
        """From the newest to the oldest."""

    @property
    def first(self) -> int:
        """The number of the oldest record known."""
        return self.older[-1].first if self.older else self.newer[0].first

    @property
    def end(self) -> int:
        """The number that the next record gets."""
        return self.tail.first + self.tail.chunk.count

    @property
    def tail(self) -> Entry:
        """The newest chunk."""
        return self.newer[-1]

    def chunk(self, number: int) -> Entry:
        """Return a chunk by its number."""
        return self.newer[self.place(number)] if number >= 0 else self.older[-number - 1]

    def place(self, number: int) -> int:
        """Return the place of a chunk among those that are not older than the first tail."""
        return number - self._gone

    def __contains__(self, number: int) -> bool:
        low = -len(self.older) if self.older else self._gone
        return low <= number < self._gone + len(self.newer)

    def __iter__(self) -> Iterator[Entry]:
        """Go from the oldest to the newest."""
        yield from reversed(self.older)
        yield from self.newer

    def add_older(self, chunk: Summary) -> Entry:
        """Put a chunk before all others."""
        entry = Entry(-len(self.older) - 1, self.first - chunk.count, chunk)
        self.older.append(entry)
        return entry

    def drop(self, number: int) -> list[Entry]:
        """Forget the oldest chunks up to one, which is not the tail; return them."""
        gone: list[Entry] = []
        while self.older and self.older[-1].number <= number:
            gone.append(self.older.pop())
        while not self.older and len(self.newer) > 1 and self.newer[0].number <= number:
            gone.append(self.newer.pop(0))
            self._gone += 1
        return gone

    def close(self, chunk: Summary, tail: Summary) -> None:
        """Make of the tail a chunk that won't change, and begin another tail after it."""
        last = self.tail
        last.chunk = chunk
        self.newer.append(Entry(last.number + 1, last.first + chunk.count, tail))

    def holding(self, number: int) -> Entry:
        """Return the chunk in which a record lies.

        Raises:
            IndexError: No chunk has it.
        """
        if not self.first <= number < self.end:
            raise IndexError(f"record {number} is not read")
        if number >= 0:
            return self.newer[bisect_right(self.newer, number, key=lambda entry: entry.first) - 1]
        return self.older[bisect_left(self.older, -number, key=lambda entry: -entry.first)]

    def reached(self, moment: int) -> Entry:
        """Return the first chunk that reaches to a moment or beyond; the tail where none does."""
        older = self.older
        if older and older[0].chunk.last >= moment:
            later = bisect_right(older, -moment, key=lambda entry: -entry.chunk.last)
            return older[max(0, later - 1)]
        return next((entry for entry in self.newer if entry.chunk.last >= moment), self.tail)
