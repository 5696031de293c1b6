"""The garbage collector is asked when there is time, and not before the first frame stands."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from cockpit.cost import MANY, Collector


@pytest.fixture
def collections() -> Iterator[list[int]]:
    """The generations that were collected."""
    seen: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            seen.append(info["generation"])

    gc.disable()
    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)
    gc.enable()


def test_nothing_is_collected_before_it_has_begun(collections: list[int]) -> None:
    Collector().idle()
    assert collections == []


def test_what_is_due_is_collected_and_then_not_again(
    collections: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter([0.0, 1.0, 1.1])
    monkeypatch.setattr("cockpit.cost.time.monotonic", lambda: next(moments))
    collector = Collector()
    collector.begin()
    collections.clear()
    try:
        collector.idle()
        collector.idle()
    finally:
        collector.end()
    assert collections == [0]


def test_many_new_objects_are_not_left_to_grow_more(
    collections: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.cost.time.monotonic", lambda: 0.0)
    collector = Collector()
    collector.begin()
    collections.clear()
    try:
        collector.idle()
        assert collections == []
        kept = [[number] for number in range(MANY)]
        collector.idle()
        collector.idle()
    finally:
        collector.end()
    assert collections == [0]
    assert len(kept) == MANY
