from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import BadAnswer
from cockpit.signals import SECOND
from sources.support.exposition_format import Sample
from sources.support.metric_ring import GONE, MetricRing
from sources.support.selector import parse_selector


def test_a_rate_survives_a_counter_that_begins_again() -> None:
    ring = MetricRing()
    for second, value in enumerate([10.0, 30.0, 5.0]):
        ring.take([Sample("c_total", "", value)], second * 2 * SECOND + 1)
    [line] = ring.named("c_total")
    assert [rate for _, rate in line.rates()] == [10.0, 2.5]


def test_series_and_points_are_bounded_together() -> None:
    ring = MetricRing(series=10, points=100)
    page = [Sample("m", f'i="{i}"', float(i)) for i in range(25)]
    for look in range(200):
        ring.begin()
        ring.take(page, look + 1)
    assert len(ring) == 10 and ring.refused == 15
    kept = sum(len(list(line.points())) for line in ring.named("m"))
    assert kept <= 100 * 1.25 + 10
    assert list(next(iter(ring.named("m"))).points())[-1][0] == 200


def test_a_series_that_is_gone_is_forgotten() -> None:
    ring = MetricRing()
    ring.take([Sample("old", "", 1.0)], 1)
    ring.take([Sample("new", "", 1.0)], GONE + 10)
    ring.forget(5)
    assert [line.name for line in ring.named("")] == ["new"]
    ring.take([Sample("old", "", 2.0)], GONE + 20)
    [line] = ring.named("old")
    assert list(line.points()) == [(GONE + 20, 2.0)]


def test_the_same_labels_in_another_order_are_the_same_series() -> None:
    ring = MetricRing()
    ring.take([Sample("m", 'a="1",b="2"', 1.0)], 1)
    ring.take([Sample("m", 'b="2", a="1",', 2.0)], 2)
    assert len(ring) == 1


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("up", True),
        ("down", False),
        ('up{job="api"}', True),
        ('up{job!="api"}', False),
        ('up{job=~"a.*",instance=~"node-[0-9]:9100"}', True),
        ('up{job=~"a"}', False),
        ('up{job!~"b|c", missing=""}', True),
        ('{__name__="up", job="api"}', True),
        ("{job='api',}", True),
        ("rate(up)", True),
    ],
)
def test_selectors(text: str, fits: bool) -> None:
    selector = parse_selector(text, where="x")
    assert selector.fits("up", {"job": "api", "instance": "node-1:9100"}) is fits
    assert selector.rate is text.startswith("rate")


@pytest.mark.parametrize(
    "text", ["", "{}", "up{", "up{job}", 'up{job="a}', 'up{job=~"("}', "sum(up)", "x" * 5000]
)
def test_what_is_no_selector_says_so(text: str) -> None:
    with pytest.raises(BadAnswer):
        parse_selector(text, where="x")


@given(st.text(max_size=60))
def test_any_text_is_a_selector_or_refused(text: str) -> None:
    try:
        parse_selector(text, where="x")
    except BadAnswer:
        return
