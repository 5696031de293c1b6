"""Compressed logs and pipes on the screen's side, filled by a real process apart."""

from __future__ import annotations

import asyncio
import bz2
import gzip
import lzma
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import zstandard

from cockpit.errors import UsageError
from cockpit.stores.logs.files import newest, scanner
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.opening import path_of
from cockpit.stores.logs.files.process import open_all
from cockpit.stores.logs.files.reading import LogFiles
from cockpit.stores.logs.files.scanner import Scanner
from cockpit.stores.logs.files.store import FileStore
from cockpit.stores.logs.files.wire import framed, told_of
from cockpit.stores.logs.spool import layout, spool
from tests.helpers.log_files import records_of

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor().compress,
}
LINES = [f"line {number} of many that are not all alike {number * 7919 % 1009}" for number in range(20_000)]
TEXT = "\n".join(LINES).encode() + b"\n"


@asynccontextmanager
async def reading(*paths: Path | str, folder: Path | None = None) -> AsyncIterator[LogFiles]:
    logs = LogFiles([str(path) for path in paths], folder=folder)
    logs.start()
    try:
        yield logs
    finally:
        await logs.stop()


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


async def bodies(logs: LogFiles) -> list[str]:
    return [record.body for record in await records_of(logs)]


@pytest.fixture
def pipe() -> Iterator[tuple[str, int]]:
    """A pipe: what reads it is given a path as for the standard input."""
    out, into = os.pipe()
    closed = False
    os.set_blocking(into, False)
    try:
        yield path_of(out), into
    finally:
        os.close(out)
        if not closed:
            os.close(into)


