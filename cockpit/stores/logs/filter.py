"""The language of the logs' filter line.

timeout            the body or an attribute holds it, whatever the case; several words must all be there
"connection reset" the same for text with spaces
-health            not this; a minus goes before any term
/time(d )?out/     a regular expression in the body
level>=warn        also > < <= = != and, short for >=, level:warn
service:check      the service's name holds it; `=` wants all of it; also host, source, trace
status=500         an attribute, of the record or its resource; or `status=500` in the body; `*` stands for anything
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate

from msgspec import Struct

from cockpit.errors import UsageError
from cockpit.signals import LogRecord, Value, host_of, service_of
from cockpit.stores.logs.patterns import LENGTHS, Pattern, compile_pattern, literal

Test = Callable[[LogRecord], bool]

MOST_TERMS = 20
LEVELS = {
    "trace": 1, "debug": 5, "info": 9, "warn": 13, "warning": 13, "error": 17, "err": 17, "fatal": 21, "critical": 21,
}  # fmt: skip

_TERM = re.compile(
    r"\s*(?P<minus>-)?(?:/(?P<regex>(?:\\.|[^/\\])*)(?P<closed>/)?(?=\s|$)|(?P<key>[\w.\-/]+)(?P<sign>>=|<=|!=|[<>=:])"
    r'(?:"(?P<quoted_value>[^"]*)"?|(?P<value>\S*))|"(?P<phrase>[^"]*)"?|(?P<word>\S+))'
)


class LogFilter(Struct, frozen=True):
    """A filter as it was typed, and what it tests.

    Attributes:
        text: As typed.
        tests: Each must hold.
        marks: What to highlight in the rows it leaves.
        pushed: The text that a source may search for on its side: its hits hold all that the filter would leave.
        note: What the operator should know, such as that a regular expression looks at the first characters only.
    """

    text: str = ""
    tests: tuple[Test, ...] = ()
    marks: tuple[Pattern, ...] = ()
    pushed: str = ""
    note: str = ""


def parse_filter(text: str) -> LogFilter:
    """Read a filter line.

    Raises:
        UsageError: A term can't be understood; the message says which and why.
    """
    tests: list[Test] = []
    marks: list[Pattern] = []
    pushed = note = ""
    for term in _TERM.finditer(text):
        if len(tests) >= MOST_TERMS:
            raise UsageError(f"the filter has more than {MOST_TERMS} terms")
        negated = term["minus"] is not None
        word = term["phrase"] if term["phrase"] is not None else term["word"]
        mark: Pattern | None = None
        if term["regex"] is not None:
            if not term["closed"]:
                raise UsageError("the expression has no closing /")
            if not term["regex"]:
                continue
            pattern = compile_pattern(term["regex"])
            mark = pattern
            if pattern.length < LENGTHS[0]:
                note = f"expression looks at the first {pattern.length} characters"
            test: Test = lambda record, found=pattern.found_in: found(record.body)  # type: ignore[misc]  # noqa: E731
        elif term["key"] is not None and (known := _keyed(term)) is not None:
            test = known
        else:
            word = word if word is not None else term[0].strip().removeprefix("-")
            if not word or word == "-":
                continue
            test = _holds(word.lower())
            mark = literal(word)
            if not negated and len(word) > len(pushed):
                pushed = word
        tests.append(_not(test) if negated else test)
        if mark is not None and not negated:
            marks.append(mark)
    return LogFilter(text=text, tests=tuple(tests), marks=tuple(marks), pushed=pushed, note=note)


def level_number(name: str) -> int:
    """Return the SeverityNumber where a level begins.

    Raises:
        UsageError: There is no such level.
    """
    found = {number for known, number in LEVELS.items() if name and known.startswith(name.lower())}
    if len(found) != 1:
        raise UsageError(f"no level {name!r}", remedy="trace, debug, info, warn, error or fatal")
    return found.pop()


def _keyed(term: re.Match[str]) -> Test | None:
    """Return the test of a `key=value` term, or None where it is only a word with such a sign in it."""
    key, sign = term["key"].lower(), term["sign"]
    value = term["quoted_value"] if term["quoted_value"] is not None else term["value"]
    if key == "level":
        return _level(sign, value)
    if key in _NAMES and sign in (":", "=", "!="):
        if not value:
            raise UsageError(f"{key}{sign} of what?", remedy=f"{key}{sign}name")
        return _named(_NAMES[key], sign, value.lower())
    if sign in ("=", "!=") and value:
        test = _attribute(term["key"], value)
        return _not(test) if sign == "!=" else test
    return None


def _level(sign: str, value: str) -> Test:
    number = level_number(value)
    tests: dict[str, Test] = {
        ">=": lambda record: record.level >= number,
        ">": lambda record: record.level >= number + 4,
        "<=": lambda record: record.level < number + 4,
        "<": lambda record: record.level < number,
        "=": lambda record: number <= record.level < number + 4,
        "!=": lambda record: not number <= record.level < number + 4,
    }
    return tests.get(sign, tests[">="])


_NAMES: dict[str, Callable[[LogRecord], str]] = {
    "service": lambda record: service_of(record.resource),
    "host": lambda record: host_of(record.resource),
    "source": lambda record: record.source,
    "trace": lambda record: record.trace_id,
}


def _named(read: Callable[[LogRecord], str], sign: str, wanted: str) -> Test:
    if sign == ":":
        return lambda record: wanted in read(record).lower()
    same = _same(wanted)
    if sign == "!=":
        return lambda record: not same(read(record).lower())
    return lambda record: same(read(record).lower())


def _attribute(key: str, wanted: str) -> Test:
    same = _same(wanted.lower())
    in_body = re.compile(rf"(?<![\w.]){re.escape(key)}=\"?{re.escape(wanted)}(?!\w)", re.IGNORECASE)

    def test(record: LogRecord) -> bool:
        value = record.attributes.get(key)
        if value is not None and same(_text_of(value)):
            return True
        told = record.resource.get(key)
        if told is not None and same(told.lower()):
            return True
        return in_body.search(record.body) is not None

    return test


def _same(wanted: str) -> Callable[[str], bool]:
    """Return a comparison with a lower-case text in which a `*` at either end or both stands for anything."""
    if "*" not in wanted:
        return lambda text: text == wanted
    if wanted.count("*") > 4:
        raise UsageError(f"{wanted} has more than four *")
    regex = re.compile(translate(re.sub(r"\*+", "*", wanted).replace("[", "[[]").replace("?", "[?]")))
    return lambda text: regex.match(text, 0, 4096) is not None


def _text_of(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).lower()


def _holds(word: str) -> Test:
    def test(record: LogRecord) -> bool:
        if word in record.body.lower():
            return True
        return any(isinstance(value, str) and word in value.lower() for value in record.attributes.values())

    return test


def _not(test: Test) -> Test:
    return lambda record: not test(record)
