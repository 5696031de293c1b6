from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from cockpit.signals import HealthSample, HealthState, LogRecord
from cockpit.source import Emit, Found, Options, PollingSource, Source, TimeRange
from cockpit.stores.alerts import AlertStore
from cockpit.stores.base import Stores
from cockpit.stores.health import HealthStore
from cockpit.stores.logs import LogStore
from cockpit.stores.traces import TraceStore
from cockpit.supervisor import Plan, SourceState, SourceStatus, Supervisor
from cockpit.supervisor.runner import LONGEST_DELAY, backoff


class Quick(Options, frozen=True, kw_only=True):
    """Options for tests."""

    interval: float = 0.05
    timeout: float = 0.1


class Probe(PollingSource[Quick]):
    kind = "probe"
    summary = "a sample now and then"
    options_type = Quick
    emits = frozenset({HealthSample})

    async def poll(self, emit: Emit) -> None:
        await emit(
            [
                HealthSample(
                    at=time.time_ns(), subject="x", kind="check", state=HealthState.OK, source=self.name
                )
            ]
        )

    async def check(self) -> str:
        return "fine"


class Raises(Probe):
    async def poll(self, emit: Emit) -> None:
        raise ValueError("no\nway")


class Silent(Probe):
    async def poll(self, emit: Emit) -> None:
        await asyncio.sleep(60)


class Blocks(Probe):
    async def poll(self, emit: Emit) -> None:
        await super().poll(emit)
        time.sleep(4)


class Floods(Source[Quick]):
    kind = "floods"
    summary = "as much as it can"
    options_type = Quick
    emits = frozenset({LogRecord})

    async def run(self, emit: Emit) -> None:
        while True:
            await emit([LogRecord(at=1, body="x", source=self.name)] * 5_000)

    async def check(self) -> str:
        return "fine"


def stores() -> Stores:
    return Stores(HealthStore(), AlertStore(), LogStore(capacity=10_000), TraceStore())


@asynccontextmanager
async def supervised(**makes: type[Source[Any]]) -> AsyncIterator[Supervisor]:
    plans = [Plan(name, make.kind, partial(make, name, Quick())) for name, make in makes.items()]
    supervisor = Supervisor(plans, stores())
    supervisor.start()
    yield supervisor
    began = time.monotonic()
    await supervisor.stop()
    assert time.monotonic() - began < 1.5


async def until(
    supervisor: Supervisor, name: str, wanted: Callable[[SourceStatus], bool], seconds: float = 10.0
) -> SourceStatus:
    status = None
    for _ in range(int(seconds / 0.02)):
        supervisor.drain()
        status = next(status for status in supervisor.statuses() if status.name == name)
        if wanted(status):
            return status
        await asyncio.sleep(0.02)
    raise AssertionError(f"still {status}")


async def test_a_source_that_polls_is_live_and_fills_the_store() -> None:
    async with supervised(probe=Probe) as supervisor:
        status = await until(supervisor, "probe", lambda status: status.items > 3)
        assert status.state is SourceState.LIVE
        assert supervisor.stores.health.get("probe", "x") is not None


async def test_a_source_that_raises_is_down_with_its_error_and_retried() -> None:
    async with supervised(bad=Raises, good=Probe) as supervisor:
        status = await until(supervisor, "bad", lambda status: status.restarts >= 1)
        assert (status.state, status.error) == (SourceState.DOWN, "ValueError: no way")
        good = next(status for status in supervisor.statuses() if status.name == "good")
        assert good.state is SourceState.LIVE


async def test_a_silent_source_is_late_then_started_again() -> None:
    async with supervised(hush=Silent) as supervisor:
        await until(supervisor, "hush", lambda status: status.state is SourceState.LATE)
        status = await until(supervisor, "hush", lambda status: status.restarts >= 1)
        assert "said nothing" in status.error


async def test_a_source_that_blocks_its_loop_is_set_apart_and_the_others_go_on() -> None:
    async with supervised(bad=Blocks, good=Probe) as supervisor:
        await until(supervisor, "bad", lambda status: "blocked" in status.error)
        items = next(status.items for status in supervisor.statuses() if status.name == "good")
        await until(supervisor, "good", lambda status: status.items > items + 3, seconds=1.5)


async def test_a_flood_is_bounded_and_what_is_lost_is_counted() -> None:
    async with supervised(flood=Floods) as supervisor:
        await asyncio.sleep(2.5)
        status = supervisor.statuses()[0]
        assert status.dropped > 0
        taken = 0
        while moved := supervisor.drain():
            taken += moved
            if taken > 30_000:
                break
        assert len(supervisor.stores.logs.last(50_000)) <= 11_250


async def test_asking_runs_on_the_sources_loop_and_maps_failures() -> None:
    async with supervised(probe=Probe) as supervisor:
        await until(supervisor, "probe", lambda status: status.items > 0)
        assert await supervisor.ask("probe", "check") == "fine"
        with pytest.raises(Exception, match="offers no query_logs"):
            await supervisor.ask("probe", "query_logs", "", None, 1)


class Searches(Probe):
    offers = frozenset({"query_logs"})
    log_language = "ProbeQL"

    async def query_logs(self, query: str, within: TimeRange, limit: int) -> list[LogRecord]:
        return Found([LogRecord(at=1, body="a\x1b[1m")], note="lost\x1b[2J", reached=7)


async def test_what_is_said_of_an_answer_comes_with_it_and_is_clean() -> None:
    async with supervised(probe=Searches, other=Probe) as supervisor:
        await until(supervisor, "probe", lambda status: status.items > 0)
        found = await supervisor.ask("probe", "query_logs", "", None, 1)
        assert isinstance(found, Found)
        assert [record.body for record in found] == ["a␛[1m"]
        assert (found.note, found.reached) == ("lost␛[2J", 7)
        assert supervisor.log_languages() == {"probe": "ProbeQL"}


def test_backoff_doubles_to_a_bound_and_is_spread() -> None:
    assert backoff(1, 1.0) == 1.0
    assert backoff(3, 1.0) == 4.0
    assert backoff(40, 1.0) == LONGEST_DELAY
    assert backoff(40, 0.0) == LONGEST_DELAY / 2
