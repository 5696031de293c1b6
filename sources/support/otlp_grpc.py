"""OTLP over gRPC, by grpcio, which is neither imported nor started before somebody speaks HTTP/2 to the port.

Most cockpits are never sent gRPC, and grpcio costs some 15 MB. So a plain listener holds the port. Once a connection
has sent HTTP/2's preface, grpcio's server is started on a Unix socket in a private folder, and bytes are carried
between the two from then on. Giving the port itself over to grpcio would save the carrying, which costs under a tenth
of a millisecond a request, and lose the first connection and the bound on how many there are.

grpcio's server with threads is used rather than its asyncio one: it costs the same, and leaves no thread behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sources.support.otlp_http import READ, Limits
from sources.support.otlp_intake import Busy, Intake
from sources.support.otlp_messages import Undecodable, What, Wire

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What every HTTP/2 client says first (RFC 9113, section 3.4)."""
HINT = b"this port takes OTLP/gRPC; send OTLP/HTTP to the other one, 4318 by default\n"
WORKERS = 4
"""Requests worked on at any time."""
SERVICES: tuple[tuple[str, What], ...] = (
    ("opentelemetry.proto.collector.trace.v1.TraceService", "traces"),
    ("opentelemetry.proto.collector.logs.v1.LogsService", "logs"),
    ("opentelemetry.proto.collector.metrics.v1.MetricsService", "metrics"),
)


def available() -> bool:
    """Tell whether grpcio is installed, without importing it."""
    return find_spec("grpc") is not None


class GrpcReceiver:
    """The gRPC side of the receiver."""

    def __init__(self, intake: Intake, wire: Wire, limits: Limits) -> None:
        self.intake = intake
        self.wire = wire
        self.limits = limits
        self.backend: Backend | None = None
        """grpcio's server, once somebody spoke HTTP/2."""
        self._starting = asyncio.Lock()
        self._changing = threading.Lock()
        self._used = False
        self._closed = False
        self._listener: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def listen(self, host: str, port: int) -> int:
        """Listen, and return the port (the system's choice for 0).

        Raises:
            OSError: The address is in use, or not ours.
        """
        self._listener = await asyncio.start_server(self._connected, host, port, limit=READ)
        return int(self._listener.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening, cut all connections and stop grpcio."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if self.backend is not None:
            self.backend.cancel()
        self._closed = True
        if self._used:
            await self.intake.in_thread(self._stop)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= self.limits.connections:
            writer.close()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        task.add_done_callback(self.intake.watch)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection, once it has shown to be HTTP/2."""
        try:
            async with asyncio.timeout(self.limits.head):
                first = await reader.readexactly(len(PREFACE))
            if first == PREFACE:
                await self._carry(first, reader, writer)
            else:
                writer.write(
                    b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\n"
                    b"content-length: %d\r\n\r\n%s" % (len(HINT), HINT)
                )
        except (OSError, EOFError, TimeoutError):
            pass  # the sender went away, or never spoke
        finally:
            writer.close()

    async def _carry(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._starting:
            self._used = True
            if self.backend is None:
                await self.intake.in_thread(self._start, asyncio.get_running_loop())
        if self.backend is None:
            return
        inner_reader, inner_writer = await asyncio.open_unix_connection(self.backend.path, limit=READ)
        try:
            inner_writer.write(first)
            ways = (_pump(reader, inner_writer), _pump(inner_reader, writer))
            tasks = [asyncio.create_task(way) for way in ways]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            inner_writer.close()

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start grpcio, in a thread; nobody may have waited for it to the end."""
        with self._changing:
            if not self._closed:
                self.backend = Backend(self.intake, self.wire, self.limits, loop)

    def _stop(self) -> None:
        """Stop grpcio, in a thread."""
        with self._changing:
            if self.backend is not None:
                self.backend.stop()
                self.backend = None


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes one way until it ends."""
    with contextlib.suppress(OSError):
        while data := await reader.read(READ):
            writer.write(data)
            await writer.drain()


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep grpcio's core from writing to stderr, which is the screen.

    It reads the variable when its first server is made; commands started later must not inherit it.
    """
    given = os.environ.get("GRPC_VERBOSITY")
    os.environ["GRPC_VERBOSITY"] = given or "NONE"
    try:
        yield
    finally:
        if given is None:
            del os.environ["GRPC_VERBOSITY"]


class Backend:
    """grpcio's server on a Unix socket; made and stopped off the loop.

    Attributes:
        path: The socket.
    """

    def __init__(self, intake: Intake, wire: Wire, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        import grpc

        self._intake = intake
        self._wire = wire
        self._loop = loop
        self._waiting: set[Future[bytes]] = set()
        self._folder = Path(tempfile.mkdtemp(prefix="cockpit-"))
        self.path = str(self._folder / "otlp.sock")
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="otlp-grpc")
        with _silent():
            self._server = grpc.server(
                self._workers,
                options=[("grpc.max_receive_message_length", limits.body), ("grpc.so_reuseport", 0)],
            )
        self._server.add_generic_rpc_handlers(tuple(self._handler(*service) for service in SERVICES))
        self._server.add_insecure_port(f"unix:{self.path}")
        self._server.start()

    def cancel(self) -> None:
        """Let go of the requests that wait for the loop."""
        for future in tuple(self._waiting):
            future.cancel()

    def stop(self) -> None:
        """Stop the server and its threads, and remove its socket."""
        self._server.stop(0).wait(0.5)
        self._workers.shutdown(wait=False, cancel_futures=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _handler(self, service: str, what: What) -> Any:
        import grpc

        def export(body: bytes, context: Any) -> bytes:
            future = asyncio.run_coroutine_threadsafe(self._take(what, body), self._loop)
            self._waiting.add(future)
            try:
                error = future.exception()
            except CancelledError:
                error = Busy("the receiver stops")
            self._waiting.discard(future)
            if isinstance(error, Undecodable):
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            if isinstance(error, Busy):
                context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
            if error is not None:
                self._loop.call_soon_threadsafe(self._intake.fail, error)
                context.abort(grpc.StatusCode.INTERNAL, type(error).__name__)
            return future.result()

        method = grpc.unary_unary_rpc_method_handler(export)
        return grpc.method_handlers_generic_handler(service, {"Export": method})

    async def _take(self, what: What, body: bytes) -> bytes:
        with self._intake.lease() as lease:
            lease.grow(len(body))
            outcome = await self._intake.take(what, self._wire, body)
        return self._wire.response(what, outcome.rejected, outcome.message)
