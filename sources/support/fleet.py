"""Sources that look at many hosts: a task and a row a host, so that one in trouble is told and harms no other."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, ClassVar, TypeVar

from msgspec import Meta

from cockpit.errors import CockpitError, SourceError, Unreachable
from cockpit.signals import HealthSample, HealthState
from cockpit.source import Emit, Options, Remote, RemoteProgram, Source, resource

HOLD = 4.0
"""Seconds for which a host that is being connected keeps its place from others: one that hangs then costs no work."""
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
STEADY = 30.0
"""Seconds after which a connection counts as one that worked, so that its loss is met by a short pause again."""
COMPLAINT = 500
"""Bytes kept of what a program on a host complains of."""


class FleetOptions(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every source that looks at hosts can be told."""

    hosts: tuple[str, ...]
    """Targets: names, patterns or groups. How one is reached, its `[[targets]]` entry and ssh_config say."""
    at_once: Annotated[int, Meta(ge=1, le=256)] = 8
    """Hosts to which connections are begun at the same time."""
    connect_timeout: Annotated[float, Meta(gt=0, le=600)] = 60.0
    """Seconds that a connection may take, a question to the operator included."""

    def __post_init__(self) -> None:
        if not self.hosts:
            raise ValueError('hosts is empty: name at least one target, such as "db-1"')
        for name in self.hosts:
            if not name or name.startswith("-") or any(ord(sign) <= 0x20 for sign in name):
                raise ValueError(f"{name!r} is no target's name")


O = TypeVar("O", bound=FleetOptions)  # noqa: E741  the options type of a source


class StartAgain(SourceError):
    """A host is well, and another program is needed on it."""


