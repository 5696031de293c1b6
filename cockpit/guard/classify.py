"""Classifies a command: what it may do, and why, whatever its target is."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from cockpit.actions.command import Command, Risk
from cockpit.guard.embedded import language
from cockpit.guard.findings import Finding, rank, riskiest
from cockpit.guard.own_rules import OwnRules
from cockpit.guard.program import Programs
from cockpit.guard.ruleset import builtin
from cockpit.guard.settings import OwnRule
from cockpit.guard.shell import ShellJudge


class Classified(Struct, frozen=True, kw_only=True):
    """What a command may do.

    Attributes:
        risk: The gravest risk of its parts.
        findings: One a part, the gravest first.
    """

    risk: Risk
    findings: tuple[Finding, ...]


class Classifier:
    """Classifies commands by the rules that come with the cockpit, and the user's own.

    Args:
        own: The rules that users added.
        lower: Whether those that lower a risk hold: never where a command lands in production.
    """

    def __init__(self, own: Sequence[OwnRule] = (), *, lower: bool = False) -> None:
        self._judge = ShellJudge(Programs(builtin(), language, OwnRules(own, lower=lower)))

    def line(self, line: str) -> Classified:
        """Classify a line for a shell."""
        return _classified(self._judge.line(line))

    def argv(self, argv: Sequence[str]) -> Classified:
        """Classify a program started without a shell."""
        return _classified(self._judge.argv(argv))

    def command(self, command: Command) -> Classified:
        """Classify a command: by its line, where an operator typed one."""
        return self.line(command.shell) if command.shell else self.argv(command.argv)


def classify_line(line: str) -> Classified:
    """Classify a line for a shell by the cockpit's own rules."""
    return Classifier().line(line)


def classify_argv(argv: Sequence[str]) -> Classified:
    """Classify a program started without a shell by the cockpit's own rules."""
    return Classifier().argv(argv)


def _classified(findings: Sequence[Finding]) -> Classified:
    unique = tuple(dict.fromkeys(findings))
    ordered = tuple(sorted(unique, key=lambda each: -rank(each.risk)))
    return Classified(risk=riskiest(unique), findings=ordered)
