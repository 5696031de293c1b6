"""The busiest processes of this host, at the price of one small read each.

Linux tells all that is needed in `/proc/PID/stat` (proc(5)): about 8 µs a process, a fifth of what psutil's
objects cost. Elsewhere psutil is asked.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from msgspec import Struct

from cockpit.signals import HealthSample, HealthState
from sources.support.readings import Limit, Look, judge, size

SLICE = 250
"""Processes read before others on the loop get their turn: about 2 ms."""


CUT = 15
"""Bytes of a name that the Linux kernel keeps."""


class Seen(Struct, frozen=True, gc=False):
    """One process as it was seen: CPU seconds since its start, resident bytes, state letter of proc(5)."""

    pid: int
    started: float
    name: str
    cpu: float
    resident: int
    state: str


class ProcessTable:
    """All processes and what each did since the look before."""

    def __init__(self, *, busiest: int, limit: Limit) -> None:
        self.busiest = busiest
        self.limit = limit
        self._before: dict[tuple[int, float], float] = {}

    async def look(self, look: Look, *, cores: int, memory: int) -> list[HealthSample]:
        """Return the busiest processes, and one sample about all of them.

        Args:
            look: The look these samples belong to.
            cores: The host's cores.
            memory: The host's memory in bytes.
        """
        seen: list[Seen] = []
        reader = _linux_processes() if Path("/proc/self/stat").exists() else _psutil_processes()
        while part := list(islice(reader, SLICE)):
            seen += part
            await asyncio.sleep(0)
        before, self._before = self._before, {(one.pid, one.started): one.cpu for one in seen}
        share = {one.pid: self._percent(one, before, look.elapsed) for one in seen}
        samples = [self._sample(look, one, share[one.pid], memory) for one in self._choose(seen, share)]
        samples.append(_census(look, seen, cores))
        return samples

    def _percent(self, one: Seen, before: dict[tuple[int, float], float], elapsed: float) -> float:
        earlier = before.get((one.pid, one.started))
        if earlier is None or elapsed <= 0:
            return 0.0
        return max(0.0, (one.cpu - earlier) / elapsed * 100)

    def _choose(self, seen: list[Seen], share: dict[int, float]) -> list[Seen]:
        """Return those with the most CPU, and in the last third of the places those with the most memory."""
        by_cpu = sorted(seen, key=lambda one: (-share[one.pid], -one.resident))
        by_memory = sorted(seen, key=lambda one: -one.resident)
        chosen = {one.pid: one for one in by_cpu[: self.busiest - self.busiest // 3]}
        for one in by_memory:
            if len(chosen) >= self.busiest:
                break
            chosen.setdefault(one.pid, one)
        return list(chosen.values())

    def _sample(self, look: Look, one: Seen, percent: float, memory: int) -> HealthSample:
        part = 100 * one.resident / memory if memory else 0.0
        state, name = judge(part, self.limit), full_name(one)
        reason = f"{percent:.0f} % of a core, {size(one.resident)}"
        if state is not HealthState.OK:
            reason += f", {part:.0f} % of this host's memory"
        return look.sample(
            f"process {name} ({one.pid})",
            "process",
            state=state,
            reason=reason,
            value=round(percent, 2),
            unit="%",
            details={
                "process.pid": one.pid,
                "process.executable.name": name,
                "process.memory.usage": one.resident,
                "process.memory.percent": round(part, 2),
                "process.cpu.time": round(one.cpu, 2),
                "process.state": one.state,
            },
        )


def full_name(one: Seen) -> str:
    """Return a process's name, whole where Linux has cut it to 15 bytes and its command line begins with it.

    Nothing else of the command line is kept: it may hold secrets.
    """
    if len(one.name.encode()) < CUT:
        return one.name
    try:
        with Path(f"/proc/{one.pid}/cmdline").open("rb") as file:
            program = file.read(512).partition(b"\0")[0].rpartition(b"/")[2].decode("utf-8", "replace")
    except OSError:
        return one.name
    return program if program.startswith(one.name) else one.name


def _census(look: Look, seen: list[Seen], cores: int) -> HealthSample:
    """Return one sample about all processes: how many, how many wait for a disk, how many nobody buried."""
    waiting = sum(one.state == "D" for one in seen)
    zombies = sum(one.state == "Z" for one in seen)
    words = [f"{len(seen):,} processes"]
    if waiting:
        words.append(f"{waiting} stuck waiting for a disk")
    if zombies:
        words.append(f"{zombies} zombies")
    return look.sample(
        "processes",
        "host",
        state=HealthState.DEGRADED if waiting > max(8, 2 * cores) or zombies > 100 else HealthState.OK,
        reason=", ".join(words),
        value=float(len(seen)),
        unit="{process}",
        details={"blocked": waiting, "zombies": zombies},
    )


def _linux_processes() -> Iterator[Seen]:
    tick = 1 / os.sysconf("SC_CLK_TCK")
    page = os.sysconf("SC_PAGE_SIZE")
    for name in _entries("/proc"):
        if not name.isdigit():
            continue
        try:
            descriptor = os.open(f"/proc/{name}/stat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            line = os.read(descriptor, 2048)
        except OSError:
            continue
        finally:
            os.close(descriptor)
        seen = parse_stat(line, tick=tick, page=page)
        if seen is not None:
            yield seen


def _entries(folder: str) -> Iterable[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  a Path for each of 500 names costs more than reading them
    except OSError:
        return ()


def parse_stat(line: bytes, *, tick: float, page: int) -> Seen | None:
    """Read one `/proc/PID/stat` as proc(5) has it; None for a line that is cut or is none.

    Args:
        line: The file's content. The name stands in the outermost parentheses and may hold any byte.
        tick: Seconds a clock tick lasts.
        page: Bytes a page has.
    """
    left, right = line.find(b"("), line.rfind(b")")
    fields = line[right + 2 :].split()
    if left < 0 or right < left or len(fields) < 22:
        return None
    try:
        return Seen(
            int(line[:left]),
            int(fields[19]) * tick,
            line[left + 1 : right].decode("utf-8", "replace"),
            (int(fields[11]) + int(fields[12])) * tick,
            int(fields[21]) * page,
            fields[0].decode("ascii", "replace"),
        )
    except ValueError:
        return None


_LETTERS = {"disk-sleep": "D", "zombie": "Z", "running": "R", "sleeping": "S", "stopped": "T", "idle": "I"}


def _psutil_processes() -> Iterator[Seen]:
    import psutil

    for process in psutil.process_iter(["name", "cpu_times", "memory_info", "status", "create_time"]):
        info = process.info
        times, memory = info["cpu_times"], info["memory_info"]
        yield Seen(
            process.pid,
            info["create_time"] or 0.0,
            info["name"] or "?",
            times.user + times.system if times else 0.0,
            memory.rss if memory else 0,
            _LETTERS.get(info["status"] or "", "?"),
        )
