"""Health of hosts over SSH, without an agent there: CPU, load, memory, disks, network, uptime.

On each host one shell stays, on one channel of the pooled connection. It is asked once an interval and answers with
lines of /proc and `df`, which are read here with the names and thresholds of the `host` source. It needs a POSIX
shell, `grep` and `df` there, which a bare Debian, Alpine or BusyBox has; nothing is written to the host.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import replace

from cockpit.errors import BadAnswer
from cockpit.signals import HealthSample, HealthState
from cockpit.source import Emit, RemoteProgram
from sources.support import remote_vitals
from sources.support.fleet import FleetOptions, FleetSource, StartAgain
from sources.support.interfaces import judged_link
from sources.support.readings import Look, Rates, duration, size
from sources.support.remote_shell import Late, RemoteShell
from sources.support.remote_vitals import Vitals, available, ignored, read_vitals
from sources.support.storage import judged_disk
from sources.support.vitals import (
    Cpu,
    Memory,
    Thresholds,
    judged_files,
    judged_load,
    judged_pressure,
)

LIMIT = 1 << 20
"""Bytes of one answer; thousands of processes fit."""
FIRST = 0.5
"""Seconds between the first two looks: rates need two, and the operator wants the first numbers at once."""
HUNG = 300.0
"""Seconds for which a host whose `df` hung is not asked for its disks."""
PAGE = 4096
TICKS = 100.0
"""Of a second, in which Linux tells CPU time wherever it is looked at from a program."""

Part = Literal["cpu", "memory", "disks", "network"]

VIRTUAL = ("lo", "veth*", "cali*", "cni*", "docker*", "br-*", "flannel*", "virbr*", "vnet*", "tap*", "ifb*")


class RemoteHostOptions(FleetOptions, frozen=True, kw_only=True):
    """Which hosts to look at, and when it is trouble."""

    parts: tuple[Part, ...] = ("cpu", "memory", "disks", "network")
    """What to look at; `cpu` includes load, pressure and file handles, `memory` swap."""
    processes: Annotated[int, Meta(ge=0, le=20)] = 0
    """How many of a host's busiest processes the details of its CPU name. An answer is then ten times as long."""
    disk_interval: Annotated[float, Meta(gt=0, le=86_400)] = 60.0
    """Seconds between two looks at disks."""
    ignore_mounts: tuple[str, ...] = (
        "/snap/*",
        "/var/lib/docker/*",
        "/var/lib/kubelet/*",
        "/run/*",
        "/etc/*",
    )
    """Shell patterns of mount points that are not shown."""
    ignore_networks: tuple[str, ...] = VIRTUAL
    """Shell patterns of network interfaces that are not shown."""
    thresholds: Thresholds = Thresholds()
    """From where a reading counts as degraded, and from where as down: `thresholds.disk = [85, 95]`."""


class _Host:
    """What is remembered of a host between two looks.

    Attributes:
        samples: What was told of it last, by subject.
    """

    def __init__(self, options: RemoteHostOptions) -> None:
        self.samples: dict[str, HealthSample] = {}
        self.disks: list[HealthSample] = []
        self.disks_after = 0.0
        self.begin(options)

    def begin(self, options: RemoteHostOptions) -> None:
        """Begin anew: counters of another life can't be compared."""
        self.cpu = Cpu(options.thresholds)
        self.memory = Memory(options.thresholds)
        self.links: dict[str, Rates] = {}
        self.ticks: dict[int, float] = {}
        self.uptime = 0.0
        self.first = True


