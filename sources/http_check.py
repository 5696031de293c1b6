"""Checks that HTTP endpoints answer as they should: status, body, headers, latency, redirects, certificate.

Each check is a URL or a table, and becomes one health row whose value is the whole exchange in seconds, redirects
included. Every look opens a connection of its own, so that it sees what a new visitor sees and can time each phase.
Credentials and secret headers go to the URL's own scheme, host and port, never along a redirect to another.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
import time
from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Literal
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from cockpit.errors import BadAnswer, CockpitError, SourceError
from cockpit.hygiene import clean_text
from cockpit.secrets import resolve as reveal
from cockpit.signals import HealthSample, HealthState
from cockpit.source import FilePath, Options, Secret, resource
from sources.support.body_match import checked_pattern, found_in
from sources.support.checking import CheckSource, Look, unique
from sources.support.http_probe import Reply, Request, exchange, origin, port_of, shown, split_url
from sources.support.reach import bounded, peer_certificate
from sources.support.stopwatch import Stopwatch
from sources.support.tls import (
    Certificate,
    Untrusted,
    client_context,
    note_certificate,
    note_untrusted,
    read_certificate,
)
from sources.support.verdict import Verdict

KEEP = 256 * 1024
"""Bytes read of a body; what is expected must be among them."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_STATUS_CLASS = re.compile("[1-5]xx|[1-5][0-9][0-9]")
_REMEDY = {
    401: "check `user`, `password` or `bearer`",
    403: "check that these credentials may see it",
    404: "check the path",
    405: "choose another `method`",
    407: "the proxy wants credentials",
    429: "it limits how often it is asked: raise `interval`",
    502: "the proxy there can't reach its backend",
    503: "it is overloaded or in maintenance",
    504: "the backend behind the proxy there is too slow",
}


