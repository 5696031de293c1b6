"""Asking on for older records: none lost and none repeated, whatever sources and ring do meanwhile.

A ring holds all of a source from its first record on, and of that moment perhaps a part.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cockpit.errors import Unreachable
from cockpit.signals import SECOND, LogRecord
from cockpit.source import Found, TimeRange
from cockpit.stores.logs import LogStore
from tests.helpers.log_records import T0, record
from widgets import logs_past
from widgets.logs_past import Joined, Past, Wanted, ask_past, joined, merge

NOW = T0 + 3600 * SECOND


class Engine:
    """An engine with records, as `query_logs` answers: the newest of a time, equal ones in any order."""

    def __init__(self, records: Sequence[LogRecord]) -> None:
        self.records = list(records)
        self.asked: list[tuple[TimeRange, int]] = []
        self.random = random.Random(1)
        self.down = False
        self.looks = 0
        """Records looked at before it gives up; 0 for all."""

    def answer(self, within: TimeRange, limit: int) -> list[LogRecord]:
        self.asked.append((within, limit))
        if self.down:
            raise Unreachable("no answer", where="engine")
        found = [each for each in self.records if within.start <= each.at <= within.end]
        self.random.shuffle(found)
        found.sort(key=lambda each: each.at)
        if self.looks and len(found) > self.looks:
            looked = found[-self.looks :]
            return Found(
                [each for each in looked if "rare" in each.body][-limit:],
                note="gave up",
                reached=looked[0].at,
            )
        return found[-limit:]


class Engines:
    """Engines by name, where the supervisor stands."""

    def __init__(self, **engines: Engine) -> None:
        self.engines = engines
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    def offering(self, method: str) -> list[str]:
        return list(self.engines)

    def log_languages(self) -> dict[str, str]:
        return {}

    async def ask(self, name: str, method: str, *args: Any, timeout: float = 30.0, **named: Any) -> Any:
        _, within, limit = args
        if self.meanwhile is not None:
            await self.meanwhile()
        return self.engines[name].answer(within, limit)


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_past, "LIMIT", 10)


def ring_of(records: Sequence[LogRecord] = (), *, capacity: int = 10_000) -> LogStore:
    store = LogStore(capacity=capacity, clock=lambda: NOW)
    store.append(records)
    return store


def of(source: str, *ats: float, body: str = "") -> list[LogRecord]:
    return [record(body or f"{source} {n}", at, source=source) for n, at in enumerate(ats)]


def held(past: Past) -> Counter[LogRecord]:
    return Counter(map(_whole, past.store.records(past.store.first, past.store.end)))


def _whole(one: LogRecord) -> Any:
    return (one.at, one.body, one.source, frozenset(one.attributes.items()))


async def asked_to(
    engines: Engines, ring: LogStore, start: int, *, query: str = "", most: int = 60, end: int = NOW
) -> Past:
    """Ask on as `o` does, until all engines that answer are whole from a moment on."""
    names = tuple(engines.engines)
    wanted = Wanted(names, query, start, end)
    past = await ask_past(engines, wanted, await joined(ring, names, end))
    for _ in range(most):
        if past.reached <= start:
            return past
        past = await ask_past(engines, wanted, await past.joined())
    raise AssertionError(f"never there: {past.reaches}")


async def test_records_of_one_moment_over_a_page_come_once_each() -> None:
    ats = [*range(7), *[7.5] * 6, 8, *[9] * 9, 10]
    engine = Engine(of("a", *ats))
    past = await asked_to(Engines(a=engine), ring_of(), T0)
    assert held(past) == Counter(map(_whole, engine.records))


async def test_a_moment_with_more_records_than_one_question_gives_hides_nothing_before_it() -> None:
    engine = Engine(of("a", 1, 2, *[3] * 37, 4))
    past = await asked_to(Engines(a=engine), ring_of(), T0)
    assert held(past) == Counter(map(_whole, engine.records))
    assert past.remarks == ()


async def test_a_moment_with_more_than_can_be_kept_is_told_and_passed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logs_past, "KEPT", 30)
    engine = Engine(of("a", 1, *[3] * 37))
    engines = Engines(a=engine)
    names = ("a",)
    wanted = Wanted(names, "", T0, T0 + 3 * SECOND)
    past = await ask_past(engines, wanted, await joined(ring_of(), names, wanted.end))
    assert past.remarks == ("a: more than 30 records of one moment",)
    past = await ask_past(engines, wanted, await past.joined())
    assert "a 0" in {each.body for each in past.store.records(0, 1)}


async def test_records_that_are_alike_are_all_there() -> None:
    twice = of("a", 1, 1, body="alike")
    engine = Engine(
        [*twice, *of("a", 2, 2, 2, body="alike"), record("alike", 2, source="a", attributes={"n": 1})]
    )
    ring = ring_of(of("a", 2, body="alike"))
    past = await asked_to(Engines(a=engine), ring, T0)
    assert held(past) == Counter(map(_whole, engine.records))


async def test_a_record_that_was_told_otherwise_when_it_came_in_is_not_repeated() -> None:
    ring = ring_of([record("line", 5, source="a", attributes={"told": "as it came"})])
    past = await asked_to(Engines(a=Engine(of("a", 5, body="line"))), ring, T0)
    assert len(past.store) == 1


async def test_who_has_fewer_records_here_than_another_is_asked_for_what_is_missing() -> None:
    everything = of("busy", *range(100))
    quiet = of("quiet", *range(0, 100, 10))
    ring = ring_of([*everything[80:], *quiet])  # the backlog of the busy one begins later
    engines = Engines(busy=Engine(everything), quiet=Engine(quiet), absent=Engine(of("absent", 3, 97)))
    past = await asked_to(engines, ring, T0)
    records = [*everything, *quiet, *engines.engines["absent"].records]
    assert held(past) == Counter(map(_whole, records))
    assert all(within.end <= T0 + 80 * SECOND for within, _ in engines.engines["busy"].asked)


async def test_a_source_that_failed_is_asked_for_the_same_time_again() -> None:
    a, b = Engine(of("a", *range(50))), Engine(of("b", *range(50)))
    engines = Engines(a=a, b=b)
    b.down = True
    past = await asked_to(engines, ring_of(), T0)
    assert past.failed == {"b"}
    assert past.remarks == ("engine: no answer",)
    b.down = False
    wanted = Wanted(("a", "b"), "", T0 - SECOND, NOW)
    past = await ask_past(engines, wanted, await past.joined())
    for _ in range(9):
        past = await ask_past(engines, wanted, await past.joined())
    assert held(past) == Counter(map(_whole, [*a.records, *b.records]))


async def test_what_a_source_gave_up_on_is_asked_on_and_said() -> None:
    records = of("a", *range(200))
    rare = [
        replace(each, body=f"rare {each.body}") if n % 40 == 0 else each for n, each in enumerate(records)
    ]
    engine = Engine(rare)
    engine.looks = 50
    engines = Engines(a=engine)
    wanted = Wanted(("a",), "rare", T0, NOW)
    past = await ask_past(engines, wanted, await joined(ring_of(), ("a",), NOW))
    assert past.remarks == ("a: gave up",)
    assert past.reached > T0
    past = await asked_to(engines, ring_of(), T0 + 60 * SECOND, query="rare")
    assert {each.body for each in past.store.records(0, 99)} >= {"rare a 80", "rare a 120", "rare a 160"}


async def test_what_the_ring_lets_go_while_a_question_is_asked_is_not_lost() -> None:
    everything = of("a", *range(3_000))
    ring = ring_of(everything[1_000:1_500], capacity=500)
    engines = Engines(a=Engine(everything[:1_500]))
    coming = iter(range(1_500, 3_000, 100))

    async def flood() -> None:
        if (at := next(coming, None)) is not None:
            ring.append(everything[at : at + 100])
            engines.engines["a"].records += everything[at : at + 100]

    engines.meanwhile = flood
    past = await asked_to(engines, ring, T0 + 900 * SECOND)
    assert ring.first > 500
    bodies = [each.body for each in past.store.records(past.store.first, past.store.end)]
    first = int(bodies[0].split()[1])
    assert bodies == [f"a {n}" for n in range(first, first + len(bodies))]
    assert first <= 900


async def test_late_records_and_a_flood_while_the_ring_is_read_leave_no_gap_and_repeat_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logs_past, "SLICE", 20)
    ring = ring_of(of("a", *range(400)), capacity=500)
    turns = 0
    real = asyncio.sleep

    async def turn(_seconds: float) -> None:
        nonlocal turns
        turns += 1
        if turns == 3:
            ring.append([record("late", 30.5, source="a")])
        await real(0)

    monkeypatch.setattr("widgets.logs_past.asyncio.sleep", turn)
    there = await joined(ring, ("a",), NOW)
    assert len(set(map(_whole, there.records))) == len(there.records)
    assert there.records == ring.records(ring.first, ring.first + len(there.records)) or (
        [each.body for each in there.records] == [f"a {n}" for n in range(len(there.records))]
    )
    assert there.until is not None


def test_records_that_do_not_fit_go_from_the_newest_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_past, "MEMORY", 1_000_000)
    dice = random.Random(1)
    heavy = [replace(each, body=dice.randbytes(20_000).hex()) for each in of("a", *range(100))]
    merged = merge(of("a", *range(100, 110)), heavy)
    store = merged.store
    assert merged.fresh == 100
    assert store.first == 0
    assert 5 < len(store) < 100
    assert [each.at for each in store.records(0, 200)] == [each.at for each in heavy[: len(store)]]
    assert merged.until == heavy[len(store) - 1].at


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from("ab"), st.sampled_from(["x", "y"])), max_size=60),
    st.integers(0, 60),
    st.integers(0, 12),
)
def test_whatever_the_engines_have_it_is_there_once(
    drawn: list[tuple[int, str, str]], cut: int, start: int
) -> None:
    records = sorted((record(body, at, source=name) for at, name, body in drawn), key=lambda each: each.at)
    engines = Engines(**{name: Engine([each for each in records if each.source == name]) for name in "ab"})
    ring = ring_of(records[cut:])
    begins = {
        name: min((each.at for each in records[cut:] if each.source == name), default=NOW) for name in "ab"
    }
    past = asyncio.run(asked_to(engines, ring, T0 + start * SECOND))
    wanted = Counter(
        _whole(each) for each in records if each.at >= T0 + start * SECOND or each.at > begins[each.source]
    )
    found = held(past)
    assert {key: found[key] for key in wanted} == dict(wanted)
    assert found.total() <= len(records)


async def test_a_question_for_an_engine_alone_is_joined_to_nothing() -> None:
    engine = Engine(of("a", *range(25)))
    wanted = Wanted(("a",), "raw: x", T0, NOW, alone=True)
    past = await ask_past(Engines(a=engine), wanted, Joined([], {"a": NOW}))
    assert [each.body for each in past.store.records(0, 99)] == [f"a {n}" for n in range(15, 25)]
