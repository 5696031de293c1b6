"""Following a log engine: what is new since the last look, late records included, each handed over once.

Engines have no order of arrival to go by: a record shows up some time after its own time, and not always in order. So
each look goes back a little before the newest record known, every few seconds one goes back further, and what was
handed over already is left out, by identity and number as there may be records that are alike.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from cockpit.signals import SECOND
from sources.support.log_pages import Page, Pages, Row, walk

SETTLE = 2 * SECOND
"""How far a look goes back before the newest record known."""
PATIENCE = 300 * SECOND
"""How far the engine's clocks may be behind ours."""
REMEMBERED = 300_000
"""Records whose identity is remembered; above that the oldest second is forgotten, and not looked at again."""


class Given:
    """What was handed over, by second: how often each identity."""

    def __init__(self) -> None:
        self._seconds: dict[int, dict[int, int]] = {}
        self._size = 0
        self.floor = 0
        """The moment before which nothing is remembered, in nanoseconds."""

    def add(self, row: Row) -> None:
        """Remember a row as handed over once more."""
        second = self._seconds.setdefault(row.at // SECOND, {})
        second[row.identity] = second.get(row.identity, 0) + 1
        self._size += 1

    def count(self, row: Row) -> int:
        """Return how often a row was handed over."""
        return self._seconds.get(row.at // SECOND, {}).get(row.identity, 0)

    def forget(self, before: int) -> None:
        """Forget what is older than a moment, and more where too much is remembered."""
        for second in sorted(self._seconds):
            if (second + 1) * SECOND > before and self._size <= REMEMBERED:
                break
            self._size -= sum(self._seconds.pop(second).values())
            self.floor = max(self.floor, (second + 1) * SECOND)


class Follower:
    """Where a follower of one engine stands.

    Args:
        late: Nanoseconds after its own time within which a record may show up.
        size: Records a page.
        most: Records taken in one look.
    """

    def __init__(self, *, late: int, size: int, most: int) -> None:
        self.late = late
        self.size = size
        self.most = most
        self.frontier = 0
        """The newest record known, or where to begin, in nanoseconds; 0 before the start."""
        self.behind = False
        """Whether the last look ended before it came to what is newest."""
        self.notes: dict[str, None] = {}
        self.looked = 0
        """Up to where all was looked at, in nanoseconds."""
        self._given = Given()
        self._looked_back = 0

    def begin(self, rows: list[Row], now: int, *, cut: bool) -> None:
        """Take what the start found as handed over.

        Args:
            rows: Oldest first.
            now: The end of the time that was looked at.
            cut: Whether there are older ones in it that were left out; no look goes back to them.
        """
        for row in rows:
            self._given.add(row)
        self._given.floor = rows[0].at + 1 if rows and cut else self._given.floor
        self.frontier = rows[-1].at if rows else now
        self.looked = self._looked_back = now

    def skip(self, to: int) -> int:
        """Go on from a later moment if there is more to catch up with; return how many nanoseconds are left out."""
        skipped = max(0, to - max(self.looked, self.frontier))
        if skipped:
            self.frontier = self.looked = to
            self._given.floor = max(self._given.floor, to)
        return skipped

    async def look(self, pages: Callable[[], Pages], now: int) -> AsyncIterator[list[Row]]:
        """Yield rows that are new, a part for each page, oldest first in each; at most about `most`.

        A row that was yielded counts as handed over.
        """
        self.notes = {}
        left = self.most
        start = (
            self.frontier if self.behind else max(self._given.floor, self.frontier - min(self.late, SETTLE))
        )
        self.behind = False
        seen: dict[tuple[int, int], int] = {}
        async for page in walk(pages(), start, max(start, now), self.size, newest=False):
            fresh = self._take(page, seen)
            left -= len(fresh)
            if page.rows:
                self.frontier = max(self.frontier, page.rows[-1].at)
            yield fresh
            if left <= 0 and page.full:
                self.behind = True
                break
        if not self.behind:
            self.looked = now
            self.frontier = max(self.frontier, now - max(self.late * 3, PATIENCE))
        if not self.behind and now - self._looked_back >= self.late // 2 > 0:
            async for fresh in self._look_back(pages()):
                yield fresh
            self._looked_back = now
        self._given.forget(self.frontier - self.late - SETTLE)

    async def _look_back(self, pages: Pages) -> AsyncIterator[list[Row]]:
        """Yield rows that came late."""
        start = max(self._given.floor, self.frontier - self.late)
        looked = 0
        seen: dict[tuple[int, int], int] = {}
        async for page in walk(pages, start, self.frontier, self.size, newest=True):
            looked += len(page.rows)
            yield self._take(page, seen)[::-1]
            if looked >= REMEMBERED and page.full:
                self.notes["too many records to look for late ones"] = None
                return

    def _take(self, page: Page, seen: dict[tuple[int, int], int]) -> list[Row]:
        """Return a page's rows that were not handed over yet, and remember them as such.

        Args:
            page: As the engine gave it.
            seen: How often each came up in this walk.
        """
        if page.note:
            self.notes[page.note] = None
        fresh: list[Row] = []
        for row in page.rows:
            key = (row.at, row.identity)
            seen[key] = seen.get(key, 0) + 1
            if seen[key] > self._given.count(row):
                self._given.add(row)
                fresh.append(row)
        return fresh
