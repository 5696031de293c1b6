"""Any `/metrics` page, scraped without a Prometheus in between.

The endpoint is one health row; configured selectors make further ones, counters as rates. What was scraped is kept in
a bounded ring, so that a number can be looked back at and any other of the page asked for.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from cockpit.errors import BadAnswer, ConfigError, Unreachable
from cockpit.signals import HealthSample, HealthState, Series
from cockpit.source import Emit, PollingSource, TimeRange, resource
from sources.support.carried import carried
from sources.support.exposition_format import PageParser
from sources.support.http import HttpClient, HttpOptions, TransportFactory
from sources.support.metric_ring import GONE, Line, MetricRing, as_mapping
from sources.support.promlabels import host_of_instance, resource_of, selector
from sources.support.selector import Selector, parse_selector
from sources.support.thresholds import Limits

ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
WATCH_ROWS = 50
"""Rows that one configured selector may fill."""
ANSWER_SERIES = 500
"""Series that an answer to a query may hold."""


class Watch(Limits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A selector whose every series becomes a health row."""

    selector: str
    """Which series: `http_requests_total{code=~"5.."}`."""
    name: str = ""
    """What the row is called; the selector when empty."""
    rate: bool | None = None
    """Whether to show the rise a second; by itself so for counters."""


class ExpositionOptions(HttpOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of an exposition source."""

    service: str = ""
    """The service that the page belongs to."""
    watch: tuple[Watch, ...] = ()
    """Series that become health rows: tables of `selector`, `name`, `rate`, `above`, `below`, `unit`."""


class _Page(Struct, frozen=True, kw_only=True):
    """How one scrape went."""

    parser: PageParser
    samples: int
    wrong: int
    size: int
    seconds: float


class ExpositionSource(PollingSource[ExpositionOptions]):
    """Feeds health from one `/metrics` page, and answers queries about what it held."""

    kind = "exposition"
    summary = "Any /metrics page: Prometheus text format and OpenMetrics"
    options_type = ExpositionOptions
    emits: ClassVar[frozenset[type]] = frozenset({HealthSample})
    offers: ClassVar[frozenset[str]] = frozenset({"query_metrics"})
    carried = True

    def __init__(
        self, name: str, options: ExpositionOptions, *, transport: TransportFactory | None = None
    ) -> None:
        super().__init__(name, options)
        parts = urlsplit(options.url)
        url = options.url if parts.path.strip("/") or parts.query else f"{options.url.rstrip('/')}/metrics"
        self.http = HttpClient(name, options, url=url, transport=transport or carried(self))
        self.ring = MetricRing()
        self._parser = PageParser()
        self._watches = tuple((watch, _selector(watch, name)) for watch in options.watch)
        self._resource = resource(options.service, host_of_instance(urlsplit(self.http.url).netloc))

    async def aclose(self) -> None:
        """Close the connections; a later scrape opens them again."""
        await self.http.aclose()

    async def poll(self, emit: Emit) -> None:
        """Scrape once. An endpoint that doesn't answer, or answers with something else, is a row that is down.

        Raises:
            Denied: It wants other credentials.
        """
        try:
            page = await self._scrape()
        except (Unreachable, BadAnswer) as error:
            down = self._endpoint_row(HealthState.DOWN, str(error).removeprefix(f"{error.where}: "))
            unknown = (
                self._row(_title(watch), HealthState.UNKNOWN, "not scraped") for watch, _ in self._watches
            )
            await emit.replace(HealthSample, [down, *unknown])
            return
        rows = [self._page_row(page)]
        for watch, wanted in self._watches:
            rows += await asyncio.to_thread(self._watched, watch, wanted, page.parser)
        await emit.replace(HealthSample, rows)

    async def check(self) -> str:
        """Scrape once and say what the page held."""
        try:
            page = await self._scrape()
        finally:
            await self.aclose()
        wrong = f", {page.wrong} lines of another format" if page.wrong else ""
        return f"{page.samples} series in {page.seconds * 1000:.0f} ms{wrong}"

    async def query_metrics(self, expression: str, within: TimeRange, step: float) -> list[Series]:
        """Return what was scraped of a selector, or of `rate(selector)`; a step of 0 gives the last point alone.

        Raises:
            BadAnswer: The expression is no selector.
        """
        wanted = parse_selector(expression, where=self.name)
        return await asyncio.to_thread(self._answer, wanted, within, step)

    async def _scrape(self) -> _Page:
        """GET the page and take it in while it comes.

        Raises:
            SourceError: It did not come, or it is no page of metrics.
        """
        await self.http.open()
        started = time.perf_counter()
        at = time.time_ns()
        samples = size = 0
        self.ring.begin()
        async with self.http.stream(headers={"accept": ACCEPT}) as incoming:
            kind = incoming.headers.get("content-type", "")
            parser = PageParser(open_metrics="application/openmetrics-text" in kind)
            async for piece in incoming.pieces:
                size += len(piece)
                samples += self.ring.take(parser.feed(piece), at)
                await asyncio.sleep(0)
            samples += self.ring.take(parser.finish(), at)
        wrong = parser.wrong + self.ring.wrong
        if not samples and (wrong or "html" in kind):
            raise BadAnswer(
                "the page holds no metrics",
                where=self.name,
                remedy="does `url` name the metrics page, path and all?",
            )
        self.ring.forget(at - max(GONE, int(self.options.interval * 5e9)))
        self._parser = parser
        seconds = time.perf_counter() - started
        return _Page(parser=parser, samples=samples, wrong=wrong, size=size, seconds=seconds)

    def _page_row(self, page: _Page) -> HealthSample:
        problems = []
        if page.wrong:
            first = page.parser.first_wrong
            place = f", the first is line {first}" if first else ""
            problems.append(f"{page.wrong} of {page.parser.lines} lines are not in the format{place}")
        if page.parser.truncated:
            problems.append("the page ends without # EOF, so a part may be missing")
        if self.ring.refused:
            problems.append(f"{self.ring.refused} series did not fit")
        state = HealthState.DEGRADED if problems else HealthState.OK
        row = self._endpoint_row(state, "; ".join(problems))
        return replace(
            row,
            value=page.seconds,
            unit="s",
            details={
                "series": page.samples,
                "bytes": page.size,
                "wrong lines": page.wrong,
                "format": "OpenMetrics" if page.parser.open_metrics else "Prometheus text",
            },
        )

    def _watched(self, watch: Watch, wanted: Selector, parser: PageParser) -> list[HealthSample]:
        found = self._lines(wanted, WATCH_ROWS)
        if not found:
            return [self._row(_title(watch), HealthState.UNKNOWN, "no such series on the page")]
        rows = []
        for line in found:
            rate = parser.is_counting(line.name) or wanted.rate if watch.rate is None else watch.rate
            points = list(line.rates() if rate else line.points())
            tail = selector(as_mapping(line.labels)) if len(found) > 1 else ""
            subject = f"{_title(watch)} {tail}".strip()
            if not points:
                rows.append(self._row(subject, HealthState.UNKNOWN, "a rate needs a second look"))
                continue
            value = points[-1][1]
            state, reason = watch.judge(value)
            labels = as_mapping(line.labels)
            rows.append(
                replace(
                    self._row(subject, state, reason),
                    value=value if math.isfinite(value) else None,
                    unit=watch.unit or _unit(line.name, parser, rate=rate),
                    resource={**self._resource, **resource_of(labels, service_label=watch.service)},
                    details={"metric": line.name, **labels},
                )
            )
        return rows

    def _lines(self, wanted: Selector, limit: int) -> list[Line]:
        fitting = (
            line for line in self.ring.named(wanted.name) if wanted.fits(line.name, as_mapping(line.labels))
        )
        return [line for line, _ in zip(fitting, range(limit), strict=False)]

    def _answer(self, wanted: Selector, within: TimeRange, step: float) -> list[Series]:
        found = []
        for line in self._lines(wanted, ANSWER_SERIES):
            points = [
                (at, value)
                for at, value in (line.rates() if wanted.rate else line.points())
                if at <= within.end and (step <= 0 or at >= within.start) and math.isfinite(value)
            ]
            points = points[-1:] if step <= 0 else _thinned(points, int(step * 1e9))
            unit = _unit(line.name, self._parser, rate=wanted.rate)
            found.append(
                Series(
                    name=line.name,
                    labels=as_mapping(line.labels),
                    points=tuple(points),
                    unit=unit,
                    source=self.name,
                )
            )
        return found

    def _endpoint_row(self, state: HealthState, reason: str) -> HealthSample:
        row = self._row(f"scrape {self.http.url.partition('?')[0]}", state, reason)
        return replace(row, kind="target")

    def _row(self, subject: str, state: HealthState, reason: str) -> HealthSample:
        return HealthSample(
            at=time.time_ns(),
            subject=subject,
            kind="check",
            state=state,
            reason=reason,
            source=self.name,
            resource=self._resource,
        )


def _selector(watch: Watch, where: str) -> Selector:
    try:
        return parse_selector(watch.selector, where=where)
    except BadAnswer as error:
        raise ConfigError(error.message, key="watch.selector", remedy=error.remedy) from None


def _title(watch: Watch) -> str:
    return watch.name or watch.selector


def _thinned(points: Sequence[tuple[int, float]], step: int) -> list[tuple[int, float]]:
    """Return the last point of every step."""
    kept: dict[int, tuple[int, float]] = {}
    for point in points:
        kept[point[0] // max(1, step)] = point
    return list(kept.values())


def _unit(name: str, parser: PageParser, *, rate: bool) -> str:
    """Return a metric's unit: as the page gives it, else by its name's ending, as metrics are named by convention."""
    stem = name.removesuffix("_total")
    word = parser.units.get(stem) or parser.units.get(name) or stem.rpartition("_")[2]
    unit = {"seconds": "s", "bytes": "By", "ratio": "1", "celsius": "Cel", "volts": "V", "joules": "J"}.get(
        word, ""
    )
    return f"{unit or '1'}/s" if rate else unit
