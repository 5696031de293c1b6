"""What is known of programs: rules as data, a TOML file a family in `cockpit/guard/rules/`.

A rule says what a program does by itself, by each option, by its operands and by each subcommand. The form of a rule
is the structs below; `docs/guard.md` tells how one is written.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from importlib import resources
from typing import Any

import msgspec
from msgspec import Struct

from cockpit.actions.command import Risk
from cockpit.errors import ConfigError


class Syntax(StrEnum):
    """How a program reads its options."""

    GNU = "gnu"
    """`-abc`, `-ovalue`, `--long=value`, `--lo` for `--long`, also after operands, until `--`."""
    POSIX = "posix"
    """As GNU, but the first operand ends the options: programs that run another."""
    PFLAG = "pflag"
    """As GNU, but a long option is never shortened: programs written in Go with pflag."""
    SINGLE = "single"
    """`-name`, `-name value`, `-name=value`; two dashes are as good as one: find, terraform, openssl, java."""
    NONE = "none"
    """No options: every word is an operand."""


class Effect(Struct, frozen=True, forbid_unknown_fields=True):
    """What an option or an operand does.

    Attributes:
        risk: What it makes of the program.
        why: What it does, in plain words; empty for a general phrase.
        values: For an option with a value: the risk by pattern of the value, the first that fits; one that none fits,
            or that isn't known, has the effect's own risk.
        always: Whether it holds even where another option makes the program only read.
        certain: Whether it counts only where it is written out: a word that isn't known isn't taken for it.
    """

    risk: Risk = Risk.UNKNOWN
    why: str = ""
    values: dict[str, Risk] = {}
    always: bool = False
    certain: bool = False


class OperandEffect(Struct, frozen=True, forbid_unknown_fields=True):
    """What operands do.

    Attributes:
        match: Patterns of an operand, any of which may fit; empty for any operand.
        least: How many operands there have to be.
        at: Which operand it is about, from 0; -1 for any.
    """

    risk: Risk
    why: str = ""
    match: tuple[str, ...] = ()
    least: int = 1
    at: int = -1


class Wraps(Struct, frozen=True, forbid_unknown_fields=True):
    """How a program runs another, whose words are among its own.

    Attributes:
        skip: Operands that come before the other program, such as the seconds of `timeout`.
        after: The word behind which the other program stands, such as the `--` of `kubectl exec`; where the word is
            absent the operands count.
        assignments: Whether operands of the form `NAME=value` come first, as with `env`.
        shell: Whether the words are joined and given to a shell.
        line: Options whose value is a line for a shell.
        more: Whether it adds words of its own at the end, as `xargs` does.
        alone: What it does with no other program to run.
        host: Whether the first operand is the machine that it runs on.
    """

    skip: int = 0
    after: str = ""
    assignments: bool = False
    shell: bool = False
    line: tuple[str, ...] = ()
    more: bool = False
    alone: Risk = Risk.UNKNOWN
    host: bool = False


class Preview(Struct, frozen=True, forbid_unknown_fields=True):
    """How the same command shows what it would do.

    Attributes:
        add: Words to put behind the subcommand, or behind the program where it has none.
        sub: What to put in the subcommand's place.
    """

    add: tuple[str, ...] = ()
    sub: str = ""


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """What a program, or a subcommand of it, does.

    Attributes:
        names: The program's names, without a folder. Only at the top.
        risk: What it does with nothing else said; None where it has subcommands and needs one.
        why: What it does, in plain words that go after `name`.
        syntax: How it reads options; None is its parent's, or GNU at the top.
        takes: Options with a value, in the same word or the next. Also those that stand in `options`.
        glued: Options whose value, if they have one, stands in their own word: `-iSUFFIX`, `--color=WHEN`.
        flags: Options without a value that are harmless; needed only where they may stand before a subcommand.
        options: What options do, by name; harmless ones need not be here.
        reads: Options (`--dry-run`, with a value `--dry-run=server`, a pattern) with which it and what is below it
            only read.
        operands: What operands do.
        sub: Subcommands by name: `get|describe`, `describe-*`. Given a risk alone, nothing else is to be said of it.
        verbs: Whether the first word that names a subcommand is it, whatever stands before (`gcloud compute … list`).
        groups: With `verbs`, patterns of words that may stand before the verb; any other makes it unknown. Else the
            only names that patterns in `sub` stand for.
        apart: Whether its options stand before a subcommand alone; behind it the same letters mean others (`git -c`).
            Its language then judges what stands before.
        named: Whether a word in quotes that isn't known (`"$file"`) is a name, and never an option.
        strict: Whether an option that isn't listed makes it unknown.
        language: The judge of what is written in a language of the program's own, from `cockpit.guard.languages`.
        always: Whether that judge is asked even where an option makes the program only read.
        wraps: How it runs another program.
        undo: How it is undone; `{operands}` stands for its operands.
        preview: How it shows what it would do.
    """

    names: tuple[str, ...] = ()
    risk: Risk | None = None
    why: str = ""
    syntax: Syntax | None = None
    takes: tuple[str, ...] = ()
    glued: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    options: dict[str, Risk | Effect] = {}
    reads: tuple[str, ...] = ()
    operands: tuple[OperandEffect, ...] = ()
    sub: dict[str, Risk | Rule] = {}
    verbs: bool = False
    groups: tuple[str, ...] = ()
    apart: bool = False
    named: bool = False
    strict: bool = False
    language: str = ""
    always: bool = False
    wraps: Wraps | None = None
    undo: str = ""
    preview: Preview | None = None

    def below(self, name: str) -> Rule | None:
        """Return the rule of a subcommand: an exact name goes before a pattern, a long pattern before a short one."""
        found = _exact(self.sub, name)
        if found is None and not self.verbs and self.groups and name not in self.groups:
            return None
        if found is None:
            fitting = [(len(each), key) for key in self.sub for each in key.split("|") if _fits(each, name)]
            found = self.sub[max(fitting)[1]] if fitting else None
        return Rule(risk=found) if isinstance(found, Risk) else found


class _File(Struct, forbid_unknown_fields=True):
    program: tuple[Rule, ...]


class Ruleset:
    """The rules of all programs, by name."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules: dict[str, Rule] = {}
        for rule in rules:
            for name in rule.names:
                if name in self._rules:
                    raise ConfigError(f"two rules are about {name!r}", file="cockpit/guard/rules")
                self._rules[name] = rule

    def find(self, name: str) -> Rule | None:
        """Return what is known of a program."""
        return self._rules.get(name)

    def names(self) -> Sequence[str]:
        """Return the names of all programs that are known."""
        return tuple(self._rules)