class HttpCheck(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One endpoint to look at."""

    url: str
    """The `http://` or `https://` address."""
    name: str = ""
    """What the row is called; the URL unless given."""
    service: str = ""
    """The service it belongs to, so that the scope finds it."""
    method: Literal["GET", "HEAD", "POST"] = "GET"
    """The request's method."""
    body: str = ""
    """The body of a POST."""
    request_headers: dict[str, str | Secret] = {}
    """Further headers to send; a value may be a secret."""
    user: str = ""
    """The user of basic authentication."""
    password: Secret = Secret()
    """Its password."""
    bearer: Secret = Secret()
    """A token sent as `Authorization: Bearer …`."""
    status: tuple[int | str, ...] = ("2xx",)
    """The statuses to expect: numbers, or classes such as `"2xx"`."""
    contains: str = ""
    """Text that the first 256 KiB of the body must hold."""
    matches: str = ""
    """A regular expression to find in the first 256 KiB of the body, within 2 s; `^` and `$` fit at each line."""
    headers: dict[str, str] = {}
    """Headers to expect, each with a text that its value must hold; an empty text asks for the header alone."""
    max_latency: float = 0.0
    """Seconds for the whole exchange above which the row is degraded; 0 sets no bound."""
    redirects: int = 5
    """Redirects to follow; 0 takes a redirect for the answer."""
    verify: bool = True
    """Whether the certificate must be trusted and for this name; its days are read either way."""
    ca_file: FilePath = ""
    """Authorities to trust beside the platform's, as PEM."""
    warn_days: float = 21.0
    """Days the certificate must still last; fewer is degraded."""
    critical_days: float = 7.0
    """Fewer days than this is down."""

    def __post_init__(self) -> None:
        split_url(self.url)
        for status in self.status:
            if not _STATUS_CLASS.fullmatch(str(status)):
                raise ValueError(f"{status!r} is no status: write 200 or a class such as '2xx'")
        if not self.status:
            raise ValueError("status is empty: name at least one, such as '2xx'")
        if self.matches:
            checked_pattern(self.matches)
        if not 0 <= self.redirects <= 20:
            raise ValueError("redirects must be from 0 to 20")
        if self.body and self.method != "POST":
            raise ValueError("a body goes with method POST")


class HttpOptions(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `http`."""

    interval: float = 15.0
    """Seconds between two looks."""
    checks: tuple[str | HttpCheck, ...]
    """What to check: each a URL, or a table with a `url` and what to expect of it."""

    def __post_init__(self) -> None:
        if not self.checks:
            raise ValueError('checks is empty: name at least one, such as "https://shop.example/health"')
        for check in self.checks:
            if isinstance(check, str):
                split_url(check)


class HttpCheckSource(CheckSource[HttpOptions]):
    """Asks endpoints, and says in words what is wrong with their answers."""

    kind: ClassVar[str] = "http"
    summary: ClassVar[str] = "HTTP endpoints: status, body, latency, redirects, certificate days left"
    options_type: ClassVar[type[Options]] = HttpOptions
    carried = True

    def __init__(self, name: str, options: HttpOptions) -> None:
        super().__init__(name, options)
        given = [HttpCheck(url=check) if isinstance(check, str) else check for check in options.checks]
        subjects = unique([check.name or shown(check.url) for check in given])
        self._checks = list(zip(subjects, given, strict=True))
        self._contexts: dict[tuple[bool, str], ssl.SSLContext] = {}
        self._credentials: dict[str, tuple[tuple[str, str], ...]] = {}

    def looks(self) -> Sequence[Look]:
        """Return one look an endpoint."""
        return [partial(self._look, subject, check) for subject, check in self._checks]

    async def _look(self, subject: str, check: HttpCheck) -> HealthSample:
        at = time.time_ns()
        attempt = _Attempt(subject, check, Verdict(), Stopwatch(), check.url)
        verdict, reply, latency = attempt.verdict, None, None
        try:
            async with bounded(subject, attempt.watch, self.options.timeout):
                reply = await self._follow(attempt)
            latency = attempt.watch.total
            await _judge(check, reply, latency, verdict)
        except Untrusted as error:
            await self._judge_untrusted(attempt, error)
        except CockpitError as error:
            reason = f"{error.message} ({error.remedy})" if error.remedy else error.message
            verdict.fault(HealthState.DOWN, reason)
        verdict.note(attempt.watch.readings())
        parts = urlsplit(check.url)
        host = parts.hostname or ""
        about = {"server.address": host, "server.port": str(port_of(parts)), "url.full": shown(check.url)}
        passed = ""
        if reply is not None and latency is not None:
            verdict.note({"total s": round(latency, 6)})
            passed = f"{reply.status} in {latency * 1000:.0f} ms"
            if reply.status in {401, 403}:
                self._credentials.pop(subject, None)
        where = resource(check.service, host, about)
        return verdict.sample(subject, at=at, source=self.name, value=latency, resource=where, passed=passed)

    async def _follow(self, attempt: _Attempt) -> Reply:
        """Ask, and follow redirects as far as the check allows."""
        check, verdict = attempt.check, attempt.verdict
        context = await self._context(check.verify, check.ca_file)
        request = Request(
            method=check.method,
            url=check.url,
            headers=_open_headers(check) + await self._secret_headers(attempt.subject, check),
            body=check.body.encode(),
        )
        chain: list[str] = []
        while True:
            reply = await exchange(
                request, context=context, watch=attempt.watch, keep=KEEP, remote=self.remote
            )
            _note_reply(check, reply, verdict)
            location = reply.header("location")
            if reply.status not in _REDIRECTS or location is None or not check.redirects:
                verdict.note({"redirects": len(chain), "redirected to": " → ".join(chain) or None})
                return reply
            request = _redirected(request, reply.status, location, check)
            chain.append(shown(request.url))
            attempt.url = request.url
            if len(chain) > check.redirects:
                raise BadAnswer(
                    f"more than {check.redirects} redirects: {' → '.join(chain[:4])}",
                    remedy="look for a loop, or raise `redirects`",
                )
            if check.url.startswith("https:") and request.url.startswith("http:"):
                verdict.fault(HealthState.DEGRADED, f"redirects from https to plain {shown(request.url)}")

    async def _judge_untrusted(self, attempt: _Attempt, error: Untrusted) -> None:
        """Say why a certificate was refused, and read it all the same, on a connection that sends nothing."""
        check, parts = attempt.check, urlsplit(attempt.url)
        certificate: Certificate | None = None
        try:
            context = await self._context(False, "")
            certificate = await peer_certificate(
                parts.hostname or "",
                port_of(parts),
                timeout=self.options.timeout,
                context=context,
                remote=self.remote,
            )
        except SourceError as unread:
            attempt.verdict.note({"certificate": f"could not be read: {unread.message}"})
        note_untrusted(
            attempt.verdict,
            error,
            certificate,
            now=time.time(),
            warn_days=check.warn_days,
            critical_days=check.critical_days,
        )

    async def _secret_headers(self, subject: str, check: HttpCheck) -> tuple[tuple[str, str], ...]:
        """Return the headers that hold credentials; they are read once, and again after a refusal."""
        held = self._credentials.get(subject)
        if held is None:
            found: list[tuple[str, str]] = []
            if check.user or check.password:
                password = await reveal(check.password, self.name) if check.password else ""
                pair = base64.b64encode(f"{check.user}:{password}".encode()).decode()
                found.append(("authorization", f"Basic {pair}"))
            elif check.bearer:
                found.append(("authorization", f"Bearer {await reveal(check.bearer, self.name)}"))
            for name, value in check.request_headers.items():
                if isinstance(value, Secret):
                    found.append((name.lower(), await reveal(value, self.name)))
            held = self._credentials[subject] = tuple(found)
        return held

    async def _context(self, verify: bool, ca_file: str) -> ssl.SSLContext:
        """Return the context for these settings; making one reads every authority of the platform, so it is kept."""
        held = self._contexts.get((verify, ca_file))
        if held is None:
            held = await asyncio.to_thread(client_context, verify=verify, ca_file=ca_file)
            self._contexts[verify, ca_file] = held
        return held


class _Attempt(Struct):
    """One look under way."""

    subject: str
    check: HttpCheck
    verdict: Verdict
    watch: Stopwatch
    url: str
    """Where it asks now, after redirects."""


def _open_headers(check: HttpCheck) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name.lower(), value) for name, value in check.request_headers.items() if isinstance(value, str)
    )


def _note_reply(check: HttpCheck, reply: Reply, verdict: Verdict) -> None:
    verdict.note({"status": reply.status, "address": reply.address, "tls version": reply.tls_version})
    if reply.certificate is not None:
        note_certificate(
            verdict,
            read_certificate(reply.certificate),
            now=time.time(),
            warn_days=check.warn_days,
            critical_days=check.critical_days,
        )


def _redirected(request: Request, status: int, location: str, check: HttpCheck) -> Request:
    """Return the request that a redirect asks for (RFC 9110, 15.4).

    Raises:
        BadAnswer: It leads to no HTTP address.
    """
    target = urljoin(request.url, location)
    try:
        parts = split_url(target)
    except ValueError as error:
        raise BadAnswer(f"it redirects to {shown(target)}: {error}", remedy="correct its Location") from None
    same = origin(parts) == origin(urlsplit(check.url))
    headers = request.headers if same else _open_headers(check)
    if status in {301, 302, 303} and request.method == "POST":
        return Request(method="GET", url=target, headers=headers)
    return Request(method=request.method, url=target, headers=headers, body=request.body)


async def _judge(check: HttpCheck, reply: Reply, latency: float, verdict: Verdict) -> None:
    """Hold an answer against what the check expects."""
    if not any(_fits(reply.status, wanted) for wanted in check.status):
        expected = " or ".join(str(wanted) for wanted in check.status)
        remedy = _REMEDY.get(reply.status, "see the server's log" if reply.status >= 500 else "")
        verdict.fault(
            HealthState.DOWN,
            f"answered {reply.status}, expected {expected}" + (f" ({remedy})" if remedy else ""),
        )
    for name, wanted in check.headers.items():
        came = reply.header(name)
        if came is None:
            verdict.fault(HealthState.DOWN, f"no header {name}")
        elif wanted.lower() not in came.lower():
            verdict.fault(HealthState.DOWN, f"header {name} is {came[:100]!r}, expected {wanted!r} in it")
    if check.contains or check.matches:
        body = reply.body.decode("utf-8", "replace")
        read = "" if reply.whole else f" in its first {KEEP // 1024} KiB"
        if check.contains and check.contains not in body:
            verdict.fault(
                HealthState.DOWN, f"the body does not hold {clean_text(check.contains, 100)!r}{read}"
            )
        if check.matches and not await found_in(check.matches, body):
            verdict.fault(
                HealthState.DOWN, f"nothing in the body matches {clean_text(check.matches, 100)!r}{read}"
            )
    if 0 < check.max_latency < latency:
        verdict.fault(HealthState.DEGRADED, f"took {latency:.3f} s, more than {check.max_latency:g} s")


def _fits(status: int, wanted: int | str) -> bool:
    text = str(wanted)
    return str(status)[:1] == text[:1] if text.endswith("xx") else str(status) == text
