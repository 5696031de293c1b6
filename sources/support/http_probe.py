"""One HTTP/1.1 request on a connection of its own, each phase timed: what a check needs and a client hides.

It speaks through h11 on a socket of ours rather than through httpx, for only so are the look-up of the name and the
connect told apart, the certificate read, and a body left unread once enough of it came. The one seam to h11's client
side. Semantics are RFC 9110's and RFC 9112's.
"""

from __future__ import annotations

import contextlib
import ssl
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urlsplit

from msgspec import Struct

from cockpit.errors import BadAnswer
from cockpit.hygiene import clean_text
from cockpit.source import Remote
from sources.support.reach import Connection, connected
from sources.support.stopwatch import Stopwatch

if TYPE_CHECKING:
    import h11

READ = 64 * 1024
HEADER_BYTES = 64 * 1024
"""Bytes that the head of an answer may have."""
_IN_TARGET = "%/?:@!$&'()*+,;=-._~"
"""What a request target may hold as it stands (RFC 3986); the rest is written as percent signs."""
_SPEAKS = "check the port, and whether the server speaks http or https there"


class Request(Struct, frozen=True, kw_only=True):
    """What to ask."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Reply(Struct, frozen=True, kw_only=True):
    """What was answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    """By lower-case name, in the order they came."""
    body: bytes
    """The first bytes, decompressed."""
    whole: bool
    """Whether those are all of them."""
    address: str
    tls_version: str | None
    certificate: bytes | None
    """The server's certificate as DER."""

    def header(self, name: str) -> str | None:
        """Return a header's value, repeated ones joined by commas; None where it was not sent."""
        found = [value for held, value in self.headers if held == name.lower()]
        return ", ".join(found) if found else None


def split_url(url: str) -> SplitResult:
    """Split an address to check.

    Raises:
        ValueError: It is no http or https URL, or carries credentials, which would be shown.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("the address is no http:// or https:// URL")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the URL holds credentials: give them as `user` and `password`")
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        raise ValueError("the URL holds blanks or control characters: write them as %20 and so on")
    _ = parts.port  # urllib says here that a port is none
    return parts


def shown(url: str) -> str:
    """Return a URL as a row may show it: without its query, which often holds a token."""
    bare, mark, _ = url.partition("?")
    return f"{clean_text(bare, 300)}?…" if mark else clean_text(bare.partition("#")[0], 300)


def origin(parts: SplitResult) -> tuple[str, str, int]:
    """Return scheme, host and port: what credentials are for."""
    return parts.scheme, (parts.hostname or "").lower(), port_of(parts)


def port_of(parts: SplitResult) -> int:
    """Return the port of a URL, its scheme's own unless it names one."""
    return parts.port or (443 if parts.scheme == "https" else 80)


async def exchange(
    request: Request,
    *,
    context: ssl.SSLContext | None,
    watch: Stopwatch,
    keep: int,
    remote: Remote | None = None,
) -> Reply:
    """Ask once and read the answer's head and first bytes. Hold it inside `reach.bounded`.

    Args:
        request: What to ask; its URL has passed `split_url`.
        context: The TLS context; used for https alone.
        watch: Gets the laps `dns` (through a bastion `ssh`), `connect`, `tls`, `first byte` and `body`.
        keep: Bytes of the body to read and keep; the rest is left unread.
        remote: The way there, where it leads through a bastion.

    Raises:
        BadAnswer: What came is no HTTP, or ended before it was whole.
        OSError: What sockets raise; `bounded` maps it.
    """
    parts = split_url(request.url)
    tls = context if parts.scheme == "https" else None
    where = f"{parts.hostname}:{port_of(parts)}"
    host = parts.hostname or ""
    if not host.isascii():
        host = host.encode("idna").decode()
    async with connected(host, port_of(parts), watch=watch, tls=tls, remote=remote) as connection:
        wire = _Wire(connection)
        with _h11_errors(where, wire, watch):
            with watch.lap("first byte"):
                wire.send(request, parts, host)
                head = await wire.head()
            with watch.lap("body"):
                body, whole = await wire.body(keep)
        headers = tuple((_latin(name), clean_text(_latin(value))) for name, value in head.headers)
        return Reply(
            status=head.status_code,
            headers=headers,
            body=_decompressed(body, headers, keep, where),
            whole=whole,
            address=connection.address,
            tls_version=connection.tls_version(),
            certificate=connection.certificate(),
        )


