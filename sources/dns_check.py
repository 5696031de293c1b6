"""Checks that names resolve as they should: records, expected answers, latency, and whether resolvers agree.

Each check is a name or a table, and becomes one health row whose value is the slowest server's latency in seconds.
Where several servers are asked, one that fails is degraded, and all that fail is down.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Literal

from msgspec import Struct

from cockpit.errors import SourceError
from cockpit.signals import HealthSample, HealthState
from cockpit.source import Options, resource
from sources.support.checking import CheckSource, Look, unique
from sources.support.dns_query import Answer, ask, same_form, system_servers
from sources.support.reach import bounded, resolve
from sources.support.stopwatch import Stopwatch
from sources.support.verdict import Verdict

_REMEDY = {
    "NXDOMAIN": "the name does not exist: check its spelling, the zone, and whether the domain has lapsed",
    "SERVFAIL": "the server could not find out: check the zone's name servers and its DNSSEC signatures",
    "REFUSED": "the server will not answer us: check its access list, or ask another",
    "FORMERR": "the server did not understand the question: check that it is a DNS server",
    "NOTIMP": "the server does not answer such questions: ask another",
    "NOTAUTH": "the server is not responsible for that zone: ask another",
}


def split_server(server: str) -> tuple[str, int]:
    """Split `host`, `host:port`, `v6` or `[v6]:port`; the port is 53 unless given.

    Raises:
        ValueError: It is no such thing.
    """
    host, port = server, "53"
    if server.startswith("["):
        host, _, rest = server[1:].partition("]")
        port = rest.removeprefix(":") or "53"
    elif server.count(":") == 1:
        host, _, port = server.partition(":")
    if not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"{server!r} is no server: write 192.0.2.1, 192.0.2.1:5353 or [2001:db8::1]:53")
    return host, int(port)


class DnsCheck(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One name and type to look up."""

    name: str
    """The name, absolute with or without its last dot."""
    type: str = "A"
    """The record type: `A`, `AAAA`, `CNAME`, `MX`, `NS`, `PTR`, `SOA`, `SRV`, `TXT`, `CAA` and so on."""
    service: str = ""
    """The service it belongs to, so that the scope finds it."""
    servers: tuple[str, ...] = ()
    """Servers to ask, each `host` or `host:port`; the source's own, else this machine's, unless given."""
    expect: tuple[str, ...] = ()
    """Answers to find, as they stand in a zone file; none means that any answer will do."""
    match: Literal["any", "all", "exact"] = "all"
    """Whether one of `expect` is enough, all must be there, or nothing else may be there beside them."""
    rcode: str = "NOERROR"
    """The code to expect; `NXDOMAIN` for a name that must not exist."""
    agree: bool = False
    """Whether all servers must give the same answer."""
    max_latency: float = 0.0
    """Seconds above which the row is degraded; 0 sets no bound."""
    transport: Literal["udp", "tcp"] = "udp"
    """`udp` turns to TCP where the answer does not fit a datagram."""

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("name is empty")
        for server in self.servers:
            split_server(server)


