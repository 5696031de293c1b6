"""What is packed is what was given: against a plain list, in memory and on the disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.config import load
from cockpit.config.settings import LogsSettings
from cockpit.errors import ConfigErrors
from cockpit.signals import EMPTY, SECOND, LogRecord
from cockpit.stores.logs import Criteria, LogStore, LogView, parse_filter
from cockpit.stores.logs.ring.packing import Unpacked, pack
from cockpit.stores.logs.ring.spill import Spill, spill_of
from tests.helpers.log_records import T0, numbered, record
from tests.unit.stores.test_log_spool import no_larger_than

LATER = T0 + 40 * 86_400 * SECOND
TEXTS = st.text(max_size=30) | st.sampled_from(["", "plain", "ünïcödé", "a\0b", "\ud800", "💥" * 9])
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
NAMES = st.dictionaries(TEXTS, TEXTS, max_size=3)
RECORDS = st.builds(
    LogRecord,
    at=st.integers(),
    level=st.integers(0, 24),
    body=TEXTS,
    attributes=st.dictionaries(TEXTS, VALUES, max_size=3),
    source=st.sampled_from(["a", "b", ""]),
    resource=NAMES,
    trace_id=TEXTS,
    span_id=TEXTS,
)


def plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@settings(max_examples=80, deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=8), st.integers(0, 1 << 62))
def test_a_block_gives_back_what_it_was_given(records: list[LogRecord], first: int) -> None:
    times = [first + number // 2 for number in range(len(records))]
    block = Unpacked(pack(records, times))
    assert [*block.times] == times
    for row in reversed(range(len(records))):
        made, given_record = block.record(row), records[row]
        assert block.record(row) is made
        assert (made.body, made.level, made.source) == (
            given_record.body,
            given_record.level,
            given_record.source,
        )
        assert made.at == min(max(given_record.at, -(1 << 63)), (1 << 63) - 1)
        assert made.resource == {plain(name): plain(value) for name, value in given_record.resource.items()}
        assert (made.trace_id, made.span_id) == (plain(given_record.trace_id), plain(given_record.span_id))
        assert made.attributes == {
            plain(name): plain(value)
            if isinstance(value, str)
            else str(value)
            if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64
            else value
            for name, value in given_record.attributes.items()
        }


def test_what_a_record_has_not_got_is_not_made() -> None:
    block = Unpacked(pack(numbered([1, 2]), [1, 2]))
    assert block.record(0).attributes is EMPTY
    assert block.rest == b""


BATCHES = st.lists(
    st.lists(st.tuples(st.integers(-40, 40), st.sampled_from([0, 9, 13, 17])), max_size=30), max_size=14
)


class Model:
    """A ring as one would write it if memory and time were free."""

    def __init__(self, reorder: int) -> None:
        self.kept: list[tuple[int, LogRecord]] = []
        self.reorder = reorder

    def append(self, batch: list[LogRecord]) -> None:
        floor = len(self.kept) - self.reorder
        oldest = self.kept[floor][0] if floor > 0 else None
        newest = self.kept[-1][0] if self.kept else 0
        placed = [
            (newest if oldest is not None and one.at < oldest else one.at, one)
            for one in sorted(batch, key=lambda one: one.at)
        ]
        self.kept = sorted([*self.kept, *placed], key=lambda each: each[0])


@pytest.mark.parametrize("spilled", [False, True])
@settings(max_examples=60, deadline=None)
@given(batches=BATCHES, reorder=st.sampled_from([2, 11]), capacity=st.sampled_from([20, 150, 2_000]))
def test_it_holds_what_a_plain_list_would(
    spilled: bool,
    batches: list[list[tuple[int, int]]],
    reorder: int,
    capacity: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    spill = Spill(tmp_path_factory.mktemp("spill"), limit=1 << 20, age=1 << 62) if spilled else None
    memory = 2_000 if spilled else 1 << 30
    store = LogStore(capacity=capacity, reorder=reorder, memory=memory, clock=lambda: LATER, spill=spill)
    view = LogView(store)
    view.look(Criteria(floor=13, filter=parse_filter("some")))
    # Where memory is short, fewer than `reorder` are left to be sorted into: all come in time then.
    rising = 0
    model = Model(reorder)
    for number, batch in enumerate(batches):
        rising += 100
        records = [
            record(
                f"some {number}.{n}",
                at + (rising if spilled else 0),
                level=level,
                attributes={"n": n} if n % 3 else EMPTY,
                service=f"s{n % 2}",
            )
            for n, (at, level) in enumerate(batch)
        ]
        store.append(records)
        model.append(records)
        view.advance(0.000_05)
    kept = model.kept[-len(store) :] if len(store) else []
    assert store.end == len(model.kept)
    assert store.records(store.first, store.end) == [one for _, one in kept]
    assert store.times(store.first, store.end) == [at for at, _ in kept]
    for offset, (at, one) in enumerate(kept):
        number = store.first + offset
        assert store[number] == one
        assert store[number] is store.records(number, number + 1)[0]
        assert store.number_at(at) == store.first + sum(placed <= at for placed, _ in kept)
        assert store.number_from(at) == store.first + sum(placed < at for placed, _ in kept)
    assert sum(store.histogram.totals) == len(kept)
    while not view.advance(1.0):
        pass
    wanted = [store.first + n for n, (_, one) in enumerate(kept) if one.level >= 13]
    assert [view.number(rank) for rank in range(len(view))] == wanted
    if spill is not None:
        spill.close()


WORDS = ["ab", "AB", "ünï", "k", "İ", "\u212a", "b c", "404", "zz"]
SAID = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)
QUERIES = st.sampled_from(
    [
        "ab", "AB", '"b c"', "ünï", "k", "i", "-ab", "ab -k", "ab or zz", "(ab or 404) k", "level>=warn",
        "level<warn ab", "service:s1", "service=S1 ab", "host:h", "source:two", "trace:ab", "code=404",
        "code>=400", "code:*", "-service:s1", "source=one k", "/a.*k/",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    said=st.lists(st.tuples(SAID, SAID, st.sampled_from([0, 9, 13, 17]), st.integers(0, 2)), max_size=60),
    query=QUERIES,
    service=st.sampled_from(["", "s1", "*****"]),
    floor=st.sampled_from([0, 13]),
)
def test_a_view_finds_in_blocks_what_it_would_in_objects(
    said: list[tuple[str, str, int, int]], query: str, service: str, floor: int
) -> None:
    records = [
        record(
            body,
            number,
            level=level,
            service=f"s{which}" if which else "",
            host="h" if which == 1 else "",
            source=("one", "two", "")[which],
            trace_id=extra[:2] if which else "",
            attributes={"said": extra, "code": 404 - which} if extra else EMPTY,
        )
        for number, (body, extra, level, which) in enumerate(said)
    ]
    store = LogStore(capacity=300, reorder=2, clock=lambda: LATER)
    store.append(records)
    criteria = Criteria(filter=parse_filter(query), service=service, floor=floor)
    view = LogView(store)
    view.look(criteria)
    while not view.advance(1.0):
        pass
    found = [store[view.number(rank)] for rank in range(len(view))]
    assert found == [one for one in records if all(test(one) for test in criteria.tests())]


def filled(store: LogStore, count: int) -> None:
    for start in range(0, count, 500):
        store.append([record(f"line {n} of {n * 7919 % 1009}", n / 10) for n in range(start, start + 500)])


def test_much_more_than_objects_would_take_fits_in() -> None:
    store = LogStore(capacity=1 << 30, memory=4 << 20, reorder=1_000, clock=lambda: LATER)
    filled(store, 150_000)
    assert len(store) > 100_000
    assert store.bytes <= 4 << 20


def test_what_memory_has_no_room_for_goes_to_the_disk_and_comes_back(tmp_path: Path) -> None:
    spill = Spill(tmp_path, limit=1 << 30, age=1 << 62)
    store = LogStore(capacity=1 << 30, memory=600_000, reorder=500, clock=lambda: LATER, spill=spill)
    filled(store, 30_000)
    assert (store.first, len(store)) == (0, 30_000)
    assert store.bytes <= 600_000 < spill.size + store.bytes
    assert list(tmp_path.iterdir()) == []
    assert store[3].body == "line 3 of 550"
    view = LogView(store)
    view.look(Criteria(filter=parse_filter('"line 17"')))
    while not view.advance():
        pass
    assert len(view) == sum("line 17" in f"line {n}" for n in range(30_000))
    spill.close()


def test_the_disk_is_bounded_by_size_and_by_age(tmp_path: Path) -> None:
    spill = Spill(tmp_path, limit=100_000, age=1 << 62)
    store = LogStore(capacity=1 << 30, memory=600_000, reorder=500, clock=lambda: LATER, spill=spill)
    filled(store, 60_000)
    assert 0 < store.first < store.end
    assert spill.size <= 100_000
    assert store[store.first].body.startswith(f"line {store.first} ")
    assert sum(store.histogram.totals) == len(store)
    spill.close()
    now = [T0 + 5_000 * SECOND]
    spill = Spill(tmp_path, limit=1 << 30, age=1_000 * SECOND)
    store = LogStore(capacity=1 << 30, memory=600_000, reorder=500, clock=lambda: now[0], spill=spill)
    filled(store, 30_000)
    assert 5_000 < store.first < 25_000
    assert spill.size == 0
    spill.close()


def test_a_full_disk_costs_the_oldest_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spill = Spill(tmp_path, limit=1 << 30, age=1 << 62)
    store = LogStore(capacity=1 << 30, memory=600_000, reorder=500, clock=lambda: LATER, spill=spill)
    with no_larger_than(50_000):
        filled(store, 30_000)
    assert spill.trouble
    assert caplog.text.count("can't all be kept") == 1
    assert 0 < store.first < 20_000
    assert store.records(store.first, store.end)[0].body.startswith(f"line {store.first} ")
    spill.close()
    gone = Spill(tmp_path / "file", limit=1 << 30, age=1 << 62)
    (tmp_path / "file").write_text("")
    store = LogStore(capacity=1 << 30, memory=600_000, reorder=500, clock=lambda: LATER, spill=gone)
    filled(store, 30_000)
    assert store.first > 0
    assert store.bytes <= 600_000


def test_what_the_disk_gives_back_wrong_is_said_in_its_place(tmp_path: Path) -> None:
    spill = Spill(tmp_path, limit=1 << 30, age=1 << 62)
    store = LogStore(capacity=1 << 30, memory=600_000, reorder=500, clock=lambda: LATER, spill=spill)
    filled(store, 30_000)
    os.pwrite(spill._fd, b"\xff" * 3_000, 0)
    assert "can't be read" in store[0].body
    assert store[25_000].body.startswith("line 25000")
    spill.close()


def test_a_record_is_found_again_once_it_is_packed() -> None:
    store = LogStore(capacity=100_000, reorder=100, clock=lambda: LATER)
    store.append(numbered(range(50)))
    seen = store[7]
    store.append(numbered(range(50, 20_000)))
    assert store.locate(seen) == 7
    assert store.locate(store[9_000]) == 9_000
    assert store.locate(record("line 7", 8)) is None


@pytest.mark.parametrize(
    ("size", "limit"), [("1KiB", 1 << 10), ("512MiB", 512 << 20), ("2GiB", 2 << 30), ("3TiB", 3 << 40)]
)
def test_the_configuration_gives_room_on_the_disk(size: str, limit: int, tmp_path: Path) -> None:
    spill = spill_of(LogsSettings(spill=size, spill_age="2h"), tmp_path)
    assert spill is not None
    assert (spill._limit, spill.age, spill._folder) == (limit, 7_200 * SECOND, tmp_path / "spools")
    assert spill_of(LogsSettings(), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_size_that_is_none_is_said_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "cockpit.toml"
    file.write_text('[logs]\nspill = "2 gigs"\nspill_age = "forever"\n')
    with pytest.raises(ConfigErrors, match=r":2: logs.spill: '2 gigs' is no size .*\n.*:3: logs.spill_age"):
        load(str(file))
