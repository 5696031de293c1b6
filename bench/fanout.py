"""One command on 100 hosts behind a bastion, against the slowest of them alone, and against plain parallel ssh."""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from bench.options import Options
from bench.report import Table, spread, verdict
from cockpit.actionlog.log import FILE, ActionLog
from cockpit.actions.command import Command
from cockpit.actions.executor import Executor
from cockpit.actions.ssh import SshRunning, SshTransport
from cockpit.config.settings import Settings, SshSettings
from cockpit.cost import Collector
from cockpit.fanout.fanout import FanOut
from cockpit.fanout.host import HostState
from cockpit.fanout.judging import GroupJudge, on_all
from cockpit.guard.guard import Guard
from cockpit.ssh.connections import Connections, connections_of
from cockpit.targets import SSH, Environment, Target, Targets
from tests.helpers.ssh_lab import SSHD, SshLab, ssh_lab

TIMES = 2.0
HOSTS = 100
LONGEST_S = 2.0
"""Seconds that the command takes on the slowest host; on the others it takes less, down to none."""


def run(options: Options) -> Table:
    """Run it on all, with connections to be made and with connections that stand, and on the slowest alone."""
    if SSHD is None or shutil.which("ssh") is None:
        sys.exit("this measurement needs sshd and ssh (Debian packages openssh-server, openssh-client)")
    folder = options.home / "fanout"
    folder.mkdir(parents=True)
    count = options.repeat(HOSTS, least=5)
    log = ActionLog.open(folder / "data" / FILE)
    collector = Collector()
    collector.begin()  # as a running cockpit does
    try:
        with ssh_lab(folder, target=f"SetEnv HOME={folder}") as lab:
            names = _named(lab, count)
            return asyncio.run(_Measure(lab, log, names, options).table())
    finally:
        collector.end()
        log.close()


def _named(lab: SshLab, count: int) -> list[str]:
    """Give one server many names; by an alias for its key, each has a connection of its own."""
    address, port = lab.target_ports["one"]
    names = [f"web-{number:03}" for number in range(count)]
    way = f"  HostName {address}\n  Port {port}\n  ProxyJump bastion\n"
    hosts = "".join(f"Host {name}\n{way}  HostKeyAlias {name}\n" for name in names)
    lab.config.write_text(hosts + lab.config.read_text())
    key = " ".join((lab.folder / "host_key.pub").read_text().split()[:2])
    with (lab.folder / "known_hosts").open("a") as known:
        known.write(f"web-* {key}\n")
    return names


class _Measure:
    def __init__(self, lab: SshLab, log: ActionLog, names: Sequence[str], options: Options) -> None:
        self._lab = lab
        self._log = log
        self._options = options
        self._names = names
        self._members = [
            Target(name=name, environment=Environment.DEVELOPMENT, transport=SSH) for name in names
        ]

    async def table(self) -> Table:
        """Measure in turns."""
        alone, cold, warm, peers = [], [], [], []
        await self._apart(self._members[:1])  # what is imported then is no host's doing
        for _ in range(self._options.repeat(3)):
            alone.append(await self._apart(self._members[-1:]))
            connections = self._connections()
            try:
                cold.append(await self._all(connections, self._members))
                warm.append(await self._all(connections, self._members))
            finally:
                await connections.close()
            peers.append(await self._parallel_ssh())
            self._options.noise.listen()
        slowest = statistics.median(alone)
        rows = [
            ["the slowest host alone, connection made, s", spread(alone), "", ""],
            *(
                [f"{len(self._names)} hosts, {what}, s", spread(took), *self._ratio(took, slowest)]
                for what, took in (("connections made", cold), ("connections that stand", warm))
            ),
            [
                f"{len(self._names)} hosts, ssh in parallel, connections made, s",
                spread(peers),
                f"{statistics.median(peers) / slowest:.2f}",
                "",
            ],
        ]
        notes = [
            f"{len(self._names)} names of one sshd behind one bastion, both on this machine, so that it does both "
            f"sides' cryptography; each name has a connection of its own through the bastion's. The command sleeps, "
            f"{LONGEST_S:g} s on the slowest host and evenly less on the others, down to none. Median "
            "(least–greatest), then times the slowest host alone.",
            "All hosts at once (`--parallel 100`), each judged and recorded. Parallel ssh: `ssh` for each name, all "
            "started at once, one shared connection to the bastion (ControlMaster).",
        ]
        return Table("Fan-out", ["what", "s", "times the slowest", "limit"], rows, notes)

    @staticmethod
    def _ratio(took: Sequence[float], slowest: float) -> tuple[str, str]:
        ratio = statistics.median(took) / slowest
        return f"{ratio:.2f}", verdict(round(ratio, 2), TIMES, "times")

    def _connections(self) -> Connections:
        return connections_of(Settings(ssh=SshSettings(config=str(self._lab.config))))

    async def _apart(self, members: Sequence[Target]) -> float:
        connections = self._connections()
        try:
            return await self._all(connections, members)
        finally:
            await connections.close()

    async def _all(self, connections: Connections, members: Sequence[Target]) -> float:
        """Run it on hosts, all at once, and return the seconds until the last has ended."""

        async def go_on(*_: object) -> bool:
            return True

        judge = GroupJudge(Guard(Targets()))
        transport = _Sleeping(connections, self._seconds)
        executor = Executor(self._log, {SSH: transport}, judge=judge)
        fan = FanOut(executor, parallel=100, go_on=go_on)
        command = on_all(Command(argv=("sleep",), target=members[0], actor="bench"), "@web", members)
        began = time.perf_counter()
        await fan.run(command)
        took = time.perf_counter() - began
        failed = [host for host in fan.hosts if host.state is not HostState.DONE]
        assert not failed, f"{len(failed)} of {len(fan.hosts)} failed: {failed[0].error}"
        return took

    def _seconds(self, name: str) -> float:
        """Return how long the command takes on a host: evenly more from the first to the last."""
        longest = 0.2 if self._options.quick else LONGEST_S
        return longest * self._names.index(name) / max(1, len(self._names) - 1)

    async def _parallel_ssh(self) -> float:
        """Run `ssh` for every name at once."""
        config = self._lab.folder / "config-shared"
        path = self._lab.folder / "master"
        shared = f"Host bastion\n  ControlMaster auto\n  ControlPath {path}\n  ControlPersist 60\n"
        config.write_text(shared + self._lab.config.read_text())
        began = time.perf_counter()
        await self._ssh(config, "bastion", "true")  # the connection that the others share
        await asyncio.gather(
            *(self._ssh(config, name, f"sleep {self._seconds(name):.3f}") for name in self._names)
        )
        took = time.perf_counter() - began
        leaving = await asyncio.create_subprocess_exec(
            "ssh", "-F", str(config), "-O", "exit", "bastion", stderr=asyncio.subprocess.DEVNULL
        )
        await leaving.wait()
        return took

    @staticmethod
    async def _ssh(config: Path, name: str, line: str) -> None:
        process = await asyncio.create_subprocess_exec(
            "ssh", "-F", str(config), name, line,
            stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, env=dict(os.environ),
        )  # fmt: skip
        await process.wait()


class _Sleeping(SshTransport):
    """Has each host sleep for as long as it is to take."""

    def __init__(self, connections: Connections, seconds: Callable[[str], float]) -> None:
        super().__init__(connections)
        self._seconds = seconds

    async def start(self, command: Command) -> SshRunning:
        """Start the command on its host."""
        argv = ("sleep", f"{self._seconds(command.target.name):.3f}")
        return await super().start(replace(command, argv=argv))
