"""The chunks that there are, by number: 0 for the first tail, later ones above, older ones below."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.stores.logs.files.pieces import Span


class Chunks:
    """Which spans each chunk holds.

    Attributes:
        spans: By number.
        oldest: The number of the oldest.
        last: That of the tail, which still grows.
    """

    def __init__(self) -> None:
        self.begin([])

    def begin(self, tail: Sequence[Span]) -> None:
        """Begin anew, with the tail alone."""
        self.spans: dict[int, Sequence[Span]] = {0: tail}
        self.oldest = self.last = 0

    def add_older(self, spans: Sequence[Span]) -> int:
        """Take in the chunk before all others; return its number."""
        self.oldest -= 1
        self.spans[self.oldest] = spans
        return self.oldest

    def close(self, spans: Sequence[Span]) -> int:
        """Let the tail keep these for good, and begin another; return the number of the one that is closed."""
        self.spans[self.last] = spans
        self.last += 1
        self.spans[self.last] = []
        return self.last - 1

    def drop_oldest(self) -> None:
        """Let go of the oldest."""
        del self.spans[self.oldest]
        self.oldest += 1
