"""Opens connections for the checks, phase by phase, and says in plain words why one could not be opened.

The one seam to the operating system's errors on sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from typing import Any

from msgspec import Struct

from cockpit.errors import BadAnswer, Unreachable
from cockpit.hygiene import clean_text
from cockpit.source import Remote
from sources.support.stopwatch import Stopwatch
from sources.support.tls import Certificate, read_certificate, untrusted

ADDRESSES = 8
"""Addresses of a name that are tried before giving up."""

_REFUSED = "nothing listens there: check that the service runs, and its port"
_WHY = {
    errno.ECONNREFUSED: ("connection refused", _REFUSED),
    errno.ECONNRESET: ("the connection was reset", "the other side, or a proxy or firewall between, cut it"),
    errno.ECONNABORTED: ("the connection was cut", "the other side, or a proxy or firewall between, cut it"),
    errno.EPIPE: ("the connection was cut", "the other side closed it while we were sending"),
    errno.ETIMEDOUT: ("no answer", "the host is down, or a firewall drops the packets"),
    errno.EHOSTUNREACH: ("no route to the host", "check the route, the VPN and the host's firewall"),
    errno.ENETUNREACH: ("no route to that network", "check the route and the VPN"),
    errno.EADDRNOTAVAIL: ("that address can't be reached from here", "check the address"),
    errno.EMFILE: ("this process has too many files open", "raise `ulimit -n`, or configure fewer checks"),
    errno.EACCES: ("this machine's own firewall forbids it", "check the local firewall rules"),
    errno.EPERM: ("this machine's own firewall forbids it", "check the local firewall rules"),
}
_NUMBER: dict[type[OSError], int] = {
    ConnectionResetError: errno.ECONNRESET,
    ConnectionAbortedError: errno.ECONNABORTED,
    ConnectionRefusedError: errno.ECONNREFUSED,
    BrokenPipeError: errno.EPIPE,
}
"""asyncio raises some of these without their number."""
_LATE = {
    "ssh": ("the way through the bastion was not connected", "see whether `ssh` gets there by hand"),
    "dns": ("the name was not resolved", "check the resolvers in /etc/resolv.conf"),
    "connect": ("no connection", "the host is down, or a firewall drops the packets"),
    "tls": ("the TLS handshake did not end", "check that this port speaks TLS"),
    "first byte": ("connected, but no answer came", "raise `timeout`, or see why it is slow"),
    "body": ("the answer was not whole", "raise `timeout`, or see why it is slow"),
    "query": ("no answer from the server", "it is down, or a firewall drops its packets"),
    "answer": ("what is expected did not come", "check that the right service listens there"),
}


Place = tuple[socket.AddressFamily, tuple[Any, ...]]
"""A family and an address in that family's form."""


class Connection(Struct):
    """An open connection, and where it led."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: str
    """The address that answered, of those the name has."""

    def tls_version(self) -> str | None:
        """Return the TLS version, such as `TLSv1.3`; None without TLS."""
        secured = self.writer.get_extra_info("ssl_object")
        return secured.version() if secured is not None else None

    def certificate(self) -> bytes | None:
        """Return the server's certificate as DER; None without TLS."""
        secured = self.writer.get_extra_info("ssl_object")
        return secured.getpeercert(binary_form=True) if secured is not None else None


