"""Counts in the logs pane while an engine's answer is shown: the engine's own, not those of the page that came.

The strip and the title then speak of the whole window and the whole query. What comes from sources that can't count
is counted here, and added.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence

from msgspec.structs import replace
from textual import work
from textual.worker import Worker, get_current_worker

from cockpit.errors import UsageError
from cockpit.scope import Scope
from cockpit.source import TimeRange
from cockpit.stores.base import Stores
from cockpit.stores.logs import Criteria, LogView
from cockpit.stores.logs.asked import asked_of
from cockpit.stores.logs.raw import RAW
from widgets.asking import Asks
from widgets.logs_asking import LogsAsking
from widgets.logs_counts import Asked, EngineCounts, ask_counts
from widgets.logs_past import Past
from widgets.logs_seek import SLICE
from widgets.text import freshness

SETTLED = 0.4
"""Seconds after a change of what is counted in which it is not asked: the next letter may follow."""


class LogsCounting(LogsAsking):
    """Log records, and how many of them engines hold."""

    def __init__(
        self, stores: Stores, *, number: int, asks: Asks | None = None, columns: Sequence[str] = ()
    ) -> None:
        super().__init__(stores, number=number, asks=asks, columns=columns)
        self._counts: EngineCounts | None = None
        """What was counted last; it is shown only while it is what would be asked."""
        self._to_count: Asked | None = None
        """What is counted, or was, or would have been."""
        self._counted_for: Past | None = None
        """The answer that was shown when that was asked."""
        self._counting: Worker[None] | None = None
        self._uncounted = ""
        """Why nothing can be counted."""
        self._able: tuple[Past, tuple[str, ...]] | None = None
        """Who can count, of which answer."""
        self._shown: tuple[Past, Scope, TimeRange] | None = None
        """The window that is counted, of which answer in which scope."""
        self._rest: tuple[LogView, Criteria, frozenset[str]] | None = None
        """The answer's records from sources that can't count."""

    def also(self) -> Sequence[Hashable]:
        """Follow the counts too."""
        rest = None if self._rest is None else self._rest[0].searched
        return (*super().also(), id(self._counts), self._to_count, self._counting is None, rest)

    def redraw(self) -> None:
        """Have the engines count where something else is shown."""
        super().redraw()
        self._count_unprompted()

    def passed(self) -> None:
        """Let what is counted follow a strip that got more room."""
        super().passed()
        self._count_unprompted()

    @property
    def is_wrong(self) -> bool:
        """True too where nothing can be counted, or not all."""
        counts = self.engine
        return super().is_wrong or bool(self._uncounted) or (counts is not None and bool(counts.errors))

    @property
    def engine(self) -> EngineCounts | None:
        """What the engines counted of what is shown; None while that is not known."""
        counts, past = self._counts, self.past
        if counts is None or past is None or counts.asked != self._to_count:
            return None
        return counts.from_level(self.floor) if past.wanted.alone else counts

    @property
    def window(self) -> tuple[int, int]:
        """The time that was asked for, while an answer is shown."""
        counts = self.engine
        if counts is not None and counts.found:
            return counts.window.start, counts.window.end
        if self.past is not None:
            within = self._window_of(self.past)
            return within.start, within.end
        return super().window

    def counted(self) -> str:
        """Say what the engines counted, how fresh that is, and how many are here."""
        counts = self.engine
        here = super().counted()
        if counts is None or not counts.found:
            return f"{here} · counting…" if self._counting is not None else here
        fresh = freshness(self.now - counts.at)
        parts = [f"{counts.told()}, counted {fresh if fresh == 'now' else f'{fresh} ago'}"]
        if rest := self._others():
            parts.append(f"{len(rest):,} elsewhere")
        return " · ".join([*parts, f"{len(self._view):,} here"])

    def asked(self) -> Sequence[str]:
        """Say too what went wrong with the counts."""
        said = super().asked()
        counts = self.engine
        told: list[str] = []
        if counts is not None:
            told += [f"not counted: {error}" for error in counts.errors if error not in self._answer]
            told += counts.notes
            criteria = self._criteria()
            on = [each for each in criteria.filters if each.on]
            if counts.asked.query.startswith(RAW) and (on or self.scope.labels()):
                told.append("counted without the scope and the named filters")
        return (*said[:1], self._uncounted, *told, *said[1:])

    def step_back(self) -> bool:
        """Stop counting too, once there is no question to drop."""
        if self._asking is None and self._counting is not None:
            self._counting.cancel()
            self._counting = None
            return True
        return super().step_back()

    def _leave_past(self) -> None:
        super()._leave_past()
        self._counts = self._to_count = self._counted_for = None
        self._able = self._shown = self._rest = None
        self._uncounted = ""
        if self._counting is not None:
            self._counting.cancel()
            self._counting = None

    # Counting.

    def _count_unprompted(self) -> None:
        """Ask once for what is shown now."""
        if self.past is None or self.asks is None or self._asking is not None:
            return
        wanted = self._wanted_counts(self.past)
        if wanted == self._to_count and self.past is self._counted_for:
            return
        self._counted_for = self.past
        if self._counting is not None:
            self._counting.cancel()
            self._counting = None
        self._to_count = wanted
        if wanted is not None:
            self._counting = self._count(wanted, wait=SETTLED if self._counts is not None else 0)

    def _wanted_counts(self, past: Past) -> Asked | None:
        """Return what is to be counted; None where nobody can."""
        self._uncounted = ""
        names = self._able_of(past)
        buckets = self.strip.room if self.strip.display else 1
        if not names or buckets <= 0:
            return None
        within = self._window_of(past)
        if past.wanted.alone:
            return Asked(names, past.wanted.query, within, buckets)
        try:
            return Asked(names, asked_of(self._criteria()), within, buckets)
        except UsageError as error:
            self._uncounted = f"not counted: {error}"
            return None

    def _able_of(self, past: Past) -> tuple[str, ...]:
        """Return who can count of those who answered: the same ones while that is shown, though one goes down."""
        if self._able is None or self._able[0] is not past:
            able = [] if self.asks is None else self.asks.offering("count_logs")
            self._able = (past, tuple(name for name in past.wanted.names if name in able))
        return self._able[1]

    def _window_of(self, past: Past) -> TimeRange:
        """Return the time to be counted: all that was asked for, or the scope's window where that is fixed.

        One that ends now is taken as it was when it was asked for first, so that it does not move all the time.
        """
        if self._shown is None or self._shown[0] is not past or self._shown[1] != self.scope:
            within = past.wanted.within
            if not self.scope.live:
                start, end = self.scope.window(self.now)
                within = TimeRange(max(0, start), end)
            self._shown = (past, self.scope, within)
        return self._shown[2]

    @work(group="logs-count", exclusive=True, exit_on_error=False)
    async def _count(self, wanted: Asked, *, wait: float) -> None:
        worker = get_current_worker()
        try:
            await asyncio.sleep(wait)
            if self.asks is not None:
                self._counts = await ask_counts(self.asks, wanted, lambda: self.now)
        finally:
            if self._counting is worker:
                self._counting = None

    # What sources have that can't count.

    def _others(self) -> LogView | None:
        """Return a view of the records that no engine counted; None where there are none."""
        counts, past = self.engine, self.past
        if counts is None or past is None:
            return None
        able = frozenset(counts.found)
        if past.tellers <= able:
            return None
        criteria = self._criteria()
        if self._rest is None or self._rest[0].store is not past.store or self._rest[1:] != (criteria, able):
            view = past.store.view()
            kept = criteria.filter
            test = (lambda record: record.source not in able, *kept.tests)
            within = counts.window
            view.look(replace(criteria, filter=replace(kept, tests=test)), start=within.start, end=within.end)
            self._rest = (view, criteria, able)
        view = self._rest[0]
        view.advance(SLICE)
        return view

    def _bars(self, room: int) -> tuple[list[Sequence[int]], tuple[int, int]]:
        """Return what engines counted and what others have: a column a bucket, where that fills half the strip."""
        if self.past is None:
            return super()._bars(room)
        start, end = self.window
        counts = self.engine
        if counts is None or not counts.found:
            return self._view.histogram.columns(start, end, room), (start, end)
        width = min(room, counts.length)
        width = width if width * 2 > room else room
        columns: list[Sequence[int]] = list(counts.columns(start, end, width))
        if (rest := self._others()) is not None:
            there = rest.histogram.columns(start, end, width)
            columns = [
                [a + b for a, b in zip(*pair, strict=True)] for pair in zip(columns, there, strict=True)
            ]
        return columns, (start, end)
