"""CPU, load, memory, swap, pressure and open files of this host, as health samples.

Each class keeps what it needs from the look before. What a system doesn't tell is left out, not invented.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from cockpit.signals import Attributes, HealthSample, HealthState
from sources.support.readings import NEVER, Limit, Look, Rates, duration, judge, size, worse

SMOOTHED = 6
"""Looks over which CPU is averaged before it is judged, so that one busy moment is no trouble."""

KILL_MEMORY = 600.0
"""Seconds for which an out-of-memory kill is still told."""


class Thresholds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From where a reading counts as degraded, and from where as down; `inf` for never."""

    cpu: Limit = (90.0, NEVER)
    """Percent of all cores, averaged over the last looks."""
    iowait: Limit = (40.0, NEVER)
    """Percent of CPU time spent waiting for disks."""
    steal: Limit = (15.0, NEVER)
    """Percent of CPU time that the hypervisor gave to others."""
    load: Limit = (2.0, NEVER)
    """Load average over five minutes, a core."""
    memory: Limit = (90.0, 97.0)
    """Percent of memory that can't be had without swapping."""
    swap: Limit = (80.0, NEVER)
    """Percent of swap in use."""
    disk: Limit = (90.0, 97.0)
    """Percent of a file system in use, of its blocks or of its inodes."""
    disk_busy: Limit = (95.0, NEVER)
    """Percent of the time that a disk had work."""
    pressure: Limit = (40.0, NEVER)
    """Percent of the last minute in which something waited for CPU, memory or disk (PSI)."""
    files: Limit = (80.0, 95.0)
    """Percent of the system's file handles in use."""
    network: Limit = (90.0, NEVER)
    """Percent of a network link's speed in use."""
    network_errors: Limit = (1.0, NEVER)
    """Errors a second on a network interface."""
    process_memory: Limit = (80.0, NEVER)
    """Percent of the host's memory that one process holds."""


class Cpu:
    """How busy the cores are, and with what."""

    def __init__(self, limits: Thresholds) -> None:
        self._limits = limits
        self._rates = Rates()
        self._busy: deque[float] = deque(maxlen=SMOOTHED)

    def look(self, look: Look, *, cores: int) -> list[HealthSample]:
        """Return `cpu`; nothing at the first look, for a share needs two."""
        import psutil

        return self.judged(look, psutil.cpu_times()._asdict(), cores=cores)

    def judged(self, look: Look, times: Mapping[str, float], *, cores: int) -> list[HealthSample]:
        """Return the same of the time that the cores spent on each kind of work, in any unit."""
        rates = self._rates(times, look.elapsed)
        # Linux counts a guest's time in user's as well: it isn't added twice.
        total = sum(rates[name] for name in rates if not name.startswith("guest")) if rates else 0.0
        if not rates or not total:
            return []
        share = {name: 100 * rate / total for name, rate in rates.items()}
        busy = 100 - share.get("idle", 0.0) - share.get("iowait", 0.0)
        self._busy.append(busy)
        mean = sum(self._busy) / len(self._busy)
        state, reason = judge(mean, self._limits.cpu), f"{busy:.0f} % of {cores} cores"
        if state is not HealthState.OK:
            reason = f"{mean:.0f} % busy over the last looks, {busy:.0f} % now"
        for name, limit, words in (
            ("iowait", self._limits.iowait, "{:.0f} % of the time waits for disks"),
            ("steal", self._limits.steal, "the hypervisor takes {:.0f} %"),
        ):
            part = share.get(name, 0.0)
            if (found := judge(part, limit)) is not HealthState.OK:
                state, reason = worse(state, found), f"{reason}; {words.format(part)}"
        details = {name: round(part, 1) for name, part in share.items()} | {"cores": cores}
        return [look.sample("cpu", "host", state=state, reason=reason, value=round(busy, 1), unit="%",
                            details=details)]  # fmt: skip


def load(look: Look, limits: Thresholds, *, cores: int) -> list[HealthSample]:
    """Return `load`: the three load averages, judged a core over five minutes."""
    try:
        return judged_load(look, limits, os.getloadavg(), cores=cores)
    except OSError:
        return []


def judged_load(
    look: Look, limits: Thresholds, averages: tuple[float, float, float], *, cores: int
) -> list[HealthSample]:
    """Return the same of the three averages."""
    one, five, fifteen = averages
    state = judge(five / cores, limits.load)
    reason = f"{one:.2f} {five:.2f} {fifteen:.2f}"
    if state is not HealthState.OK:
        reason = f"{five / cores:.1f} a core over 5 min: more work waits than {cores} cores do ({reason})"
    details = {"1 min": one, "5 min": five, "15 min": fifteen, "per core": round(five / cores, 2)}
    return [look.sample("load", "host", state=state, reason=reason, value=round(one, 2), unit="{thread}",
                        details=details)]  # fmt: skip


