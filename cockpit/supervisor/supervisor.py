"""All sources together: started, drained into the stores, asked, and stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from cockpit.errors import OutcomeUnknown, SourceError, Unreachable
from cockpit.hygiene import clean
from cockpit.source import Source
from cockpit.stores.base import Stores
from cockpit.supervisor.feed import Feed
from cockpit.supervisor.runner import Runner
from cockpit.supervisor.status import SourceStatus
from cockpit.tracer import Tracer

BLOCKED_AFTER = 2.0
"""Seconds without a turn after which a feed's loop counts as blocked."""


class Plan(Struct, frozen=True):
    """A source to be run.

    Attributes:
        name: The instance's name.
        kind: The plugin's.
        make: Makes the source, on the feed's thread, so that a slow import delays nobody.
        enabled: False leaves it listed and unused.
        emits: Names of the signal types it is known to feed before it is made.
    """

    name: str
    kind: str
    make: Callable[[], Source[Any]]
    enabled: bool = True
    emits: frozenset[str] = frozenset()


class Supervisor:
    """Runs sources on feed threads; `drain`, `statuses` and `ask` belong to the loop that owns the stores."""

    def __init__(self, plans: Sequence[Plan], stores: Stores, *, tracer: Tracer | None = None) -> None:
        self.stores = stores
        self.tracer = tracer
        self._runners = [
            Runner(plan.name, plan.kind, plan.make, enabled=plan.enabled, tracer=tracer, emits=plan.emits)
            for plan in plans
        ]
        self._feeds: list[Feed] = []
        self._apart: list[tuple[Feed, Runner]] = []
        self._next = 0
        self._stopping = False

    def start(self) -> None:
        """Start all sources."""
        self._open(self._runners)

    def drain(self, budget: float = 0.006) -> int:
        """Move what came in to the stores for at most `budget` seconds, each source in its turn.

        Returns:
            How many signals were moved.
        """
        self._rescue()
        until = time.perf_counter() + budget
        moved = 0
        idle = 0
        while self._runners and idle < len(self._runners):
            runner = self._runners[self._next % len(self._runners)]
            self._next += 1
            delivery = runner.intake.take()
            if delivery is None:
                idle += 1
                continue
            idle = 0
            batch, replaces = delivery
            self.stores.take(runner.name, batch, replaces)
            moved += len(batch)
            if time.perf_counter() > until:
                break
        if self.tracer is not None and (spans := self.tracer.drain()):
            self.stores.take("cockpit", clean(spans)[0])
        return moved

    @property
    def behind(self) -> bool:
        """Whether signals wait that the last `drain` had no time for."""
        return any(runner.intake.waiting for runner in self._runners)

    def retry(self) -> list[str]:
        """Start the sources that wait for their next try at once, and return their names."""
        waiting = [runner for runner in self._runners if runner.retry_at > time.time_ns()]
        for runner in waiting:
            runner.hurry = True
        return [runner.name for runner in waiting]

    def statuses(self) -> tuple[SourceStatus, ...]:
        """Return how each source is doing now."""
        return tuple(runner.status() for runner in self._runners)

    def offering(self, method: str) -> list[str]:
        """Return the names of the sources that offer an optional method."""
        return [
            runner.name
            for runner in self._runners
            if runner.source is not None and method in runner.source.offers
        ]

    def log_languages(self) -> dict[str, str]:
        """Return what the engines' own languages are called, by the names of the sources that take them."""
        return {
            runner.name: runner.source.log_language
            for runner in self._runners
            if runner.source is not None and runner.source.log_language
        }

    async def ask(self, name: str, method: str, *args: Any, timeout: float = 30.0, **named: Any) -> Any:
        """Put a question to a source, on its own loop, and return its answer with telemetry cleaned.

        Raises:
            CockpitError: The source is unknown, not there yet, doesn't offer the method, failed or took too long.
        """
        runner = next((each for each in self._runners if each.name == name), None)
        if runner is None or runner.source is None:
            raise SourceError("no such source is running", where=name)
        feed = self._feed_of(runner)
        try:
            if feed is None:
                raise RuntimeError
            asked = feed.submit(runner.answer(runner.source, method, args, named))
        except RuntimeError:
            raise SourceError("has been set apart and can't be asked", where=name) from None
        lost = OutcomeUnknown if method == "act" else Unreachable
        try:
            return await asyncio.wait_for(asyncio.wrap_future(asked), timeout)
        except TimeoutError:
            raise lost(f"no answer to {method} within {timeout:g} s", where=name) from None
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            raise lost(f"was stopped before it answered {method}", where=name) from None

    async def stop(self, within: float = 1.0) -> bool:
        """Cancel all sources; False where a thread did not end in time and was left behind."""
        self._stopping = True
        feeds = self._feeds + [feed for feed, _ in self._apart]
        for feed in feeds:
            feed.stop()
        until = time.monotonic() + within
        while time.monotonic() < until and not all(feed.ended.is_set() for feed in feeds):
            await asyncio.sleep(0.01)
        return all(feed.ended.is_set() for feed in feeds)

    def _open(self, runners: Sequence[Runner]) -> None:
        feed = Feed(runners)
        self._feeds.append(feed)
        feed.start()

    def _feed_of(self, runner: Runner) -> Feed | None:
        return next(
            (feed for feed in self._feeds if runner in feed.runners and not feed.ended.is_set()), None
        )

    def _rescue(self) -> None:
        """Move the others away from a source that blocks their loop; give it a thread of its own once it lets go."""
        if self._stopping:
            return
        for feed in list(self._feeds):
            if feed.ended.is_set():
                self._feeds.remove(feed)
                for runner in feed.runners:  # apart, so that who ended it does so for itself alone next time
                    self._open(
                        [self._succeed(runner, "its event loop was ended by one of the sources on it")]
                    )
            elif (silent := feed.silent()) >= BLOCKED_AFTER and (culprit := feed.culprit()) is not None:
                self._feeds.remove(feed)
                feed.stop()
                blocked = (
                    f"blocked its event loop for {silent:.0f} s; it starts again, apart, once it lets go"
                )
                self._apart.append((feed, self._succeed(culprit, blocked)))
                if others := [self._succeed(runner) for runner in feed.runners if runner is not culprit]:
                    self._open(others)
        for feed, culprit in list(self._apart):
            if feed.ended.is_set():
                self._apart.remove((feed, culprit))
                self._open([culprit])

    def _succeed(self, runner: Runner, error: str = "") -> Runner:
        """Put a runner's successor in its place."""
        fresh = runner.successor(error)
        self._runners[self._runners.index(runner)] = fresh
        return fresh


def _is_cancelled() -> bool:
    """Tell whether it is the caller that is cancelled, rather than what it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
