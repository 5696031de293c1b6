"""The beat of the screen: what came in goes to the stores, and the panes follow, in parts between which keys go.

`cockpit.pace` says when; here is what happens then, in which order, and what waits while somebody is at the keys.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from textual.timer import Timer

from cockpit.pace import Pace
from cockpit.stores.base import Clock
from cockpit.supervisor.status import SourceStatus
from widgets.pane import Pane

if TYPE_CHECKING:
    from widgets.shelling import ShellingApp

BREATH = 0.004
"""Seconds between two parts of a beat: a key that is pressed waits for one part, not for all panes."""
BRIEF = 0.002
"""Seconds that parts may take together without one: to be woken for nothing costs more than they do."""
WAITS = 0.5
"""Seconds for which a pane that keys are not for may lag behind while there are any."""
SLICE = 0.006
"""Seconds that what came in may take to be moved to the stores before keys are looked for again."""
CATCH_UP = 0.02
"""Seconds between two slices of a backlog: keys are answered in between."""


class Beat:
    """Has the stores take what came in and the panes show it, again and again.

    Args:
        app: The screen; its board need not be there yet.
        pace: When the next beat is due.
        clock: Nanoseconds since the epoch, as panes are told them.
        last_part: Called at the end of every beat with the moment and the state of the sources.

    Attributes:
        followed: When each pane last followed what came in, in seconds of the monotonic clock.
    """

    def __init__(
        self,
        app: ShellingApp,
        pace: Pace,
        clock: Clock,
        last_part: Callable[[int, Sequence[SourceStatus]], None],
    ) -> None:
        self._app = app
        self._pace = pace
        self._clock = clock
        self._last_part = last_part
        self._draining: Timer | None = None
        self.followed: defaultdict[Pane, float] = defaultdict(float)

    async def go_on(self) -> None:
        """Beat as long as the screen stands."""
        while self._app.is_running:
            await self._pace.rest()
            await self.in_parts()

    def at_once(self) -> None:
        """Do at once all that a beat has to do."""
        for _ in self._parts(self._app.board.panes):
            pass

    async def in_parts(self) -> None:
        """Do it in parts, with a breath after each that took its time."""
        began = time.monotonic()
        await self._pace.answered()
        for _ in self._parts(itertools.takewhile(lambda _: not self._held_up(), self.due())):
            if time.monotonic() - began < BRIEF and not self._pace.answering:
                continue
            await asyncio.sleep(BREATH)
            await self._pace.answered()
            if not self._app.is_running:
                return
            began = time.monotonic()

    def due(self) -> Iterator[Pane]:
        """Yield the panes that follow in this beat: all, or while keys come theirs and one that has waited long."""
        if self._app.in_terminals:
            return
        current, now = self._app.board.current, time.monotonic()
        others = [pane for pane in self._app.board.panes if pane is not current]
        others.sort(key=self.followed.__getitem__)
        if self._pace.pressing:
            others = [pane for pane in others[:1] if now - self.followed[pane] > WAITS]
        for pane in (current, *others):
            self.followed[pane] = now
            yield pane

    def _held_up(self) -> bool:
        """Whether panes wait for the terminal; what they have to show is not to wait for news then."""
        if not self.unwritten:
            return False
        self._pace.stir()
        return True

    @property
    def unwritten(self) -> bool:
        """Whether the terminal has yet to take what was drawn before.

        News that were drawn all the same would queue up, and with them the answer to a key: Textual holds up to
        thirty frames, which are seconds over a slow line.
        """
        writer = getattr(self._app._driver, "_writer_thread", None)
        return writer is not None and writer._queue.qsize() > 0

    def _parts(self, panes: Iterable[Pane]) -> Iterator[None]:
        """Move what came in to the stores, and let panes follow, one after the other."""
        if not self._app.is_running:
            return
        self._drain()
        yield
        now = self._clock()
        statuses = self._app.cockpit.statuses()
        for pane in panes:
            pane.tick(now, statuses)
            yield
        self._last_part(now, statuses)

    def _drain(self) -> None:
        """Move what came in to the stores; what a slice had no time for is moved before the next beat."""
        if self._draining is not None:
            self._draining.stop()
            self._draining = None
        cockpit = self._app.cockpit
        if cockpit.drain(SLICE / 2 if self._pace.pressing else SLICE) or self._app.drawer.running:
            self._pace.stir()
        if cockpit.supervisor.behind:
            self._draining = self._app.set_timer(CATCH_UP, self._catch_up)

    def _catch_up(self) -> None:
        """Go on with a backlog, after the answer to a key that came just now."""
        if self._pace.answering:
            self._draining = self._app.set_timer(CATCH_UP, self._drain)
        else:
            self._drain()
