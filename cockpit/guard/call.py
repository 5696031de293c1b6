"""A program's call, as it is handed to the judge of the program's own language or of what it runs in its turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from cockpit.actions.command import Risk
from cockpit.guard.findings import Finding
from cockpit.guard.options import Split
from cockpit.guard.words import Word, shown


class Input(Struct, frozen=True):
    """What a command reads: text that is known, nothing, or something that isn't known (`text` is None)."""

    text: str | None = ""


NOTHING = Input()
ANYTHING = Input(None)


class Inner(Protocol):
    """Judges what a command runs in its turn."""

    def line(self, line: Word, given: Input) -> list[Finding]:
        """Judge a line that a shell gets."""
        ...

    def words(self, words: Sequence[Word], given: Input) -> list[Finding]:
        """Judge a command by its words."""
        ...


class Call(Struct, frozen=True, kw_only=True):
    """A program's call, for the judge of its language.

    Attributes:
        words: All words, the program's name and subcommands included.
        rest: The words behind the program's name, or behind its subcommand.
        parts: The options and operands among `rest`.
        given: What it reads.
        inner: Judges what it runs.
    """

    words: tuple[Word, ...]
    rest: tuple[Word, ...]
    parts: Split
    given: Input
    inner: Inner

    def has(self, *names: str) -> bool:
        """Return whether any of these options was given."""
        return any(name in option.names for option in self.parts.options for name in names)

    def values(self, *names: str) -> list[Word]:
        """Return what these options were given, in order."""
        return [
            option.value
            for option in self.parts.options
            if option.value is not None and any(name in option.names for name in names)
        ]

    def finding(self, risk: Risk, why: str) -> Finding:
        """Return a finding about this call."""
        return Finding(risk=risk, part=shown(self.words), why=why)


Language = Callable[[Call], list[Finding]]
"""Judges what a call holds in a language of the program's own."""
