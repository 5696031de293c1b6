"""Hosts looked at over real SSH through a bastion: well, on BusyBox, cut off, hung, and talking nonsense."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cockpit.errors import SourceError
from cockpit.remote import Carrier
from cockpit.signals import HealthState
from cockpit.ssh.connections import Connections
from cockpit.testing import check_source
from sources.remote_host import RemoteHostOptions, RemoteHostSource
from tests.helpers.ssh_lab import SshLab
from tests.live.collect import Collected
from tests.live.hosts import WELL, running, two_does, until
from tests.live.servers import program


def hosts(connections: Connections, *names: str, **options: object) -> RemoteHostSource:
    wanted = {"interval": 0.3, "timeout": 2.0, "hosts": names or ("one", "two"), **options}
    source = RemoteHostSource("hosts", RemoteHostOptions(**wanted))  # type: ignore[arg-type]
    source.remote = Carrier(connections)
    return source


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
    assert sorted(hop.name for hop in connections.hops()) == ["bastion", "one", "two"], "one connection each"


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
        ("echo this account is closed >&2; exit 1", "this account is closed (exit status 1)"),
        ("sleep 60", "no answer within 0.5 s"),
        ("exec yes garbage", "longer than"),
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
        two_does(lab)
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


def test_doctor_and_snapshot_look_at_hosts(lab: SshLab, tmp_path: Path) -> None:
    two_does(lab)
    file = tmp_path / "cockpit.toml"
    file.write_text(
        f'default_sources = false\n[ssh]\nconfig = "{lab.config}"\n'
        '[[sources]]\nname = "pair"\nkind = "remote-host"\ninterval = 1\nhosts = ["one", "two"]\n'
        '[[sources]]\nname = "nowhere"\nkind = "remote-host"\nhosts = ["nowhere.invalid"]\n'
    )

    def cockpit(*argv: str) -> Any:
        command = [sys.executable, "-m", "cockpit", "--config", str(file), "--data-dir", str(tmp_path), *argv]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert done.stdout, done.stderr
        return msgspec.json.decode(done.stdout)

    found = {one["name"]: one for one in cockpit("doctor", "--json", "pair", "nowhere")}
    assert (found["pair"]["state"], found["pair"]["detail"]) == ("ok", "2 of 2 hosts answer")
    assert found["nowhere"]["state"] == "failed" and "nowhere.invalid" in found["nowhere"]["error"]
    seen = cockpit("snapshot", "--for", "3", "--json")
    states = {row["subject"]: row["state"] for row in seen["health"] if row["subject"].startswith("host ")}
    assert states == {"host one": "ok", "host two": "ok", "host nowhere.invalid": "down"}