class Memory:
    """Memory, swap, and what the kernel had to kill for want of it."""

    def __init__(self, limits: Thresholds, vmstat: str = "/proc/vmstat") -> None:
        self._limits = limits
        self._vmstat = vmstat
        self._kills: deque[tuple[int, int]] = deque(maxlen=64)
        self._killed = -1
        self._rates = Rates()

    def look(self, look: Look) -> list[HealthSample]:
        """Return `memory`, what was killed for want of it, and `swap` where there is some."""
        import psutil

        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        details = {name: int(count) for name, count in memory._asdict().items() if name != "percent"}
        return [
            self.used(look, memory.total, memory.available, details),
            *self.killed(look, _field(self._vmstat, "oom_kill")),
            *self.swapped(look, swap.total, swap.used, {"in": swap.sin, "out": swap.sout}),
        ]

    def used(self, look: Look, total: int, available: int, details: Attributes) -> HealthSample:
        """Return `memory`."""
        used = total - available
        percent = 100 * used / total if total else 0.0
        state = judge(percent, self._limits.memory)
        reason = f"{size(used)} of {size(total)} used"
        if state is not HealthState.OK:
            reason = f"{percent:.0f} % used: {size(available)} left"
        return look.sample("memory", "host", state=state, reason=reason, value=round(percent, 1), unit="%",
                           details=details)  # fmt: skip

    def swapped(self, look: Look, total: int, used: int, moved: Mapping[str, float]) -> list[HealthSample]:
        """Return `swap` where there is some; `moved` counts the bytes that went `in` and `out` so far."""
        return [self._swap(look, total, used, moved)] if total else []

    def _swap(self, look: Look, total: int, used: int, moved: Mapping[str, float]) -> HealthSample:
        rates = self._rates(moved, look.elapsed) or {"in": 0.0, "out": 0.0}
        percent = 100 * used / total
        state = judge(percent, self._limits.swap)
        reason = f"{size(used)} of {size(total)} used"
        if state is not HealthState.OK:
            reason = f"{percent:.0f} % used: {size(total - used)} left"
        if rates["in"] + rates["out"] >= 1:
            reason += f", {size(rates['in'])}/s in, {size(rates['out'])}/s out"
        return look.sample("swap", "host", state=state, reason=reason, value=round(percent, 1), unit="%",
                           details={"in": round(rates["in"]), "out": round(rates["out"])})  # fmt: skip

    def killed(self, look: Look, count: int | None) -> list[HealthSample]:
        """Return `oom kills`: how many processes were killed lately, by the kernel's counter in /proc/vmstat."""
        if count is None:
            return []
        if self._killed >= 0 and count > self._killed:
            self._kills.append((look.at, count - self._killed))
        self._killed = count
        oldest = look.at - int(KILL_MEMORY * 1e9)
        kills = sum(number for at, number in self._kills if at >= oldest)
        words = f"in the last {duration(KILL_MEMORY)}"
        reason = f"the kernel killed {kills} for want of memory {words}" if kills else f"none {words}"
        state = HealthState.DEGRADED if kills else HealthState.OK
        return [
            look.sample("oom kills", "host", state=state, reason=reason, value=float(kills), unit="{process}")
        ]


def pressure(look: Look, limits: Thresholds, root: Path = Path("/proc/pressure")) -> list[HealthSample]:
    """Return `pressure cpu`, `memory` and `io`: the share of the last minute in which something waited.

    The kernel's Documentation/accounting/psi.rst has the format; without PSI there is nothing to return.
    """
    return judged_pressure(look, limits, {name: _text(root / name) for name in WAITED_FOR})


WAITED_FOR = {"cpu": "a core", "memory": "memory", "io": "a disk"}
"""What something waits for in each of the kernel's files of pressure."""


def judged_pressure(look: Look, limits: Thresholds, texts: Mapping[str, str]) -> list[HealthSample]:
    """Return the same of the files' texts, by their names."""
    samples = []
    for name, waits_for in WAITED_FOR.items():
        lines = parse_pressure(texts.get(name, ""))
        if "some" not in lines:
            continue
        percent = lines["some"].get("avg60", 0.0)
        state = judge(percent, limits.pressure)
        reason = f"{percent:.0f} % of the last minute something waited for {waits_for}"
        details = {f"{line} {key}": number for line, keys in lines.items() for key, number in keys.items()}
        samples.append(look.sample(f"pressure {name}", "host", state=state, reason=reason, value=percent,
                                   unit="%", details=details))  # fmt: skip
    return samples


