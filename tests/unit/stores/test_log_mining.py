"""What the processes for patterns and SQL are asked and tell."""

from __future__ import annotations

import csv
import io
import itertools
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cockpit.stores.logs import Criteria, parse_filter
from cockpit.stores.logs.files.searching import query_of
from cockpit.stores.logs.mining import Batch, Mine, Patterns
from cockpit.stores.logs.mining_apart import CsvRows, mine
from tests.helpers.log_screen import line

CELLS = st.lists(st.lists(st.text('a",\r\n é', max_size=6), min_size=2, max_size=3), max_size=6)


@given(CELLS, st.lists(st.integers(0, 60), max_size=5))
def test_rows_are_the_same_however_they_come(rows: list[list[str]], cuts: list[int]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    whole, found, reader = text.getvalue(), [], CsvRows()
    places = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    for start, end in itertools.pairwise(places):
        found += reader.feed(whole[start:end])
    found += reader.feed("", ended=True)
    assert found == rows


async def told(wanted: Mine, batches: list[Batch]) -> Patterns:
    heard: list[Patterns] = []
    await mine(wanted, batches, heard.append)
    return heard[-1]


async def test_files_are_mined_whole_and_what_is_new_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    lines = [line(number, msg=f"order {number} was sent") for number in range(300)]
    lines[250] = line(250, msg="disk sda7 is full", level="error")
    path.write_bytes(b"".join(lines))
    found = await told(Mine(paths=(str(path),)), [])
    assert found.ended and found.done == found.of == path.stat().st_size
    assert next((each.count, each.text) for each in found.mined) == (299, "order <*> was sent")
    first_at = next(each.first_at for each in found.mined if each.count == 1)
    since = await told(Mine(paths=(str(path),), since=first_at - 1), [])
    assert (since.mined[0].trend, since.mined[0].count) == ("new", 1)
    assert "disk" in since.mined[0].query


async def test_only_what_the_criteria_admit_is_mined(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"".join(line(number) for number in range(3_000)))
    query = query_of(Criteria(filter=parse_filter("status>=500")))
    found = await told(Mine(paths=(str(path),), query=query), [])
    assert sum(each.count for each in found.mined) == 1_000


async def test_streamed_records_are_mined_as_they_are_handed_over() -> None:
    batches = [
        Batch(
            list(range(at, at + 50)),
            [number * 10**9 for number in range(at, at + 50)],
            ["user logged in"] * 50,
        )
        for at in range(0, 200, 50)
    ]
    found = await told(Mine(), batches)
    assert [(each.text, each.count) for each in found.mined] == [("user logged in", 200)]


async def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    found = await told(Mine(paths=(str(tmp_path / "none"),)), [])
    assert found.ended and "no such file" in found.error
