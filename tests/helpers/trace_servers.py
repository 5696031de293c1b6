"""Servers that answer as the documentation of Jaeger's and Zipkin's query APIs says, from traces given as JSON.

Neither program can be installed here, so these honour the documented parameters (service, time range, limit, tags,
duration), give the newest first, and answer 404 and Jaeger's error envelope for what they don't know.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from tests.helpers.http_server import Asked, Said, http_server

Json = dict[str, Any]


def _said(status: int, body: object) -> Said:
    return Said(status, json.dumps(body).encode(), {"content-type": "application/json"})


class Jaeger:
    """Jaeger's `/api`, as jaeger-query serves it."""

    def __init__(self, *traces: Json) -> None:
        self.traces = list(traces)
        self.asked: list[Asked] = []

    def __call__(self, asked: Asked) -> Said:
        self.asked.append(asked)
        if asked.path == "/api/services":
            names = {p["serviceName"] for trace in self.traces for p in trace["processes"].values()}
            return _said(
                200, {"data": sorted(names) or None, "total": len(names), "limit": 0, "errors": None}
            )
        if asked.path == "/api/traces":
            return self._search(asked)
        if asked.path.startswith("/api/traces/"):
            wanted = asked.path.rsplit("/", 1)[1]
            found = [trace for trace in self.traces if trace["traceID"] == wanted]
            if not found:
                return _error(404, "trace not found")
            return _said(200, {"data": found, "total": 0, "limit": 0, "offset": 0, "errors": None})
        return _said(404, {"message": "Not found"})

    def _search(self, asked: Asked) -> Said:
        if not asked.param("service"):
            return _error(400, "parameter 'service' is required")
        tags = json.loads(asked.param("tags", "{}"))
        least = int(asked.param("minDuration", "0us").removesuffix("us"))
        found = [
            trace
            for trace in self.traces
            if any(self._fits(trace, span, asked, tags, least) for span in trace["spans"])
        ]
        found.sort(key=lambda trace: -min(span["startTime"] for span in trace["spans"]))
        return _said(200, {"data": found[: int(asked.param("limit", "20"))], "errors": None})

    @staticmethod
    def _fits(trace: Json, span: Json, asked: Asked, tags: dict[str, str], least: int) -> bool:
        held = {tag["key"]: str(tag["value"]).lower() for tag in span["tags"]}
        return (
            trace["processes"][span["processID"]]["serviceName"] == asked.param("service")
            and int(asked.param("start")) <= span["startTime"] <= int(asked.param("end"))
            and span["duration"] >= least
            and all(held.get(key) == value for key, value in tags.items())
        )


def _error(code: int, message: str) -> Said:
    return _said(code, {"data": None, "errors": [{"code": code, "msg": message}]})


class Zipkin:
    """Zipkin's `/api/v2`."""

    def __init__(self, *traces: list[Json]) -> None:
        self.traces = list(traces)
        self.asked: list[Asked] = []

    def __call__(self, asked: Asked) -> Said:
        self.asked.append(asked)
        if asked.path == "/api/v2/services":
            return _said(200, sorted({_service(span) for trace in self.traces for span in trace}))
        if asked.path == "/api/v2/traces":
            return self._search(asked)
        if asked.path.startswith("/api/v2/trace/"):
            wanted = asked.path.rsplit("/", 1)[1]
            found = [trace for trace in self.traces if trace[0]["traceId"] == wanted]
            return _said(200, found[0]) if found else Said(404, b"not found")
        return Said(404, b"not found")

    def _search(self, asked: Asked) -> Said:
        end = int(asked.param("endTs")) * 1000
        start = end - int(asked.param("lookback")) * 1000
        service, key = asked.param("serviceName"), asked.param("annotationQuery")
        least = int(asked.param("minDuration", "0"))
        found = [
            trace
            for trace in self.traces
            if any(
                start <= span.get("timestamp", 0) <= end + 999
                and (not service or _service(span) == service)
                and (not key or key in span.get("tags", {}))
                and span.get("duration", 0) >= least
                for span in trace
            )
        ]
        found.sort(key=lambda trace: -min(span["timestamp"] for span in trace if span.get("timestamp")))
        return _said(200, found[: int(asked.param("limit", "10"))])


def _service(span: Json) -> str:
    name: str = span.get("localEndpoint", {}).get("serviceName", "")
    return name


@contextlib.asynccontextmanager
async def serving(store: Jaeger | Zipkin) -> AsyncIterator[str]:
    """Serve a store for the length of a block and give its URL."""
    async with http_server(store) as url:
        yield url