class RemoteHostSource(FleetSource[RemoteHostOptions]):
    """Health of hosts over SSH."""

    kind = "remote-host"
    summary = "hosts over SSH, without an agent: CPU, memory, disks, network"
    options_type = RemoteHostOptions
    emits = frozenset({HealthSample})
    row = "host"

    def __init__(self, name: str, options: RemoteHostOptions) -> None:
        super().__init__(name, options)
        self._hosts: dict[str, _Host] = {}

    @property
    def stdin(self) -> bool:
        """The shell is asked."""
        return True

    def argv(self, host: str) -> Sequence[str]:
        """Return the shell that answers."""
        return remote_vitals.ARGV

    async def try_once(self, host: str, program: RemoteProgram) -> None:
        """Look once."""
        await self._look(host, RemoteShell(host, program))

    async def serve(self, host: str, program: RemoteProgram, emit: Emit) -> None:
        """Look once an interval, keeping the rhythm."""
        shell, loop = RemoteShell(host, program), asyncio.get_running_loop()
        self._host(host).begin(self.options)
        pause = FIRST
        while True:
            began = loop.time()
            vitals, took = await self._look(host, shell)
            await self._tell_all(host, emit, self._samples(host, vitals, took))
            if vitals.hung:
                raise StartAgain("the shell waits for `df`", where=host)
            await asyncio.sleep(max(0.05, pause - (loop.time() - began)))
            pause = self.options.interval

    async def lost(self, host: str, emit: Emit, reason: str) -> None:
        """Say that a host is down, and that nothing else is known of it."""
        known, own = self._host(host), f"{self.row} {host}"
        lost = [
            replace(
                sample,
                at=time.time_ns(),
                state=HealthState.UNKNOWN,
                value=None,
                reason=f"not known: {reason}",
            )
            for subject, sample in known.samples.items()
            if subject != own and sample.state is not HealthState.UNKNOWN
        ]
        if lost:
            known.samples = {sample.subject: sample for sample in lost}
            await emit(lost)
        await super().lost(host, emit, reason)

    def _host(self, host: str) -> _Host:
        if host not in self._hosts:
            self._hosts[host] = _Host(self.options)
        return self._hosts[host]

    async def _look(self, host: str, shell: RemoteShell) -> tuple[Vitals, float]:
        """Ask once; return what was said, and the seconds it took.

        Raises:
            CockpitError: There is no answer, or none of a Linux.
        """
        known, now = self._host(host), time.monotonic()
        question = "v" + ("p" if self.options.processes else "")
        if "disks" in self.options.parts and now >= known.disks_after:
            question += "d"
        try:
            number, answer = await shell.ask(question, timeout=self.options.timeout, limit=LIMIT)
            vitals = read_vitals(number, answer)
        except Late as late:
            vitals = self._without_disks(late)
            known.disks_after = now + HUNG
        if not vitals.times and not vitals.memory:
            raise BadAnswer(
                "it answers without /proc/stat and /proc/meminfo",
                where=host,
                remedy="only Linux can be looked at",
            )
        if vitals.disks is not None and not vitals.hung:
            known.disks_after = now + self.options.disk_interval - self.options.interval / 2
        return vitals, time.monotonic() - now

    @staticmethod
    def _without_disks(late: Late) -> Vitals:
        """Return what came before `df`, which hangs where a file system does.

        Raises:
            Late: Nothing did.
        """
        number = late.number
        if f"\n@{number} d\n".encode() not in late.partial:
            raise late
        vitals = read_vitals(number, late.partial)
        vitals.disks, vitals.hung = {}, True
        return vitals

    def _samples(self, host: str, vitals: Vitals, took: float) -> list[HealthSample]:
        """Return what a look tells; what is of use in trouble alone appears with the first trouble."""
        known, options = self._host(host), self.options
        if vitals.uptime < known.uptime:
            known.begin(options)
        elapsed = vitals.uptime - known.uptime if known.uptime else 0.0
        known.uptime = vitals.uptime
        look = Look(at=time.time_ns(), elapsed=elapsed, resource=self.resource(host), source=self.name,
                    suffix=f" {host}")  # fmt: skip
        cores = vitals.cores or 1
        shown: list[HealthSample] = []
        quiet: list[HealthSample] = []
        if "cpu" in options.parts and vitals.times:
            busiest = self._busiest(known, vitals, elapsed)
            for sample in known.cpu.judged(look, vitals.times, cores=cores):
                shown.append(replace(sample, details={**sample.details, **busiest}))
            if vitals.load is not None:
                shown += judged_load(look, options.thresholds, vitals.load, cores=cores)
            quiet += judged_pressure(look, options.thresholds, vitals.pressure)
            quiet += judged_files(look, options.thresholds, vitals.files)
        if "memory" in options.parts and vitals.memory:
            shown_memory, quiet_memory = self._memory(look, known, vitals)
            shown.append(shown_memory)
            quiet += quiet_memory
        if "disks" in options.parts:
            shown += self._disks(look, known, vitals)
        if "network" in options.parts:
            shown += self._network(look, known, vitals)
        shown += [one for one in quiet if one.state is not HealthState.OK or one.subject in known.samples]
        up = f"up {duration(vitals.uptime)}, answers in {took * 1000:.0f} ms"
        shown.append(look.sample("host", "host", reason=up, value=round(took, 4), unit="s"))
        return shown

    def _memory(self, look: Look, known: _Host, vitals: Vitals) -> tuple[HealthSample, list[HealthSample]]:
        memory, counts = vitals.memory, vitals.counts
        used = known.memory.used(look, memory.get("MemTotal", 0), available(memory), dict(memory))
        total = memory.get("SwapTotal", 0)
        moved = {"in": float(counts.get("pswpin", 0) * PAGE), "out": float(counts.get("pswpout", 0) * PAGE)}
        quiet = known.memory.killed(look, counts.get("oom_kill"))
        return used, quiet + known.memory.swapped(look, total, total - memory.get("SwapFree", 0), moved)

    def _disks(self, look: Look, known: _Host, vitals: Vitals) -> list[HealthSample]:
        if vitals.hung:
            reason = "`df` does not answer: a file system hangs"
            known.disks = [look.sample("disks", "disk", state=HealthState.DOWN, reason=reason)]
            return known.disks
        if vitals.disks is None:
            return [replace(sample, at=look.at) for sample in known.disks]
        known.disks = [
            judged_disk(look, mount, usage, self.options.thresholds.disk)
            for mount, usage in vitals.disks.items()
            if not ignored(mount, self.options.ignore_mounts)
        ]
        return known.disks

    def _network(self, look: Look, known: _Host, vitals: Vitals) -> list[HealthSample]:
        limits = self.options.thresholds
        samples = []
        for name, link in vitals.links.items():
            carried = link.counters.get("bytes_recv", 0.0) + link.counters.get("bytes_sent", 0.0)
            if not carried or ignored(name, self.options.ignore_networks):
                continue
            rates = known.links.setdefault(name, Rates())(link.counters, look.elapsed)
            if rates is not None:
                samples.append(judged_link(look, name, rates, speed=link.speed, up=link.up,
                                           load=limits.network, errors=limits.network_errors))  # fmt: skip
        return samples

    def _busiest(self, known: _Host, vitals: Vitals, elapsed: float) -> dict[str, str]:
        """Return the busiest processes in words, the busiest first."""
        ticks = {number: spent for number, (_, spent, _) in vitals.processes.items()}
        before, known.ticks = known.ticks, ticks
        if not before or elapsed <= 0:
            return {}
        shares = {
            number: (spent - before.get(number, 0.0)) / TICKS / elapsed * 100
            for number, spent in ticks.items()
        }
        first = sorted(shares, key=lambda number: -shares[number])[: self.options.processes]
        told = {}
        for place, number in enumerate(first, start=1):
            name, _, pages = vitals.processes[number]
            told[f"busiest {place}"] = (
                f"{name} ({number}): {shares[number]:.0f} % of a core, {size(pages * PAGE)}"
            )
        return told

    async def _tell_all(self, host: str, emit: Emit, samples: list[HealthSample]) -> None:
        """Hand over a look; where a subject of the host is gone, all that is known of all hosts."""
        known, fresh = self._host(host), {sample.subject: sample for sample in samples}
        gone = known.samples.keys() - fresh.keys()
        if gone and known.first:  # rates need two looks, so that what is not told yet need not be gone
            gone, fresh = set(), known.samples | fresh
        known.samples, known.first = fresh, False
        self._rows[host] = samples[-1]
        if not gone:
            await emit(samples)
            return
        everything = {
            sample.subject: sample for one in self._hosts.values() for sample in one.samples.values()
        }
        everything |= {row.subject: row for row in self._rows.values()}
        await emit.replace(HealthSample, list(everything.values()))
