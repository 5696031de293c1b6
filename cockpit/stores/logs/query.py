"""The language that logs are asked in, on the screen, on the command line and of the engines that hold them.

timeout                a text holds it, whatever the case; several terms must all hold
"connection reset"     the same for text with spaces
-health                not this; a minus goes before any term or group
/time(d )?out/         a regular expression
a or b, (a or b) c     one of them; `or` joins less closely than standing side by side
level>=warn            also > < <= = != and, short for >=, level:warn
service:check          the service's name holds it; `=` wants all of it; also host, source, trace
status=500             an attribute, or `status=500` in the body; `*` stands for anything; != for not
status>=500            also > < <=, for numbers, and with units: duration>250ms size>1MiB
user:*                 the record has such an attribute
"""

from __future__ import annotations

import re

from cockpit.errors import UsageError
from cockpit.stores.logs.evaluate import lower, same
from cockpit.stores.logs.expressions import read_expression
from cockpit.stores.logs.patterns import LONGEST, compile_pattern
from cockpit.stores.logs.quantities import UNITS, quantity
from cockpit.stores.logs.raw import read_raw
from cockpit.stores.logs.terms import (
    TOP,
    All,
    AnyOf,
    Exists,
    Field,
    LevelRange,
    Named,
    Node,
    Not,
    Query,
    Regex,
    Word,
)

MOST_TERMS = 20
DEEPEST = 10
"""Groups within groups."""
LONGEST_TEXT = 4096
"""Characters of a query."""
LEVELS = {
    "trace": 1, "debug": 5, "info": 9, "warn": 13, "warning": 13, "error": 17, "err": 17, "fatal": 21, "critical": 21,
}  # fmt: skip
NAMES = ("service", "host", "source", "trace")

_TERM = re.compile(
    r"\s*(?P<minus>-)?(?:(?P<open>\()|/(?P<regex>(?:\\.|[^/\\])*)(?P<closed>/)?(?=[\s)]|$)"
    r"|(?P<key>[\w.@\-/]+)(?P<sign>>=|<=|!=|[<>=:])"
    r'(?:"(?P<quoted_value>[^"]*)"?|(?P<value>\S*))|"(?P<phrase>[^"]*)"?|(?P<word>\S+))'
)


def parse_query(text: str) -> Query:
    """Read a query.

    Raises:
        UsageError: A term can't be understood; the message says which, why and what to write.
    """
    if len(text) > LONGEST_TEXT:
        raise UsageError(f"the query is longer than {LONGEST_TEXT} characters")
    if read_raw(text) is not None:
        raise UsageError(
            "a query after raw: is in the language of an engine that holds logs, and these records are no engine's",
            remedy="write it without raw:, in the language of the filter line",
        )
    return Query(text, _Parser(text.encode("utf-8", "replace").decode()).root())


def level_number(name: str) -> int:
    """Return the SeverityNumber where a level begins.

    Raises:
        UsageError: There is no such level.
    """
    found = {number for known, number in LEVELS.items() if name and known.startswith(name.lower())}
    if len(found) != 1:
        raise UsageError(f"no level {name!r}", remedy="trace, debug, info, warn, error or fatal")
    return found.pop()


