"""Lines of busy files are parsed in a process of their own: real ones, over real files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import psutil
import pytest

from cockpit.errors import SourceError
from cockpit.formats.multiline import Joiner
from cockpit.formats.stream import LineParser
from cockpit.hygiene import clean
from cockpit.process import spawn
from cockpit.signals import Alert, HealthSample, LogRecord, Signal
from sources.files import FilesOptions, FilesSource
from sources.support import apart, parsing
from sources.support.apart import Apart
from sources.support.followed import Block, Followed

RUNNING = """
import asyncio, sys
from pathlib import Path
from sources.files import FilesOptions, FilesSource
from sources.support import parsing

parsing.BUSY, parsing.LOOK = 50, 0.1

class Deaf:
    async def __call__(self, batch): ...
    async def replace(self, kind, batch): ...

async def main():
    path = Path(sys.argv[1])
    source = FilesSource("files", FilesOptions(paths=(str(path),), interval=0.05))
    running = asyncio.create_task(source.run(Deaf()))
    while not source._parsing.apart:
        with path.open("a") as file:
            file.write("line\\n" * 100)
        await asyncio.sleep(0.02)
    print("apart", flush=True)
    await running

asyncio.run(main())
"""


class Seen:
    """An `Emit` that keeps what it is given."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []

    async def __call__(self, batch: Sequence[Signal]) -> None:
        await asyncio.sleep(0)
        self.records += [item for item in batch if isinstance(item, LogRecord)]

    async def replace(self, signal_type: type[Alert] | type[HealthSample], batch: Sequence[Signal]) -> None:
        """Leave the health row to other tests."""

    @property
    def bodies(self) -> list[str]:
        return [record.body for record in self.records]


class Writer:
    """Writes numbered lines, some hundreds a second."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        path.touch()

    def write(self, count: int) -> None:
        with self.path.open("a") as file:
            file.writelines(f"number {n}\n" for n in range(self.written, self.written + count))
        self.written += count

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not true():
                self.write(50)
                await asyncio.sleep(0.02)

    @property
    def wanted(self) -> list[str]:
        return [f"number {n}" for n in range(self.written)]


@pytest.fixture(autouse=True)
def soon_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some hundred lines a second are much here."""
    monkeypatch.setattr(parsing, "BUSY", 100)
    monkeypatch.setattr(parsing, "QUIET", 50)
    monkeypatch.setattr(parsing, "LOOK", 0.1)
    monkeypatch.setattr(parsing, "CALM", 0.4)


def make(*paths: Path, **more: object) -> FilesSource:
    fields = {"paths": [str(path) for path in paths], "interval": 0.05, "rescan": 0.1, "host_name": "here"}
    return FilesSource("files", msgspec.convert(fields | more, FilesOptions))


@contextlib.asynccontextmanager
async def following(source: FilesSource, seen: Seen) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(source.run(seen))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def processes(of: int | None = None) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process(of).children()
        if child.status() != psutil.STATUS_ZOMBIE and "sources.support.apart_process" in child.cmdline()
    ]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.02)


async def test_it_takes_over_and_gives_back_without_a_line_lost_or_told_twice(tmp_path: Path) -> None:
    writer, seen, source = Writer(tmp_path / "a.log"), Seen(), make(tmp_path / "a.log")
    async with following(source, seen):
        await writer.until(lambda: source._parsing.apart)
        (worker,) = processes()
        assert worker.nice() > psutil.Process().nice()
        here = len(seen.records)
        await writer.until(lambda: len(seen.records) > here + 1_000)
        await until(lambda: not source._parsing.apart)  # quiet for a while
        assert processes() == []
        writer.write(10)
        await until(lambda: len(seen.records) >= writer.written)
        await writer.until(lambda: source._parsing.apart)  # and busy again
        await until(lambda: len(seen.records) >= writer.written)
    assert seen.bodies == writer.wanted
    assert {tuple(record.attributes.items()) for record in seen.records} == {
        (("log.file.path", str(tmp_path / "a.log")),)
    }
    assert {tuple(record.resource.items()) for record in seen.records} == {
        (("service.name", "a"), ("host.name", "here"))
    }
    assert processes() == []


