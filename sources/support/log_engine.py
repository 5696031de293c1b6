"""What the sources of log engines share: options, following, questions, and the row that tells how it goes.

An engine is asked, not copied: a start reads its newest records, each look what came since, and a question is put to
the engine in its own language. What an engine can't test is tested here on what it gives, and said.
"""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, ClassVar, Generic, TypeVar

from msgspec import Meta, Struct

from cockpit.signals import SECOND, HealthSample, HealthState, LogRecord
from cockpit.source import Emit, Found, LogCounts, PollingSource, TimeRange
from sources.support.carried import carried
from sources.support.http import HttpClient, HttpOptions, TransportFactory
from sources.support.log_fields import BANDS, FieldNames, RecordMaker, band_of
from sources.support.log_follow import Follower
from sources.support.log_pages import Gathered, Pages, Row, newest, walk
from sources.support.log_translate import Question

BATCH = 1_000
"""Records emitted at a time."""
TOLD = 600.0
"""Seconds for which a gap in what was followed is told."""
MILLISECOND = 1_000_000

Positive = Annotated[float, Meta(gt=0)]


class LogEngineOptions(HttpOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the sources that ask a log engine have in common."""

    interval: Positive = 2.0
    """Seconds between two looks for new records."""
    timeout: Positive = 10.0
    """Seconds that one request may take."""
    query: str = ""
    """Which records are meant, in the engine's own language; it holds for what is followed and what is asked."""
    follow: bool = True
    """Whether new records are fetched; without it the engine is only asked questions."""
    lookback: Positive = 900.0
    """Seconds that the start, and the first look after an outage, goes back at most."""
    backlog: Annotated[int, Meta(ge=0, le=50_000)] = 1_000
    """Records read at the start."""
    late: Annotated[float, Meta(ge=0, le=3_600)] = 20.0
    """Seconds after its own time within which a record may reach the engine and is still found."""
    page: Annotated[int, Meta(ge=10, le=10_000)] = 1_000
    """Records asked for in one request."""
    most: Annotated[int, Meta(ge=10, le=200_000)] = 20_000
    """Records fetched in one look; what is beyond comes with the next, and how far it is behind is told."""
    message_fields: tuple[str, ...] = ("message", "msg", "body")
    """Fields that hold the message; of several, here and below, the first that a record has counts."""
    level_fields: tuple[str, ...] = ("level", "severity", "severity_text", "log.level")
    """Fields that hold the level."""
    service_fields: tuple[str, ...] = ("service.name", "service_name", "service", "app")
    """Fields that hold the service's name."""
    host_fields: tuple[str, ...] = ("host.name", "hostname", "host")
    """Fields that hold the host's name."""
    trace_fields: tuple[str, ...] = ("trace_id", "trace.id", "traceID")
    """Fields that hold the trace's id."""
    span_fields: tuple[str, ...] = ("span_id", "span.id", "spanID")
    """Fields that hold the span's id."""

    def names(self) -> FieldNames:
        """Return which fields mean what."""
        return FieldNames(
            message=self.message_fields,
            level=self.level_fields,
            service=self.service_fields,
            host=self.host_fields,
            trace=self.trace_fields,
            span=self.span_fields,
        )


class Counted(Struct, frozen=True):
    """An engine's counts: by SeverityNumber, by the number of the bucket; and why they are not whole."""

    counts: dict[int, dict[int, int]]
    note: str = ""


O = TypeVar("O", bound=LogEngineOptions)  # noqa: E741  the options type of a source
T = TypeVar("T")


class LogEngineSource(PollingSource[O], Generic[O, T]):
    """Follows one log engine and answers questions by asking it.

    Attributes:
        engine: What the engine is called.
        largest: Records that one request may ask for at most; an engine may be told otherwise.
    """

    emits: ClassVar[frozenset[type]] = frozenset({LogRecord, HealthSample})
    offers: ClassVar[frozenset[str]] = frozenset({"query_logs", "count_logs"})
    carried = True
    engine: ClassVar[str]

    def __init__(self, name: str, options: O, *, transport: TransportFactory | None = None) -> None:
        super().__init__(name, options)
        self.http = HttpClient(name, options, transport=transport or carried(self))
        self.maker = RecordMaker(name, options.names(), self.hidden())
        self.largest = 10_000
        self._follower: Follower | None = None
        self._outbox: list[Row] = []
        """What is counted as handed over and is not yet, for a look may be cancelled."""
        self._records = 0
        self._asked = ""
        self._gap = (0.0, "")
        """Until when a gap is told, and how."""

    @property
    def deadline(self) -> float:
        """A look may take many requests, and says a word after each page."""
        return self.options.interval + self.options.timeout * 4

    @classmethod
    def hidden(cls) -> frozenset[str]:
        """Return the engine's own fields, which are not shown."""
        return frozenset()

    @abstractmethod
    async def question(self, query: str) -> Question[T]:
        """Translate a query of the filter language, or take one in the engine's language after `raw:`.

        Raises:
            UsageError: It can't be understood.
        """

    @abstractmethod
    def pages(self, question: Question[T]) -> Pages:
        """Return what reads the answer to a question by pages."""

    @abstractmethod
    async def counted(self, question: Question[T], within: TimeRange, step: int) -> Counted:
        """Count records by level and bucket.

        Args:
            question: Which records.
            within: A time that begins at a millisecond; its end is the last nanosecond of the last bucket.
            step: A bucket's length in nanoseconds, whole milliseconds.
        """

    @abstractmethod
    async def who(self) -> str:
        """Ask for the product and its version.

        Raises:
            SourceError: It does not answer, or not as this engine does.
        """

    async def aclose(self) -> None:
        """Close the connections; a later question opens them again."""
        await self.http.aclose()

    async def poll(self, emit: Emit) -> None:
        """Fetch what is new since the last look, or at the start the newest there is."""
        started = time.perf_counter()
        now = time.time_ns()
        notes: list[str] = []
        if self._outbox:
            await self._send(emit, ())
        if not self.options.follow:
            await self.who()
        elif self._follower is None:
            await self._start(emit, now)
        else:
            notes += await self._look(self._follower, emit, now)
        if time.monotonic() < self._gap[0]:
            notes.append(self._gap[1])
        await emit.replace(HealthSample, [self._row(time.perf_counter() - started, notes, now)])

    async def check(self) -> str:
        """Ask who answers and for the newest record."""
        try:
            said = await self.who()
            now = time.time_ns()
            start = now - int(self.options.lookback * SECOND)
            found = await newest(self.pages(await self.question("")), start, now, 1, size=10)
        finally:
            await self.aclose()
        when = (
            f"the newest record is {max(0, now - found.records[0].at) // SECOND} s old"
            if found.records
            else ""
        )
        return f"{said}, {when or f'no record of the last {self.options.lookback:g} s'}"

    async def query_logs(self, query: str, within: TimeRange, limit: int) -> list[LogRecord]:
        """Return the newest records that the engine finds, oldest first."""
        if limit <= 0:
            return []
        question = await self.question(query)
        found = await self._gathered(question, within, limit)
        here = f"tested here: {question.note}" if question.note else ""
        self._asked = "; ".join(filter(None, (here, found.note)))
        cut = found.records[0].at if len(found.records) >= limit else None
        return Found(found.records, note=found.note, reached=cut if found.reached is None else found.reached)

    async def count_logs(self, query: str, within: TimeRange, buckets: int) -> list[LogCounts]:
        """Return the engine's own counts by time and level."""
        if buckets <= 0 or within.end < within.start:
            return []
        question = await self.question(query)
        start = within.start // MILLISECOND * MILLISECOND
        span = within.end + 1 - start
        step = -(-span // (buckets * MILLISECOND)) * MILLISECOND
        length = -(-span // step)
        counted = await self.counted(question, TimeRange(start, start + length * step - 1), step)
        totals: dict[int, list[int]] = {}
        for level, counts in counted.counts.items():
            if (
                question.test is not None
                and question.by_level
                and not question.test(LogRecord(at=0, level=level, body=""))
            ):
                continue
            total = totals.setdefault(band_of(level), [0] * length)
            for bucket, count in counts.items():
                if 0 <= bucket < length:
                    total[bucket] += count
        without = question.note if question.test is not None and not question.by_level else ""
        note = "; ".join(filter(None, (f"counted without: {without}" if without else "", counted.note)))
        return [
            LogCounts(
                level=level, start=start, step=step, counts=tuple(totals[level]), note=note, source=self.name
            )
            for level in BANDS
            if any(totals.get(level, ()))
        ]

    async def _gathered(self, question: Question[T], within: TimeRange, limit: int) -> Gathered:
        size = min(self.largest, max(self.options.page, min(limit, 5_000)))
        return await newest(
            self.pages(question), within.start, within.end, limit, size=size, test=question.test
        )

    async def _start(self, emit: Emit, now: int) -> None:
        """Emit the newest records there are."""
        backlog, size = self.options.backlog, min(self.options.page, self.largest)
        follower = Follower(late=int(self.options.late * SECOND), size=size, most=self.options.most)
        rows: list[Row] = []
        start = now - int(self.options.lookback * SECOND)
        more = True
        if backlog:
            pages = self.pages(await self.question(""))
            async for page in walk(pages, start, now, min(size, backlog), newest=True):
                rows += page.rows
                more = page.full or len(rows) > backlog
                if len(rows) >= backlog:
                    break
                await emit([])
        rows = rows[:backlog][::-1]
        follower.begin(rows, now, cut=more)
        self._follower = follower
        await self._send(emit, rows)

    async def _look(self, follower: Follower, emit: Emit, now: int) -> list[str]:
        """Emit what is new, and return what there is to say of it."""
        skipped = follower.skip(now - int(self.options.lookback * SECOND))
        if skipped:
            gap = f"after an outage {skipped // SECOND} s were left out: a question finds them"
            self._gap = (time.monotonic() + TOLD, gap)
        question = await self.question("")
        async for rows in follower.look(lambda: self.pages(question), now):
            await self._send(emit, rows)
        return list(follower.notes)

    async def _send(self, emit: Emit, rows: Sequence[Row]) -> None:
        """Hand over rows; one leaves the outbox only once it was taken. No row at all is a word too."""
        self._outbox += rows
        if not self._outbox:
            await emit([])
        while self._outbox:
            batch = self._outbox[:BATCH]
            await emit([row.record for row in batch])
            del self._outbox[: len(batch)]
            self._records += len(batch)
            await asyncio.sleep(0)

    def _row(self, seconds: float, notes: Sequence[str], now: int) -> HealthSample:
        follower = self._follower
        behind = max(0, now - follower.frontier) // SECOND if follower is not None and follower.behind else 0
        reasons = [*notes, *([f"{behind} s behind: more comes in than is fetched"] if behind else [])]
        details: dict[str, str | int | float | bool | None] = {"url": self.http.url, "records": self._records}
        if self._asked:
            details["last question"] = self._asked
        return HealthSample(
            at=time.time_ns(),
            subject=f"logs of {self.name}",
            kind="source",
            state=HealthState.DEGRADED if reasons else HealthState.OK,
            reason="; ".join(reasons),
            value=seconds,
            unit="s",
            source=self.name,
            details=details,
        )
