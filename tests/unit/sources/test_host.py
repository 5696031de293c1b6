from __future__ import annotations

import asyncio
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import BadAnswer, SourceError
from cockpit.signals import Alert, HealthSample, HealthState, Signal
from sources.host import HostOptions, HostSource
from sources.support import storage, systemd, vitals
from sources.support.processes import parse_stat
from sources.support.readings import NEVER, Look, Rates, duration, judge, size

LOOK = Look(at=time.time_ns(), elapsed=5.0, resource={"host.name": "here"})


class Collector:
    """An `Emit` that keeps what it is given."""

    def __init__(self) -> None:
        self.looks: list[dict[str, HealthSample]] = []

    async def __call__(self, batch: Sequence[Signal]) -> None:
        raise AssertionError("a host replaces all it knows at every look")

    async def replace(self, signal_type: type[Alert] | type[HealthSample], batch: Sequence[Signal]) -> None:
        assert signal_type is HealthSample
        self.looks.append({item.subject: item for item in batch if isinstance(item, HealthSample)})


async def look(options: HostOptions, times: int = 1) -> dict[str, HealthSample]:
    source, collector = HostSource("host", options), Collector()
    for _ in range(times):
        await source.poll(collector)
    return collector.looks[-1]


@pytest.fixture
def spinner() -> Iterator[subprocess.Popen[bytes]]:
    """A process that keeps one core busy."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        yield process
        process.kill()


async def test_the_first_look_shows_the_host_within_a_third_of_a_second() -> None:
    started = time.monotonic()
    found = await look(HostOptions())
    assert time.monotonic() - started < 1.0  # 0.2 s alone; others share the machine
    assert {"cpu", "load", "memory", "uptime", "processes", "disk /"} <= set(found)
    assert {sample.resource["host.name"] for sample in found.values()} == {socket.gethostname()}
    assert 0 <= (found["cpu"].value or 0) <= 100
    assert 0 < (found["memory"].value or 0) < 100


async def test_a_busy_process_is_among_the_busiest_and_goes_when_it_ends(
    spinner: subprocess.Popen[bytes],
) -> None:
    source, collector = HostSource("host", HostOptions(parts=("processes",))), Collector()
    await asyncio.sleep(0.3)
    await source.poll(collector)
    await asyncio.sleep(0.3)
    await source.poll(collector)
    mine = [sample for sample in collector.looks[-1].values() if f"({spinner.pid})" in sample.subject]
    assert mine
    assert (mine[0].value or 0) > 10
    assert mine[0].kind == "process"
    spinner.kill()
    spinner.wait()
    await source.poll(collector)
    assert not [subject for subject in collector.looks[-1] if f"({spinner.pid})" in subject]


async def test_a_long_name_is_shown_whole(tmp_path: Path) -> None:
    (tmp_path / "a-name-of-more-than-fifteen").symlink_to(shutil.which("sleep") or "/bin/sleep")
    with subprocess.Popen([tmp_path / "a-name-of-more-than-fifteen", "30"]) as process:
        found = await look(HostOptions(parts=("processes",), processes=500), times=2)
        process.kill()
    assert f"process a-name-of-more-than-fifteen ({process.pid})" in found


async def test_no_more_processes_than_asked_for() -> None:
    found = await look(HostOptions(parts=("processes",), processes=3))
    assert sum(sample.kind == "process" for sample in found.values()) <= 3
    assert (found["processes"].value or 0) >= 1


async def test_limits_decide_the_state_and_the_reason_tells_what_is_left() -> None:
    limits = vitals.Thresholds(disk=(0.0, NEVER), memory=(0.0, 0.0))
    found = await look(HostOptions(parts=("disks", "memory"), thresholds=limits))
    assert found["disk /"].state is HealthState.DEGRADED
    assert "% full" in found["disk /"].reason
    assert "left" in found["disk /"].reason
    assert found["memory"].state is HealthState.DOWN


async def test_ignored_mounts_and_interfaces_are_not_shown() -> None:
    found = await look(HostOptions(parts=("disks", "network"), ignore_mounts=("*",), ignore_networks=("*",)))
    assert not [subject for subject in found if subject.startswith(("disk /", "network"))]


async def test_check_says_what_there_is_and_refuses_to_look_at_nothing() -> None:
    assert "subjects" in await HostSource("host", HostOptions(parts=("cpu", "memory"))).check()
    with pytest.raises(SourceError, match="parts"):
        await HostSource("host", HostOptions(parts=())).check()


def test_options_are_typed() -> None:
    read = msgspec.convert(
        {"thresholds": {"disk": [80, 95]}, "parts": ["disks"], "host_name": "db-1"}, HostOptions
    )
    assert read.thresholds.disk == (80, 95)
    with pytest.raises(msgspec.ValidationError, match="parts"):
        msgspec.convert({"parts": ["fans"]}, HostOptions)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")
def test_a_process_name_may_hold_anything() -> None:
    line = b"7 (a) b (c\xff)) R 1 " + b" ".join(str(n).encode() for n in range(2, 50))
    seen = parse_stat(line, tick=0.01, page=4096)
    assert seen is not None
    assert (seen.pid, seen.name, seen.state) == (7, "a) b (c\ufffd)", "R")
    own = parse_stat(Path("/proc/self/stat").read_bytes(), tick=0.01, page=4096)
    assert own is not None
    assert own.pid == os.getpid()


@given(st.binary(max_size=300))
def test_any_bytes_for_a_stat_line_are_read_or_refused(line: bytes) -> None:
    parse_stat(line, tick=0.01, page=4096)


@given(st.text(max_size=200))
def test_any_text_for_a_pressure_file_is_read(text: str) -> None:
    for keys in vitals.parse_pressure(text).values():
        assert all(isinstance(number, float) for number in keys.values())


def test_pressure_is_judged_by_its_last_minute(tmp_path: Path) -> None:
    (tmp_path / "io").write_text(
        "some avg10=80.00 avg60=55.50 avg300=9.00 total=1\nfull avg10=1.00 avg60=1.00\n"
    )
    (sample,) = vitals.pressure(LOOK, vitals.Thresholds(), tmp_path)
    assert (sample.subject, sample.state, sample.value) == ("pressure io", HealthState.DEGRADED, 55.5)
    assert sample.details["full avg60"] == 1.0


def test_what_the_kernel_killed_is_told_for_a_while(tmp_path: Path) -> None:
    vmstat = tmp_path / "vmstat"
    memory = vitals.Memory(vitals.Thresholds(), str(vmstat))

    def kills(count: int, later: float = 0) -> HealthSample:
        vmstat.write_text(f"nr_free_pages 1\noom_kill {count}\n")
        at = LOOK.at + int(later * 1e9)
        found = memory.look(Look(at=at, elapsed=5, resource={}))
        return next(sample for sample in found if sample.subject == "oom kills")

    assert kills(7).value == 0  # killed before we looked: not news
    assert kills(9, 5).value == 2
    assert kills(9, 300).state is HealthState.DEGRADED
    assert kills(9, 700).state is HealthState.OK


def test_a_containers_limits_are_read_where_there_are_any(tmp_path: Path) -> None:
    container = vitals.Container(vitals.Thresholds(), tmp_path)
    assert container.look(LOOK) == []
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("990000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 10000\n")
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "cpu.stat").write_text("usage_usec 0\nthrottled_usec 0\n")
    (memory,) = container.look(LOOK)
    assert (memory.subject, memory.value, memory.state) == ("container memory", 98.0, HealthState.DOWN)
    (tmp_path / "cpu.stat").write_text("usage_usec 1250000\nthrottled_usec 500000\n")
    cpu = container.look(LOOK)[1]
    assert cpu.value == 50.0  # a quarter of a core, of a limit of half a core
    assert "held back 10 %" in cpu.reason


def test_a_file_system_whose_server_hangs_is_told_until_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()

    def hanging(path: str) -> storage.Usage:
        answers.wait(30)
        return storage.usage(path)

    monkeypatch.setattr(storage, "PATIENCE", 0.1)
    systems = storage.FileSystems(ignore_types=(), ignore_mounts=(), limit=(101.0, NEVER), usage=hanging)

    def look_until(state: HealthState) -> HealthSample:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for sample in systems._look_at(LOOK, str(tmp_path), "server:/export", "nfs4", remote=True):
                if sample.state is state:
                    return sample
            time.sleep(0.01)
        raise AssertionError(f"never {state}")

    assert systems._look_at(LOOK, str(tmp_path), "server:/export", "nfs4", remote=True) == []
    assert "has not answered" in look_until(HealthState.DOWN).reason
    answers.set()
    assert (look_until(HealthState.OK).value or 0) > 0


def test_units_are_read_from_json_and_from_plain_columns() -> None:
    rows = '[{"unit":"a.service","load":"loaded","active":"failed","sub":"failed","description":"A b"}]'
    plain = "● a.service loaded failed failed A b\n"
    assert systemd.parse_units(rows) == systemd.parse_units(plain)
    assert systemd.parse_units("") == []
    with pytest.raises(BadAnswer):
        systemd.parse_units('[{"unit": ')


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(stat.S_IRWXU)


async def test_failed_units_are_down_and_restarting_ones_degraded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(
        tmp_path,
        "systemctl",
        "echo 'a.service loaded failed failed A'; echo 'b.service loaded activating auto-restart B'",
    )
    program(tmp_path, "timedatectl", "echo no")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    units = {s.subject: s for s in await systemd.troubled_units(LOOK, timeout=5)}
    assert units["unit a.service"].state is HealthState.DOWN
    assert units["unit b.service"].state is HealthState.DEGRADED
    assert units["units"].value == 1
    assert (await systemd.clock(LOOK, timeout=5)).state is HealthState.DEGRADED
    program(tmp_path, "systemctl", "echo 'Failed to connect to bus' >&2; exit 1")
    with pytest.raises(BadAnswer, match="bus"):
        await systemd.troubled_units(LOOK, timeout=5)


async def test_systemd_is_asked_beside_the_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "systemctl", "sleep 0.2; echo 'a.service loaded failed failed A'")
    program(tmp_path, "timedatectl", "echo yes")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(systemd, "RUNNING", tmp_path)
    source, collector = HostSource("host", HostOptions(parts=("units",), interval=0.05)), Collector()
    running = asyncio.create_task(source.run(collector))
    async with asyncio.timeout(10):
        while not collector.looks or "unit a.service" not in collector.looks[-1]:
            await asyncio.sleep(0.05)
    assert collector.looks[0] == {}
    assert collector.looks[-1]["clock"].state is HealthState.OK
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_check_leaves_nothing_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "systemctl", "sleep 60")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(systemd, "RUNNING", tmp_path)
    before = asyncio.all_tasks()
    await HostSource("host", HostOptions(parts=("cpu", "units"))).check()
    assert asyncio.all_tasks() == before


async def test_a_part_that_cannot_be_read_is_unknown_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import psutil

    def refuse(*_args: object, **_more: object) -> None:
        raise PermissionError(13, "Permission denied", "/proc/net/dev")

    monkeypatch.setattr(psutil, "net_io_counters", refuse)
    found = await look(HostOptions(parts=("network", "memory")))
    assert found["network"].state is HealthState.UNKNOWN
    assert "/proc/net/dev" in found["network"].reason
    assert found["memory"].state is not HealthState.UNKNOWN


@given(st.lists(st.floats(0, 1e12), min_size=2, max_size=20), st.floats(0.01, 1e4))
def test_a_rate_is_never_negative(counts: list[float], elapsed: float) -> None:
    rates = Rates()
    assert rates({"n": counts[0]}, elapsed) is None
    for count in counts[1:]:
        told = rates({"n": count}, elapsed)
        assert told is not None
        assert told["n"] >= 0


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (999, "999 B"), (1200, "1.2 kB"), (1.2e9, "1.2 GB"), (96e9, "96 GB"), (3e15, "3.0 PB")],
)
def test_sizes_in_words(count: float, words: str) -> None:
    assert size(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(5, "5 s"), (90, "1 min 30 s"), (7200, "2 h"), (90000, "1 d 1 h")]
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_limit_is_reached_at_its_number() -> None:
    assert [judge(v, (90.0, 97.0)) for v in (89.9, 90.0, 97.0)] == [
        HealthState.OK,
        HealthState.DEGRADED,
        HealthState.DOWN,
    ]
