"""Jaeger: the newest, failing and slow traces of its services, searched and fetched by its query API.

Spoken is the JSON API that Jaeger's own screen uses (`/api/services`, `/api/traces`, `/api/traces/{id}`; times in
microseconds), which Jaeger 1.x and 2.x serve on the query port. `/api/v3`, where it is served, holds the same traces
as OTLP and is not needed. Proved on sample answers and on a server written after the API's documentation, not on a
live Jaeger.
"""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import quote

import msgspec

from cockpit.source import TimeRange
from sources.support import jaeger_json
from sources.support.trace_parts import Trace, newest_first
from sources.support.trace_polling import TraceStoreOptions, TraceStoreSource

MOST = 1_500
"""Traces that Jaeger gives in one answer at most."""


class JaegerOptions(TraceStoreOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `jaeger`; `url` is that of jaeger-query, such as `http://jaeger:16686`."""


class JaegerSource(TraceStoreSource[JaegerOptions]):
    """Feeds traces from Jaeger, and searches there."""

    kind: ClassVar[str] = "jaeger"
    summary: ClassVar[str] = "Jaeger query API: newest, failing and slow traces; search and fetch"
    options_type: ClassVar[type[JaegerOptions]] = JaegerOptions

    async def list_services(self) -> list[str]:
        """Ask for the services."""
        return await self.asked(
            "/api/services", {}, lambda raw, where, _: jaeger_json.read_services(raw, where)
        )

    async def search(
        self, service: str, within: TimeRange, limit: int, *, errors_only: bool = False, slower: float = 0.0
    ) -> list[Trace]:
        """Ask for the newest traces of a service."""
        params = {
            "service": service,
            "start": str(within.start // 1000),
            "end": str(within.end // 1000),
            "limit": str(min(limit, MOST)),
            "lookback": "custom",
        }
        if errors_only:
            params["tags"] = msgspec.json.encode({"error": "true"}).decode()
        if slower:
            params["minDuration"] = f"{round(slower * 1_000_000)}us"
        found = await self.asked("/api/traces", params, jaeger_json.read_traces)
        return newest_first(found, limit)  # some of its stores answer in no order

    async def fetch_trace(self, trace_id: str) -> list[Trace]:
        """Ask for one trace."""
        path = f"/api/traces/{quote(trace_id, safe='')}"
        return await self.asked(path, {}, jaeger_json.read_traces)
