"""80,000 spans in one trace: the work of a key press follows what is in sight, and so does the time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from cockpit.signals import SECOND, Span
from tests.helpers.pane_host import PaneHost, empty_stores
from tests.helpers.spans import TRACE, big_trace, span
from widgets import bars, waterfall_rows
from widgets.traces import TracesPane
from widgets.waterfall import Waterfall

T0 = 1_700_000_000 * SECOND
SPANS = 80_000
CEILING = 1.0
"""Seconds of work that one key may take at the most, on a slow and busy machine; it takes a fortieth of it."""


def deep() -> list[Span]:
    return [span(f"{n:016x}", T0 + n, T0 + SECOND - n, f"{n - 1:016x}" if n else "") for n in range(SPANS)]


def flat() -> list[Span]:
    return [
        span("root", T0, T0 + SECOND),
        *(span(f"{n:016x}", T0 + n * 12_000, T0 + n * 12_000 + 9_000, "root") for n in range(SPANS - 1)),
    ]


@asynccontextmanager
async def opened(spans: list[Span]) -> AsyncIterator[tuple[PaneHost, Pilot[None], Waterfall]]:
    stores = empty_stores()
    for start in range(0, len(spans), 2_000):
        stores.traces.append(spans[start : start + 2_000])
    pane = TracesPane(stores, number=4)
    host = PaneHost(pane, T0 + 20 * SECOND)
    async with host.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("enter")
        waterfall = pane.view.waterfall
        for _ in range(500):
            host.tick(SECOND // 10)
            await asyncio.sleep(0.01)
            if len(waterfall.trace_tree):
                break
        assert len(waterfall.items) == SPANS
        await pilot.pause()
        yield host, pilot, waterfall


def bushy() -> list[Span]:
    return big_trace(SPANS, start=T0)


@pytest.mark.parametrize("shape", [bushy, deep, flat])
async def test_keys_on_a_huge_trace_draw_only_the_rows_in_sight(
    shape: Callable[[], list[Span]], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = 0
    bar = bars.bar

    def counted(*args: object, **named: object) -> object:
        nonlocal drawn
        drawn += 1
        return bar(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(waterfall_rows, "bar", counted)
    async with opened(shape()) as (host, pilot, waterfall):
        slowest = 0.0
        for key in ("down", "pagedown", "end", "home", "plus", "plus", "full_stop", "e", "c", "w", "w", "minus",
                    "down", "space", "space", "f", "u", "end", "h", "l"):  # fmt: skip
            drawn = 0
            began = time.thread_time()  # the work itself, however busy the machine is
            await pilot.press(key)
            slowest = max(slowest, time.thread_time() - began)
            host.tick(SECOND // 10)
            await pilot.pause()
            assert drawn <= 5 * waterfall.size.height, f"{key} drew {drawn} rows"
        assert slowest < CEILING


async def test_the_loop_is_free_while_a_huge_trace_is_laid_out() -> None:
    stores = empty_stores()
    stores.traces.append(big_trace(SPANS, start=T0))
    pane = TracesPane(stores, number=4)
    host = PaneHost(pane, T0 + 20 * SECOND)
    async with host.run_test(size=(120, 40)):
        lags = []
        host.narrow(title="x", trace_id=TRACE)
        assert pane.view.busy
        while pane.view.busy:
            began = time.thread_time()
            await asyncio.sleep(0)
            lags.append(time.thread_time() - began)
        assert len(pane.view.waterfall.items) == SPANS
        assert len(lags) > 20, "the work came in many pieces"
        assert sorted(lags)[len(lags) // 2] < 0.02


async def test_searching_a_huge_trace_finds_every_match_beside_the_screen() -> None:
    spans = big_trace(SPANS, start=T0)
    wanted = sum("shard=7" in f"shard={each.attributes['shard']}" for each in spans)
    async with opened(spans) as (host, pilot, waterfall):
        host.pane.filter_text = "shard=7"
        for _ in range(500):
            host.tick(SECOND // 10)
            await asyncio.sleep(0.01)
            if len(waterfall.matches) == wanted:
                break
        assert len(waterfall.matches) == wanted
        await pilot.press("asterisk")
        assert waterfall.current in waterfall.matches
