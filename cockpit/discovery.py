"""What this machine has that a cockpit could watch: `cockpit init` asks well-known ports of the loopback address.

Each port is asked for a page by which the service is told from any other that may listen there. Nothing is sent to
another machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence

from msgspec import Struct

HOST = "127.0.0.1"
TIMEOUT = 0.5
"""Seconds a service has to answer; on the loopback address it takes one or two milliseconds."""
READ = 256 * 1024
"""Bytes of an answer that are looked through."""

OWN = b"\r\nserver: cockpit\r\n"
"""What is in the head of every answer of a cockpit's own OTLP receiver."""


class Probe(Struct, frozen=True, kw_only=True):
    """How to tell a service on a well-known port.

    Attributes:
        kind: The kind of source that watches it.
        what: Its name, for people.
        path: The page to ask for; empty where being able to connect is all that can be told, but for `mark`: it then
            tells a cockpit, which a port is not taken by.
        page: The path that belongs into the source's `url`.
        mark: What its answer holds.
    """

    kind: str
    what: str
    port: int
    path: str = "/metrics"
    mark: bytes = b""
    page: str = ""


PROBES = (
    Probe(
        kind="prometheus", what="Prometheus", port=9090, path="/api/v1/status/buildinfo", mark=b'"goVersion"'
    ),
    Probe(kind="prometheus", what="VictoriaMetrics", port=8428, mark=b"vm_new_timeseries_created_total"),
    Probe(kind="alertmanager", what="Alertmanager", port=9093, path="/api/v2/status", mark=b'"versionInfo"'),
    Probe(
        kind="exposition", what="node_exporter", port=9100, mark=b"node_exporter_build_info", page="/metrics"
    ),
    Probe(
        kind="exposition",
        what="blackbox_exporter",
        port=9115,
        mark=b"blackbox_exporter_build_info",
        page="/metrics",
    ),
    Probe(kind="exposition", what="Pushgateway", port=9091, mark=b"pushgateway_build_info", page="/metrics"),
    Probe(kind="jaeger", what="Jaeger", port=16686, path="/api/services", mark=b'"data":'),
    Probe(kind="zipkin", what="Zipkin", port=9411, path="/info", mark=b"zipkin"),
    Probe(kind="loki", what="Loki", port=3100, path="/loki/api/v1/status/buildinfo", mark=b'"goVersion"'),
    Probe(kind="elasticsearch", what="Elasticsearch", port=9200, path="/", mark=b"You Know, for Search"),
    Probe(kind="elasticsearch", what="OpenSearch", port=9200, path="/", mark=b"The OpenSearch Project"),
    Probe(kind="victorialogs", what="VictoriaLogs", port=9428, mark=b"vl_rows_ingested_total"),
    Probe(kind="otlp", what="an OTLP receiver", port=4318, path="", mark=OWN),
)


class Service(Struct, frozen=True, kw_only=True):
    """A service that answered, as a source could be made of it."""

    kind: str
    what: str
    url: str


class Discovered(Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        host: This machine's name.
        services: What answered, the port that OTLP needs not among them.
        otlp_port_taken: Whether something other than a cockpit listens on the OTLP receiver's port already.
    """

    host: str
    services: tuple[Service, ...] = ()
    otlp_port_taken: bool = False


async def discover(probes: Sequence[Probe] = PROBES, *, timeout: float = TIMEOUT) -> Discovered:
    """Ask all ports at once and return what answered as it should."""
    answers = await asyncio.gather(*(_answers(probe, timeout) for probe in probes))
    found = [probe for probe, answered in zip(probes, answers, strict=True) if answered]
    return Discovered(
        host=socket.gethostname(),
        services=tuple(
            Service(kind=probe.kind, what=probe.what, url=f"http://{HOST}:{probe.port}{probe.page}")
            for probe in found
            if probe.path
        ),
        otlp_port_taken=any(not probe.path for probe in found),
    )


async def _answers(probe: Probe, timeout: float) -> bool:
    """Tell whether a port answers as the service would. No answer, or another one, is what a probe is for."""
    connected = marked = False
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(HOST, probe.port)
            connected = True
            try:
                marked = await _ask(probe, reader, writer)
            finally:
                writer.close()
    return marked if probe.path else connected and not marked


async def _ask(probe: Probe, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Tell whether the answer holds the mark."""
    if not probe.mark:
        return False
    request = f"GET {probe.path or '/'} HTTP/1.0\r\nHost: {HOST}:{probe.port}\r\nAccept: */*\r\n\r\n"
    writer.write(request.encode())
    await writer.drain()
    answer = bytearray()
    while len(answer) < READ and (part := await reader.read(READ)):
        answer += part
        if probe.mark in answer:
            return True
    return False
