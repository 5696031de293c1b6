"""The one door: every command that the cockpit runs, on any target, goes through `Executor.run`.

A judge is asked, the intent is made durable, the command runs, its output is shown and kept as it comes, and its
result is recorded, however it ends. Nothing else calls a transport.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.records import Result, State
from cockpit.actions.command import Command, Kind, Risk
from cockpit.actions.keeping import Keeper
from cockpit.actions.transport import (
    Interactive,
    Launch,
    Outcome,
    Running,
    Stream,
    TerminalTransport,
    Transport,
)
from cockpit.errors import ActionLogError, CommandError, Refused
from cockpit.guard.judge import Assessment, Decision, Judge

OnOutput = Callable[[Stream, bytes], Awaitable[None]]
"""Shows a piece of output as it comes, its secrets with it; the command waits for it. What it raises stops that."""

Through = Callable[[Keeper, Interactive], Running]
"""Takes hold of an interactive shell and of its record, and returns what of it is to be recorded."""

GRACE_S = 3.0
"""Seconds a command may take to end after SIGTERM before it gets SIGKILL."""
LAST_WORDS_S = 1.0
"""Seconds to wait for the end, and for the last output, after SIGKILL."""


class Ended(Struct, frozen=True, kw_only=True):
    """What came of a command that ran.

    Attributes:
        action: Its id in the action log.
        log_error: Why its record is not whole; None where it is.
    """

    action: str
    state: State
    exit_status: int | None
    signal: str | None
    error: str | None
    log_error: ActionLogError | None = None


class Terminal(Struct, frozen=True, kw_only=True):
    """How a shell is opened, and who takes hold of it.

    Attributes:
        launch: What starts it.
        through: Called with it once it runs.
    """

    launch: Launch
    through: Through


class _Watch(Struct, frozen=True, kw_only=True):
    """Whom a command's caller asked to be told."""

    on_output: OnOutput | None
    on_end: Callable[[Ended], None]
    terminal: Terminal | None = None


def _ignore(_told: object) -> None:
    """Tell nobody."""


