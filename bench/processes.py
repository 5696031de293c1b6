"""What a process and all that it started cost, as the kernel counts it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil


def family(pid: int) -> list[psutil.Process]:
    """Return a process and its descendants that live."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def resident(pid: int) -> float:
    """Return the resident bytes of a process and its descendants; what they share counts for each."""
    return sum(_of(process, lambda each: each.memory_info().rss) for process in family(pid))


def unique(pid: int) -> float:
    """Return the bytes that would be free if the process and its descendants were gone (USS)."""
    return sum(_of(process, lambda each: each.memory_full_info().uss) for process in family(pid))


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process, of its descendants and of those of them that have ended."""
    return sum(_of(process, lambda each: sum(each.cpu_times()[:4])) for process in family(pid))


def waiting(pid: int) -> float:
    """Return the seconds that a process's main thread was ready to run and had no core (Linux; else 0)."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def _of(process: psutil.Process, measure: Callable[[psutil.Process], float]) -> float:
    try:
        return measure(process)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0


class Meter:
    """The share of a core that a process tree takes between two looks."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._wall, self._cpu = time.perf_counter(), cpu_seconds(pid)

    def share(self) -> float:
        """Return the share since the last call, or since the meter was made."""
        wall, cpu = time.perf_counter(), cpu_seconds(self.pid)
        share = (cpu - self._cpu) / (wall - self._wall)
        self._wall, self._cpu = wall, cpu
        return share
