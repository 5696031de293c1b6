"""Hosts looked at over real SSH through a bastion: well, on BusyBox, cut off, hung, and talking nonsense."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from cockpit.config.settings import Settings, SshSettings
from cockpit.errors import SourceError
from cockpit.remote import Carrier
from cockpit.signals import HealthState
from cockpit.source import Source
from cockpit.ssh.connections import Connections, connections_of
from cockpit.testing import check_source
from sources.remote_host import RemoteHostOptions, RemoteHostSource
from tests.helpers.ssh_lab import SshLab, ssh_lab
from tests.live.collect import Collected
from tests.live.servers import program

WELL = 'eval "$SSH_ORIGINAL_COMMAND"\n'


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshLab]:
    program("sshd", "openssh-server")
    folder = tmp_path_factory.mktemp("lab")
    with ssh_lab(folder, target=f"ForceCommand . {folder}/force") as lab:
        yield lab


@pytest.fixture(autouse=True)
def well(lab: SshLab) -> None:
    """Let both targets do what they are asked; `two_does` changes that for the second."""
    (lab.folder / "force").write_text(WELL)


def two_does(lab: SshLab, what: str) -> None:
    text = f'case "$SSH_CONNECTION" in *" 127.0.0.3 "*) {what};; *) {WELL};; esac\n'
    if not lab.isolated:
        text = f'case "$SSH_CONNECTION" in *" {lab.target_ports["two"][1]}") {what};; *) {WELL};; esac\n'
    (lab.folder / "force").write_text(text)


@pytest.fixture
async def connections(lab: SshLab) -> AsyncIterator[Connections]:
    made = connections_of(Settings(ssh=SshSettings(config=str(lab.config))))
    yield made
    await made.close()


def hosts(connections: Connections, *names: str, **options: object) -> RemoteHostSource:
    wanted = {"interval": 0.3, "timeout": 2.0, "hosts": names or ("one", "two"), **options}
    source = RemoteHostSource("hosts", RemoteHostOptions(**wanted))  # type: ignore[arg-type]
    source.remote = Carrier(connections)
    return source


@contextlib.asynccontextmanager
async def running(source: Source[RemoteHostOptions], seen: Collected) -> AsyncIterator[None]:
    task = asyncio.create_task(source.run(seen))
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], object], *, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not come true"
        await asyncio.sleep(0.03)


def state(seen: Collected, subject: str) -> HealthState | None:
    return seen.health[subject].state if subject in seen.health else None


async def test_two_hosts_tell_their_vitals(connections: Connections) -> None:
    source, seen = hosts(connections, processes=3), Collected()
    async with running(source, seen):
        await until(lambda: {"cpu one", "cpu two", "disk / one"} <= seen.health.keys())
    for host in ("one", "two"):
        assert seen.health[f"host {host}"].state is HealthState.OK
        assert seen.health[f"host {host}"].reason.startswith("up ")
        memory = seen.health[f"memory {host}"]
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        assert memory.details["MemTotal"] == pytest.approx(total, rel=0.1)
        assert memory.resource == {"host.name": host} and memory.source == "hosts"
        disk = seen.health[f"disk / {host}"]
        assert disk.details["total"] == pytest.approx(shutil.disk_usage("/").total, rel=0.1)
        assert seen.health[f"cpu {host}"].details["cores"] == os.cpu_count()
        assert "busiest 1" in seen.health[f"cpu {host}"].details
        assert f"load {host}" in seen.health
    assert [hop.name for hop in connections.hops()] == ["bastion", "one", "two"], "one connection each"


async def test_it_keeps_the_contract(connections: Connections) -> None:
    assert await hosts(connections, "one").check()  # what is connected is not the source's, and stays
    report = await check_source(lambda: hosts(connections, "one"), seconds=1.0)
    assert report.answer == "1 of 1 hosts answer"


async def test_busybox_is_enough(lab: SshLab, connections: Connections, tmp_path: Path) -> None:
    busybox = program("busybox", "busybox")
    for applet in ("sh", "grep", "df", "cat", "printf"):
        (tmp_path / applet).symlink_to(busybox)
    two_does(lab, f'export PATH={tmp_path}; exec busybox sh -c "$SSH_ORIGINAL_COMMAND"')
    (tmp_path / "busybox").symlink_to(busybox)
    source, seen = hosts(connections, "two", processes=1), Collected()
    async with running(source, seen):
        await until(lambda: {"cpu two", "memory two", "load two", "disk / two"} <= seen.health.keys())
    assert seen.health["disk / two"].details["inodes free"]
    assert "busiest 1" in seen.health["cpu two"].details


async def test_a_cut_connection_is_told_and_comes_back(lab: SshLab, connections: Connections) -> None:
    source, seen = hosts(connections), Collected()
    async with running(source, seen):
        await until(lambda: {"cpu one", "cpu two"} <= seen.health.keys())
        lab.cut()
        await until(lambda: state(seen, "host one") is HealthState.DOWN)
        assert "lost" in seen.health["host one"].reason
        assert state(seen, "cpu one") is HealthState.UNKNOWN and seen.health["cpu one"].value is None
        await until(lambda: state(seen, "host one") is state(seen, "host two") is HealthState.OK)
        await until(lambda: seen.health["cpu one"].value is not None)  # how busy, this machine decides


@pytest.mark.parametrize(
    ("does", "says"),
    [
        ("echo no; exit 3", "exit status 3"),
        ("echo this account is closed >&2; exit 1", "this account is closed (exit status 1)"),
        ("sleep 60", "no answer within 0.5 s"),
        ("exec yes garbage", "longer than"),
        ('while read -r n q; do printf \'\\n@%s\\nnothing\\n@%s.\\n\' "$n" "$n"; done', "only Linux"),
        ("while read -r n q; do printf '\\n@%s\\n' 1234; printf '\\n@%s.\\n' \"$n\"; done", "no beginning"),
        ("kill -9 $$", "SIGKILL"),
    ],
)
async def test_a_host_in_trouble_is_told_and_harms_no_other(
    lab: SshLab, connections: Connections, does: str, says: str
) -> None:
    two_does(lab, does)
    source, seen = hosts(connections, timeout=0.5), Collected()
    async with running(source, seen):
        await until(lambda: state(seen, "host two") and state(seen, "cpu one"))
        before = seen.health["host one"].at
        await until(lambda: seen.health["host one"].at > before + 600_000_000)
        assert state(seen, "host one") is HealthState.OK
        assert seen.health["host two"].state is HealthState.DOWN
        assert says in seen.health["host two"].reason
        two_does(lab, WELL)
        await until(lambda: state(seen, "host two") is HealthState.OK)


async def test_df_that_hangs_leaves_the_rest(lab: SshLab, connections: Connections, tmp_path: Path) -> None:
    (tmp_path / "df").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "df").chmod(0o755)
    two_does(lab, f"PATH={tmp_path}:$PATH; {WELL}")
    source, seen = hosts(connections, "two", timeout=0.5), Collected()
    async with running(source, seen):
        await until(lambda: state(seen, "disks two") is HealthState.DOWN)
        assert "a file system hangs" in seen.health["disks two"].reason
        await until(lambda: "cpu two" in seen.health and state(seen, "host two") is HealthState.OK)
        assert seen.health["disks two"].state is HealthState.DOWN


async def test_a_host_that_can_not_be_reached_names_the_hop(connections: Connections) -> None:
    source, seen = hosts(connections, "one", "nowhere.invalid"), Collected()
    async with running(source, seen):
        await until(lambda: state(seen, "host nowhere.invalid") and state(seen, "host one"))
    assert seen.health["host nowhere.invalid"].state is HealthState.DOWN
    assert seen.health["host one"].state is HealthState.OK
    with pytest.raises(SourceError, match=r"1 of 2 hosts do not answer: nowhere\.invalid"):
        await source.check()
