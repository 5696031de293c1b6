"""The host where the cockpit runs: CPU, memory, disks, network, its busiest processes, systemd's troubled units.

Everything is read from psutil and from what Linux tells in /proc and /sys; what a system does not tell is left out.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from msgspec import Meta

from cockpit.errors import CockpitError, SourceError
from cockpit.signals import EMPTY, HealthSample, HealthState, Resource
from cockpit.source import Emit, Options, PollingSource, resource
from sources.support import systemd, vitals
from sources.support.interfaces import Interfaces
from sources.support.processes import ProcessTable
from sources.support.readings import Look
from sources.support.storage import DiskTraffic, FileSystems

FIRST = 0.15
"""Seconds between the first two looks: rates need two, and the operator wants the first numbers at once."""

Part = Literal["cpu", "memory", "disks", "network", "processes", "units"]

VIRTUAL = (
    "lo",
    "lo0",
    "veth*",
    "cali*",
    "cni*",
    "docker*",
    "br-*",
    "flannel*",
    "virbr*",
    "vnet*",
    "tap*",
    "ifb*",
)

READ_ONLY_IMAGES = ("squashfs", "iso9660", "erofs", "cramfs", "devfs", "autofs", "overlay")


class HostOptions(Options, frozen=True, kw_only=True):
    """What to look at on this host, and when it is trouble."""

    interval: float = 5.0
    """Seconds between two looks."""
    parts: tuple[Part, ...] = ("cpu", "memory", "disks", "network", "processes", "units")
    """What to look at; `cpu` includes load, pressure, file handles and uptime."""
    processes: Annotated[int, Meta(ge=0, le=500)] = 10
    """How many of the busiest processes to show: two thirds by CPU, the rest by memory."""
    slow_interval: float = 30.0
    """Seconds between two looks at systemd's units and the clock, which cost a process each."""
    ignore_filesystems: tuple[str, ...] = READ_ONLY_IMAGES
    """File system types that are not shown: images that are always full, and layers of containers."""
    ignore_mounts: tuple[str, ...] = (
        "/snap/*",
        "/var/lib/docker/*",
        "/var/lib/kubelet/*",
        "/run/*",
        "/etc/*",
        "/proc/*",
        "/sys/*",
        "/System/Volumes/*",
    )
    """Shell patterns of mount points that are not shown."""
    ignore_networks: tuple[str, ...] = VIRTUAL
    """Shell patterns of network interfaces that are not shown."""
    ignore_units: tuple[str, ...] = ()
    """Shell patterns of systemd units that are not shown."""
    thresholds: vitals.Thresholds = vitals.Thresholds()
    """From where a reading counts as degraded, and from where as down: `thresholds.disk = [85, 95]`."""
    host_name: str = ""
    """`host.name` of every sample; the machine's own name where empty."""


