"""Checks that TCP ports answer: connect latency, a banner or an answer to expect, and the certificate's days left.

Each check is a `host:port` or a table, and becomes one health row whose value is the connect latency in seconds.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from msgspec import Struct

from cockpit.errors import SourceError
from cockpit.hygiene import clean_text
from cockpit.signals import HealthSample, HealthState
from cockpit.source import FilePath, Options, resource
from sources.support.checking import CheckSource, Look, unique
from sources.support.reach import Connection, bounded, connected, peer_certificate
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

BANNER = 64 * 1024
"""Bytes read while looking for what is expected."""
SHOWN = 200
"""Characters of an answer that a reason or a detail shows."""


def split_address(address: str) -> tuple[str, int]:
    """Split `host:port`, `[v6]:port` included.

    Raises:
        ValueError: It is no such thing.
    """
    host, colon, port = address.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{address!r} is ambiguous: write an IPv6 address as [address]:port")
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"{address!r} is no host:port, such as db-1:5432")
    return host, int(port)


class TcpCheck(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One port to look at."""

    address: str
    """`host:port`; an IPv6 address goes in brackets."""
    service: str = ""
    """The service it belongs to, so that the scope finds it."""
    send: str = ""
    """Text to send once connected (`PING\\r\\n`)."""
    send_hex: str = ""
    """The same as hex digits, for what is no text."""
    expect: str = ""
    """Text that the first 64 KiB of the answer must hold."""
    expect_hex: str = ""
    """The same as hex digits."""
    max_latency: float = 0.0
    """Seconds of connect latency above which the row is degraded; 0 sets no bound."""
    tls: bool = False
    """Whether to speak TLS from the first byte."""
    verify: bool = True
    """Whether the certificate must be trusted and for this name; its days are read either way."""
    server_name: str = ""
    """The name to ask for and to find in the certificate; the host's own unless given."""
    ca_file: FilePath = ""
    """Authorities to trust beside the platform's, as PEM."""
    warn_days: float = 21.0
    """Days the certificate must still last; fewer is degraded."""
    critical_days: float = 7.0
    """Fewer days than this is down."""

    def __post_init__(self) -> None:
        split_address(self.address)
        for name, digits in (("send_hex", self.send_hex), ("expect_hex", self.expect_hex)):
            try:
                bytes.fromhex(digits)
            except ValueError:
                raise ValueError(f"{name} must be pairs of hex digits, such as 50494e47") from None

    @property
    def request(self) -> bytes:
        """The bytes to send."""
        return self.send.encode() + bytes.fromhex(self.send_hex)

    @property
    def wanted(self) -> bytes:
        """The bytes to find in the answer."""
        return self.expect.encode() + bytes.fromhex(self.expect_hex)


