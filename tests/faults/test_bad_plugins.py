"""Plugins that raise, hang, block, flood, lie and lose their network, beside one that is well, under the real app."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from cockpit.app import CockpitApp
from cockpit.config.settings import Settings
from cockpit.errors import Unreachable
from cockpit.operations import Operations
from cockpit.signals import Alert, AlertState, HealthSample, HealthState, LogRecord, Span
from cockpit.source import Emit, Options, PollingSource, Source
from cockpit.supervisor import Plan, SourceState, SourceStatus, Supervisor
from cockpit.wiring import Cockpit


class Quick(Options, frozen=True, kw_only=True):
    """Options for tests."""

    interval: float = 0.1
    timeout: float = 0.2


class Well(PollingSource[Quick]):
    kind = "well"
    summary = "a plugin as it should be"
    options_type = Quick
    emits = frozenset({HealthSample})

    async def poll(self, emit: Emit) -> None:
        sample = HealthSample(
            at=time.time_ns(), subject=self.name, kind="check", state=HealthState.OK, source=self.name
        )
        await emit([sample])

    async def check(self) -> str:
        return "fine"


class Raises(Well):
    async def poll(self, emit: Emit) -> None:
        raise RuntimeError("[red]boom[/red]\x1b[2J")


class Hangs(Well):
    async def poll(self, emit: Emit) -> None:
        await asyncio.Event().wait()


class Blocks(Well):
    async def poll(self, emit: Emit) -> None:
        await super().poll(emit)
        time.sleep(3.5)


class Offline(Well):
    online = True

    async def poll(self, emit: Emit) -> None:
        if not Offline.online:
            raise Unreachable("connection refused", where=self.name, remedy="is it running?")
        await super().poll(emit)


class Lies(Well):
    async def poll(self, emit: Emit) -> None:
        wrong: list[Any] = [
            "no signal",
            None,
            LogRecord(at="now", body=None),  # type: ignore[arg-type]
            HealthSample(at=1, subject=7, kind="x", state="splendid", value="many"),  # type: ignore[arg-type]
            Alert(at=1, name="\x1b]0;owned\x07", state=AlertState.FIRING, labels=["a"]),  # type: ignore[arg-type]
            Span(trace_id=1, span_id=2, name=3, start="x", end=None),  # type: ignore[arg-type]
        ]
        await emit(wrong)


class Floods(Source[Quick]):
    kind = "floods"
    summary = "100,000 records a second, and more"
    options_type = Quick
    emits = frozenset({LogRecord})

    async def run(self, emit: Emit) -> None:
        number = 0
        while True:
            number += 2_000
            await emit([LogRecord(at=time.time_ns(), body=f"flood {number}", source=self.name)] * 2_000)

    async def check(self) -> str:
        return "wet"


@asynccontextmanager
async def app_over(folder: Path, **makes: type[Source[Any]]) -> AsyncIterator[Pilot[int]]:
    cockpit = Cockpit(Settings(rules=()))
    plans = [Plan(name, make.kind, partial(make, name, Quick())) for name, make in makes.items()]
    cockpit.supervisor = Supervisor(plans, cockpit.stores)
    app = CockpitApp(cockpit, Operations(folder, cockpit.supervisor.ask, cockpit.settings))
    async with app.run_test(size=(120, 40)) as pilot:
        yield pilot


def status(pilot: Pilot[int], name: str) -> SourceStatus:
    app = pilot.app
    assert isinstance(app, CockpitApp)
    return next(status for status in app.cockpit.statuses() if status.name == name)


async def until(true: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    for _ in range(int(seconds / 0.05)):
        if true():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"waited {seconds:g} s for {what}")


async def test_each_bad_plugin_harms_its_own_title_alone(tmp_path: Path) -> None:
    async with app_over(
        tmp_path, well=Well, raises=Raises, hangs=Hangs, blocks=Blocks, lies=Lies, floods=Floods
    ) as pilot:
        await until(lambda: status(pilot, "raises").state is SourceState.DOWN, "the raising one to be down")
        assert "boom" in status(pilot, "raises").error
        await until(
            lambda: status(pilot, "hangs").state in (SourceState.LATE, SourceState.DOWN), "the hung one"
        )
        await until(lambda: "blocked" in status(pilot, "blocks").error, "the blocking one to be set apart")
        await until(lambda: status(pilot, "lies").rejected >= 3, "the lies to be counted")
        items = status(pilot, "well").items
        await until(lambda: status(pilot, "well").items > items + 5, "the good one to go on")
        assert status(pilot, "well").state is SourceState.LIVE
        assert status(pilot, "floods").items > 50_000

        title = str(pilot.app.query_one("#health").border_subtitle)
        assert "raises down" in title
        assert "\x1b" not in title

        await pilot.press("1", "down", "3", "z", "z", "2")
        assert pilot.app.query_one("#alerts").has_class("-current")
        began = time.monotonic()
    assert time.monotonic() - began < 3.0, "leaving took too long"


async def test_a_minute_without_network_is_told_and_ends_by_itself(tmp_path: Path) -> None:
    Offline.online = True
    async with app_over(tmp_path, far=Offline, near=Well) as pilot:
        await until(lambda: status(pilot, "far").state is SourceState.LIVE, "it to be live")
        Offline.online = False
        await until(lambda: status(pilot, "far").restarts >= 1, "a retry")
        seen = status(pilot, "far")
        assert (seen.state, seen.error) == (SourceState.DOWN, "connection refused (is it running?)")
        title = pilot.app.query_one("#health")
        await until(
            lambda: "far down, data" in str(title.border_subtitle), "the title to tell the data's age"
        )
        Offline.online = True
        await until(lambda: status(pilot, "far").state is SourceState.LIVE, "it to come back")
        assert status(pilot, "far").error == ""
