"""A source's bounded queue: what it emits, cleaned, until the stores take it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from cockpit.hygiene import clean
from cockpit.signals import Alert, HealthSample, Signal

SLICE = 250
"""Signals cleaned before the feed's loop gets a turn: about a millisecond's work."""
CAPACITY = 20_000
"""Signals that wait at most."""
PATIENCE = 1.0
"""Seconds that `emit` waits for room before the oldest signals are dropped."""
RATE_SECONDS = 10

Delivery = tuple[Sequence[Signal], "type | None"]
_Known = tuple[Signal, *tuple[Signal, ...]]
"""A signal as the source gave it, which keeps its `id` its own, and as it is passed on; alone if it was rejected."""


class Intake:
    """Implements `cockpit.source.Emit` for one source: filled on the feed's thread, drained on the stores'.

    Attributes:
        source: The source's name; every signal comes out under it, whatever it says of itself.
    """

    def __init__(self, source: str, *, capacity: int = CAPACITY, patience: float = PATIENCE) -> None:
        self.source = source
        self.capacity = capacity
        self.patience = patience
        self.heard = 0.0
        """`time.monotonic` of the last word from the source; 0 for none yet."""
        self.heard_at = 0
        """The same in nanoseconds since the epoch."""
        self.items = 0
        self.dropped = 0
        self.rejected = 0
        self._queue: deque[Delivery] = deque()
        self._waiting = 0
        self._lock = threading.Lock()
        self._known: dict[type, dict[int, _Known]] = {}
        self._seconds: deque[tuple[int, int]] = deque(maxlen=RATE_SECONDS + 1)

    async def __call__(self, batch: Sequence[Signal]) -> None:
        """Take a batch in, in slices; see `Emit`."""
        self._hear(len(batch))
        for start in range(0, len(batch) or 1, SLICE):
            if cleaned := self._checked(batch[start : start + SLICE]):
                await self._put(cleaned, None)
            await asyncio.sleep(0)

    async def replace(self, signal_type: type[Alert] | type[HealthSample], batch: Sequence[Signal]) -> None:
        """Take in all that the source knows of one type; see `Emit`."""
        self._hear(len(batch))
        before, after = self._known.get(signal_type, {}), dict[int, _Known]()
        whole: list[Signal] = []
        for start in range(0, len(batch) or 1, SLICE):
            whole += self._recalled(batch[start : start + SLICE], before, after)
            await asyncio.sleep(0)
        self._known[signal_type] = after
        surplus = len(whole) - self.capacity
        if surplus > 0:
            self.dropped += surplus
            del whole[self.capacity :]
        await self._put(whole, signal_type)

    def take(self) -> Delivery | None:
        """Return the oldest delivery, or None where there is none."""
        with self._lock:
            if not self._queue:
                return None
            batch, replaces = self._queue.popleft()
            self._waiting -= _weight(batch)
            return batch, replaces

    @property
    def waiting(self) -> int:
        """How many signals wait to be taken."""
        return self._waiting

    def rate(self) -> float:
        """Return items a second over the last ten seconds."""
        now = int(time.monotonic())
        return (
            sum(count for second, count in list(self._seconds) if second > now - RATE_SECONDS) / RATE_SECONDS
        )

    def _checked(self, batch: Sequence[Signal]) -> list[Signal]:
        """Return what is fit to be kept, under the source's own name: no source speaks for another."""
        cleaned, rejected = clean(batch)
        self.rejected += rejected
        name = self.source
        return [signal if signal.source == name else replace(signal, source=name) for signal in cleaned]

    def _recalled(
        self, batch: Sequence[Signal], before: Mapping[int, _Known], after: dict[int, _Known]
    ) -> list[Signal]:
        """Return the same as `_checked`, looking only at what was not in the last batch."""
        found: list[Signal] = []
        for given in batch:
            known = before.get(id(given)) or (given, *self._checked((given,)))
            after[id(given)] = known
            found += known[1:]
        return found

    async def _put(self, batch: Sequence[Signal], replaces: type | None) -> None:
        weight = _weight(batch)
        deadline = time.monotonic() + self.patience
        while self._waiting + weight > self.capacity and self._queue and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
            self.heard = time.monotonic()  # a source that is kept waiting is not silent
        with self._lock:
            while self._waiting + weight > self.capacity and self._queue:
                lost, _ = self._queue.popleft()
                self._waiting -= _weight(lost)
                self.dropped += len(lost)
            self._queue.append((batch, replaces))
            self._waiting += weight

    def _hear(self, count: int) -> None:
        self.heard = time.monotonic()
        self.heard_at = time.time_ns()
        self.items += count
        second = int(self.heard)
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1] = (second, self._seconds[-1][1] + count)
        else:
            self._seconds.append((second, count))


def _weight(batch: Sequence[Signal]) -> int:
    """What a delivery counts in the queue: an empty one takes room as well."""
    return len(batch) or 1
