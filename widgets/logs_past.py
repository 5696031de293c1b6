"""Records older than the ring holds: asked from the sources that keep them, and merged with what is there."""

from __future__ import annotations

import asyncio

from msgspec import Struct

from cockpit.errors import CockpitError
from cockpit.signals import LogRecord, host_of, service_of
from cockpit.source import TimeRange
from cockpit.stores.logs import CAPACITY, MEMORY, LogStore, Records
from widgets.asking import Asks

LIMIT = 5_000
"""Records asked of one source at a time."""
JOINED = 20_000
"""Records of the ring that an answer is joined to, so that one can scroll from the one into the other."""
KEPT = 60_000
"""Records kept of the past; asking on further drops its newest."""
PATIENCE = 30.0
"""Seconds that a source may take."""


class Past(Struct, frozen=True):
    """What the sources answered, merged.

    Attributes:
        store: The records asked for and those they were joined to.
        within: The time asked for last.
        reached: How far back the answers are whole, in nanoseconds; asking on begins there.
        asked: How many records the sources gave that were not there yet.
        errors: What went wrong, a line a source.
        cut: Names of sources that gave as many as they were asked for, so that there may be more.
    """

    store: LogStore
    within: TimeRange
    reached: int
    asked: int = 0
    errors: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()


async def ask_past(asks: Asks, text: str, within: TimeRange, joined: Records) -> Past:
    """Ask every source that can answer, at once, and merge the answers with a store's oldest records.

    A source that fails or takes too long costs the others nothing. The merging runs in a thread.
    """
    names = asks.offering("query_logs")
    answers = await asyncio.gather(*(_ask(asks, name, text, within) for name in names))
    records: list[LogRecord] = []
    errors: list[str] = []
    cut: list[str] = []
    reached = within.start
    for name, answer in zip(names, answers, strict=True):
        if isinstance(answer, CockpitError):
            errors.append(str(answer))
            continue
        records += answer
        if len(answer) >= LIMIT:
            cut.append(name)
            reached = max(reached, min(record.at for record in answer))
    there = joined.records(joined.first, joined.first + max(JOINED, KEPT - len(records)))
    store, asked = await asyncio.to_thread(merge, there, records)
    if reached >= within.end:  # as many records of one moment as can be asked for: go on before them
        reached = within.start
    return Past(store, within, reached, asked, tuple(errors), tuple(cut))


def merge(there: list[LogRecord], asked: list[LogRecord]) -> tuple[LogStore, int]:
    """Return a store of both, oldest first, and how many of those asked were not there yet.

    What is there already stays the same object, so that a cursor on it keeps its place.
    """
    known = {_identity(record) for record in there}
    fresh: list[LogRecord] = []
    for record in asked:
        identity = _identity(record)
        if identity not in known:
            known.add(identity)
            fresh.append(record)
    records = sorted([*there, *fresh], key=lambda record: record.at)[:KEPT]
    store = LogStore(capacity=CAPACITY, memory=MEMORY)
    store.append(records)
    return store, len(fresh)


async def _ask(asks: Asks, name: str, text: str, within: TimeRange) -> list[LogRecord] | CockpitError:
    try:
        answer = await asks.ask(name, "query_logs", text, within, LIMIT, timeout=PATIENCE)
    except CockpitError as error:
        return error
    return [record for record in answer if isinstance(record, LogRecord)][:LIMIT]


def _identity(record: LogRecord) -> tuple[object, ...]:
    return (
        record.at,
        record.body,
        service_of(record.resource),
        host_of(record.resource),
        record.trace_id,
        record.span_id,
    )
