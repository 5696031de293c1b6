"""Regular expressions that an operator types and hostile text is searched with.

Python's engine backtracks and can't be stopped, so what could run away is refused before it runs, and the rest
looks at no more text than keeps one search under about 10 ms:

- a repeat of a group that holds a repeat or an alternation is refused: it may take exponential time;
- a back-reference is refused, as are more than three open repeats (`*`, `+`, `{2,}`) and more than eight `?`;
- with n open repeats a search takes up to length^(n+1)/(n+1)! steps, hence `LENGTHS`.
"""

from __future__ import annotations

import re

from msgspec import Struct

from cockpit.errors import UsageError

LONGEST = 200
"""Characters of an expression."""
LENGTHS = (16_384, 800, 160, 64)
"""Characters of a text that are searched, by the number of open repeats."""
OPTIONALS = 8
COUNT_LIMIT = 64
"""How often `{n}` may repeat."""

_CLASS = r"\[\^?\]?(?:\\.|[^\]\\])*\]"
_TOKEN = re.compile(
    rf"(?P<atom>\\.|{_CLASS})|(?P<open>\((?:\?(?:P<\w+>|[:=!]|<[=!]|>|[aiLmsux-]+:?))?)|(?P<close>\))"
    r"|(?P<repeat>[*+?]|\{\d*,?\d*\})(?P<lazy>[?+]?)|(?P<or>\|)|(?P<other>.)",
    re.DOTALL,
)


class Pattern(Struct, frozen=True):
    """A compiled expression, and how much text it may look at."""

    regex: re.Pattern[str]
    length: int

    def found_in(self, text: str) -> bool:
        """Tell whether the text holds a match within its first `length` characters."""
        return self.regex.search(text, 0, self.length) is not None


def compile_pattern(text: str) -> Pattern:
    """Compile an expression without regard to case.

    Raises:
        UsageError: It is no regular expression, or one that could run away.
    """
    from cockpit.stores.logs.expressions import read_expression  # not for what is drawn first

    if len(text) > LONGEST:
        raise UsageError(f"the expression is longer than {LONGEST} characters")
    trimmed = re.sub(r"^(?:\.\*\??)+|(?:(?<!\\)\.\*\??)+$", "", text) or text
    read_expression(text)
    opened = _open_repeats(trimmed)
    if opened >= len(LENGTHS):
        raise UsageError(
            f"the expression has {opened} open repeats",
            remedy=f"use at most {len(LENGTHS) - 1} of * + {{n,}}",
        )
    python = read_expression(trimmed).python
    return Pattern(re.compile(python, re.IGNORECASE | re.MULTILINE), LENGTHS[opened])


def literal(text: str) -> Pattern:
    """Return what finds a text itself, without regard to case."""
    return Pattern(re.compile(re.escape(text), re.IGNORECASE), LENGTHS[0])


def read_marks(text: str) -> tuple[Pattern, ...]:
    """Return what to highlight: the text itself, or an expression between slashes.

    Raises:
        UsageError: The expression is wrong.
    """
    if len(text) > 2 and text.startswith("/") and text.endswith("/"):
        return (compile_pattern(text[1:-1]),)
    return (literal(text),) if text else ()


def _open_repeats(text: str) -> int:
    """Count the open repeats; refuse what may take exponential time."""
    opened = optional = 0
    groups: list[bool] = [False]
    """For each group that is open: whether it holds a repeat or an alternation."""
    closed = False
    """Whether the last atom was a group that holds one."""
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if token["repeat"]:
            sign = token["repeat"]
            if sign == "?":
                optional += 1
            else:
                if closed:
                    raise UsageError(
                        f"{sign} after a group with a repeat or | in it may never end",
                        remedy="repeat a class such as [ab]* instead",
                    )
                opened += _is_open(sign)
            groups[-1] = True
            continue
        closed = False
        if kind == "open":
            groups.append(False)
        elif kind == "close" and len(groups) > 1:
            closed = groups.pop()
            groups[-1] = groups[-1] or closed
        elif kind == "or":
            groups[-1] = True
        elif (kind == "atom" and token[0][1:].isdigit() and token[0] != r"\0") or token[0] == "(?P=":
            raise UsageError("a back-reference may take too long", remedy="leave it out")
    if "(?P=" in text or "(?(" in text:
        raise UsageError("a back-reference may take too long", remedy="leave it out")
    if optional > OPTIONALS:
        raise UsageError(f"the expression has {optional} optional parts", remedy=f"use at most {OPTIONALS}")
    return opened


def _is_open(sign: str) -> bool:
    """Tell `*`, `+` and `{2,5}` from `{3}`, which has but one way to match."""
    if sign in "*+":
        return True
    low, comma, high = sign[1:-1].partition(",")
    counts = [int(part) for part in (low, high) if part]
    if any(count > COUNT_LIMIT for count in counts):
        raise UsageError(f"{sign} repeats more than {COUNT_LIMIT} times", remedy="use a smaller count")
    return bool(comma) and (not high or low != high)
