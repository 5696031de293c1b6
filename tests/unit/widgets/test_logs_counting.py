"""The logs pane asking a real Loki source, whose server behaves as Loki's documentation says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import NamedTuple

import pytest

from cockpit.signals import SECOND
from cockpit.source import TimeRange
from sources.loki import LokiOptions, LokiSource
from sources.support.log_engine import Counted
from sources.support.log_translate import Question
from sources.support.logql import Stages
from tests.helpers.http_server import Asked, http_server
from tests.helpers.log_records import T0, record
from tests.helpers.logs_pane import answered, filter_by, pane_host, supervised, title, until
from tests.helpers.loki_server import Loki, Refused
from tests.helpers.pane_host import PaneHost, shown
from widgets import logs_past
from widgets.logs import LogsPane

NOW = T0 + 600 * SECOND


class Asking(NamedTuple):
    """A pane on a screen, and the sources that it asks."""

    host: PaneHost
    sources: dict[str, LokiSource]


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for a hundred records at a time."""
    monkeypatch.setattr(logs_past, "LIMIT", 100)


def filled(count: int = 300) -> Loki:
    """Return a Loki with records of ten minutes, one in fifty of them an error."""
    loki = Loki()
    for number in range(count):
        level = "error" if number % 50 == 0 else "info"
        at = T0 - 600 * SECOND + number * 600 * SECOND // count
        loki.push(at, f"old {number}", {"app": "pay", "level": level})
    return loki


class Slow(LokiSource):
    """A source whose engine never comes to an end of counting."""

    asked = 0
    dropped = 0

    async def counted(self, question: Question[Stages], within: TimeRange, step: int) -> Counted:
        self.asked += 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.dropped += 1
            raise
        raise AssertionError


@asynccontextmanager
async def asking(*lokis: Loki, kind: type[LokiSource] = LokiSource) -> AsyncIterator[Asking]:
    """Give a pane that can ask a source for each of the Lokis, and these sources."""
    async with AsyncExitStack() as stack:
        sources: dict[str, LokiSource] = {}
        for number, loki in enumerate(lokis):
            url = await stack.enter_async_context(http_server(loki))
            options = LokiOptions(url=url, query='{app=~".+"}', follow=False)
            sources[f"loki-{number}"] = kind(f"loki-{number}", options)
        makers = {name: partial(sources.get, name) for name in sources}
        supervisor = await stack.enter_async_context(supervised(**makers))  # type: ignore[arg-type]
        yield Asking(pane_host(supervisor, [record("now", 0, source="ring")], NOW), sources)


def pane_of(host: PaneHost) -> LogsPane:
    assert isinstance(host.pane, LogsPane)
    return host.pane


def counted(host: PaneHost) -> int:
    return sum(sum(column) for column in pane_of(host).strip.columns)


async def test_the_title_and_the_strip_are_the_engines_own_counts_of_the_whole_window() -> None:
    async with asking(filled()) as (host, _), host.run_test(size=(120, 24)) as pilot:
        await pilot.press("o")
        await answered(pilot, host)
        assert "300 (◆ 6) in loki-0, counted now" in title(host)
        assert "101 here · past" in title(host)
        assert counted(host) == 301  # and the ring's own
        start, end = pane_of(host).strip.window
        assert start <= T0 - 900 * SECOND
        assert end >= NOW
        host.tick(30 * SECOND)
        await pilot.pause()
        assert "counted 30s ago" in title(host)


async def test_the_counts_follow_filter_floor_and_scope() -> None:
    async with asking(filled()) as (host, _), host.run_test(size=(120, 24)) as pilot:
        await pilot.press("o")
        await answered(pilot, host)
        await filter_by(pilot, host, "old 1")
        await pilot.press("enter")
        await answered(pilot, host)
        assert "138 (◆ 2) in loki-0" in title(host)
        assert "100 here" in title(host)
        await pilot.press("plus", "plus", "plus", "plus")
        await until(pilot, host, lambda: "2 (◆ 2) in" in title(host), "the errors alone")
        assert "asked by another filter: o asks anew" in shown(host.lines())
        await pilot.press("o")
        await answered(pilot, host)
        assert "2 here" in title(host)
        host.narrow(service="nobody")
        await until(pilot, host, lambda: "0 in loki-0" in title(host), "counts of a service without any")
        assert counted(host) == 0


async def test_an_engine_that_does_not_count_is_named_and_costs_the_others_nothing() -> None:
    class Silent(Loki):
        def _answer(self, asked: Asked) -> object:
            if "count_over_time" in asked.param("query"):
                raise Refused(400, "too many outstanding requests")
            return super()._answer(asked)

    async with asking(filled(60), Silent()) as (host, _), host.run_test(size=(160, 24)) as pilot:
        await pilot.press("o")
        await answered(pilot, host)
        assert "60 (◆ 2) in loki-0, counted now" in title(host)
        assert "not counted: loki-1: " in shown(host.lines())
        assert "too many outstanding requests" in shown(host.lines())


async def test_counting_goes_on_beside_the_rows_and_esc_stops_it_in_the_source() -> None:
    async with asking(filled(40), kind=Slow) as (host, sources), host.run_test(size=(120, 24)) as pilot:
        slow = sources["loki-0"]
        assert isinstance(slow, Slow)
        await pilot.press("o")
        await until(pilot, host, lambda: slow.asked, "a question for counts")
        await until(pilot, host, lambda: "41 · counting…" in title(host), "the rows")
        await pilot.press("escape")
        await until(pilot, host, lambda: slow.dropped, "the question dropped")
        await until(pilot, host, lambda: "41 · past" in title(host), "the rows alone")
        assert slow.asked == 1
        await pilot.press("escape")
        await until(pilot, host, lambda: "1 · standing" in title(host), "what is live")
