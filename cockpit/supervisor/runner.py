"""One source's life: made, run, watched, and started again when it fails."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from inspect import isawaitable
from typing import Any

from cockpit.errors import CockpitError, OutcomeUnknown, SourceError
from cockpit.hygiene import clean_line
from cockpit.signals import Alert, HealthSample, Signal
from cockpit.source import PollingSource, Source
from cockpit.supervisor.answers import cleaned
from cockpit.supervisor.intake import Intake
from cockpit.supervisor.status import SourceState, SourceStatus
from cockpit.tracer import Tracer

log = logging.getLogger(__name__)

FIRST_DELAY = 1.0
HURRY_EVERY = 0.25
"""Seconds between two looks whether somebody asked for the next try now."""
LONGEST_DELAY = 15.0
"""Seconds; a person on call waits for what is back."""
HUNG_AFTER = 3.0
"""Deadlines without a word after which a source is taken for hung and started again."""
GRACE = 0.6
"""Seconds a cancelled source has to end before it is left behind."""
CLOSING = 0.2
"""Seconds it then has to let go of what it holds."""
ERROR_LENGTH = 300

OWNER: ContextVar[Runner | None] = ContextVar("cockpit-owner", default=None)
"""For whom a feed's loop works: everything that a source starts on it inherits this."""


def backoff(failures: int, jitter: float) -> float:
    """Return the seconds until the next try: doubling to 15, spread over the upper half by `jitter` in 0..1."""
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures - 1, 10)) * (0.5 + 0.5 * jitter)


