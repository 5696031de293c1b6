"""Tells a command's options from its operands, as the program itself would.

Source: POSIX.1-2017, 12.2 (utility syntax guidelines); getopt_long(3) for shortened long options and options after
operands; the pflag package's documentation for Go programs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from cockpit.actions.command import Risk
from cockpit.guard.ruleset import Effect, Rule, Syntax
from cockpit.guard.words import Word, literal


class Form(Struct, frozen=True):
    """What is known of the options where a rule stands: its own and those of the rules above it."""

    syntax: Syntax = Syntax.GNU
    takes: frozenset[str] = frozenset()
    glued: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    effects: dict[str, Effect] = {}
    reads: frozenset[str] = frozenset()

    def under(self, rule: Rule) -> Form:
        """Return the form below a rule."""
        own = {
            name: each if isinstance(each, Effect) else Effect(risk=each)
            for name, each in rule.options.items()
        }
        reads = {each.partition("=")[0] for each in rule.reads}
        return Form(
            syntax=rule.syntax or self.syntax,
            takes=(self.takes | set(rule.takes)) - set(rule.glued),
            glued=(self.glued | set(rule.glued)) - set(rule.takes),
            flags=(self.flags | set(rule.flags) | reads) - set(rule.takes),
            effects={**self.effects, **own},
            reads=self.reads | set(rule.reads),
        )

    def lists(self, name: str) -> bool:
        """Return whether anything is said about an option."""
        return name in self.takes or name in self.glued or name in self.flags or name in self.effects


class Option(Struct, frozen=True, kw_only=True):
    """An option as it was given.

    Attributes:
        names: Its name; several where it is shortened and may be any of them.
        value: What it was given; None where it has no value.
        word: The word it stands in.
        listed: Whether a rule says anything about it.
    """

    names: tuple[str, ...]
    word: Word
    value: Word | None = None
    listed: bool = True


class Split(Struct, kw_only=True):
    """The words behind a program's or a subcommand's name.

    Attributes:
        options: In the order they came.
        operands: Everything else.
        at: Where, among the words, each operand stood.
        loose: Words that may turn out to be options, or several words.
        doubtful: Where an option that isn't listed stood before the first operand, which may be its value instead.
        separator: Where, among the operands, `--` stood; -1 where it didn't.
    """

    options: list[Option]
    operands: list[Word]
    at: list[int]
    loose: list[Word]
    doubtful: bool = False
    separator: int = -1


def split(words: Sequence[Word], form: Form, *, first_only: bool = False) -> Split:
    """Tell options from operands.

    Args:
        words: What stands behind the name.
        form: What is known of the options.
        first_only: Whether to stop behind the first operand: it may be a subcommand.
    """
    result = Split(options=[], operands=[], at=[], loose=[])
    index = 0
    ended = form.syntax is Syntax.NONE
    while index < len(words):
        word = words[index]
        index += 1
        if word.is_open and not ended:
            result.loose.append(word)
        text = word.start if word.text is None else word.text
        if ended or not text.startswith("-") or text == "-":
            result.operands.append(word)
            result.at.append(index - 1)
            if first_only:
                break
            ended = ended or form.syntax is Syntax.POSIX
            continue
        if word.text == "--":
            result.separator = len(result.operands)
            ended = True
            continue
        options, wants = _options(word, text, form)
        if wants and index < len(words):
            last = options[-1]
            options[-1] = Option(names=last.names, word=last.word, value=words[index], listed=last.listed)
            options += _in_place_of_value(words[index], form)
            index += 1
        if not result.operands and any(_may_take(each) for each in options):
            result.doubtful = True
        if word.is_open and not word.many and options[-1].value is not None:
            result.loose.pop()  # what isn't known of it is an option's value and nothing else
        result.options += options
    return result


def _may_take(option: Option) -> bool:
    """Return whether the next word may be the value of an option that isn't listed."""
    return not option.listed and option.value is None


def _in_place_of_value(value: Word, form: Form) -> list[Option]:
    """Return the option with an effect that a value looks like: programs differ in what takes one."""
    if (
        value.text is None
        or not re.fullmatch(r"--\S+|-[^\s\d=][^\s=]*", value.text)
        or form.syntax is Syntax.NONE
    ):
        return []
    options, _ = _options(value, value.text, form)
    harmless = {
        name for name, effect in form.effects.items() if effect.risk is Risk.READ and not effect.values
    }
    return [each for each in options[:1] if set(each.names) & (form.effects.keys() - harmless)]


def _options(word: Word, text: str, form: Form) -> tuple[list[Option], bool]:
    """Return the options in a word, and whether the last one's value is the next word."""
    if form.syntax is Syntax.SINGLE:
        return _single(word, text, form)
    if text.startswith("--"):
        return _long(word, text, form)
    return _cluster(word, text, form)


def _long(word: Word, text: str, form: Form) -> tuple[list[Option], bool]:
    name, equals, value = text.partition("=")
    given = _value(word, value) if equals else None
    names = _meant(name, form)
    takes = [each in form.takes for each in names]
    wants = given is None and bool(takes) and all(takes)
    option = Option(
        names=names or (name,), word=word, value=given, listed=bool(names) and all(takes) == any(takes)
    )
    return [option], wants


def _meant(name: str, form: Form) -> tuple[str, ...]:
    """Return the listed options that a long name may mean: itself, or those that it shortens."""
    if form.lists(name):
        return (name,)
    if form.syntax is Syntax.PFLAG:
        return ()
    known = form.takes | form.glued | form.flags | form.effects.keys()
    return tuple(sorted(each for each in known if each.startswith(name) and each.startswith("--")))


def _single(word: Word, text: str, form: Form) -> tuple[list[Option], bool]:
    name, equals, value = text.partition("=")
    if name.startswith("--") and not form.lists(name):
        name = name[1:]
    given = _value(word, value) if equals else None
    option = Option(names=(name,), word=word, value=given, listed=form.lists(name))
    return [option], given is None and name in form.takes


def _cluster(word: Word, text: str, form: Form) -> tuple[list[Option], bool]:
    """Take `-abc` apart; a single-dash word that is listed as a whole is that option."""
    whole, equals, value = text.partition("=")
    if len(whole) > 2 and form.lists(whole):
        own = _value(word, value) if equals else None
        return [Option(names=(whole,), word=word, value=own)], own is None and whole in form.takes
    options: list[Option] = []
    for index, letter in enumerate(text[1:], start=1):
        name = f"-{letter}"
        rest = text[index + 1 :]
        if name in form.glued:
            glued = _value(word, rest) if rest or word.text is None else None
            options.append(Option(names=(name,), word=word, value=glued))
            return options, False
        if letter == "=" and options:  # `-it=false`
            last = options.pop()
            given = _value(word, text[index + 1 :])
            return [*options, Option(names=last.names, word=word, value=given, listed=last.listed)], False
        if name in form.takes:
            if not rest and word.text is not None:
                options.append(Option(names=(name,), word=word))
                return options, True
            options.append(Option(names=(name,), word=word, value=_value(word, rest.removeprefix("="))))
            return options, False
        options.append(Option(names=(name,), word=word, listed=form.lists(name)))
    return options, False


def _value(word: Word, value: str) -> Word:
    """Return an option's value that stands in the option's own word."""
    if word.text is not None:
        return literal(value)
    return Word(raw=word.raw, start=value, many=word.many)
