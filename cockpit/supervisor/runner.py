"""One source's life: made, run, watched, and started again when it fails."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

from cockpit.errors import CockpitError, SourceError
from cockpit.source import PollingSource, Source
from cockpit.supervisor.intake import Intake
from cockpit.supervisor.status import SourceState, SourceStatus
from cockpit.tracer import Tracer

log = logging.getLogger(__name__)

FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
HUNG_AFTER = 3.0
"""Deadlines without a word after which a source is taken for hung and started again."""
GRACE = 0.8
"""Seconds a cancelled source has to end before it is left behind."""


def backoff(failures: int, jitter: float) -> float:
    """Return the seconds until the next try: doubling to a minute, spread over the upper half by `jitter` in 0..1."""
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures - 1, 10)) * (0.5 + 0.5 * jitter)


class Runner:
    """Runs one source on the feed's loop, and answers for its status from any thread."""

    def __init__(
        self,
        name: str,
        kind: str,
        make: Callable[[], Source[Any]],
        *,
        enabled: bool = True,
        tracer: Tracer | None = None,
        emits: frozenset[str] = frozenset(),
    ) -> None:
        self.name = name
        self.kind = kind
        self.enabled = enabled
        self.intake = Intake()
        self.source: Source[Any] | None = None
        self.error = ""
        self.restarts = 0
        self.retry_at = 0
        self.hung = False
        self._make = make
        self._emits = emits
        self._tracer = tracer
        self._failures = 0
        self._running = False
        self._began = 0.0

    async def supervise(self) -> None:
        """Run the source until cancelled, starting it again whenever it ends."""
        while True:
            try:
                await self._live()
            except asyncio.CancelledError:
                self._running = False
                raise
            except CockpitError as error:
                self._failed(_without_own_name(error, self.name))
            except Exception as error:  # a plugin may raise anything: the first of the three seams
                log.exception("source %s failed", self.name)
                self._failed(f"{type(error).__name__}: {error}")
            delay = backoff(self._failures, random.random())  # noqa: S311  jitter, not a secret
            self.retry_at = time.time_ns() + int(delay * 1e9)
            await asyncio.sleep(delay)
            self.restarts += 1
            self.retry_at = 0

    def status(self) -> SourceStatus:
        """Return how the source is doing at this moment."""
        state = self._state()
        return SourceStatus(
            name=self.name,
            kind=self.kind,
            state=state,
            emits=self._signals(),
            last_data_at=self.intake.heard_at,
            error="" if state is SourceState.LIVE else self.error,
            retry_at=self.retry_at,
            restarts=self.restarts,
            items=self.intake.items,
            rate=self.intake.rate(),
            dropped=self.intake.dropped,
            rejected=self.intake.rejected,
        )

    def blocked(self, seconds: float) -> None:
        """Take note that the source held its event loop, and may still do so."""
        self._failed(f"blocked its event loop for {seconds:.0f} s; it now runs apart from the others")

    def _state(self) -> SourceState:
        if not self.enabled:
            return SourceState.DISABLED
        if not self._running:
            return SourceState.DOWN if self.error else SourceState.STARTING
        last = max(self.intake.heard, self._began)
        if self.source is not None and time.monotonic() - last > self.source.deadline:
            return SourceState.LATE
        return SourceState.LIVE if self.intake.heard >= self._began else SourceState.STARTING

    def _signals(self) -> frozenset[str]:
        if self.source is None:
            return self._emits
        return frozenset(kind.__name__ for kind in self.source.emits)

    async def _live(self) -> None:
        """Make the source and run it, watching that it keeps speaking."""
        self.source = source = self._make()
        if isinstance(source, PollingSource) and self._tracer is not None:
            source.traced = self._traced
        self._began = time.monotonic()
        self._running = True
        task = asyncio.create_task(source.run(self.intake), name=f"source {self.name}")
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=min(1.0, source.deadline / 2))
                self._watch(source)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=GRACE)
        await task
        raise SourceError("ended by itself", remedy="a source runs until it is cancelled")

    def _watch(self, source: Source[Any]) -> None:
        silent = time.monotonic() - max(self.intake.heard, self._began)
        if silent > source.deadline * HUNG_AFTER:
            raise SourceError(f"said nothing for {silent:.0f} s")
        if self.intake.heard > self._began:
            self.error = ""
            if self.intake.heard - self._began > LONGEST_DELAY:
                self._failures = 0

    def _failed(self, error: str) -> None:
        self._running = False
        self._failures += 1
        self.error = " ".join(error.split())[:300]

    async def _traced(self, name: str, look: Callable[[], Awaitable[None]]) -> None:
        if self._tracer is None:
            await look()
            return
        with self._tracer.span(name, {"cockpit.source": self.name, "cockpit.kind": self.kind}):
            await look()


def _without_own_name(error: CockpitError, name: str) -> str:
    """The pane's title names the source already."""
    text = str(error)
    return text.removeprefix(f"{name}: ")
