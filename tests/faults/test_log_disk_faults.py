"""Disks that fill, vanish or close themselves to us while log files are read: told, never a crash, nothing made up.

Each scenario runs in a process of its own, within a mount namespace where a small disk (a tmpfs) is mounted on its
folder: `python -m tests.faults.test_log_disk_faults SCENARIO FOLDER`.
"""

from __future__ import annotations

import asyncio
import bz2
import contextlib
import gzip
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from cockpit.errors import CockpitError
from cockpit.stores.logs.files import reading as process_reading
from cockpit.stores.logs.files.reading import LogFiles
from cockpit.stores.logs.ring.spill import Spill
from cockpit.stores.logs.store import LogStore
from tests.helpers.log_files import record_of, records_of
from tests.helpers.log_records import T0, record

MIB = 1 << 20
LINES = 30_000
"""Lines that take some 3 MiB compressed."""
CANT = 77
"""The exit status where nobody may mount here."""
WITH_DISK = 'mount -t tmpfs -o "size=$1" none "$2" || exit 77; shift; cd "$1" && shift && exec "$@"'
"""Has sh mount a disk of a size on a folder, and give way to a program there."""
LIMITED = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
"""Root then asks for permission like anyone."""


def line(number: int) -> str:
    minute, second = number // 60_000 % 60, number // 1000 % 60
    return f"2026-11-26T03:{minute:02}:{second:02}.{number % 1000:03}Z INFO line {number}\n"


def lines(start: int, end: int) -> str:
    return "".join(map(line, range(start, end)))


def noisy_lines(end: int) -> str:
    """Return lines that no compression makes smaller than half."""
    return "".join(f"{line(number)[:-1]} {os.urandom(200).hex()}\n" for number in range(end))


@contextlib.asynccontextmanager
async def reading(*paths: Path, folder: Path | None = None) -> AsyncIterator[LogFiles]:
    store = LogFiles([str(path) for path in paths], folder=folder)
    version = store.version
    store.start()
    try:
        await until(lambda: store.version != version, "the reader to have opened them")
        yield store
    finally:
        await store.stop()


async def until(true: Callable[[], object], what: str, seconds: float = 15.0) -> None:
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"waited {seconds:g} s for {what}")


def said(store: LogFiles) -> str:
    return " · ".join(store.notes)


async def numbers(store: LogFiles) -> list[int]:
    return [int(record.body.split()[-1]) for record in await records_of(store)]


async def last_body(store: LogFiles) -> str:
    return (await record_of(store, store.end - 1)).body


def reader(store: LogFiles) -> int:
    process = store._apart._process
    assert process is not None
    return process.pid


def fill(disk: Path, *, but: int = 0) -> Path:
    """Write a file until there is no room but so many bytes."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 65_536)
    os.truncate(filler, max(0, filler.stat().st_size - but))
    return filler


# Scenarios.


async def spool_fills(disk: Path) -> None:
    """A compressed log holds more than the disk beside it has room for."""
    log = disk.with_name("log.gz")
    log.write_bytes(gzip.compress(noisy_lines(LINES).encode(), 1))
    async with reading(log, folder=disk) as store:
        await until(lambda: "No space left" in said(store) and not store.left, "the disk to be full")
        assert "older lines give way" in said(store)
        while f"line {LINES - 1} " not in await last_body(store):
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        kept = [int(each.body.split()[2]) for each in (await records_of(store))[1:]]
        assert 2_000 < len(kept) < LINES - 2_000
        assert kept == list(range(LINES - len(kept), LINES))
    assert shutil.disk_usage(disk).used < 100_000, "the spool is still there"


async def spool_has_no_room(disk: Path) -> None:
    """The disk is full before anything is read."""
    log = disk.with_name("log.gz")
    log.write_bytes(gzip.compress(lines(0, 100).encode()))
    filler = fill(disk, but=MIB)
    try:
        LogFiles([str(log)], folder=disk)
    except CockpitError as error:
        assert "no room" in str(error)
        assert str(disk) in str(error)
        assert "--data-dir" in str(error)
    else:
        raise AssertionError("it was read without room")
    filler.unlink()
    async with reading(log, folder=disk) as store:
        await until(lambda: len(store) == 100, "the log, once there is room")


async def spool_can_not_be_written(disk: Path) -> None:
    """What is left of the spool can't be written at all, as on a disk that breaks."""
    pipe = disk / "pipe"
    os.mkfifo(pipe)
    async with reading(pipe, folder=disk) as store:
        with pipe.open("w") as writer:
            writer.write(lines(0, 100))
            writer.flush()
            await until(lambda: len(store) == 100, "the first lines")
            resource.prlimit(reader(store), resource.RLIMIT_FSIZE, (4096, 4096))
            writer.write(lines(100, 200))
            writer.flush()
            await until(lambda: "can't be kept" in said(store), "the trouble")
            assert "File too large" in said(store)
            assert await numbers(store) == list(range(100))


