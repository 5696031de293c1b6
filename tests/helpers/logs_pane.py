"""The logs pane on a screen of its own, asking real sources through a real supervisor."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from textual.pilot import Pilot

from cockpit.signals import LogRecord
from cockpit.source import Source
from cockpit.stores.logs import LogStore
from cockpit.supervisor import Plan, Supervisor
from tests.helpers.pane_host import PaneHost, empty_stores
from widgets.logs import LogsPane
from widgets.pane import FilterLine

PATIENCE = 15.0


@asynccontextmanager
async def supervised(**makers: Callable[[], Source]) -> AsyncIterator[Supervisor]:  # type: ignore[type-arg]
    """Run sources, and wait until all can be asked."""
    plans = [Plan(name, name, make) for name, make in makers.items()]
    supervisor = Supervisor(plans, empty_stores())
    supervisor.start()
    try:
        until = time.monotonic() + PATIENCE
        while len(supervisor.offering("query_logs")) < len(makers):
            assert time.monotonic() < until, "the sources did not start"
            await asyncio.sleep(0.02)
        yield supervisor
    finally:
        await supervisor.stop()


def pane_host(supervisor: Supervisor, records: Sequence[LogRecord], now: int) -> PaneHost:
    """Return a host of a pane whose ring holds some records."""
    stores = empty_stores()
    stores.logs = stores.streamed = LogStore(clock=lambda: now)
    stores.streamed.append(records)
    return PaneHost(LogsPane(stores, number=3, asks=supervisor), now)


async def until(pilot: Pilot[None], host: PaneHost, true: Callable[[], object], what: str = "") -> None:
    """Let the pane work until something is true."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"never: {what}\n{title(host)}\n" + "\n".join(host.lines())
        await pilot.pause(0.02)
        host.tick()
    await pilot.pause()


async def filter_by(pilot: Pilot[None], host: PaneHost, text: str) -> None:
    """Write a text into the filter line, as typing it letter by letter does, only sooner."""
    await pilot.press("slash")
    host.pane.query_one(FilterLine).value = text
    await pilot.pause()
    host.tick()
    await pilot.pause()


async def answered(pilot: Pilot[None], host: PaneHost) -> None:
    """Wait until no question is on its way, and all that it needs is shown."""
    pane = host.pane
    assert isinstance(pane, LogsPane)
    for _ in range(2):
        await pilot.pause()
        host.tick()
    still = partial(_settled, pane)
    await until(pilot, host, still, "an answer")
    host.tick()
    await pilot.pause()
    host.tick()
    pane.title()


def _settled(pane: LogsPane) -> bool:
    idle = pane._asking is None and pane._counting is None and pane._view.complete
    return idle and pane._counted_for is pane.past


def title(host: PaneHost) -> str:
    """Return what the pane's title says."""
    return str(host.pane.border_title)
