"""The player: what is due when, whatever is paused, sped up or gone back to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.actionlog.replay import FASTEST, SLOWEST, Due, Player

S = 10**9
TIMES = [0, 1 * S, 2 * S, 12 * S]


def test_pieces_come_at_their_times() -> None:
    player = Player(TIMES, end=13 * S)
    assert player.length == 13
    assert player.seek(0) == Due(0, 1)
    assert player.next_in == 1
    assert not player.advance(0.5)
    assert player.next_in == 0.5
    assert player.advance(1.5) == Due(1, 3)
    assert player.advance(9.99) == Due(3, 3)
    assert player.advance(0.02) == Due(3, 4)
    assert player.next_in == pytest.approx(0.99)
    player.advance(1)
    assert player.ended
    assert player.position == 13


def test_speed_is_how_fast_time_passes_and_has_bounds() -> None:
    player = Player(TIMES, speed=4)
    player.advance(0)
    assert player.next_in == 0.25
    assert player.advance(0.5) == Due(1, 3)
    player.set_speed(1000)
    assert player.speed == FASTEST
    player.set_speed(0)
    assert player.speed == SLOWEST


def test_idle_time_is_cut_short_and_the_moment_is_still_the_recordings() -> None:
    player = Player(TIMES, end=100 * S, idle_limit=2)
    assert player.length == 1 + 1 + 2 + 2
    player.seek(4)
    assert player.moment == 12 * S
    player.seek(1.5)
    assert player.moment == int(1.5 * S)


def test_a_pause_holds_everything_but_a_seek() -> None:
    player = Player(TIMES)
    player.toggle()
    assert player.advance(50) == Due(0, 1)
    assert player.next_in is None
    assert player.seek(2) == Due(1, 3)
    player.toggle()
    assert player.next_in == 10


def test_going_back_begins_afresh_only_where_something_has_to_go() -> None:
    player = Player(TIMES)
    player.advance(2.5)
    assert player.seek(2.1) == Due(3, 3)
    assert player.seek(1.5) == Due(0, 2, afresh=True)
    assert player.seek(-5) == Due(0, 1, afresh=True)
    assert player.seek(1000) == Due(1, 4)
    assert player.ended


def test_nothing_recorded_is_over_at_once() -> None:
    player = Player([])
    assert (player.ended, player.length, player.next_in, player.moment) == (True, 0, None, 0)
    assert not player.advance(1)


def test_a_clock_that_went_back_holds_nothing_up() -> None:
    player = Player([5 * S, 3 * S, 6 * S], end=1)
    assert player.length == 1
    assert player.advance(0) == Due(0, 2)
    assert player.advance(1) == Due(2, 3)


moves = st.lists(
    st.tuples(st.sampled_from(["advance", "seek", "toggle", "speed"]), st.floats(-5, 40, allow_nan=False)),
    max_size=12,
)


@given(st.lists(st.integers(0, 30 * S), max_size=8).map(sorted), moves, st.none() | st.floats(0.1, 5))
def test_what_is_shown_is_always_what_came_until_then(
    times: list[int], moves: list[tuple[str, float]], idle_limit: float | None
) -> None:
    player = Player(times, idle_limit=idle_limit)
    shown: list[int] = []
    for move, number in [("seek", 0.0), *moves]:
        if move == "toggle":
            player.toggle()
            continue
        if move == "speed":
            player.set_speed(number)
            continue
        due = player.advance(number) if move == "advance" else player.seek(number)
        if due.afresh:
            shown = []
        assert due.first == len(shown)
        shown += range(due.first, due.stop)
        until = Player(times, idle_limit=idle_limit).seek(player.position)
        assert shown == list(range(until.stop))
        assert 0 <= player.position <= player.length
        if shown and player.position < player.length:
            assert player.moment >= times[shown[-1]]
