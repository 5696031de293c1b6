"""What the machine is, and how steady: without its noise, no figure measured on it can be read."""

from __future__ import annotations

import os
import platform
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.report import percentile

LOOP = 200_000
LOOPS = 40
FEW_LOOPS = 2
"""How many are enough where figures mean nothing."""


def calibrate(loops: int = LOOPS) -> list[float]:
    """Time a fixed piece of work again and again; on a machine with nothing else to do, all times are alike."""
    times = []
    for _ in range(loops):
        began = time.perf_counter()
        sum(range(LOOP))
        times.append(time.perf_counter() - began)
        time.sleep(0.01)
    return times


class Noise:
    """How much the machine was disturbed over a run."""

    def __init__(self, loops: int = LOOPS) -> None:
        self._loops = loops
        self.samples: list[float] = []
        self.loads: list[float] = []

    def listen(self) -> None:
        """Calibrate once more, and note the load average."""
        self.samples += calibrate(self._loops)
        self.loads.append(os.getloadavg()[0])

    def line(self) -> str:
        """Say it in one line."""
        least = min(self.samples)
        return (
            f"A fixed loop took {percentile(self.samples, 0.5) / least:.2f} times its best at the median and "
            f"{percentile(self.samples, 0.99) / least:.2f} times at p99 (1.00 is a machine left alone); "
            f"load average over a minute {min(self.loads):.1f} to {max(self.loads):.1f}."
        )


def describe() -> str:
    """Return the machine in one line."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC · {_processor()} · {os.cpu_count()} cores · {platform.system()} "
        f"{platform.release().split('-')[0]} · Python {platform.python_version()} · Textual {version('textual')}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
