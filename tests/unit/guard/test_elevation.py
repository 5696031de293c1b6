"""Elevation is timed and over by itself."""

from __future__ import annotations

import pytest

from cockpit.errors import UsageError
from cockpit.guard.elevation import Elevation


def test_it_begins_counts_down_and_ends_by_itself() -> None:
    now = [100.0]
    elevation = Elevation(lambda: now[0])
    assert not elevation.active
    elevation.begin(15)
    assert elevation.active and elevation.left == 900
    now[0] += 899.5
    assert elevation.active and elevation.left == 0.5
    now[0] += 0.5
    assert not elevation.active and elevation.left == 0


def test_it_can_be_dropped_and_begun_anew() -> None:
    elevation = Elevation(lambda: 5.0)
    elevation.begin(1)
    elevation.drop()
    assert not elevation.active
    elevation.begin(2)
    assert elevation.left == 120


@pytest.mark.parametrize("minutes", [0, -1, 241])
def test_a_time_that_can_not_be_asked_for_is_refused(minutes: float) -> None:
    with pytest.raises(UsageError, match="at most 240"):
        Elevation().begin(minutes)
