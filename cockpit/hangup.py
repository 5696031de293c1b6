"""Notices that the terminal is gone where nobody sends SIGHUP, as to a program that leads no session."""

from __future__ import annotations

import os
import select
import threading

PATIENCE_S = 15.0
"""Seconds that leaving in order may take once there is no terminal to give back."""


def is_gone(descriptor: int = 0) -> bool:
    """Return whether whoever held the other end of a terminal has hung up."""
    looker = select.poll()
    looker.register(descriptor, 0)
    return any(event & (select.POLLHUP | select.POLLERR) for _, event in looker.poll(0))


def leave_at_last(status: int) -> None:
    """End this process in a while, whatever still waits for the terminal that is gone."""
    timer = threading.Timer(PATIENCE_S, os._exit, (status,))
    timer.daemon = True
    timer.start()
