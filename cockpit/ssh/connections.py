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
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cockpit.ssh.asking import Asker, Nobody

if TYPE_CHECKING:
    import asyncssh

    from cockpit.config import Settings
    from cockpit.ssh.hop import HopStatus
    from cockpit.ssh.pool import Find, Pool
    from cockpit.ssh.program import Program, Size
    from cockpit.ssh.route import Route

R = TypeVar("R")

WINDOW = 16 << 20
"""Bytes that a host may send on one channel before we have read them."""
PACKET = 256 * 1024
"""Bytes in a packet at most; OpenSSH sends 32 KiB at most whatever is allowed."""
CLOSING_S = 2.0
"""Seconds that saying goodbye may take."""


class Connections:
    """SSH connections, one a hop. Every method may be called from any loop or thread.

    Args:
        find: Finds the way to a target; called on the connections' loop.
        asker: Asks the operator; called there too.
        changed: Called, there too, when a hop's state changed.
    """

    def __init__(
        self, find: Find, asker: Asker | None = None, *, changed: Callable[[], None] = lambda: None
    ) -> None:
        self._find = find
        self._asker = asker or Nobody()
        self._told = changed
        self._pool: Pool | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = threading.Lock()
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
    ) -> Program:
        """Start a program on a target.

        Args:
            host: The target's name.
            line: For the account's login shell, made by `quoting.quoted`; empty asks for the login shell itself.
            terminal: The size of the terminal that it gets; None gives it none.
            term: That terminal's name.
            environment: Variables that the server may take over, as AcceptEnv says.
            stdin: Whether input will be written; else it reads end of file.

        Raises:
            CockpitError: No way leads there, or it can't be started.
        """
        return await self.on_loop(
            lambda pool: self._start(pool, host, line, terminal, term, environment or {}, stdin)
        )

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

        return await self.on_loop(lambda pool: dialled(pool, via, host, port))

    async def on_loop(self, work: Callable[[Pool], Awaitable[R]]) -> R:
        """Run something on the connections' loop; cancelled here, it is cancelled there."""

        async def run() -> R:
            assert self._pool is not None
            return await work(self._pool)

        loop = await asyncio.to_thread(self._started)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), loop))

    def hops(self) -> Sequence[HopStatus]:
        """Return how each hop is doing, those nearer to us first; costs nothing."""
        return self._statuses

    async def close(self) -> None:
        """Close all connections and end the thread; a later call begins anew."""
        with self._starting:
            loop, self._loop = self._loop, None
        if loop is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSING_S):
                    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._close(), loop))
            loop.call_soon_threadsafe(loop.stop)

    async def _close(self) -> None:
        if self._pool is not None:
            await self._pool.close()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                from cockpit.ssh.pool import Pool

                self._pool = Pool(self._find, self._asker, self._changed)
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=self._live, args=(self._loop,), name="cockpit-ssh", daemon=True
                ).start()
            return self._loop

    @staticmethod
    def _live(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        finally:
            loop.close()

    def _changed(self) -> None:
        if self._pool is not None:
            self._statuses = self._pool.statuses()
        self._told()

    @staticmethod
    async def _start(
        pool: Pool,
        host: str,
        line: str,
        terminal: Size | None,
        term: str,
        environment: Mapping[str, str],
        stdin: bool,
    ) -> Program:
        from cockpit.ssh.errors import ssh_errors
        from cockpit.ssh.program import Program

        hop = await pool.hop(host)
        connection: asyncssh.SSHClientConnection = await hop.connected()
        loop = asyncio.get_running_loop()
        with ssh_errors(host):
            wanted: dict[str, Any] = {}
            if terminal is not None:
                wanted = {"term_type": term, "term_size": (terminal.columns, terminal.rows)}
            _, session = await connection.create_session(
                lambda: Program(host, loop),
                line or None,
                request_pty="force" if terminal else False,
                env=[f"{name}={value}" for name, value in environment.items()],
                encoding=None,
                window=WINDOW,
                max_pktsize=PACKET,
                **wanted,
            )
        program = cast(Program, session)
        if not stdin:
            program.write_eof()
        return program


def connections_of(settings: Settings, asker: Asker | None = None) -> Connections:
    """Return the connections of a configuration; none is made before one is wanted."""

    async def find(name: str) -> Route:
        from cockpit.ssh.finding import Finder

        return await Finder(settings)(name)

    return Connections(find, asker)
