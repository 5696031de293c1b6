"""Takes export requests of either protocol to the cockpit: decode, convert, emit, answer.

The feed loop is shared by all sources, so what is big is decoded in a thread and what is small is converted in
slices. What is being worked on is bounded: beyond that, senders are asked to come back, which they do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import ParamSpec, TypeVar, cast

from msgspec import Struct

from cockpit.signals import LogRecord, Span
from cockpit.source import Emit
from sources.support import otlp_signals as signals
from sources.support.otlp_messages import (
    LogsRequest,
    MetricsRequest,
    Request,
    TraceRequest,
    What,
    Wire,
)
from sources.support.otlp_signals import MetricPoint, Reading, Resources, Tally

IN_THREAD = 64 * 1024
"""Bytes from which a request is decoded and converted in a thread."""
THREADS = 2
SLICE = 100
"""Records converted between two breaths of the loop; well under 8 ms even with 128 attributes each."""
RETRY_AFTER = 1
"""Seconds after which a refused sender is asked to come back."""

P = ParamSpec("P")
T = TypeVar("T")
Item = Span | LogRecord | MetricPoint


class Busy(Exception):
    """More is being worked on than fits; the sender shall come back."""


class Outcome(Struct, frozen=True):
    """How many of one request's records were refused, and why the first was."""

    rejected: int
    message: str = ""


class Lease:
    """The room that one request takes up, given back at the end of a `with` block."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._size = 0

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self._intake.held -= self._size

    def grow(self, size: int) -> None:
        """Take more room, before it is filled.

        Raises:
            Busy: Others hold the room that is left; alone, a request always fits.
        """
        held = self._intake.held
        if held > self._size and held + size > self._intake.budget:
            raise Busy("more telemetry is waiting than the cockpit can take")
        self._intake.held += size
        self._size += size


class Intake:
    """The way from a decoded body to `emit`, shared by HTTP and gRPC.

    Args:
        name: The source's name, which every signal carries.
        emit: Where signals go.
        measured: Called with metric points, which are no signals.
        heard: Called with every batch of spans or log records, before it is emitted.
        budget: Bytes of request bodies held at any time.

    Attributes:
        held: Bytes held now.
        failed: Done, with the error, once something failed that nobody here expected.
    """

    def __init__(
        self,
        name: str,
        emit: Emit,
        *,
        measured: Callable[[list[MetricPoint]], int],
        heard: Callable[[list[Span | LogRecord]], None],
        budget: int,
    ) -> None:
        self.name = name
        self.budget = budget
        self.held = 0
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self._one_big = asyncio.Semaphore(1)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="otlp")
        self._emit = emit
        self._measured = measured
        self._heard = heard
        self._resources = Resources()
        self._ready: set[str] = set()

    def fail(self, error: BaseException) -> None:
        """Note an error that no sender is to blame for, so that the source ends with it and is seen to."""
        if not self.failed.done():
            self.failed.set_result(error)

    def watch(self, connection: asyncio.Task[None]) -> None:
        """Note what a connection's task ends with."""
        if not connection.cancelled() and (error := connection.exception()) is not None:
            self.fail(error)

    async def in_thread(self, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Do heavy work in one of the receiver's own threads, which no other source can keep busy."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *given, **named))

    def close(self) -> None:
        """Let the threads go, when what they do is done."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def lease(self) -> Lease:
        """Return the room of one request, which holds nothing yet."""
        return Lease(self)

    async def take(self, what: What, wire: Wire, body: bytes) -> Outcome:
        """Take one request.

        Raises:
            Undecodable: The body is not such a request.
        """
        if wire.content_type not in self._ready:
            await self.in_thread(wire.prepare)
            self._ready.add(wire.content_type)
        tally = Tally()
        reading = Reading(wire, self.name, time.time_ns(), self._resources, tally)
        if len(body) < IN_THREAD:
            await self._hand_over(what, convert(what, wire.decode(what, body), reading), tally)
        else:
            async with self._one_big:
                items = await self.in_thread(_decode_all, what, body, reading)
                await self._hand_over(what, iter(items), tally)
        return Outcome(tally.rejected, tally.why)

    async def _hand_over(self, what: What, items: Iterator[Item], tally: Tally) -> None:
        while part := list(islice(items, SLICE)):
            if what == "metrics":
                refused = self._measured(cast("list[MetricPoint]", part))
                if refused:
                    tally.reject("more metric series than are kept", refused)
            else:
                batch = cast("list[Span | LogRecord]", part)
                self._heard(batch)
                await self._emit(batch)
            await asyncio.sleep(0)


def convert(what: What, request: Request, reading: Reading) -> Iterator[Item]:
    """Return the spans, log records or metric points of a request, one at a time."""
    if what == "traces":
        return signals.spans(cast("TraceRequest", request), reading)
    if what == "logs":
        return signals.log_records(cast("LogsRequest", request), reading)
    return signals.metric_points(cast("MetricsRequest", request), reading)


def _decode_all(what: What, body: bytes, reading: Reading) -> list[Item]:
    return list(convert(what, reading.wire.decode(what, body), reading))