async def ring_spills(disk: Path) -> None:
    """Streamed records go to a disk that is full."""
    spill = Spill(disk, limit=1 << 30, age=1 << 62)
    late = T0 + (1 << 60)
    store = LogStore(capacity=1 << 30, memory=600_000, reorder=500, clock=lambda: late, spill=spill)
    for start in range(0, 40_000, 100):
        store.append(
            [record(f"line {n} {os.urandom(100).hex()}", n / 100) for n in range(start, start + 100)]
        )
        if start == 20_000:
            assert not store.notes
            assert store.first == 0
            fill(disk)
    assert ["No space left" in note for note in store.notes] == [True]
    assert 0 < store.first < 39_000
    kept = [int(each.body.split()[1]) for each in store.records(store.first, store.end)]
    assert kept == list(range(store.first, 40_000))
    assert store.bytes <= 600_000
    spill.close()


async def statement_has_no_room(disk: Path) -> None:
    """What a statement puts into temporary files has no room there."""
    log, packed, text = (disk.with_name(name) for name in ("log.json", "packed.json.bz2", "log"))
    log.write_text("".join(f'{{"n": {n}, "x": "{os.urandom(50).hex()}"}}\n' for n in range(20_000)))
    packed.write_bytes(bz2.compress(log.read_bytes()))
    text.write_text(noisy_lines(30_000))
    for sql, *argv in (
        ("select max(n) from logs", "-"),
        ("select max(n) from logs", str(packed)),
        ("select count(distinct body) from logs", str(text), "--memory=24M"),
    ):
        with log.open("rb") as opened:
            answer = subprocess.run(
                [sys.executable, "-m", "cockpit", "logs", "sql", sql, *argv],
                env={**os.environ, "TMPDIR": str(disk)},
                stdin=opened,
                capture_output=True,
                check=False,
            )
        told = answer.stderr.decode()
        assert answer.returncode == 1, told
        assert f"{disk}: the statement's temporary files can't be written: No space left" in told, told
        assert "TMPDIR" in told
        assert not answer.stdout
    assert not list(disk.iterdir())


async def log_grows_until_the_disk_is_full(disk: Path) -> None:
    """The writer of the log has no room in the middle of a line, then has it again."""
    log = disk / "log"
    log.write_text(lines(0, 1_000))
    async with reading(log) as store:
        filler = fill(disk, but=10_000)
        with log.open("ab", buffering=0) as writer:
            rest = lines(1_000, 2_000).encode()
            done = 0
            with contextlib.suppress(OSError):
                while done < len(rest):
                    done += writer.write(rest[done:])
            assert 0 < done < len(rest)
            whole = rest[:done].count(b"\n")
            await until(lambda: len(store) >= 1_000 + whole, "what there was room for")
            await asyncio.sleep(0.2)
            assert len(store) <= 1_001 + whole
            assert not store.troubles
            filler.unlink()
            writer.write(rest[done:])
        await until(lambda: len(store) == 2_000, "the rest")
        assert await numbers(store) == list(range(2_000))


async def disk_vanishes(disk: Path) -> None:
    """The disk is unmounted, lazily, under what is open; another one comes in its place."""
    log = disk / "log"
    log.write_text(lines(0, 50_000))
    packed = disk / "old.gz"
    packed.write_bytes(gzip.compress(lines(0, 100).encode()))
    async with reading(log, packed, folder=disk / "spools") as store:
        await until(lambda: len(store) == 50_100 and not store.left, "all records")
        subprocess.run(["umount", "-l", str(disk)], check=True)
        await until(lambda: "its name is gone" in said(store), "the loss")
        store._cache.clear()
        store._records.clear()
        assert "line 49999" in await last_body(store)
        assert "line 0" in (await record_of(store, store.first)).body
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(disk)], check=True)
        log.write_text(lines(60_000, 60_010))
        await until(lambda: len(store) == 50_110, "the log on the other disk")
        os.kill(reader(store), signal.SIGKILL)
        await until(lambda: len(store) == 10, "what is left for another reader")
        assert await numbers(store) == list(range(60_000, 60_010))
        assert "old.gz" in said(store)