@functools.cache
def builtin() -> Ruleset:
    """Return the rules that come with the cockpit; read once, in about 30 ms.

    Raises:
        ConfigError: A file of them is wrong.
    """
    return Ruleset([rule for name, text in _files() for rule in parse(text, name)])


def parse(text: str, name: str) -> Sequence[Rule]:
    """Read a file of rules.

    Raises:
        ConfigError: It is no TOML, or not of the form of a rule.
    """
    try:
        raw: Mapping[str, Any] = tomllib.loads(text)
        return msgspec.convert(raw, _File).program
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(error), file=name) from None
    except msgspec.ValidationError as error:
        raise ConfigError(str(error), file=name, remedy="docs/guard.md tells how a rule is written") from None


def _files() -> Iterator[tuple[str, str]]:
    for file in sorted(
        resources.files("cockpit.guard").joinpath("rules").iterdir(), key=lambda each: each.name
    ):
        if file.name.endswith(".toml"):
            yield file.name, file.read_text(encoding="utf-8")


def _exact(sub: Mapping[str, Risk | Rule], name: str) -> Risk | Rule | None:
    if "|" in name:
        return None
    if name in sub:
        return sub[name]
    return next((value for key, value in sub.items() if "|" in key and name in key.split("|")), None)


def _fits(key: str, name: str) -> bool:
    return "*" in key and fnmatchcase(name, key)
