"""The last log records: the ring that keeps them, what filters them, and how many there were when."""

from __future__ import annotations

from cockpit.stores.logs.criteria import OPEN, Criteria
from cockpit.stores.logs.filter import LogFilter, parse_filter
from cockpit.stores.logs.histogram import Histogram
from cockpit.stores.logs.patterns import Pattern, literal, read_marks
from cockpit.stores.logs.query import Query, parse_query
from cockpit.stores.logs.reading import Records, View
from cockpit.stores.logs.store import CAPACITY, MEMORY, LogStore, Placing
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
