"""One hop: its connections, made when they are first wanted and again when they were lost, and how it is doing."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

import asyncssh

from cockpit.errors import (
    ChannelRefused,
    CockpitError,
    ConnectionLost,
    HostKeyRefused,
    HostUnreachable,
    LoginRefused,
    SshError,
)
from cockpit.ssh.asking import Asker, Patience, Unasked
from cockpit.ssh.errors import THEIRS, full, mapped
from cockpit.ssh.handshake import Handshake
from cockpit.ssh.host_config import HostConfig
from cockpit.ssh.link import Link, Opening
from cockpit.ssh.login import logged_in
from cockpit.ssh.shared import Shared
from cockpit.ssh.status import HopState, HopStatus
from cockpit.ssh.times import Times

R = TypeVar("R")

MOST = 4
"""Connections to one hop at most: more than one where it allows too few sessions on each."""


class Hop:
    """One hop of a way; several ways may share it. Belongs to the connections' loop."""

    def __init__(
        self,
        config: HostConfig,
        before: Hop | None,
        asker: Asker,
        changed: Callable[[], None],
        times: Times | None = None,
    ) -> None:
        self.config = config
        self.before = before
        self.behind: list[Hop] = []
        if before is not None:
            before.behind.append(self)
        self._asker = asker
        self._told = changed
        self._times = times or Times()
        self._links: list[Link] = []
        self._attempt: Shared[Link] | None = None
        self._asking = False
        self._more: Shared[Link] | None = None
        self._returning: asyncio.Task[None] | None = None
        self._used, self._wait = self._times.passed(), self._times.first_wait
        self._freed = asyncio.Event()
        self._tasks: set[asyncio.Future[Any]] = set()
        self._state, self._since, self._took = HopState.IDLE, time.time_ns(), 0.0
        self._error: CockpitError | None = None
        self._refusal: tuple[float, CockpitError] | None = None
        self._was_up = self._closed = False

    def status(self) -> HopStatus:
        """Return how it is doing."""
        config = self.config
        main = self._links[0] if self._links else None
        state = HopState.LATE if main and main.late and self._state is HopState.UP else self._state
        return HopStatus(
            name=config.name,
            address=f"{config.user}@{config.hostname}:{config.port}",
            through=self.before.config.name if self.before else "",
            state=state,
            since_ns=self._since,
            latency_ms=(main.latency_ms if main else 0.0) or self._took,
            error=self._why(),
            heard_ns=max(self._since, main.heard_ns if main else 0),
            connections=len(self._links),
            sessions=sum(link.sessions for link in self._links),
        )

    @property
    def idle(self) -> bool:
        """Whether nothing of it is there, and nobody asked for it for long; less long where it never was."""
        kept = self._times.wanted if self._was_up else self._times.never_up
        unwanted = self._times.passed() - self._used > kept
        busy = self._attempt is not None and self._attempt.open
        return unwanted and not (busy or self._links or self._returning or self.behind)

    def touch(self) -> None:
        """Note that it is in use."""
        self._used = self._times.passed()

    async def connected(self, *, ask: bool = True, for_source: bool = False) -> asyncssh.SSHClientConnection:
        """Return its first connection, making it where there is none.

        Args:
            ask: Whether somebody waits, and can be asked for what the login takes.
            for_source: Whether it is for something that runs by itself and tries again and again.

        Raises:
            SshError: It, or a hop before it, can't be connected.
        """
        return (await self._linked(ask and (not for_source or self._may_ask()))).connection

    async def session(self, opening: Opening[R], *, for_source: bool = False) -> R:
        """Open a session: a program, or a subsystem.

        A connection allows so many (MaxSessions). Where one refuses another, a further connection is made, up to
        `MOST`; then a session that ends is waited for.

        Args:
            opening: Opens it on a connection, in bounded time, and calls what it is given when the session is over.
            for_source: Whether it is for something that runs by itself and tries again and again.

        Raises:
            SshError: It can't be connected, or gives no session.
        """
        loop = asyncio.get_running_loop()
        until, again, more = loop.time() + self._times.session, True, True
        while True:
            await self.connected(for_source=for_source)
            for link in [each for each in self._links if each.alive and not each.room_in]:
                try:
                    return await link.session(opening)
                except asyncssh.ChannelOpenError as error:
                    if link.alive:
                        self._refused(link, error)
                    elif not again:
                        raise mapped(error, self.config.name) from None
                    else:
                        again = False  # it was dead already, so nothing was begun on it
                except SshError:
                    raise
                except THEIRS as error:
                    raise mapped(error, self.config.name) from None
            if more and len(self._links) < MOST:
                more = await self._another()
                continue
            self._freed.clear()
            left = until - loop.time()
            if left <= 0:
                raise ChannelRefused(
                    f"it allows no more sessions: {sum(link.sessions for link in self._links)} are open",
                    where=self.config.name,
                    remedy="end one, or raise MaxSessions in its sshd_config",
                )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min((left, *(each.room_in for each in self._links)))):
                    await self._freed.wait()

    def keep(self, task: asyncio.Future[Any]) -> None:
        """Keep hold of a task that looks after something on one of its connections."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def end(self) -> None:
        """Make no connection any more."""
        self._closed = True

    async def close(self) -> None:
        """Close its connections."""
        self.end()
        for work in (self._attempt, self._more):
            if work is not None:
                await work.cancel()
        if self._returning is not None:
            self._returning.cancel()
            await asyncio.wait({self._returning})
        for link in tuple(self._links):
            await link.close()
        self._turn(HopState.IDLE)

    def _why(self) -> str:
        if self._state is not HopState.DOWN:
            return ""
        before = self.before
        if before is not None and before._state is not HopState.UP:
            return f"through {before.config.name}, which is {before._state}"
        return _said(self._error) if self._error else ""

    def _may_ask(self) -> bool:
        """Return whether a person may be asked for what a source wants.

        Once they may. After a refusal they are not, and for some minutes it is not even tried, so that no dialog
        comes back by itself and no account is locked; what a person does is free of that.

        Raises:
            CockpitError: It was refused just before.
        """
        if self._refusal is None:
            return True
        refused_at, error = self._refusal
        if self._state is HopState.DOWN and self._times.passed() - refused_at < self._times.refused:
            raise error
        return False

    def _refused(self, link: Link, error: asyncssh.ChannelOpenError) -> None:
        """Note that a connection refused a session as one too many; raise where it means anything else."""
        if full(error) and (link.proven or link.sessions):
            link.filled()
            return
        refusal = mapped(error, self.config.name)
        if full(error):
            refusal.message = f"it gives no session: {refusal.message}"
            refusal.remedy = "see MaxSessions in its sshd_config, and what the account may do"
        raise refusal from None

    async def _linked(self, ask: bool) -> Link:
        """Return the first connection, making it where there is none; whoever comes meanwhile waits for the same."""
        if ask:
            self.touch()
        while True:
            if self._closed:
                raise ConnectionLost("the connections were closed", where=self.config.name)
            if (link := next((each for each in self._links if each.alive), None)) is not None:
                return link
            if self._attempt is None or not self._attempt.open:
                self._asking = ask
                self._attempt = Shared(self._make_first(ask))
            attempt, asking = self._attempt, self._asking
            try:
                return await self._joined(attempt)
            except CockpitError:
                if not ask or asking:
                    raise

    async def _another(self) -> bool:
        """Make a further connection; return whether there is one."""
        if self._more is None or not self._more.open:
            self._more = Shared(self._make(self._asker))
        try:
            await self._joined(self._more)
        except SshError:
            return False
        return True

    async def _joined(self, attempt: Shared[Link]) -> Link:
        try:
            return await attempt.result()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if attempt.cancelled and not (task and task.cancelling()):
                raise ConnectionLost("the connections were closed", where=self.config.name) from None
            raise

    async def _make_first(self, ask: bool) -> Link:
        """Make the first connection; by itself, nobody is asked."""
        unasked = None if ask else Unasked(self._asker)
        if ask or self._state is not HopState.DOWN:
            self._turn(HopState.CONNECTING)
        began = time.monotonic()
        try:
            link = await self._make(unasked or self._asker)
        except CockpitError as error:
            if unasked and unasked.wanted:
                error = LoginRefused(
                    f"it waits for you: it wants {unasked.wanted}", where=error.where, remedy="use it again"
                )
            if isinstance(error, LoginRefused | HostKeyRefused):
                self._refusal = (self._times.passed(), error)
            self._turn(HopState.DOWN, error)
            raise error from None
        except BaseException:
            if (
                self._attempt is None or not self._attempt.open
            ):  # else somebody came meanwhile, and began anew
                self._turn(HopState.DOWN if self._error and self._was_up else HopState.IDLE, self._error)
            raise
        self._took = (time.monotonic() - began) * 1000
        self._was_up, self._error, self._refusal = True, None, None
        self._turn(HopState.UP)
        for hop in self.behind:
            hop.revive()
        return link

    async def _make(self, asker: Asker) -> Link:
        before = await self._before(ask=not isinstance(asker, Unasked))
        patience = Patience(self.config.connect_timeout or self._times.connect)
        handshake = Handshake(self.config, before, self._times, patience)

        async def connect(**login: Any) -> asyncssh.SSHClientConnection:
            nonlocal handshake
            handshake = Handshake(self.config, before, self._times, patience)
            return await handshake.made(login)

        try:
            connection = await logged_in(
                self.config,
                asker,
                connect,
                patience=patience,
                forward_agent=bool(self.config.forward_agent),
            )
        except CockpitError:
            raise
        except THEIRS as error:
            raise handshake.failure(error) from None
        link = Link(
            connection,
            handshake,
            self._times,
            changed=self._changed,
            used=self.touch,
            spare=lambda link: link is not self._links[0],
            ended=self._ended,
        )
        self._links.append(link)
        return link

    async def _before(self, *, ask: bool) -> asyncssh.SSHClientConnection | None:
        if self.before is None:
            return None
        try:
            return await self.before.connected(ask=ask)
        except SshError as error:
            raise type(error)(
                f"through {self.before.config.name}, which is down: {error.message}",
                where=self.config.name,
                remedy=error.remedy,
            ) from None

    def _ended(self, link: Link, error: SshError) -> None:
        """Take leave of a connection; where it was the last, it is made again."""
        if link in self._links:
            self._links.remove(link)
        if self._closed:
            return
        if self.before is not None:
            self.before.touch()
        if not self._links:
            if link.age > self._times.longest_wait:
                self._wait = self._times.first_wait
            self._turn(HopState.DOWN, error)
            self.revive()
        self._changed()

    def revive(self) -> None:
        """Begin to make a lost connection again, where somebody used it in the last minutes."""
        if self._returning is None and not self._closed and self._was_up and self._state is HopState.DOWN:
            self._returning = asyncio.ensure_future(self._return())

    async def _return(self) -> None:
        """Connect again, with back-off; it ends where a person has to be asked, and where nobody cares any more."""
        try:
            while not self._links and self._times.passed() - self._used < self._times.wanted:
                await asyncio.sleep(self._wait * random.uniform(0.5, 1.0))  # noqa: S311  jitter
                self._wait = min(2 * self._wait, self._times.longest_wait)
                try:
                    await self.connected(ask=False)
                except (HostUnreachable, ConnectionLost):
                    continue
                except CockpitError:
                    return
        finally:
            self._returning = None

    def _changed(self) -> None:
        self._freed.set()
        self._told()

    def _turn(self, state: HopState, error: CockpitError | None = None) -> None:
        if state is not self._state:
            self._state, self._since = state, time.time_ns()
        self._error = error
        self._changed()


def _said(error: CockpitError) -> str:
    return f"{error.message} ({error.remedy})" if error.remedy else error.message
