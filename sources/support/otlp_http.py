"""OTLP over HTTP/1.1, as a server on an asyncio loop with h11.

https://opentelemetry.io/docs/specs/otlp/#otlphttp: POST to /v1/traces, /v1/logs or /v1/metrics, protobuf or JSON,
plain or gzip; the answer is in the request's encoding, and 429 or 503 with Retry-After asks to come back. A sender
may be anybody on this machine, a page in a browser included, so everything it can make grow or last is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec import Struct

from sources.support.otlp_intake import RETRY_AFTER, Busy, Intake, Lease
from sources.support.otlp_messages import Undecodable, What, Wire

if TYPE_CHECKING:
    import h11

PATHS: Mapping[bytes, What] = {b"/v1/traces": "traces", b"/v1/logs": "logs", b"/v1/metrics": "metrics"}

READ = 64 * 1024
HEAD_LIMIT = 16 * 1024
"""Bytes of a request line and its header."""
ON_LOOP = 256 * 1024
"""Bytes unpacked on the loop; what is bigger is unpacked in a thread."""
SERVER = "cockpit"
"""The `Server` of every answer, by which one cockpit knows another's receiver."""
ASKING = 0.5
"""Seconds that whoever has the port gets to say who it is."""
LINGER = 1.0
"""Seconds that a refused sender may go on sending before the connection is cut, so that it reads the answer."""

ANY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  asked, not listened on
"""Where to reach what listens on every address."""

GRPC_CODES = {400: 3, 403: 7, 404: 5, 405: 12, 408: 4, 413: 8, 415: 3, 429: 8, 431: 8, 503: 14}
"""google.rpc.Code for each status answered."""


class Limits(Struct, frozen=True, kw_only=True):
    """What one sender, and all of them, may take up."""

    body: int = 16 << 20
    """Bytes of a body, packed and unpacked."""
    connections: int = 100
    idle: float = 120.0
    """Seconds that a connection is kept between two requests."""
    head: float = 10.0
    """Seconds from the first byte of a request to the end of its header."""
    transfer: float = 30.0
    """Seconds that a body, or the sending of an answer, may take."""


class Rejection(Exception):
    """A request that is answered with a status other than 200."""

    def __init__(self, status: int, message: str, *, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


class HttpReceiver:
    """The HTTP side of the receiver: listens, and holds its connections."""

    def __init__(self, intake: Intake, wires: Mapping[str, Wire], limits: Limits) -> None:
        self.intake = intake
        self.wires = wires
        self.limits = limits
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def listen(self, host: str, port: int) -> int:
        """Listen, and return the port (the system's choice for 0).

        Raises:
            OSError: The address is in use, or not ours.
        """
        self._server = await asyncio.start_server(self._connected, host, port, limit=READ)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and cut all connections."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) > 2 * self.limits.connections:
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        task.add_done_callback(self.intake.watch)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = Conversation(self, reader, writer)
        try:
            if len(self._connections) > self.limits.connections:
                await conversation.refuse(
                    Rejection(503, "too many connections", headers=(("retry-after", str(RETRY_AFTER)),))
                )
            else:
                await conversation.hold()
        except (OSError, TimeoutError):
            pass  # the sender went away, or was too slow to answer
        finally:
            writer.close()


class Conversation:
    """One connection: requests and answers in turn."""

    def __init__(
        self, receiver: HttpReceiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        import h11

        self._h11 = h11
        self._machine = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT)
        self._receiver = receiver
        self._limits = receiver.limits
        self._reader = reader
        self._writer = writer
        self._wire: Wire = receiver.wires["application/json"]

    async def hold(self) -> None:
        """Answer requests until the sender closes, errs or is idle for too long."""
        while True:
            try:
                request = await self._head()
                if request is None:
                    return
                await self._answer(request)
            except self._h11.RemoteProtocolError as error:
                await self.refuse(Rejection(error.error_status_hint, f"not HTTP/1.1: {error}"))
                return
            except Rejection as rejection:
                await self.refuse(rejection)
                return
            if (
                self._machine.our_state is not self._h11.DONE
                or self._machine.their_state is not self._h11.DONE
            ):
                return
            self._machine.start_next_cycle()

    async def refuse(self, rejection: Rejection) -> None:
        """Answer with an error and close; what the sender still sends is read for a moment and thrown away."""
        body = self._wire.status(GRPC_CODES.get(rejection.status, 2), rejection.message)
        if self._machine.our_state in (self._h11.IDLE, self._h11.SEND_RESPONSE):
            await self._send(rejection.status, body, (*rejection.headers, ("connection", "close")))
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(LINGER):
                self._writer.write_eof()
                while await self._reader.read(READ):
                    pass

    async def _head(self) -> h11.Request | None:
        """Return the next request, or None when the sender has nothing more to say."""
        self._wire = self._receiver.wires["application/json"]
        event = self._machine.next_event()
        if event is self._h11.NEED_DATA and not self._machine.trailing_data[0]:
            if not await self._more(self._limits.idle):
                return None
            event = self._machine.next_event()
        try:
            async with asyncio.timeout(self._limits.head):
                while event is self._h11.NEED_DATA:
                    await self._more(self._limits.head)
                    event = self._machine.next_event()
        except TimeoutError:
            raise Rejection(408, f"no whole header within {self._limits.head:g} s") from None
        return event if isinstance(event, self._h11.Request) else None

    async def _more(self, seconds: float) -> bytes:
        async with asyncio.timeout(seconds):
            data = await self._reader.read(READ)
        self._machine.receive_data(data)
        return data

    async def _answer(self, request: h11.Request) -> None:
        headers = dict(request.headers)
        what, wire = self._route(request, headers)
        self._wire = wire
        declared = int(headers.get(b"content-length", b"0"))
        if declared > self._limits.body:
            raise Rejection(413, f"a body over {self._limits.body:,} bytes")
        intake = self._receiver.intake
        packing = headers.get(b"content-encoding", b"").strip().lower()
        try:
            with intake.lease() as lease:
                lease.grow(declared)
                body = await self._body(lease, declared)
                if packing == b"gzip":
                    body = await unpack(body, self._limits.body, intake)
                    lease.grow(len(body))
                outcome = await intake.take(what, wire, body)
        except Busy as error:
            raise Rejection(429, str(error), headers=(("retry-after", str(RETRY_AFTER)),)) from None
        except Undecodable as error:
            await self._send(400, wire.status(GRPC_CODES[400], str(error)), ())
            return
        await self._send(200, wire.response(what, outcome.rejected, outcome.message), ())

    def _route(self, request: h11.Request, headers: dict[bytes, bytes]) -> tuple[What, Wire]:
        """Find what is sent and in which encoding."""
        wire = self._receiver.wires.get(
            headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
        )
        self._wire = wire or self._wire
        what = PATHS.get(request.target.partition(b"?")[0])
        if what is None:
            raise Rejection(404, "send to /v1/traces, /v1/logs or /v1/metrics")
        if b"origin" in headers:
            raise Rejection(403, "pages in a browser can't send here")
        if request.method != b"POST":
            raise Rejection(405, "send by POST", headers=(("allow", "POST"),))
        if wire is None:
            raise Rejection(415, f"send one of {', '.join(self._receiver.wires)}")
        if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"identity", b"gzip", b""):
            raise Rejection(415, "send plain or gzip", headers=(("accept-encoding", "gzip"),))
        return what, wire

    async def _body(self, lease: Lease, declared: int) -> bytes:
        """Read a body; where its length was not declared, room is taken as it comes."""
        if self._machine.they_are_waiting_for_100_continue:
            go_on = self._h11.InformationalResponse(status_code=100, headers=[])
            self._writer.write(self._machine.send(go_on))
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.transfer):
                while not isinstance(event := self._machine.next_event(), self._h11.EndOfMessage):
                    if isinstance(event, self._h11.Data):
                        body += event.data
                        lease.grow(0 if declared else len(event.data))
                        if len(body) > self._limits.body:
                            raise Rejection(413, f"a body over {self._limits.body:,} bytes")
                    else:
                        await self._more(self._limits.transfer)
        except TimeoutError:
            raise Rejection(408, f"no whole body within {self._limits.transfer:g} s") from None
        return bytes(body)

    async def _send(self, status: int, body: bytes, headers: tuple[tuple[str, str], ...]) -> None:
        response = self._h11.Response(
            status_code=status,
            reason=HTTPStatus(status).phrase.encode(),
            headers=[
                ("server", SERVER),
                ("content-type", self._wire.content_type),
                ("content-length", str(len(body))),
                *headers,
            ],
        )
        send = self._machine.send
        answer = send(response) + send(self._h11.Data(data=body)) + send(self._h11.EndOfMessage())
        self._writer.write(answer)
        async with asyncio.timeout(self._limits.transfer):
            await self._writer.drain()


