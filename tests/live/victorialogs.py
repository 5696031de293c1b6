"""A real VictoriaLogs for the tests, where one was built: see `build_victorialogs.py`."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

import pytest

from cockpit.signals import rfc3339
from tests.live.build_victorialogs import found
from tests.live.servers import Server, wait_for


class VictoriaLogs(Server):
    """A VictoriaLogs that has nothing."""

    name = "victoria-logs"
    ready_path = "/health"

    def __init__(self) -> None:
        path = found()
        if path is None:
            pytest.skip("no VictoriaLogs was built here: see tests/live/build_victorialogs.py")
        self.name = path  # by which `Server` finds it, on PATH or not
        super().__init__()
        self.awaited: list[tuple[str, int, int]] = []
        """What was taken in and is not known to be found: query, tenant, and how many there will be."""

    def argv(self) -> list[str]:
        return [
            self.program,
            f"-storageDataPath={self.directory / 'data'}",
            f"-httpListenAddr={self.address}",
            "-retentionPeriod=10y",
            "-loggerLevel=ERROR",
        ]

    def post(self, path: str, body: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
        request = urllib.request.Request(
            self.url + path, data=body, headers={"content-type": kind, **(headers or {})}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status in (200, 204)

    def feed(
        self,
        records: Iterable[tuple[int, Mapping[str, object]]],
        *,
        streams: str = "service.name",
        tenant: int = 0,
        wait: bool = True,
    ) -> None:
        """Take records in, by `/insert/jsonline`, and wait until they are found, unless `settle` is to do that.

        For some two seconds VictoriaLogs leaves records out now and then whose stream is new that day.
        """
        fed = list(records)
        lines = [json.dumps({"_time": rfc3339(at), **fields}) for at, fields in fed]
        span = f"_time:[{rfc3339(min(at for at, _ in fed))}, {rfc3339(max(at for at, _ in fed))}]"
        self.awaited.append((span, tenant, self.count(span, tenant) + len(lines)))
        headers = {"AccountID": str(tenant)}
        body = "\n".join(lines).encode()
        self.post(f"/insert/jsonline?_stream_fields={streams}", body, "application/stream+json", headers)
        if wait:
            self.settle()

    def settle(self) -> None:
        """Wait until all that was taken in is found."""

        def steady() -> bool:
            return all(
                self.count(span, tenant) >= count for _ in range(4) for span, tenant, count in self.awaited
            )

        wait_for(steady, what="VictoriaLogs finding what it took in")
        self.awaited.clear()

    def count(self, query: str, tenant: int = 0) -> int:
        """Count what a query finds."""
        request = urllib.request.Request(
            self.url + "/select/logsql/query",
            data=urlencode({"query": query}).encode(),
            headers={"AccountID": str(tenant)},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return len(answer.read().splitlines())
