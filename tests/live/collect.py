"""An `Emit` that keeps what a source hands over, as the stores would."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol, TypeVar

from cockpit.errors import CockpitError
from cockpit.signals import Alert, HealthSample, Signal
from cockpit.source import PollingSource

T = TypeVar("T")


class Collected:
    """What a source said last."""

    def __init__(self) -> None:
        self.health: dict[str, HealthSample] = {}
        self.alerts: list[Alert] = []
        self.batches = 0

    async def __call__(self, batch: Sequence[Signal]) -> None:
        self.batches += 1
        for signal in batch:
            if isinstance(signal, HealthSample):
                self.health[signal.subject] = signal
            elif isinstance(signal, Alert):
                self.alerts.append(signal)

    async def replace(self, signal_type: type[Alert] | type[HealthSample], batch: Sequence[Signal]) -> None:
        self.batches += 1
        if signal_type is Alert:
            self.alerts = [one for one in batch if isinstance(one, Alert)]
        else:
            self.health = {one.subject: one for one in batch if isinstance(one, HealthSample)}
            assert len(self.health) == len(batch), "every subject is unique within its source"

    def alert(self, name: str) -> Alert | None:
        return next((alert for alert in self.alerts if alert.name == name), None)


class Closable(Protocol):
    async def aclose(self) -> None: ...


C = TypeVar("C", bound=Closable)


class Closing:
    """Keeps what is to be closed when a test ends."""

    def __init__(self) -> None:
        self._kept: list[Closable] = []

    def __call__(self, one: C) -> C:
        self._kept.append(one)
        return one

    async def aclose(self) -> None:
        for one in reversed(self._kept):
            await one.aclose()


async def poll_until(
    source: PollingSource[Any], collected: Collected, found: Callable[[], T], *, seconds: float = 20.0
) -> T:
    """Poll a source until `found` gives something, passing over failures in between; return that."""
    deadline = time.monotonic() + seconds
    last: object = "nothing failed"
    while True:
        try:
            await source.poll(collected)
        except CockpitError as error:
            last = error
        result = found()
        if result:
            return result
        assert time.monotonic() < deadline, f"not seen within {seconds:g} s; {last}; {collected.__dict__}"
        await asyncio.sleep(0.15)


@contextlib.asynccontextmanager
async def running(source: PollingSource[Any], collected: Collected) -> AsyncIterator[None]:
    """Hold a source's `run` going, as the supervisor does."""
    task = asyncio.create_task(source.run(collected))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
