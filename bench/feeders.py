"""What feeds the cockpit while it is measured, each a process of its own: a log writer, a tracer, an alert server.

`python -m bench.feeders logs FILE RATE`, `spans PORT RATE`, `alerts COUNT` (prints the port it got). They run until
they are ended. Each keeps to its rate by the clock: what a late turn missed, the next one makes up for.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LOG_TURN = 0.02
SPAN_TURN = 0.1
LEVELS = ("INFO", "INFO", "INFO", "INFO", "DEBUG", "INFO", "WARN", "INFO", "INFO", "ERROR")
PATHS = ("/cart", "/checkout", "/search?q=shoes", "/login", "/product/4711", "/static/app.js", "/health")
SPANS_A_TRACE = 8
SERVICES = ("gateway", "cart", "payment", "stock")


def turns(rate: float, every: float) -> Iterator[tuple[int, int]]:
    """Yield (the first number, how many) at each turn, so that the numbers keep to the rate."""
    began, sent = time.perf_counter(), 0
    while True:
        time.sleep(every)
        due = int((time.perf_counter() - began) * rate)
        yield sent, due - sent
        sent = due


def logs(file: Path, rate: float) -> None:
    """Append numbered lines to a file, as a busy service would."""
    with file.open("ab", buffering=0) as opened:
        for first, count in turns(rate, LOG_TURN):
            stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            opened.write(
                "".join(
                    f"{stamp} {LEVELS[n % 10]} request {PATHS[n % 7]} took {n * 7919 % 997} ms "
                    f"user={n * 31 % 5003} seq={n}\n"
                    for n in range(first, first + count)
                ).encode()
            )


def spans(port: int, rate: float) -> None:
    """Send spans by OTLP/HTTP with protobuf, as an exporter's batch processor does."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            for first, count in turns(rate, SPAN_TURN):
                connection.request(
                    "POST", "/v1/traces", _export(first, count), {"Content-Type": "application/x-protobuf"}
                )
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 200:
                    raise SystemExit(f"the receiver answered {answer.status}: {body[:200]!r}")
                ExportTraceServiceResponse.FromString(body)
        except ConnectionError:
            time.sleep(0.2)  # the receiver isn't there yet


def _export(first: int, count: int) -> bytes:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    scopes = []
    for service in SERVICES:
        group = request.resource_spans.add()
        group.resource.attributes.add(key="service.name").value.string_value = service
        scopes.append(group.scope_spans.add())
    now = time.time_ns()
    trace, root = b"", b""
    for number in range(first, first + count):
        place = number % SPANS_A_TRACE
        if place == 0 or not trace:
            trace, root = os.urandom(16), b""
        span_id = os.urandom(8)
        span = scopes[place % len(scopes)].spans.add(
            trace_id=trace,
            span_id=span_id,
            parent_span_id=root,
            name=f"step {place}",
            kind=2 if place == 0 else 3,
            start_time_unix_nano=now - 50_000_000 + place * 1_000_000,
            end_time_unix_nano=now - place * 500_000,
        )
        span.attributes.add(key="http.route").value.string_value = PATHS[number % 7]
        span.attributes.add(key="http.response.status_code").value.int_value = (
            500 if number % 97 == 0 else 200
        )
        if number % 97 == 0:
            span.status.code = 2
        root = root or span_id
    return request.SerializeToString()


def alert_groups(count: int, turn: int) -> list[dict[str, object]]:
    """Return groups of a hundred as Alertmanager's API v2 gives them; each turn one in fifty has changed."""
    groups = []
    for start in range(0, count, 100):
        name, cluster = f"Alert{start // 100:03d}", f"cluster-{start // 1000}"
        alerts = [_alert(number, name, cluster, turn) for number in range(start, min(start + 100, count))]
        labels = {"alertname": name, "cluster": cluster}
        groups.append({"labels": labels, "receiver": {"name": "on-call"}, "alerts": alerts})
    return groups


def _alert(number: int, name: str, cluster: str, turn: int) -> dict[str, object]:
    held = (number + turn) % 50 == 0
    return {
        "labels": {
            "alertname": name,
            "cluster": cluster,
            "instance": f"node-{number}:9100",
            "job": "node",
            "service": f"service-{number % 40}",
            "severity": ("critical", "warning", "warning", "info")[number % 4],
        },
        "annotations": {
            "summary": f"node-{number} is not as it should be",
            "runbook_url": "http://runbook/x",
        },
        "startsAt": f"2026-01-01T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000Z",
        "endsAt": "2100-01-01T00:00:00.000Z",
        "updatedAt": "2026-01-01T00:00:00.000Z",
        "fingerprint": f"{number:016x}",
        "generatorURL": "http://prometheus/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
        "receivers": [{"name": "on-call"}],
        "status": {
            "state": "suppressed" if held else "active",
            "silencedBy": [],
            "inhibitedBy": [f"{number - number % 100:016x}"] if held else [],
        },
    }


def alerts(count: int) -> None:
    """Serve what the cockpit reads of Alertmanager's API v2."""
    answers = [json.dumps(alert_groups(count, turn)).encode() for turn in range(4)]
    turn = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            nonlocal turn
            body = b"[]"
            if self.path.startswith("/api/v2/alerts/groups"):
                body, turn = answers[turn % len(answers)], turn + 1
            elif self.path.startswith("/api/v2/status"):
                body = b'{"versionInfo": {"version": "0.25.0"}, "cluster": {"status": "disabled"}}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "logs":
        logs(Path(rest[0]), float(rest[1]))
    elif what == "spans":
        spans(int(rest[0]), float(rest[1]))
    else:
        alerts(int(rest[0]))
