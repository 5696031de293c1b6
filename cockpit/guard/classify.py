"""Classifies a command: what it may do, and why, whatever its target is."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from msgspec import Struct

from cockpit.actions.command import Command, Risk
from cockpit.guard.embedded import language
from cockpit.guard.findings import Finding, rank, riskiest
from cockpit.guard.program import Programs
from cockpit.guard.ruleset import builtin
from cockpit.guard.shell import ShellJudge


class Classified(Struct, frozen=True, kw_only=True):
    """What a command may do.

    Attributes:
        risk: The gravest risk of its parts.
        findings: One a part, the gravest first.
    """

    risk: Risk
    findings: tuple[Finding, ...]


def classify_line(line: str) -> Classified:
    """Classify a line for a shell."""
    return _classified(_judge().line(line))


def classify_argv(argv: Sequence[str]) -> Classified:
    """Classify a program started without a shell."""
    return _classified(_judge().argv(argv))


def classify(command: Command) -> Classified:
    """Classify a command: by its line, where an operator typed one."""
    return classify_line(command.shell) if command.shell else classify_argv(command.argv)


@functools.cache
def _judge() -> ShellJudge:
    return ShellJudge(Programs(builtin(), language))


def _classified(findings: Sequence[Finding]) -> Classified:
    unique = tuple(dict.fromkeys(findings))
    return Classified(
        risk=riskiest(unique), findings=tuple(sorted(unique, key=lambda each: -rank(each.risk)))
    )