async def permission_is_taken(folder: Path) -> None:
    """The log and its folder can't be opened any more, also by a reader that is new; then they can."""
    log = folder / "log"
    log.write_text(lines(0, 100))
    async with reading(log) as store:
        log.chmod(0)
        with log.open("a") if os.access(log, os.W_OK) else contextlib.nullcontext():
            pass
        await asyncio.sleep(0.2)
        assert not store.troubles, "what is open can still be read"
        log.rename(folder / "log.1")
        log.touch(0)
        await until(lambda: "you may not read it" in said(store), "another that may not be read")
        log.chmod(0o600)
        log.write_text(lines(100, 150))
        await until(lambda: len(store) == 150 and not store.troubles, "it, once it may be")
        folder.chmod(0)
        try:
            await until(lambda: "you may not" in said(store), "the folder to be closed")
            assert await numbers(store) == list(range(150))
            os.kill(reader(store), signal.SIGKILL)
            await until(lambda: not len(store), "a reader that may read nothing")
            await asyncio.sleep(0.5)
            assert "you may not read it" in said(store)
            assert "failed" not in said(store), "the reader was lost over it"
        finally:
            folder.chmod(0o700)
        await until(lambda: len(store) == 50 and not store.troubles, "the log, once it may be read again")
        log.chmod(0)
        os.kill(reader(store), signal.SIGKILL)
        await until(lambda: "you may not read it" in said(store) and not len(store), "a log that is closed")
        log.chmod(0o600)
        await until(lambda: len(store) == 50 and not store.troubles, "a log that is open again")


async def pipe_comes_while_there_is_no_reader(folder: Path) -> None:
    """The log becomes a pipe that nobody writes, and the reader is lost."""
    log = folder / "log"
    log.write_text(lines(0, 100))
    async with reading(log) as store:
        log.unlink()
        os.mkfifo(log)
        await until(lambda: "a pipe" in said(store), "the pipe to be told")
        os.kill(reader(store), signal.SIGKILL)
        await until(lambda: not len(store), "another beginning")
        await until(lambda: "a pipe" in said(store), "the pipe to be told again")
        log.unlink()
        log.write_text(lines(100, 150))
        await until(lambda: len(store) == 50 and not store.troubles, "the log that came")


SCENARIOS = {
    each.__name__: each
    for each in (
        spool_fills,
        spool_has_no_room,
        spool_can_not_be_written,
        ring_spills,
        statement_has_no_room,
        log_grows_until_the_disk_is_full,
        disk_vanishes,
        permission_is_taken,
        pipe_comes_while_there_is_no_reader,
    )
}


def ran(scenario: str, folder: Path, *prefix: str) -> None:
    folder.mkdir(exist_ok=True)
    answer = subprocess.run(
        [*prefix, sys.executable, "-m", "tests.faults.test_log_disk_faults", scenario, str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    if answer.returncode == CANT or b"unshare failed" in answer.stderr:
        pytest.skip("this machine lets nobody mount")
    assert answer.returncode == 0, answer.stderr.decode()


needs_disk = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"),
    reason="mounting a small disk needs root and unshare (Debian package util-linux)",
)


@needs_disk
@pytest.mark.parametrize(
    ("scenario", "size"),
    [
        (spool_fills, "6m"),
        (spool_has_no_room, "8m"),
        (spool_can_not_be_written, "40m"),
        (ring_spills, "8m"),
        (statement_has_no_room, "1m"),
        (log_grows_until_the_disk_is_full, "1m"),
        (disk_vanishes, "40m"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_disk_that_fills_or_vanishes(scenario: Callable[[Path], object], size: str, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    ran(scenario.__name__, disk, "unshare", "--mount", "sh", "-c", WITH_DISK, "sh", size, str(disk))


def test_a_log_that_may_not_be_read_any_more(tmp_path: Path) -> None:
    ran("permission_is_taken", tmp_path / "logs", *(LIMITED if os.geteuid() == 0 else ()))


def test_a_pipe_that_takes_the_place_of_a_log_while_there_is_no_reader(tmp_path: Path) -> None:
    ran("pipe_comes_while_there_is_no_reader", tmp_path / "logs")


if __name__ == "__main__":
    process_reading.FIRST_WAIT = 0.2
    asyncio.run(SCENARIOS[sys.argv[1]](Path(sys.argv[2])))
