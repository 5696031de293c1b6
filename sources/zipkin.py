"""Zipkin: the newest, failing and slow traces of its services, searched and fetched by its v2 API.

Spoken are `/api/v2/services`, `/api/v2/traces` and `/api/v2/trace/{id}` (times in milliseconds when asking, in
microseconds in what is answered), as Zipkin 2.0 and newer serve them. Proved on sample answers and on a server
written after the API's documentation, not on a live Zipkin.
"""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import quote

from cockpit.source import TimeRange
from sources.support import zipkin_json
from sources.support.trace_parts import Trace, newest_first
from sources.support.trace_polling import TraceStoreOptions, TraceStoreSource

MILLISECOND = 1_000_000


class ZipkinOptions(TraceStoreOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `zipkin`; `url` is that of the server, such as `http://zipkin:9411`."""


class ZipkinSource(TraceStoreSource[ZipkinOptions]):
    """Feeds traces from Zipkin, and searches there."""

    kind: ClassVar[str] = "zipkin"
    summary: ClassVar[str] = "Zipkin API v2: newest, failing and slow traces; search and fetch"
    options_type: ClassVar[type[ZipkinOptions]] = ZipkinOptions

    async def list_services(self) -> list[str]:
        """Ask for the services."""
        return await self.asked(
            "/api/v2/services", {}, lambda raw, where, _: zipkin_json.read_services(raw, where)
        )

    async def search(
        self, service: str, within: TimeRange, limit: int, *, errors_only: bool = False, slower: float = 0.0
    ) -> list[Trace]:
        """Ask for the newest traces of a service."""
        end = within.end // MILLISECOND
        params = {
            "endTs": str(end),
            "lookback": str(max(1, end - within.start // MILLISECOND)),
            "limit": str(limit),
        }
        if service:
            params["serviceName"] = service
        if errors_only:
            params["annotationQuery"] = "error"
        if slower:
            params["minDuration"] = str(round(slower * 1_000_000))
        found = await self.asked("/api/v2/traces", params, zipkin_json.read_traces)
        return newest_first(found, limit)

    async def search_all(self, within: TimeRange, limit: int, *, errors_only: bool) -> list[Trace]:
        """Ask for the newest traces of any service, which Zipkin answers at once, unless services are configured."""
        if self.options.services:
            return await super().search_all(within, limit, errors_only=errors_only)
        return await self.search("", within, limit, errors_only=errors_only)

    async def fetch_trace(self, trace_id: str) -> list[Trace]:
        """Ask for one trace."""
        path = f"/api/v2/trace/{quote(trace_id, safe='')}"
        return await self.asked(path, {}, zipkin_json.read_spans)
