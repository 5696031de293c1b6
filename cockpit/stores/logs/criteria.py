"""Everything that decides whether a record is shown, but for its time."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from cockpit.signals import LogRecord
from cockpit.stores.logs.filter import LogFilter, Test


class Criteria(Struct, frozen=True, kw_only=True):
    """A filter line, a level floor and the labels of the scope.

    Attributes:
        filter: What was typed.
        floor: The least SeverityNumber; 0 admits records without a level too.
        service: `service.name` to follow, or empty.
        host: `host.name` to follow, or empty.
        trace_id: The trace to follow, or empty.
    """

    filter: LogFilter = LogFilter()
    floor: int = 0
    service: str = ""
    host: str = ""
    trace_id: str = ""

    @property
    def admits_all(self) -> bool:
        """True where every record passes."""
        return not (self.filter.tests or self.floor or self.service or self.host or self.trace_id)

    def tests(self) -> tuple[Test, ...]:
        """Return what must hold of a record, the cheapest first."""
        tests: list[Test] = []
        if floor := self.floor:
            tests.append(lambda record: record.level >= floor)
        if trace_id := self.trace_id:
            tests.append(lambda record: record.trace_id == trace_id)
        if service := self.service:
            tests.append(lambda record: record.resource.get("service.name") == service)
        if host := self.host:
            tests.append(lambda record: record.resource.get("host.name") == host)
        return (*tests, *self.filter.tests)


OPEN = Criteria()
"""Admits every record."""


def select(records: Sequence[LogRecord], tests: Sequence[Test]) -> list[int]:
    """Return the places of the records that pass every test."""
    kept: Sequence[int] = range(len(records))
    for test in tests:
        kept = [place for place in kept if test(records[place])]
    return list(kept)
