"""An `emit` that keeps what it is given."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.signals import Alert, HealthSample, Signal, Span


class Kept:
    """Keeps every signal in `signals`, and counts the batches."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self.batches = 0

    async def __call__(self, batch: Sequence[Signal]) -> None:
        self.batches += 1
        self.signals.extend(batch)

    async def replace(self, signal_type: type[Alert] | type[HealthSample], batch: Sequence[Signal]) -> None:
        self.signals = [signal for signal in self.signals if not isinstance(signal, signal_type)]
        await self(batch)

    @property
    def health(self) -> list[HealthSample]:
        return [signal for signal in self.signals if isinstance(signal, HealthSample)]

    @property
    def spans(self) -> list[Span]:
        return [signal for signal in self.signals if isinstance(signal, Span)]