class HostSource(PollingSource[HostOptions]):
    """Health of the host where the cockpit runs."""

    kind = "host"
    summary = "this host: CPU, memory, disks, network, busiest processes, systemd units"
    options_type = HostOptions
    emits = frozenset({HealthSample})

    def __init__(self, name: str, options: HostOptions) -> None:
        super().__init__(name, options)
        limits = options.thresholds
        self._resource: Resource = EMPTY
        self._cpu = vitals.Cpu(limits)
        self._memory = vitals.Memory(limits)
        self._container = vitals.Container(limits)
        self._disks = FileSystems(
            ignore_types=options.ignore_filesystems, ignore_mounts=options.ignore_mounts, limit=limits.disk
        )
        self._traffic = DiskTraffic(limit=limits.disk_busy)
        self._network = Interfaces(
            ignore=options.ignore_networks, load=limits.network, errors=limits.network_errors
        )
        self._processes = ProcessTable(busiest=options.processes, limit=limits.process_memory)
        self._looked = 0.0
        self._slow: Sequence[HealthSample] = ()
        self._slow_task: asyncio.Task[Sequence[HealthSample]] | None = None
        self._slow_at = 0.0

    async def run(self, emit: Emit) -> None:
        """Poll for ever; what systemd is still being asked ends with it."""
        try:
            await super().run(emit)
        finally:
            await self._stop_asking()

    async def poll(self, emit: Emit) -> None:
        """Look once; the first time twice, for what is a rate, telling at once what is none."""
        if not self._looked:
            await emit.replace(HealthSample, await self._look())
            await asyncio.sleep(FIRST)
        await emit.replace(HealthSample, await self._look())

    async def check(self) -> str:
        """Look twice and say how many things there are to see."""
        try:
            await self._look()
            await asyncio.sleep(FIRST)
            samples = await self._look()
        finally:
            await self._stop_asking()
        if not samples:
            raise SourceError("nothing to look at", where=self.name, remedy="name at least one of `parts`")
        trouble = [sample.subject for sample in samples if sample.state is not HealthState.OK]
        return f"{len(samples)} subjects, " + (f"in trouble: {', '.join(trouble)}" if trouble else "all well")

    async def _look(self) -> list[HealthSample]:
        import psutil

        now = time.monotonic()
        self._resource = self._resource or resource(host=self.options.host_name or socket.gethostname())
        look = Look(
            at=time.time_ns(),
            elapsed=now - self._looked if self._looked else 0.0,
            resource=self._resource,
            source=self.name,
        )
        self._looked = now
        parts, limits = self.options.parts, self.options.thresholds
        cores = psutil.cpu_count() or 1
        samples: list[HealthSample] = []
        if "cpu" in parts:
            samples += self._tried(look, "cpu", lambda: self._cpu.look(look, cores=cores))
            samples += vitals.load(look, limits, cores=cores)
            samples += vitals.pressure(look, limits)
            samples += vitals.open_files(look, limits)
            samples += self._tried(look, "uptime", lambda: vitals.uptime(look))
        if "memory" in parts:
            samples += self._tried(look, "memory", lambda: self._memory.look(look))
        if {"cpu", "memory"} & set(parts):
            samples += self._container.look(look)
        await asyncio.sleep(0)
        if "disks" in parts:
            samples += self._tried(look, "disks", lambda: self._disks.look(look))
            samples += self._tried(look, "disk io", lambda: self._traffic.look(look))
        if "network" in parts:
            samples += self._tried(look, "network", lambda: self._network.look(look))
        if "processes" in parts and self.options.processes:
            await asyncio.sleep(0)
            samples += await self._processes.look(look, cores=cores, memory=psutil.virtual_memory().total)
        if "units" in parts and systemd.RUNNING.exists():
            samples += self._slow_parts(look)
        return samples

    def _tried(
        self, look: Look, subject: str, part: Callable[[], Sequence[HealthSample]]
    ) -> Sequence[HealthSample]:
        """Return a part's samples; one that this system keeps from us is unknown, and the others go on."""
        import psutil

        try:
            return part()
        except (OSError, NotImplementedError, psutil.Error) as error:
            reason = f"can't be read: {error}"
            return [look.sample(subject, "host", state=HealthState.UNKNOWN, reason=reason)]

    async def _stop_asking(self) -> None:
        """End what systemd is still being asked."""
        if self._slow_task is not None:
            self._slow_task.cancel()
            await asyncio.gather(self._slow_task, return_exceptions=True)
            self._slow_task = None

    def _slow_parts(self, look: Look) -> Sequence[HealthSample]:
        """Return what systemd last told, and ask it again when that is old; a look never waits for it."""
        if self._slow_task is not None and self._slow_task.done():
            self._slow, self._slow_task = self._slow_task.result(), None
        if self._slow_task is None and (
            not self._slow_at or self._looked - self._slow_at >= self.options.slow_interval
        ):
            self._slow_at = self._looked
            self._slow_task = asyncio.create_task(self._ask_systemd(look))
        return self._slow

    async def _ask_systemd(self, look: Look) -> Sequence[HealthSample]:
        timeout = self.options.timeout
        try:
            units = await systemd.troubled_units(look, timeout=timeout, ignored=self.options.ignore_units)
            return [*units, await systemd.clock(look, timeout=timeout)]
        except CockpitError as error:
            return [look.sample("units", "host", state=HealthState.UNKNOWN, reason=str(error))]
