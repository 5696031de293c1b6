from __future__ import annotations

import asyncio
import contextlib
import struct
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from cockpit.errors import SourceError
from cockpit.signals import SECOND, Alert, HealthSample, LogRecord, Signal, level_name
from cockpit.source import TimeRange
from cockpit.testing import check_source
from sources.journald import JournaldOptions, JournaldSource

REMOTE = "/lib/systemd/systemd-journal-remote"
START = 1_795_472_123
ALWAYS = TimeRange(0, 1 << 62)


@pytest.fixture(autouse=True)
def programs() -> None:
    """Skip where no journal can be made."""
    if not Path(REMOTE).exists():
        pytest.skip("systemd-journal-remote is not installed (Debian package systemd-journal-remote)")


class Journal:
    """A real journal file, written by systemd's own program."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "test.journal"
        self._count = 0

    def write(self, *messages: str | bytes, **fields: str) -> None:
        """Add an entry a message, a second apart, with these fields."""
        exported = b"".join(self._entry(message, fields) for message in messages)
        subprocess.run(
            [REMOTE, "-o", str(self.path), "-"], input=exported, check=True, capture_output=True, timeout=20
        )

    def _entry(self, message: str | bytes, fields: dict[str, str]) -> bytes:
        self._count += 1
        told = {
            "__REALTIME_TIMESTAMP": str((START + self._count) * 1_000_000),
            "__MONOTONIC_TIMESTAMP": str(self._count),
            "_BOOT_ID": "1" * 32,
            "_HOSTNAME": "web-1",
            "PRIORITY": "6",
        } | fields
        text = "".join(f"{name}={value}\n" for name, value in told.items()).encode()
        raw = message.encode() if isinstance(message, str) else message
        return text + b"MESSAGE\n" + struct.pack("<Q", len(raw)) + raw + b"\n\n"

    def options(self, **more: object) -> JournaldOptions:
        return msgspec.convert({"files": [str(self.path)], "interval": 0.2} | more, JournaldOptions)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


class Collector:
    """An `Emit` that keeps what it is given."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self.quiet = 0

    async def __call__(self, batch: Sequence[Signal]) -> None:
        self.quiet += not batch
        self.records += [item for item in batch if isinstance(item, LogRecord)]

    async def replace(self, signal_type: type[Alert] | type[HealthSample], batch: Sequence[Signal]) -> None:
        raise AssertionError("a journal replaces nothing")

    @property
    def bodies(self) -> list[str]:
        return [record.body for record in self.records]

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(15):
            while not true():
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def following(source: JournaldSource, seen: Collector) -> AsyncIterator[None]:
    task = asyncio.create_task(source.run(seen))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_entries_are_followed_with_their_level_service_and_host(journal: Journal) -> None:
    journal.write(
        "refused", PRIORITY="3", _SYSTEMD_UNIT="shop.service", SYSLOG_IDENTIFIER="shop-bin", _PID="42"
    )
    seen = Collector()
    async with following(JournaldSource("journald", journal.options()), seen):
        await seen.until(lambda: len(seen.records) == 1)
        journal.write("WARN hot", SYSLOG_IDENTIFIER="kernel")
        await seen.until(lambda: len(seen.records) == 2)
        await seen.until(lambda: seen.quiet > 1)
    first, second = seen.records
    assert (first.at, first.body, level_name(first.level)) == ((START + 1) * SECOND, "refused", "error")
    assert first.resource == {"service.name": "shop", "host.name": "web-1"}
    assert first.attributes["process.pid"] == 42
    assert (level_name(second.level), second.resource["service.name"]) == ("warn", "kernel")


async def test_started_again_nothing_is_lost_and_nothing_repeated(journal: Journal) -> None:
    journal.write("1", "2")
    source, seen = JournaldSource("journald", journal.options()), Collector()
    async with following(source, seen):
        await seen.until(lambda: len(seen.records) == 2)
    journal.write("3", "4")
    async with following(source, seen):
        await seen.until(lambda: len(seen.records) == 4)
        journal.write("5")
        await seen.until(lambda: len(seen.records) == 5)
    assert seen.bodies == ["1", "2", "3", "4", "5"]


async def test_the_backlog_is_bounded(journal: Journal) -> None:
    journal.write(*[str(n) for n in range(50)])
    seen = Collector()
    async with following(JournaldSource("journald", journal.options(backlog=3)), seen):
        await seen.until(lambda: len(seen.records) >= 3)
    assert seen.bodies == ["47", "48", "49"]


