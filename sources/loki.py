"""Loki: followed, searched and counted by LogQL over its HTTP API.

Spoken are `/loki/api/v1/query_range`, `labels` and `series` (grafana.com/docs/loki/latest/reference/loki-http-api).
Its live tail is a websocket that drops records when a reader is slow; asking for what is new by time, with an
overlap, drops none. Proved on a server written after that documentation, not on a live Loki.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, TypeVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from cockpit.errors import BadAnswer
from cockpit.formats.json_lines import JsonFormat, LogfmtFormat
from cockpit.formats.levels import find_level
from cockpit.signals import LogRecord
from cockpit.source import LogCounts, TimeRange
from cockpit.stores.logs.query import parse_query
from cockpit.stores.logs.raw import read_raw
from cockpit.stores.logs.terms import Exists, Field, terms_of
from sources.support.go_text import quoted
from sources.support.http import Params
from sources.support.http_errors import NotFound
from sources.support.log_engine import Counted, LogEngineOptions, LogEngineSource
from sources.support.log_fields import level_number
from sources.support.log_pages import Page, Row
from sources.support.log_translate import Question, translated
from sources.support.logql import LogQl, Stages, label_name, parses

LEARN_EVERY = 600.0
"""Seconds that a list of labels is good for."""
MOST_STREAMS = 200
"""Streams asked one by one for a moment that has more records than Loki gives at a time."""
MOST_BUCKETS = 10_000
"""Loki evaluates a query at 11,000 points at most."""
_REMEDIES = {
    "max entries limit": "set `entries` to what Loki's max_entries_limit_per_query allows",
    "time range exceeds": "ask for a shorter time",
    "at least one": '`query` must begin with a selector that names a label, such as {app=~".+"}',
    "maximum of series": "ask for less: set `level_fields` to one label, or a narrower `query`",
}
"""What to do about what Loki says of its limits."""
T = TypeVar("T")
_CATEGORIZED = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}


class LokiOptions(LogEngineOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of a loki source; `url` is such as `http://loki:3100`."""

    query: str = '{service_name=~".+"}'
    """The streams that are meant, as a selector of LogQL, and stages after it: with `| json` or `| logfmt` at its end
    the fields of a line can be asked for. Loki gives each stream a `service_name` since 3.0."""
    tenant: str = ""
    """The tenant, sent as `X-Scope-OrgID`; several are joined by `|`."""
    entries: Annotated[int, Meta(ge=10, le=100_000)] = 5_000
    """Records that Loki gives in one answer at most: its `max_entries_limit_per_query`."""
    level_fields: tuple[str, ...] = ("level", "detected_level", "severity", "severity_text")
    """Labels that hold the level."""
    service_fields: tuple[str, ...] = ("service_name", "service", "app", "job")
    """Labels that hold the service's name."""
    host_fields: tuple[str, ...] = ("host_name", "hostname", "host", "instance")
    """Labels that hold the host's name."""
    trace_fields: tuple[str, ...] = ("trace_id", "traceID")
    """Labels that hold the trace's id."""
    span_fields: tuple[str, ...] = ("span_id", "spanID")
    """Labels that hold the span's id."""


class _Series(Struct, frozen=True):
    stream: dict[str, str] = {}
    metric: dict[str, str] = {}
    values: list[list[object]] = []


class _Data(Struct, frozen=True):
    resultType: str
    result: list[_Series] | None = None


class _Reply(Struct, frozen=True):
    data: _Data
    status: str = ""


class _Listed(Struct, frozen=True):
    data: list[str] | None = None


class _Streams(Struct, frozen=True):
    data: list[dict[str, str]] | None = None


class _Build(Struct, frozen=True):
    version: str = ""


