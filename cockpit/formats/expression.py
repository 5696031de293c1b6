"""Regular expressions that can be run on all lines of a piece at once, read into steps.

An expression qualifies where it never has to give back what it took: each repeat and each optional group is
followed by what can't begin with a character that it would take, or by nothing that can fail. Then taking as
much as fits is what a backtracking engine ends with as well, and both find the same. Others are run line by
line.
"""

from __future__ import annotations

import re
from typing import NoReturn

from msgspec import Struct

LINE_FEED = 10
EVERY = frozenset(range(256)) - {LINE_FEED}
DIGITS = frozenset(b"0123456789")
_WORD = DIGITS | frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_SPACE = frozenset(b" \t\r\f\v")
_CLASSES = {
    "d": DIGITS,
    "w": _WORD,
    "s": _SPACE,
    "D": EVERY - DIGITS,
    "W": EVERY - _WORD,
    "S": EVERY - _SPACE,
}
_CONTROL = {"t": 9, "r": 13, "f": 12, "v": 11}
_ASCII = frozenset(range(128))
_COUNT = re.compile(r"\{(\d{0,4})(,?)(\d{0,4})\}")
_OPEN = re.compile(r"\((?:\?(?:P<(?P<name>\w+)>|(?P<kind>:|=|!)))?")


class Run(Struct, frozen=True):
    """So many bytes of a class, as many as there are."""

    members: frozenset[int]
    low: int = 1
    high: int | None = 1
    possessive: bool = False
    """Whether it is written so that it gives nothing back."""


class Literal(Struct, frozen=True):
    """These bytes."""

    text: bytes


class Quoted(Struct, frozen=True):
    """What stands in double quotes, without them; a backslash takes away what the byte after it means."""


class Look(Struct, frozen=True):
    """The next byte is of a class, and is not taken."""

    members: frozenset[int]


class Group(Struct, frozen=True):
    """Steps that belong together, one of several alternatives of them."""

    name: str
    choices: tuple[tuple[Step, ...], ...]
    optional: bool = False
    possessive: bool = False


class Never(Struct, frozen=True):
    """Any of several texts does not follow."""

    texts: tuple[bytes, ...]


Step = Never | Run | Look | Group | Literal | Quoted


class _Unfit(Exception):
    """The expression does not qualify."""


def steps_of(expression: str) -> tuple[Step, ...] | None:
    """Return an expression's steps; None where it has to be run line by line.

    Args:
        expression: One that `re` compiles, meant for the beginning of a line and for ASCII's classes.
    """
    try:
        steps = _Reader(expression.removeprefix("^")).read()
        _check(steps, frozenset(), True)
    except (_Unfit, RecursionError):
        return None
    return _joined(steps)


