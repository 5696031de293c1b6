"""Chunks for drawing: loaded bit by bit as they grow or at once, they are the same; and nothing waits for a disk."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.stores.logs import Criteria, parse_filter
from cockpit.stores.logs.files import loads
from cockpit.stores.logs.files.chunk import rows_of, summary_of
from cockpit.stores.logs.files.loading import Loaded, load, load_now
from cockpit.stores.logs.files.loads import answer_of, loaded_of, told_of
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.opened import OpenedLog
from cockpit.stores.logs.files.pieces import Span, piece_of
from cockpit.stores.logs.files.reading import LogFiles

T0 = 1_770_000_000_000_000_000
LINES = st.lists(
    st.one_of(
        st.integers(0, 60).map(lambda s: b"2026-11-26T03:00:%02d.000Z INFO said\n" % (s % 60)),
        st.binary(max_size=40).map(lambda data: data.replace(b"\n", b" ") + b"\n"),
        st.just(b"    at java.lang.Thread.run(Thread.java:1)\n"),
    ),
    min_size=1,
    max_size=40,
)


def span_of(log: int, start: int, end: int) -> Span:
    return Span(log, start, end - start, T0)


def said(loaded: Loaded) -> list[object]:
    return [
        [column.tolist() for column in loaded.rows],
        [(piece.span, piece.starts.tolist(), piece.times.tolist(), piece.levels.tolist()) for piece in loaded.pieces],
        [piece.placed.tolist() for piece in loaded.pieces],
        loaded.datas,
        loaded.why,
    ]  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(head=LINES, parts=st.lists(LINES, min_size=1, max_size=4), cut=st.integers(0, 5))
def test_a_tail_that_grows_and_is_cut_is_loaded_as_if_anew(
    head: list[bytes], parts: list[list[bytes]], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("logs") / "log"
    path.write_bytes(b"2026-11-26T03:00:00.000Z INFO first\n" * 20 + b"".join(head))
    logs = Logs(budget=1 << 20)
    log = OpenedLog(str(path))
    logs.add(log)

    def loaded(start: int, end: int, known: Loaded | None) -> Loaded:
        span = span_of(0, start, end)
        piece = piece_of(log.read(start, end - start), span, logs.formats[0])
        chunk = summary_of([piece], rows_of([piece]))
        found = load_now(logs, chunk, known)
        logs.clear()
        whole = load(logs, chunk)
        if found is None:  # what came tells otherwise of what was there: it is loaded anew
            return whole
        assert said(found) == said(whole)
        assert said(loaded_of(told_answer(found), chunk)) == said(whole)
        return found

    known = loaded(0, path.stat().st_size, None)
    for part in parts:
        with path.open("ab") as file:
            file.write(b"".join(part))
        known = loaded(known.pieces[0].span.offset, path.stat().st_size, known)
        starts = known.pieces[0].starts
        if cut and cut < len(starts):
            begin = known.pieces[0].span.offset + int(starts[cut])
            before = loaded(known.pieces[0].span.offset, begin, known)
            known = loaded(begin, path.stat().st_size, known)
            assert len(before.pieces[0]) == cut
    log.close()


def told_answer(found: Loaded) -> loads.Answer:
    told = told_of(loads.framed(answer_of(found))[4:])
    assert isinstance(told, loads.Answer)
    return told


def line(number: int) -> bytes:
    return b"2026-11-26T%02d:%02d:%02d.000Z INFO line %d %s\n" % (
        number // 3600 % 24, number // 60 % 60, number % 60, number, b"x" * 60,
    )  # fmt: skip


@asynccontextmanager
async def reading(path: Path) -> AsyncIterator[LogFiles]:
    logs = LogFiles([str(path)])
    logs.start()
    try:
        async with asyncio.timeout(30):
            while logs.left:
                await asyncio.sleep(0.02)
        yield logs
    finally:
        await logs.stop()


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("logs") / "log"
    path.write_bytes(b"".join(map(line, range(60_000))))
    return path


async def test_what_is_not_loaded_is_asked_for_and_comes(big: Path) -> None:
    async with reading(big) as logs:
        first, version = logs.chunks.older[1].first, logs.version
        assert not logs.ready([first, first + 1])
        assert logs[first].body == "…"
        assert logs.records(first, first + 3) == []
        async with asyncio.timeout(20):
            while not logs.ready([first, first + 1]):
                await asyncio.sleep(0.01)
        assert logs.version > version
        assert logs[first].body == f"INFO line {first - logs.first} {'x' * 60}"
        assert logs.ready([logs.end - 1])
        assert logs.times(first, first + 2)[1] - logs.times(first, first + 2)[0] == 10**9


async def test_times_are_about_until_they_are_known_and_then_stay(big: Path) -> None:
    async with reading(big) as logs:
        moment = logs.chunks.older[-1].chunk.first + 1000 * 10**9
        about = logs.number_from(moment)
        assert logs.first <= about < logs.first + 8_000
        await logs.wait(about)
        assert logs.number_from(moment) == logs.first + 1000
        logs._cache._loaded.clear()
        assert logs.number_from(moment) == logs.first + 1000


async def test_a_page_of_rare_rows_in_more_chunks_than_are_kept_is_made_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.stores.logs.files.cache.CHUNKS", 2)
    path = tmp_path / "log"
    path.write_bytes(b"".join(line(number) for number in range(60_000)))
    async with reading(path) as logs:
        view = logs.view()
        view.look(Criteria(filter=parse_filter("/line \\d+0000 /")))
        async with asyncio.timeout(20):
            while not view.complete:
                await asyncio.sleep(0.02)
            numbers = [view.number(rank) for rank in range(len(view))]
            while not logs.ready(numbers):
                await asyncio.sleep(0.01)
        bodies = [logs[number].body.split()[2] for number in numbers]
        assert bodies == [str(number) for number in range(10_000, 60_000, 10_000)]
        assert len({logs.chunks.holding(number).number for number in numbers}) > 2


async def test_a_process_that_is_killed_is_replaced(big: Path) -> None:
    async with reading(big) as logs:
        await logs.wait(logs.chunks.older[1].first)
        loader = logs._cache.loader
        assert loader is not None and loader._worker is not None and loader._worker._process is not None
        os.kill(loader._worker._process.pid, 9)
        number = logs.chunks.older[2].first
        async with asyncio.timeout(20):
            while not logs.ready([number]) or logs[number].body.startswith("✖"):
                logs.told([])
                await asyncio.sleep(0.02)
        assert logs[number].body.startswith("INFO line ")


async def test_a_file_that_was_removed_is_read_still(big: Path, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(big.read_bytes())
    async with reading(path) as logs:
        path.unlink()
        await logs.wait(logs.first)
        assert logs[logs.first].body.startswith("INFO line 0 ")
