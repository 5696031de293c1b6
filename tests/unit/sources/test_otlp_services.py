"""What the receiver keeps of whom it heard: a row a service, and the points of metrics."""

from __future__ import annotations

import pytest

from cockpit.errors import BadAnswer
from cockpit.signals import SECOND, HealthState, LogRecord, Span, SpanStatus
from cockpit.source import TimeRange
from sources.support.otlp_metrics import POINTS, SERIES, STALE, Metrics
from sources.support.otlp_services import FORGOTTEN, QUIET, SERVICES, Services
from sources.support.otlp_signals import MetricPoint

START = 1_700_000_000 * SECOND


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


def span(service: str, *, failed: bool = False) -> Span:
    return Span(
        trace_id="a" * 32,
        span_id="b" * 16,
        name="x",
        start=START,
        end=START,
        status=SpanStatus.ERROR if failed else SpanStatus.UNSET,
        resource={"service.name": service},
    )


def record(service: str) -> LogRecord:
    return LogRecord(at=START, body="x", resource={"service.name": service} if service else {})


def test_a_row_tells_what_share_of_spans_failed() -> None:
    clock = Clock()
    services = Services("otlp", clock=clock)
    services.hear([span("cart", failed=n < 5) for n in range(50)])
    clock.now += 10 * SECOND
    (row,) = services.look()
    assert (row.state, row.value, row.unit) == (HealthState.DEGRADED, 0.1, "1")
    assert row.reason == "10% of spans fail (5 of 50)"
    assert row.details["spans/s"] == 5.0
    services.hear([span("cart") for _ in range(50)])
    assert services.look()[0].state is HealthState.OK


def test_few_spans_are_no_verdict() -> None:
    services = Services("otlp", clock=Clock())
    services.hear([span("cart", failed=True)] * 3)
    assert services.look()[0].state is HealthState.OK


def test_a_service_that_only_logs_is_measured_in_records() -> None:
    clock = Clock()
    services = Services("otlp", clock=clock)
    services.hear([record("cart")] * 30 + [record("")] * 5)
    clock.now += 10 * SECOND
    (row,) = services.look()
    assert (row.subject, row.value, row.unit) == ("service cart", 3.0, "{record}/s")


def test_silence_is_told_and_then_forgotten() -> None:
    clock = Clock()
    services = Services("otlp", clock=clock)
    services.hear([span("cart")])
    clock.now += QUIET + SECOND
    (row,) = services.look()
    assert (row.state, row.reason) == (HealthState.DEGRADED, "silent for 121 s")
    clock.now += FORGOTTEN
    assert services.look() == []


def test_services_are_bounded() -> None:
    services = Services("otlp", clock=Clock())
    services.hear([record(f"service-{n}") for n in range(SERVICES + 50)])
    assert len(services.look()) == SERVICES


def point(name: str, value: float, at: int = START, **attributes: str) -> MetricPoint:
    return MetricPoint(name, "1", at, value, attributes, {"service.name": "cart"})


EVER = TimeRange(0, START * 2)


def test_series_and_their_points_are_bounded() -> None:
    clock = Clock()
    clock.now += 3600 * SECOND
    metrics = Metrics("otlp", clock=clock)
    assert metrics.add(point("m", n, START + n) for n in range(POINTS * 3)) == 0
    (series,) = metrics.query("m", EVER, 1e-9)
    assert POINTS <= len(series.points) <= POINTS * 1.25
    assert series.points[-1] == (START + POINTS * 3 - 1, POINTS * 3 - 1.0)
    assert metrics.add(point("many", 1, path=f"/{n}") for n in range(SERIES)) == 1
    clock.now += STALE
    assert metrics.add([point("late", 1)]) == 0
    assert metrics.query("late", EVER, 0)


def test_hostile_points_are_made_harmless() -> None:
    clock = Clock()
    metrics = Metrics("otlp", clock=clock)
    odd = {f"k{n}": "v" * 100_000 for n in range(500)} | {"\x1b[31m": "\u202egnp.exe"}
    metrics.add([point("m\x07", 1, START * 3, **dict(reversed(odd.items())))])
    (series,) = metrics.query('{k499=~".*"}', EVER, 0)
    assert series.name == "m␇"
    assert series.labels["␛[31m"] == "\ufffdgnp.exe"
    assert len(series.labels) == 40
    assert {len(value) for name, value in series.labels.items() if name.startswith("k")} == {300}
    assert series.points == ((START, 1.0),)


def test_a_range_has_a_point_a_step_and_nothing_outside() -> None:
    clock = Clock()
    clock.now += 3600 * SECOND
    metrics = Metrics("otlp", clock=clock)
    metrics.add(point("m", n, START + n * SECOND) for n in range(10))
    (series,) = metrics.query("m", TimeRange(START, START + 7 * SECOND), 4.0)
    assert [value for _, value in series.points] == [3.0, 7.0]
    (last,) = metrics.query("m", TimeRange(START, START + 7 * SECOND), 0.0)
    assert last.points == ((START + 7 * SECOND, 7.0),)
    assert metrics.query("m", TimeRange(0, START - 1), 1.0) == []


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("m", {"/a", "/b"}),
        ('m{path="/a"}', {"/a"}),
        ('m{path!="/a"}', {"/b"}),
        (' m { path=~"/." , service.name="cart", } ', {"/a", "/b"}),
        ('m{path!~"/[a]"}', {"/b"}),
        ('m{path="a"}', set()),
        ('m{other=""}', {"/a", "/b"}),
    ],
)
def test_selectors_choose_series(selector: str, found: set[str]) -> None:
    metrics = Metrics("otlp")
    metrics.add([point("m", 1, path="/a"), point("m", 1, path="/b"), point("n", 1, path="/a")])
    assert {series.labels["path"] for series in metrics.query(selector, EVER, 0)} == found


def test_the_rate_of_a_sum_starts_again_where_it_fell() -> None:
    metrics = Metrics("otlp")
    metrics.add(point("m", value, START + n * 10 * SECOND) for n, value in enumerate((5, 25, 45, 10)))
    (series,) = metrics.query("rate(m)", EVER, 1.0)
    assert ([value for _, value in series.points], series.unit) == ([2.0, 2.0, 1.0], "1/s")


@pytest.mark.parametrize("wrong", ["", "a b", "sum(m)+{", 'm{a="b"', "m{a}", 'm{a="b" c="d"}', 'm{a=~"["}'])
def test_what_is_no_selector_is_refused(wrong: str) -> None:
    with pytest.raises(BadAnswer):
        Metrics("otlp").query(wrong, EVER, 0)
