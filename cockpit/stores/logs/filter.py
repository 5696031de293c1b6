"""A query held against records that are at hand, as the screen does it, in the language of `query`."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from cockpit.signals import LogRecord
from cockpit.stores.logs.patterns import LENGTHS, Pattern, compile_pattern, literal
from cockpit.stores.logs.terms import All, Node, Query, Regex, Word, terms_of

Test = Callable[[LogRecord], bool]


class LogFilter(Struct, frozen=True):
    """A filter as it was typed, and what it tests.

    Attributes:
        text: As typed.
        tests: Each must hold.
        marks: What to highlight in the rows it leaves.
        pushed: The text that a source may search for on its side: its hits hold all that the filter would leave.
        note: What the operator should know, such as that a regular expression looks at the first characters only.
        query: What the tests were made from.
    """

    text: str = ""
    tests: tuple[Test, ...] = ()
    marks: tuple[Pattern, ...] = ()
    pushed: str = ""
    note: str = ""
    query: Query = Query()


def parse_filter(text: str) -> LogFilter:
    """Read a filter line.

    Raises:
        UsageError: A term can't be understood, or an expression could run away; the message says which and why.
    """
    from cockpit.stores.logs.query import parse_query  # not for what is drawn first

    query = parse_query(text)
    nodes = query.root.nodes if isinstance(query.root, All) else (query.root,)
    note = ""
    for term in terms_of(query.root):
        if isinstance(term, Regex) and (length := compile_pattern(term.pattern).length) < LENGTHS[0]:
            note = f"expression looks at the first {length} characters"
    return LogFilter(
        text=text,
        tests=tuple(_test(node) for node in nodes),
        marks=tuple(_mark(term) for term in query.wanted),
        pushed=query.pushed,
        note=note,
        query=query,
    )


def _test(node: Node) -> Test:
    from cockpit.stores.logs.evaluate import test_of

    test = test_of(node)
    return lambda record: test(record, None)


def _mark(term: Word | Regex) -> Pattern:
    return literal(term.text) if isinstance(term, Word) else compile_pattern(term.pattern)
