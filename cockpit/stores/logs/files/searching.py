"""A search over the bytes of logs, made of what the screen asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from cockpit.stores.logs.criteria import Criteria
from cockpit.stores.logs.files.scanner import Matching
from cockpit.stores.logs.query import TOP, Query
from cockpit.stores.logs.terms import All, LevelRange, Named, Node

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cockpit.formats.columns import Columns
    from cockpit.formats.format import LogFormat
    from cockpit.stores.logs.matcher import Matcher


def query_of(criteria: Criteria) -> bytes:
    """Return criteria as they are sent; empty where they admit all."""
    if criteria.admits_all:
        return b""
    nodes: list[Node] = [LevelRange(criteria.floor, TOP)] if criteria.floor else []
    scope = {"trace": criteria.trace_id, "service": criteria.service, "host": criteria.host}
    nodes += [Named(name, True, value.lower()) for name, value in scope.items() if value]
    if not criteria.filter.query.admits_all:
        nodes.append(criteria.filter.query.root)
    return msgspec.msgpack.encode(Query(criteria.filter.text, All(tuple(nodes))))


def matching_of(query: bytes) -> Matching | None:
    """Return the search that serialised criteria ask for; None where they admit all."""
    return Searching(msgspec.msgpack.decode(query, type=Query)) if query else None


class Searching:
    """One query over logs of any formats.

    Raises:
        UsageError: From `match`: an expression can't be searched for, or takes too long.
    """

    def __init__(self, query: Query) -> None:
        self._query = query
        self._matchers: dict[tuple[LogFormat, str], Matcher] = {}

    def match(
        self, data: bytes, columns: Callable[[], Columns], fmt: LogFormat, path: str
    ) -> NDArray[np.bool_] | None:
        """Return which records match, a bool each; None where none does, told without the columns."""
        from cockpit.stores.logs.matcher import Matcher

        key = (fmt, path)
        if key not in self._matchers:
            self._matchers[key] = Matcher(self._query, fmt, source=path)
        return self._matchers[key].search(memoryview(data), columns)
