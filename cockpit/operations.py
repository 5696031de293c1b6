"""The way out, as the screen uses it: the action log opened once, and commands put through the executor's door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.errors import ActionLogError
from cockpit.targets import Target

if TYPE_CHECKING:
    from cockpit.actionlog.log import ActionLog
    from cockpit.actions.command import Command
    from cockpit.actions.executor import Ended, Executor, OnOutput
    from cockpit.actions.transport import Transport


class Operations:
    """Runs what the operator asks for; every command is recorded, and without the record nothing runs.

    Attributes:
        error: Why the log can't be used; empty when it can, or when it isn't open yet.
        interrupted: Actions of earlier sessions whose end nobody recorded.
    """

    def __init__(
        self, data_dir: Path, ask: Callable[..., Any], *, incident: str = "", read_only: bool = False
    ) -> None:
        self.read_only = read_only
        self.incident = incident
        self.error = ""
        self.interrupted: list[str] = []
        self._data_dir = data_dir
        self._ask = ask
        self._log: ActionLog | None = None
        self._executor: Executor | None = None

    @property
    def recording(self) -> bool:
        """True while the log can be written."""
        return self._log is not None and not self.error

    async def open(self) -> None:
        """Open the log in a thread: importing what it needs takes a tenth of a second."""
        try:
            log, self._executor = await asyncio.to_thread(self._open)
            self._log = log
            self.interrupted = list(log.interrupted)
            self.error = ""
        except ActionLogError as error:
            self.error = str(error)

    async def shell(
        self,
        line: str,
        target: Target,
        *,
        on_output: OnOutput,
        on_begin: Callable[[str], None],
        on_end: Callable[[Ended], None],
    ) -> Ended:
        """Run a line that the operator typed, by the shell of the target; cancelled, it stops the command.

        Args:
            line: What was typed.
            target: Where it lands.
            on_output: Shows output as it comes.
            on_begin: Called with the action's id before anything starts.
            on_end: Called with what came of it, however it ended, once that is recorded.

        Raises:
            CockpitError: It could not be recorded, was refused, or can't be started.
        """
        from cockpit.actions.actor import current_actor
        from cockpit.actions.command import shell_command

        command = shell_command(line, target, actor=str(current_actor()), incident=self.incident)
        return await self._run(command, on_output=on_output, on_begin=on_begin, on_end=on_end)

    async def act(self, source: str, argv: Sequence[str], environment: Target) -> Ended:
        """Carry out an action that a source offers, such as a silence.

        Raises:
            CockpitError: As for `shell`.
        """
        from cockpit.actions.actor import current_actor
        from cockpit.actions.command import Command, Origin

        command = Command(
            argv=tuple(argv),
            target=Target(name=source, environment=environment.environment, transport="source"),
            actor=str(current_actor()),
            incident=self.incident,
            origin=Origin.PANE,
        )
        return await self._run(command)

    def close(self) -> None:
        """End the session in the log."""
        if self._log is not None:
            self._log.close()
            self._log = None

    async def _run(
        self,
        command: Command,
        *,
        on_output: OnOutput | None = None,
        on_begin: Callable[[str], None] = lambda _: None,
        on_end: Callable[[Ended], None] = lambda _: None,
    ) -> Ended:
        if self._executor is None:
            await self.open()
        if self._executor is None:
            raise ActionLogError("nothing runs without a record", where="action log", remedy=self.error)
        return await self._executor.run(command, on_output=on_output, on_begin=on_begin, on_end=on_end)

    def _open(self) -> tuple[ActionLog, Executor]:
        from cockpit.actionlog.log import FILE, ActionLog
        from cockpit.actions.executor import Executor
        from cockpit.actions.local import LocalTransport
        from cockpit.actions.source import SourceTransport
        from cockpit.guard.judge import Judge, NoGuard, ReadOnly

        log = ActionLog.open(self._data_dir / FILE)
        transports: dict[str, Transport] = {"local": LocalTransport(), "source": SourceTransport(self._ask)}
        judge: Judge = ReadOnly(NoGuard()) if self.read_only else NoGuard()
        return log, Executor(log, transports, judge=judge)
