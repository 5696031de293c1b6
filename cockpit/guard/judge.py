"""What the door asks before it opens: how risky is this command, and may it run here?"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from cockpit.actions.command import Command, Risk
from cockpit.targets import Environment


class Decision(StrEnum):
    """What becomes of a command."""

    RUN = "run"
    CONFIRM = "confirm"
    APPROVE = "approve"
    DENY = "deny"


class Assessment(Struct, frozen=True, kw_only=True):
    """A judgement of one command on its target.

    Attributes:
        risk: What it may do there.
        decision: Whether it may run, and what is needed first.
        reasons: Why, each naming the part of the command that it judged.
        requires: What has to be given before it runs, and was not.
        environment: Of all places it lands on, the one that asks for most care.
        place: That place's name.
        undo: How it is undone, where that is known.
        preview: What shows its effect without having it, as an argv; empty where nothing does.
        remedy: How what it requires is given on the command line.
    """

    risk: Risk
    decision: Decision
    reasons: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    environment: Environment = Environment.PRODUCTION
    place: str = ""
    undo: str = ""
    preview: tuple[str, ...] = ()
    remedy: str = ""


class Judge(Protocol):
    """Whatever decides about commands."""

    def assess(self, command: Command) -> Assessment:
        """Judge a command; never runs anything."""
        ...


class ReadOnly:
    """Denies whatever another judge does not know to be reading: the cockpit was opened with `--read-only`."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    def assess(self, command: Command) -> Assessment:
        """Judge a command; what is not known to read counts as a change."""
        judged = self._judge.assess(command)
        if judged.risk is Risk.READ:
            return judged
        return replace(
            judged,
            decision=Decision.DENY,
            reasons=(*judged.reasons, "this cockpit was opened read-only"),
            requires=("a cockpit without --read-only",),
            remedy="",
        )
