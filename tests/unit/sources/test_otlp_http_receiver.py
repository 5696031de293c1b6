"""The HTTP side of the OTLP receiver, spoken to over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.errors import Unreachable
from cockpit.signals import HealthSample, HealthState, LogRecord, Signal, Span
from cockpit.source import TimeRange
from sources.otlp import OtlpOptions, OtlpSource
from sources.support.otlp_http import HttpReceiver, Limits
from sources.support.otlp_intake import Intake
from sources.support.otlp_json import JsonWire
from sources.support.otlp_messages import Wire
from sources.support.otlp_proto import ProtoWire
from tests.helpers.tcp_server import tcp_server


class Collected:
    """Keeps what a source emits."""

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
async def receiving(**options: int | float | bool) -> AsyncIterator[tuple[OtlpSource, Collected, int]]:
    made = OtlpOptions(**{"port": 0, "grpc_port": 0, "grpc": False, "interval": 0.05, **options})  # type: ignore[arg-type]
    source, collected = OtlpSource("otlp", made), Collected()
    task = asyncio.create_task(source.run(collected))
    while "HTTP" not in source.ports and not task.done():
        await asyncio.sleep(0.005)
    try:
        yield source, collected, source.ports["HTTP"]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def a_trace(count: int = 1, **fields: object) -> dict[str, object]:
    span = {
        "traceId": "5B8EFFF798038103D269B633813FC60C",
        "spanId": "EEE19B7EC3C1B174",
        "name": "GET /cart",
        "kind": 2,
        "startTimeUnixNano": "1544712660000000000",
        "endTimeUnixNano": "1544712661000000000",
        **fields,
    }
    service = {"key": "service.name", "value": {"stringValue": "cart"}}
    return {
        "resourceSpans": [
            {"resource": {"attributes": [service]}, "scopeSpans": [{"spans": [span] * count, "scope": {}}]}
        ]
    }


def request(
    body: bytes, path: str = "/v1/traces", kind: str = "application/json", *more: str, method: str = "POST"
) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        *more,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    return int(head[0].split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


async def ask(port: int, raw: bytes) -> tuple[int, dict[str, str], bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(raw)
        return await read_answer(reader)
    finally:
        writer.close()


async def test_spans_arrive_with_their_resource() -> None:
    async with receiving() as (_, collected, port):
        status, headers, body = await ask(port, request(json.dumps(a_trace()).encode()))
        assert (status, headers["content-type"], body) == (200, "application/json", b"{}")
        (span,) = collected.signals
        assert isinstance(span, Span)
        assert span.trace_id == "5b8efff798038103d269b633813fc60c"
        assert (span.name, span.kind, span.duration) == ("GET /cart", "server", 1_000_000_000)
        assert (span.resource, span.source) == ({"service.name": "cart"}, "otlp")


async def test_gzip_and_one_connection_for_several_requests() -> None:
    async with receiving() as (_, collected, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        packed = gzip.compress(json.dumps(a_trace(10)).encode())
        for _ in range(3):
            writer.write(request(packed, "/v1/traces", "application/json", "Content-Encoding: gzip"))
            assert (await read_answer(reader))[0] == 200
        writer.close()
        assert len(collected.signals) == 30


async def test_pipelined_requests_are_answered_in_turn() -> None:
    async with receiving() as (_, collected, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request(json.dumps(a_trace()).encode()) * 5)
        assert [(await read_answer(reader))[0] for _ in range(5)] == [200] * 5
        writer.close()
        assert len(collected.signals) == 5


async def test_a_chunked_body_and_100_continue() -> None:
    async with receiving() as (_, collected, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
        )
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 \r\n\r\n"
        body = json.dumps(a_trace()).encode()
        writer.write(f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
        assert (await read_answer(reader))[0] == 200
        writer.close()
        assert len(collected.signals) == 1


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (request(b"{}", "/v1/profiles"), 404),
        (request(b"", method="GET"), 405),
        (request(b"", method="OPTIONS"), 405),
        (request(b"{}", "/v1/traces", "application/json", "Origin: https://evil.example"), 403),
        (request(b"{}", "/v1/traces", "text/plain"), 415),
        (request(b"{}", "/v1/traces", "application/json", "Content-Encoding: br"), 415),
        (request(b"{nonsense"), 400),
        (request(b'{"resourceSpans": 7}'), 400),
        (request(b'{"resourceSpans": [' + b"[" * 100_000), 400),
        (request(b"\xff\xff\xff", "/v1/traces", "application/x-protobuf"), 400),
        (request(b"no gzip", "/v1/traces", "application/json", "Content-Encoding: gzip"), 400),
        (b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: -4\r\n\r\n", 400),
        (b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 4, 5\r\n\r\n", 400),
        (b"POST /v1/traces HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20_000, 431),
    ],
)
async def test_what_is_not_an_export_is_refused_by_the_right_status(raw: bytes, status: int) -> None:
    async with receiving() as (_, collected, port):
        assert (await ask(port, raw))[0] == status
        assert (await ask(port, request(b"{}")))[0] == 200
        assert not collected.signals


async def test_an_error_is_a_status_message_in_the_requests_encoding() -> None:
    async with receiving() as (_, _, port):
        _, headers, body = await ask(port, request(b"{nonsense"))
        assert headers["content-type"] == "application/json"
        assert json.loads(body)["code"] == 3
        _, headers, body = await ask(port, request(b"\xff", "/v1/logs", "application/x-protobuf"))
        assert headers["content-type"] == "application/x-protobuf"
        assert body.startswith(b"\x08\x03\x12")


async def test_a_body_that_is_too_large_is_refused_before_it_is_read() -> None:
    async with receiving(body_limit=1000) as (_, _, port):
        assert (await ask(port, request(b" " * 1001)))[0] == 413
        chunked = b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        chunk = b"200\r\n" + b" " * 512 + b"\r\n"
        assert (await ask(port, chunked + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 3))[0] == 413


@pytest.mark.parametrize("members", [1, 3])
async def test_a_gzip_bomb_is_refused_unexploded(members: int) -> None:
    bomb = gzip.compress(b" " * (100 << 20) if members == 1 else b" " * (7 << 20)) * members
    async with receiving() as (_, _, port):
        raw = request(bomb, "/v1/traces", "application/json", "Content-Encoding: gzip")
        assert (await ask(port, raw))[0] == 413


async def test_gzip_of_several_members_is_read_whole_and_a_cut_one_is_refused() -> None:
    body = json.dumps(a_trace(2000)).encode()
    packed = gzip.compress(body[:5000]) + gzip.compress(body[5000:])
    async with receiving() as (_, collected, port):
        for sent, status in ((packed, 200), (packed[:-20], 400), (packed[:-2000], 400)):
            raw = request(sent, "/v1/traces", "application/json", "Content-Encoding: gzip")
            assert (await ask(port, raw))[0] == status
        assert len(collected.signals) == 2000


async def test_senders_are_asked_to_come_back_while_the_cockpit_cannot_keep_up() -> None:
    body = json.dumps(a_trace(20)).encode()
    async with receiving(body_limit=len(body)) as (_, collected, port):
        collected.hold.clear()
        waiting = [asyncio.create_task(ask(port, request(body))) for _ in range(4)]
        await asyncio.sleep(0.2)
        status, headers, _ = await ask(port, request(body))
        assert (status, headers["retry-after"]) == (429, "1")
        collected.hold.set()
        assert [(await answer)[0] for answer in waiting] == [200] * 4
        assert (await ask(port, request(body)))[0] == 200


async def test_connections_are_bounded_and_slow_senders_let_go() -> None:
    async with receiving(connections=100) as (_, _, port):
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
        for _, writer in held:
            writer.write(b"POST /v1/traces HTT")
        await asyncio.sleep(0.05)
        status, headers, _ = await ask(port, request(b"{}"))
        assert (status, headers["retry-after"]) == (503, "1")
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.2)
        answers = await asyncio.gather(*(ask(port, request(b"{}")) for _ in range(90)))
        assert {status for status, _, _ in answers} == {200}


async def test_spans_that_are_none_are_counted_back_to_the_sender() -> None:
    body = json.dumps(a_trace(3, spanId="00")).encode()
    async with receiving() as (_, collected, port):
        status, _, answer = await ask(port, request(body))
        assert status == 200
        assert json.loads(answer)["partialSuccess"]["rejectedSpans"] == "3"
        assert not collected.signals


async def test_a_service_that_was_heard_gets_a_row() -> None:
    body = json.dumps(a_trace(20, status={"code": 2})).encode()
    async with receiving() as (_, collected, port):
        await ask(port, request(body))
        while not collected.rows:
            await asyncio.sleep(0.01)
        (row,) = collected.rows
        assert (row.subject, row.state, row.value) == ("service cart", HealthState.DEGRADED, 1.0)


async def test_metrics_can_be_asked_for() -> None:
    now = time.time_ns()
    points = [
        {"asInt": str(n), "timeUnixNano": str(now + n), "attributes": [pair("path", path)]}
        for n, path in enumerate(["/a", "/b", "/a"])
    ]
    ended = {"timeUnixNano": str(now), "flags": 1}
    infinite = {"asDouble": "Infinity", "timeUnixNano": str(now)}
    odd = [{"asInt": "7"}, ended, infinite]
    metric = {"name": "http.requests", "unit": "1", "sum": {"dataPoints": [*points, *odd]}}
    body = {"resourceMetrics": [{"resource": {}, "scopeMetrics": [{"metrics": [metric]}]}]}
    async with receiving() as (source, _, port):
        _, _, answer = await ask(port, request(json.dumps(body).encode(), "/v1/metrics"))
        assert json.loads(answer)["partialSuccess"]["rejectedDataPoints"] == "1"
        within = TimeRange(now - 10, now + 10)
        (series,) = await source.query_metrics('http.requests{path="/a"}', within, 0.0)
        assert series.points == ((now + 2, 2.0),)
        assert len(await source.query_metrics('http.requests{path=~"/.*"}', within, 15.0)) == 2


def pair(key: str, value: str) -> dict[str, object]:
    return {"key": key, "value": {"stringValue": value}}


async def test_logs_of_any_body_arrive_as_text() -> None:
    bodies = [{"stringValue": "plain"}, {"intValue": "7"}, {"kvlistValue": {"values": [pair("k", "v")]}}]
    records = [{"body": body, "severityText": "ERROR", "traceId": "zz"} for body in bodies]
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    async with receiving() as (_, collected, port):
        assert (await ask(port, request(json.dumps(body).encode(), "/v1/logs")))[0] == 200
        found = [item for item in collected.signals if isinstance(item, LogRecord)]
        assert [record.body for record in found] == ["plain", "7", '{"k":"v"}']
        assert {(record.level, record.trace_id) for record in found} == {(17, "")}
        assert all(abs(record.at - time.time_ns()) < 60e9 for record in found)


async def test_a_taken_port_says_what_to_do() -> None:
    async def answer(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with tcp_server(answer) as port:
        second = OtlpSource("other", OtlpOptions(port=port, grpc=False))
        with pytest.raises(Unreachable, match="set port to a free port"):
            await second.run(Collected())
        with pytest.raises(Unreachable, match="another collector"):
            await second.check()
    assert "HTTP on" in await second.check()


@asynccontextmanager
async def impatient(**limits: float) -> AsyncIterator[tuple[HttpReceiver, int]]:
    """Listen with limits that a test can wait for."""
    intake = Intake("otlp", Collected(), measured=lambda _: 0, heard=lambda _: None, budget=1 << 20)
    wires: dict[str, Wire] = {wire.content_type: wire for wire in (JsonWire(), ProtoWire())}
    receiver = HttpReceiver(intake, wires, Limits(**limits))  # type: ignore[arg-type]
    port = await receiver.listen("127.0.0.1", 0)
    try:
        yield receiver, port
    finally:
        await receiver.close()
        intake.close()


async def drip(port: int, raw: bytes, pause: float) -> bytes:
    """Send a byte at a time until the other side has enough, and return all that it answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        with contextlib.suppress(OSError):
            for byte in raw:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(pause)

    sending = asyncio.create_task(send())
    try:
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        sending.cancel()
        writer.close()


