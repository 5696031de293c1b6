"""Carries commands to hosts, over the pooled SSH connections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from cockpit.actions.command import Command
from cockpit.actions.transport import Outcome, Stream
from cockpit.errors import CommandError
from cockpit.ssh.quoting import quoted

if TYPE_CHECKING:
    from cockpit.ssh.connections import Connections
    from cockpit.ssh.program import Program

_STREAMS = {1: Stream.STDOUT, 2: Stream.STDERR}


class SshRunning:
    """A program running on a host."""

    def __init__(self, program: Program) -> None:
        self.program = program

    async def output(self) -> AsyncIterator[tuple[Stream, bytes]]:
        """Yield what the program writes."""
        async for number, piece in self.program.pieces():
            yield _STREAMS[number], piece

    async def wait(self) -> Outcome:
        """Wait for the program's end."""
        ending = await self.program.wait()
        if ending.lost:
            return Outcome(unknown=f"{ending.lost}; whether and how it ended is not known")
        return Outcome(exit_status=ending.exit_status, signal=ending.signal)

    def stop(self, *, kill: bool = False) -> None:
        """Have the host send SIGTERM or SIGKILL to the program's group."""
        self.program.signal("KILL" if kill else "TERM")

    def close(self) -> None:
        """Close the channel."""
        self.program.close()


class SshTransport:
    """Starts programs on hosts, through the account's login shell, with an empty input."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections

    async def start(self, command: Command) -> SshRunning:
        """Start a command's argv on its target.

        Raises:
            CommandError: It can't be started.
        """
        return SshRunning(await self.connections.start(command.target.name, line_of(command)))


def line_of(command: Command) -> str:
    """Return the line that has a remote login shell start a command, in its directory.

    Raises:
        CommandError: An argument can't be sent.
    """
    argv = command.argv
    if command.cwd:
        argv = ("/bin/sh", "-c", 'cd -- "$1" && shift && exec "$@"', "sh", command.cwd, *argv)
    try:
        return quoted(argv)
    except ValueError as error:
        raise CommandError(str(error), where=command.target.name) from None