async def test_where_little_comes_there_is_no_process(tmp_path: Path) -> None:
    writer, seen, source = Writer(tmp_path / "a.log"), Seen(), make(tmp_path / "a.log")
    async with following(source, seen):
        for _ in range(20):
            writer.write(1)
            await asyncio.sleep(0.05)
            assert psutil.Process().children() == []
    assert seen.bodies == writer.wanted[: len(seen.bodies)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM])
async def test_when_it_dies_or_hangs_the_source_goes_on_by_itself(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "PATIENCE", 0.5)
    writer, seen, source = Writer(tmp_path / "a.log"), Seen(), make(tmp_path / "a.log")
    async with following(source, seen):
        await writer.until(lambda: source._parsing.apart)
        (worker,) = processes()
        writer.write(20_000)  # some of it is with the process when that happens
        await asyncio.sleep(random.uniform(0, 0.1))
        worker.send_signal(number)
        await writer.until(lambda: not source._parsing.apart)
        await until(lambda: len(seen.records) >= writer.written)
        assert processes() == []  # the next one waits
    assert seen.bodies == writer.wanted


async def test_a_record_of_several_lines_survives_the_hand_over_and_the_death(tmp_path: Path) -> None:
    log, source, seen = tmp_path / "a.log", make(tmp_path / "a.log"), Seen()
    wanted = [f"2026-01-01T00:00:00Z ERROR {n}" + "\n  at some frame" * (n % 7) for n in range(60_000)]
    text = "\n".join(wanted).encode() + b"\n"
    log.touch()
    async with following(source, seen):
        await until(lambda: bool(source._following.files))
        place, killed = 0, False
        while place < len(text):
            with log.open("ab") as file:
                step = random.randrange(5_000, 30_000)
                file.write(text[place : place + step])
            place += step
            await asyncio.sleep(0.01)
            if not killed and len(seen.records) > 30_000:
                killed = True
                for worker in processes():
                    worker.kill()
        await until(lambda: len(seen.records) >= len(wanted))
    assert killed
    assert seen.bodies == [each.removeprefix("2026-01-01T00:00:00Z ") for each in wanted]


async def test_rotation_and_truncation_while_it_is_at_work(tmp_path: Path) -> None:
    writer, seen, source = Writer(tmp_path / "a.log"), Seen(), make(tmp_path / "*.log*")
    async with following(source, seen):
        await writer.until(lambda: source._parsing.apart)
        for turn in range(6):
            writer.write(3_000)
            if turn % 2:
                await until(lambda: len(seen.records) >= writer.written)
                writer.path.write_bytes(b"")
            else:
                writer.path.rename(tmp_path / f"a.log-{turn}")
                writer.path.touch()
            writer.write(100)
            await asyncio.sleep(0.3)
        assert source._parsing.apart
        await until(lambda: len(seen.records) >= writer.written)
        await asyncio.sleep(0.2)
    assert sorted(seen.bodies) == sorted(writer.wanted)


async def test_stopped_in_the_midst_it_ends_at_once_and_goes_on_there(tmp_path: Path) -> None:
    writer, seen, source = Writer(tmp_path / "a.log"), Seen(), make(tmp_path / "a.log")
    for _ in range(3):
        async with following(source, seen) as task:
            await writer.until(lambda: source._parsing.apart)
            writer.write(30_000)
            await asyncio.sleep(random.uniform(0.05, 0.3))
            began = asyncio.get_running_loop().time()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert asyncio.get_running_loop().time() - began < 0.6
        assert processes() == []
    async with following(source, seen):
        await until(lambda: len(seen.records) >= writer.written)
    assert seen.bodies == writer.wanted