async def test_a_header_that_drips_in_is_given_up() -> None:
    async with impatient(head=0.3) as (_, port):
        started = time.monotonic()
        answer = await drip(port, request(b"{}", "/v1/traces", "application/json", "X: " + "y" * 2000), 0.02)
        assert answer.startswith(b"HTTP/1.1 408")
        assert time.monotonic() - started < 2.5


async def test_a_body_that_drips_in_is_given_up() -> None:
    async with impatient(transfer=0.3) as (receiver, port):
        raw = request(b" " * 5000)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw[:-4000])
        assert (await read_answer(reader))[0] == 408
        writer.close()
        await asyncio.sleep(0.1)
        assert receiver.intake.held == 0


async def test_a_connection_that_idles_is_closed_without_a_word() -> None:
    async with impatient(idle=0.2) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request(b"{}"))
        assert (await read_answer(reader))[0] == 200
        assert await asyncio.wait_for(reader.read(), 3) == b""
        writer.close()


async def test_a_sender_that_goes_away_midway_leaves_nothing_held() -> None:
    async with impatient() as (receiver, port):
        for cut in (5, 60, 200, 600):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request(b" " * 5000)[:cut])
            await writer.drain()
            writer.transport.abort()
        await asyncio.sleep(0.2)
        assert receiver.intake.held == 0
        assert (await ask(port, request(b"{}")))[0] == 200