def explain(error: OSError, where: str) -> Unreachable:
    """Turn an error of a socket into words a person can act on."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return untrusted(error, where)
    if isinstance(error, ssl.SSLError):
        detail = clean_text(str(error.reason or error), 200).lower().replace("_", " ")
        return Unreachable(
            f"the TLS handshake failed: {detail}", where=where, remedy="check that this port speaks TLS"
        )
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return Unreachable(
                "the name can't be resolved just now",
                where=where,
                remedy="check the resolvers in /etc/resolv.conf",
            )
        return Unreachable("the name is unknown", where=where, remedy="check its spelling and the DNS zone")
    number = error.errno or _NUMBER.get(type(error), 0)
    message, remedy = _WHY.get(number, (clean_text(str(error) or type(error).__name__, 200), ""))
    return Unreachable(message, where=where, remedy=remedy)


@contextlib.asynccontextmanager
async def bounded(where: str, watch: Stopwatch, timeout: float) -> AsyncIterator[None]:
    """Bound a block in time and map what sockets raise in it; a time-out names the phase that did not end.

    Raises:
        Unreachable: With the reason and the remedy; `Untrusted` where a certificate did not verify.
        BadAnswer: The host's name is none.
    """
    try:
        async with asyncio.timeout(timeout):
            yield
    except TimeoutError as error:
        if error.errno:
            raise explain(error, where) from None
        message, remedy = _LATE.get(
            watch.phase, (f"no end of {watch.phase}" if watch.phase else "no answer", "")
        )
        raise Unreachable(f"{message} within {timeout:g} s", where=where, remedy=remedy) from None
    except OSError as error:
        if watch.phase == "tls" and isinstance(error, ConnectionError):
            raise Unreachable(
                "the connection was cut in the TLS handshake",
                where=where,
                remedy="check that this port speaks TLS",
            ) from None
        raise explain(error, where) from None
    except UnicodeError:
        raise BadAnswer("that is no host name", where=where, remedy="check its spelling") from None


async def resolve(host: str, port: int) -> list[Place]:
    """Return the addresses of a name in the platform's order of preference."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Place]] = loop.create_future()

    def settle(found: list[Place] | Exception) -> None:
        if answer.done():
            return
        if isinstance(found, list):
            answer.set_result(found)
        else:
            answer.set_exception(found)

    def look_up() -> None:
        found: list[Place] | Exception
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found = [(info[0], info[4]) for info in infos[:ADDRESSES]]
        except (OSError, UnicodeError) as error:
            found = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, found)

    # A thread of its own: while DNS hangs, look-ups would fill the loop's pool, hold everybody else's work in it,
    # and hold the end of the program too.
    threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
    return await answer


@contextlib.asynccontextmanager
async def connected(
    host: str,
    port: int,
    *,
    watch: Stopwatch,
    tls: ssl.SSLContext | None = None,
    server_name: str = "",
    remote: Remote | None = None,
) -> AsyncIterator[Connection]:
    """Hold a connection for the length of a block; laps `dns`, `connect` and, with TLS, `tls` go to the watch.

    Through a bastion, the name is looked up there: the lap `ssh` stands in place of `dns`.

    Raises what sockets raise: hold it inside `bounded`, which maps it.
    """
    if remote is not None:
        with watch.lap("ssh"):
            await remote.ready()
        with watch.lap("connect"):
            sock, address = await remote.dial(host, port), f"{host} through {remote.via}"
    else:
        with watch.lap("dns"):
            addresses = await resolve(host, port)
        with watch.lap("connect"):
            sock, address = await _first_that_answers(addresses)
    connection = await _open(sock, address, tls, server_name or host, watch)
    try:
        yield connection
    finally:
        await _close(connection.writer)


async def peer_certificate(
    host: str,
    port: int,
    *,
    timeout: float,
    context: ssl.SSLContext,
    server_name: str = "",
    remote: Remote | None = None,
) -> Certificate:
    """Read the certificate of a server, saying nothing to it beyond the handshake.

    Args:
        host: Where to connect.
        port: Its TLS port.
        timeout: Seconds that the handshake may take.
        context: One that does not verify, as `client_context(verify=False)` makes it.
        server_name: The name to ask for; the host's own unless given.
        remote: The way there, where it leads through a bastion.

    Raises:
        Unreachable: No handshake.
        BadAnswer: The certificate can't be read.
    """
    watch, where = Stopwatch(), f"{host}:{port}"
    async with (
        bounded(where, watch, timeout),
        connected(host, port, watch=watch, tls=context, server_name=server_name, remote=remote) as connection,
    ):
        der = connection.certificate()
    if der is None:
        raise BadAnswer("the server showed no certificate", where=where)
    return read_certificate(der)


async def _first_that_answers(
    addresses: list[Place],
) -> tuple[socket.socket, str]:
    """Connect to the addresses one after the other; the last one's error is the one that is told."""
    loop = asyncio.get_running_loop()
    last: OSError = OSError(errno.EADDRNOTAVAIL, "the name has no address")
    for family, address in addresses:
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            last = error
            continue
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            last = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock, str(address[0])
    raise last


async def _open(
    sock: socket.socket, address: str, tls: ssl.SSLContext | None, server_name: str, watch: Stopwatch
) -> Connection:
    if tls is None:
        reader, writer = await asyncio.open_connection(sock=sock)
        return Connection(reader, writer, address)
    with watch.lap("tls"):
        reader, writer = await asyncio.open_connection(
            sock=sock, ssl=tls, server_hostname=server_name, ssl_shutdown_timeout=0.5
        )
    return Connection(reader, writer, address)


async def _close(writer: asyncio.StreamWriter) -> None:
    """Say goodbye briefly: a peer that does not answer must not hold the check."""
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), 0.5)
    writer.transport.abort()
