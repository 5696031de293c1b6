"""One connection that stands: whether it still answers, how fast, and how much room it has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncssh

from cockpit.errors import SshError
from cockpit.ssh.errors import mapped
from cockpit.ssh.handshake import Handshake
from cockpit.ssh.times import Times

R = TypeVar("R")
Release = Callable[[], None]
"""To be called when a session is over."""
Opening = Callable[[asyncssh.SSHClientConnection, Release], Awaitable[R]]
"""Opens a session on a connection, in bounded time."""

SLICE_S = 5.0
"""Seconds between two looks at whether this machine slept."""
SLEPT_S = 2.0
"""Seconds that the clocks may drift apart without its being taken for sleep."""
LATE_S = 3.0
"""Seconds without an answer after which a connection is called late."""
REFUSED_S = 0.1
"""Seconds after which a connection that refused a session is asked again; doubled each time."""
MOST_REFUSED_S = 2.0
CLOSING_S = 1.0
"""Seconds that saying goodbye may take."""


class Link:
    """A connection, watched.

    asyncssh itself ends a connection that is silent for too long; what is asked here measures, and finds out sooner
    after this machine slept.

    Attributes:
        latency_ms: How long it took to answer last; 0 where that is not known yet.
        late: Whether it owes an answer.
        heard_ns: When it answered last, or began to be late.
        sessions: How many sessions were opened on it and are not over.
        proven: Whether it ever gave a session.
    """

    def __init__(
        self,
        connection: asyncssh.SSHClientConnection,
        handshake: Handshake,
        times: Times,
        *,
        changed: Callable[[], None],
        used: Callable[[], None],
        spare: Callable[[Link], bool],
        ended: Callable[[Link, SshError], None],
    ) -> None:
        self.connection = connection
        self.latency_ms = 0.0
        self.late = False
        self.sessions = 0
        self.proven = False
        self._handshake = handshake
        self._times = times
        self._changed = changed
        self._used = used
        self._spare = spare
        self._began = times.passed()
        self.heard_ns = time.time_ns()
        self._ended = ended
        self._reason = ""
        self._full_until, self._refusals = 0.0, 0
        self._interval = (handshake.config.server_alive_interval or times.keepalive) * 0.9
        self._watching = asyncio.ensure_future(self._watch())

    @property
    def alive(self) -> bool:
        """Whether it can be used, as far as is known."""
        return not self.connection.is_closed() and self._handshake.lost is None

    @property
    def age(self) -> float:
        """Seconds for which it has stood."""
        return self._times.passed() - self._began

    @property
    def room_in(self) -> float:
        """Seconds until it may be asked for another session: not just after it refused one."""
        return max(0.0, self._full_until - asyncio.get_running_loop().time())

    async def session(self, opening: Opening[R]) -> R:
        """Open a session, counted until it is released."""
        over = False

        def release() -> None:
            nonlocal over
            if not over:
                over = True
                self.sessions -= 1
                self._full_until, self._refusals = 0.0, 0
                self._used()
                self._changed()

        self.sessions += 1
        try:
            result = await opening(self.connection, release)
        except BaseException:
            if not over:
                over = True
                self.sessions -= 1
            raise
        self.proven = True
        return result

    def filled(self) -> None:
        """Note that it refused a session as one too many: until one ends, or some time passed, it is not asked.

        sshd may count a session for a moment after its end.
        """
        wait = min(REFUSED_S * 2**self._refusals, MOST_REFUSED_S)
        self._refusals += 1
        self._full_until = asyncio.get_running_loop().time() + wait

    async def close(self) -> None:
        """Say goodbye, and wait for the end."""
        self.connection.close()
        _, pending = await asyncio.wait({self._watching}, timeout=CLOSING_S)
        if pending:
            self.connection.abort()
            await asyncio.wait({self._watching}, timeout=CLOSING_S)

    async def _watch(self) -> None:
        asking = asyncio.ensure_future(self._keep_asking())
        try:
            await self.connection.wait_closed()
        finally:
            asking.cancel()
            self._handshake.way.close()
        lost = self._handshake.lost or asyncssh.ConnectionLost(self._reason or "it ended the connection")
        error = mapped(lost, self._handshake.config.name)
        if self._reason or self._handshake.lost is None:
            error.message = self._reason or "it ended the connection"
        self._ended(self, error)

    async def _keep_asking(self) -> None:
        while True:
            idle = not self.sessions
            slept = await self._rested()
            if idle and not self.sessions and self._spare(self):
                self.connection.close()
                return
            await self._ask(self._times.woken if slept else None)

    async def _rested(self) -> bool:
        """Wait until it is time to ask; return whether this machine slept meanwhile."""
        loop = asyncio.get_running_loop()
        until, ahead = loop.time() + self._interval, self._times.passed() - loop.time()
        while (left := until - loop.time()) > 0:
            await asyncio.sleep(min(left, SLICE_S))
            if self._times.passed() - loop.time() - ahead > SLEPT_S:
                return True
        return False

    async def _ask(self, limit: float | None) -> None:
        """Ask whether it lives; where a limit is given, it is dead after that."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        # asyncssh has no public way to ask; this is what its own keep-alive sends.
        answer = asyncio.ensure_future(self.connection._make_global_request(b"keepalive@openssh.com"))
        if not (await asyncio.wait({answer}, timeout=min(limit or LATE_S, LATE_S, self._interval)))[0]:
            self.late, self.heard_ns = True, time.time_ns()
            self._changed()
            if (
                limit is not None
                and not (await asyncio.wait({answer}, timeout=max(0.0, began + limit - loop.time())))[0]
            ):
                self._reason = "this machine slept, and the connection did not outlive it"
                self.connection.abort()
            await answer
        if self.alive:
            self.late, self.latency_ms = False, (loop.time() - began) * 1000
            self.heard_ns = time.time_ns()
            self._changed()
