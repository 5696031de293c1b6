"""Lets a process of ours give way to the screen where cores are few."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

AUTOGROUP = Path("/proc/self/autogroup")
"""Linux shares the processor between sessions first (sched(7), "The autogroup feature"): a process that leads a
session of its own is not nicer to others by its nice value alone."""


def give_way(nice: int) -> None:
    """Be nicer by so much, and with the session that this process leads."""
    os.nice(nice)
    with contextlib.suppress(OSError):  # there are none, or this is not Linux
        AUTOGROUP.write_text(str(nice))