async def is_cockpit(host: str, port: int) -> bool:
    """Ask who listens on an address of this machine: True for the receiver of a cockpit.

    It is asked for a page that no receiver has, and is known by the `Server` of its answer (RFC 9110, 10.2.4). What
    doesn't answer in time, or not in HTTP, is something else.
    """
    import h11

    machine = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)
    asked = h11.Request(method="GET", target="/", headers=[("host", "localhost"), ("connection", "close")])
    with contextlib.suppress(OSError, TimeoutError, h11.RemoteProtocolError):
        async with asyncio.timeout(ASKING):
            reader, writer = await asyncio.open_connection(ANY.get(host, host), port)
            try:
                writer.write(machine.send(asked) + machine.send(h11.EndOfMessage()))
                while (event := machine.next_event()) is h11.NEED_DATA:
                    machine.receive_data(await reader.read(READ))
                return isinstance(event, h11.Response) and (b"server", SERVER.encode()) in event.headers
            finally:
                writer.close()
    return False


async def unpack(packed: bytes, limit: int, intake: Intake) -> bytes:
    """Unpack gzip, at most `limit` bytes of it; what is big is unpacked in a thread.

    Raises:
        Rejection: 413 when more would come out, 400 when it is no gzip.
    """
    engine = zlib.decompressobj(wbits=31)
    try:
        first = engine.decompress(packed, min(ON_LOOP, limit + 1))
        if engine.eof and not engine.unused_data:
            return first
        return await intake.in_thread(_unpack_rest, engine, first, limit)
    except zlib.error as error:
        raise Rejection(400, f"not gzip: {error}") from None


def _unpack_rest(engine: zlib._Decompress, first: bytes, limit: int) -> bytes:
    """Unpack the rest of a gzip stream, which may have several members."""
    parts, size = [first], len(first)
    while size <= limit:
        if engine.eof:
            rest = engine.unused_data
            if not rest:
                return b"".join(parts)
            engine = zlib.decompressobj(wbits=31)
        else:
            rest = engine.unconsumed_tail
            if not rest and not (parts and parts[-1]):
                raise Rejection(400, "not gzip: it ends too early")
        parts.append(engine.decompress(rest, limit + 1 - size))
        size += len(parts[-1])
    raise Rejection(413, f"a body that unpacks to over {limit:,} bytes")