async def test_a_fault_of_our_own_ends_the_run_and_is_seen() -> None:
    class Broken(Collected):
        async def __call__(self, batch: Sequence[Signal]) -> None:
            raise ZeroDivisionError("a fault")

    source = OtlpSource("otlp", OtlpOptions(port=0, grpc_port=0))
    task = asyncio.create_task(source.run(Broken()))
    while not source.ports:
        await asyncio.sleep(0.005)
    with pytest.raises(asyncio.IncompleteReadError):
        await ask(source.ports["HTTP"], request(json.dumps(a_trace()).encode()))
    with pytest.raises(ZeroDivisionError, match="a fault"):
        await asyncio.wait_for(task, 2)
    assert source.ports == {}


async def test_a_large_request_leaves_the_loop_free() -> None:
    body = json.dumps(a_trace(20_000)).encode()
    assert len(body) > 3_000_000
    async with receiving() as (_, collected, port):
        longest, waiting = 0.0, asyncio.create_task(ask(port, request(body)))
        while not waiting.done():
            started = time.perf_counter()
            await asyncio.sleep(0)
            longest = max(longest, time.perf_counter() - started)
        assert (await waiting)[0] == 200
        assert len(collected.signals) == 20_000
        assert longest < 0.1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=300) | st.just(request(b"{}")), max_size=4))
