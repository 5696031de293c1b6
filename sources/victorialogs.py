"""VictoriaLogs: followed, searched and counted by LogsQL over its HTTP API.

Spoken are `/select/logsql/query` and `/select/logsql/hits` (docs.victoriametrics.com/victorialogs/querying). Its own
live tail, `/select/logsql/tail`, passes over a record whose time is not after the last one that it gave of a stream,
and the `limit` of a query gives a wrong part of records that share a moment; so looks and pages are ordered by a
`sort` pipe and overlap, which loses and repeats none. Tried against VictoriaLogs 1.112.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from cockpit.errors import BadAnswer
from cockpit.signals import SECOND, rfc3339
from cockpit.source import TimeRange
from sources.support.http_body import OFF_LOOP
from sources.support.log_engine import Counted, LogEngineOptions, LogEngineSource
from sources.support.log_fields import level_number
from sources.support.log_pages import Page, Row
from sources.support.log_translate import Question, translated
from sources.support.logsql import LogsQl
from sources.support.timestamps import nanoseconds

FIRST_SPAN = 60 * SECOND
"""The first piece of a long time that is searched; each further one is four times as long."""
_ROW: msgspec.json.Decoder[dict[str, str]] = msgspec.json.Decoder(dict[str, str])


class VictoriaLogsOptions(LogEngineOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of a victorialogs source; `url` is such as `http://victorialogs:9428`, `query` a LogsQL filter."""

    account: int = 0
    """The tenant's AccountID."""
    project: int = 0
    """The tenant's ProjectID."""
    message_fields: tuple[str, ...] = ("_msg",)
    """Fields that hold the message; of several, here and below, the first that a record has counts."""


class _Series(Struct, frozen=True):
    fields: dict[str, str] = {}
    timestamps: list[str] = []
    values: list[int] = []


class _Hits(Struct, frozen=True):
    hits: list[_Series] = []


class VictoriaLogsSource(LogEngineSource[VictoriaLogsOptions, str]):
    """Feeds logs from VictoriaLogs, and searches and counts there."""

    kind = "victorialogs"
    summary = "VictoriaLogs: new records, search and histogram by LogsQL"
    options_type = VictoriaLogsOptions
    engine: ClassVar[str] = "VictoriaLogs"
    log_language = "LogsQL"

    @classmethod
    def hidden(cls) -> frozenset[str]:
        """Return the fields by which it stores records."""
        return frozenset({"_time", "_stream", "_stream_id"})

    async def question(self, query: str) -> Question[str]:
        """Translate a query to a LogsQL filter."""
        return translated(query, LogsQl(self.name, self.options.names()))

    def pages(self, question: Question[str]) -> VictoriaLogsPages:
        """Return what reads the answer by pages."""
        return VictoriaLogsPages(self, question)

    async def who(self) -> str:
        """Ask for the version, which its metrics tell."""
        answer = await self.http.fetch("GET", "/metrics", headers=self._tenant())
        found = re.search(
            rb'vm_app_version\{version="([^"]{0,100})"[^}]*short_version="([^"]{0,40})"', answer.body
        )
        if b"vl_" not in answer.body:
            raise BadAnswer(
                "this is no VictoriaLogs",
                where=self.name,
                remedy="does `url` point at the right server and path?",
            )
        version = (found[2] or found[1]).decode("utf-8", "replace") if found else ""
        return f"VictoriaLogs {version}".strip()

    async def ask(
        self, path: str, text: str, params: Mapping[str, str | Sequence[str]], *, within: TimeRange
    ) -> bytes:
        """POST a query that holds within a time and within the source's own `query`.

        Raises:
            SourceError: It was refused, in the engine's words, or not answered.
        """
        form = {"query": text, **params, "extra_filters": self._extra(within)}
        headers = {"content-type": "application/x-www-form-urlencoded", **self._tenant()}
        answer = await self.http.fetch(
            "POST", path, content=urlencode(form, doseq=True).encode(), headers=headers, reading=True
        )
        return answer.body

    async def counted(self, question: Question[str], within: TimeRange, step: int) -> Counted:
        """Ask for hits by level field."""
        fields = self.options.level_fields
        params: dict[str, str | Sequence[str]] = {
            "step": f"{step // 1_000_000}ms",
            "offset": f"{within.start % step // 1_000_000}ms",
            "field": fields,
        }
        text = question.raw or question.asked or "*"
        body = await self.ask("/select/logsql/hits", text, params, within=within)
        try:
            found = msgspec.json.decode(body, type=_Hits)
        except msgspec.DecodeError:
            raise BadAnswer(
                "/select/logsql/hits answered with no JSON of its form", where=self.name
            ) from None
        counts: dict[int, dict[int, int]] = {}
        for series in found.hits:
            told = ((name, series.fields.get(name, "")) for name in fields)
            level = next((number for name, text in told if text and (number := level_number(name, text))), 0)
            buckets = counts.setdefault(level, {})
            for at, count in zip(series.timestamps, series.values, strict=False):
                bucket = (nanoseconds(at) - within.start) // step
                buckets[bucket] = buckets.get(bucket, 0) + count
        return Counted(counts)

    def _tenant(self) -> dict[str, str]:
        chosen = self.options
        if not (chosen.account or chosen.project):
            return {}
        return {"AccountID": str(chosen.account), "ProjectID": str(chosen.project)}

    def _extra(self, within: TimeRange) -> str:
        span = f"_time:[{rfc3339(max(0, within.start))}, {rfc3339(within.end)}]"
        return f"{span} ({self.options.query})" if self.options.query.strip() else span


class VictoriaLogsPages:
    """One question, read by pages: a long time is searched from its near end in pieces that grow."""

    def __init__(self, source: VictoriaLogsSource, question: Question[str]) -> None:
        self._source = source
        self._text = question.raw or question.asked or "*"

    async def page(self, start: int, end: int, size: int, *, newest: bool) -> Page:
        """Return the first rows of a time."""
        rows: list[Row] = []
        span = FIRST_SPAN
        order = " desc" if newest else ""
        while start <= end and len(rows) < size:
            near, far = (max(start, end - span), end) if newest else (start, min(end, start + span))
            left = size - len(rows)
            # On a line of its own, for a raw query may end in a comment.
            text = f"{self._text}\n| sort by (_time{order}) limit {left}"
            rows += await self._rows(text, near, far, newest=newest)
            start, end = (start, near - 1) if newest else (far + 1, end)
            span *= 4
        return Page(rows, full=len(rows) >= size)

    async def moment(self, at: int) -> Page:
        """Return all rows of one moment."""
        return Page(await self._rows(self._text, at, at, newest=True))

    async def _rows(self, text: str, start: int, end: int, *, newest: bool) -> list[Row]:
        body = await self._source.ask("/select/logsql/query", text, {}, within=TimeRange(start, end))
        if len(body) > OFF_LOOP:
            return await asyncio.to_thread(self._read, body, newest)
        return self._read(body, newest)

    def _read(self, body: bytes, newest: bool) -> list[Row]:
        rows: list[Row] = []
        for line in body.splitlines():
            if not line:
                continue
            try:
                fields = _ROW.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                fields = {}
            at = nanoseconds(fields.get("_time", ""))
            if not at:
                raise BadAnswer(
                    "/select/logsql/query answered with a line that is no record",
                    where=self._source.name,
                    remedy="a pipe in a raw query may have dropped or added fields; leave pipes out",
                )
            rows.append(Row(at, hash(frozenset(fields.items())), self._source.maker.record(at, fields)))
        rows.sort(key=lambda row: row.at, reverse=newest)
        return rows
