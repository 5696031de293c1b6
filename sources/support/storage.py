"""File systems and disks of this host: how full, how busy, and whether they answer at all."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct

from cockpit.signals import EMPTY, Attributes, HealthSample, HealthState
from sources.support.readings import Limit, Look, Rates, duration, judge, size, worse

REMOTE = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "lustre", "afs", "9p", "fuse.sshfs"}
)
"""File systems whose server may hang; they are asked on a thread that may hang with it."""

PATIENCE = 1.0
"""Seconds after which a remote file system that has not answered counts as hung."""

WAIT = 0.004
"""Seconds a look waits for a remote file system; most answer in less, the others' answer is for the next look."""


class Usage(Struct, frozen=True, gc=False):
    """What statvfs(3) tells of one file system: bytes and inodes."""

    total: int
    used: int
    free: int
    inodes: int
    inodes_free: int


def usage(path: str) -> Usage:
    """Return how full a file system is, `free` being what ordinary users may still take, as df(1) counts.

    Raises:
        OSError: The mount point can't be looked at.
    """
    stat = os.statvfs(path)
    return Usage(
        stat.f_blocks * stat.f_frsize,
        (stat.f_blocks - stat.f_bfree) * stat.f_frsize,
        stat.f_bavail * stat.f_frsize,
        stat.f_files,
        stat.f_favail,
    )


class _Asked(threading.Thread):
    """One question to a remote file system, on a thread that can be left behind."""

    def __init__(self, path: str, ask: Callable[[str], Usage]) -> None:
        super().__init__(name=f"statvfs {path}", daemon=True)
        self.path = path
        self._ask = ask
        self.since = time.monotonic()
        self.found: Usage | None = None
        self.failed = ""

    def run(self) -> None:
        try:
            self.found = self._ask(self.path)
        except OSError as error:
            self.failed = error.strerror or str(error)


class FileSystems:
    """Every mounted file system that holds data."""

    def __init__(
        self,
        *,
        ignore_types: Sequence[str],
        ignore_mounts: Sequence[str],
        limit: Limit,
        usage: Callable[[str], Usage] = usage,
    ) -> None:
        self._ignore_types = frozenset(ignore_types)
        self._ignore_mounts = tuple(ignore_mounts)
        self._limit = limit
        self._usage = usage
        self._asked: dict[str, _Asked] = {}

    def look(self, look: Look) -> list[HealthSample]:
        """Return `disk MOUNTPOINT` for each; a device mounted twice is told once."""
        import psutil

        samples: list[HealthSample] = []
        devices: set[str] = set()
        for part in psutil.disk_partitions(all=True):
            remote = part.fstype in REMOTE
            if not remote and not part.device.startswith("/") and part.fstype != "zfs":
                continue
            if part.fstype in self._ignore_types or part.device in devices or self._ignored(part.mountpoint):
                continue
            devices.add(part.device)
            samples.extend(self._look_at(look, part.mountpoint, part.device, part.fstype, remote=remote))
        return samples

    def _ignored(self, mount: str) -> bool:
        return any(fnmatchcase(mount, pattern) for pattern in self._ignore_mounts)

    def _look_at(
        self, look: Look, mount: str, device: str, fstype: str, *, remote: bool
    ) -> list[HealthSample]:
        details = {"system.device": device, "system.filesystem.type": fstype}
        try:
            answers = self._ask(mount) if remote else [self._usage(mount)]
        except TimeoutError as late:
            return [
                look.sample(
                    f"disk {mount}", "disk", state=HealthState.DOWN, reason=str(late), details=details
                )
            ]
        except PermissionError:
            return []
        except OSError as error:
            reason = f"can't be looked at: {error.strerror or error}"
            return [
                look.sample(f"disk {mount}", "disk", state=HealthState.DOWN, reason=reason, details=details)
            ]
        return [
            judged_disk(look, mount, found, self._limit, details=details) for found in answers if found.total
        ]

    def _ask(self, mount: str) -> list[Usage]:
        """Ask a remote file system; one that hangs is asked again only when it has answered.

        Returns:
            The answer; nothing while it may still come.

        Raises:
            TimeoutError: It does not answer; the message says for how long.
            OSError: It answered with an error.
        """
        asked = self._asked.get(mount)
        if asked is None:
            asked = self._asked[mount] = _Asked(mount, self._usage)
            asked.start()
            asked.join(WAIT)
        if asked.is_alive():
            waited = time.monotonic() - asked.since
            if waited < PATIENCE:
                return []
            raise TimeoutError(f"its server has not answered for {duration(waited)}")
        del self._asked[mount]
        if asked.found is None:
            raise OSError(0, asked.failed)
        return [asked.found]


