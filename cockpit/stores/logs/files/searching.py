"""A search over the bytes of logs, made of what the screen asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from cockpit.stores.logs.criteria import Criteria
from cockpit.stores.logs.files.search import Matching
from cockpit.stores.logs.terms import All, Node, Query

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cockpit.formats.columns import Columns
    from cockpit.formats.format import LogFormat
    from cockpit.stores.logs.matcher import MatcherSet


class Wanted(Struct, frozen=True, array_like=True):
    """What is searched for.

    Attributes:
        query: What the rows are to be.
        counted: Queries whose hits are counted beside them: those of the named filters.
    """

    query: Query
    counted: tuple[Query, ...] = ()


def query_of(criteria: Criteria, *, node: Node | None = None) -> bytes:
    """Return criteria as they are sent; empty where they admit all and nothing is counted.

    Args:
        criteria: What the rows are to be.
        node: What they are to be besides, for one that is looked for among them.
    """
    root = criteria.node
    if node is not None:
        return msgspec.msgpack.encode(Wanted(Query("", node if root == All() else All((root, node)))))
    if criteria.admits_all and not len(criteria.filters):
        return b""
    return msgspec.msgpack.encode(
        Wanted(Query("", root), tuple(Query("", each.query.root) for each in criteria.filters))
    )


def matching_of(query: bytes) -> Matching | None:
    """Return the search that serialised criteria ask for; None where they admit all.

    Raises:
        UsageError: An expression can't be searched for.
    """
    return ByFormat(msgspec.msgpack.decode(query, type=Wanted)) if query else None


class ByFormat:
    """Searches each log by what its format tells of its records."""

    def __init__(self, wanted: Wanted) -> None:
        from cockpit.stores.logs.matcher import (
            MatcherSet,  # hyperscan, which the screen's side has no use for
        )

        self._wanted = wanted
        self._make = MatcherSet
        self._sets: dict[tuple[int, str], MatcherSet] = {}

    def match(
        self, data: bytes, columns: Callable[[], Columns], fmt: LogFormat, source: str
    ) -> Sequence[NDArray[np.bool_]] | None:
        """Return which records match, and which pass each of the counted queries; None where none does."""
        key = (id(fmt), source)
        if key not in self._sets:
            queries = (self._wanted.query, *self._wanted.counted)
            self._sets[key] = self._make(queries, fmt, source=source)
        return self._sets[key].search(memoryview(data), columns)
