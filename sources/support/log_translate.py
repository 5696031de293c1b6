"""From the filter language to an engine's: what is common to all engines.

An engine has words for some terms and not for others. What it is asked must find all that the query means; where that
is more, the part that was left out is tested here. So a term is pushed down, alone or joined to others, only where
leaving it out or taking it wider still finds everything: under a `not` a term must be meant exactly.

A word is looked for in the message alone, though the filter line looks into the attributes too: no engine looks into
all fields of all records at a bearable cost.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from cockpit.formats.levels import SYSLOG, WORDS
from cockpit.signals import LogRecord
from cockpit.stores.logs.evaluate import test_of
from cockpit.stores.logs.query import parse_query
from cockpit.stores.logs.raw import read_raw
from cockpit.stores.logs.terms import (
    All,
    AnyOf,
    Exists,
    Field,
    LevelRange,
    Named,
    Node,
    Not,
    Regex,
    Term,
    Word,
    terms_of,
)
from sources.support.log_fields import FieldNames

T = TypeVar("T")


class Pushed(Struct, Generic[T], frozen=True):
    """What of a node an engine is asked.

    Attributes:
        asked: In its language; None where nothing can be asked.
        left: What is to be tested here; None where the engine tests all of it.
    """

    asked: T | None
    left: Node | None = None


class Question(Struct, Generic[T], frozen=True):
    """A question as an engine understands it.

    Attributes:
        asked: In the engine's language; None for all that the source's `query` means.
        raw: Whether it was written in it.
        test: What the engine can't test, and is tested here; None where it tests all.
        note: What is tested here, in words.
        by_level: Whether that is levels alone, which counts by level can be chosen by.
    """

    asked: T | None = None
    raw: str = ""
    test: Callable[[LogRecord], bool] | None = None
    note: str = ""
    by_level: bool = False


def translated(query: str, translator: Translator[T]) -> Question[T]:
    """Translate a query; one that begins with `raw:` is taken as it is.

    Raises:
        UsageError: It can't be understood.
    """
    if (raw := read_raw(query)) is not None:
        return Question(raw=raw.text)
    parsed = parse_query(query.strip())
    if parsed.admits_all:
        return Question()
    pushed = translator.node(parsed.root)
    if pushed.left is None:
        return Question(asked=pushed.asked)
    test = test_of(pushed.left)
    return Question(
        asked=pushed.asked,
        test=lambda record: test(record, None),
        note=told(pushed.left),
        by_level=all(isinstance(term, LevelRange) for term in terms_of(pushed.left)),
    )


class Translator(ABC, Generic[T]):
    """Translates a query for one engine.

    Args:
        source: The source's own name, which `source:` terms mean.
        names: Which fields mean what.
    """

    def __init__(self, source: str, names: FieldNames) -> None:
        self.source = source
        self.names = names

    def node(self, node: Node) -> Pushed[T]:
        """Translate a node."""
        if isinstance(node, All):
            return self._all(node)
        if isinstance(node, AnyOf):
            return self._any(node)
        if isinstance(node, Not):
            inner = self.node(node.node)
            exact = inner.asked is not None and inner.left is None
            negated = self.negated(inner.asked) if exact and inner.asked is not None else None
            return Pushed(negated, None if negated is not None else node)
        if isinstance(node, Named) and node.name == "source":
            return self._own(node)
        asked, exact = self.term(node)
        return Pushed(asked, None if exact and asked is not None else node)

    @abstractmethod
    def term(self, term: Term) -> tuple[T | None, bool]:
        """Translate a term; tell whether it then means neither more nor less."""

    @abstractmethod
    def everything(self) -> T:
        """Return what all records fulfil."""

    @abstractmethod
    def negated(self, asked: T) -> T | None:
        """Return what is fulfilled where this is not."""

    @abstractmethod
    def every(self, asked: Sequence[T]) -> T | None:
        """Return what is fulfilled where all of these are; None where it can't be said."""

    @abstractmethod
    def either(self, asked: Sequence[T]) -> T | None:
        """Return what is fulfilled where one of these is; None where it can't be said."""

    def _all(self, node: All) -> Pushed[T]:
        parts = [self.node(part) for part in node.nodes]
        asked = [part.asked for part in parts if part.asked is not None]
        left = tuple(part.left for part in parts if part.left is not None)
        joined = self.every(asked) if asked else (None if parts else self.everything())
        if asked and joined is None:
            return Pushed(asked[0], node)
        return Pushed(joined, All(left) if left else None)

    def _any(self, node: AnyOf) -> Pushed[T]:
        parts = [self.node(part) for part in node.nodes]
        asked = [part.asked for part in parts if part.asked is not None]
        if len(asked) < len(parts) or not parts:
            return Pushed(None, node)
        joined = self.either(asked)
        exact = joined is not None and all(part.left is None for part in parts)
        return Pushed(joined, None if exact else node)

    def _own(self, node: Named) -> Pushed[T]:
        """Answer a `source:` term here: all records of a source are its own."""
        mine = (
            glob_matches(node.value, self.source.lower()) if node.whole else node.value in self.source.lower()
        )
        everything = self.everything()
        return Pushed(everything if mine else self.negated(everything), None)


def glob_matches(glob: str, text: str) -> bool:
    """Tell whether a text is a glob's, in which a `*` stands for anything and all else for itself."""
    first, *rest = glob.split("*")
    if not rest:
        return glob == text
    if not text.startswith(first) or len(text) < len(first) + len(rest[-1]) or not text.endswith(rest[-1]):
        return False
    place, end = len(first), len(text) - len(rest[-1])
    for part in rest[:-1]:
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


def level_words(term: LevelRange) -> list[str]:
    """Return the words, in lower case, and the numbers of syslog, bunyan and pino that mean a level of a range."""
    words = [word for word, number in WORDS.items() if term.low <= number < term.high]
    tens = {str(ten * 10): number for ten, number in enumerate((1, 5, 9, 13, 17, 21), 1)}
    numbers = tens | {str(severity): number for severity, number in enumerate(SYSLOG)}
    return words + [text for text, number in numbers.items() if term.low <= number < term.high]


def told(node: Node) -> str:
    """Return in words which terms a node has, for a note on what is tested here."""
    return ", ".join(dict.fromkeys(_KINDS[type(term)].format(term) for term in terms_of(node)))


_KINDS: dict[type, str] = {
    Word: "{0.text}",
    Regex: "/{0.pattern}/",
    LevelRange: "levels that the text alone tells",
    Named: "{0.name}:{0.value}",
    Field: "{0.key}{0.sign}{0.value}",
    Exists: "{0.key}:*",
}
