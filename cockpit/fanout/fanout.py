"""Runs one command on many hosts: a few at a time, a change on one host first, and none anew after a failure.

The whole is an action like any other: its intent is durable before a host is touched, its output lists the hosts as
they end, a line each, and its result says whether all went well. What runs on each host goes through the same door by
itself. So it is stopped like any command: what runs gets SIGTERM, then SIGKILL, and what waits is not started.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

from cockpit.actions.command import Command, Risk
from cockpit.actions.executor import GRACE_S, LAST_WORDS_S, Ended, Executor, OnOutput
from cockpit.actions.transport import Outcome, Stream
from cockpit.errors import ActionLogError, CommandError, Refused
from cockpit.fanout.host import HostRun, HostState, Room
from cockpit.fanout.judging import GroupJudge, PartOf
from cockpit.targets import GROUP

PARALLEL = 10
"""Hosts that are worked on at once where nothing else is said."""
MOST_PARALLEL = 100
"""Hosts that may be worked on at once."""

GoOn = Callable[[HostRun, tuple[HostRun, ...]], Awaitable[bool]]
"""Asks whether a change that went well on the first host is to go on to the others; told both."""


class FanOut:
    """One command on many hosts.

    Args:
        executor: The door that each host's command goes through; its judge is asked about all of them as well.
        parallel: Hosts that are worked on at once.
        go_on: Asked after the first host of a change.

    Attributes:
        hosts: How the command stands on each; empty until it runs.
        version: Grows whenever a host's state changes.
        action: The id of the action that lists them; empty before it is recorded.
        careful: Whether the command may change something.
    """

    def __init__(self, executor: Executor, *, parallel: int = PARALLEL, go_on: GoOn) -> None:
        self.hosts: Sequence[HostRun] = ()
        self.version = 0
        self.action = ""
        self.careful = False
        self._executor = executor
        self._parallel = max(1, min(parallel, MOST_PARALLEL))
        self._go_on = go_on
        self._running: _Running | None = None

    async def run(
        self,
        command: Command,
        *,
        on_output: OnOutput | None = None,
        on_begin: Callable[[str], None] = lambda _: None,
        on_end: Callable[[Ended], None] = lambda _: None,
        on_host: Callable[[HostRun], None] = lambda _: None,
    ) -> Ended:
        """Run a command on its members, to the end of all of them; cancelled, it stops those that run.

        Args:
            command: What to run, made by `judging.on_all`, with what was given to let it run.
            on_output: Shows the list of hosts as they end.
            on_begin: Called with the id of the action above all of them, before anything starts.
            on_end: Called with what came of the whole.
            on_host: Called with each host that is over, also one that was not started.

        Raises:
            ActionLogError: The intent can't be recorded; nothing ran.
            Refused: The guard did not let it run; that is recorded.
        """
        room = Room()
        self.hosts = tuple(HostRun(member, room) for member in command.members)
        self.version += 1

        def begun(action: str) -> None:
            self.action = action
            on_begin(action)

        own = self._executor.beside({GROUP: _Transport(self, on_host)}, grace_s=GRACE_S + 3 * LAST_WORDS_S)
        try:
            return await own.run(command, on_output=on_output, on_begin=begun, on_end=on_end)
        finally:
            if self._running is not None:
                await self._running.over()

    async def start(self, command: Command, on_host: Callable[[HostRun], None]) -> _Running:
        """Begin to work on the hosts."""
        self.careful = (await self._executor.assess(command)).risk is not Risk.READ
        judge = self._executor.judge
        make = await asyncio.to_thread(GroupJudge(judge).maker, command)
        each = self._executor.beside(judge=PartOf(judge, self.action, command.target.name))
        self._running = _Running(self, each, [make(member) for member in command.members], on_host)
        return self._running

    async def may_go_on(self, canary: HostRun) -> bool:
        """Ask whether to go on after the first host."""
        return await self._go_on(canary, tuple(self.hosts[1:]))

    @property
    def parallel(self) -> int:
        """Hosts that are worked on at once."""
        return self._parallel

    @property
    def log_error(self) -> ActionLogError | None:
        """Why a host's record is not whole; None where all are."""
        return next((host.log_error for host in self.hosts if host.log_error is not None), None)

    @property
    def exit_status(self) -> int:
        """0 where the command is done on all hosts, 3 where it was refused on one, 4 without a record, else 1."""
        states = {host.state for host in self.hosts}
        if self.log_error is not None:
            return ActionLogError.exit_status
        if HostState.DENIED in states:
            return Refused.exit_status
        return 0 if states <= {HostState.DONE} else 1


class _Transport:
    """Carries a command to its members."""

    def __init__(self, fan: FanOut, on_host: Callable[[HostRun], None]) -> None:
        self._fan = fan
        self._on_host = on_host

    async def start(self, command: Command) -> _Running:
        """Begin to work on the hosts."""
        return await self._fan.start(command, self._on_host)