def judged_disk(
    look: Look, mount: str, found: Usage, limit: Limit, *, details: Attributes = EMPTY
) -> HealthSample:
    """Return `disk MOUNTPOINT`, judged by its blocks and by its inodes."""
    reach = found.used + found.free
    percent = 100 * found.used / reach if reach else 100.0
    state = judge(percent, limit)
    reason = f"{size(found.free)} of {size(found.total)} left"
    if state is not HealthState.OK:
        reason = f"{percent:.0f} % full: {size(found.free)} left"
    if found.inodes:
        inodes = 100 * (1 - found.inodes_free / found.inodes)
        if (full := judge(inodes, limit)) is not HealthState.OK:
            state, reason = worse(state, full), f"{reason}; {inodes:.0f} % of its inodes are used"
    more = {
        "total": found.total,
        "used": found.used,
        "free": found.free,
        "inodes free": found.inodes_free,
    }
    return look.sample(f"disk {mount}", "disk", state=state, reason=reason, value=round(percent, 1),
                       unit="%", details={**details, **more})  # fmt: skip


class DiskTraffic:
    """What each disk reads and writes, and how much of the time it has work."""

    def __init__(self, *, limit: Limit) -> None:
        self._limit = limit
        self._rates: dict[str, Rates] = {}

    def look(self, look: Look) -> list[HealthSample]:
        """Return `disk io NAME` for each whole disk that did something since the host started."""
        import psutil

        samples = []
        counters = psutil.disk_io_counters(perdisk=True) or {}
        self._rates = {name: self._rates.get(name) or Rates() for name in counters}
        for name, counted in counters.items():
            if not counted.read_count + counted.write_count or not _whole(name):
                continue
            rates = self._rates[name](counted._asdict(), look.elapsed)
            if rates is not None:
                samples.append(self._sample(look, name, rates))
        return samples

    def _sample(self, look: Look, name: str, rates: dict[str, float]) -> HealthSample:
        read, written = rates["read_bytes"], rates["write_bytes"]
        reason = f"{size(read)}/s read, {size(written)}/s written"
        details = {"read": round(read), "written": round(written)}
        operations = rates["read_count"] + rates["write_count"]
        state = HealthState.OK
        if "busy_time" in rates:  # milliseconds, where the system counts them
            busy = min(100.0, rates["busy_time"] / 10)
            state = judge(busy, self._limit)
            reason += f", {busy:.0f} % busy"
            details["busy %"] = round(busy)
        if operations >= 1:
            wait = (rates.get("read_time", 0.0) + rates.get("write_time", 0.0)) / operations
            details |= {"operations": round(operations), "ms an operation": round(wait)}
            if state is not HealthState.OK:
                reason += f", {wait:.0f} ms an operation"
        return look.sample(f"disk io {name}", "disk", state=state, reason=reason,
                           value=round(read + written), unit="By/s", details=details)  # fmt: skip


def _whole(name: str) -> bool:
    """Tell a disk from its partitions and from loop and RAM devices, where sysfs knows."""
    block = Path("/sys/block")
    return (block / name / "device").exists() if block.is_dir() else True
