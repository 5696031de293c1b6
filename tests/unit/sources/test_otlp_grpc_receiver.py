"""The gRPC side of the OTLP receiver: lazy, bounded, and gone when it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import textwrap
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cockpit.process import capture
from cockpit.signals import HealthSample, HealthState, Signal, Span
from sources.otlp import OtlpOptions, OtlpSource

grpc = pytest.importorskip("grpc", reason="the grpc extra is not installed")

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


class Collected:
    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self.rows: list[HealthSample] = []
        self.hold = asyncio.Event()
        self.hold.set()

    async def __call__(self, batch: Sequence[Signal]) -> None:
        await self.hold.wait()
        self.signals += batch

    async def replace(self, signal_type: type, batch: Sequence[Signal]) -> None:
        self.rows = [item for item in batch if isinstance(item, HealthSample)]


@asynccontextmanager
async def receiving(**options: int | float) -> AsyncIterator[tuple[OtlpSource, Collected, int]]:
    made = OtlpOptions(**{"port": 0, "grpc_port": 0, "interval": 0.05, **options})  # type: ignore[arg-type]
    source, collected = OtlpSource("otlp", made), Collected()
    task = asyncio.create_task(source.run(collected))
    while not source.ports and not task.done():
        await asyncio.sleep(0.005)
    try:
        yield source, collected, source.ports["gRPC"]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def a_request(spans: int = 1, name: str = "charge") -> bytes:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number in range(spans):
        span = scope.spans.add(trace_id=bytes(15) + b"\x01", name=name)
        span.span_id = (number + 1).to_bytes(8, "big")
        span.start_time_unix_nano = time.time_ns()
        span.end_time_unix_nano = span.start_time_unix_nano + 1
    return bytes(request.SerializeToString())


def call(port: int, body: bytes, *, gzip: bool = False, timeout: float = 5.0) -> bytes | str:
    """Send one request and return its answer, or the name of the status it failed with."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            packing = grpc.Compression.Gzip if gzip else None
            return bytes(channel.unary_unary(TRACES)(body, timeout=timeout, compression=packing))
        except grpc.RpcError as error:
            return str(error.code().name)


async def test_requests_of_several_clients_arrive() -> None:
    async with receiving() as (_, collected, port):
        answers = await asyncio.gather(
            *(asyncio.to_thread(call, port, a_request(500), gzip=bool(n % 2)) for n in range(8))
        )
        assert set(answers) == {b""}
        assert len(collected.signals) == 4000
        assert all(isinstance(span, Span) and span.name == "charge" for span in collected.signals)


async def test_what_is_refused_has_the_right_status() -> None:
    async with receiving(body_limit=100_000) as (_, collected, port):
        assert await asyncio.to_thread(call, port, b"\xff\xff\xff") == "INVALID_ARGUMENT"
        assert await asyncio.to_thread(call, port, a_request(1, "x" * 200_000)) == "RESOURCE_EXHAUSTED"
        assert await asyncio.to_thread(call, port, a_request(1)) == b""
        assert len(collected.signals) == 1


async def test_a_fault_of_our_own_ends_the_run_and_is_seen() -> None:
    class Broken(Collected):
        async def __call__(self, batch: Sequence[Signal]) -> None:
            raise ZeroDivisionError("a fault")

    source = OtlpSource("otlp", OtlpOptions(port=0, grpc_port=0))
    task = asyncio.create_task(source.run(Broken()))
    while not source.ports:
        await asyncio.sleep(0.005)
    answer = await asyncio.to_thread(call, source.ports["gRPC"], a_request())
    assert answer in ("INTERNAL", "UNAVAILABLE", "CANCELLED")
    with pytest.raises(ZeroDivisionError, match="a fault"):
        await asyncio.wait_for(task, 2)


async def test_a_gzip_bomb_is_refused() -> None:
    async with receiving(body_limit=1 << 20) as (_, _, port):
        bomb = a_request(1, " " * (64 << 20))
        assert await asyncio.to_thread(call, port, bomb, gzip=True) == "RESOURCE_EXHAUSTED"
        assert await asyncio.to_thread(call, port, a_request(1)) == b""