@pytest.mark.parametrize("name", sorted(PACK))
async def test_compressed_files_are_read_whatever_their_names(name: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(PACK[name](TEXT))
    async with reading(path, folder=tmp_path / "data") as logs:
        await until(lambda: len(logs) == len(LINES) and not logs.left)
        assert await bodies(logs) == LINES
        assert logs.troubles == {}
        assert list((tmp_path / "data").iterdir()) == []


async def test_a_compressed_file_beside_others_has_its_place_by_its_lines(tmp_path: Path) -> None:
    (tmp_path / "log.1.gz").write_bytes(gzip.compress(TEXT))
    (tmp_path / "log").write_text("the newest\n")
    os.utime(tmp_path / "log.1.gz", ns=(1, 1))
    async with reading(tmp_path / "log.1.gz", tmp_path / "log") as logs:
        await until(lambda: len(logs) == len(LINES) + 1 and not logs.left)
        assert set(await bodies(logs)) == {*LINES, "the newest"}
        first = [record.body for record in await records_of(logs) if record.source == "log.1.gz"]
        assert first == LINES


@pytest.mark.parametrize("name", sorted(PACK))
async def test_what_is_cut_off_is_shown_as_far_as_it_goes_and_said(name: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    packed = bz2.compress(TEXT, 1) if name == "bz2" else PACK[name](TEXT)
    path.write_bytes(packed[: len(packed) // 2])
    async with reading(path) as logs:
        await until(lambda: bool(logs.troubles) and not logs.left)
        assert "cut off" in logs.troubles[0]
        await asyncio.sleep(0.2)
        found = await bodies(logs)
        assert len(found) > 5_000
        assert found[:-1] == LINES[: len(found) - 1]
        with path.open("ab") as rest:
            rest.write(packed[len(packed) // 2 :])
        await until(lambda: len(logs) == len(LINES))
        assert await bodies(logs) == LINES


async def test_damage_is_said_and_what_came_before_stays(tmp_path: Path) -> None:
    path = tmp_path / "log.xz"
    path.write_bytes(lzma.compress(b"one\ntwo\n") + lzma.compress(TEXT)[:40] + b"\0" * 4_000)
    async with reading(path) as logs:
        await until(lambda: bool(logs.troubles))
        assert "can't be decompressed" in logs.troubles[0]
        await until(lambda: len(logs) == 2)
        assert await bodies(logs) == ["one", "two"]


async def test_a_pipe_is_followed_while_it_comes(pipe: tuple[str, int], tmp_path: Path) -> None:
    path, into = pipe
    async with reading(path, folder=tmp_path) as logs:
        assert (len(logs), logs.names) == (0, ["stdin"])
        os.write(into, b"one\ntw")
        await until(lambda: len(logs) == 2)
        os.write(into, b"o\nthree\n")
        await until(lambda: len(logs) == 3)
        assert await bodies(logs) == ["one", "two", "three"]
        sent = 0
        while sent < len(TEXT):
            try:
                sent += os.write(into, TEXT[sent : sent + 65_536])
            except BlockingIOError:
                await asyncio.sleep(0.001)
        await until(lambda: len(logs) == len(LINES) + 3)
        assert (await bodies(logs))[3:] == LINES


async def test_a_compressed_stream_is_one_as_well(pipe: tuple[str, int]) -> None:
    path, into = pipe
    async with reading(path) as logs:
        packed = gzip.compress(b"one\ntwo\n")
        for start in range(0, len(packed), 3):
            os.write(into, packed[start : start + 3])
            await asyncio.sleep(0.002)
        await until(lambda: len(logs) == 2)
        assert await bodies(logs) == ["one", "two"]


async def test_a_named_pipe_may_get_one_writer_after_another(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    async with reading(path) as logs:
        for number in range(3):
            into = -1
            async with asyncio.timeout(10):
                while into < 0:
                    try:
                        into = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
                    except OSError:
                        await asyncio.sleep(0.01)  # nobody reads it yet
            os.write(into, f"from {number}\n".encode())
            os.close(into)
            await until(lambda number=number: len(logs) == number + 1)  # type: ignore[misc]
        assert await bodies(logs) == ["from 0", "from 1", "from 2"]


async def test_what_was_read_of_a_pipe_outlives_the_process_that_read_it(pipe: tuple[str, int]) -> None:
    path, into = pipe
    async with reading(path) as logs:
        os.write(into, b"one\ntwo\n")
        await until(lambda: len(logs) == 2)
        process = logs._apart._process
        assert process is not None
        process.kill()
        await until(lambda: bool(logs.troubles))
        os.write(into, b"three\n")
        await until(lambda: len(logs) == 3)
        assert await bodies(logs) == ["one", "two", "three"]


@pytest.mark.parametrize("parts", [1, 300])
def test_the_oldest_of_a_stream_give_way_and_the_rest_keep_their_numbers(
    parts: int, pipe: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (layout, spool):
        monkeypatch.setattr(module, "FRAME", 512)
        monkeypatch.setattr(module, "RING", 2_048)
    monkeypatch.setattr(newest, "PIECE", 1_024)
    monkeypatch.setattr(newest, "FULL", 4_096)
    monkeypatch.setattr(scanner, "BEAT", 0.0)
    path, into = pipe
    store = FileStore([path], limit=4_000)
    view = store.view()
    logs = Logs(budget=1 << 20)
    reader = Scanner(logs, store.opened, open_all(logs, store.opened))
    data = TEXT[:60_000]
    numbers: dict[str, int] = {}
    for start in range(0, len(data), -(-len(data) // parts)):
        os.write(into, data[start : start + -(-len(data) // parts)])
        for _ in range(400 if parts == 1 else 3):
            store.told(told_of(framed(reader.step())[4:]))
        for number in range(store.first, store.end - 1):
            assert parts == 1 or numbers.setdefault(store[number].body, number) == number
        assert len(view) == len(store) == sum(store.histogram.totals)
        assert store.times(store.first, store.end) == sorted(store.times(store.first, store.end))
    found = [record.body for record in store.records(store.first, store.end)]
    assert parts == 1 or store.first > 400
    assert 3_000 < sum(map(len, found)) < 20_000
    assert "\n".join(found) == TEXT.decode()[60_000 - len("\n".join(found)) : 60_000]
    logs.close()
    store.close()


def test_a_folder_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(b"one\n"))
    (tmp_path / "data").write_text("a file")
    with pytest.raises(Exception, match="can't be kept there"):
        LogFiles([str(path)], folder=tmp_path / "data")
    with pytest.raises(UsageError, match="a device"):
        LogFiles(["/dev/null"])