class FleetSource(Source[O]):
    """A source that keeps a program running on each of its hosts, and starts it again with back-off.

    Attributes:
        row: What the row of each host is called, before its name.
    """

    on_hosts = True
    row: ClassVar[str]

    def __init__(self, name: str, options: O) -> None:
        super().__init__(name, options)
        self._rows: dict[str, HealthSample] = {}

    @abstractmethod
    def argv(self, host: str) -> Sequence[str]:
        """Return what is started on a host: fixed, but for what the configuration says."""

    @abstractmethod
    async def serve(self, host: str, program: RemoteProgram, emit: Emit) -> None:
        """Work with a host's program until it ends.

        Raises:
            StartAgain: Another is to be started at once.
            CockpitError: Why it can't be gone on with.
        """

    @abstractmethod
    async def try_once(self, host: str, program: RemoteProgram) -> None:
        """See for `doctor` whether a host's program answers.

        Raises:
            CockpitError: It does not.
        """

    @property
    def stdin(self) -> bool:
        """Whether the program is written to."""
        return False

    def hosts(self) -> list[str]:
        """Return the hosts that the options name, each once.

        Raises:
            SourceError: There is no way to any.
        """
        remote = self._remote()
        found = list(dict.fromkeys(host for name in self.options.hosts for host in remote.members(name)))
        if not found:
            raise SourceError(
                f"no target fits {', '.join(self.options.hosts)}",
                where=self.name,
                remedy="name hosts of `[[targets]]`, ssh_config or the inventory in `hosts`",
            )
        return found

    async def run(self, emit: Emit) -> None:
        """Look after each host in a task of its own until cancelled, their turns spread over the interval."""
        hosts, gate = self.hosts(), asyncio.Semaphore(self.options.at_once)
        share = self.options.interval / len(hosts)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beat(emit))
            for number, host in enumerate(hosts):
                group.create_task(self._keep(host, emit, gate, number * share), name=f"{self.name} {host}")

    async def check(self) -> str:
        """Connect to every host and say how many answer."""
        hosts, gate = self.hosts(), asyncio.Semaphore(self.options.at_once)

        async def look(host: str) -> str:
            try:
                async with self._started(host, gate) as program:
                    await self.try_once(host, program)
            except CockpitError as error:
                return reason_of(error, host)
            return ""

        async with asyncio.TaskGroup() as group:
            tasks = {host: group.create_task(look(host)) for host in hosts}
        failed = {host: task.result() for host, task in tasks.items() if task.result()}
        if failed:
            host, reason = next(iter(failed.items()))
            raise SourceError(
                f"{len(failed)} of {len(hosts)} hosts do not answer: {host}: {reason}",
                where=self.name,
                remedy=f"try `ssh {host}` by hand",
            )
        return f"{len(hosts)} of {len(hosts)} hosts answer"

    def resource(self, host: str) -> dict[str, str]:
        """Return whom a host's signals are about: the target's name, by which the operator knows it."""
        return resource(host=host)

    async def tell(
        self, host: str, emit: Emit, state: HealthState, reason: str, *, value: float | None = None
    ) -> None:
        """Hand over a host's own row."""
        self._rows[host] = sample = HealthSample(
            at=time.time_ns(),
            subject=f"{self.row} {host}",
            kind="host",
            state=state,
            reason=reason,
            value=value,
            unit="s" if value is not None else "",
            source=self.name,
            resource=self.resource(host),
        )
        await emit([sample])

    async def lost(self, host: str, emit: Emit, reason: str) -> None:
        """Say that a host can't be looked at now."""
        await self.tell(host, emit, HealthState.DOWN, reason)

    async def _keep(self, host: str, emit: Emit, gate: asyncio.Semaphore, offset: float) -> None:
        """Keep a host's program running, for ever."""
        await asyncio.sleep(offset)
        failures, loop = 0, asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                async with self._started(host, gate) as program:
                    await self.serve(host, program, emit)
                reason = "its program ended by itself"
            except StartAgain:
                continue
            except CockpitError as error:
                reason = reason_of(error, host)
            failures = 1 if loop.time() - began > STEADY else failures + 1
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 10))
            until = loop.time() + pause * random.uniform(0.5, 1)  # noqa: S311  jitter, not a secret
            while (left := until - loop.time()) > 0:
                await self.lost(
                    host, emit, reason
                )  # again and again, so that it is no older than an interval
                await asyncio.sleep(min(left, self.options.interval))

    async def _beat(self, emit: Emit) -> None:
        """Say that the source itself is there, while hosts are waited for."""
        while True:
            await emit([])
            await asyncio.sleep(self.options.interval)

    @contextlib.asynccontextmanager
    async def _started(self, host: str, gate: asyncio.Semaphore) -> AsyncIterator[RemoteProgram]:
        """Hold a host's program."""
        starting: asyncio.Task[RemoteProgram] | None = None
        try:
            async with gate:
                starting = asyncio.create_task(self._start(host))
                await asyncio.wait({starting}, timeout=HOLD)
            program = await starting
        except BaseException:
            if starting is not None:
                starting.cancel()
                [started] = await asyncio.gather(starting, return_exceptions=True)
                if not isinstance(started, BaseException):
                    started.close()
            raise
        try:
            yield program
        finally:
            program.close()

    async def _start(self, host: str) -> RemoteProgram:
        seconds = self.options.connect_timeout
        try:
            async with asyncio.timeout(seconds):
                return await self._remote().start(host, self.argv(host), stdin=self.stdin)
        except TimeoutError:
            raise Unreachable(f"no connection within {seconds:g} s", where=host) from None

    def _remote(self) -> Remote:
        if self.remote is None:
            raise SourceError(
                "there is no way over SSH here", where=self.name, remedy="start it from a configuration"
            )
        return self.remote


def reason_of(error: CockpitError, host: str) -> str:
    """Return an error's words without the host's own name, which the row has already."""
    return str(error).removeprefix(f"{host}: ")


async def last_words(program: RemoteProgram, complaint: bytes) -> str:
    """Return how a program ended, with the last line that it complained of."""
    ended = await program.ended()
    lines = [line for line in complaint.decode("utf-8", "replace").splitlines() if line.strip()]
    return f"{lines[-1].strip()} ({ended})" if lines else ended
