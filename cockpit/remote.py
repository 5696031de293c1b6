"""What sources may do over SSH: connect through a bastion, and start programs that read on hosts.

The one seam between sources and the connections. A test holds all else to it: commands go through the executor, and
what sources start goes through here.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING

from cockpit.errors import ChannelRefused, CockpitError, CommandError, SshError, Unreachable
from cockpit.ssh.quoting import quoted

if TYPE_CHECKING:
    from cockpit.ssh.connections import Connections
    from cockpit.ssh.pool import Pool
    from cockpit.ssh.program import Program

Members = Callable[[str], Sequence[str]]
"""Returns the targets that a name, a pattern or a group stands for."""


class RemoteReader:
    """A program that a source started: `cockpit.source.RemoteProgram` over a channel."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def pieces(self) -> AsyncIterator[tuple[int, bytes]]:
        """Yield what it writes."""
        return self._program.pieces()

    def write(self, data: bytes) -> None:
        """Send input."""
        self._program.write(data)

    async def ended(self) -> str:
        """Wait for its end and say how it came."""
        ending = await self._program.wait()
        if ending.lost:
            return ending.lost
        return f"signal {ending.signal}" if ending.signal else f"exit status {ending.exit_status}"

    def close(self) -> None:
        """Close the channel."""
        self._program.close()


class Carrier:
    """`cockpit.source.Remote` for one source.

    Args:
        connections: The cockpit's SSH connections.
        via: The target through which to connect.
        members: Tells what a name of several hosts stands for.
    """

    def __init__(self, connections: Connections, via: str = "", *, members: Members | None = None) -> None:
        self._connections = connections
        self._via = via
        self._members = members

    @property
    def via(self) -> str:
        """The target through which `dial` connects."""
        return self._via

    async def ready(self) -> None:
        """Have the way connected."""

        async def connect(pool: Pool) -> None:
            await (await pool.hop(self._via)).connected(for_source=True)

        try:
            await self._connections.on_loop(connect)
        except CockpitError as error:
            raise self._unreachable(error, self._via) from None

    async def dial(self, host: str, port: int) -> socket.socket:
        """Connect through `via`."""
        try:
            return await self._connections.dial(self._via, host, port)
        except CockpitError as error:
            raise self._unreachable(error, f"[{host}]:{port}" if ":" in host else f"{host}:{port}") from None

    async def start(self, host: str, argv: Sequence[str], *, stdin: bool = False) -> RemoteReader:
        """Start a program that reads."""
        try:
            line = quoted(argv)
        except ValueError as error:
            raise CommandError(str(error), where=host) from None
        return RemoteReader(await self._connections.start(host, line, stdin=stdin, for_source=True))

    def members(self, name: str) -> Sequence[str]:
        """Return the targets that a name stands for."""
        return self._members(name) if self._members is not None else (name,)

    def _unreachable(self, error: CockpitError, where: str) -> Unreachable:
        """Return what a failed connection means to a source: which hop it was, and what to do."""
        message, remedy = error.message, error.remedy
        if isinstance(error, ChannelRefused) and error.where == self._via:
            remedy = (
                remedy or f"does it listen there, as {self._via} sees it, and may {self._via} forward to it?"
            )
        elif error.where:
            message = f"{error.where}: {message}"
        if isinstance(error, SshError):
            remedy = remedy or f"try `ssh {self._via}` by hand"
        through = f"not reached through {self._via}" if where != self._via else "no way there"
        return Unreachable(f"{through}: {message}", where=where, remedy=remedy)