class Executor:
    """Runs commands, each recorded.

    Args:
        log: Where they are recorded.
        transports: The ways to targets, by the name in `Target.transport`.
        judge: Who decides whether a command may run; asked in a thread.
        grace_s: Seconds between SIGTERM and SIGKILL when a command is stopped.
    """

    def __init__(
        self,
        log: ActionLog,
        transports: Mapping[str, Transport],
        *,
        judge: Judge,
        grace_s: float = GRACE_S,
    ) -> None:
        self.log = log
        self._transports = dict(transports)
        self._judge = judge
        self._grace_s = grace_s

    @property
    def judge(self) -> Judge:
        """Who decides whether a command may run."""
        return self._judge

    def beside(
        self,
        transports: Mapping[str, Transport] | None = None,
        *,
        judge: Judge | None = None,
        grace_s: float | None = None,
    ) -> Executor:
        """Return a door to the same log, with more ways, another judge or more patience."""
        return Executor(
            self.log,
            {**self._transports, **(transports or {})},
            judge=judge or self._judge,
            grace_s=self._grace_s if grace_s is None else grace_s,
        )

    async def run(
        self,
        command: Command,
        *,
        on_output: OnOutput | None = None,
        on_begin: Callable[[str], None] = _ignore,
        on_end: Callable[[Ended], None] = _ignore,
        terminal: Terminal | None = None,
    ) -> Ended:
        """Run a command to its end.

        Cancelling this stops the command (SIGTERM to all of it, then SIGKILL; a second cancel kills at once), records
        that, and only then raises CancelledError.

        Args:
            command: What to run.
            on_output: Shows output as it comes.
            on_begin: Called with the action's id once the intent is recorded, before anything starts.
            on_end: Called with what came of it, once that is recorded; also where this then raises.
            terminal: For an interactive shell, and nothing else: how it is opened.

        Raises:
            ActionLogError: The intent can't be recorded; nothing ran.
            Refused: The judge did not let it run; that is recorded.
            CommandError: It can't be started; that is recorded, except where no transport leads to its target.
        """
        transport = self._transports.get(command.target.transport)
        if transport is None:
            raise CommandError(
                f"no transport {command.target.transport!r} leads there", where=command.target.name
            )
        if (command.kind is Kind.SHELL) is not (terminal is not None):
            raise CommandError(
                "a shell needs a terminal, and nothing else has one", where=command.target.name
            )
        assessment = await self.assess(command)
        action = await self._begin(command, assessment)
        on_begin(action)
        if assessment.decision is not Decision.RUN:
            refusal, lacking = _refusal(assessment), _lacking(assessment)
            told = "; ".join(filter(None, (refusal, lacking)))
            await self.log.finish(action, Result(state=State.DENIED, error=told))
            raise Refused(refusal, where=command.target.name, remedy=lacking)
        keeper = Keeper(self.log, action)
        watch = _Watch(on_output=on_output, on_end=on_end, terminal=terminal)
        return await self._carry(command, keeper, transport, watch)

    async def assess(self, command: Command) -> Assessment:
        """Judge a command as `run` will; in a thread, as rules are read from the disk when they are first needed."""
        return await asyncio.to_thread(self._judge.assess, command)

    async def decline(self, command: Command, why: str) -> str:
        """Record that the operator was asked about a command and did not let it run; return the action's id.

        Raises:
            ActionLogError: It can't be recorded.
        """
        action = await self._begin(command, await self.assess(command))
        await self.log.finish(action, Result(state=State.CANCELLED, error=why))
        return action

    async def attest(self, command: Command, why: str) -> str:
        """Record something that was decided and is no program's doing, such as an elevation; return the action's id.

        Raises:
            ActionLogError: It can't be recorded, so it must not hold.
        """
        decided = Assessment(risk=Risk.CHANGE, decision=Decision.RUN, reasons=(why,))
        action = await self._begin(command, decided)
        await self.log.finish(action, Result(state=State.DONE))
        return action

    async def _begin(self, command: Command, assessment: Assessment) -> str:
        """Record the intent; one that was recorded while this was cancelled gets its result as well."""
        begun = asyncio.ensure_future(
            self.log.begin(
                command,
                assessment.risk,
                assessment.decision,
                assessment.reasons,
                undo=assessment.undo,
                approvals=(command.approval,) if command.approval else (),
            )
        )
        try:
            return await asyncio.shield(begun)
        except asyncio.CancelledError:
            action = await begun
            await self.log.finish(action, Result(state=State.CANCELLED, error="stopped before it started"))
            raise

    async def _carry(self, command: Command, keeper: Keeper, transport: Transport, watch: _Watch) -> Ended:
        """Start the command, follow it, and record its result whatever happens."""
        result = Result(state=State.UNKNOWN_OUTCOME, error="stopped while it was being started")
        cause: BaseException | None = None
        try:
            running = await _started(command, transport, keeper, watch.terminal)
            result = Result(state=State.UNKNOWN_OUTCOME, error="the cockpit lost hold of it")
            with contextlib.closing(running):
                result, cause = await self._follow(running, keeper, watch)
        except CommandError as error:
            result = Result(state=State.FAILED, error=str(error))
            raise
        finally:
            await keeper.finish(result)
            ended = Ended(
                action=keeper.action,
                state=result.state,
                exit_status=result.exit_status,
                signal=result.signal,
                error=result.error,
                log_error=keeper.error,
            )
            watch.on_end(ended)
        if cause is not None:
            raise cause
        return ended

    async def _follow(
        self, running: Running, keeper: Keeper, watch: _Watch
    ) -> tuple[Result, BaseException | None]:
        """Pass output on until the end; return how it ended, and what to raise where it was stopped."""
        pump = _Pump(running, keeper, watch.on_output)
        try:
            await asyncio.wait([pump.task])
        except asyncio.CancelledError as cancelled:
            return _stopped(await self._stop(running, pump), "stopped by the operator"), cancelled
        if (error := pump.task.exception()) is not None:
            why = f"stopped, as its output could not be passed on: {type(error).__name__}: {error}"
            return _stopped(await self._stop(running, pump), why), error
        result = _result(await running.wait())
        if watch.terminal is not None and result.exit_status is not None:
            result = replace(result, state=State.DONE)  # its status is that of the last line typed
        return result, None

    async def _stop(self, running: Running, pump: _Pump) -> Outcome:
        """End a command: politely, then not; its last words are still heard."""
        running.stop()
        try:
            async with asyncio.timeout(self._grace_s):
                outcome = await running.wait()
                await asyncio.wait([pump.task], timeout=LAST_WORDS_S)
                if pump.showing:
                    pump.show_no_more()
                await asyncio.wait([pump.task])
        except (TimeoutError, asyncio.CancelledError):
            running.stop(kill=True)
            await asyncio.wait([pump.task], timeout=LAST_WORDS_S)
            try:
                async with asyncio.timeout(LAST_WORDS_S):
                    outcome = await running.wait()
            except TimeoutError:
                outcome = Outcome(unknown="it has not ended after SIGKILL")
        pump.task.cancel()
        await asyncio.gather(pump.task, return_exceptions=True)
        return outcome