async def test_units_and_priority_are_chosen_by_journalctl(journal: Journal) -> None:
    journal.write("a", _SYSTEMD_UNIT="a.service", PRIORITY="6")
    journal.write("b", _SYSTEMD_UNIT="b.service", PRIORITY="3")
    journal.write("c", _SYSTEMD_UNIT="b.service", PRIORITY="7")
    source = JournaldSource("journald", journal.options(units=["b.service"], priority="warning"))
    assert [record.body for record in await source.query_logs("", ALWAYS, 10)] == ["b"]


async def test_messages_of_any_bytes_and_sizes(journal: Journal) -> None:
    journal.write("two\nlines", b"no \xff text \x00\x1b[31m", "x" * 200_000, "after")
    seen = Collector()
    async with following(JournaldSource("journald", journal.options()), seen):
        await seen.until(lambda: len(seen.records) == 4)
    assert seen.bodies[0] == "two\nlines"
    assert seen.bodies[1].startswith("no \ufffd text")
    assert len(seen.bodies[2]) == 200_000  # hygiene bounds it before it reaches a store
    assert seen.bodies[3] == "after"


async def test_json_messages_give_their_fields_and_their_trace(journal: Journal) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    journal.write('{"level":"error","msg":"no","trace_id":"%s","n":1}' % trace)  # noqa: UP031
    (record,) = await JournaldSource("journald", journal.options()).query_logs("", ALWAYS, 10)
    assert (record.body, level_name(record.level), record.trace_id, record.attributes["n"]) == (
        "no",
        "error",
        trace,
        1,
    )


async def test_a_search_is_made_by_journalctl_itself(journal: Journal) -> None:
    journal.write(*[f"number {n} (a+b)" for n in range(100)], "NUMBER (A+B) last", "--option")
    source = JournaldSource("journald", journal.options())
    found = await source.query_logs('"(a+b)"', ALWAYS, 3)
    assert [record.body for record in found] == ["number 98 (a+b)", "number 99 (a+b)", "NUMBER (A+B) last"]
    within = TimeRange((START + 5) * SECOND, (START + 7) * SECOND)
    assert [record.body[:8] for record in await source.query_logs("number", within, 50)] == [
        "number 4",
        "number 5",
        "number 6",
    ]
    assert [record.body for record in await source.query_logs('"--option"', ALWAYS, 5)] == ["--option"]
    assert await source.query_logs("not there", ALWAYS, 5) == []
    found = await source.query_logs("number -/9[0-9]/ or option", ALWAYS, 4)
    assert [record.body for record in found] == [
        "number 88 (a+b)",
        "number 89 (a+b)",
        "NUMBER (A+B) last",
        "--option",
    ]
    assert await source.query_logs("", ALWAYS, 0) == []


async def test_a_journal_that_is_not_there_is_told(tmp_path: Path) -> None:
    options = msgspec.convert({"directory": str(tmp_path / "nowhere")}, JournaldOptions)
    with pytest.raises(SourceError, match="nowhere"):
        await JournaldSource("journald", options).run(Collector())
    with pytest.raises(SourceError, match="nowhere"):
        await JournaldSource("journald", options).check()


async def test_it_keeps_the_contract(journal: Journal) -> None:
    journal.write("x")
    report = await check_source(lambda: JournaldSource("journald", journal.options()), seconds=0.5)
    assert report.signals >= 1
    assert report.asked == ("query_logs",)


async def test_check_reads_the_newest_entry(journal: Journal) -> None:
    journal.write("x")
    assert "web-1" in await JournaldSource("journald", journal.options()).check()


async def test_no_process_is_left_behind(journal: Journal) -> None:
    journal.write("x")
    seen = Collector()
    async with following(JournaldSource("journald", journal.options()), seen):
        await seen.until(lambda: bool(seen.records))
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert f"--file={journal.path}" not in running


async def test_a_flood_of_entries_comes_whole(journal: Journal) -> None:
    journal.write(*[f"entry {n}" for n in range(5_000)])
    seen = Collector()
    async with following(JournaldSource("journald", journal.options(backlog=100_000)), seen):
        await seen.until(lambda: len(seen.records) >= 5_000)
    assert seen.bodies == [f"entry {n}" for n in range(5_000)]
