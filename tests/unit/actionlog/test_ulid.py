"""ULIDs sort by time and never repeat."""

from __future__ import annotations

import threading

from cockpit.actionlog.ulid import ALPHABET, LENGTH, Ulids


def test_the_first_ten_characters_are_the_milliseconds() -> None:
    ulid = Ulids(clock=lambda: 1_469_918_176_385_000_000).new()
    # The example of the specification: 1469918176385 ms is 01ARYZ6S41.
    assert ulid.startswith("01ARYZ6S41")
    assert len(ulid) == LENGTH
    assert set(ulid) <= set(ALPHABET)


def test_ascends_while_the_clock_stands_still() -> None:
    ulids = Ulids(clock=lambda: 5_000_000)
    made = [ulids.new() for _ in range(1000)]
    assert made == sorted(set(made))


def test_ascends_when_the_clock_goes_back() -> None:
    times = iter([9_000_000_000, 1_000_000, 2_000_000])
    ulids = Ulids(clock=lambda: next(times))
    made = [ulids.new() for _ in range(3)]
    assert made == sorted(set(made))


def test_two_makers_differ_in_one_millisecond() -> None:
    assert Ulids(clock=lambda: 0).new() != Ulids(clock=lambda: 0).new()


def test_threads_get_different_ones() -> None:
    ulids = Ulids()
    made: list[str] = []

    def make() -> None:
        made.extend(ulids.new() for _ in range(2000))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8000
