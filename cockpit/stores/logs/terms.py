"""What a query is made of: terms and how they are joined, as data that may go to another process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from cockpit.signals import LogRecord

TOP = 64
"""Above every SeverityNumber."""
Comparison = str
"""`=`, `<`, `<=`, `>` or `>=`."""


class Word(Struct, frozen=True, tag="word"):
    """The text holds this one, whatever the case. It is never empty and has no line feed."""

    text: str


class Regex(Struct, frozen=True, tag="regex"):
    """The text holds a match of an expression, whatever the case."""

    pattern: str


class LevelRange(Struct, frozen=True, tag="level"):
    """The SeverityNumber is at least `low` and below `high`."""

    low: int
    high: int


class Named(Struct, frozen=True, tag="named"):
    """A `service`, `host`, `source` or `trace` holds a text, or is it; a `*` of the latter stands for anything.

    Attributes:
        name: One of the four.
        whole: The text is all of it.
        value: In lower case.
    """

    name: str
    whole: bool
    value: str


class Field(Struct, frozen=True, tag="field"):
    """An attribute of the record or its resource, or what its body says as `key=value`, compares so.

    Attributes:
        key: As typed.
        sign: How it compares; `=` also takes a `*` for anything, and equal numbers written otherwise.
        value: As typed; for the other signs a number, with a unit or without.
    """

    key: str
    sign: Comparison
    value: str


class Exists(Struct, frozen=True, tag="exists"):
    """The record or its resource has an attribute of that name, or its body says `key=`."""

    key: str


class Not(Struct, frozen=True, tag="not"):
    """What the node says is false."""

    node: Node


class All(Struct, frozen=True, tag="all"):
    """Every node holds; none at all holds too."""

    nodes: tuple[Node, ...] = ()


class AnyOf(Struct, frozen=True, tag="any"):
    """One node holds at least."""

    nodes: tuple[Node, ...]


Term = Word | Regex | LevelRange | Named | Field | Exists
Node = Word | Regex | LevelRange | Named | Field | Exists | Not | All | AnyOf


def terms_of(node: Node) -> Iterator[Term]:
    """Return the terms below a node, in the order they were written."""
    if isinstance(node, Not):
        yield from terms_of(node.node)
    elif isinstance(node, All | AnyOf):
        for part in node.nodes:
            yield from terms_of(part)
    else:
        yield node


class Query(Struct, frozen=True):
    """A query as it was typed and what it asks. It may be packed by msgpack and go to another process.

    Attributes:
        text: As typed.
        root: What must hold.
    """

    text: str = ""
    root: Node = All()

    @property
    def admits_all(self) -> bool:
        """True where every record passes."""
        return self.root == All()

    @property
    def wanted(self) -> tuple[Word | Regex, ...]:
        """The words and expressions that a record may be found by, to highlight."""
        return tuple(term for term in _wanted(self.root) if isinstance(term, Word | Regex))

    @property
    def pushed(self) -> str:
        """The longest word that every hit holds: what a source may search for on its side."""
        nodes = self.root.nodes if isinstance(self.root, All) else (self.root,)
        return max((node.text for node in nodes if isinstance(node, Word)), key=len, default="")

    def tester(self) -> Callable[[LogRecord, str | None], bool]:
        """Return what tells whether a record passes, given its whole text where it was read from one.

        Raises:
            UsageError: An expression could run away on hostile text.
        """
        from cockpit.stores.logs.evaluate import (
            test_of,  # and how to read queries: not for what is drawn first
        )

        return test_of(self.root)

    def test(self, record: LogRecord, text: str | None = None) -> bool:
        """Tell whether one record passes; for many, take `tester` once."""
        return self.tester()(record, text)


def _wanted(node: Node) -> Iterator[Term]:
    """Return the terms below a node that no minus stands before."""
    if isinstance(node, All | AnyOf):
        for part in node.nodes:
            yield from _wanted(part)
    elif not isinstance(node, Not):
        yield from terms_of(node)
