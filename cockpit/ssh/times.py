"""How long things may take on the way to a host."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec import Struct


def passed() -> float:
    """Return seconds since the machine started, those in which it slept included where the system counts them."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.time()


class Times(Struct, frozen=True, kw_only=True):
    """Seconds.

    Attributes:
        connect: For a connection, and again for the login over it, where ssh_config says nothing.
        keepalive: Between two questions whether a quiet connection lives, where ssh_config says nothing.
        answer: For a host that is connected to answer whether it opens a channel.
        first_wait: Before a lost connection is made again; doubled with each failure.
        longest_wait: Before it is tried again, at most.
        wanted: How long after its last use a lost connection is made again without anybody asking for it.
        never_up: How long after that a hop is forgotten which was never connected.
        refused: How long after a refusal a login is not tried again for what runs by itself.
        session: To wait for a session to end where a host allows no more of them.
        woken: For a connection to answer after this machine slept.
        passed: A clock that also goes while this machine sleeps.
    """

    connect: float = 15.0
    keepalive: float = 15.0
    answer: float = 15.0
    first_wait: float = 1.0
    longest_wait: float = 30.0
    wanted: float = 1800.0
    never_up: float = 300.0
    refused: float = 300.0
    session: float = 10.0
    woken: float = 5.0
    passed: Callable[[], float] = passed
