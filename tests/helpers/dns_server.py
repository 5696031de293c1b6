"""A DNS server on one free loopback port, UDP and TCP, whose answers a function gives."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Respond = Callable[[dns.message.Message, str], "dns.message.Message | bytes | None"]
"""Takes the query and `udp` or `tcp`; returns the reply, raw bytes in its place, or None for silence."""


class Zone:
    """Answers from records written as zone files write them, and counts what was asked.

    Args:
        records: Lines such as `www.example. 60 IN A 192.0.2.1`.
    """

    def __init__(self, *records: str) -> None:
        self.rrsets: list[dns.rrset.RRset] = []
        for line in records:
            name, ttl, klass, kind, rest = line.split(maxsplit=4)
            held = next(
                (r for r in self.rrsets if r.name.to_text() == name and r.to_text().split()[3] == kind), None
            )
            made = dns.rrset.from_text(name, int(ttl), klass, kind, rest)
            if held is None:
                self.rrsets.append(made)
            else:
                held.add(made[0], made.ttl)
        self.asked: list[tuple[str, str]] = []

    def __call__(self, query: dns.message.Message, transport: str) -> dns.message.Message:
        question = query.question[0]
        self.asked.append((question.name.to_text(), transport))
        reply = dns.message.make_response(query, recursion_available=True)
        name = question.name
        for _ in range(20):
            fitting = [rrset for rrset in self.rrsets if rrset.name == name]
            exact = [rrset for rrset in fitting if rrset.rdtype == question.rdtype]
            alias = [rrset for rrset in fitting if rrset.rdtype == 5]
            reply.answer.extend(exact or alias)
            if exact or not alias:
                if not fitting and not reply.answer:
                    reply.set_rcode(dns.rcode.NXDOMAIN)
                break
            name = alias[0][0].target
        return reply


@contextlib.asynccontextmanager
async def dns_server(respond: Respond) -> AsyncIterator[str]:
    """Serve for the length of a block and give the address as `127.0.0.1:port`."""
    loop = asyncio.get_running_loop()

    def reply_to(wire: bytes, transport: str) -> bytes | None:
        reply = respond(dns.message.from_wire(wire), transport)
        if reply is None or isinstance(reply, bytes):
            return reply
        if transport == "tcp":
            return reply.to_wire(max_size=65535)
        return reply.to_wire(max_size=1232, prefer_truncation=True)

    class Datagrams(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast("asyncio.DatagramTransport", transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            wire = reply_to(data, "udp")
            if wire is not None:
                self.transport.sendto(wire, addr)

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            size = int.from_bytes(await reader.readexactly(2))
            wire = reply_to(await reader.readexactly(size), "tcp")
            if wire is not None:
                writer.write(len(wire).to_bytes(2) + wire)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(stream, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    datagrams, _ = await loop.create_datagram_endpoint(Datagrams, local_addr=("127.0.0.1", port))
    try:
        yield f"127.0.0.1:{port}"
    finally:
        datagrams.close()
        server.close()