async def test_clients_come_back_while_the_cockpit_cannot_keep_up() -> None:
    body = a_request(15)
    async with receiving(body_limit=1024) as (_, collected, port):
        assert 600 < len(body) < 1024
        collected.hold.clear()
        waiting = [asyncio.create_task(asyncio.to_thread(call, port, body)) for _ in range(4)]
        await asyncio.sleep(0.5)
        collected.hold.set()
        assert set(await asyncio.gather(*waiting)) <= {b"", "UNAVAILABLE"}
        assert len(collected.signals) >= 15


async def test_it_stops_at_once_with_a_request_underway() -> None:
    async with receiving() as (_, collected, port):
        collected.hold.clear()
        waiting = asyncio.create_task(asyncio.to_thread(call, port, a_request()))
        await asyncio.sleep(0.3)
        started = time.perf_counter()
    assert time.perf_counter() - started < 0.8
    assert await waiting in ("UNAVAILABLE", "CANCELLED")
    await asyncio.sleep(0.1)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("otlp-grpc")]


@pytest.mark.parametrize(
    "raw", [b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", bytes(range(128, 192))]
)
async def test_another_protocol_is_told_where_to_go_and_starts_nothing(raw: bytes) -> None:
    async with receiving() as (_, _, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw)
        with contextlib.suppress(ConnectionError):
            answer = await reader.read(4096)
            assert answer.startswith(b"HTTP/1.1 400") and b"4318" in answer
        writer.close()
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("otlp-grpc")]


async def test_garbage_behind_the_preface_harms_nobody_else(capfd: pytest.CaptureFixture[str]) -> None:
    async with receiving() as (_, collected, port):
        for _ in range(10):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + os.urandom(2000))
            await asyncio.sleep(0.01)
            writer.close()
        assert await asyncio.to_thread(call, port, a_request()) == b""
        assert len(collected.signals) == 1
    assert capfd.readouterr() == ("", "")
    assert "GRPC_VERBOSITY" not in os.environ


async def test_a_taken_grpc_port_is_a_row_while_http_goes_on() -> None:
    async with receiving() as (_, _, port), receiving_http_only(port) as (source, collected):
        while not collected.rows:
            await asyncio.sleep(0.01)
        (row,) = collected.rows
        assert row.state is HealthState.DOWN
        assert "set grpc_port to a free port" in row.reason
        assert list(source.ports) == ["HTTP"]


@asynccontextmanager
async def receiving_http_only(taken: int) -> AsyncIterator[tuple[OtlpSource, Collected]]:
    source = OtlpSource("second", OtlpOptions(port=0, grpc_port=taken, interval=0.05))
    collected = Collected()
    task = asyncio.create_task(source.run(collected))
    try:
        yield source, collected
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


LAZY = textwrap.dedent(
    """
    import asyncio, json, sys, urllib.request
    from sources.otlp import OtlpOptions, OtlpSource

    class Nowhere:
        async def __call__(self, batch): pass
        async def replace(self, signal_type, batch): pass

    def heavy():
        names = ("grpc", "google.protobuf", "opentelemetry", "h11")
        return [name for name in names if name in sys.modules]

    def post(port):
        head = {"content-type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/traces", b"{}", head)
        return urllib.request.urlopen(request).status

    async def main():
        source = OtlpSource("otlp", OtlpOptions(port=0, grpc_port=0))
        await source.check()
        task = asyncio.create_task(source.run(Nowhere()))
        while not source.ports:
            await asyncio.sleep(0.01)
        seen = [heavy()]
        assert await asyncio.to_thread(post, source.ports["HTTP"]) == 200
        seen.append(heavy())
        task.cancel()
        print(json.dumps(seen))

    asyncio.run(main())
    """
)


async def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    status, out, errors = await capture(
        ("env", f"PYTHONPATH={environment['PYTHONPATH']}", sys.executable, "-c", LAZY), timeout=20
    )
    assert status == 0, errors.decode()
    assert out.decode().strip() == '[[], ["h11"]]'
    assert not errors