class DnsOptions(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `dns`."""

    interval: float = 30.0
    """Seconds between two looks."""
    checks: tuple[str | DnsCheck, ...]
    """What to look up: each a name (its A records), or a table with a `name` and what to expect."""
    servers: tuple[str, ...] = ()
    """Servers to ask, each `host` or `host:port`; this machine's resolvers unless given."""

    def __post_init__(self) -> None:
        if not self.checks:
            raise ValueError('checks is empty: name at least one, such as "example.org"')
        for server in self.servers:
            split_server(server)


class DnsCheckSource(CheckSource[DnsOptions]):
    """Asks name servers, and says what is wrong with what they answer."""

    kind: ClassVar[str] = "dns"
    summary: ClassVar[str] = "DNS names: records, expected answers, latency, agreement between resolvers"
    options_type: ClassVar[type[Options]] = DnsOptions

    def __init__(self, name: str, options: DnsOptions) -> None:
        super().__init__(name, options)
        given = [DnsCheck(name=check) if isinstance(check, str) else check for check in options.checks]
        subjects = unique([f"{check.name} {check.type.upper()}" for check in given])
        self._checks = list(zip(subjects, given, strict=True))

    def looks(self) -> Sequence[Look]:
        """Return one look a name and type."""
        return [partial(self._look, subject, check) for subject, check in self._checks]

    async def _look(self, subject: str, check: DnsCheck) -> HealthSample:
        verdict, at = Verdict(), time.time_ns()
        try:
            servers = list(check.servers or self.options.servers)
            if not servers:
                servers = await asyncio.to_thread(system_servers)
        except SourceError as error:
            verdict.fault(HealthState.DOWN, _said(error))
            servers = []
        asked = await asyncio.gather(*(self._ask(check, server) for server in servers[:8]))
        answers = dict(zip(servers, asked, strict=False))
        _judge(check, answers, verdict)
        took = [found.took for found in asked if isinstance(found, Answer)]
        slowest = max(took, default=None)
        passed = _summary([found for found in asked if isinstance(found, Answer)])
        about = {"dns.question.name": check.name}
        return verdict.sample(
            subject,
            at=at,
            source=self.name,
            value=slowest,
            resource=resource(check.service, "", about),
            passed=passed,
        )

    async def _ask(self, check: DnsCheck, server: str) -> Answer | SourceError:
        """Ask one server; what went wrong is an answer too, since the other servers' still count."""
        host, port = split_server(server)
        watch = Stopwatch()
        try:
            async with bounded(server, watch, self.options.timeout):
                with watch.lap("dns"):
                    address = str((await resolve(host, port))[0][1][0])
                watch.phase = "query"
                return await ask(
                    check.name,
                    check.type,
                    address=address,
                    port=port,
                    timeout=self.options.timeout,
                    transport=check.transport,
                )
        except SourceError as error:
            return error


def _judge(check: DnsCheck, answers: dict[str, Answer | SourceError], verdict: Verdict) -> None:
    """Put what the servers said into a verdict: all failing is down, some failing is degraded."""
    wrong = {server: fault for server, found in answers.items() if (fault := _fault(check, found))}
    worst = HealthState.DOWN if len(wrong) == len(answers) else HealthState.DEGRADED
    if wrong and len(set(wrong.values())) == 1 and len(answers) > 1:
        verdict.fault(worst, f"{', '.join(wrong)}: {next(iter(wrong.values()))}")
    else:
        for server, fault in wrong.items():
            verdict.fault(worst, f"{server}: {fault}")
    said = {server: found for server, found in answers.items() if isinstance(found, Answer)}
    for server, answer in said.items():
        verdict.note(_readings(server, answer))
        if 0 < check.max_latency < answer.took:
            verdict.fault(
                HealthState.DEGRADED,
                f"{server} took {answer.took:.3f} s, more than {check.max_latency:g} s",
            )
    if check.agree and len({_comparable(answer, check.type) for answer in said.values()}) > 1:
        each = "; ".join(f"{server} says {_content(answer)}" for server, answer in said.items())
        verdict.fault(
            HealthState.DEGRADED, f"the servers differ: {each} (wait for the TTL, or compare their zones)"
        )


def _fault(check: DnsCheck, found: Answer | SourceError) -> str:
    """Say what is wrong with one server's answer; an empty string where nothing is."""
    if isinstance(found, SourceError):
        return _said(found)
    if found.rcode != check.rcode.upper():
        remedy = _REMEDY.get(found.rcode, "")
        meant = f" where {check.rcode.upper()} was expected" if check.rcode.upper() != "NOERROR" else ""
        return f"{found.rcode}{meant}" + (f" ({remedy})" if remedy else "")
    if found.rcode == "NOERROR" and not found.values:
        through = f", through {' to '.join(found.chain)}" if found.chain else ""
        return f"the name exists but has no {check.type.upper()} record{through}"
    wanted = {same_form(value, check.type) for value in check.expect}
    came = {same_form(value, check.type) for value in found.values}
    if check.match == "any":
        fits = not wanted or bool(wanted & came)
    else:
        fits = wanted <= came and (check.match == "all" or wanted == came or not wanted)
    if fits:
        return ""
    return f"expected {check.match} of {', '.join(check.expect)}, got {_content(found)}"


def _comparable(answer: Answer, record_type: str) -> tuple[str, tuple[str, ...]]:
    return answer.rcode, tuple(sorted(same_form(value, record_type) for value in answer.values))


def _content(answer: Answer) -> str:
    shown = ", ".join(answer.values[:4])
    more = len(answer.values) - 4
    return (f"{shown} and {more} more" if more > 0 else shown) or answer.rcode


def _summary(answers: list[Answer]) -> str:
    if not answers:
        return ""
    ttl = answers[0].ttl
    return _content(answers[0]) + (f", kept for {ttl} s" if ttl is not None else "")


def _readings(server: str, answer: Answer) -> dict[str, str | int | float | None]:
    return {
        f"{server} answer": _content(answer),
        f"{server} s": round(answer.took, 6),
        f"{server} ttl": answer.ttl,
        f"{server} through": " to ".join(answer.chain) or None,
        f"{server} transport": answer.transport,
    }


def _said(error: SourceError) -> str:
    return f"{error.message} ({error.remedy})" if error.remedy else error.message