class LokiSource(LogEngineSource[LokiOptions, Stages]):
    """Feeds logs from Loki, and searches and counts there."""

    kind = "loki"
    summary = "Grafana Loki: new records, search and histogram by LogQL"
    options_type = LokiOptions
    engine: ClassVar[str] = "Loki"
    log_language = "LogQL"

    def __init__(self, name: str, options: LokiOptions, **named: object) -> None:
        super().__init__(name, options, **named)  # type: ignore[arg-type]
        self.largest = options.entries
        self.labelled_traces = False
        """Whether labels were seen to tell a trace."""
        self._labels: tuple[float, frozenset[str]] = (0.0, frozenset())
        self._json, self._logfmt = JsonFormat(), LogfmtFormat()

    async def question(self, query: str) -> Question[Stages]:
        """Translate a query to stages of LogQL."""
        parsed = parses(self.options.query)
        labels: frozenset[str] = frozenset()
        if not parsed and read_raw(query) is None:
            asks = any(isinstance(term, Field | Exists) for term in terms_of(parse_query(query).root))
            labels = await self._known_labels() if asks else labels
        names = self.options.names()
        return translated(
            query, LogQl(self.name, names, labels=labels, parsed=parsed, traced=self.labelled_traces)
        )

    def pages(self, question: Question[Stages]) -> LokiPages:
        """Return what reads the answer by pages."""
        return LokiPages(self, self.text(question))

    def text(self, question: Question[Stages]) -> str:
        """Return a question as LogQL; a raw one may end in a comment, and more may be put after it."""
        if question.raw:
            return f"{question.raw}\n" if "#" in question.raw else question.raw
        return f"{self.options.query}{question.asked or Stages()}"

    async def who(self) -> str:
        """Ask for the version, and for the labels, which an unready or foreign server does not have."""
        try:
            build = await self._get("status/buildinfo", _Build, {})
        except NotFound:
            build = _Build()
        labels = await self._known_labels()
        return f"Loki {build.version}".strip() + f", {len(labels)} labels"

    async def streams(self, text: str, params: Mapping[str, str]) -> list[_Series]:
        """Ask for records.

        Raises:
            BadAnswer: The query counts instead of giving records, or was refused, in Loki's words.
        """
        data = (await self._get("query_range", _Reply, {"query": text, **params})).data
        if data.resultType != "streams":
            raise BadAnswer(
                f"the query gives no records but a {data.resultType}",
                where=self.name,
                remedy="leave out what counts, such as count_over_time",
            )
        return data.result or []

    async def series(self, text: str, at: int) -> list[dict[str, str]]:
        """Ask for the streams that a selector chooses and that have something about a moment."""
        selector = text[: _selector_end(text)]
        params = {"match[]": selector, "start": str(at - 1), "end": str(at + 1)}
        return (await self._get("series", _Streams, params)).data or []

    async def counted(self, question: Question[Stages], within: TimeRange, step: int) -> Counted:
        """Ask for counts by level label; a point counts what lies in the step before it, itself included."""
        names = [label_name(name) for name in self.options.level_fields]
        milliseconds = step // 1_000_000
        text = f"sum by ({', '.join(names)}) (count_over_time({self.text(question)} [{milliseconds}ms]))"
        params = {
            "query": text,
            "start": str(within.start + step - 1),
            "end": str(within.end),
            "step": f"{milliseconds / 1000:.3f}",
        }
        data = (await self._get("query_range", _Reply, params)).data
        counts: dict[int, dict[int, int]] = {}
        for series in data.result or ():
            told = ((name, series.metric.get(name, "")) for name in names)
            level = next((found for name, value in told if value and (found := level_number(name, value))), 0)
            buckets = counts.setdefault(level, {})
            for at, count in _points(series.values):
                # Told to the millisecond, a point is the last of its bucket; rounded up it is the end of it.
                place = at - within.start
                bucket = -(-place // step) - 1 if milliseconds > 1 else place // step
                buckets[bucket] = buckets.get(bucket, 0) + count
        return Counted(counts)

    async def count_logs(self, query: str, within: TimeRange, buckets: int) -> list[LogCounts]:
        """Return Loki's own counts; it knows 11,000 points at most."""
        return await super().count_logs(query, within, min(buckets, MOST_BUCKETS))

    def rows(self, found: Sequence[_Series]) -> list[Row]:
        """Make rows of streams.

        Raises:
            BadAnswer: An entry is none.
        """
        rows: list[Row] = []
        for series in found:
            shared = frozenset(series.stream.items())
            for entry in series.values:
                at, line, more = self._entry(entry)
                labels = {**series.stream, **more}
                identity = hash((line, shared, frozenset(more.items())))
                rows.append(Row(at, identity, self._record(at, line, labels)))
        return rows

    def _entry(self, entry: list[object]) -> tuple[int, str, dict[str, str]]:
        """Split an entry: time, line, and its own labels, in categories or not."""
        if (
            len(entry) < 2
            or not isinstance(entry[0], str)
            or not (entry[0].isascii() and entry[0].isdigit())
            or not isinstance(entry[1], str)
        ):
            raise BadAnswer("query_range answered with an entry that is none", where=self.name)
        more: dict[str, str] = {}
        own = entry[2] if len(entry) > 2 and isinstance(entry[2], dict) else {}
        for name, value in own.items():
            if isinstance(value, dict):
                more |= {str(inner): str(text) for inner, text in value.items()}
            else:
                more[str(name)] = str(value)
        return int(entry[0]), entry[1], more

    def _record(self, at: int, line: str, labels: Mapping[str, str]) -> LogRecord:
        record = self.maker.record(at, labels, body=line)
        self.labelled_traces = self.labelled_traces or any(
            name in labels for name in self.options.trace_fields
        )
        fields = self._json.said(line, observed=at) or self._logfmt.said(line, observed=at)
        if fields is None:
            return record
        told = any(level_number(name, labels[name]) for name in self.options.level_fields if name in labels)
        messages = self.options.message_fields
        own = {name: value for name, value in record.attributes.items() if name not in messages}
        named = {"service.name": fields.service, "host.name": fields.host}
        return replace(
            record,
            level=record.level if told else fields.level or find_level(fields.body.encode(errors="replace")),
            body=fields.body,
            attributes={**fields.attributes, **own},
            resource={**{name: text for name, text in named.items() if text}, **record.resource},
            trace_id=record.trace_id or fields.trace_id,
            span_id=record.span_id or fields.span_id,
        )

    async def _known_labels(self) -> frozenset[str]:
        learned, labels = self._labels
        if not labels or time.monotonic() - learned > LEARN_EVERY:
            labels = frozenset((await self._get("labels", _Listed, {})).data or ())
            self._labels = (time.monotonic(), labels)
        return labels

    async def _get(self, path: str, wanted: type[T], params: Params) -> T:
        try:
            return await self.http.get_json(
                f"/loki/api/v1/{path}", wanted, params=params, headers=self._headers()
            )
        except BadAnswer as error:
            remedy = next((text for mark, text in _REMEDIES.items() if mark in error.message), error.remedy)
            raise type(error)(error.message, where=error.where, remedy=remedy) from None

    def _headers(self) -> dict[str, str]:
        return {**_CATEGORIZED, **({"X-Scope-OrgID": self.options.tenant} if self.options.tenant else {})}


class LokiPages:
    """One question, read by pages of `query_range`."""

    def __init__(self, source: LokiSource, text: str) -> None:
        self._source = source
        self._text = text

    async def page(self, start: int, end: int, size: int, *, newest: bool) -> Page:
        """Return the first rows of a time; Loki's own end lies outside."""
        direction = "backward" if newest else "forward"
        params = {"start": str(start), "end": str(end + 1), "limit": str(size), "direction": direction}
        found = await self._source.streams(self._text, params)
        rows = await self._rows(found)
        rows.sort(key=lambda row: row.at, reverse=newest)
        return Page(rows, full=len(rows) >= size)

    async def moment(self, at: int) -> Page:
        """Return all rows of one moment, stream by stream where they are more than Loki gives at a time."""
        limit = self._source.options.entries
        page = await self.page(at, at, limit, newest=True)
        if not page.full:
            return page
        streams = await self._source.series(self._text, at)
        rows: list[Row] = []
        cut = len(streams) > MOST_STREAMS or not streams
        names = sorted({name for labels in streams for name in labels})
        for labels in streams[:MOST_STREAMS]:
            only = "".join(f" | {name}={quoted(labels.get(name, ''))}" for name in names)
            part = await LokiPages(self._source, self._text + only).page(at, at, limit, newest=True)
            rows += part.rows
            cut = cut or part.full
        note = (
            "a moment has more records than Loki gives at a time: raise `entries` there and here"
            if cut
            else ""
        )
        return Page(rows or page.rows, full=cut, note=note)

    async def _rows(self, found: Sequence[_Series]) -> list[Row]:
        if sum(len(series.values) for series in found) > 500:
            return await asyncio.to_thread(self._source.rows, found)
        return self._source.rows(found)


def _points(values: Sequence[Sequence[object]]) -> list[tuple[int, int]]:
    """Return (nanoseconds, count) of a series' points."""
    points = []
    for value in values:
        if len(value) == 2 and isinstance(value[0], int | float) and isinstance(value[1], str):
            points.append((round(value[0] * 1000) * 1_000_000, int(float(value[1]))))
    return points


def _selector_end(text: str) -> int:
    """Return where the selector of a query ends: after the first `}` outside quotes."""
    inside = ""
    place = 0
    while place < len(text):
        sign = text[place]
        if inside:
            if sign == "\\" and inside == '"':
                place += 1
            elif sign == inside:
                inside = ""
        elif sign in '"`':
            inside = sign
        elif sign == "}":
            return place + 1
        place += 1
    return len(text)