def _joined(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the same steps with single bytes that follow each other as one."""
    joined: list[Step] = []
    for step in steps:
        if isinstance(step, Group):
            step = Group(step.name, tuple(map(_joined, step.choices)), step.optional, step.possessive)
        elif isinstance(step, Run) and step.low == step.high == 1 and len(step.members) == 1:
            step = Literal(bytes(step.members))
            if joined and isinstance(before := joined[-1], Literal):
                step = Literal(before.text + step.text)
                joined.pop()
        joined.append(step)
    return tuple(joined)


def first_of(steps: tuple[Step, ...]) -> tuple[frozenset[int], bool]:
    """Return the bytes that what fits may begin with, and whether it may be empty."""
    firsts: frozenset[int] = frozenset()
    for number, step in enumerate(steps):
        if isinstance(step, Never):
            continue
        if isinstance(step, Look):
            rest, empty = first_of(steps[number + 1 :])
            return firsts | (step.members if empty else step.members & rest), False
        if isinstance(step, Literal):
            return firsts | {step.text[0]}, False
        if isinstance(step, Quoted):
            return EVERY, True
        if isinstance(step, Run):
            firsts |= step.members
            empty = step.low == 0
        else:
            inner = [first_of(choice) for choice in step.choices]
            firsts = firsts.union(*(members for members, _ in inner))
            empty = step.optional or any(nothing for _, nothing in inner)
        if not empty:
            return firsts, False
    return firsts, True


def _check(steps: tuple[Step, ...], after: frozenset[int], harmless: bool) -> None:
    """Refuse steps that may have to give back.

    Args:
        steps: The steps.
        after: The bytes that what follows them may begin with.
        harmless: Whether what follows them can't fail.
    """
    for number, step in enumerate(steps):
        follow, empty = first_of(steps[number + 1 :])
        if empty:
            follow |= after
        safe = harmless and not _may_fail(steps[number + 1 :])
        if isinstance(step, Run):
            if step.low != step.high and not (safe or step.possessive) and step.members & follow:
                raise _Unfit
        elif isinstance(step, Group):
            firsts = [first_of(choice) for choice in step.choices]
            union: frozenset[int] = frozenset().union(*(members for members, _ in firsts))
            if len(firsts) > 1 and (
                sum(len(members) for members, _ in firsts) != len(union) or any(empty for _, empty in firsts)
            ):
                raise _Unfit
            if step.optional and not (safe or step.possessive) and union & follow:
                raise _Unfit
            for choice in step.choices:
                _check(choice, follow, safe or step.possessive)


def _may_fail(steps: tuple[Step, ...]) -> bool:
    return any(
        isinstance(step, Never | Look | Literal | Quoted)
        or (
            step.low > 0 if isinstance(step, Run) else not step.optional and all(map(_may_fail, step.choices))
        )
        for step in steps
    )


class _Reader:
    """Read an expression from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read(self) -> tuple[Step, ...]:
        choices = self._choices()
        if self._at < len(self._text):
            self._unfit()
        return choices[0] if len(choices) == 1 else (Group("", choices),)

    def _unfit(self) -> NoReturn:
        raise _Unfit

    def _choices(self) -> tuple[tuple[Step, ...], ...]:
        choices: list[tuple[Step, ...]] = []
        steps: list[Step] = []
        while self._at < len(self._text) and (sign := self._text[self._at]) != ")":
            if sign == "|":
                self._at += 1
                choices.append(tuple(steps))
                steps = []
            elif sign == "(":
                steps.append(self._group())
            else:
                steps.append(self._run())
        return (*choices, tuple(steps))

    def _group(self) -> Step:
        opened = _OPEN.match(self._text, self._at)
        if opened is None or (
            self._text.startswith("(?", self._at) and not (opened["name"] or opened["kind"])
        ):
            self._unfit()
        self._at = opened.end()
        choices = self._choices()
        if not self._text.startswith(")", self._at):
            self._unfit()
        self._at += 1
        if opened["kind"] == "!" and (len(choices) > 1 or len(choices[0]) > 1):
            return Never(tuple(map(self._literal, choices)))
        if opened["kind"] in ("=", "!"):
            if len(choices) != 1 or len(choices[0]) != 1 or not isinstance(only := choices[0][0], Run):
                self._unfit()
            if (only.low, only.high) != (1, 1):
                self._unfit()
            if opened["kind"] == "=":
                return Look(only.members)
            return Look((EVERY | {LINE_FEED}) - only.members)
        low, high, possessive = self._repeat()
        if high != 1:
            self._unfit()
        return Group(opened["name"] or "", choices, low == 0, possessive)

    def _literal(self, steps: tuple[Step, ...]) -> bytes:
        """Return the bytes that steps stand for, which must be one text."""
        text = b""
        for step in steps:
            if not isinstance(step, Run) or not step.low == step.high == len(step.members) == 1:
                self._unfit()
            text += bytes(step.members)
        return text

    def _run(self) -> Run:
        members = self._members()
        low, high, possessive = self._repeat()
        if not members <= _ASCII and (low > 1 or high is not None):
            self._unfit()  # a character may be several bytes
        return Run(members, low, high, possessive)

    def _repeat(self) -> tuple[int, int | None, bool]:
        low: int = 1
        high: int | None = 1
        sign = self._text[self._at : self._at + 1]
        if sign and sign in "?*+":
            low, high = {"?": (0, 1), "*": (0, None), "+": (1, None)}[sign]
            self._at += 1
        elif counted := _COUNT.match(self._text, self._at):
            low = int(counted[1] or 0)
            high = low if not counted[2] else int(counted[3]) if counted[3] else None
            self._at = counted.end()
        else:
            return low, high, False
        mode = self._text[self._at : self._at + 1]
        if mode == "+":
            self._at += 1
        elif mode and mode in "?*{":
            self._unfit()
        return low, high, mode == "+"

    def _members(self) -> frozenset[int]:
        sign = self._text[self._at]
        self._at += 1
        if sign == "[":
            return self._class()
        if sign == ".":
            return EVERY
        if sign == "\\":
            return self._escaped()
        if sign in "^$?*+{" or not sign.isascii() or sign == "\n":
            self._unfit()
        return frozenset((ord(sign),))

    def _escaped(self) -> frozenset[int]:
        sign = self._text[self._at : self._at + 1]
        self._at += 1
        if sign in _CLASSES:
            return _CLASSES[sign]
        if sign in _CONTROL:
            return frozenset((_CONTROL[sign],))
        if not sign or not sign.isascii() or sign.isalnum() or sign == "\n":
            self._unfit()
        return frozenset((ord(sign),))

    def _class(self) -> frozenset[int]:
        negated = self._text.startswith("^", self._at)
        self._at += negated
        members: set[int] = set()
        begun = self._at
        while self._at == begun or not self._text.startswith("]", self._at):
            if self._at >= len(self._text):
                self._unfit()
            low = self._one()
            if self._text.startswith("-", self._at) and not self._text.startswith("-]", self._at):
                self._at += 1
                high = self._one()
                if len(low) != 1 or len(high) != 1:
                    self._unfit()
                members.update(range(min(low), min(high) + 1))
            else:
                members |= low
        self._at += 1
        return EVERY - members if negated else frozenset(members) - {LINE_FEED}

    def _one(self) -> frozenset[int]:
        sign = self._text[self._at]
        self._at += 1
        if sign == "\\":
            return self._escaped()
        if not sign.isascii():
            self._unfit()
        return frozenset((ord(sign),))