class _Wire:
    """One request and its answer on an open connection.

    Attributes:
        received: Bytes that came in so far.
    """

    def __init__(self, connection: Connection) -> None:
        import h11

        self._connection = connection
        self._machine = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADER_BYTES)
        self.received = 0

    def send(self, request: Request, parts: SplitResult, host: str) -> None:
        """Write the request, without waiting: a server may answer before it has read the body."""
        import h11

        target = quote(f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", safe=_IN_TARGET)
        head = h11.Request(
            method=request.method, target=target, headers=_request_headers(request, parts, host)
        )
        wire = self._machine.send(head) or b""
        if request.body:
            wire += self._machine.send(h11.Data(data=request.body)) or b""
        self._connection.writer.write(wire + (self._machine.send(h11.EndOfMessage()) or b""))

    async def head(self) -> h11.Response:
        """Read the head of the answer, past those that only announce it (1xx)."""
        import h11

        while True:
            event = await self._next()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise h11.RemoteProtocolError("the answer has no head")

    async def body(self, keep: int) -> tuple[bytes, bool]:
        """Read at most `keep` bytes of the body; True with them when they are all."""
        import h11

        body = bytearray()
        while len(body) <= keep:
            event = await self._next()
            if not isinstance(event, h11.Data):
                return bytes(body), True
            body += event.data
        return bytes(body[:keep]), False

    async def _next(self) -> object:
        import h11

        while True:
            event = self._machine.next_event()
            if event is not h11.NEED_DATA:
                return event
            data = await self._connection.reader.read(READ)
            self.received += len(data)
            self._machine.receive_data(data)


def _request_headers(request: Request, parts: SplitResult, host: str) -> list[tuple[bytes, bytes]]:
    named = f"[{host}]" if ":" in host else host
    headers = {
        "host": named if parts.port is None else f"{named}:{parts.port}",
        "user-agent": "cockpit",
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
    }
    if request.body or request.method == "POST":
        headers["content-length"] = str(len(request.body))
    headers.update((name.lower(), value) for name, value in request.headers)
    return [(name.encode("latin-1", "replace"), value.encode()) for name, value in headers.items()]


@contextlib.contextmanager
def _h11_errors(where: str, wire: _Wire, watch: Stopwatch) -> Iterator[None]:
    """Map h11's two exceptions; the text of the local one may hold a header, so it is left out."""
    import h11

    try:
        yield
    except h11.LocalProtocolError:
        raise BadAnswer(
            "the request can't be written as HTTP",
            where=where,
            remedy="look for a line break or an odd sign in a header, a token or a password",
        ) from None
    except h11.RemoteProtocolError as error:
        if not wire.received:
            raise BadAnswer(
                "it closed the connection without an answer", where=where, remedy=_SPEAKS
            ) from None
        if watch.phase == "body":
            raise BadAnswer(
                "it closed the connection before its answer was whole",
                where=where,
                remedy="see the server's log",
            ) from None
        detail = clean_text(str(error), 120)
        raise BadAnswer(f"what it answered is no HTTP: {detail}", where=where, remedy=_SPEAKS) from None


def _decompressed(body: bytes, headers: tuple[tuple[str, str], ...], keep: int, where: str) -> bytes:
    """Undo a compression that nobody asked for, within the same bound."""
    encoding = next((value.strip().lower() for name, value in headers if name == "content-encoding"), "")
    if not body or encoding not in {"gzip", "x-gzip", "deflate"}:
        return body
    try:
        # 32 added to the window's bits makes zlib tell gzip and deflate apart.
        return zlib.decompressobj(32 + zlib.MAX_WBITS).decompress(body, keep)
    except zlib.error:
        raise BadAnswer("the answer's compression is broken", where=where, remedy="see the server") from None


def _latin(text: bytes) -> str:
    return text.decode("latin-1")
