"""How a command is carried to its target: the contract that every transport keeps.

Only the executor starts anything through a transport; whatever else holds one has no use for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Protocol, runtime_checkable

from msgspec import Struct

from cockpit.actions.command import Command
from cockpit.term.size import Size


class Stream(StrEnum):
    """Which of its two outputs a command wrote to."""

    STDOUT = "stdout"
    STDERR = "stderr"


class Outcome(Struct, frozen=True, kw_only=True):
    """How a command ended, as far as its transport knows."""

    exit_status: int | None = None
    """None where a signal ended it, or where the outcome isn't known."""
    signal: str | None = None
    """The name of the signal that ended it, such as `SIGTERM`."""
    unknown: str = ""
    """Why the outcome isn't known; empty where it is."""
    note: str = ""
    """What else is worth keeping about the end."""


class Running(Protocol):
    """A command on its way."""

    def output(self) -> AsyncIterator[tuple[Stream, bytes]]:
        """Yield pieces of at most 16 KiB in the order they came; a command waits while nobody reads."""
        ...

    async def wait(self) -> Outcome:
        """Wait for the end, once the output is read or stopping has begun."""
        ...

    def stop(self, *, kill: bool = False) -> None:
        """Ask the command and all it started to end, or end them at once."""
        ...

    def close(self) -> None:
        """Let go of everything that is held for the command."""
        ...


class Launch(Struct, frozen=True, kw_only=True):
    """How an interactive shell is started.

    Attributes:
        argv: What starts it; empty asks for the account's login shell itself.
        size: Of its terminal.
        term: The terminal's name.
    """

    argv: tuple[str, ...]
    size: Size
    term: str = "xterm-256color"


class Interactive(Running, Protocol):
    """A program on a terminal, on its way."""

    def write(self, data: bytes) -> None:
        """Send what was typed."""
        ...

    def resize(self, size: Size) -> None:
        """Tell its terminal another size."""
        ...


class Transport(Protocol):
    """A way to a kind of target."""

    async def start(self, command: Command) -> Running:
        """Start a command.

        Raises:
            CommandError: It can't be started.
        """
        ...


@runtime_checkable
class TerminalTransport(Protocol):
    """A way to a kind of target that has terminals."""

    async def open(self, command: Command, launch: Launch) -> Interactive:
        """Start an interactive shell on a terminal of its own.

        Raises:
            CommandError: It can't be started.
        """
        ...
