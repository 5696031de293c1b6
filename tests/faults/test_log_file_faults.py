"""Log files that change, vanish and lie while the real process apart reads them: told, never lost, never a crash."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from cockpit.errors import UsageError
from cockpit.stores.logs import Criteria, parse_filter
from cockpit.stores.logs.files import apart
from cockpit.stores.logs.files.reading import LogFiles
from tests.helpers.log_files import record_of, records_of


def line(number: int) -> str:
    minute, second = number // 60_000 % 60, number // 1000 % 60
    return f"2026-11-26T03:{minute:02}:{second:02}.{number % 1000:03}Z INFO line {number}\n"


def lines(start: int, end: int) -> str:
    return "".join(map(line, range(start, end)))


@contextlib.asynccontextmanager
async def reading(*paths: Path) -> AsyncIterator[LogFiles]:
    store = LogFiles([str(path) for path in paths])
    version = store.version
    store.start()
    try:
        await until(lambda: store.version != version, "the reader to have opened them")
        yield store
    finally:
        await store.stop()


async def until(true: Callable[[], object], what: str, seconds: float = 10.0) -> None:
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"waited {seconds:g} s for {what}")


async def numbers(store: LogFiles) -> list[int]:
    return [int(record.body.split()[-1]) for record in await records_of(store)]


def reader(store: LogFiles) -> int:
    process = store._apart._process
    assert process is not None
    return process.pid


async def ask_all(store: LogFiles) -> list[str]:
    """Ask a store everything that a pane asks of records, of some of them."""
    store._cache.clear()
    store._records.clear()
    bodies = []
    for number in range(store.first, store.end, max(1, len(store) // 20)):
        await store.wait(number)
        if not store.first <= number < store.end:
            continue
        bodies.append(store[number].body)
        store.placing(number)
        store.times(number, number + 3)
        store.number_of(0, 0)
    store.number_at(1 << 62)
    if len(store):
        with contextlib.suppress(UsageError):
            await store.view().next_level(store.first, 1, 17)
    return bodies


async def test_a_log_that_grows_fast_is_read_and_searched_whole_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(lines(0, 100_000))
    async with reading(path) as store:
        view = store.view()
        with path.open("a") as log:
            for start in range(100_000, 200_000, 5_000):
                log.write(lines(start, start + 5_000))
                log.flush()
                if start % 25_000 == 0:
                    view.look(Criteria(filter=parse_filter(f"/line \\d*{start // 25_000}7$/")))
                store.last(50)
                await asyncio.sleep(0.05)
            log.write(line(200_000)[:20])
            log.flush()
            await asyncio.sleep(0.1)
            log.write(line(200_000)[20:-1])
        view.look(Criteria(filter=parse_filter("/line \\d*77$/")))
        await until(lambda: len(store) == 200_001 and view.complete, "all records")
        assert [
            int((await record_of(store, view.number(rank))).body.split()[-1])
            for rank in range(0, len(view), 50)
        ] == [number for number in range(200_000) if number % 100 == 77][::50]
        assert len(view) == 2_000
        placed = [(span.offset, span.size) for entry in store.chunks for span in entry.chunk.spans]
        assert placed[0][0] == 0
        assert all(a + size == b for (a, size), (b, _) in pairwise(placed))
        assert sum(placed[-1]) == path.stat().st_size
        assert (await record_of(store, store.end - 1)).body.endswith("line 200000")


async def test_rotations_by_name_lose_and_repeat_nothing(tmp_path: Path) -> None:
    path, number = tmp_path / "log", 0
    path.write_text("")
    async with reading(path) as store:
        await until(lambda: not store.left, "a beginning")
        for turn in range(8):
            with path.open("a") as log:
                for _ in range(4):
                    log.write(lines(number, number + 300))
                    log.flush()
                    number += 300
                    store.last(20)
                    await asyncio.sleep(0.03)
                path.rename(tmp_path / f"log.{turn}")
                path.write_text(line(number))
                log.write(line(number - 1))  # a writer goes on with the old one for a while
            number += 1
            await until(partial(_knows, store, turn + 2), "the new file")  # two between two looks are one
        await until(lambda: len(store) == number + 8, f"{number + 8} records, not {len(store)}")
        assert sorted({*await numbers(store)}) == list(range(number))
        assert not store.troubles


def _knows(store: LogFiles, files: int) -> bool:
    return len(store.names) >= files


async def test_a_log_that_is_cut_again_and_again_ends_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("")
    async with reading(path) as store:
        with path.open("a") as log:
            for turn in range(30):
                log.write(lines(turn * 1000, turn * 1000 + 400 * (turn % 3 + 1)))
                log.flush()
                await asyncio.sleep(0.02)
                await ask_all(store)
                os.truncate(path, 0)
            log.write(lines(90_000, 90_100))
        await until(lambda: len(store) == 100, "what is there")
        assert await numbers(store) == list(range(90_000, 90_100))


@pytest.mark.parametrize("what", ["cut", "rewritten", "other lines", "removed"])
async def test_what_is_shown_outlives_its_bytes_while_the_reader_is_stopped(
    tmp_path: Path, what: str
) -> None:
    path = tmp_path / "log"
    path.write_text(lines(0, 30_000))
    async with reading(path) as store:
        await until(lambda: len(store) == 30_000 and not store.left, "all records")
        size = path.stat().st_size
        os.kill(reader(store), signal.SIGSTOP)
        match what:
            case "cut":
                os.truncate(path, 100)
            case "rewritten":
                path.write_text("x" * size)
            case "other lines":
                path.write_text("another\n" * (size // 8))
            case _:
                path.unlink()
        bodies = await ask_all(store)
        os.kill(reader(store), signal.SIGCONT)
        assert any("gone" in body for body in bodies) == (what != "removed")
        if what == "removed":
            await until(lambda: "its name is gone" in str(store.troubles), "the loss to be told")
        else:
            await until(lambda: len(store) != 30_000, "another beginning")


async def test_a_reader_that_is_stopped_is_told_until_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "SILENT", 1.5)
    path = tmp_path / "log"
    path.write_text(lines(0, 100))
    async with reading(path) as store:
        await until(lambda: not store.left, "all records")
        await asyncio.sleep(2.0)
        assert not store.troubles
        os.kill(reader(store), signal.SIGSTOP)
        with path.open("a") as log:
            log.write(line(100))
        await until(lambda: any("silent" in note for note in store.notes), "the silence to be told")
        assert len(store.last(100)) == 100
        os.kill(reader(store), signal.SIGCONT)
        await until(lambda: len(store) == 101 and not store.troubles, "what was written meanwhile")


async def test_after_the_reader_was_killed_all_is_read_again_but_what_is_gone(tmp_path: Path) -> None:
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    kept.write_text(lines(0, 2_000))
    gone.write_text(lines(2_000, 3_000))
    async with reading(kept, gone) as store:
        await until(lambda: len(store) == 3_000 and not store.left, "all records")
        os.kill(reader(store), signal.SIGKILL)
        gone.unlink()
        await ask_all(store)
        await until(lambda: len(store) == 2_000 and not store.left, "the log that is left")
        assert "gone" in str(store.troubles)
        assert await numbers(store) == list(range(2_000))
        gone.write_text(lines(3_000, 3_010))
        await until(lambda: len(store) == 2_010, "the log that came again")


@pytest.mark.parametrize("kind", ["pipe", "directory", "loop", "nothing"])
async def test_what_takes_the_place_of_a_log_is_told_and_a_log_after_it_read(
    tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "log"
    path.write_text(lines(0, 100))
    async with reading(path) as store:
        await until(lambda: not store.left, "all records")
        path.unlink()
        match kind:
            case "pipe":
                os.mkfifo(path)
            case "directory":
                path.mkdir()
            case "loop":
                path.symlink_to(path)
        await until(lambda: store.troubles, "the trouble")
        assert len(await numbers(store)) == 100
        if kind == "directory":
            path.rmdir()
        elif kind != "nothing":
            path.unlink()
        path.write_text(lines(100, 150))
        await until(lambda: len(store) == 150 and not store.troubles, "the log after it")
        assert await numbers(store) == list(range(150))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param([b"\0" * (1 << 20)] * 12, id="nul bytes"),
        pytest.param([b"a" * (1 << 20)] * 12, id="one line"),
        pytest.param([bytes(range(256)) * 1000] * 8, id="every byte"),
        pytest.param([b" \n" * 100_000] * 4, id="spaces"),
        pytest.param([b"\r\n" * 100_000] * 4, id="line ends"),
    ],
)
async def test_bytes_that_are_no_log_are_read_to_their_end_as_they_come(
    tmp_path: Path, content: Sequence[bytes]
) -> None:
    path = tmp_path / "log"
    path.write_bytes(line(0).encode())
    async with reading(path) as store:
        with path.open("ab") as log:
            for part in content:
                log.write(part)
                log.flush()
                store.last(3)
                await asyncio.sleep(0.01)
        size = path.stat().st_size

        def read() -> int:
            return sum(span.size for entry in store.chunks for span in entry.chunk.spans)

        await until(lambda: read() == size and not store.left, "all bytes")
        assert max(entry.chunk.size for entry in store.chunks) < 8 << 20
        assert "line 0" in (await record_of(store, store.first)).body
