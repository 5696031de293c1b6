"""The chunks that can be drawn: those loaded last, the tail as it grows, and what is asked for elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict

from cockpit.errors import CockpitError
from cockpit.stores.logs.files.chunk import Summary
from cockpit.stores.logs.files.loader import Loader
from cockpit.stores.logs.files.loading import AT_ONCE, GROWN, Loaded, load, load_now, lost
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.numbering import Entry

CHUNKS = 8
"""Chunks that are kept loaded."""
LOOKS = 1.0
"""Seconds after which nobody looks at the tail any more."""
BOUNDS = 64
"""Moments whose rows are remembered."""


class ChunkCache:
    """Chunks by number, loaded at once where there is no loader.

    Attributes:
        loader: Loads what would keep the loop for long; None where whoever asks waits.
        opening: Logs that are not opened yet: what lies in them has to wait.
        rows: By chunk and moment, the first row at or after it: bounds that are asked for again and again.
    """

    def __init__(self, logs: Logs) -> None:
        self.loader: Loader | None = None
        self.opening: set[int] = set()
        self.rows: OrderedDict[tuple[int, int], int] = OrderedDict()
        self._logs = logs
        self._loaded: OrderedDict[int, Loaded] = OrderedDict()
        self._newest: Loaded | None = None
        """The tail as it was loaded last; it may have grown since."""
        self._looked = 0.0
        """When the tail was asked for last."""
        self._again: set[int] = set()
        """Chunks that could not be loaded and are to be tried again."""
        self._waits: list[asyncio.Future[None]] = []

    def begin(self, loader: Loader) -> None:
        """Load elsewhere from now on what takes its time."""
        self.loader = loader

    def end(self) -> None:
        """Let go of the loader."""
        if self.loader is not None:
            self.loader.close()
        self.wake()

    def __contains__(self, number: int) -> bool:
        return number in self._loaded

    def get(self, entry: Entry, *, tail: bool) -> Loaded | None:
        """Return a chunk that can be had now, else ask for it.

        Args:
            entry: The chunk.
            tail: Whether it is the one that grows.
        """
        if tail:
            self._looked = time.monotonic()
        before = self._loaded.get(entry.number)
        if before is not None and entry.number not in self._again:
            self._loaded.move_to_end(entry.number)
            return before
        self._again.discard(entry.number)
        if not self.opening.isdisjoint(span.log for span in entry.chunk.spans):
            return before
        known = self._now(entry.chunk, self._newest) if tail else load_now(self._logs, entry.chunk)
        if known is None and self.loader is None:
            known = self._waited_for(entry.chunk)
        if known is not None:
            self._keep(entry.number, known, tail=tail)
        elif self.loader is not None:
            self.loader.ask(entry.number, entry.chunk)
            return before
        return known

    def expect(self, entry: Entry) -> None:
        """Ask for a chunk that will be looked at next, as it seems."""
        asked = entry.number in self._loaded or not self.opening.isdisjoint(
            span.log for span in entry.chunk.spans
        )
        if self.loader is not None and not asked:
            self.loader.ask(entry.number, entry.chunk, soon=False)

    def take(self, entry: Entry, chunk: Summary, loaded: Loaded, *, tail: bool) -> None:
        """Take over what was loaded elsewhere, unless the chunk is another by now.

        Args:
            entry: The chunk as it is now.
            chunk: As it was when it was asked for.
            loaded: What came of it.
            tail: Whether it is the one that grows: what it was is of use still.
        """
        if entry.chunk is chunk:
            self._keep(entry.number, loaded, tail=tail)
        elif tail and not loaded.why:
            self._newest = loaded
        self.wake()

    def grown(self, entry: Entry) -> None:
        """Follow the tail, bit by bit, as long as somebody looks at it."""
        self._loaded.pop(entry.number, None)
        if self._newest is not None and time.monotonic() - self._looked < LOOKS:
            loaded = self._now(entry.chunk, self._newest)
            if loaded is not None:
                self._keep(entry.number, loaded, tail=True)

    def _now(self, chunk: Summary, known: Loaded | None) -> Loaded | None:
        return load_now(self._logs, chunk, known, most=AT_ONCE if known is None else GROWN)

    def closed(self, number: int, chunk: Summary, tail: Summary) -> None:
        """Let the tail become a chunk that won't change, and another begin: cut from what is known of it."""
        self._loaded.pop(number, None)
        before, self._newest = self._newest, None
        if before is None:
            return
        if (done := self._now(chunk, before)) is not None:
            self._keep(number, done, tail=False)
        if tail.count:
            self._newest = self._now(tail, before)

    def remember(self, number: int, moment: int, row: int) -> None:
        """Keep the first row of a chunk at or after a moment; the chunk won't change."""
        self.rows[number, moment] = row
        if len(self.rows) > BOUNDS:
            self.rows.popitem(last=False)

    def drop(self, number: int) -> None:
        """Forget a chunk that is gone."""
        self._loaded.pop(number, None)
        if self.loader is not None:
            self.loader.forget(number)

    def retry(self) -> None:
        """Load again what could not be loaded: it may be there again. Until then it stays as it is."""
        self._again.update(number for number, loaded in self._loaded.items() if loaded.why)

    def clear(self) -> None:
        """Forget all."""
        self._loaded.clear()
        self.rows.clear()
        self._newest = None

    async def wait(self, seconds: float) -> None:
        """Wait until something was loaded, or so long."""
        waited = asyncio.get_running_loop().create_future()
        self._waits.append(waited)
        await asyncio.wait([waited], timeout=seconds)
        if waited in self._waits:
            self._waits.remove(waited)

    def wake(self) -> None:
        """Let who waits look again."""
        for waited in self._waits:
            if not waited.done():
                waited.set_result(None)
        self._waits.clear()

    def _waited_for(self, chunk: Summary) -> Loaded:
        try:
            return load(self._logs, chunk)
        except CockpitError as error:
            return lost(chunk, str(error))

    def _keep(self, number: int, loaded: Loaded, *, tail: bool) -> None:
        self._loaded[number] = loaded
        self._loaded.move_to_end(number)
        if tail and not loaded.why:
            self._newest = loaded
        while len(self._loaded) > CHUNKS:
            self._loaded.popitem(last=False)