async def test_stopped_while_it_starts_it_leaves_nothing(tmp_path: Path) -> None:
    writer, seen, source = Writer(tmp_path / "a.log"), Seen(), make(tmp_path / "a.log")
    async with following(source, seen):
        await writer.until(lambda: source._parsing._coming is not None)
    assert processes() == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_it_ends_when_the_cockpit_ends_however(tmp_path: Path, number: int) -> None:
    (tmp_path / "a.log").touch()
    env = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    cockpit = await spawn([sys.executable, "-c", RUNNING, str(tmp_path / "a.log")], env=env)
    assert cockpit.stdout is not None
    async with asyncio.timeout(20):
        assert await cockpit.stdout.readline() == b"apart\n"
    (worker,) = processes(cockpit.pid)
    os.kill(cockpit.pid, number)
    await cockpit.communicate()
    await until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)


def pieces(seed: int) -> Iterator[bytes]:
    """Yield what no log should hold, in whole lines of whole or broken texts."""
    chance = random.Random(seed)
    lines = [
        b"\x1b[31mred\x1b[0m \x07 tab\there",
        b"\xff\xfe\x80 broken \xe2\x82",
        b'{"msg":"\\ud800 alone","level":"warn","n":123456789012345678901234567890,"deep":{"a":[1,{}]}}',
        b'{"msg":"m","service":"\\u001b]0;x\\u0007","host":"h\\n","trace_id":"' + b"ab" * 16 + b'"}',
        b'{"message":"' + b"x" * 70_000 + b'","k":"' + b"y" * 9_000 + b'"}',
        b"time=9999999999999999999 level=error msg=far",
        b'<13>1 2026-01-01T00:00:00Z host app 12 id [x a="b"] \xef\xbb\xbfbody',
        b"Jan  1 00:00:00 host tag[12]: body",
        b"  indented",
        b"",
        b"\r",
        b"Traceback (most recent call last):",
        b"ValueError: trace_id=" + b"c" * 32,
        "\u202e right to left \u2028 line".encode(),
    ]
    for _ in range(40):
        noise = [chance.randbytes(chance.randrange(60)).replace(b"\n", b"") for _ in range(5)]
        yield b"\n".join(chance.choices(lines + noise, k=chance.randrange(1, 30))) + b"\n"


async def test_hostile_bytes_give_the_very_records_that_they_give_here() -> None:
    def followed() -> Followed:
        parser = LineParser({"service.name": "s", "host.name": "h"}, {"log.file.path": "/a"}, source="files")
        return Followed("/a", parser, Joiner())

    helper, there, here = Apart("", joined=True), [followed(), followed()], [followed(), followed()]
    await helper.begin()
    try:
        for number, data in enumerate(pieces(7)):
            block, which = Block(data, last=number % 5 == 0), number % 2
            here[which].feed(block)
            wanted = [record for part in here[which].ready(1000) for record in part]
            helper.give(there[which], block, 1000)
            assert there[which].waiting
            assert clean(await helper.take())[0] == clean(wanted)[0]
            assert there[which].joiner.held == here[which].joiner.held
        helper.keep(there[:1])
        helper.give(there[1], Block(b"new again\n", last=True), 1000)
        helper.give(there[0], Block(b"the same\n", last=True), 1000)
        bodies = [record.body for _ in range(2) for record in await helper.take()]
        assert bodies[-1].endswith("the same")
        assert "new again" in bodies
    finally:
        await helper.end()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"\0\0\0\3abc", "truncated|malformed|Expected"),
        (b"\xff\xff\xff\xff", "too long"),
        (b"\0\0\0\x0a\x91", "has ended"),
        (b"", "has ended"),
    ],
)
async def test_a_program_that_answers_nonsense_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, said: bytes, why: str
) -> None:
    program = f"import sys; sys.stdout.buffer.write({said!r}); sys.stdout.flush()"
    monkeypatch.setattr(apart, "ARGV", (sys.executable, "-I", "-S", "-c", program))
    with pytest.raises(SourceError, match=why):
        await Apart("", joined=True).begin()


async def test_one_that_cannot_be_started_costs_nothing_but_a_line_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(apart, "ARGV", (str(tmp_path / "nowhere"),))
    writer, seen, source = Writer(tmp_path / "a.log"), Seen(), make(tmp_path / "a.log")
    async with following(source, seen):
        await writer.until(lambda: "nowhere" in caplog.text)
        await until(lambda: len(seen.records) >= writer.written)
    assert seen.bodies == writer.wanted
