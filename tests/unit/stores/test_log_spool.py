"""A spool: what was written is read at any place, in bounds, whoever writes and whoever reads."""

from __future__ import annotations

import os
import random
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.errors import CockpitError
from cockpit.stores.logs.files.opened import Change
from cockpit.stores.logs.spool import frames, layout, spool
from cockpit.stores.logs.spool.frames import FrameFile, private_file
from cockpit.stores.logs.spool.spool import SpoolReader, SpoolWriter, new_spool, open_writer


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let frames be small."""
    for module in (layout, spool):
        monkeypatch.setattr(module, "FRAME", 256)
        monkeypatch.setattr(module, "RING", 1024)


def made(folder: Path, limit: int = 1 << 20) -> tuple[SpoolReader, SpoolWriter]:
    reader = new_spool(folder, "stream", limit=limit)
    return reader, open_writer(reader.name)


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(st.integers(0, 1500), max_size=20),
    asked=st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 3_000)), max_size=20),
)
def test_what_was_written_is_read_at_any_place(
    parts: list[int], asked: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    reader, writer = made(tmp_path_factory.mktemp("spool"))
    written = b""
    for number, size in enumerate(parts):
        data = noise(size // 2, number) + b"x" * (size - size // 2)
        writer.write(data)
        written += data
        assert reader.look() is (Change.GROWN if size else Change.NONE)
        assert reader.size == len(written)
        for offset, many in asked:
            assert reader.read(offset, many) == written[offset : offset + many]
    writer.close()
    reader.close()


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=60), limit=st.integers(400, 3_000))
def test_frames_give_way_oldest_first(
    sizes: list[int], limit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    fd = private_file(tmp_path_factory.mktemp("frames"))
    kept = FrameFile(fd, limit=limit, base=10)
    given_frames = [noise(size, number) for number, size in enumerate(sizes)]
    for number, frame in enumerate(given_frames):
        assert kept.append(frame) == number
        assert kept.bytes == sum(map(len, given_frames[kept.first : number + 1])) <= limit
        assert [kept.read(n) for n in range(kept.first, kept.end)] == given_frames[kept.first : number + 1]
        with pytest.raises(IndexError):
            kept.read(kept.first - 1)
    # No more than two frames' room is left unused once frames have had to go.
    if kept.first:
        assert kept.bytes + 2 * 400 >= limit - 400
    assert os.fstat(fd).st_size <= limit + 10
    os.close(fd)


def test_the_oldest_go_and_are_said_to_be_gone(tmp_path: Path) -> None:
    reader, writer = made(tmp_path, limit=2_000)
    data = noise(20_000)
    for start in range(0, len(data), 100):
        writer.write(data[start : start + 100])
    reader.look()
    assert len(data) - 3_300 < reader.begin < len(data) - 1_000
    assert reader.read(reader.begin, 1 << 20) == data[reader.begin :]
    with pytest.raises(CockpitError, match="was let go"):
        reader.read(reader.begin - 1, 10)
    writer.close()
    reader.close()


def test_what_is_older_than_the_age_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000]
    monkeypatch.setattr("cockpit.stores.logs.spool.spool.time.time_ns", lambda: now[0])
    reader = new_spool(tmp_path, "stream", limit=1 << 20)
    writer = SpoolWriter(os.open(reader.name, os.O_RDWR), age=500)
    writer.write(b"a" * 256)
    now[0] += 400
    writer.write(b"b" * 256)
    reader.look()
    assert reader.begin == 0
    now[0] += 200
    writer.write(b"c")
    reader.look()
    assert (reader.begin, reader.modified) == (256, 1_600)
    assert reader.read(256, 300) == b"b" * 256 + b"c"
    writer.close()
    reader.close()


def test_another_writer_goes_on_where_the_last_one_was(tmp_path: Path) -> None:
    reader, writer = made(tmp_path, limit=3_000)
    data = noise(30_000)
    for start in range(0, len(data), 777):
        writer.write(data[start : start + 777])
        writer.close()
        writer = open_writer(reader.name)
    reader.look()
    assert reader.read(reader.begin, 1 << 20) == data[reader.begin :]
    assert 0 < reader.begin < len(data) - 2_000
    writer.close()
    reader.close()


def test_the_file_has_no_name_and_is_nobody_elses(tmp_path: Path) -> None:
    reader, writer = made(tmp_path / "spools")
    assert list((tmp_path / "spools").iterdir()) == []
    assert os.stat(reader.name).st_mode & 0o077 == 0
    writer.close()
    reader.close()


@contextmanager
def no_larger_than(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_costs_the_oldest_and_is_told(tmp_path: Path) -> None:
    reader, writer = made(tmp_path, limit=1 << 20)
    data = noise(40_000)
    room = layout.read_header(reader._fd).at_frames + 3_000
    with no_larger_than(room):
        for start in range(0, len(data), 500):
            writer.write(data[start : start + 500])
    assert writer.trouble
    reader.look()
    assert len(data) - 3_300 < reader.begin < len(data) - 2_000
    assert reader.read(reader.begin, 1 << 20) == data[reader.begin :]
    writer.close()
    reader.close()


def test_a_disk_without_any_room_keeps_the_newest_bytes_and_counts(tmp_path: Path) -> None:
    reader, writer = made(tmp_path, limit=1 << 20)
    with no_larger_than(layout.read_header(reader._fd).at_frames):
        writer.write(noise(1_000))
    assert writer.lost == 768
    reader.look()
    assert reader.read(768, 1_000) == noise(1_000)[768:]
    with pytest.raises(CockpitError, match="was let go"):
        reader.read(0, 10)
    with no_larger_than(10), pytest.raises(CockpitError, match="no room"):
        new_spool(tmp_path, "stream", limit=1 << 20)
    writer.close()
    reader.close()


def test_a_reader_never_sees_what_was_not_written_while_it_is_written(tmp_path: Path) -> None:
    reader, writer = made(tmp_path, limit=4_000)
    block = bytes(range(256))
    data = block * 4_000
    problems: list[str] = []
    done = threading.Event()

    def read() -> None:
        place = random.Random(1)
        while not done.is_set():
            reader.look()
            offset = place.randrange(max(0, reader.size - 6_000), reader.size + 1)
            try:
                found = reader.read(offset, 700)
            except CockpitError as error:
                if "was let go" not in str(error):
                    problems.append(str(error))
                continue
            if found != data[offset : offset + len(found)]:
                problems.append(f"at {offset}")

    thread = threading.Thread(target=read)
    thread.start()
    for start in range(0, len(data), 300):
        writer.write(data[start : start + 300])
    done.set()
    thread.join()
    assert problems == []
    writer.close()
    reader.close()


def test_what_is_no_spool_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(noise(5_000))
    with pytest.raises(CockpitError, match="can't be read"):
        SpoolReader(os.open(path, os.O_RDONLY), "other")
    with pytest.raises(CockpitError, match="no such file"):
        open_writer(str(tmp_path / "none"))
    assert frames.FULL
