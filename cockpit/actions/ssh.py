"""Carries commands to hosts, over the pooled SSH connections."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from cockpit.actions.command import Command
from cockpit.actions.transport import Launch, Outcome, Stream
from cockpit.errors import CockpitError, CommandError
from cockpit.ssh.quoting import quoted
from cockpit.ssh.signalling import Saying, passes_signals, signal_argv
from cockpit.term.size import Size

if TYPE_CHECKING:
    from cockpit.ssh.connections import Connections
    from cockpit.ssh.program import Program

_STREAMS = {1: Stream.STDOUT, 2: Stream.STDERR}
_IN_FOLDER = 'CDPATH= cd -- "$1" && shift && exec "$@"'


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
        note = (
            "something it left running still held its output, and was not read" if ending.left_behind else ""
        )
        return Outcome(exit_status=ending.exit_status, signal=ending.signal, note=note)

    def stop(self, *, kill: bool = False) -> None:
        """Have the host send SIGTERM or SIGKILL to the program's group."""
        self.program.signal("KILL" if kill else "TERM")

    def close(self) -> None:
        """Close the channel."""
        self.program.close()


class SayingRunning(SshRunning):
    """A program on a host whose server passes no signals on: it has said which group a second channel signals."""

    def __init__(self, program: Program, saying: Saying, connections: Connections) -> None:
        super().__init__(program)
        self._saying = saying
        self._connections = connections
        self._wanted = ""
        self._signalling: set[asyncio.Task[None]] = set()

    async def output(self) -> AsyncIterator[tuple[Stream, bytes]]:
        """Yield what the program writes, without what it says of its group."""
        async for stream, piece in super().output():
            if stream is Stream.STDERR:
                known = self._saying.group
                piece = self._saying.rest(piece)
                if self._saying.group and not known:
                    self.program.nudge()
                if self._wanted and not known:
                    self._signal(self._wanted)
            if piece:
                yield stream, piece
        if piece := self._saying.end():
            yield Stream.STDERR, piece

    def stop(self, *, kill: bool = False) -> None:
        """Signal the program's group, as soon as that is known."""
        super().stop(kill=kill)
        self._wanted = "KILL" if kill else "TERM"
        self._signal(self._wanted)

    def _signal(self, name: str) -> None:
        if self._saying.group:
            task = asyncio.create_task(self._send(name))
            self._signalling.add(task)
            task.add_done_callback(self._signalling.discard)

    async def _send(self, name: str) -> None:
        line = quoted(signal_argv(name, self._saying.group))
        with contextlib.suppress(CockpitError):  # then it goes on, and the record says that it did
            program = await self._connections.start(self.program.hop, line)
            try:
                await program.wait()
            finally:
                program.close()


class SshShell(SshRunning):
    """A shell on a host, on a terminal."""

    def write(self, data: bytes) -> None:
        """Send what was typed."""
        self.program.write(data)

    def resize(self, size: Size) -> None:
        """Tell its terminal another size."""
        self.program.resize(size)

    def stop(self, *, kill: bool = False) -> None:
        """Hang up: a shell takes no notice of SIGTERM. With the channel, the host ends the terminal at any rate."""
        self.program.signal("KILL" if kill else "HUP")
        if kill:
            self.program.close()


class SshTransport:
    """Starts programs on hosts, through the account's login shell, with an empty input."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self._passing: dict[str, bool] = {}
        """Whether a host's server passes signals on; asked once, as what it is changes with its next release."""

    async def start(self, command: Command) -> SshRunning:
        """Start a command's argv on its target.

        Raises:
            CommandError: It can't be started.
        """
        host, argv = command.target.name, argv_of(command)
        line = line_of(argv, host)
        try:
            if host not in self._passing:
                self._passing[host] = await passes_signals(self.connections, host)
            if self._passing[host]:
                return SshRunning(await self.connections.start(host, line))
            saying = Saying()
            program = await self.connections.start(host, line_of(saying.argv(argv), host))
            return SayingRunning(program, saying, self.connections)
        except CommandError:
            raise
        except CockpitError as error:
            raise CommandError(error.message, where=error.where or host, remedy=error.remedy) from error

    async def open(self, command: Command, launch: Launch) -> SshShell:
        """Start a shell on its target, on a terminal.

        Raises:
            CommandError: It can't be started.
        """
        # `exec`, which every shell knows, leaves nobody behind whose arguments others on the host could read.
        line = f"exec {quoted(launch.argv)}" if launch.argv else ""
        program = await self.connections.start(
            command.target.name, line, terminal=launch.size, term=launch.term, stdin=True
        )
        return SshShell(program)


def argv_of(command: Command) -> tuple[str, ...]:
    """Return what has a command start in its directory."""
    if not command.cwd:
        return command.argv
    folder = "./-" if command.cwd == "-" else command.cwd  # which `cd` would take for the one before
    return ("/bin/sh", "-c", _IN_FOLDER, "sh", folder, *command.argv)


def line_of(argv: Sequence[str], host: str) -> str:
    """Return the line that has a remote login shell start an argv.

    Raises:
        CommandError: An argument can't be sent.
    """
    try:
        return quoted(argv)
    except ValueError as error:
        raise CommandError(str(error), where=host) from None
