"""A command as it is asked for, before anything has judged or run it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from cockpit.targets import Target


class Origin(StrEnum):
    """Who or what asked."""

    OPERATOR = "operator"
    PANE = "pane"
    RUNBOOK = "runbook"
    AUTOMATION = "automation"
    AGENT = "agent"


class Kind(StrEnum):
    """What sort of action the record holds; all but the first few run nothing."""

    COMMAND = "command"
    SILENCE = "silence"
    ACKNOWLEDGE = "acknowledge"
    SOURCE_ACTION = "source-action"
    SHELL = "shell"
    FETCH = "fetch"
    UPLOAD = "upload"
    FAN_OUT = "fan-out"
    """A command on several hosts; what it does on each is an action of its own."""
    ELEVATION = "elevation"
    APPROVAL = "approval"
    EXPORT = "export"
    PRUNE = "prune"
    HOST_KEY = "host-key"


class Command(Struct, frozen=True, kw_only=True):
    """What is to run, where, and why.

    Attributes:
        argv: The program and its arguments. Never a string for a shell built from data.
        target: Where it lands.
        actor: Who asks, as `user@host`.
        shell: The line as the operator typed it, where `argv` is a shell given that line.
        cwd: The directory it starts in; empty means the transport's own.
        reason: Why, in the operator's words.
        ticket: A change ticket.
        incident: The incident it belongs to.
        origin: Who or what asked.
        confirmed: Whether the operator has confirmed it in a dialog or form.
        typed: The target's name as the operator typed it to confirm.
        break_glass: Whether the operator asks for what is denied otherwise.
        approval: The approval of a second person that it runs under; empty for none.
        kind: What sort of action it is in the record.
        members: The hosts that it lands on, each as an action of its own; empty for a command on one target.
    """

    argv: tuple[str, ...]
    target: Target
    actor: str
    shell: str = ""
    cwd: str = ""
    reason: str = ""
    ticket: str = ""
    incident: str = ""
    origin: Origin = Origin.OPERATOR
    confirmed: bool = False
    typed: str = ""
    break_glass: bool = False
    approval: str = ""
    kind: Kind = Kind.COMMAND
    members: tuple[Target, ...] = ()


class Risk(StrEnum):
    """What a command may do to its target. Unknown counts as a change."""

    READ = "read"
    CHANGE = "change"
    DESTRUCTIVE = "destructive"
    UNKNOWN = "unknown"


def on_member(command: Command, member: Target) -> Command:
    """Return what a command on several hosts is on one of them."""
    return replace(command, target=member, members=(), kind=Kind.COMMAND)


def shell_command(
    line: str,
    target: Target,
    *,
    actor: str,
    cwd: str = "",
    reason: str = "",
    ticket: str = "",
    incident: str = "",
    origin: Origin = Origin.OPERATOR,
) -> Command:
    """Return the command for a shell line that an operator typed, word for word.

    The line is the operator's own: nothing that came from telemetry is ever put into it.
    """
    return Command(
        argv=("/bin/sh", "-c", line),
        target=target,
        actor=actor,
        shell=line,
        cwd=cwd,
        reason=reason,
        ticket=ticket,
        incident=incident,
        origin=origin,
    )
