from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.pilot import Pilot

from cockpit.errors import Unreachable
from cockpit.signals import SECOND, LogRecord, Span
from cockpit.source import Emit, Options, Source, TimeRange, TraceSummary
from cockpit.supervisor import Plan, Supervisor
from tests.helpers.pane_host import PaneHost, empty_stores, shown
from tests.helpers.spans import MS, TRACE, big_trace, span
from widgets.messages import Noticed
from widgets.traces import TracesPane

T0 = 1_700_000_000 * SECOND
NOW = T0 + 60 * SECOND


class Archive(Source[Options]):
    """A source that has traces and logs, and tells of them only when it is asked."""

    kind = "archive"
    summary = "past traces"
    options_type = Options
    emits = frozenset({Span})
    offers = frozenset({"find_traces", "get_trace", "query_logs"})
    spans: tuple[Span, ...] = (
        span("1", T0, T0 + 100 * MS, name="GET /archived"),
        span("2", T0, T0 + 50 * MS, "1", name="dig"),
    )
    asked: list[object]

    async def run(self, emit: Emit) -> None:
        self.asked = []
        await emit([])
        await asyncio.sleep(60)

    async def check(self) -> str:
        return "fine"

    async def find_traces(
        self, service: str, within: TimeRange, limit: int, *, errors_only: bool = False
    ) -> list[TraceSummary]:
        self.asked.append((service, within))
        return [
            TraceSummary(
                trace_id=TRACE,
                root="GET /archived",
                service="web",
                start=T0,
                duration=100 * MS,
                spans=2,
                source=self.name,
            )
        ]

    async def get_trace(self, trace_id: str) -> list[Span]:
        self.asked.append(trace_id)
        return list(self.spans) if trace_id == TRACE else []

    async def query_logs(self, query: str, within: TimeRange, limit: int) -> list[LogRecord]:
        return [
            LogRecord(at=T0 + 1, body="from the archive", trace_id=TRACE, span_id="2"),
            LogRecord(at=T0 + 2, body="of another span", trace_id=TRACE, span_id="1"),
        ]


class Broken(Archive):
    async def find_traces(
        self, service: str, within: TimeRange, limit: int, *, errors_only: bool = False
    ) -> list[TraceSummary]:
        raise Unreachable("nobody home", where=self.name)

    async def get_trace(self, trace_id: str) -> list[Span]:
        raise Unreachable("nobody home", where=self.name)


class Nonsense(Archive):
    async def get_trace(self, trace_id: str) -> list[Span]:
        raise KeyError("no such thing")


class Slow(Archive):
    async def get_trace(self, trace_id: str) -> list[Span]:
        await asyncio.sleep(60)
        return []


class Huge(Archive):
    spans = tuple(big_trace(3_000, start=T0))


def asking(*makes: type[Archive]) -> tuple[PaneHost, Supervisor]:
    stores = empty_stores()

    def plan(make: type[Archive]) -> Plan:
        name = make.__name__.lower()
        return Plan(name, "archive", lambda: make(name, Options()))

    supervisor = Supervisor([plan(make) for make in makes], stores)
    return PaneHost(TracesPane(stores, number=4, asks=supervisor), NOW), supervisor


async def until(host: PaneHost, pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    for _ in range(200):
        host.tick(SECOND // 10)
        await pilot.pause(0.02)
        if holds():
            return
    raise AssertionError(shown(host.lines()))


def says(host: PaneHost, *parts: str) -> Callable[[], bool]:
    return lambda: all(part in shown(host.lines()) for part in parts)


async def test_find_lists_what_sources_tell_and_enter_fetches_the_spans() -> None:
    host, supervisor = asking(Archive)
    supervisor.start()
    async with host.run_test(size=(110, 16)) as pilot:
        await until(host, pilot, lambda: bool(supervisor.offering("find_traces")))
        await pilot.press("o")
        await until(host, pilot, says(host, "○", "GET /archived"))
        await pilot.press("enter")
        await until(host, pilot, says(host, "└─ dig", "2 spans"))
        await pilot.press("j", "enter")
        await until(host, pilot, lambda: host.pane.detail is not None)
        detail = host.pane.detail
        assert detail is not None
        await until(host, pilot, lambda: "from the archive" in detail.text().plain)
        assert "of another span" not in detail.text().plain
    await supervisor.stop()


async def test_a_trace_that_a_log_record_names_is_fetched() -> None:
    host, supervisor = asking(Broken, Archive)
    supervisor.start()
    async with host.run_test(size=(110, 16)) as pilot:
        await until(host, pilot, lambda: len(supervisor.offering("get_trace")) == 2)
        host.narrow(title="a log record", trace_id=TRACE)
        await until(host, pilot, says(host, "GET /archived", "└─ dig"))
        host.narrow(title="another", trace_id="c" * 32)
        await until(host, pilot, says(host, "nobody home"))
    await supervisor.stop()


async def test_one_source_that_fails_is_named_and_spoils_no_other_answer() -> None:
    host, supervisor = asking(Broken, Archive)
    supervisor.start()
    async with host.run_test(size=(110, 16)) as pilot:
        await until(host, pilot, lambda: len(supervisor.offering("find_traces")) == 2)
        await pilot.press("o")
        await until(host, pilot, says(host, "GET /archived"))
        (notice,) = [event for event in host.told if isinstance(event, Noticed)]
        assert notice.text.startswith("1 trace found, 1 new here")
        assert "broken: nobody home" in notice.text
    await supervisor.stop()


async def test_a_plugin_that_breaks_when_asked_is_named_and_breaks_no_pane() -> None:
    host, supervisor = asking(Nonsense)
    supervisor.start()
    async with host.run_test(size=(110, 16)) as pilot:
        await until(host, pilot, lambda: bool(supervisor.offering("get_trace")))
        host.narrow(title="a log record", trace_id=TRACE)
        await until(host, pilot, says(host, "no such thing"))
    await supervisor.stop()


async def test_escape_stops_asking() -> None:
    host, supervisor = asking(Slow)
    supervisor.start()
    async with host.run_test(size=(110, 16)) as pilot:
        await until(host, pilot, lambda: bool(supervisor.offering("get_trace")))
        host.narrow(title="a log record", trace_id=TRACE)
        await until(host, pilot, says(host, "asking slow…"))
        await pilot.press("escape")
        await until(host, pilot, lambda: "asking" not in shown(host.lines()))
        assert host.trail.now.trace_id == TRACE, "the first Esc only stops the question"
    await supervisor.stop()


async def test_a_fetched_trace_is_taken_in_by_pieces_and_laid_out_beside_the_screen() -> None:
    host, supervisor = asking(Huge)
    supervisor.start()
    async with host.run_test(size=(110, 16)) as pilot:
        await until(host, pilot, lambda: bool(supervisor.offering("get_trace")))
        host.narrow(title="a log record", trace_id=TRACE)
        await until(host, pilot, says(host, "3,000 spans"))
        pane = host.pane
        assert isinstance(pane, TracesPane)
        await until(host, pilot, lambda: len(pane.view.waterfall.items) == 3_000)
    await supervisor.stop()
