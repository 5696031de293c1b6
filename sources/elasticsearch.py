"""Elasticsearch and OpenSearch: followed, searched and counted by their search API.

Spoken are `_search`, `_field_caps` and points in time, as elastic.co/guide and opensearch.org/docs describe them.
Pages are ordered by time alone and told apart by `_id`; only for a moment that has more records than a page a point
in time is opened and read by `_shard_doc` in Elasticsearch, by slices in OpenSearch, for which the mapping need have
nothing. Proved on a server written after that documentation, on neither product alive.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, ClassVar, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Meta

from cockpit.errors import BadAnswer, Denied, SourceError, Unreachable, UsageError
from cockpit.signals import rfc3339
from cockpit.source import LogCounts, TimeRange
from cockpit.stores.logs.query import parse_query
from cockpit.stores.logs.raw import read_raw
from cockpit.stores.logs.terms import Exists, Field, terms_of
from sources.support.es_api import Caps, Found, Hit, Opened, Root, given, type_of
from sources.support.es_dsl import Dsl, EsDsl
from sources.support.http_body import decode
from sources.support.log_engine import Counted, LogEngineOptions, LogEngineSource
from sources.support.log_fields import flattened
from sources.support.log_pages import Page, Row
from sources.support.log_translate import Question, translated
from sources.support.timestamps import nanoseconds

WINDOW = 10_000
"""Records that one search gives at most: `index.max_result_window`."""
LEARN_EVERY = 600.0
"""Seconds that the types of fields are good for."""
KEEP = "1m"
"""How long a point in time is kept after each request."""
MOST_BUCKETS = 8_000
"""With seven levels in each, that stays below `search.max_buckets`."""
MOST_SLICES = 64
NANOS = "strict_date_optional_time_nanos"
LEVELS = ((1, 5), (5, 9), (9, 13), (13, 17), (17, 21), (21, 64))
T = TypeVar("T")
_REMEDIES = {
    "Result window is too large": "set `page` to what index.max_result_window allows",
    "allow_expensive_queries": "set `parts = false`, or allow expensive queries there",
    "too_many_buckets": "ask for fewer buckets",
    "Data too large": "it is short of memory: ask for less at a time",
    "No mapping found for": "set `time_field` to the field that holds the time",
}


class ElasticsearchOptions(LogEngineOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of an elasticsearch source; `url` is such as `https://elastic:9200`.

    An API key goes into `headers.authorization`, a secret whose value is `ApiKey …`.
    """

    query: str = ""
    """Which records are meant: a Lucene query string, or a query of the DSL as JSON."""
    index: str = "logs-*,filebeat-*,logstash-*"
    """The indices, data streams or aliases to search, joined by commas; `*` stands for anything."""
    time_field: str = "@timestamp"
    """The field that records are ordered by."""
    parts: bool = False
    """Whether a word of a query is found within a longer one too, which costs a look at every word of the index."""
    late: Annotated[float, Meta(ge=0, le=3_600)] = 40.0
    """Seconds after its own time within which a record may become searchable and is still found."""
    message_fields: tuple[str, ...] = ("message",)
    """Fields that hold the message; of several, here and below, the first that a record has counts."""
    level_fields: tuple[str, ...] = ("log.level", "level", "severity_text")
    """Fields that hold the level."""
    service_fields: tuple[str, ...] = ("service.name", "service")
    """Fields that hold the service's name."""
    host_fields: tuple[str, ...] = ("host.name", "host.hostname")
    """Fields that hold the host's name."""
    trace_fields: tuple[str, ...] = ("trace.id", "trace_id")
    """Fields that hold the trace's id."""
    span_fields: tuple[str, ...] = ("span.id", "span_id")
    """Fields that hold the span's id."""

    def __post_init__(self) -> None:
        try:
            given(self.query)
        except UsageError as error:
            raise ValueError(f"query is {error.message}") from None


