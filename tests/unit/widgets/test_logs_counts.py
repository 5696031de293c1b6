"""What engines say they counted: joined over sources, drawn by columns, and bounded whatever they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cockpit.errors import BadAnswer, CockpitError, Unreachable
from cockpit.signals import SECOND
from cockpit.source import LogCounts, TimeRange
from tests.helpers.log_records import T0
from widgets.logs_counts import MOST, Asked, EngineCounts, ask_counts

WITHIN = TimeRange(T0, T0 + 10 * SECOND - 1)


class Counters:
    """Sources that answer with what they are given."""

    def __init__(self, **answers: Sequence[LogCounts] | CockpitError) -> None:
        self.answers = answers

    def offering(self, method: str) -> list[str]:
        return list(self.answers)

    def log_languages(self) -> Mapping[str, str]:
        return {}

    async def ask(self, name: str, method: str, *args: Any, timeout: float = 30.0, **named: Any) -> Any:
        assert (method, args) == ("count_logs", ("x", WITHIN, 10))
        answer = self.answers[name]
        if isinstance(answer, CockpitError):
            raise answer
        return list(answer)


def counts(*numbers: int, level: int = 9, start: int = T0, step: int = SECOND, note: str = "") -> LogCounts:
    return LogCounts(level=level, start=start, step=step, counts=numbers, note=note)


async def asked(**answers: Sequence[LogCounts] | CockpitError) -> EngineCounts:
    wanted = Asked(tuple(answers), "x", WITHIN, 10)
    return await ask_counts(Counters(**answers), wanted, lambda: T0)


async def test_sources_are_added_and_a_failed_one_is_left_out_and_told() -> None:
    found = await asked(
        a=[counts(*[1] * 10), counts(*[0] * 9, 4, level=17)],
        b=[counts(5, 0, 0, 0, 0, level=13, step=2 * SECOND, note="counted without: took>5ms")],
        c=Unreachable("no answer", where="c"),
    )
    assert found.told() == "~19 (◆ 4 ▲ 5) in a, b"
    assert found.errors == ("c: no answer",)
    assert found.notes == ("b: counted without: took>5ms",)
    assert found.window == TimeRange(T0, T0 + 10 * SECOND)
    assert found.from_level(17).told() == "~4 (◆ 4) in a, b"
    columns = found.columns(T0, T0 + 10 * SECOND, 10)
    assert [sum(column) for column in columns] == [6, 6, 1, 1, 1, 1, 1, 1, 1, 5]
    assert [sum(column) for column in found.columns(T0, T0 + 10 * SECOND, 5)] == [7, 2, 2, 2, 6]


async def test_nothing_counted_is_nothing_drawn() -> None:
    found = await asked(a=[])
    assert found.told() == "0 in a"
    assert found.window == WITHIN
    assert sum(map(sum, found.columns(T0, T0, 10))) == 0


@pytest.mark.parametrize("wrong", [counts(1, step=0), counts(*[1] * 11)])
async def test_counts_in_other_buckets_are_refused(wrong: LogCounts) -> None:
    found = await asked(a=[wrong])
    assert found.errors == (
        str(BadAnswer("its counts are not in the buckets that were asked for", where="a")),
    )


async def test_counts_are_bounded() -> None:
    found = await asked(a=[counts(-5, 10**400, 3)])
    assert sum(found.totals) == MOST + 3
