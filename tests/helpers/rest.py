"""When a screen in a test has come to rest."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from time import monotonic, process_time, thread_time

import pytest

LOOK = 1 / 200
"""Seconds between two looks."""
QUIET = 1 / 100
"""Seconds that the process has to have been quiet for."""
SHARE = 1 / 20
"""The share of a core that counts as quiet; Textual's own wait has the same."""
TASKS = "/proc/self/task"
BUSY = (b"R", b"D")
"""The states of a thread that has a core, or waits for one or for a disk."""


class Rest:
    """Waits until this process has nothing more to do, as Textual's pilot does, and notices it sooner.

    Textual's wait is a sleep of 20 ms for as long as something is done meanwhile, and each key is waited for twice:
    most of the time of a test that presses keys. A shorter look may fall into a moment in which the process has no
    core, so the event loop is asked as well whether it has something to run, and the system whether a thread has.
    """

    def __init__(self) -> None:
        self._looks: deque[tuple[float, float]] = deque()
        self._own = 0.0

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Let Textual's pilot wait like this."""
        for module in ("app", "pilot"):
            patch.setattr(f"textual.{module}.wait_for_idle", self.wait)

    async def wait(self, min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
        """Wait until the process is quiet.

        Args:
            min_sleep: The least seconds that this takes.
            max_sleep: Seconds after which it is left at that.
        """
        began = monotonic()
        if self._looks and began - self._looks[-1][0] > 2 * LOOK:
            self._looks.clear()
        await asyncio.sleep(0)
        while not self._is_quiet() or monotonic() - began < min_sleep:
            if monotonic() - began >= max_sleep:
                break
            await asyncio.sleep(LOOK)

    def _is_quiet(self) -> bool:
        began, now, used = thread_time(), monotonic(), process_time() - self._own
        looks = self._looks
        looks.append((now, used))
        while len(looks) > 1 and looks[1][0] <= now - QUIET:
            looks.popleft()
        then, before = looks[0]
        quiet = now - then >= QUIET and used - before <= (now - then) * SHARE
        quiet = quiet and not _has_ready(asyncio.get_running_loop()) and not _is_runnable()
        self._own += thread_time() - began
        return quiet


def _has_ready(loop: asyncio.AbstractEventLoop) -> bool:
    """Return whether the loop has something to run at once."""
    return bool(getattr(loop, "_ready", ()))


def _is_runnable() -> bool:
    """Return whether another thread of this process runs, or waits for a core or a disk."""
    own = str(threading.get_native_id())
    try:
        threads = os.listdir(TASKS)
    except OSError:
        return False  # another system: what the process used says enough
    for thread in threads:
        if thread == own:
            continue
        try:
            with open(f"{TASKS}/{thread}/stat", "rb") as opened:
                state = opened.read().rpartition(b") ")[2][:1]
        except OSError:
            continue
        if state in BUSY:
            return True
    return False
