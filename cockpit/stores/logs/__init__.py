"""The last log records: the ring that keeps them, what filters them, and how many there were when.

What is named here is imported when it is asked for: programs without a screen need little of it, and all of it
costs 40 ms.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cockpit.stores.logs.criteria import OPEN, Criteria
    from cockpit.stores.logs.filter import LogFilter, parse_filter
    from cockpit.stores.logs.histogram import Histogram
    from cockpit.stores.logs.patterns import Pattern, literal, read_marks
    from cockpit.stores.logs.query import parse_query
    from cockpit.stores.logs.reading import Records, View
    from cockpit.stores.logs.store import CAPACITY, MEMORY, LogStore, Placing
    from cockpit.stores.logs.terms import Query
    from cockpit.stores.logs.view import LogView

__all__ = [
    "CAPACITY",
    "MEMORY",
    "OPEN",
    "Criteria",
    "Histogram",
    "LogFilter",
    "LogStore",
    "LogView",
    "Pattern",
    "Placing",
    "Query",
    "Records",
    "View",
    "literal",
    "parse_filter",
    "parse_query",
    "read_marks",
]

_NAMES = {
    "criteria": ("OPEN", "Criteria"),
    "filter": ("LogFilter", "parse_filter"),
    "histogram": ("Histogram",),
    "patterns": ("Pattern", "literal", "read_marks"),
    "query": ("parse_query",),
    "reading": ("Records", "View"),
    "store": ("CAPACITY", "MEMORY", "LogStore", "Placing"),
    "terms": ("Query",),
    "view": ("LogView",),
}
_PLACES = {name: module for module, names in _NAMES.items() for name in names}

if not TYPE_CHECKING:  # else a type checker would take any name for one that is here

    def __getattr__(name: str) -> object:
        """Import what is asked for."""
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
