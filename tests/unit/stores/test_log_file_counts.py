"""Counts by chunk agree with counts by record, whatever chunks come, change and go."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cockpit.signals import SECOND, LogRecord
from cockpit.stores.logs.files.counts import NONE, ChunkHistogram, counts_of
from cockpit.stores.logs.histogram import Histogram

RECORDS = st.lists(st.tuples(st.integers(0, 400_000 * 10), st.integers(0, 24)), max_size=40)


@given(
    changes=st.lists(st.tuples(st.integers(-3, 3), RECORDS), max_size=8),
    start=st.integers(0, 400_000),
    span=st.integers(1, 400_000),
    width=st.integers(1, 90),
)
def test_it_tells_what_a_histogram_of_records_tells(
    changes: list[tuple[int, list[tuple[int, int]]]], start: int, span: int, width: int
) -> None:
    counted = ChunkHistogram()
    chunks: dict[int, list[tuple[int, int]]] = {}
    for number, records in changes:
        rows = sorted((at * SECOND // 10, level) for at, level in records)
        chunks[number] = rows
        times, levels = (
            np.array([at for at, _ in rows], np.int64),
            np.array([level for _, level in rows], np.uint8),
        )
        counted.put(number, counts_of(times, levels))
    plain = Histogram()
    for rows in chunks.values():
        plain.count([at for at, _ in rows], [LogRecord(at=at, level=level, body="") for at, level in rows])
    assert counted.totals == plain.totals
    start, end = start * SECOND, (start + span) * SECOND
    assert counted.columns(start, end, width) == [list(column) for column in plain.columns(start, end, width)]
    for number in chunks:
        counted.put(number, NONE)
    assert len(counted) == 0
    assert not any(counted._sums)
