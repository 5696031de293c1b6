"""The door of this room: connections on a thread with a loop of their own, used from any other loop.

Encryption in Python costs a fifth of a second a gigabyte and more; on the screen's loop it would hold key presses,
and on the sources' it would hold telemetry.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from cockpit.errors import ConnectionLost
from cockpit.ssh.times import Times

if TYPE_CHECKING:
    from cockpit.config import Settings
    from cockpit.ssh.asking import Asker
    from cockpit.ssh.pool import Find, Pool
    from cockpit.ssh.program import Program, Size
    from cockpit.ssh.route import Route
    from cockpit.ssh.status import HopStatus
    from cockpit.targets import Targets

R = TypeVar("R")

CLOSING_S = 2.0
"""Seconds that saying goodbye may take."""
LOOK_S = 0.02
"""Seconds in which changes of hops gather before they are told."""


class Connections:
    """SSH connections, one a hop. Every method may be called from any loop or thread.

    Args:
        find: Finds the way to a target; called on the connections' loop.
        asker: Asks the operator; called there too.
        changed: Called, there too, when a hop's state changed.
        times: How long things may take.
    """

    def __init__(
        self,
        find: Find,
        asker: Asker | None = None,
        *,
        changed: Callable[[], None] = lambda: None,
        times: Times | None = None,
    ) -> None:
        self._find = find
        self._asker = asker or _nobody()
        self._told = changed
        self._times = times or Times()
        self._running: _Running | None = None
        self._lock = threading.Lock()
        self._looking = False
        self._statuses: tuple[HopStatus, ...] = ()

    async def start(
        self,
        host: str,
        line: str,
        *,
        terminal: Size | None = None,
        term: str = "xterm-256color",
        environment: Mapping[str, str] | None = None,
        stdin: bool = False,
        for_source: bool = False,
    ) -> Program:
        """Start a program on a target.

        Args:
            host: The target's name.
            line: For the account's login shell, made by `quoting.quoted`; empty asks for the login shell itself.
            terminal: The size of the terminal that it gets; None gives it none.
            term: That terminal's name.
            environment: Variables that the server may take over, as AcceptEnv says.
            stdin: Whether input will be written; else it reads end of file.
            for_source: Whether it is for something that runs by itself and tries again and again: a person is asked
                for it once, and a login that was refused is not tried for some minutes.

        Raises:
            CockpitError: No way leads there, or it can't be started.
        """

        async def start(pool: Pool) -> Program:
            from cockpit.ssh import program
            from cockpit.ssh.handshake import environment_of

            hop = await pool.hop(host)
            wanted = program.Start(
                line=line,
                terminal=terminal,
                term=term,
                environment=environment_of(hop.config) | dict(environment or {}),
                stdin=stdin,
                answer=pool.times.answer,
            )
            return await hop.session(
                lambda connection, release: program.start(connection, host, wanted, release),
                for_source=for_source,
            )

        return await self.on_loop(start, discard=lambda program: program.close())

    async def dial(self, via: str, host: str, port: int) -> socket.socket:
        """Return a connected socket whose other end is a direct-tcpip channel through a hop; nothing listens.

        Args:
            via: The target through which to connect.
            host: Where to, as the far side knows it.
            port: Its port.

        Raises:
            CockpitError: No way leads there, or the far side refuses.
        """
        from cockpit.ssh.dial import dialled

        return await self.on_loop(
            lambda pool: dialled(pool, via, host, port), discard=lambda near: near.close()
        )

    async def on_loop(
        self, work: Callable[[Pool], Awaitable[R]], *, discard: Callable[[R], None] = lambda _: None
    ) -> R:
        """Run something on the connections' loop; cancelled here, it is cancelled there.

        Args:
            work: What to run.
            discard: Lets go of a result that came after the caller was cancelled.

        Raises:
            ConnectionLost: The connections were closed meanwhile.
        """
        results: list[R] = []
        given_up = False

        async def run(pool: Pool) -> R:
            result = await work(pool)
            results.append(result)
            if given_up:
                discard(result)
            return result

        while (future := self._submitted(run)) is None:
            await asyncio.to_thread(self._begin)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            given_up = True
            for result in results:
                discard(result)
            task = asyncio.current_task()
            if future.cancelled() and not (task and task.cancelling()):
                raise ConnectionLost("the connections were closed") from None
            raise

    def hops(self) -> Sequence[HopStatus]:
        """Return how each hop is doing, those nearer to us first; costs nothing."""
        return self._statuses

    async def close(self) -> None:
        """Close all connections and end the thread; a later call begins anew."""
        with self._lock:
            running, self._running = self._running, None
        if running is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_S):
                await asyncio.wrap_future(
                    asyncio.run_coroutine_threadsafe(running.pool.close(), running.loop)
                )
        running.loop.call_soon_threadsafe(running.loop.stop)
        await asyncio.to_thread(running.thread.join, CLOSING_S)
        self._looking, self._statuses = False, ()
        self._told()

    def _submitted(self, work: Callable[[Pool], Awaitable[R]]) -> Future[R] | None:
        """Hand something to the connections' loop; None while there is none. The lock is held for microseconds."""
        with self._lock:
            if (running := self._running) is None:
                return None

            async def run() -> R:
                return await work(running.pool)

            return asyncio.run_coroutine_threadsafe(run(), running.loop)

    def _begin(self) -> None:
        """Start the thread, unless somebody else does. What connects is imported first, in nobody's way."""
        from cockpit.ssh.pool import Pool

        with self._lock:
            if self._running is None:
                loop = asyncio.new_event_loop()
                pool = Pool(self._find, self._asker, lambda: self._changed(pool, loop), self._times)
                thread = threading.Thread(target=_live, args=(loop,), name="cockpit-ssh", daemon=True)
                self._running = _Running(pool, loop, thread)
                thread.start()

    def _changed(self, pool: Pool, loop: asyncio.AbstractEventLoop) -> None:
        """Look at all hops soon, once for what changes together."""
        if not self._looking:
            self._looking = True
            loop.call_later(LOOK_S, self._look, pool)

    def _look(self, pool: Pool) -> None:
        self._looking = False
        if self._running is not None and self._running.pool is pool:
            self._statuses = pool.statuses()
            self._told()


class _Running(NamedTuple):
    """A thread with its loop and its pool."""

    pool: Pool
    loop: asyncio.AbstractEventLoop
    thread: threading.Thread


def _live(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop until it is stopped, then cancel what is left on it."""
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        for _ in range(3):  # what is cancelled may start something to clean up
            if not (tasks := asyncio.all_tasks(loop)):
                break
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.wait(tasks, timeout=CLOSING_S))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _nobody() -> Asker:
    from cockpit.ssh.asking import Nobody  # not for what is drawn first

    return Nobody()


def connections_of(
    settings: Settings, asker: Asker | None = None, *, targets: Targets | None = None
) -> Connections:
    """Return the connections of a configuration; none is made before one is wanted.

    Args:
        settings: Name the targets and the ssh_config to read.
        asker: Asks the operator.
        targets: The targets as inventories know them; without, what cockpit.toml says of them.
    """

    async def find(name: str) -> Route:
        from cockpit.ssh.finding import Finder

        return await Finder(settings, targets)(name)

    return Connections(
        find,
        asker,
        times=Times(connect=settings.ssh.connect_seconds, keepalive=settings.ssh.keepalive_seconds),
    )
