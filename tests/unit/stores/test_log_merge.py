"""Several logs in the order of time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.formats.columns import Columns
from cockpit.stores.logs.forward import Block
from cockpit.stores.logs.merge import Merge

LOG = st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=8), max_size=6)
"""The times of a log's records, block by block."""


def blocks(log: list[list[int]]) -> Iterator[Block]:
    for times in log:
        count = len(times)
        columns = Columns(
            np.arange(count, dtype=np.uint32), np.array(times, np.int64), np.zeros(count, np.uint8), count
        )
        yield Block(memoryview(bytes(count)), columns, 1, 0, 0)


def merged(logs: list[list[list[int]]], window: int) -> list[tuple[int, int, int, int, bool]]:
    merge = Merge([blocks(log) for log in logs], window=window)
    rows = []
    for part in merge:
        for log, block, row, at, late in zip(*(column.tolist() for column in part), strict=True):
            assert row < len(merge.sources[log].kept[block])
            rows.append((log, block, row, at, late))
    return rows


@settings(max_examples=100, deadline=None)
@given(st.lists(LOG, max_size=4), st.integers(0, 20))
def test_every_record_comes_once_and_in_order(logs: list[list[list[int]]], window: int) -> None:
    rows = merged(logs, window)
    assert sorted((log, block, row) for log, block, row, _, _ in rows) == [
        (log, block, row)
        for log, each in enumerate(logs)
        for block, times in enumerate(each)
        for row in range(len(times))
    ]
    placed = [at for *_, at, _ in rows]
    assert placed == sorted(placed)
    for log, block, row, at, late in rows:
        own = logs[log][block][row]
        assert (at > own) == late or at == own
        before = [time for times in logs[log][:block] for time in times] + logs[log][block][:row]
        assert late == (bool(before) and own < max(before) - window)


@settings(max_examples=100, deadline=None)
@given(st.lists(LOG, max_size=4))
def test_logs_in_order_are_merged_as_sorting_would(logs: list[list[list[int]]]) -> None:
    ordered = []
    for log in logs:
        times = iter(sorted(time for part in log for time in part))
        ordered.append([[next(times) for _ in part] for part in log])
    rows = merged(ordered, 0)
    wanted = sorted(
        (time, log, block, row)
        for log, each in enumerate(ordered)
        for block, times in enumerate(each)
        for row, time in enumerate(times)
    )
    assert [(at, log, block, row) for log, block, row, at, _ in rows] == wanted
    assert not any(late for *_, late in rows)


def test_few_blocks_are_held_at_once() -> None:
    logs = [[[number] for number in range(start, 2000, 2)] for start in (0, 1)]
    merge = Merge([blocks(log) for log in logs], window=5)
    most = max(sum(len(source.kept) for source in merge.sources) for _ in merge)
    assert most < 40
