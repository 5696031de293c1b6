"""The cockpit's own spans, so that it can be watched like anything else on its traces pane.

In-process and bounded; nothing leaves the machine. Ids and parents follow the W3C Trace Context's sizes.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import time
from collections import deque
from collections.abc import Iterator
from contextvars import ContextVar

from cockpit.signals import Attributes, Span, SpanStatus

CAPACITY = 2_000


class Tracer:
    """Records spans until somebody drains them; safe to use from several threads."""

    def __init__(self, *, capacity: int = CAPACITY) -> None:
        self._ended: deque[Span] = deque(maxlen=capacity)
        self._current: ContextVar[tuple[str, str] | None] = ContextVar("cockpit-span", default=None)
        self._random = random.Random(os.urandom(16))  # noqa: S311  ids, not secrets
        self._resource = {"service.name": "cockpit", "host.name": socket.gethostname()}

    @contextlib.contextmanager
    def span(self, name: str, attributes: Attributes | None = None) -> Iterator[None]:
        """Record the block as a span, a child of the one around it."""
        parent = self._current.get()
        trace_id = parent[0] if parent else f"{self._random.getrandbits(128) or 1:032x}"
        span_id = f"{self._random.getrandbits(64) or 1:016x}"
        token = self._current.set((trace_id, span_id))
        status, message = SpanStatus.UNSET, ""
        start = time.time_ns()
        began = time.perf_counter_ns()
        try:
            yield
        except Exception as error:
            status, message = SpanStatus.ERROR, f"{type(error).__name__}: {error}"
            raise
        finally:
            self._current.reset(token)
            self._ended.append(
                Span(
                    trace_id=trace_id,
                    span_id=span_id,
                    parent_id=parent[1] if parent else "",
                    name=name,
                    start=start,
                    end=start + time.perf_counter_ns() - began,
                    status=status,
                    status_message=message,
                    attributes=attributes or {},
                    scope="cockpit",
                    source="cockpit",
                    resource=self._resource,
                )
            )

    def drain(self) -> list[Span]:
        """Return the spans that ended since the last call."""
        spans: list[Span] = []
        while self._ended:
            spans.append(self._ended.popleft())
        return spans
