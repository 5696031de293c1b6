"""Sources whose data changes all the time: a log file, a metrics page, an Alertmanager, and traces sent by OTLP."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
import urllib.request
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.helpers.http_server import Asked, Said, http_server
from tests.helpers.tcp_server import free_port

SERVICES = ("web", "cart", "pay", "db")
LEVELS = ("debug", "info", "info", "warning", "error")
JSON = {"content-type": "application/json"}


def _time(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Restless:
    """Makes up telemetry, never twice the same."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._silences: list[dict[str, Any]] = []
        self._traces = [f"{self._chance.getrandbits(128):032x}" for _ in range(20)]

    def answer(self, asked: Asked) -> Said:
        """Pose as a metrics page and as an Alertmanager that is away now and then."""
        if asked.path == "/metrics":
            rows = "".join(
                f'queue{{service="{service}"}} {self._chance.random() * 100}\n' for service in SERVICES
            )
            return Said(body=f"# TYPE queue gauge\n{rows}".encode(), headers={"content-type": "text/plain"})
        if self._chance.random() < 0.05:
            return Said(status=503)
        return Said(body=json.dumps(self._alertmanager(asked)).encode(), headers=JSON)

    def _alertmanager(self, asked: Asked) -> object:
        if asked.method == "POST":
            silence = f"{self._chance.getrandbits(64):016x}"
            state = {"id": silence, "status": {"state": "active"}, "updatedAt": _time(0)}
            self._silences.append({**json.loads(asked.body), **state})
            return {"silenceID": silence}
        if asked.method == "DELETE":
            self._silences.clear()
            return {}
        if asked.path.endswith("/silences"):
            return self._silences
        if asked.path.endswith("/alerts/groups"):
            return [self._group(service) for service in SERVICES if self._chance.random() < 0.8]
        return {}

    def _group(self, service: str) -> dict[str, object]:
        alerts = [self._alert(service, number) for number in range(self._chance.randint(0, 6))]
        return {"labels": {"service": service}, "receiver": {"name": "call"}, "alerts": alerts}

    def _alert(self, service: str, number: int) -> dict[str, object]:
        silenced = [each["id"] for each in self._silences] if self._chance.random() < 0.3 else []
        return {
            "labels": {
                "alertname": f"Trouble{number}",
                "severity": self._chance.choice(("critical", "warning", "info")),
                "service": service,
            },
            "annotations": {"summary": f"{service} is slow, {self._chance.randint(1, 99)} %"},
            "startsAt": _time(-60 * number),
            "endsAt": _time(300),
            "updatedAt": _time(0),
            "fingerprint": f"{service}{number}",
            "generatorURL": "",
            "receivers": [{"name": "call"}],
            "status": {
                "state": "suppressed" if silenced else "active",
                "silencedBy": silenced,
                "inhibitedBy": [],
            },
        }

    def lines(self) -> str:
        """Return a few log lines, of which some belong to a trace and some to a stack trace."""
        said = [
            json.dumps(
                {
                    "time": _time(0),
                    "level": self._chance.choice(LEVELS),
                    "service": self._chance.choice(SERVICES),
                    "trace_id": self._chance.choice(self._traces),
                    "msg": f"request {self._chance.randint(1, 9999)} "
                    + "took long " * self._chance.randint(0, 30),
                }
            )
            for _ in range(self._chance.randint(1, 20))
        ]
        if self._chance.random() < 0.2:
            said.append('Traceback (of the service):\n  File "a.py", line 1\n    \N{COLLISION SYMBOL}')
        return "\n".join(said) + "\n"

    def spans(self) -> bytes:
        """Return spans for one of a few traces, which thus grow."""
        now = time.time_ns()
        trace = self._chance.choice(self._traces)
        resources = []
        for service in SERVICES:
            spans = []
            for _ in range(self._chance.randint(1, 8)):
                start = now - self._chance.randint(1, 2 * 10**9)
                parent = f"{self._chance.randint(1, 40):016x}" if self._chance.random() < 0.9 else ""
                spans.append(
                    {
                        "traceId": trace,
                        "spanId": f"{self._chance.randint(1, 40):016x}",
                        "parentSpanId": parent,
                        "name": f"op {self._chance.randint(1, 9)}",
                        "startTimeUnixNano": str(start),
                        "endTimeUnixNano": str(start + self._chance.randint(0, 10**9)),
                        "status": {"code": self._chance.choice((0, 1, 2))},
                    }
                )
            name = {"key": "service.name", "value": {"stringValue": service}}
            resources.append({"resource": {"attributes": [name]}, "scopeSpans": [{"spans": spans}]})
        return json.dumps({"resourceSpans": resources}).encode()


def _configured(folder: Path, url: str, port: int) -> Path:
    file = folder / "cockpit.toml"
    file.write_text(
        f"""
default_sources = false
[[sources]]
kind = "files"
paths = ["{folder}/*.log"]
[[sources]]
kind = "host"
interval = 1
[[sources]]
kind = "exposition"
url = "{url}/metrics"
interval = 1
[[sources]]
kind = "alertmanager"
url = "{url}"
interval = 1
[[sources]]
kind = "otlp"
port = {port}
grpc = false
[[targets]]
name = "local"
environment = "development"
"""
    )
    return file


def _send(port: int, body: bytes) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/traces", body, JSON)
    with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=5):
        pass  # the cockpit starts and leaves meanwhile


@contextlib.asynccontextmanager
async def restless_sources(folder: Path, seed: int) -> AsyncIterator[Path]:
    """Run the sources for the length of a block and give the `cockpit.toml` that reads them."""
    restless = Restless(seed)
    port = free_port()
    log = folder / "restless.log"

    async def write() -> None:
        while True:
            with log.open("a") as out:
                out.write(restless.lines())
            await asyncio.to_thread(_send, port, restless.spans())
            await asyncio.sleep(0.15)

    async with http_server(restless.answer) as url:
        log.write_text(restless.lines())
        writing = asyncio.create_task(write())
        try:
            yield _configured(folder, url, port)
        finally:
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writing
