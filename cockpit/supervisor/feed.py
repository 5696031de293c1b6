"""A thread with an event loop on which sources run."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from contextvars import Context
from typing import Any, TypeVar

from cockpit.supervisor.runner import OWNER, Runner

log = logging.getLogger(__name__)

BEAT = 0.25
"""Seconds between two signs of life of a feed's loop."""

R = TypeVar("R")


class Feed:
    """Runs some runners on one loop in one daemon thread, and can tell from outside who blocks it."""

    def __init__(self, runners: Sequence[Runner]) -> None:
        self.runners = list(runners)
        self.ended = threading.Event()
        self._beat = time.monotonic()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._main, name="cockpit-feed", daemon=True)

    def start(self) -> None:
        """Start the thread and wait until its loop takes work."""
        self._thread.start()
        self._ready.wait(5)

    def silent(self) -> float:
        """Return the seconds since the loop last had a turn."""
        return 0.0 if self.ended.is_set() else time.monotonic() - self._beat - BEAT

    def submit(self, work: Coroutine[Any, Any, R]) -> Future[R]:
        """Run a coroutine on the feed's loop, from any other thread."""
        try:
            if self._loop is None or self.ended.is_set():
                raise RuntimeError("this feed has ended")
            return asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:  # it may end at any moment, between the question and the answer
            work.close()
            raise

    def stop(self) -> None:
        """Ask the loop to cancel everything and end; returns at once."""
        loop, event = self._loop, self._stop
        if loop is not None and event is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed already
                loop.call_soon_threadsafe(event.set)

    def _live(self, loop: asyncio.AbstractEventLoop) -> None:
        self._beat = time.monotonic()
        loop.call_later(BEAT, self._live, loop)

    def culprit(self) -> Runner | None:
        """Find the runner for whom the loop works now, or None where it can't be told.

        Whatever a source does, in tasks and callbacks of its own too, runs in a context that names its runner; the
        handle that the loop is at has that context.
        """
        frame = sys._current_frames().get(self._thread.ident or 0)
        while frame is not None:
            handle = frame.f_locals.get("self")
            if isinstance(handle, asyncio.Handle):
                context: Context | None = getattr(handle, "_context", None)  # `get_context` from 3.14 on
                owner = context.get(OWNER) if context is not None else None
                return owner if owner in self.runners else None
            frame = frame.f_back
        return None

    def _main(self) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._run())
        except (SystemExit, KeyboardInterrupt):  # asyncio passes these on, whichever task raised them
            log.exception("a source tried to end the whole program")
        finally:
            self.ended.set()
            self._ready.set()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        tasks = [
            asyncio.create_task(runner.supervise(), name=f"supervise {runner.name}")
            for runner in self.runners
            if runner.enabled
        ]
        self._ready.set()
        self._live(self._loop)
        await self._stop.wait()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=0.9)
