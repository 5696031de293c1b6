"""Records older than the ring holds: asked from the sources that keep them, and merged with what is there."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from cockpit.errors import CockpitError
from cockpit.signals import LogRecord, host_of, service_of
from cockpit.source import Found, TimeRange
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
SLICE = 200
"""Records of the ring read before the screen gets a turn."""


class Wanted(Struct, frozen=True):
    """A question to be put to sources.

    Attributes:
        names: Who is asked.
        query: What; in an engine's own language after `raw:`.
        start: Where the time begins that is asked for, in nanoseconds.
        end: Where it ends, itself within it.
        alone: The answer is shown by itself and joined to nothing that was there.
    """

    names: tuple[str, ...]
    query: str
    start: int
    end: int
    alone: bool = False

    @property
    def within(self) -> TimeRange:
        """The time asked for."""
        return TimeRange(self.start, self.end)


class Joined(Struct, frozen=True):
    """What there is already, to which an answer is joined.

    Attributes:
        records: Oldest first, without a gap.
        begins: The newest moment of which each source's records may not all be here, in nanoseconds.
        until: Up to when they reach where more follow that are not among them; None where none do.
    """

    records: list[LogRecord]
    begins: Mapping[str, int]
    until: int | None = None


class Past(Struct, frozen=True):
    """What the sources answered, merged.

    Attributes:
        store: The records asked for and those they were joined to.
        wanted: What was asked for, from the oldest moment of all questions to the newest.
        reaches: The newest moment of which each source's records may not all be here, in nanoseconds; asking on
            begins there.
        until: Up to when the records reach where there are newer ones that are not among them; else None.
        asked: How many records the sources gave that were not there yet.
        tellers: The sources that the records come from.
        failed: The sources that gave no answer.
        remarks: What went wrong, and why an answer is not whole, a line a source.
    """

    store: LogStore
    wanted: Wanted
    reaches: Mapping[str, int]
    until: int | None = None
    asked: int = 0
    tellers: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    remarks: tuple[str, ...] = ()

    @property
    def reached(self) -> int:
        """From when on the records of all sources that answered are here."""
        reaches = [reach for name, reach in self.reaches.items() if name not in self.failed]
        return max(reaches, default=self.wanted.end - 1) + 1

    async def joined(self) -> Joined:
        """Return what is here, for still older records to be joined to."""
        records, _ = await _oldest(self.store, KEPT)
        return Joined(records, self.reaches, self.until)


class _Answer(Struct, frozen=True):
    """One source's answer.

    Attributes:
        records: Oldest first.
        reached: The newest moment of which they may not be all.
        remark: Why they are not all that were asked for.
        failed: There is no answer.
    """

    records: list[LogRecord]
    reached: int
    remark: str = ""
    failed: bool = False


async def joined(store: Records, names: Sequence[str], end: int) -> Joined:
    """Return a ring's oldest records, and from when on it holds those of each source.

    Args:
        store: The ring.
        names: The sources that will be asked.
        end: The newest moment that will be asked for: from there on are a source's records that has none here.
    """
    known = store.end
    records, times = await _oldest(store, JOINED)
    whole = len(records) >= known - store.first
    until = None if whole or not times else times[-1]
    begins: dict[str, int] = {}
    for record, at in zip(records, times, strict=True):
        begins.setdefault(record.source, at)
    absent = end if until is None else min(end, until)
    return Joined(records, {name: min(end, begins.get(name, absent)) for name in names}, until)


async def ask_past(asks: Asks, wanted: Wanted, there: Joined) -> Past:
    """Ask sources, at once, and merge the answers with what is there.

    Each is asked up to where its own records begin, so that none is asked for what is here, and none is left out who
    had fewer here than another. A source that fails or takes too long costs the others nothing, and is asked for the
    same time again with the next question. The merging runs in a thread.
    """
    spans = {
        name: TimeRange(wanted.start, there.begins[name])
        for name in wanted.names
        if there.begins[name] >= wanted.start
    }
    answers = await asyncio.gather(
        *(_ask(asks, name, wanted.query, within) for name, within in spans.items())
    )
    reaches = dict(there.begins)
    for name, answer in zip(spans, answers, strict=True):
        reaches[name] = answer.reached
    given = [record for answer in answers for record in answer.records]
    merged = await asyncio.to_thread(merge, there.records, given)
    return Past(
        merged.store,
        wanted,
        reaches,
        until=there.until if merged.until is None else merged.until,
        asked=merged.fresh,
        tellers=merged.tellers,
        failed=frozenset(name for name, answer in zip(spans, answers, strict=True) if answer.failed),
        remarks=tuple(answer.remark for answer in answers if answer.remark),
    )


class Merged(Struct, frozen=True):
    """What is there and what was given, as one.

    Attributes:
        store: All of it that fits.
        fresh: How many of those given were not there yet.
        tellers: The sources that the records come from.
        until: When the newest is that fits; None where all do.
    """

    store: LogStore
    fresh: int
    tellers: frozenset[str]
    until: int | None = None


def merge(there: list[LogRecord], given: list[LogRecord]) -> Merged:
    """Join records that are there and records that were given, oldest first.

    What is there already stays the same object, so that a cursor on it keeps its place. Of records that are alike as
    many are kept as either side has. Where there are more than fit, the newest are left out.
    """
    fresh = _fresh(there, given)
    every = sorted([*there, *fresh], key=lambda record: record.at)
    records = every[:KEPT]
    while True:
        store = LogStore(capacity=CAPACITY, memory=MEMORY)
        store.append(records)
        if store.first == 0:
            break
        records = records[: len(records) * 3 // 4]
    until = records[-1].at if records and len(records) < len(every) else None
    return Merged(store, len(fresh), frozenset(record.source for record in records), until)


def _fresh(there: list[LogRecord], given: list[LogRecord]) -> list[LogRecord]:
    """Return those given that are not there.

    One that is there may have been told other attributes when it came in, as a file's format was not known yet. So
    what is alike in all is matched first, and the others by what they say, as many as there are.
    """
    exact = Counter(map(_exactly, there))
    said = Counter(map(_said, there))
    rest: list[LogRecord] = []
    for record in given:
        key = _exactly(record)
        if exact[key] > 0:
            exact[key] -= 1
            said[_said(record)] -= 1
        else:
            rest.append(record)
    fresh: list[LogRecord] = []
    for record in rest:
        key = _said(record)
        if said[key] > 0:
            said[key] -= 1
        else:
            fresh.append(record)
    return fresh


async def _oldest(store: Records, most: int) -> tuple[list[LogRecord], list[int]]:
    """Return a store's oldest records and their times; the screen gets a turn every few milliseconds.

    Others come and go meanwhile. Where that overtakes the reading it ends, for what it has is without a gap.
    """
    records: list[LogRecord] = []
    times: list[int] = []
    place, version, end = store.first, store.version, min(store.end, store.first + most)
    while place < end and place >= store.first:
        moved = store.moved_since(version)
        if moved is not None and moved < place:
            break
        version = store.version
        stop = min(end, place + SLICE)
        records += store.records(place, stop)
        times += store.times(place, stop)
        place = stop
        await asyncio.sleep(0)
    return records, times


async def _ask(asks: Asks, name: str, query: str, within: TimeRange) -> _Answer:
    try:
        answer = await asks.ask(name, "query_logs", query, within, LIMIT, timeout=PATIENCE)
        if len(answer) < LIMIT:
            return _answered(name, answer, within)
        reached = min(record.at for record in answer)
        if reached < within.end:
            return _Answer(_of(name, answer), reached, _remark(name, answer))
        # A moment with as many records as can be asked for: all of it, and go on before it.
        moment = TimeRange(within.end, within.end)
        answer = await asks.ask(name, "query_logs", query, moment, KEPT, timeout=PATIENCE)
        more = f"{name}: more than {KEPT:,} records of one moment" if len(answer) >= KEPT else ""
        return _Answer(_of(name, answer), within.end - 1, more or _remark(name, answer))
    except CockpitError as error:
        return _Answer([], within.end, str(error), failed=True)


def _answered(name: str, answer: list[object], within: TimeRange) -> _Answer:
    """Take an answer with fewer records than the limit: all of the time, unless its source says otherwise."""
    reached = answer.reached if isinstance(answer, Found) else None
    if reached is not None:
        # Given up within one moment, it would be given up there again.
        reached = max(within.start - 1, reached if reached < within.end else within.end - 1)
    reached = within.start - 1 if reached is None else reached
    return _Answer(_of(name, answer), reached, _remark(name, answer))


def _remark(name: str, answer: object) -> str:
    return f"{name}: {answer.note}" if isinstance(answer, Found) and answer.note else ""


def _of(name: str, answer: Sequence[object]) -> list[LogRecord]:
    """Return an answer's records as the source's own: what it emits has its name too."""
    return [
        record if record.source == name else replace(record, source=name)
        for record in answer
        if isinstance(record, LogRecord)
    ]


def _said(record: LogRecord) -> Hashable:
    return (
        record.at,
        record.body,
        record.source,
        service_of(record.resource),
        host_of(record.resource),
        record.trace_id,
        record.span_id,
    )


def _exactly(record: LogRecord) -> Hashable:
    return (_said(record), record.level, frozenset(record.attributes.items()))
