"""Reading a log engine by pages without losing or repeating a record, many of one moment among them.

A page ends where the engine's limit cuts it, most often among records of one moment. The next page begins with that
moment again, which is whole in it, and what the page before had of it is left out: by identity and number, for two
records may be alike. A page that is filled by one moment alone says nothing of what lies beyond, so that moment is
then asked for by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from msgspec import Struct

from cockpit.signals import LogRecord
from sources.support.http_errors import TooLong


class Row(Struct, frozen=True, gc=False):
    """A record as an engine gave it.

    Attributes:
        at: Its time as the engine orders by it, in nanoseconds.
        identity: What tells it from others of the same time: the same one, asked for again, has the same.
        record: What it says.
    """

    at: int
    identity: int
    record: LogRecord


class Page(Struct, frozen=True):
    """A part of an answer.

    Attributes:
        rows: In the order of their times, oldest or newest first as was asked.
        full: Whether there may be more beyond its last row.
        note: Why it is not whole, such as a shard that failed; empty where it is.
    """

    rows: list[Row]
    full: bool = False
    note: str = ""


class Pages(Protocol):
    """One question put to one engine, whose answer is read by pages."""

    async def page(self, start: int, end: int, size: int, *, newest: bool) -> Page:
        """Return the first rows of a time, both its ends within it; fewer than `size` only if `full` is False."""
        ...

    async def moment(self, at: int) -> Page:
        """Return all rows of one moment; `full` where the engine can't give them all."""
        ...


async def walk(pages: Pages, start: int, end: int, size: int, *, newest: bool) -> AsyncIterator[Page]:
    """Yield all rows of a time once each, page by page, newest or oldest first.

    Raises:
        SourceError: As the engine's pages; an answer that is too long is asked for again in smaller pages.
    """
    border: Counter[int] = Counter()
    edge = end if newest else start
    while start <= end:
        try:
            page = _within(await pages.page(start, end, size, newest=newest), start, end)
        except TooLong:
            if size <= 1:
                raise
            size = size // 2
            continue
        more = page.full and bool(page.rows)
        last = page.rows[-1].at if page.rows else edge
        if more and last == edge:
            page = _within(await pages.moment(edge), edge, edge)
            last = edge - 1 if newest else edge + 1
            yield Page(_fresh(page.rows, edge, border), full=True, note=page.note)
            border.clear()
        else:
            rows = _fresh(page.rows, edge, border)
            border = Counter(row.identity for row in page.rows if row.at == last)
            yield Page(rows, full=more, note=page.note)
        if not more:
            return
        edge = last
        start, end = (start, edge) if newest else (edge, end)


def _within(page: Page, start: int, end: int) -> Page:
    """Leave out what was not asked for, so that an engine that ignores the time can't keep a walk in one place."""
    if all(start <= row.at <= end for row in page.rows):
        return page
    return Page([row for row in page.rows if start <= row.at <= end], full=page.full, note=page.note)


def _fresh(rows: list[Row], edge: int, border: Counter[int]) -> list[Row]:
    """Return the rows without those of the edge's moment that the page before had."""
    if not border:
        return rows
    fresh: list[Row] = []
    for row in rows:
        if row.at == edge and border[row.identity] > 0:
            border[row.identity] -= 1
        else:
            fresh.append(row)
    return fresh


class Gathered(Struct, frozen=True):
    """What a search found: records, oldest first, what to say of them, and the moment at which it was given up."""

    records: list[LogRecord]
    note: str = ""
    reached: int | None = None


async def newest(
    pages: Pages,
    start: int,
    end: int,
    limit: int,
    *,
    size: int,
    test: Callable[[LogRecord], bool] | None = None,
    most: int = 100_000,
) -> Gathered:
    """Gather the newest records of a time that pass a test.

    Args:
        pages: The question.
        start: Where the time begins, in nanoseconds.
        end: Where it ends, itself within it.
        limit: Records wanted.
        size: Records a page.
        test: What the engine could not test; None where it tested all.
        most: Records looked at before giving up.
    """
    kept: list[LogRecord] = []
    notes: dict[str, None] = {}
    reached: int | None = None
    oldest = end
    looked = 0
    wanted = min(size, limit) if test is None else size
    async for page in walk(pages, start, end, max(1, wanted), newest=True):
        looked += len(page.rows)
        oldest = page.rows[-1].at if page.rows else oldest
        kept += [row.record for row in page.rows if test is None or test(row.record)]
        if page.note:
            notes[page.note] = None
        if len(kept) >= limit:
            break
        if looked >= most and page.full:
            notes[f"looked through the newest {looked:,} records of it alone"] = None
            reached = oldest
            break
    records = kept[:limit]
    records.reverse()
    return Gathered(records, "; ".join(notes), reached)