class _Pump:
    """Passes a command's output on to its record and to whoever watches.

    Attributes:
        task: Ends with the output, or with what `on_output` raised.
        showing: Whether it waits for `on_output` right now.
    """

    def __init__(self, running: Running, keeper: Keeper, on_output: OnOutput | None) -> None:
        self.showing = False
        self._running = running
        self._keeper = keeper
        self.task = asyncio.create_task(self._pass_on(on_output))

    def show_no_more(self) -> None:
        """Let go of a watcher that takes nothing more in; the rest is recorded all the same."""
        self.task.cancel()
        self.showing = False
        self.task = asyncio.create_task(self._pass_on(None))

    async def _pass_on(self, on_output: OnOutput | None) -> None:
        async for stream, data in self._running.output():
            await self._keeper.keep(stream, data)
            if on_output is not None:
                self.showing = True
                await on_output(stream, data)
                self.showing = False


async def _started(
    command: Command, transport: Transport, keeper: Keeper, terminal: Terminal | None
) -> Running:
    if terminal is None:
        return await transport.start(command)
    if not isinstance(transport, TerminalTransport):
        raise CommandError("there are no terminals", where=command.target.name)
    return terminal.through(keeper, await transport.open(command, terminal.launch))


def _result(outcome: Outcome) -> Result:
    if outcome.unknown:
        return Result(state=State.UNKNOWN_OUTCOME, error=outcome.unknown)
    done = outcome.exit_status == 0
    return Result(
        state=State.DONE if done else State.FAILED,
        exit_status=outcome.exit_status,
        signal=outcome.signal,
        error=outcome.note or None,
    )


def _stopped(outcome: Outcome, why: str) -> Result:
    """Return the result of a command that was stopped; only a known end counts as cancelled."""
    if outcome.unknown:
        return Result(state=State.UNKNOWN_OUTCOME, error=f"{why}; {outcome.unknown}")
    return Result(state=State.CANCELLED, exit_status=outcome.exit_status, signal=outcome.signal, error=why)


def _refusal(assessment: Assessment) -> str:
    return f"refused ({assessment.decision.value}): {'; '.join(assessment.reasons) or assessment.risk.value}"


def _lacking(assessment: Assessment) -> str:
    """Say what a command would need, and how that is given."""
    if not assessment.requires:
        return ""
    needs = f"{assessment.environment.value} needs {', '.join(assessment.requires)}"
    return f"{needs}: {assessment.remedy}" if assessment.remedy else needs
