"""What the cockpit itself costs, for the verdict line, and how it keeps the garbage collector out of the way."""

from __future__ import annotations

import gc
import math
import os
import sys
import time
from pathlib import Path

YOUNG_EVERY, MIDDLE_EVERY, FULL_EVERY = 0.5, 2.0, 600.0
"""Seconds between two collections of each of the collector's generations: often and little, seldom and much."""
MANY = 2_500
"""New objects that are collected without waiting for that: their number decides how long it takes."""
SWITCH = 0.0002
"""Seconds that a thread may hold the interpreter while another waits for it.

From a key to its paint the screen's loop asks for the interpreter a dozen times, and each time the sources' thread
may be at work. Under full load a fifth of a millisecond took p99 from 48 to 40 ms as against a whole one, at no more
cost.
"""


class OwnCost:
    """The process's share of a core since it was last asked, and its resident memory."""

    def __init__(self) -> None:
        self._wall = time.monotonic()
        self._cpu = time.process_time()
        self._statm = Path("/proc/self/statm")
        self._page = os.sysconf("SC_PAGE_SIZE")

    def read(self) -> tuple[float, int]:
        """Return (cores used, resident bytes)."""
        wall, cpu = time.monotonic(), time.process_time()
        share = (cpu - self._cpu) / max(1e-6, wall - self._wall)
        self._wall, self._cpu = wall, cpu
        return share, self._resident()

    def _resident(self) -> int:
        try:
            return int(self._statm.read_bytes().split()[1]) * self._page
        except FileNotFoundError:  # no /proc: macOS
            import psutil

            resident: int = psutil.Process().memory_info().rss
            return resident


class Collector:
    """Keeps the garbage collector and the sources' thread from getting between a key press and its paint.

    Measured at 50,000 log lines a second: left to itself, the collector goes through all that is stored, for a tenth
    of a second and more; asked every half minute, it found 275,000 objects of the screen's (a strip of Textual's is
    part of a cycle) and took half a second. Asked at each tick that made many, it takes a millisecond or two.
    """

    def __init__(self) -> None:
        self._due = [math.inf, math.inf, math.inf]
        """Nothing is due before it has begun: a collection in the first frame's tick would take 25 ms."""

    def begin(self) -> None:
        """Set aside what start-up made, and take over from the automatic collection."""
        gc.collect()
        gc.freeze()
        gc.disable()
        sys.setswitchinterval(SWITCH)
        now = time.monotonic()
        self._due = [now + YOUNG_EVERY, now + MIDDLE_EVERY, now + FULL_EVERY]

    def idle(self) -> None:
        """Collect if it is due; called after a tick's work is done."""
        now = time.monotonic()
        for generation, every in ((2, FULL_EVERY), (1, MIDDLE_EVERY), (0, YOUNG_EVERY)):
            if now >= self._due[generation]:
                gc.collect(generation)
                self._due[generation] = now + every
                return
        if gc.get_count()[0] >= MANY and self._due[0] < math.inf:
            gc.collect(0)
            self._due[0] = now + YOUNG_EVERY

    def end(self) -> None:
        """Give collection back to the interpreter."""
        gc.enable()
        gc.unfreeze()
