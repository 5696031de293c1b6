"""Asks one DNS server one question. The one seam to dnspython: its exceptions go no further than this file.

Questions and answers are RFC 1035's; a name is always absolute, so no search list of this machine changes it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from cockpit.errors import BadAnswer, SourceError, Unreachable
from cockpit.hygiene import clean_text
from sources.support.reach import explain

if TYPE_CHECKING:
    import dns.message

ANSWERS = 256
"""Records kept of an answer."""

_NAME = ("that is no DNS name", "check its spelling: labels of 1 to 63 characters, 253 in all")
_WIRE = ("the answer is no DNS message", "check that a DNS server listens there")
_SIGNED = ("the answer's signature is not what it should be", "check the server's TSIG keys")
_SERVER = ("the answer does not fit the question", "ask another server to see which one errs")
_LOCAL = (
    "no resolver is configured on this machine",
    "name a server in `servers`, or fill in /etc/resolv.conf",
)
_LATE = ("no answer in time", "the server is down, or a firewall drops its packets")
_BUILD = ("dnspython could not make that query", "report it with the check's options")

MEANING: Mapping[str, tuple[type[SourceError], tuple[str, str]]] = {
    "dns.asyncbackend.AsyncLibraryNotFoundError": (SourceError, _BUILD),
    "dns.exception.AlgorithmKeyMismatch": (BadAnswer, _SIGNED),
    "dns.exception.DeniedByPolicy": (BadAnswer, _SIGNED),
    "dns.exception.FormError": (BadAnswer, _WIRE),
    "dns.exception.SyntaxError": (SourceError, _NAME),
    "dns.exception.Timeout": (Unreachable, _LATE),
    "dns.exception.TooBig": (BadAnswer, _WIRE),
    "dns.exception.UnexpectedEnd": (BadAnswer, _WIRE),
    "dns.exception.UnsupportedAlgorithm": (BadAnswer, _SIGNED),
    "dns.exception.ValidationFailure": (BadAnswer, _SIGNED),
    "dns.message.AnswerForNXDOMAIN": (BadAnswer, _SERVER),
    "dns.message.BadEDNS": (BadAnswer, _WIRE),
    "dns.message.BadTSIG": (BadAnswer, _SIGNED),
    "dns.message.ChainTooLong": (
        BadAnswer,
        ("the chain of CNAMEs has no end", "look for a CNAME that points back at itself"),
    ),
    "dns.message.NoPreviousName": (BadAnswer, _WIRE),
    "dns.message.NotQueryResponse": (BadAnswer, _SERVER),
    "dns.message.ShortHeader": (BadAnswer, _WIRE),
    "dns.message.TrailingJunk": (BadAnswer, _WIRE),
    "dns.message.Truncated": (BadAnswer, _WIRE),
    "dns.message.UnknownHeaderField": (BadAnswer, _WIRE),
    "dns.message.UnknownTSIGKey": (BadAnswer, _SIGNED),
    "dns.name.AbsoluteConcatenation": (SourceError, _NAME),
    "dns.name.BadEscape": (SourceError, _NAME),
    "dns.name.BadLabelType": (BadAnswer, _WIRE),
    "dns.name.BadPointer": (BadAnswer, _WIRE),
    "dns.name.DecompressionForbidden": (BadAnswer, _WIRE),
    "dns.name.EmptyLabel": (SourceError, _NAME),
    "dns.name.IDNAException": (SourceError, _NAME),
    "dns.name.LabelTooLong": (SourceError, _NAME),
    "dns.name.NameTooLong": (SourceError, _NAME),
    "dns.name.NeedAbsoluteNameOrOrigin": (SourceError, _NAME),
    "dns.name.NeedSubdomainOfOrigin": (SourceError, _NAME),
    "dns.name.NoIDNA2008": (SourceError, _NAME),
    "dns.name.NoParent": (SourceError, _NAME),
    "dns.name.PointerChainTooLong": (BadAnswer, _WIRE),
    "dns.opcode.UnknownOpcode": (BadAnswer, _WIRE),
    "dns.query.BadResponse": (BadAnswer, _SERVER),
    "dns.query.NoDOH": (SourceError, _BUILD),
    "dns.query.NoDOQ": (SourceError, _BUILD),
    "dns.query.UnexpectedSource": (
        BadAnswer,
        ("another address answered than the one asked", "look for a NAT or a forger between"),
    ),
    "dns.rcode.UnknownRcode": (BadAnswer, _WIRE),
    "dns.rdata.NoRelativeRdataOrdering": (BadAnswer, _WIRE),
    "dns.rdata.RdatatypeExists": (SourceError, _BUILD),
    "dns.rdataclass.UnknownRdataclass": (BadAnswer, _WIRE),
    "dns.rdataset.DifferingCovers": (BadAnswer, _WIRE),
    "dns.rdataset.IncompatibleTypes": (BadAnswer, _WIRE),
    "dns.rdatatype.UnknownRdatatype": (
        SourceError,
        ("that is no record type", "use one such as A, AAAA, CNAME, MX, NS, SRV, TXT"),
    ),
    "dns.rdtypes.svcbbase.UnknownParamKey": (BadAnswer, _WIRE),
    "dns.rdtypes.ANY.DSYNC.UnknownScheme": (BadAnswer, _WIRE),
    "dns.rdtypes.rrsigbase.BadSigTime": (BadAnswer, _WIRE),
    "dns.resolver.EmptyHostAnswers": (BadAnswer, _SERVER),
    "dns.resolver.LifetimeTimeout": (Unreachable, _LATE),
    "dns.resolver.NXDOMAIN": (BadAnswer, _SERVER),
    "dns.resolver.NoAnswer": (BadAnswer, _SERVER),
    "dns.resolver.NoMetaqueries": (SourceError, _BUILD),
    "dns.resolver.NoNameservers": (SourceError, _LOCAL),
    "dns.resolver.NoResolverConfiguration": (SourceError, _LOCAL),
    "dns.resolver.NoRootSOA": (BadAnswer, _SERVER),
    "dns.resolver.NotAbsolute": (SourceError, _NAME),
    "dns.resolver.YXDOMAIN": (BadAnswer, _SERVER),
    "dns.tokenizer.UngetBufferFull": (SourceError, _BUILD),
    "dns.transaction.AlreadyEnded": (SourceError, _BUILD),
    "dns.transaction.DeleteNotExact": (SourceError, _BUILD),
    "dns.transaction.ReadOnly": (SourceError, _BUILD),
    "dns.transaction.TooManyChanges": (SourceError, _BUILD),
    "dns.tsig.BadAlgorithm": (BadAnswer, _SIGNED),
    "dns.tsig.BadKey": (BadAnswer, _SIGNED),
    "dns.tsig.BadSignature": (BadAnswer, _SIGNED),
    "dns.tsig.BadTime": (BadAnswer, _SIGNED),
    "dns.tsig.PeerBadKey": (BadAnswer, _SIGNED),
    "dns.tsig.PeerBadSignature": (BadAnswer, _SIGNED),
    "dns.tsig.PeerBadTime": (BadAnswer, _SIGNED),
    "dns.tsig.PeerBadTruncation": (BadAnswer, _SIGNED),
    "dns.tsig.PeerError": (BadAnswer, _SIGNED),
    "dns.ttl.BadTTL": (BadAnswer, _WIRE),
    "dns.versioned.UseTransaction": (SourceError, _BUILD),
    "dns.xfr.SerialWentBackwards": (BadAnswer, _SERVER),
    "dns.xfr.TransferError": (BadAnswer, _SERVER),
    "dns.xfr.UseTCP": (BadAnswer, _SERVER),
    "dns.zone.BadZone": (SourceError, _BUILD),
    "dns.zone.DigestVerificationFailure": (SourceError, _BUILD),
    "dns.zone.NoDigest": (SourceError, _BUILD),
    "dns.zone.NoNS": (SourceError, _BUILD),
    "dns.zone.NoSOA": (SourceError, _BUILD),
    "dns.zone.UnknownOrigin": (SourceError, _BUILD),
    "dns.zone.UnsupportedDigestHashAlgorithm": (SourceError, _BUILD),
    "dns.zone.UnsupportedDigestScheme": (SourceError, _BUILD),
    "dns.zonefile.CNAMEAndOtherData": (SourceError, _BUILD),
    "dns.zonefile.UnknownOrigin": (SourceError, _BUILD),
}
"""Every exception that dnspython can raise, by its name, and what it means here. A test holds the list complete."""


class Answer(Struct, frozen=True, kw_only=True):
    """What a server said to one question."""

    rcode: str
    """`NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED` and so on."""
    values: tuple[str, ...]
    """The records of the type asked for, as text: the end of the CNAME chain, sorted."""
    chain: tuple[str, ...]
    """The names that CNAMEs led through."""
    ttl: int | None
    """Seconds that the answer may be kept; None where it holds no record."""
    took: float
    """Seconds."""
    transport: str
    """`udp`, `tcp`, or `tcp after udp` where the answer did not fit a datagram."""
    authoritative: bool


@contextlib.contextmanager
def mapped(where: str) -> Iterator[None]:
    """Map what dnspython and its sockets raise to our errors.

    Raises:
        Unreachable: No answer.
        BadAnswer: An answer that the protocol does not allow.
        SourceError: The question itself is wrong.
    """
    import dns.exception

    try:
        yield
    except dns.exception.DNSException as error:
        kind, (message, remedy) = meaning_of(type(error))
        raise kind(message, where=where, remedy=remedy) from None
    except EOFError:
        raise BadAnswer(
            "the server closed the connection before its answer was whole",
            where=where,
            remedy="check the server's log",
        ) from None
    except OSError as error:
        raise explain(error, where) from None


def meaning_of(raised: type[BaseException]) -> tuple[type[SourceError], tuple[str, str]]:
    """Return what an exception of dnspython means; one that is new means what its nearest known parent means."""
    for parent in raised.__mro__:
        known = MEANING.get(f"{parent.__module__}.{parent.__name__}")
        if known is not None:
            return known
    return BadAnswer, (f"dnspython raised {clean_text(raised.__name__, 80)}", "ask another server")


def system_servers(file: str = "/etc/resolv.conf") -> list[str]:
    """Return the addresses of the resolvers that this machine uses.

    Args:
        file: Where they are named; Windows keeps them elsewhere and ignores this.

    Raises:
        SourceError: None is configured.
    """
    import dns.resolver

    with mapped(file):
        found = dns.resolver.Resolver(file).nameservers
    return [server for server in found if isinstance(server, str)]


async def ask(
    name: str,
    record_type: str,
    *,
    address: str,
    port: int,
    timeout: float,
    transport: str,
    recursion: bool = True,
) -> Answer:
    """Ask one server one question.

    Args:
        name: What to ask about; it counts as absolute with or without its last dot.
        record_type: `A`, `AAAA`, `MX` and so on.
        address: The server's IP address.
        port: The server's port.
        timeout: Seconds for the whole exchange.
        transport: `udp`, which turns to TCP where the answer does not fit, or `tcp`.
        recursion: Whether the server may ask others.

    Raises:
        SourceError: See `mapped`; a server's NXDOMAIN or SERVFAIL is an answer, not an error.
    """
    import dns.asyncquery
    import dns.flags
    import dns.message
    import dns.rdatatype

    with mapped(f"{address}:{port}"):
        kind = dns.rdatatype.from_text(record_type)
        query = dns.message.make_query(name.rstrip(".") + ".", kind, use_edns=0, payload=1232)
        if not recursion:
            query.flags &= ~dns.flags.RD
        started = time.perf_counter()
        if transport == "tcp":
            reply = await dns.asyncquery.tcp(query, address, timeout, port)
            used = "tcp"
        else:
            reply, again = await dns.asyncquery.udp_with_fallback(query, address, timeout, port)
            used = "tcp after udp" if again else "udp"
        return _read(reply, kind, time.perf_counter() - started, used)


def _read(reply: dns.message.Message, kind: dns.rdatatype.RdataType, took: float, used: str) -> Answer:
    import dns.flags
    import dns.message
    import dns.rcode

    values: list[str] = []
    chain: list[str] = []
    ttl: int | None = None
    if reply.rcode() == dns.rcode.NOERROR and isinstance(reply, dns.message.QueryMessage):
        found = reply.resolve_chaining()
        chain = [clean_text(str(rrset[0]), 300).rstrip(".").lower() for rrset in found.cnames]
        if found.answer is not None:
            values = sorted(_text(record, kind) for record in list(found.answer)[:ANSWERS])
            ttl = found.minimum_ttl
    return Answer(
        rcode=dns.rcode.to_text(reply.rcode()),
        values=tuple(values),
        chain=tuple(chain),
        ttl=ttl,
        took=took,
        transport=used,
        authoritative=bool(reply.flags & dns.flags.AA),
    )


def _text(record: object, kind: int) -> str:
    import dns.rdatatype

    if kind == dns.rdatatype.TXT:
        parts: tuple[bytes, ...] = getattr(record, "strings", ())
        return clean_text(b"".join(parts).decode("utf-8", "replace"), 1000)
    return clean_text(str(record), 1000)


def same_form(value: str, record_type: str) -> str:
    """Return a record's text in the one form in which two of them are compared: case, last dots and zeros aside."""
    import ipaddress

    if record_type.upper() == "TXT":
        return value
    if record_type.upper() in {"A", "AAAA"}:
        with contextlib.suppress(ValueError):
            return str(ipaddress.ip_address(value.strip()))
    return " ".join(word.rstrip(".").lower() or "." for word in value.split())
