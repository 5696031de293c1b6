"""The last traces, by their spans."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.signals import Span
from cockpit.stores.base import Store


class TraceStore(Store):
    """Spans by trace, the traces heard of longest ago evicted first."""

    def __init__(self, *, spans: int = 200_000) -> None:
        super().__init__()
        self.capacity = spans
        self.spans = 0
        self._traces: dict[str, list[Span]] = {}

    def append(self, batch: Sequence[Span]) -> None:
        """Take spans in, in any order; a trace may arrive in many batches."""
        for span in batch:
            self._traces.setdefault(span.trace_id, []).append(span)
        self.spans += len(batch)
        while self.spans > self.capacity and len(self._traces) > 1:
            oldest = next(iter(self._traces))
            self.spans -= len(self._traces.pop(oldest))
        self.touched()

    def trace(self, trace_id: str) -> list[Span]:
        """Return the spans of one trace, or an empty list."""
        return self._traces.get(trace_id, [])

    def trace_ids(self) -> list[str]:
        """Return the traces kept, oldest first."""
        return list(self._traces)