class _Voice:
    """A source's `emit` for one run of it; what it says when that is over is not heard."""

    def __init__(self, intake: Intake) -> None:
        self.over = False
        self._intake = intake

    async def __call__(self, batch: Sequence[Signal]) -> None:
        """Pass a batch on; see `Emit`."""
        await (asyncio.sleep(0) if self.over else self._intake(batch))

    async def replace(self, signal_type: type[Alert] | type[HealthSample], batch: Sequence[Signal]) -> None:
        """Pass on all of one type; see `Emit`."""
        await (asyncio.sleep(0) if self.over else self._intake.replace(signal_type, batch))


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
        self.intake = Intake(name)
        self.source: Source[Any] | None = None
        self.error = ""
        self.restarts = 0
        self.retry_at = 0
        self.hurry = False
        """Set from any thread to end the wait for the next try."""
        self._make = make
        self._emits = emits
        self._tracer = tracer
        self._failures = 0
        self._delay = 0.0
        self._running = False
        self._began = 0.0
        self._deadline = 0.0
        self._voice: _Voice | None = None
        self._left: asyncio.Task[None] | None = None

    async def supervise(self) -> None:
        """Run the source until cancelled, starting it again whenever it ends."""
        OWNER.set(self)
        try:
            while True:
                await self._pause()
                try:
                    await self._live()
                except CockpitError as error:
                    self.failed(_without_own_name(error, self.name))
                except Exception as error:  # a plugin may raise anything: the first of the three seams
                    log.exception("source %s failed", self.name)
                    self.failed(f"{type(error).__name__}: {error}")
        finally:
            self._running = False
            await self._let_go()

    async def answer(
        self, source: Source[Any], method: str, args: Sequence[Any], named: Mapping[str, Any]
    ) -> Any:
        """Put a question to the source, on its own loop, and return its answer with telemetry cleaned.

        Raises:
            CockpitError: It could not answer.
            OutcomeUnknown: It failed in a way that a plugin should not, while it was to act.
        """
        OWNER.set(self)
        try:
            answer = getattr(source, method)(*args, **named)
            return await cleaned(await answer if isawaitable(answer) else answer)
        except CockpitError:
            raise
        except (Exception, SystemExit) as error:  # the same seam: a question runs a plugin's code too
            log.exception("source %s failed to answer %s", self.name, method)
            kind = OutcomeUnknown if method == "act" else SourceError
            raise kind(f"{method} failed: {_one_line(error)}", where=self.name) from error

    def status(self) -> SourceStatus:
        """Return how the source is doing at this moment."""
        state = self._state()
        return SourceStatus(
            name=self.name,
            kind=self.kind,
            state=state,
            emits=self._emits,
            last_data_at=self.intake.heard_at,
            error="" if state is SourceState.LIVE else self.error,
            retry_at=self.retry_at,
            restarts=self.restarts,
            items=self.intake.items,
            rate=self.intake.rate(),
            dropped=self.intake.dropped,
            rejected=self.intake.rejected,
        )

    def successor(self, error: str) -> Runner:
        """Return a runner that takes over the queue and the counts of this one, which can't be stopped now.

        This one is on a loop that is blocked or gone. Should it ever go on, nobody looks at it, and what its source
        says is not heard.
        """
        if self._voice is not None:
            self._voice.over = True
        fresh = Runner(
            self.name, self.kind, self._make, enabled=self.enabled, tracer=self._tracer, emits=self._emits
        )
        fresh.intake = self.intake
        fresh.restarts = self.restarts
        fresh.error = self.error
        fresh._failures = self._failures
        if error:
            fresh.failed(error)
        return fresh

    def failed(self, error: str) -> None:
        """Take note of what went wrong; the next start waits the longer the more often that happened."""
        self._running = False
        self._failures += 1
        self.error = clean_line(" ".join(error.split())[:ERROR_LENGTH])
        self._delay = backoff(self._failures, random.random())  # noqa: S311  jitter, not a secret
        self.retry_at = time.time_ns() + int(self._delay * 1e9)

    def _state(self) -> SourceState:
        if not self.enabled:
            return SourceState.DISABLED
        if not self._running:
            return SourceState.DOWN if self.error else SourceState.STARTING
        if time.monotonic() - max(self.intake.heard, self._began) > self._deadline:
            return SourceState.LATE
        return SourceState.LIVE if self.intake.heard >= self._began else SourceState.STARTING

    async def _pause(self) -> None:
        """Wait until the source may be started: after its back-off, and not beside a run that goes on."""
        if self._delay:
            until = time.monotonic() + self._delay
            while (left := until - time.monotonic()) > 0 and not self.hurry:
                await asyncio.sleep(min(HURRY_EVERY, left))
            self.hurry = False
            self.restarts += 1
        self._delay, self.retry_at = 0.0, 0
        while self._left is not None and not self._left.done():
            self.error = "does not end when it is cancelled; it is started again once it has"
            self._left.cancel()
            await asyncio.wait({self._left}, timeout=LONGEST_DELAY)
        self._left = None

    async def _live(self) -> None:
        """Make the source and run it, watching that it keeps speaking."""
        await self._let_go()
        self.source = source = self._make()
        self._emits = frozenset(kind.__name__ for kind in source.emits)
        if isinstance(source, PollingSource) and self._tracer is not None:
            source.traced = self._traced
        self._deadline = source.deadline
        self._voice = voice = _Voice(self.intake)
        self._began = time.monotonic()
        self._running = True
        task = asyncio.create_task(_contained(source.run(voice)), name=f"source {self.name}")
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=max(0.05, min(1.0, self._deadline / 2)))
                if not task.done():
                    self._watch(source)
        finally:
            voice.over = True
            await self._end(task)
        if task.cancelled():
            raise SourceError("cancelled itself", remedy="a source runs until the cockpit cancels it")
        await task
        raise SourceError("ended by itself", remedy="a source runs until it is cancelled")

    async def _end(self, task: asyncio.Task[None]) -> None:
        """Cancel a run that is not over; one that won't end is kept in mind."""
        if not task.done():
            task.cancel()
            self._left = task
            await asyncio.wait({task}, timeout=GRACE)
        if task.done() and not task.cancelled():
            task.exception()  # said to be seen: what counts is why it was cancelled

    async def _let_go(self) -> None:
        """Have the source that was used close what it holds; what that raises is its own affair."""
        source, self.source = self.source, None
        if source is not None:
            closing = asyncio.create_task(_contained(source.aclose()), name=f"close {self.name}")
            await asyncio.wait({closing}, timeout=CLOSING)
            if not closing.done():
                closing.cancel()
            elif not closing.cancelled() and (error := closing.exception()) is not None:
                log.error("source %s failed to close", self.name, exc_info=error)

    def _watch(self, source: Source[Any]) -> None:
        self._deadline = source.deadline
        silent = time.monotonic() - max(self.intake.heard, self._began)
        if silent > self._deadline * HUNG_AFTER:
            raise SourceError(f"said nothing for {silent:.0f} s")
        if self.intake.heard > self._began:
            self.error = ""
            if self.intake.heard - self._began > LONGEST_DELAY:
                self._failures = 0

    async def _traced(self, name: str, look: Callable[[], Awaitable[None]]) -> None:
        if self._tracer is None:
            await look()
            return
        with self._tracer.span(name, {"cockpit.source": self.name, "cockpit.kind": self.kind}):
            await look()


async def _contained(work: Awaitable[None]) -> None:
    """Await a plugin's work; asyncio would pass a `sys.exit()` in it on to the whole loop."""
    try:
        await work
    except (SystemExit, KeyboardInterrupt) as leaving:
        raise SourceError(f"tried to end the whole program with {type(leaving).__name__}") from leaving


def _one_line(error: BaseException) -> str:
    return clean_line(f"{type(error).__name__}: {' '.join(str(error).split())}"[:ERROR_LENGTH])


def _without_own_name(error: CockpitError, name: str) -> str:
    """The pane's title names the source already."""
    text = str(error)
    return text.removeprefix(f"{name}: ")