class TcpOptions(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `tcp`."""

    interval: float = 15.0
    """Seconds between two looks."""
    checks: tuple[str | TcpCheck, ...]
    """What to check: each a `host:port`, or a table with an `address` and what to expect of it."""

    def __post_init__(self) -> None:
        if not self.checks:
            raise ValueError('checks is empty: name at least one, such as "db-1:5432"')
        for check in self.checks:
            if isinstance(check, str):
                split_address(check)


class TcpCheckSource(CheckSource[TcpOptions]):
    """Opens connections, and says why one can't be opened."""

    kind: ClassVar[str] = "tcp"
    summary: ClassVar[str] = "TCP ports: connect latency, expected banner, certificate days left"
    options_type: ClassVar[type[Options]] = TcpOptions
    carried = True

    def __init__(self, name: str, options: TcpOptions) -> None:
        super().__init__(name, options)
        given = [TcpCheck(address=check) if isinstance(check, str) else check for check in options.checks]
        subjects = unique([check.address for check in given])
        self._checks = list(zip(subjects, given, strict=True))
        self._contexts: dict[tuple[bool, str], ssl.SSLContext] = {}

    def looks(self) -> Sequence[Look]:
        """Return one look a port."""
        return [partial(self._look, subject, check) for subject, check in self._checks]

    async def _look(self, subject: str, check: TcpCheck) -> HealthSample:
        host, port = split_address(check.address)
        verdict, watch, at = Verdict(), Stopwatch(), time.time_ns()
        try:
            context = await self._context(check.verify, check.ca_file) if check.tls else None
            await self._talk(check, verdict, watch, context)
        except Untrusted as error:
            await self._judge_untrusted(check, verdict, error)
        except SourceError as error:
            verdict.fault(
                HealthState.DOWN, f"{error.message} ({error.remedy})" if error.remedy else error.message
            )
        latency = watch.laps.get("connect")
        if latency is not None and 0 < check.max_latency < latency:
            verdict.fault(
                HealthState.DEGRADED, f"connected in {latency:.3f} s, more than {check.max_latency:g} s"
            )
        verdict.note(watch.readings())
        about = {"server.address": host, "server.port": str(port)}
        passed = f"connected in {latency * 1000:.1f} ms" if latency is not None else ""
        return verdict.sample(
            subject,
            at=at,
            source=self.name,
            value=latency,
            resource=resource(check.service, host, about),
            passed=passed,
        )

    async def _talk(
        self, check: TcpCheck, verdict: Verdict, watch: Stopwatch, context: ssl.SSLContext | None
    ) -> None:
        host, port = split_address(check.address)
        async with (
            bounded(check.address, watch, self.options.timeout),
            connected(
                host, port, watch=watch, tls=context, server_name=check.server_name, remote=self.remote
            ) as connection,
        ):
            self._note_connection(check, verdict, connection)
            if check.request or check.wanted:
                watch.phase = "answer"
                await _exchange(check, connection, verdict)

    def _note_connection(self, check: TcpCheck, verdict: Verdict, connection: Connection) -> None:
        verdict.note({"address": connection.address, "tls version": connection.tls_version()})
        der = connection.certificate()
        if der is not None:
            note_certificate(
                verdict,
                read_certificate(der),
                now=time.time(),
                warn_days=check.warn_days,
                critical_days=check.critical_days,
            )

    async def _judge_untrusted(self, check: TcpCheck, verdict: Verdict, error: Untrusted) -> None:
        """Say why the certificate was refused, and read it all the same."""
        host, port = split_address(check.address)
        certificate: Certificate | None = None
        try:
            context = await self._context(False, "")
            certificate = await peer_certificate(
                host,
                port,
                timeout=self.options.timeout,
                context=context,
                server_name=check.server_name,
                remote=self.remote,
            )
        except SourceError as unread:
            verdict.note({"certificate": f"could not be read: {unread.message}"})
        note_untrusted(
            verdict,
            error,
            certificate,
            now=time.time(),
            warn_days=check.warn_days,
            critical_days=check.critical_days,
        )

    async def _context(self, verify: bool, ca_file: str) -> ssl.SSLContext:
        """Return the context for these settings; making one reads every authority of the platform, so it is kept."""
        held = self._contexts.get((verify, ca_file))
        if held is None:
            held = await asyncio.to_thread(client_context, verify=verify, ca_file=ca_file)
            self._contexts[verify, ca_file] = held
        return held


async def _exchange(check: TcpCheck, connection: Connection, verdict: Verdict) -> None:
    """Send what is to be sent and read until what is expected came, the end, or 64 KiB."""
    if check.request:
        connection.writer.write(check.request)
        await connection.writer.drain()
    if not check.wanted:
        return
    answer = bytearray()
    while check.wanted not in answer and len(answer) < BANNER:
        part = await connection.reader.read(BANNER - len(answer))
        if not part:
            break
        answer += part
    shown = clean_text(answer[:SHOWN].decode("utf-8", "replace").strip())
    verdict.note({"answer": shown})
    if check.wanted not in answer:
        wanted = clean_text(check.expect) if check.expect else f"bytes {check.expect_hex}"
        came = f"after {shown!r}" if shown else "without a word"
        ended = "read 64 KiB" if len(answer) >= BANNER else f"closed {came}"
        verdict.fault(
            HealthState.DOWN, f"expected {wanted!r}: {ended} (check that the right service listens there)"
        )
