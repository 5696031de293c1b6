"""The one seam to httpx: how every source here asks an HTTP API, and how its failures become ours.

What a source needs is the same each time: credentials that never show, a bound on time and on size, JSON decoded to
typed structs, and errors that say what to do. httpx costs 115 ms to import, so it is loaded with the first request.
Redirects are followed here rather than by httpx, for it would take secret headers and the client certificate along to
another host.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from cockpit.errors import BadAnswer, Denied, Unreachable
from sources.support.http_body import MAX_BYTES, OFF_LOOP, bounded, decoded, retry_after, said
from sources.support.http_errors import NotFound, Unanswered, httpx_errors
from sources.support.http_options import (
    HttpOptions,
    missing_credential,
    resolved,
    shown,
    tls_context,
    without_userinfo,
)

if TYPE_CHECKING:
    import httpx

__all__ = ["Answer", "HttpClient", "HttpOptions", "Incoming", "Params", "TransportFactory"]

HOPS = 5
"""Redirects followed before giving up."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

T = TypeVar("T")
Params = Mapping[str, str | Sequence[str]]
TransportFactory = Callable[[ssl.SSLContext], "httpx.AsyncBaseTransport | None"]
"""Makes the transport that carries requests, given the TLS context; None for httpx's own. See `carried`."""


class Answer(Struct, frozen=True, kw_only=True):
    """An answer, whole.

    Attributes:
        status: The HTTP status.
        headers: By lower-case name; repeated ones are joined with a comma.
        body: At most the allowed bytes, decompressed.
        url: Where it came from after redirects, without credentials and query.
        hops: The addresses that redirected, in order, without credentials and query.
        elapsed: Seconds from the request to the answer's last byte.
        certificate: The server's certificate in DER; empty without TLS.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    hops: tuple[str, ...] = ()
    elapsed: float = 0.0
    certificate: bytes = b""


class Incoming(Struct, frozen=True, kw_only=True):
    """An answer whose body is still coming in, by bounded pieces."""

    status: int
    headers: Mapping[str, str]
    pieces: AsyncIterator[bytes]


class _Ask(Struct, frozen=True, kw_only=True):
    method: str
    url: str
    params: Params | None = None
    content: bytes | None = None
    headers: Mapping[str, str] = {}
    changes: bool = False
    """Whether it may change something on the other side."""


class _Session:
    """What lives on one event loop: the connections, and the credentials until they are refused."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.lock = asyncio.Lock()
        self.client: httpx.AsyncClient | None = None
        self.credentials: Mapping[str, bytes] | None = None