def parse_pressure(text: str) -> dict[str, dict[str, float]]:
    """Read a PSI file into {`some`: {`avg10`: 0.0, …}, `full`: …}; what isn't a number is left out."""
    lines: dict[str, dict[str, float]] = {}
    for line in text.splitlines():
        name, *pairs = line.split() or [""]
        for pair in pairs:
            key, _, number = pair.partition("=")
            try:
                lines.setdefault(name, {})[key] = float(number)
            except ValueError:
                continue
    return lines


def open_files(look: Look, limits: Thresholds) -> list[HealthSample]:
    """Return `file handles`: how many of the system's are in use (proc(5), sys/fs/file-nr)."""
    return judged_files(look, limits, _text(Path("/proc/sys/fs/file-nr")))


def judged_files(look: Look, limits: Thresholds, text: str) -> list[HealthSample]:
    """Return the same of the file's text."""
    numbers = text.split()
    if len(numbers) != 3 or not all(number.isdecimal() for number in numbers):
        return []
    used, most = int(numbers[0]) - int(numbers[1]), int(numbers[2])
    percent = 100 * used / most if most else 0.0
    # Many systems set the limit to the largest number there is: then only the count tells something.
    reason = f"{used:,} open" if most > 1 << 40 else f"{used:,} of {most:,} open"
    return [look.sample("file handles", "host", state=judge(percent, limits.files), reason=reason,
                        value=float(used), unit="{handle}", details={"limit": most})]  # fmt: skip


def uptime(look: Look) -> list[HealthSample]:
    """Return `uptime`: how long ago the host started."""
    import psutil

    seconds = max(0.0, look.at / 1e9 - psutil.boot_time())
    return [look.sample("uptime", "host", reason=f"started {duration(seconds)} ago", value=round(seconds),
                        unit="s")]  # fmt: skip


class Container:
    """The limits of the control group that this process lives in, as cgroup v2 shows them in a container."""

    def __init__(self, limits: Thresholds, root: Path = Path("/sys/fs/cgroup")) -> None:
        self._limits = limits
        self._root = root
        self._rates = Rates()

    def look(self, look: Look) -> list[HealthSample]:
        """Return `container memory` and `container cpu` where there are limits."""
        return [*self._memory(look), *self._cpu(look)]

    def _memory(self, look: Look) -> list[HealthSample]:
        most = _text(self._root / "memory.max").strip()
        current = _text(self._root / "memory.current").strip()
        if not most.isdecimal() or not current.isdecimal() or int(most) == 0:
            return []
        # What the kernel can drop at once isn't held against the container.
        used = max(0, int(current) - (_field(str(self._root / "memory.stat"), "inactive_file") or 0))
        percent = 100 * used / int(most)
        return [look.sample("container memory", "host", state=judge(percent, self._limits.memory),
                            reason=f"{size(used)} of its limit of {size(int(most))}",
                            value=round(percent, 1), unit="%")]  # fmt: skip

    def _cpu(self, look: Look) -> list[HealthSample]:
        quota, _, period = _text(self._root / "cpu.max").strip().partition(" ")
        stat = str(self._root / "cpu.stat")
        counters = {name: float(_field(stat, name) or 0) for name in ("usage_usec", "throttled_usec")}
        if not quota.isdecimal() or not period.isdecimal() or int(period) == 0 or int(quota) == 0:
            return []
        rates = self._rates(counters, look.elapsed)
        if rates is None:
            return []
        cores = int(quota) / int(period)
        percent = rates["usage_usec"] / 1e4 / cores
        held = min(100.0, rates["throttled_usec"] / 1e4)
        reason = f"{percent:.0f} % of its limit of {cores:g} cores"
        if held >= 1:
            reason += f", held back {held:.0f} % of the time"
        return [look.sample("container cpu", "host", state=judge(percent, self._limits.cpu), reason=reason,
                            value=round(percent, 1), unit="%")]  # fmt: skip


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _field(path: str, name: str) -> int | None:
    """Return the number behind a name in a file of `name number` lines, or None where it isn't told."""
    for line in _text(Path(path)).splitlines():
        key, _, number = line.partition(" ")
        if key == name and number.strip().isdecimal():
            return int(number)
    return None
