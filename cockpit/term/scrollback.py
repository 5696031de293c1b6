"""The rows that left a screen at its top: bounded, numbered for good, so that a view of them stands still.

Numbers only grow: row 0 is the first that ever left. Forgetting moves `first`, and a number that was given out goes
on to mean the same row. A row of plain text is kept as that text alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cockpit.term.emulator import Row

KEPT = 10_000
"""Rows kept at most."""


class Scrollback:
    """Rows that scrolled away.

    Args:
        most: How many are kept.
    """

    def __init__(self, most: int = KEPT) -> None:
        self._rows: deque[Row | str] = deque(maxlen=most)
        self._end = 0

    @property
    def first(self) -> int:
        """The number of the oldest row that is kept."""
        return self._end - len(self._rows)

    @property
    def end(self) -> int:
        """One past the number of the newest row: the screen's first."""
        return self._end

    def __len__(self) -> int:
        return len(self._rows)

    def append(self, row: Row | str) -> None:
        """Keep a row; one in plain text that ends its line may be given as that text."""
        self._rows.append(row)
        self._end += 1

    def extend(self, rows: Iterable[str], count: int) -> None:
        """Keep many rows of plain text.

        Args:
            rows: The newest of them, as many as are kept at least, or all.
            count: How many there were; the others are counted and forgotten at once.
        """
        self._rows.extend(rows)
        self._end += count

    @property
    def most(self) -> int:
        """How many rows are kept."""
        return self._rows.maxlen or 0

    def clear(self) -> None:
        """Forget all rows; their numbers are not given again."""
        self._rows.clear()

    def row(self, number: int) -> Row:
        """Return a row by its number; one that is forgotten is blank."""
        from cockpit.term.emulator import Row

        place = number - self.first
        return as_row(self._rows[place]) if 0 <= place < len(self._rows) else Row()

    def texts(self, start: int, stop: int) -> Iterator[tuple[int, str, bool]]:
        """Yield (number, text, whether its line goes on in the next row) of rows from `start` on, before `stop`."""
        first = self.first
        begin = max(0, start - first)
        for number, row in enumerate(islice(self._rows, begin, max(begin, stop - first)), max(start, first)):
            yield (number, row, False) if isinstance(row, str) else (number, row.text, row.wrapped)


def as_row(kept: Row | str) -> Row:
    """Return a row as it is kept as a row."""
    from cockpit.term.emulator import Row, Run

    if not isinstance(kept, str):
        return kept
    return Row((Run(kept, len(kept)),)) if kept else Row()