class HttpClient:
    """Asks one HTTP API with one set of credentials.

    Opened by its first request, on the loop that makes it; `aclose` closes it, and a later request opens it again.

    Args:
        where: The source's name, for errors.
        options: Address, credentials, time limit.
        url: Another address than the options' own, for a source with several.
        limit: Bytes an answer may have.
        transport: Makes the transport; httpx's own when None.
    """

    def __init__(
        self,
        where: str,
        options: HttpOptions,
        *,
        url: str = "",
        limit: int = MAX_BYTES,
        transport: TransportFactory | None = None,
    ) -> None:
        self.where = where
        self.options = options
        self.limit = limit
        self._transport = transport
        self._url, self._userinfo = without_userinfo(url or options.url)
        self._session: _Session | None = None
        self._secrets: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """The address without credentials and query, fit to be shown."""
        return shown(self._url)

    async def open(self) -> None:
        """Load httpx, build the connections' settings and read the credentials, so that no look is timed with it.

        Raises:
            CockpitError: A file or a secret can't be had.
        """
        if "httpx" not in sys.modules:
            # 115 ms and more, during which the other sources on this loop go on.
            await asyncio.to_thread(importlib.import_module, "httpx")
        await self._ready()

    async def get_json(
        self,
        path: str,
        wanted: type[T],
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 0,
    ) -> T:
        """GET a path and decode what it answers.

        Raises:
            NotFound: There is nothing at that path.
            SourceError: Anything else that went wrong, secrets left out.
        """
        answer = await self.fetch("GET", path, params=params, headers=headers, limit=limit)
        return await self._decoded(answer.body, wanted, path)

    async def get_read(self, path: str, read: Callable[[bytes], T]) -> T:
        """GET a path and have its answer read, in a thread where it is large.

        Raises:
            BadAnswer: As `read` raised it, secrets left out.
            SourceError: As `fetch`.
        """
        body = (await self.fetch("GET", path)).body
        try:
            return await asyncio.to_thread(read, body) if len(body) > OFF_LOOP else read(body)
        except BadAnswer as error:
            raise self._scrubbed(error) from None

    async def post_json(
        self,
        path: str,
        body: object,
        wanted: type[T],
        *,
        params: Params | None = None,
        method: str = "POST",
        reading: bool = False,
    ) -> T:
        """POST a body as JSON and decode what is answered; `reading` as for `fetch`.

        Raises:
            Unanswered: It was sent, and whether it took effect is not known.
            SourceError: Anything else that went wrong.
        """
        headers = {"content-type": "application/json"}
        answer = await self.fetch(
            method, path, params=params, content=msgspec.json.encode(body), headers=headers, reading=reading
        )
        return await self._decoded(answer.body, wanted, path)

    async def fetch(
        self,
        method: str,
        path: str = "",
        *,
        params: Params | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 0,
        reading: bool = False,
    ) -> Answer:
        """Ask and return the answer, which is a success.

        Args:
            method: `GET`, `POST` and so on.
            path: Below the source's address; empty for the address itself.
            params: The query.
            content: The body.
            headers: Further ones.
            limit: Bytes the answer may have; the client's own where 0.
            reading: Whether a POST only asks, as a search with a body does, so that its outcome is never in doubt.

        Raises:
            NotFound: 404 or 410.
            SourceError: Any other failure, a status of 300 or more among them.
        """
        answer = await self.request(
            method, path, params=params, content=content, headers=headers, limit=limit, reading=reading
        )
        if answer.status >= 300:
            self._refuse(answer, method, path, reading=reading)
        return answer

    async def request(
        self,
        method: str,
        path: str = "",
        *,
        params: Params | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 0,
        reading: bool = False,
    ) -> Answer:
        """Ask and return the answer, whatever its status; the arguments are those of `fetch`.

        Raises:
            SourceError: There is no answer, or it is too long or broken.
        """
        started = time.perf_counter()
        ask = self._ask(method, path, params=params, content=content, headers=headers, reading=reading)
        async with self._opened(ask) as (response, hops):
            body = bytearray()
            async for piece in self._pieces(response, limit or self.limit):
                body += piece
            return Answer(
                status=response.status_code,
                headers=_headers(response),
                body=bytes(body),
                url=shown(str(response.url)),
                hops=hops,
                elapsed=time.perf_counter() - started,
                certificate=_certificate(response),
            )

    @contextlib.asynccontextmanager
    async def stream(
        self, path: str = "", *, headers: Mapping[str, str] | None = None, limit: int = 0
    ) -> AsyncIterator[Incoming]:
        """GET a path and hand out its answer while it comes in, for a body that need not be held whole.

        Raises:
            SourceError: As `fetch`; the time limit covers the block.
        """
        ask = self._ask("GET", path, params=None, content=None, headers=headers)
        async with self._opened(ask) as (response, hops):
            pieces = self._pieces(response, limit or self.limit)
            if response.status_code >= 300:
                body = b"".join([piece async for piece in pieces])
                url = shown(str(response.url))
                self._refuse(
                    Answer(status=response.status_code, headers={}, body=body, url=url, hops=hops),
                    "GET",
                    path,
                )
            yield Incoming(status=response.status_code, headers=_headers(response), pieces=pieces)

    async def aclose(self) -> None:
        """Close the connections and forget the credentials."""
        session, self._session = self._session, None
        if session is not None and session.client is not None and session.loop is asyncio.get_running_loop():
            await session.client.aclose()

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Params | None,
        content: bytes | None,
        headers: Mapping[str, str] | None,
        reading: bool = False,
    ) -> _Ask:
        base = self._url.partition("?")[0].rstrip("/")
        url = f"{base}/{path.lstrip('/')}" if path else self._url
        changes = method not in {"GET", "HEAD"} and not reading
        return _Ask(
            method=method, url=url, params=params, content=content, headers=headers or {}, changes=changes
        )

    @contextlib.asynccontextmanager
    async def _opened(self, ask: _Ask) -> AsyncIterator[tuple[httpx.Response, tuple[str, ...]]]:
        """Send a request, follow its redirects and hold the answer open; the one time limit covers all of it."""
        sent = False

        async def trace(event: str, _info: Mapping[str, object]) -> None:
            nonlocal sent
            sent = sent or event.endswith("send_request_headers.started")

        await self.open()
        seconds = self.options.timeout
        changes = ask.changes
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(httpx_errors(self.where, sent=lambda: sent and changes, seconds=seconds))
            await stack.enter_async_context(asyncio.timeout(seconds))
            client, headers = await self._ready()
            response = await _send(stack, client, ask, headers, {"trace": trace} if changes else {})
            hops: list[str] = []
            followed = ask.method in {"GET", "HEAD"}
            while response.status_code in _REDIRECTS and followed and "location" in response.headers:
                following = response.url.join(response.headers["location"])
                hops.append(shown(str(response.url)))
                if len(hops) > HOPS:
                    raise BadAnswer(
                        "it redirects for ever", where=self.where, remedy="put the final address in `url`"
                    )
                at_home = _origin(following) == _origin(client.base_url)
                fellow = (
                    client
                    if at_home
                    else await stack.enter_async_context(await self._stranger(str(following)))
                )
                step = _Ask(method=ask.method, url=str(following), headers=ask.headers if at_home else {})
                response = await _send(stack, fellow, step, headers if at_home else {}, {})
            yield response, tuple(hops)

    async def _ready(self) -> tuple[httpx.AsyncClient, Mapping[str, bytes]]:
        """Return the client and the headers that hold credentials, made once a loop however many ask at once."""
        session, loop = self._session, asyncio.get_running_loop()
        if session is None or session.loop is not loop:
            session = self._session = _Session(loop)
        async with session.lock:
            if session.client is None:
                session.client = self._new_client(
                    await asyncio.to_thread(tls_context, self._url, self.options, self.where, mine=True)
                )
            if session.credentials is None:
                session.credentials, self._secrets = await resolved(self.options, self._userinfo, self.where)
            return session.client, session.credentials

    async def _stranger(self, url: str) -> httpx.AsyncClient:
        """Make a client that carries no credentials, for a redirect to another host."""
        return self._new_client(
            await asyncio.to_thread(tls_context, url, self.options, self.where, mine=False)
        )

    def _new_client(self, context: ssl.SSLContext) -> httpx.AsyncClient:
        import httpx

        # With a transport of ours, httpx looks for no proxy.
        return httpx.AsyncClient(
            base_url=self._url,
            verify=context,
            transport=self._transport(context) if self._transport else None,
            timeout=self.options.timeout,
            follow_redirects=False,
            # A proxy from the environment is for the outside; what listens on loopback is not behind it.
            trust_env=(urlsplit(self._url).hostname or "") not in {"127.0.0.1", "::1", "localhost"},
            headers={"user-agent": "cockpit", "accept-encoding": "gzip"},
        )

    def _pieces(self, response: httpx.Response, limit: int) -> AsyncIterator[bytes]:
        encoding = response.headers.get("content-encoding", "").strip().lower()
        return bounded(response.aiter_raw(), encoding=encoding, limit=limit, where=self.where)

    async def _decoded(self, body: bytes, wanted: type[T], path: str) -> T:
        try:
            return await decoded(body, wanted, where=self.where, path=path)
        except BadAnswer as error:
            raise self._scrubbed(error) from None

    def _scrubbed(self, error: BadAnswer) -> BadAnswer:
        return BadAnswer(self._scrub(error.message), where=error.where, remedy=error.remedy)

    def _refuse(self, answer: Answer, method: str, path: str, *, reading: bool = False) -> NoReturn:
        """Raise what a status that is no success means."""
        status, words = answer.status, said(answer.body, scrub=self._scrub)
        place = self._scrub(path.partition("?")[0]) or answer.url
        message = f"HTTP {status} from {method} {place}{': ' if words else ''}{words}"
        if answer.hops:
            message += f" (redirected to {answer.url})"
        if status in {401, 403, 407}:
            if self._session is not None:
                self._session.credentials = None
            remedy = (
                "put the final address in `url`"
                if answer.hops
                else missing_credential(self.options, known=bool(self._userinfo[0]))
            )
            raise Denied(message, where=self.where, remedy=remedy)
        if status in {404, 410}:
            raise NotFound(message, where=self.where, remedy="does `url` point at the right server and path?")
        if method not in {"GET", "HEAD"} and not reading and status in {502, 504}:
            raise Unanswered(f"{message}; it may or may not have taken effect", where=self.where)
        if status in {429, 502, 503, 504}:
            later = retry_after(answer.headers.get("retry-after", ""))
            remedy = (
                f"it asks to be left alone for {later}"
                if later
                else "it is overloaded, starting, or behind a proxy"
            )
            raise Unreachable(message, where=self.where, remedy=remedy)
        raise BadAnswer(message, where=self.where)

    def _scrub(self, text: str) -> str:
        """Take credentials out of what the other side said, for it may say back what it was told."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text


async def _send(
    stack: contextlib.AsyncExitStack,
    client: httpx.AsyncClient,
    ask: _Ask,
    credentials: Mapping[str, bytes],
    extensions: Mapping[str, object],
) -> httpx.Response:
    plain = [(name.encode(), value.encode()) for name, value in ask.headers.items()]
    headers = plain + [(name.encode(), value) for name, value in credentials.items()]
    request = client.build_request(
        ask.method,
        ask.url,
        params=ask.params or None,
        content=ask.content,
        headers=headers,
        extensions=dict(extensions),
    )
    response = await client.send(request, stream=True)
    stack.push_async_callback(response.aclose)
    return response


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _headers(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _certificate(response: httpx.Response) -> bytes:
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream is not None else None
    return (tls.getpeercert(binary_form=True) or b"") if tls is not None else b""
