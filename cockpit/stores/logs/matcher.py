"""Answers queries over the bytes and columns of a piece of a log, without reading its records one by one.

Each term tells of every record whether it holds, may hold, or does not: words and expressions by one scan of the
bytes, levels by their column, fields by what must stand in the text of a record that has them. The terms are joined
in that three-valued logic, and only a record of which nothing is certain then is read and tested as
`evaluate.test_of` would: the answer is always the one that `Query.test` gives for the record and its whole text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from cockpit.errors import UsageError
from cockpit.formats.columns import Columns
from cockpit.formats.format import LogFormat
from cockpit.signals import LogRecord
from cockpit.stores.logs.evaluate import Test, test_of_term
from cockpit.stores.logs.expressions import read_expression
from cockpit.stores.logs.files.naming import endings
from cockpit.stores.logs.hints import hint_of
from cockpit.stores.logs.scan import LINE_FEED, Needle, Scanner, Sight, text_of
from cockpit.stores.logs.terms import (
    All,
    AnyOf,
    LevelRange,
    Named,
    Node,
    Not,
    Query,
    Regex,
    Term,
    Word,
    terms_of,
)

LIMIT = 2.0
"""Seconds that expressions which look around may take for one piece."""

Bools = NDArray[np.bool_]


class _Truth(NamedTuple):
    """What is known of each record: it passes for certain, and it may pass."""

    sure: Bools
    may: Bools


class MatcherSet:
    """Answers many queries over the same pieces, with one scan of each."""

    def __init__(self, queries: Sequence[Query], fmt: LogFormat, *, source: str = "") -> None:
        """Make ready to answer.

        Args:
            queries: What is asked.
            fmt: How the log writes its records.
            source: The name of the source that its records are from, or a log's path: any ending of it is its name.

        Raises:
            UsageError: An expression can't be searched for.
        """
        self._queries = tuple(queries)
        self._format = fmt
        self._source = source
        self._terms = tuple(dict.fromkeys(term for query in queries for term in terms_of(query.root)))
        self._needles: list[Needle] = []
        self._needle_of: dict[Term, int] = {}
        for term in self._terms:
            self._prepare(term)
        self._scanner = Scanner(self._needles)
        self._tests: dict[Term, Test] = {}

    def match(self, data: memoryview, columns: Columns) -> list[Bools]:
        """Return the records that pass each query: a bool array of shape (records,) a query.

        Args:
            data: A piece of the log, as given to the format.
            columns: What the format said of it.

        Raises:
            UsageError: An expression takes too long on this log.
        """
        sight = self._scanner.look(data, several=columns.lines > len(columns))
        return self._answers(sight, data, columns)

    def search(self, data: memoryview, columns: Callable[[], Columns]) -> list[Bools] | None:
        """Return the same, asking for the columns only where something may pass; None where nothing does.

        Raises:
            UsageError: An expression takes too long on this log.
        """
        if self._scanner.crosses:
            known = columns()
            return self.match(data, known)
        sight = self._scanner.look(data, several=False)
        seen = self._scanner.seen(sight)
        if not any(self._may_pass(query.root, seen) for query in self._queries):
            return None
        return self._answers(sight, data, columns())

    def may_pass(self, data: memoryview) -> bool:
        """Tell whether any record of a piece may pass, without its columns."""
        if self._scanner.crosses:
            return True
        seen = self._scanner.seen(self._scanner.look(data, several=False))
        return any(self._may_pass(query.root, seen) for query in self._queries)

    def _may_pass(self, node: Node, seen: set[int]) -> bool:
        """Tell whether any record of a piece may pass, in which only these needles were found."""
        if isinstance(node, Not):
            return True
        if isinstance(node, All):
            return all(self._may_pass(part, seen) for part in node.nodes)
        if isinstance(node, AnyOf):
            return any(self._may_pass(part, seen) for part in node.nodes)
        return node not in self._needle_of or self._needle_of[node] in seen

    def _answers(self, sight: Sight, data: memoryview, columns: Columns) -> list[Bools]:
        found = self._scanner.records(sight, columns)
        truths = {term: self._truth(term, columns, found) for term in self._terms}
        reading = _Reading(self, data, columns, truths)
        answers = []
        for query in self._queries:
            sure, may = _joined(query.root, truths, len(columns))
            answer = sure.copy()
            for number in np.flatnonzero(may & ~sure).tolist():
                answer[number] = reading.passes(query.root, number)
            answers.append(answer)
        return answers

    def _prepare(self, term: Term) -> None:
        needle = None
        if isinstance(term, Word):
            needle = Needle(word=term.text)
        elif isinstance(term, Regex):
            needle = Needle(pattern=term.pattern, expression=read_expression(term.pattern))
        elif hint := hint_of(term, self._format):
            needle = Needle(hint=hint)
        if needle is not None:
            self._needle_of[term] = len(self._needles)
            self._needles.append(needle)

    def _truth(self, term: Term, columns: Columns, found: list[Bools]) -> _Truth:
        count = len(columns)
        if isinstance(term, LevelRange):
            there = (columns.levels >= term.low) & (columns.levels < term.high)
            return _Truth(there, there)
        if isinstance(term, Named) and term.name == "source":
            test = self.test(term)
            named = (test(LogRecord(at=0, body="", source=name), "") for name in endings(self._source))
            there = np.full(count, any(named), np.bool_)
            return _Truth(there, there)
        number = self._needle_of.get(term)
        nothing = np.zeros(count, np.bool_)
        if number is None:
            return _Truth(nothing, ~nothing)
        return _Truth(nothing if self._scanner.only_may_be(number) else found[number], found[number])

    def read(self, text: str) -> LogRecord:
        """Read a record as its format does; its time does not matter here."""
        record = self._format.record(text, observed=0)
        return replace(record, source=self._source) if self._source else record

    def test(self, term: Term) -> Test:
        """Return the test of a term."""
        if term not in self._tests:
            self._tests[term] = test_of_term(term)
        return self._tests[term]


class Matcher:
    """Answers one query; see `MatcherSet`."""

    def __init__(self, query: Query, fmt: LogFormat, *, source: str = "") -> None:
        self._set = MatcherSet([query], fmt, source=source)

    def match(self, data: memoryview, columns: Columns) -> Bools:
        """Return the records that pass: bool, shape (records,)."""
        return self._set.match(data, columns)[0]

    def may_pass(self, data: memoryview) -> bool:
        """Tell whether any record of a piece may pass, without its columns."""
        return self._set.may_pass(data)

    def search(self, data: memoryview, columns: Callable[[], Columns]) -> Bools | None:
        """Return the same, asking for the columns only where something may pass; None where nothing does."""
        found = self._set.search(data, columns)
        return None if found is None else found[0]


class _Reading:
    """Reads the records of one piece that can't be told otherwise, each once."""

    def __init__(
        self, matcher: MatcherSet, data: memoryview, columns: Columns, truths: dict[Term, _Truth]
    ) -> None:
        self._matcher = matcher
        self._data = data
        self._columns = columns
        self._truths = truths
        self._records: dict[int, tuple[LogRecord, str]] = {}
        self._edges: list[int] = []
        self._spent = 0.0

    def passes(self, node: Node, number: int) -> bool:
        """Tell whether a record passes."""
        if isinstance(node, Not):
            return not self.passes(node.node, number)
        if isinstance(node, All):
            return all(self.passes(part, number) for part in node.nodes)
        if isinstance(node, AnyOf):
            return any(self.passes(part, number) for part in node.nodes)
        truth = self._truths[node]
        if truth.sure[number] or not truth.may[number]:
            return bool(truth.sure[number])
        return self._holds(node, number)

    def _holds(self, term: Term, number: int) -> bool:
        test = self._matcher.test(term)
        record, text = self._read(number)
        if not isinstance(term, Regex):
            return test(record, text)
        began = monotonic()
        holds = test(record, text)
        self._spent += monotonic() - began
        if self._spent > LIMIT:
            raise UsageError(
                f"the expression takes more than {LIMIT:g} s for {len(self._data):,} bytes of this log",
                where=f"/{term.pattern}/",
                remedy="leave out what looks ahead or behind, or put a plain word before it",
            )
        return holds

    def _read(self, number: int) -> tuple[LogRecord, str]:
        if number not in self._records:
            if not self._edges:
                self._edges = [*self._columns.starts.tolist(), len(self._data)]
            start, end = self._edges[number], self._edges[number + 1]
            if end > start and self._data[end - 1] == LINE_FEED:
                end -= 1
            text = text_of(self._data[start:end])
            self._records[number] = (self._matcher.read(text), text)
        return self._records[number]


def _joined(node: Node, truths: dict[Term, _Truth], count: int) -> _Truth:
    """Join what is known of the terms, of each record by itself."""
    if isinstance(node, Not):
        inner = _joined(node.node, truths, count)
        return _Truth(~inner.may, ~inner.sure)
    if not isinstance(node, All | AnyOf):
        return truths[node]
    every = isinstance(node, All)
    sure, may = np.full(count, every), np.full(count, every)
    for part in node.nodes:
        other = _joined(part, truths, count)
        sure = sure & other.sure if every else sure | other.sure
        may = may & other.may if every else may | other.may
    return _Truth(sure, may)