def test_any_bytes_leave_the_receiver_standing(parts: list[bytes]) -> None:
    async def talk() -> None:
        async with impatient(head=0.05, transfer=0.05, idle=0.05) as (receiver, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"".join(parts))
            writer.write_eof()
            with contextlib.suppress(OSError):
                await asyncio.wait_for(reader.read(), 5)
            writer.close()
            assert (await ask(port, request(b"{}")))[0] == 200
            assert receiver.intake.held == 0

    asyncio.run(talk())


async def test_a_port_that_another_cockpit_has_is_told_from_one_that_is_taken() -> None:
    async with receiving() as (_, _, port):
        second = OtlpSource("otlp", OtlpOptions(port=port, grpc=False))
        assert await second.check() == f"a cockpit receives here already (127.0.0.1:{port})"
        with pytest.raises(Unreachable, match="another cockpit has the port"):
            await second.run(Collected())


@pytest.mark.parametrize(
    "said",
    [b"", b"cockpit\r\n", b"\xff" * 100_000, b"HTTP/1.1 200 OK\r\nServer: other\r\n\r\nserver: cockpit"],
)
async def test_whatever_else_has_the_port_is_no_cockpit(said: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await reader.read()

    async with tcp_server(answer) as port:
        with pytest.raises(Unreachable, match="can't listen for HTTP"):
            await OtlpSource("otlp", OtlpOptions(port=port, grpc=False)).check()