class _Running:
    """A fan-out on its way."""

    def __init__(
        self,
        fan: FanOut,
        executor: Executor,
        commands: Sequence[Command],
        on_host: Callable[[HostRun], None],
    ) -> None:
        self._fan = fan
        self._executor = executor
        self._on_host = on_host
        self._why_not = ""
        """Why no host is started any more; empty while hosts are."""
        self._underway: set[asyncio.Task[object]] = set()
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._run(list(zip(fan.hosts, commands, strict=True))))

    async def output(self) -> AsyncIterator[tuple[Stream, bytes]]:
        """Yield a line for each host that is over."""
        while (line := await self._lines.get()) is not None:
            yield Stream.STDOUT, line

    async def wait(self) -> Outcome:
        """Wait until all hosts are over."""
        await self.over()
        self._task.result()
        return Outcome(exit_status=self._fan.exit_status)

    async def over(self) -> None:
        """Wait until nothing is on its way any more."""
        await asyncio.wait([self._task])

    def stop(self, *, kill: bool = False) -> None:
        """Stop what runs, and start nothing more; a second time kills."""
        self._begin_no_more("stopped before it started")
        for task in self._underway:
            task.cancel()

    def close(self) -> None:
        """Let nothing go on that nobody waits for."""
        if not self._task.done():
            self.stop()

    def _begin_no_more(self, why: str) -> None:
        self._why_not = self._why_not or why

    async def _run(self, waiting: list[tuple[HostRun, Command]]) -> None:
        try:
            if self._fan.careful and len(waiting) > 1:
                first, *waiting = waiting
                await self._one(*first)
                await self._ask(first[0])
            ways = iter(waiting)
            workers = [
                asyncio.create_task(self._work(ways)) for _ in range(min(self._fan.parallel, len(waiting)))
            ]
            if workers:
                await asyncio.wait(workers)
                for worker in workers:
                    worker.result()
        finally:
            for host in self._fan.hosts:
                if host.state is HostState.WAITING:
                    host.leave_out(self._why_not or "stopped before it started")
                    self._tell(host)
            self._lines.put_nowait(None)

    async def _ask(self, canary: HostRun) -> None:
        """Have the operator decide after the first host, unless something has."""
        if self._why_not:
            return
        asking = asyncio.create_task(self._fan.may_go_on(canary))
        with self._stoppable(asking):
            await asyncio.wait([asking])
        if asking.cancelled():
            self._begin_no_more("stopped after the canary")
        elif not asking.result():
            self._begin_no_more(f"stopped after the canary, {canary.name}")

    async def _work(self, ways: Iterator[tuple[HostRun, Command]]) -> None:
        """Work on one host after the other."""
        for host, command in ways:
            if self._why_not:
                host.leave_out(self._why_not)
                self._tell(host)
            else:
                await self._one(host, command)

    async def _one(self, host: HostRun, command: Command) -> None:
        """Run the command on one host, whatever comes of it."""
        host.start()
        self._fan.version += 1
        task = asyncio.create_task(
            self._executor.run(command, on_output=host.take, on_begin=host.begun, on_end=host.ended)
        )
        with self._stoppable(task):
            await asyncio.wait([task])
        try:
            self._settle(host, task)
        finally:
            if not host.over:
                host.fail("the cockpit failed")
            self._tell(host)
        if self._fan.careful and host.state is not HostState.DONE:
            self._begin_no_more(f"not started, as {host.name} {host.state}")

    def _settle(self, host: HostRun, task: asyncio.Task[Ended]) -> None:
        """Take over from the door what has not been told yet."""
        try:
            task.result()
        except asyncio.CancelledError:
            if not host.over:
                host.leave_out("stopped before it started")
        except Refused as error:
            host.refuse(error.message + (f" ({error.remedy})" if error.remedy else ""))
        except CommandError as error:
            if not host.over:
                host.fail(str(error))
        except ActionLogError as error:
            host.fail(str(error))
            host.log_error = error
        if host.log_error is not None:
            self._begin_no_more("nothing runs without a record")

    def _tell(self, host: HostRun) -> None:
        self._fan.version += 1
        seconds = "" if host.seconds is None else f"{host.seconds:.2f} s"
        end = host.signal or ("" if host.exit_status is None else f"exit {host.exit_status}")
        cells = (host.name, host.state, end, seconds, host.action, host.error)
        self._lines.put_nowait("\t".join(cells).rstrip("\t").encode(errors="replace") + b"\n")
        self._on_host(host)

    @contextlib.contextmanager
    def _stoppable(self, task: asyncio.Task[object]) -> Iterator[None]:
        """Let a task be stopped for the length of a block."""
        self._underway.add(task)
        try:
            yield
        finally:
            self._underway.discard(task)
