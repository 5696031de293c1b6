"""Looks for text and patterns in bodies that a stranger wrote, in bounded time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable

LINE = 2_000
"""Characters of a line that a pattern sees."""
LINES = 2_000
"""Lines that a pattern sees."""


def bounded_pattern(text: str) -> re.Pattern[str]:
    """Compile a pattern that can't take exponential time.

    A repeat without an end inside another one, as in `(a+)+`, is what lets a hostile body hold a search for ever:
    such a pattern is refused.

    Raises:
        ValueError: It is no regular expression, or one of that kind.
    """
    try:
        compiled = re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None
    if _nested(text):
        raise ValueError(f"{text!r} repeats a repeat, which can take for ever: write it without")
    return compiled


def _nested(text: str) -> bool:
    """Tell whether a group that holds an unbounded repeat is itself repeated without bound."""
    open_groups: list[bool] = []
    repeats = closed_with_repeat = escaped = False
    within = 0
    for index, sign in enumerate(text):
        before, closed_with_repeat = closed_with_repeat, False
        if escaped:
            escaped = False
        elif sign == "\\":
            escaped = True
        elif within:
            within = 0 if sign == "]" and index > within else within
        elif sign == "[":
            within = index + (2 if text[index + 1 : index + 2] == "^" else 1)
        elif sign == "(":
            open_groups.append(repeats)
            repeats = False
        elif sign == ")":
            closed_with_repeat = repeats
            repeats = repeats or (open_groups.pop() if open_groups else False)
        elif sign in "*+" or _endless(text, index):
            if before:
                return True
            repeats = True
    return False


def _endless(text: str, index: int) -> bool:
    found = re.match(r"\{\d*,(\d*)\}", text[index:])
    return found is not None and (not found[1] or int(found[1]) > 32)


async def found_in(pattern: re.Pattern[str], body: str) -> bool:
    """Tell whether a pattern is in one of the first lines of a body, giving way to others between lines."""
    for number, line in enumerate(_lines(body)):
        if pattern.search(line):
            return True
        if number % 16 == 15:
            await asyncio.sleep(0)
    return False


def _lines(body: str) -> Iterable[str]:
    for number, line in enumerate(body.splitlines()):
        if number == LINES:
            return
        yield line[:LINE]
