from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.signals import SECOND, SpanStatus
from cockpit.stores.traces import ServiceRates
from cockpit.stores.traces.services import ACCURACY, OTHERS, SLICE, bin_of, quantiles
from tests.helpers.examples import examples
from tests.helpers.spans import MS, span

T0 = 1_000_000 * SECOND


def test_rate_errors_and_duration_of_a_service() -> None:
    rates = ServiceRates()
    for number in range(100):
        status = SpanStatus.ERROR if number % 10 == 0 else SpanStatus.UNSET
        rates.take(
            span(f"{number}", T0 + number * SECOND, T0 + number * SECOND + (number + 1) * MS, status=status)
        )
    (row,) = rates.table(T0, T0 + 100 * SECOND)
    assert (row.service, row.count, row.errors) == ("web", 100, 10)
    assert row.rate == 1.0
    assert row.error_ratio == 0.1
    p50, p95, p99 = row.quantiles((0.5, 0.95, 0.99))
    for found, true in ((p50, 50), (p95, 95), (p99, 99)):
        assert abs(found / MS - true) / true < ACCURACY + 0.02


def test_only_where_a_request_enters_a_service_it_counts() -> None:
    rates = ServiceRates()
    rates.take(span("a", T0, T0 + 1))
    rates.take(span("b", T0, T0 + 1, "a", kind="internal"))
    rates.take(span("c", T0, T0 + 1, "a", kind="client"))
    rates.take(span("d", T0, T0 + 1, "c", kind="server", service="cart"))
    rates.take(span("e", T0, T0 + 1, "c", kind="consumer", service="mail"))
    assert {row.service: row.count for row in rates.table(T0, T0 + SECOND)} == {
        "web": 1,
        "cart": 1,
        "mail": 1,
    }


def test_a_window_in_the_past_shows_what_ended_in_it() -> None:
    rates = ServiceRates()
    for minute in range(10):
        for _ in range(minute + 1):
            rates.take(span("x", T0 + minute * 60 * SECOND, T0 + minute * 60 * SECOND + MS))
    assert rates.table(T0 + 180 * SECOND, T0 + 230 * SECOND)[0].count == 4
    assert rates.table(T0 - 500 * SECOND, T0 - 400 * SECOND) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 10**9)), min_size=1, max_size=80),
    st.integers(0, 400),
    st.integers(0, 400),
)
def test_any_window_counts_what_its_slices_hold_however_often_it_is_read(
    ended: list[tuple[int, int]], start: int, length: int
) -> None:
    rates = ServiceRates()
    for half in (ended[::2], ended[1::2]):
        for second, lasted in half:
            end = T0 + second * SECOND
            rates.take(span("x", end - lasted, end))
        rates.table(T0, T0 + 500 * SECOND)
    first, last = start * SECOND // SLICE, (start + length) * SECOND // SLICE
    wanted = [lasted for second, lasted in ended if first <= second * SECOND // SLICE <= last]
    rows = rates.table(T0 + start * SECOND, T0 + (start + length) * SECOND)
    assert sum(row.count for row in rows) == len(wanted)
    for row in rows:
        (longest,) = row.quantiles((1.0,))
        assert abs(longest - max(wanted)) <= max(wanted) * ACCURACY + 1


def test_the_most_failing_service_comes_first_then_the_busiest() -> None:
    rates = ServiceRates()
    for service, count, status in (
        ("calm", 5, SpanStatus.OK),
        ("busy", 9, SpanStatus.OK),
        ("bad", 1, SpanStatus.ERROR),
    ):
        for _ in range(count):
            rates.take(span("x", T0, T0 + MS, service=service, status=status))
    assert [row.service for row in rates.table(T0, T0 + SECOND)] == ["bad", "busy", "calm"]


def test_slices_and_services_are_bounded_whatever_times_a_source_claims() -> None:
    rates = ServiceRates(slices=50, services=10)
    for number in range(1_000):
        rates.take(span("x", 0, number * 977 * SLICE, service=f"s{number % 30}"))
    assert len(rates) == 50
    table = rates.table(0, 2_000 * 977 * SLICE)
    assert len(table) <= 11
    assert OTHERS in {row.service for row in table}
    rates.take(span("now", T0, T0 + MS, service="s1"))
    assert rates.table(T0, T0 + SECOND)[0].count == 1, "what comes in now is counted, old lies or not"


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(st.integers(1, 1 << 62), min_size=1, max_size=300), st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0])
)
def test_a_quantile_is_within_its_accuracy_of_the_true_one(values: list[int], wanted: float) -> None:
    bins: dict[int, int] = {}
    for value in values:
        bins[bin_of(value)] = bins.get(bin_of(value), 0) + 1
    true = sorted(values)[math.floor(wanted * (len(values) - 1))]
    (found,) = quantiles(bins, (wanted,))
    assert abs(found - true) <= true * (ACCURACY + 1e-9) + 1


def test_quantiles_of_nothing_are_zero() -> None:
    assert quantiles({}, (0.5, 0.99)) == [0.0, 0.0]
