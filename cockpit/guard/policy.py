"""What an environment asks before a risk is taken.

Reading runs anywhere.

| | change, unknown | destructive |
|---|---|---|
| development | runs | a confirmation |
| staging | a confirmation | the target's name typed |
| production, disaster recovery | an open reason, the name typed, elevation | break-glass: and a second person |

What a pane offers, such as a silence, has a form of its own, which is its confirmation. An interactive shell opens at
once in development and staging and asks for a confirmation elsewhere; what is typed in it is judged line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from cockpit.actions.command import Command, Kind, Origin, Risk
from cockpit.guard.judge import Decision
from cockpit.targets import Environment


class Need(StrEnum):
    """Something that has to be given before a command runs."""

    CONFIRMATION = "confirmation"
    NAME = "target-name"
    REASON = "open-reason"
    ELEVATION = "elevation"
    BREAK_GLASS = "break-glass"
    SECOND_PERSON = "second-person"


CAREFUL = frozenset({Environment.PRODUCTION, Environment.DISASTER_RECOVERY})
"""Where a mistake costs most."""


class Reasons(Struct, frozen=True, kw_only=True):
    """What counts as an open reason.

    Attributes:
        ticket: A change ticket's pattern; without one no ticket counts.
        incident: An incident id's pattern; empty takes any.
    """

    ticket: str = ""
    incident: str = ""

    def open(self, command: Command) -> bool:
        """Return whether a command has an open reason: an incident, or a change ticket."""
        if command.incident and (not self.incident or re.fullmatch(self.incident, command.incident)):
            return True
        return bool(self.ticket and command.ticket and re.fullmatch(self.ticket, command.ticket))

    def given(self, command: Command, text: str) -> Command:
        """Return the command with an incident or a ticket as its open reason, whichever the text is."""
        if self.ticket and re.fullmatch(self.ticket, text):
            return replace(command, ticket=text)
        return replace(command, incident=text)


class Asked(Struct, frozen=True, kw_only=True):
    """A command, and where things stand for it.

    Attributes:
        name: The target's name that has to be typed: of all places it lands on, the one that asks for most care.
        elevated: Whether production may be changed just now.
        approved: Whether a second person has approved it.
        beforehand: Whether it was approved beforehand, as the step of a runbook is: then nothing more is asked.
    """

    command: Command
    risk: Risk
    environment: Environment
    name: str
    elevated: bool = False
    approved: bool = False
    beforehand: bool = False


def needed(asked: Asked) -> tuple[Need, ...]:
    """Return all that has to be given for a command, whether or not it was."""
    if asked.risk is Risk.READ or asked.beforehand:
        return ()
    destructive = asked.risk is Risk.DESTRUCTIVE
    if asked.command.kind is Kind.SHELL:
        return (Need.CONFIRMATION,) if asked.environment in CAREFUL else ()
    if asked.command.origin is Origin.PANE:
        return (Need.CONFIRMATION,)
    if asked.environment is Environment.DEVELOPMENT:
        return (Need.CONFIRMATION,) if destructive else ()
    if asked.environment is Environment.STAGING:
        return (Need.NAME,) if destructive else (Need.CONFIRMATION,)
    if destructive:
        return (Need.BREAK_GLASS, Need.REASON, Need.NAME, Need.ELEVATION, Need.SECOND_PERSON)
    return (Need.REASON, Need.NAME, Need.ELEVATION)


def missing(asked: Asked, reasons: Reasons) -> tuple[Need, ...]:
    """Return what of that was not given."""
    return tuple(need for need in needed(asked) if not _given(need, asked, reasons))


def decide(asked: Asked, lacking: tuple[Need, ...]) -> Decision:
    """Return what becomes of a command that lacks these."""
    if not lacking:
        return Decision.RUN
    if Need.BREAK_GLASS in lacking:
        return Decision.DENY
    return Decision.APPROVE if lacking == (Need.SECOND_PERSON,) else Decision.CONFIRM


def _given(need: Need, asked: Asked, reasons: Reasons) -> bool:
    command = asked.command
    match need:
        case Need.CONFIRMATION:
            return command.confirmed or command.typed == asked.name
        case Need.NAME:
            return command.typed == asked.name
        case Need.REASON:
            return reasons.open(command)
        case Need.ELEVATION:
            return asked.elevated
        case Need.BREAK_GLASS:
            return command.break_glass
        case Need.SECOND_PERSON:
            return asked.approved


def remedies(lacking: tuple[Need, ...], name: str) -> Iterator[str]:
    """Yield how each missing thing is given on the command line."""
    for need in lacking:
        match need:
            case Need.CONFIRMATION | Need.NAME:
                yield f"--confirm {name}"
            case Need.REASON:
                yield "--incident ID or --ticket ID"
            case Need.ELEVATION:
                yield "an elevated session"
            case Need.BREAK_GLASS:
                yield "--break-glass"
            case Need.SECOND_PERSON:
                yield "the approval of a second person"
