"""Selectors of series: `name{label="value", other=~"a|b"}`, the part of PromQL that needs no engine."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from cockpit.errors import BadAnswer

MAX_LENGTH = 2_000
"""Characters that a selector may have."""

_SELECTOR = re.compile(r"\s*([a-zA-Z_:][\w:.]*)?\s*(?:\{(.*)\})?\s*", re.DOTALL | re.ASCII)
_MATCHER = re.compile(
    r"""\s*([a-zA-Z_][\w.]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')\s*(?:,|\Z)""",
    re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_RATE = re.compile(r"\s*rate\s*\((.*)\)\s*", re.DOTALL)


class Selector(Struct, frozen=True):
    """Which series to take.

    Attributes:
        name: The metric's name; empty for any.
        equal: Labels that must have, or must not have, a value: (name, value, wanted).
        regex: Labels whose whole value must, or must not, match: (name, pattern, wanted).
        rate: Whether the rate a second is meant rather than the value.
    """

    name: str
    equal: tuple[tuple[str, str, bool], ...] = ()
    regex: tuple[tuple[str, re.Pattern[str], bool], ...] = ()
    rate: bool = False

    def fits(self, name: str, labels: Mapping[str, str]) -> bool:
        """Tell whether a series is meant. A label that is not there counts as empty."""
        if self.name and name != self.name:
            return False
        return all((labels.get(label, "") == value) is wanted for label, value, wanted in self.equal) and all(
            (pattern.fullmatch(labels.get(label, "")) is not None) is wanted
            for label, pattern, wanted in self.regex
        )


def parse_selector(text: str, *, where: str) -> Selector:
    """Read a selector, or `rate(selector)`.

    Raises:
        BadAnswer: It is none; the message says what was expected.
    """
    rate = _RATE.fullmatch(text) if len(text) <= MAX_LENGTH else None
    found = _SELECTOR.fullmatch(rate[1] if rate else text) if len(text) <= MAX_LENGTH else None
    if found is None or not (found[1] or found[2]):
        raise _malformed(text, where)
    equal: list[tuple[str, str, bool]] = []
    regex: list[tuple[str, re.Pattern[str], bool]] = []
    inner, place = (found[2] or "").rstrip(), 0
    while place < len(inner):
        matcher = _MATCHER.match(inner, place)
        if matcher is None:
            raise _malformed(text, where)
        label, sign, quoted = matcher.groups()
        value = _ESCAPE.sub(lambda one: "\n" if one[1] == "n" else one[1], quoted[1:-1])
        if "~" in sign:
            regex.append((label, _compiled(quoted[1:-1].replace('\\"', '"'), where), sign == "=~"))
        elif label == "__name__" and sign == "=" and not found[1]:
            return parse_selector(
                f"{value}{{{inner[: matcher.start()]}{inner[matcher.end() :]}}}", where=where
            )
        else:
            equal.append((label, value, sign == "="))
        place = matcher.end()
    return Selector(found[1] or "", tuple(equal), tuple(regex), rate is not None)


def _compiled(pattern: str, where: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern.replace("\\\\", "\\"), re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise BadAnswer(f"not a regular expression: {error}", where=where) from None


def _malformed(text: str, where: str) -> BadAnswer:
    return BadAnswer(
        f"not a selector: {text[:120]}",
        where=where,
        remedy='write it as name{label="value"}, or rate(…) of that',
    )