class ElasticsearchSource(LogEngineSource[ElasticsearchOptions, Dsl]):
    """Feeds logs from Elasticsearch or OpenSearch, and searches and counts there."""

    kind = "elasticsearch"
    summary = "Elasticsearch and OpenSearch: new records, search and histogram by the query DSL"
    options_type = ElasticsearchOptions
    engine: ClassVar[str] = "Elasticsearch"
    log_language = "Lucene"

    def __init__(self, name: str, options: ElasticsearchOptions, **named: Any) -> None:
        super().__init__(name, options, **named)
        self.path = f"/{quote(options.index, safe=',*-_.:')}"
        self._base = given(options.query)
        self._types: dict[str, str] = {}
        self._learned = 0.0
        self._opensearch: bool | None = None

    @classmethod
    def hidden(cls) -> frozenset[str]:
        """Return the fields that are said otherwise."""
        return frozenset({"@timestamp"})

    async def question(self, query: str) -> Question[Dsl]:
        """Translate a query to the DSL, by what the asked fields are mapped to."""
        if not query.strip() or read_raw(query) is not None:
            return translated(query, self._translator())
        asked = terms_of(parse_query(query).root)
        await self._learn({term.key for term in asked if isinstance(term, Field | Exists)})
        return translated(query, self._translator())

    def pages(self, question: Question[Dsl]) -> ElasticsearchPages:
        """Return what reads the answer by pages."""
        return ElasticsearchPages(self, question)

    async def who(self) -> str:
        """Ask for product and version."""
        root = await self.http.get_json("/", Root)
        self._opensearch = root.version.distribution == "opensearch"
        product = "OpenSearch" if self._opensearch else "Elasticsearch"
        return f"{product} {root.version.number}".strip() + (
            f" ({root.cluster_name})" if root.cluster_name else ""
        )

    async def is_opensearch(self) -> bool:
        """Tell the two products apart; where that can't be asked it counts as Elasticsearch."""
        if self._opensearch is None:
            try:
                await self.who()
            except (BadAnswer, Denied):
                self._opensearch = False
        return bool(self._opensearch)

    def filters(self, question: Question[Dsl], within: TimeRange) -> Dsl:
        """Return a question as one query that holds within a time and within the source's own `query`."""
        bounds = {"gte": rfc3339(max(0, within.start)), "lte": rfc3339(within.end), "format": NANOS}
        asked = given(question.raw) if question.raw else question.asked
        held = [{"range": {self.options.time_field: bounds}}, self._base, asked]
        return {"bool": {"filter": [one for one in held if one is not None]}}

    async def search(self, body: Mapping[str, object], *, path: str = "") -> Found:
        """Put a search.

        Raises:
            SourceError: It was refused, in the engine's words, or not answered.
        """
        whole = {"timeout": f"{max(1, round(self.options.timeout * 900))}ms", **body}
        return await self._post(path or f"{self.path}/_search", whole, Found)

    @asynccontextmanager
    async def point_in_time(self) -> AsyncIterator[str]:
        """Hold the indices as they are for the length of a block, and give the name of that."""
        newer = await self.is_opensearch()
        path = "_search/point_in_time" if newer else "_pit"
        opened = await self._open(f"{self.path}/{path}")
        held = opened.pit_id if newer else opened.id
        try:
            yield held
        finally:
            closing = {"pit_id": [held]} if newer else {"id": held}
            try:
                await self._post(f"/{path}", closing, msgspec.Raw, method="DELETE")
            except SourceError:
                pass  # it ends by itself, after KEEP

    async def counted(self, question: Question[Dsl], within: TimeRange, step: int) -> Counted:
        """Ask for a histogram by time, each bucket split by what the level fields say."""
        await self._learn(())
        translator = self._translator()
        bands = {str(low): translator.level(low, high) for low, high in LEVELS}
        over = {
            "field": self.options.time_field,
            "fixed_interval": f"{step // 1_000_000}ms",
            "offset": f"{within.start % step // 1_000_000}ms",
            "min_doc_count": 1,
        }
        levels = {"filters": {"filters": bands, "other_bucket_key": "0"}}
        found = await self.search(
            {
                "size": 0,
                "query": self.filters(question, within),
                "aggs": {"over": {"date_histogram": over, "aggs": {"levels": levels}}},
            }
        )
        counts: dict[int, dict[int, int]] = {}
        for bucket in found.aggregations.over.buckets:
            number = (int(bucket.key) * 1_000_000 - within.start) // step
            for level, band in bucket.levels.buckets.items():
                if band.doc_count and level.isdigit():
                    counts.setdefault(int(level), {})[number] = band.doc_count
        return Counted(counts, found.note())

    async def count_logs(self, query: str, within: TimeRange, buckets: int) -> list[LogCounts]:
        """Return the engine's own counts."""
        return await super().count_logs(query, within, min(buckets, MOST_BUCKETS))

    def rows(self, hits: Sequence[Hit]) -> list[Row]:
        """Make rows of hits; one without a time is left out."""
        rows = []
        for hit in hits:
            told = hit.fields.get(self.options.time_field) or [""]
            at = nanoseconds(str(told[0]))
            if at:
                fields = flattened(hit.source)
                rows.append(Row(at, hash((hit.index, hit.id)), self.maker.record(at, fields)))
        return rows

    def _translator(self) -> EsDsl:
        return EsDsl(self.name, self.options.names(), self._types, parts=self.options.parts)

    async def _learn(self, keys: Collection[str]) -> None:
        """Ask for the types of fields, those of the options and these."""
        names = self.options.names()
        wanted = {*names.message, *names.level, *names.service, *names.host, *names.trace, *keys}
        if wanted <= self._types.keys() and time.monotonic() - self._learned < LEARN_EVERY:
            return
        params = {
            "fields": ",".join(sorted(name.replace(",", "") for name in wanted)),
            "ignore_unavailable": "true",
        }
        caps = await self._explained(self.http.get_json(f"{self.path}/_field_caps", Caps, params=params))
        self._types = dict.fromkeys(wanted, "") | {
            name: type_of(kinds) for name, kinds in caps.fields.items()
        }
        self._learned = time.monotonic()

    async def _post(
        self,
        path: str,
        body: object,
        wanted: type[T],
        *,
        params: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> T:
        return await self._explained(
            self.http.post_json(path, body, wanted, params=params, method=method, reading=True)
        )

    async def _open(self, path: str) -> Opened:
        answer = await self._explained(
            self.http.fetch("POST", path, params={"keep_alive": KEEP}, reading=True)
        )
        return decode(answer.body, Opened, where=self.name, path=path)

    async def _explained(self, asked: Awaitable[T]) -> T:
        try:
            return await asked
        except (BadAnswer, Unreachable) as error:
            remedy = next((text for mark, text in _REMEDIES.items() if mark in error.message), error.remedy)
            raise type(error)(error.message, where=error.where, remedy=remedy) from None


class ElasticsearchPages:
    """One question, read by pages that are ordered by time."""

    def __init__(self, source: ElasticsearchSource, question: Question[Dsl]) -> None:
        self._source = source
        self._question = question

    async def page(self, start: int, end: int, size: int, *, newest: bool) -> Page:
        """Return the first rows of a time."""
        body = self._body(TimeRange(start, end), size) | {
            "sort": [self._by_time("desc" if newest else "asc")]
        }
        found = await self._source.search(body)
        rows = await self._rows(found.hits.hits)
        rows.sort(key=lambda row: row.at, reverse=newest)
        return Page(rows, full=len(found.hits.hits) >= size, note=found.note())

    async def moment(self, at: int) -> Page:
        """Return all rows of one moment, more than a page of them."""
        async with self._source.point_in_time() as held:
            if await self._source.is_opensearch():
                return await self._sliced(at, held)
            return await self._searched_after(at, held)

    async def _searched_after(self, at: int, held: str) -> Page:
        rows: list[Row] = []
        note = ""
        after: list[Any] = []
        while True:
            body = self._body(TimeRange(at, at), WINDOW) | {"pit": {"id": held, "keep_alive": KEEP}}
            body["sort"] = [self._by_time("asc"), {"_shard_doc": "asc"}]
            if after:
                body["search_after"] = after
            found = await self._source.search(body, path="/_search")
            rows += await self._rows(found.hits.hits)
            note, held = note or found.note(), found.pit_id or held
            if len(found.hits.hits) < WINDOW:
                return Page(rows, note=note)
            after = found.hits.hits[-1].sort

    async def _sliced(self, at: int, held: str) -> Page:
        slices = 4
        while True:
            rows: list[Row] = []
            note = ""
            for number in range(slices):
                body = self._body(TimeRange(at, at), WINDOW) | {"pit": {"id": held, "keep_alive": KEEP}}
                body |= {"slice": {"id": number, "max": slices}, "sort": [self._by_time("asc")]}
                found = await self._source.search(body, path="/_search")
                rows += await self._rows(found.hits.hits)
                note = note or found.note()
                if len(found.hits.hits) >= WINDOW:
                    break
            else:
                return Page(rows, note=note)
            if slices >= MOST_SLICES:
                return Page(rows, full=True, note="a moment has more records than can be read")
            slices *= 4

    def _body(self, within: TimeRange, size: int) -> dict[str, object]:
        return {
            "size": min(size, WINDOW),
            "query": self._source.filters(self._question, within),
            "docvalue_fields": [{"field": self._source.options.time_field, "format": NANOS}],
            "track_total_hits": False,
        }

    def _by_time(self, order: str) -> Dsl:
        return {self._source.options.time_field: {"order": order, "unmapped_type": "date"}}

    async def _rows(self, hits: Sequence[Hit]) -> list[Row]:
        if len(hits) > 200:
            return await asyncio.to_thread(self._source.rows, hits)
        return self._source.rows(hits)
