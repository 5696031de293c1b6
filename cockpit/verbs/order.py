"""Options wherever they stand: argparse alone takes no word after an option once it has taken some before it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def options_first(parser: argparse.ArgumentParser, words: Sequence[str]) -> list[str]:
    """Return a command line with its options before its other words, each kind in its order.

    As it stands where the words of another program may follow, whose options are its own. What follows `--` is no
    option, and `-` is a file.
    """
    if any(
        action.nargs in (argparse.REMAINDER, argparse.PARSER) for action in parser._get_positional_actions()
    ):
        return list(words)
    options: list[str] = []
    others: list[str] = []
    place = 0
    while place < len(words) and words[place] != "--":
        size = 0 if parser._parse_optional(words[place]) is None else 1 + _values(parser, words[place])
        (options if size else others).extend(words[place : place + (size or 1)])
        place += size or 1
    return [*options, *others, *words[place:]]


def first_word(parser: argparse.ArgumentParser, words: Sequence[str]) -> str | None:
    """Return the first word that is neither an option nor the value of one; None where there is none."""
    place = 0
    while place < len(words):
        if words[place] == "-" or parser._parse_optional(words[place]) is None:
            return words[place]
        place += 1 + _values(parser, words[place])
    return None


def _values(parser: argparse.ArgumentParser, option: str) -> int:
    """Return how many of the words after an option are its values."""
    known = parser._option_string_actions
    if option in known:
        return _taken(known[option])
    if option.startswith("--"):
        begun = [name for name in known if name.startswith(option)] if parser.allow_abbrev else []
        return _taken(known[begun[0]]) if len(begun) == 1 else 0  # unknown, or its value follows a =
    for place, letter in enumerate(option[1:], 1):
        action = known.get(f"-{letter}")
        if action is None:
            return 0
        if taken := _taken(action):
            return taken if place == len(option) - 1 else 0
    return 0


def _taken(action: argparse.Action) -> int:
    return action.nargs if isinstance(action.nargs, int) else 1
