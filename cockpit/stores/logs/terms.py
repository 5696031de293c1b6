"""What a query is made of: terms and how they are joined, as data that may go to another process."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

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
