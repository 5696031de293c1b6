"""What a process and all that it started cost, as the kernel counts it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

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


class Peak:
    """The most memory that a process tree held (PSS: what processes share counts once), looked at ten times a second.

    Processes that come are found twice a second.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._most = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="peak of memory", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def most(self) -> float:
        """Return the most bytes up to now, now included."""
        self._look(family(self._pid))
        return self._most

    def _look_on(self) -> None:
        looks = 0
        tree: list[psutil.Process] = []
        while not self._ended.wait(0.1):
            if looks % 5 == 0:
                tree = family(self._pid)
            looks += 1
            self._look(tree)

    def _look(self, tree: list[psutil.Process]) -> None:
        held = sum(_proportional(process.pid) for process in tree)
        self._most = max(self._most, held)


def _proportional(pid: int) -> float:
    """Return a process's PSS in bytes (Linux; else 0)."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024.0
    except OSError:
        pass
    return 0.0
