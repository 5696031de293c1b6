"""Which records of a block may pass a query, told from its bytes, so that few are made into objects to be tested.

Words are found in the bodies' buffer and in what else records say; levels, sources and resources are columns. What
can't be told so may be any record.
"""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.errors import UsageError
from cockpit.signals import LogRecord
from cockpit.stores.logs.evaluate import test_of_term
from cockpit.stores.logs.ring.packing import Unpacked
from cockpit.stores.logs.terms import All, AnyOf, LevelRange, Named, Node, Word

Rows = set[int] | None
"""Rows that may pass; None for all of them."""


class Sieve:
    """Sifts blocks for one query."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._last: tuple[int, int, Sequence[int]] | None = None

    def rows(self, first: int, block: Unpacked) -> Sequence[int]:
        """Return the rows that may pass, rising.

        Args:
            first: The number of the block's first record, by which it is known again.
            block: The block.
        """
        if self._last is None or self._last[:2] != (first, len(block)):
            found = _rows(self._node, block)
            self._last = (first, len(block), range(len(block)) if found is None else sorted(found))
        return self._last[2]


def _rows(node: Node, block: Unpacked) -> Rows:
    if isinstance(node, All):
        found: Rows = None
        for part in node.nodes:
            rows = _rows(part, block)
            found = rows if found is None else found if rows is None else found & rows
            if found is not None and not found:
                break
        return found
    if isinstance(node, AnyOf):
        all_found: set[int] = set()
        for part in node.nodes:
            rows = _rows(part, block)
            if rows is None:
                return None
            all_found |= rows
        return all_found
    if isinstance(node, Word):
        return _holding(node.text.lower().encode(), block) if node.text.isascii() else None
    if isinstance(node, LevelRange):
        return {row for row, level in enumerate(block.levels) if node.low <= level < node.high}
    return _named(node, block) if isinstance(node, Named) else None


def _holding(word: bytes, block: Unpacked) -> set[int]:
    """Return the records that say a word in their body, their attributes or their trace."""
    found: set[int] = set()
    text, rest = block.lowered
    place = text.find(word)
    while place >= 0:
        row = block.row_of_text(place)
        found.add(row)
        place = text.find(word, block.text_end(row))
    place = rest.find(word)
    while place >= 0:
        row = block.row_of_rest(place)
        found.add(row)
        place = rest.find(word, block.rest_end(row))
    return found


def _named(node: Named, block: Unpacked) -> Rows:
    try:
        test = test_of_term(node)
    except UsageError:  # a name of the scope that no filter line may hold: its own test is another
        return None
    if node.name == "source":
        return block.of_sources(
            {n for n, name in enumerate(block.sources) if test(LogRecord(at=0, body="", source=name), None)}
        )
    if node.name in ("service", "host"):
        return block.of_resources(
            {n for n, one in enumerate(block.resources) if test(LogRecord(at=0, body="", resource=one), None)}
        )
    return None
