"""What the Jaeger and Zipkin sources share: which traces to look for each time, and never emitting a span twice.

A trace store can't be read whole. Each look asks, for a bounded number of services in turn, for the newest traces,
for those that failed and for those that were slow, since the last look and a little before it: spans may come late.
"""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar, TypeVar

import msgspec

from cockpit.errors import BadAnswer
from cockpit.signals import SECOND, Span
from cockpit.source import Emit, PollingSource, TimeRange, TraceSummary
from sources.support.carried import carried
from sources.support.http import HttpClient, HttpOptions, Params, TransportFactory
from sources.support.http_errors import NotFound
from sources.support.json_pieces import decode_in_pieces
from sources.support.trace_parts import Raw, Tally, Trace, newest_first, summarise

BATCH = 1_000
"""Spans emitted at a time."""
REMEMBERED = 200_000
"""Span identifiers remembered, so that none is emitted twice."""
ALL = 50
"""Services asked about in turn for traces of any service."""
LIST_EVERY = 60.0
"""Seconds that a list of services is good for."""

T = TypeVar("T")


class TraceStoreOptions(HttpOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the sources that ask a trace store have in common."""

    timeout: float = 10.0
    """Seconds that one question may take."""
    services: tuple[str, ...] = ()
    """The services whose traces to follow; all that the store lists unless given."""
    services_per_look: int = 10
    """Services asked about in one look; where there are more they take turns."""
    limit: int = 20
    """Traces asked for at a time: the newest, the newest that failed, and the newest that were slow."""
    slow: float = 1.0
    """Seconds from which a trace counts as slow; 0 asks for none by that."""
    lookback: float = 3600.0
    """Seconds that the first look goes back."""
    settle: float = 60.0
    """Seconds that each later look goes back before the one before it, for spans that come in late."""

    def __post_init__(self) -> None:
        for name in ("services_per_look", "limit", "lookback"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than 0")
        if self.slow < 0 or self.settle < 0:
            raise ValueError("slow and settle can't be negative")


O = TypeVar("O", bound=TraceStoreOptions)  # noqa: E741  the options type of a source


class Seen:
    """Remembers which spans were emitted, a bounded number of them, the oldest traces forgotten first."""

    def __init__(self, capacity: int = REMEMBERED) -> None:
        self.capacity = capacity
        self._traces: OrderedDict[str, set[str]] = OrderedDict()
        self._count = 0

    def fresh(self, trace: Trace) -> list[Span]:
        """Return the spans of a trace that were not seen before, and remember them."""
        known = self._traces.setdefault(trace.trace_id, set())
        self._traces.move_to_end(trace.trace_id)
        fresh = [span for span in trace.spans if span.span_id not in known]
        known.update(span.span_id for span in fresh)
        self._count += len(fresh)
        while self._count > self.capacity and len(self._traces) > 1:
            _, forgotten = self._traces.popitem(last=False)
            self._count -= len(forgotten)
        return fresh


class TraceStoreSource(PollingSource[O]):
    """A source over a trace store's HTTP API.

    Attributes:
        tally: What was dropped and mended of its answers since the start.
    """

    emits: ClassVar[frozenset[type]] = frozenset({Span})
    offers: ClassVar[frozenset[str]] = frozenset({"find_traces", "get_trace"})
    carried = True

    def __init__(self, name: str, options: O, *, transport: TransportFactory | None = None) -> None:
        super().__init__(name, options)
        self.http = HttpClient(name, options, transport=transport or carried(self))
        self.tally = Tally()
        self._seen = Seen()
        self._asked_until: dict[str, int] = {}
        self._listed: tuple[float, list[str]] = (0.0, [])
        self._turn = 0

    @abstractmethod
    async def list_services(self) -> list[str]:
        """Ask the store for the services it knows.

        Raises:
            SourceError: It does not answer, or not as its API says.
        """

    @abstractmethod
    async def search(
        self, service: str, within: TimeRange, limit: int, *, errors_only: bool = False, slower: float = 0.0
    ) -> list[Trace]:
        """Ask the store for at most `limit` of the newest traces of a service.

        Raises:
            SourceError: It does not answer, or not as its API says.
        """

    @abstractmethod
    async def fetch_trace(self, trace_id: str) -> list[Trace]:
        """Ask the store for one trace.

        Raises:
            NotFound: It knows none by that identifier.
            SourceError: It does not answer, or not as its API says.
        """

    @property
    def deadline(self) -> float:
        """Seconds until it counts as late: a word comes after each service, which is asked about thrice."""
        return self.options.interval + self.options.timeout * 2

    async def aclose(self) -> None:
        """Close the connections; a later question opens them again."""
        await self.http.aclose()

    async def poll(self, emit: Emit) -> None:
        """Look at the services whose turn it is, and emit what is new of each.

        Raises:
            SourceError: The store does not answer; what it answered before that is emitted.
        """
        wrong: BadAnswer | None = None
        for service in await self._due():
            try:
                await self._emit_service(service, emit)
            except BadAnswer as error:
                # One service whose traces can't be read must not hide the others.
                wrong = wrong or error
        await emit([])
        if wrong is not None:
            raise wrong

    async def _emit_service(self, service: str, emit: Emit) -> None:
        now = time.time_ns()
        since = self._asked_until.get(service, now - int(self.options.lookback * SECOND))
        within = TimeRange(since, now)
        for trace in await self._interesting(service, within):
            fresh = await asyncio.to_thread(self._seen.fresh, trace)
            for start in range(0, len(fresh), BATCH):
                await emit(fresh[start : start + BATCH])
                await asyncio.sleep(0)
        await emit([])
        self._asked_until[service] = now - int(self.options.settle * SECOND)

    async def _interesting(self, service: str, within: TimeRange) -> list[Trace]:
        """Return the newest, the failed and the slow traces of a service, each once."""
        limit, slow = self.options.limit, self.options.slow
        questions = [
            self.search(service, within, limit),
            self.search(service, within, limit, errors_only=True),
        ]
        if slow:
            questions.append(self.search(service, within, limit, slower=slow))
        # In a group, so that none is left asking when another fails.
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(_awaited(question)) for question in questions]
        except BaseExceptionGroup as failed:
            raise _first(failed) from None
        return newest_first((trace for task in tasks for trace in task.result()), limit * 3)

    async def _due(self) -> Sequence[str]:
        """Return the services whose turn it is."""
        services = await self._services()
        count = min(self.options.services_per_look, len(services))
        start = self._turn % len(services) if services else 0
        self._turn = start + count
        return [services[(start + step) % len(services)] for step in range(count)]

    async def _services(self) -> list[str]:
        if self.options.services:
            return list(self.options.services)
        listed_at, services = self._listed
        if not services or time.monotonic() - listed_at > LIST_EVERY:
            services = await self.list_services()
            self._listed = (time.monotonic(), services)
        return services

    async def find_traces(
        self, service: str, within: TimeRange, limit: int, *, errors_only: bool = False
    ) -> list[TraceSummary]:
        """Search the store: range, limit and the wish for failed traces alone are pushed down to it."""
        if limit <= 0:
            return []
        if service:
            found = await self.search(service, within, limit, errors_only=errors_only)
        else:
            found = await self.search_all(within, limit, errors_only=errors_only)
        return await asyncio.to_thread(
            lambda: [summarise(trace, self.name) for trace in newest_first(found, limit)]
        )

    async def search_all(self, within: TimeRange, limit: int, *, errors_only: bool) -> list[Trace]:
        """Ask the store for the newest traces of any service, one service after the other unless it can do better."""
        found: list[Trace] = []
        for service in (await self._services())[:ALL]:
            traces = await self.search(service, within, limit, errors_only=errors_only)
            found = newest_first((*found, *traces), limit)
        return found

    async def get_trace(self, trace_id: str) -> list[Span]:
        """Return all spans of one trace; an empty list when the store doesn't know it."""
        try:
            traces = await self.fetch_trace(trace_id)
        except NotFound:
            return []
        return [span for trace in traces for span in trace.spans]

    async def check(self) -> str:
        """Ask for the services and for one trace, and say what was wrong within it."""
        try:
            services = await self.list_services()
            if not services:
                return "answers, and knows no service yet"
            now = time.time_ns()
            within = TimeRange(now - int(self.options.lookback * SECOND), now)
            service = next(iter(self.options.services), services[0])
            traces = await self.search(service, within, 1)
        finally:
            await self.aclose()
        seen = (
            f"{len(traces[0].spans)} spans in the newest trace of {service}"
            if traces
            else f"none of {service}"
        )
        tallied = f" ({self.tally})" if str(self.tally) else ""
        return f"{len(services)} services, {seen}{tallied}"

    async def asked(self, path: str, params: Params, read: Callable[[Raw, str, Tally], T]) -> T:
        """GET a path and read its JSON in a thread, for a trace may hold 100,000 spans.

        Raises:
            NotFound: There is nothing at that path.
            SourceError: Anything else that went wrong.
        """
        answer = await self.http.fetch("GET", path, params=params)
        tally = Tally()

        def decoded() -> T:
            try:
                raw = decode_in_pieces(answer.body)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                raise BadAnswer(
                    f"{path} answered with no JSON",
                    where=self.name,
                    remedy="does `url` point at the right server and path?",
                ) from None
            return read(raw, self.name, tally)

        result = await asyncio.to_thread(decoded)
        self.tally.add(tally)
        return result


async def _awaited(question: Awaitable[list[Trace]]) -> list[Trace]:
    return await question


def _first(failed: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first single exception of a group."""
    error: BaseException = failed
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