class _Parser:
    """Reads terms from left to right; a group is read by the same method as the whole."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._count = 0
        self._depth = 0
        self._surplus = 0
        """Closing parentheses that the last word ended with, and that no parenthesis in it opened."""

    def root(self) -> Node:
        return self._alternatives()

    def _alternatives(self) -> Node:
        """Read up to the parenthesis that closes the group, or to the end."""
        parts: list[list[Node]] = [[]]
        while not self._closes():
            found = _TERM.match(self._text, self._at)
            if found is None:
                if self._depth:
                    raise UsageError("a group has no closing )", remedy='put a text with ( between "…"')
                break
            self._at = found.end()
            if found[0].strip().lower() == "or":
                parts.append([])
            elif (node := self._node(found)) is not None:
                parts[-1].append(Not(node) if found["minus"] else node)
        found_parts = [nodes[0] if len(nodes) == 1 else All(tuple(nodes)) for nodes in parts if nodes]
        if not found_parts:
            return All()
        return found_parts[0] if len(found_parts) == 1 else AnyOf(tuple(found_parts))

    def _closes(self) -> bool:
        """Tell whether the group ends here, and step over its parenthesis."""
        if not self._depth:
            return False
        if self._surplus:
            self._surplus -= 1
            return True
        rest = re.compile(r"\s*\)").match(self._text, self._at)
        if rest is None:
            return False
        self._at = rest.end()
        return True

    def _node(self, found: re.Match[str]) -> Node | None:
        if found["open"]:
            return self._group()
        term = self._whole(found)
        try:
            node = self._term(term)
        except UsageError as error:
            place = (
                f"{term[0].strip()} at character {term.start() + len(term[0]) - len(term[0].lstrip()) + 1}"
            )
            raise UsageError(error.message, where=place, remedy=error.remedy) from None
        if node is not None:
            self._count += 1
            if self._count > MOST_TERMS:
                raise UsageError(f"the filter has more than {MOST_TERMS} terms")
        return node

    def _group(self) -> Node | None:
        if self._depth >= DEEPEST:
            raise UsageError(f"the filter has more than {DEEPEST} groups within groups")
        self._depth += 1
        node = self._alternatives()
        self._depth -= 1
        return None if node == All() else node

    def _whole(self, found: re.Match[str]) -> re.Match[str]:
        """Return the term without the parentheses at its end that close groups."""
        group = "word" if found["word"] is not None else "value"
        text = found[group]
        if not self._depth or text is None:
            return found
        surplus = min(self._depth, text.count(")") - text.count("("), len(text) - len(text.rstrip(")")))
        if surplus <= 0:
            return found
        end = found.end() - surplus
        shorter = _TERM.match(self._text[:end], found.start())
        self._surplus = surplus
        return shorter if shorter is not None else found

    def _term(self, term: re.Match[str]) -> Node | None:
        if term["regex"] is not None:
            if not term["closed"]:
                raise UsageError("the expression has no closing /")
            return _regex(term["regex"]) if term["regex"] else None
        if term["key"] is not None and (keyed := _keyed(term)) is not None:
            return keyed
        word = term["phrase"] if term["phrase"] is not None else term["word"]
        if word is None:
            word = term[0].strip().removeprefix("-")
        word = word.replace("\n", " ")
        return Word(word) if word and word != "-" else None


def _regex(pattern: str) -> Regex:
    pattern = pattern.replace("\\/", "/")
    if len(pattern) > LONGEST:
        raise UsageError(f"the expression is longer than {LONGEST} characters")
    expression = read_expression(pattern)
    if expression.backtracks:
        compile_pattern(pattern)  # `re` is what looks around, so its bounds hold everywhere
    return Regex(pattern)


def _keyed(term: re.Match[str]) -> Node | None:
    """Return a term with a key, or None where it is only a word with such a sign in it."""
    key, sign = term["key"], term["sign"]
    value = term["quoted_value"] if term["quoted_value"] is not None else term["value"]
    if key.lower() == "level":
        return _level(sign, value)
    if key.lower() in NAMES and sign in (":", "=", "!="):
        if not value:
            raise UsageError(f"{key.lower()}{sign} of what?", remedy=f"{key.lower()}{sign}name")
        same(value)
        named = Named(key.lower(), sign != ":", lower(value))
        return Not(named) if sign == "!=" else named
    if sign == ":":
        return Exists(key) if value == "*" else None
    if not value:
        return None
    if sign in ("=", "!="):
        same(value)
        return Not(Field(key, "=", value)) if sign == "!=" else Field(key, "=", value)
    if quantity(value) is not None:
        return Field(key, sign, value)
    if re.match(r"[-+]?\.?[0-9]", value):
        raise UsageError(f"{value} is no number with a unit that is known", remedy=f"units are {UNITS}")
    return None


def _level(sign: str, value: str) -> Node:
    number = level_number(value)
    ranges = {">": (number + 4, TOP), "<=": (0, number + 4), "<": (0, number), "=": (number, number + 4)}
    if sign == "!=":
        return Not(LevelRange(number, number + 4))
    return LevelRange(*ranges.get(sign, (number, TOP)))
