"""What one jumps to among log records, as something to test, to ask a process apart, or to look up in counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from msgspec import Struct

from cockpit.signals import LogRecord
from cockpit.stores.logs.terms import Node


class Goal(Struct, frozen=True):
    """A kind of record.

    Attributes:
        name: What it is called: an error, a match.
        test: Tells one.
        node: The same as part of a query; None where there is no such query.
        low: The least SeverityNumber, where that is all that matters; else 0.
    """

    name: str
    test: Callable[[LogRecord], bool]
    node: Node | None = None
    low: int = 0


@runtime_checkable
class Finder(Protocol):
    """A view that finds records without going through them one by one."""

    async def find(self, goal: Goal, number: int, step: int) -> int | None:
        """Return the number of the next record after one, down (1) or up (-1); None where there is none."""
