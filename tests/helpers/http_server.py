"""A small real HTTP/1.1 server on a free loopback port, whose answers a function gives."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import h11

from tests.helpers.tcp_server import tcp_server


@dataclass
class Asked:
    """A request as it came in."""

    method: str
    path: str
    params: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def param(self, name: str, default: str = "") -> str:
        return self.params.get(name, [default])[0]


@dataclass
class Said:
    """An answer to give: status, body, headers, and seconds to wait before it."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0


Answering = Callable[[Asked], Said | Awaitable[Said]]


@contextlib.asynccontextmanager
async def http_server(answer: Answering, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve for the length of a block and give the base URL."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        machine = h11.Connection(h11.SERVER)
        asked: Asked | None = None
        while True:
            try:
                event = machine.next_event()
            except h11.RemoteProtocolError:
                return
            if event is h11.NEED_DATA:
                machine.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Request):
                parts = urlsplit(event.target.decode())
                headers = {name.decode(): value.decode("latin-1") for name, value in event.headers}
                params = parse_qs(parts.query, keep_blank_values=True)
                asked = Asked(event.method.decode(), parts.path, params, headers, b"")
            elif isinstance(event, h11.Data) and asked is not None:
                asked.body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage) and asked is not None:
                made = answer(asked)
                said = made if isinstance(made, Said) else await made
                await asyncio.sleep(said.wait)
                head = {"content-length": str(len(said.body)), **said.headers}
                fields = list(head.items())
                out = machine.send(h11.Response(status_code=said.status, headers=fields)) or b""
                if asked.method != "HEAD":
                    out += machine.send(h11.Data(data=said.body)) or b""
                out += machine.send(h11.EndOfMessage()) or b""
                writer.write(out)
                await writer.drain()
                if machine.our_state is h11.MUST_CLOSE:
                    return
                machine.start_next_cycle()
            else:
                return

    async with tcp_server(talk, tls=tls) as port:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
