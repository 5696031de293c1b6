"""Everything that decides whether a record is shown, but for its time."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from cockpit.signals import LogRecord
from cockpit.stores.logs.filter import LogFilter, Test
from cockpit.stores.logs.filters import Filters
from cockpit.stores.logs.terms import TOP, All, AnyOf, LevelRange, Named, Node, Not


class Criteria(Struct, frozen=True, kw_only=True):
    """A filter line, the named filters, a level floor and the labels of the scope.

    Attributes:
        filter: What was typed.
        filters: Those that are kept by name; their hits don't matter here.
        floor: The least SeverityNumber; 0 admits records without a level too.
        service: `service.name` to follow, or empty.
        host: `host.name` to follow, or empty.
        trace_id: The trace to follow, or empty.
    """

    filter: LogFilter = LogFilter()
    filters: Filters = Filters()
    floor: int = 0
    service: str = ""
    host: str = ""
    trace_id: str = ""

    @property
    def admits_all(self) -> bool:
        """True where every record passes."""
        return not (
            self.filter.tests
            or self.floor
            or self.service
            or self.host
            or self.trace_id
            or any(each.on for each in self.filters)
        )

    @property
    def node(self) -> Node:
        """What must hold of a record, as one tree: no part of it where all pass."""
        from cockpit.stores.logs.evaluate import lower

        parts: list[Node] = []
        if self.floor:
            parts.append(LevelRange(self.floor, TOP))
        named = (("trace", self.trace_id), ("service", self.service), ("host", self.host))
        parts += [Named(name, whole=True, value=lower(value)) for name, value in named if value]
        parts.append(self.filter.query.root)
        parts.append(node_of(self.filters))
        said = tuple(part for part in parts if part != All())
        return said[0] if len(said) == 1 else All(said)

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
        if (node := node_of(self.filters)) != All():
            from cockpit.stores.logs.evaluate import test_of

            kept = test_of(node)
            tests.append(lambda record: kept(record, None))
        return (*tests, *self.filter.tests)


def node_of(filters: Filters) -> Node:
    """Return what named filters leave: any of those that keep records in, and none of those that keep them out."""
    on = [each for each in filters if each.on]
    parts: list[Node] = []
    if keeping := [each.query.root for each in on if each.keeps]:
        parts.append(keeping[0] if len(keeping) == 1 else AnyOf(tuple(keeping)))
    parts += [Not(each.query.root) for each in on if not each.keeps]
    return parts[0] if len(parts) == 1 else All(tuple(parts))


OPEN = Criteria()
"""Admits every record."""


def select(records: Sequence[LogRecord], tests: Sequence[Test]) -> list[int]:
    """Return the places of the records that pass every test."""
    kept: Sequence[int] = range(len(records))
    for test in tests:
        kept = [place for place in kept if test(records[place])]
    return list(kept)
