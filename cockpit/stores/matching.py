"""Label matchers as Alertmanager has them: read from text, and held against labels.

Syntax and meaning after Alertmanager's documentation of matchers: `name="value"`, `!=`, `=~`, `!~`, joined by commas;
a regular expression matches the whole value; a label that is missing counts as empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from cockpit.errors import UsageError
from cockpit.signals import Matcher

MOST = 32
LONGEST_PATTERN = 256
LONGEST_VALUE = 256
"""Characters of a label's value that a pattern is held against."""

_ONE = re.compile(
    r"""\s*([A-Za-z_][A-Za-z0-9_.:-]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|[^,"\s]+)\s*(?:,|\s|$)\s*""",
    re.DOTALL,
)
_NESTED = re.compile(r"[+*}]\)?[+*{]|\([^)]*[+*][^)]*\)[+*{]")
"""A repeat of a repeat: what makes a backtracking engine take for ever. Alertmanager's own has no such trouble."""

Test = Callable[[Mapping[str, str]], bool]


def looks_like_matchers(text: str) -> bool:
    """Tell whether text is meant as matchers rather than as words."""
    return _ONE.match(text.strip().removeprefix("{")) is not None


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Read `{a="b", c=~"d.*"}`, with or without braces.

    Raises:
        UsageError: It can't be read; says where.
    """
    rest = text.strip()
    if rest.startswith("{") and rest.endswith("}"):
        rest = rest[1:-1].strip()
    matchers: list[Matcher] = []
    while rest:
        found = _ONE.match(rest)
        if found is None:
            raise UsageError(
                f"can't read matchers from {rest[:40]!r}", remedy='write name="value", name=~"pattern"'
            )
        name, sign, value = found.groups()
        if value.startswith('"'):
            value = re.sub(r"\\(.)", lambda escaped: "\n" if escaped[1] == "n" else escaped[1], value[1:-1])
        matchers.append(Matcher(name, value, is_regex="~" in sign, is_equal=not sign.startswith("!")))
        rest = rest[found.end() :]
    if len(matchers) > MOST:
        raise UsageError(f"{len(matchers)} matchers are too many", remedy=f"use at most {MOST}")
    return tuple(matchers)


def compile_matchers(matchers: Sequence[Matcher]) -> Test:
    """Return a test of labels for all matchers together.

    Raises:
        UsageError: A pattern is no regular expression, or one that could take for ever.
    """
    tests = [_test(matcher) for matcher in matchers]
    return lambda labels: all(test(labels) for test in tests)


def common_matchers(labels: Sequence[Mapping[str, str]]) -> tuple[Matcher, ...]:
    """Return equal matchers for the labels that all of them share."""
    if not labels:
        return ()
    shared = set(labels[0].items())
    for each in labels[1:]:
        shared &= set(each.items())
    return tuple(Matcher(name, value) for name, value in sorted(shared))


def _test(matcher: Matcher) -> Test:
    name, value, wanted = matcher.name, matcher.value, matcher.is_equal
    if not matcher.is_regex:
        return lambda labels: (labels.get(name, "") == value) is wanted
    if len(value) > LONGEST_PATTERN or _NESTED.search(value):
        raise UsageError(
            f"the pattern of {name} is too long or repeats a repeat",
            remedy="write it plainer, or match by value",
        )
    try:
        pattern = re.compile(value, re.DOTALL)
    except re.error as error:
        raise UsageError(f"the pattern of {name} is no regular expression: {error}") from None
    return lambda labels: (pattern.fullmatch(labels.get(name, "")[:LONGEST_VALUE]) is not None) is wanted
