"""Whether the cost of showing follows what is seen: the same screen over ever more that is stored."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.options import Options
from bench.report import Table, spread
from cockpit.signals import Alert, AlertState, HealthSample, HealthState, LogRecord, Signal, Span, SpanStatus

SIZES = (1_000, 10_000, 100_000)
ROUNDS = 20
SETTLE = 0.06
"""Seconds a round leaves the screen to paint in; only CPU time is counted."""
Make = Callable[[int, int], Signal]
"""From (number, now in nanoseconds) to a signal; the same number is the same subject, alert or trace."""


@dataclass(frozen=True)
class Kind:
    """What is stored, and what comes in between two redraws.

    Attributes:
        make: Makes one.
        news: How many come in a round.
        fresh: Whether those are new, or new words about what is stored already.
    """

    name: str
    make: Make
    news: int
    fresh: bool


def _log(number: int, now: int) -> Signal:
    return LogRecord(
        at=now,
        level=17 if number % 10 == 0 else 9,
        body=f"request /checkout took {number % 997} ms user={number % 5003} seq={number}",
        source="bench",
        resource={"service.name": f"service-{number % 20}", "host.name": "node-1"},
    )


def _span(number: int, now: int) -> Signal:
    trace, place = divmod(number, 8)
    return Span(
        trace_id=f"{trace + 1:032x}",
        span_id=f"{number + 1:016x}",
        parent_id=f"{trace * 8 + 1:016x}" if place else "",
        name=f"step {place}",
        start=now - 50_000_000 + place * 1_000_000,
        end=now - place * 500_000,
        status=SpanStatus.ERROR if number % 97 == 0 else SpanStatus.UNSET,
        source="bench",
        resource={"service.name": f"service-{number % 20}"},
    )


def _alert(number: int, now: int) -> Signal:
    name = f"Alert{number // 100:04d}"
    return Alert(
        at=now,
        name=name,
        state=AlertState.FIRING,
        severity=("critical", "warning", "warning", "info")[number % 4],
        labels={"alertname": name, "instance": f"node-{number}:9100"},
        annotations={"summary": f"node-{number} is not as it should be"},
        starts_at=1_700_000_000_000_000_000 + number,
        fingerprint=f"{number:016x}",
        group={"alertname": name},
        source="bench",
        resource={"service.name": f"service-{number % 40}"},
    )


def _health(number: int, now: int) -> Signal:
    return HealthSample(
        at=now,
        subject=f"check {number}",
        kind="check",
        state=HealthState.DEGRADED if number % 50 == 0 else HealthState.OK,
        reason="answers slowly" if number % 50 == 0 else "",
        value=float((number * 31 + now // 1_000_000) % 100),
        unit="%",
        source="bench",
        resource={"host.name": f"node-{number}"},
    )


KINDS = (
    Kind("log records", _log, 1_000, fresh=True),
    Kind("spans", _span, 80, fresh=True),
    Kind("alerts", _alert, 50, fresh=False),
    Kind("health rows", _health, 50, fresh=False),
)


def run(options: Options) -> Table:
    """Fill each store further and further, and measure rounds of news and redraw."""
    sizes = (100, 500) if options.quick else SIZES
    rounds = options.repeat(ROUNDS, least=2)
    rows = []
    for kind in KINDS:
        figures = [asyncio.run(_measure(kind, size, rounds, options)) for size in sizes]
        ratio = statistics.median(figures[-1][1]) / statistics.median(figures[0][1])
        rows.append(
            [f"{kind.name}: {kind.news:,} {'more' if kind.fresh else 'changed'}, taken in"]
            + [spread(taken, 1000, 1) for taken, _ in figures]
            + [""]
        )
        rows.append(
            [f"{kind.name}: shown"] + [spread(shown, 1000, 1) for _, shown in figures] + [f"{ratio:.1f}"]
        )
        options.noise.listen()
    columns = ["what", *(f"{size:,} stored" for size in sizes), "last to first"]
    notes = [
        f"CPU milliseconds a round, median (least–greatest) of {rounds}, on the whole screen at {options.size}. "
        "First what comes in is taken into the store, then every pane follows and what changed is painted.",
        "The stores' bounds are raised to hold as much.",
    ]
    return Table("What is stored, and what it costs to show", columns, rows, notes)


async def _measure(kind: Kind, size: int, rounds: int, options: Options) -> tuple[list[float], list[float]]:
    """Return the CPU seconds of each round, for taking in and for showing."""
    from cockpit.app import CockpitApp
    from cockpit.config.settings import Limits, Screen, Settings
    from cockpit.operations import Operations
    from cockpit.wiring import Cockpit
    from widgets.pane import Pane

    def follow(app: CockpitApp) -> None:
        for pane in app.query(Pane):
            pane.tick(time.time_ns(), ())
        app.verdict.tick(time.time_ns(), ())

    limits = Limits(log_records=2 * size, spans=2 * size, alerts=2 * size, subjects=2 * size)
    cockpit = Cockpit(Settings(sources=(), limits=limits, screen=Screen(frames_per_second=1)))
    app = CockpitApp(cockpit, Operations(options.home / "data", cockpit.supervisor.ask, cockpit.settings))
    taken, shown = [], []
    columns, rows = map(int, options.size.split("x"))
    async with app.run_test(size=(columns, rows)) as pilot:
        now = time.time_ns()
        for start in range(0, size, 1_000):
            cockpit.stores.take("bench", _batch(kind, range(start, min(start + 1_000, size)), now))
        follow(app)
        await pilot.pause(0.1 if options.quick else 1.0)
        for number in range(rounds):
            first = size + number * kind.news if kind.fresh else number * kind.news
            numbers = range(first, first + kind.news)
            batch = _batch(kind, [n if kind.fresh else n % size for n in numbers], time.time_ns())
            began = time.process_time()
            cockpit.stores.take("bench", batch)
            between = time.process_time()
            follow(app)
            await asyncio.sleep(SETTLE)
            taken.append(between - began)
            shown.append(time.process_time() - between)
    return taken, shown


def _batch(kind: Kind, numbers: Sequence[int], now: int) -> list[Signal]:
    return [kind.make(number, now) for number in numbers]
