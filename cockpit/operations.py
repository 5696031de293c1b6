"""The way out, as the screen uses it: the action log opened once, and commands put through the executor's door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.errors import ActionLogError
from cockpit.guard.elevation import Elevation
from cockpit.ssh.connections import connections_of
from cockpit.ssh.elsewhere import Elsewhere
from cockpit.targets import GROUP, Target, Targets

if TYPE_CHECKING:
    from cockpit.actionlog.log import ActionLog
    from cockpit.actionlog.timeline import Timeline
    from cockpit.actions.command import Command
    from cockpit.actions.executor import Ended, Executor, OnOutput
    from cockpit.actions.hostkeys import HostKeyRecord
    from cockpit.actions.transport import Transport
    from cockpit.approvals import Approvals
    from cockpit.config import Settings
    from cockpit.evidence import Pin
    from cockpit.fanout.fanout import FanOut, GoOn
    from cockpit.guard.judge import Assessment
    from cockpit.sftp.request import Fetch
    from cockpit.sftp.transfer import Progress
    from cockpit.shells.session import ShellSession
    from cockpit.ssh.asking import OfferedKey, Verdict
    from cockpit.term.size import Size


class Operations:
    """Runs what the operator asks for, as far as the guard lets it; without a record nothing runs.

    Attributes:
        approvals: Second persons' approvals; None until the log is open.
        elevation: Whether production may be changed just now.
        asker: Has the screen ask what a connection must ask the operator.
        connections: The SSH connections; none is made before one is wanted.
        error: Why the log can't be used; empty when it can, or when it isn't open yet.
        transferring: Told how far a transfer is, ten times a second at most.
        interrupted: Actions of earlier sessions whose end nobody recorded.
    """

    def __init__(
        self,
        data_dir: Path,
        ask: Callable[..., Any],
        settings: Settings,
        *,
        incident: str = "",
        read_only: bool = False,
        targets: Targets | None = None,
    ) -> None:
        self.read_only = read_only
        self.elevation = Elevation()
        self._settings = settings
        self.incident = incident
        self.error = ""
        self.interrupted: list[str] = []
        self.transferring: Callable[[Progress], None] = lambda _: None
        self._data_dir = data_dir
        self._ask = ask
        self._log: ActionLog | None = None
        self.approvals: Approvals | None = None
        self._executor: Executor | None = None
        self._opening = asyncio.Lock()
        self._host_keys: HostKeyRecord | None = None
        self.asker = Elsewhere()
        self._targets = targets or Targets(settings.targets)
        self.connections = connections_of(settings, self.asker, targets=self._targets)

    @property
    def recording(self) -> bool:
        """True while the log can be written."""
        return self._log is not None and not self.error

    async def open(self) -> None:
        """Open the log once, in a thread: importing what it needs takes a tenth of a second."""
        async with self._opening:
            if self._executor is not None:
                return
            try:
                log, self.approvals, self._executor = await asyncio.to_thread(self._open)
                self._log, self.interrupted = log, list(log.interrupted)
                self.error = ""
            except ActionLogError as error:
                self.error = str(error)

    def typed(self, line: str, target: Target) -> Command:
        """Return the command of a line that the operator typed, for the shell of the target, or of each of several.

        Raises:
            UsageError: The target stands for no host any more, or for too many.
        """
        from cockpit.actions.actor import current_actor
        from cockpit.actions.command import shell_command

        command = shell_command(line, target, actor=str(current_actor()), incident=self.incident)
        if target.transport != GROUP:
            return command
        from cockpit.fanout.judging import on_all

        return on_all(command, target.name, self._targets.members(target.name))

    def fetched(self, request: Fetch) -> Command:
        """Return the command that fetches files from a host."""
        from msgspec.structs import replace

        from cockpit.actions.actor import current_actor
        from cockpit.actions.command import Command, Kind

        return Command(
            argv=request.argv,
            target=replace(self._targets.resolve(request.host), transport="sftp"),
            actor=str(current_actor()),
            incident=self.incident,
            kind=Kind.FETCH,
        )

    async def fan_out(self, go_on: GoOn) -> FanOut:
        """Return what runs a command on several hosts.

        Args:
            go_on: Asks whether a change goes on from its first host to the others.

        Raises:
            ActionLogError: Nothing can be run, as nothing can be recorded.
        """
        from cockpit.fanout.fanout import FanOut

        return FanOut(await self._ready(), go_on=go_on)

    async def assess(self, command: Command) -> Assessment:
        """Say what the guard thinks of a command.

        Raises:
            ActionLogError: Nothing can be run, as nothing can be recorded.
        """
        return await (await self._ready()).assess(command)

    async def decline(self, command: Command, why: str) -> None:
        """Record that a command was asked for and then not run.

        Raises:
            ActionLogError: It can't be recorded.
        """
        await (await self._ready()).decline(command, why)

    async def approved_beforehand(self, command: Command) -> Command:
        """Return the command under an approval that was given for it beforehand, else as it is.

        Raises:
            ActionLogError: The log can't be read.
        """
        return await (await self._asking()).beforehand(command)

    async def ask_second_person(self, command: Command) -> tuple[str, int]:
        """Ask a second person for approval; return the request's id, and until when it is open.

        Raises:
            SignatureError: Nobody's signature would count.
            ActionLogError: It can't be recorded.
        """
        approvals = await self._asking()
        request = await approvals.ask(command, await self.assess(command))
        return request, approvals.reading().approval(request).expires_ns

    async def answer(self, request: str, command: Command) -> Command:
        """Wait for a second person's answer, and return the command under the approval.

        Raises:
            CockpitError: There is none, or it does not hold.
        """
        return await (await self._asking()).wait(request, command)

    async def elevate(self, minutes: int, command: Command) -> None:
        """Let production be changed for some minutes, for the reason that a command gives; recorded first.

        What is done then belongs to the command's incident, unless the session has one.

        Raises:
            ActionLogError: It can't be recorded, so nothing was elevated.
        """
        from msgspec.structs import replace

        from cockpit.actions.command import Kind

        words = ("cockpit", "elevate", f"{minutes}m")
        asked = replace(command, argv=words, shell="", kind=Kind.ELEVATION)
        await (await self._ready()).attest(asked, f"lets production be changed for {minutes} minutes")
        self.elevation.begin(minutes)
        self.incident = self.incident or command.incident

    async def drop_elevation(self) -> None:
        """End the elevation now; recorded.

        Raises:
            ActionLogError: It can't be recorded; it is ended all the same.
        """
        from cockpit.actions.actor import current_actor
        from cockpit.actions.command import Command
        from cockpit.targets import LOCAL

        self.elevation.drop()
        dropped = Command(
            argv=("cockpit", "elevate", "0m"),
            target=Target(name=LOCAL),
            actor=str(current_actor()),
            incident=self.incident,
        )
        await (await self._ready()).attest(dropped, "makes production read-only again")

    async def run(
        self,
        command: Command,
        *,
        on_output: OnOutput,
        on_begin: Callable[[str], None],
        on_end: Callable[[Ended], None],
    ) -> Ended:
        """Run a command that the operator asked for; cancelled, it stops the command.

        Args:
            command: What was asked for, and what was given to let it run.
            on_output: Shows output as it comes.
            on_begin: Called with the action's id before anything starts.
            on_end: Called with what came of it, however it ended, once that is recorded.

        Raises:
            CockpitError: It could not be recorded, was refused, or can't be started.
        """
        executor = await self._ready()
        return await executor.run(command, on_output=on_output, on_begin=on_begin, on_end=on_end)

    def shell_on(self, target: Target) -> Command:
        """Return the command that opens an interactive shell on a target, to be judged and confirmed."""
        from cockpit.shells.session import shell_on

        return shell_on(self.typed("", target))

    async def shell(
        self,
        target: Target,
        size: Size,
        *,
        confirmed: bool = False,
        asked: Command | None = None,
        integrated: bool = True,
    ) -> ShellSession:
        """Open an interactive shell on a target, recorded; it is a cable for a terminal.

        Args:
            target: Where.
            size: The terminal's.
            confirmed: Whether the operator confirmed it, as production asks for.
            asked: As `shell_on` made it, with what was given by another way.
            integrated: Whether the shell is asked to mark its command lines.

        Raises:
            CockpitError: It could not be recorded, was refused, or can't be started.
        """
        from msgspec.structs import replace

        from cockpit.shells.session import ShellSession

        executor = await self._ready()
        command = asked or replace(self.shell_on(target), confirmed=confirmed)
        return await ShellSession.open(executor, command, size, integrated=integrated)

    async def act(self, source: str, argv: Sequence[str], environment: Target) -> Ended:
        """Carry out an action that a source offers, such as a silence.

        Raises:
            CockpitError: As for `run`.
        """
        from cockpit.actions.actor import current_actor
        from cockpit.actions.command import Command, Kind, Origin

        command = Command(
            argv=tuple(argv),
            kind=Kind.SILENCE if "silence" in argv[:2] else Kind.SOURCE_ACTION,
            target=Target(name=source, environment=environment.environment, transport="source"),
            actor=str(current_actor()),
            incident=self.incident,
            origin=Origin.PANE,
            confirmed=True,  # by the form that it was asked for with
        )
        return await (await self._ready()).run(command)

    async def note(self, text: str) -> str:
        """Pin a note for the session's incident, and return its id.

        Raises:
            ActionLogError: It could not be written.
        """
        return await (await self._opened_log()).note(text, incident=self.incident)

    async def pin(self, pin: Pin) -> str:
        """Pin evidence for the session's incident, and return its id.

        Raises:
            ActionLogError: It could not be written.
        """
        return await (await self._opened_log()).evidence(
            pin.kind,
            pin.title,
            pin.body,
            query=pin.query,
            start_ns=pin.start_ns,
            end_ns=pin.end_ns,
            media_type=pin.media_type,
            incident=self.incident,
        )

    async def record_host_key(self, key: OfferedKey, verdict: Verdict) -> None:
        """Record what became of a host's key, before anything follows from it.

        Raises:
            ActionLogError: It can't be recorded.
        """
        if self._host_keys is None:
            from cockpit.actions.hostkeys import HostKeyRecord

            self._host_keys = HostKeyRecord(await self._opened_log(), self._targets)
        await self._host_keys.record(key, verdict, incident=self.incident)

    def timeline(self) -> Timeline:
        """Return a reader of the log on a connection of its own, so that what it looks for keeps nobody waiting."""
        from cockpit.actionlog.log import FILE
        from cockpit.actionlog.timeline import Timeline

        return Timeline(self._data_dir / FILE)

    def close(self) -> None:
        """End the session in the log."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def _tell_progress(self, progress: Progress) -> None:
        self.transferring(progress)

    async def _asking(self) -> Approvals:
        await self._ready()
        assert self.approvals is not None
        return self.approvals

    async def _opened_log(self) -> ActionLog:
        await self._ready()
        assert self._log is not None
        return self._log

    async def _ready(self) -> Executor:
        if self._executor is None:
            await self.open()
        if self._executor is None:
            raise ActionLogError("nothing runs without a record", where="action log", remedy=self.error)
        return self._executor

    def _open(self) -> tuple[ActionLog, Approvals, Executor]:
        from cockpit.actionlog.opening import opened
        from cockpit.actions.executor import Executor
        from cockpit.actions.local import LocalTransport
        from cockpit.actions.sftp import SftpTransport
        from cockpit.actions.source import SourceTransport
        from cockpit.actions.ssh import SshTransport
        from cockpit.approvals import Approvals
        from cockpit.fanout.judging import GroupJudge
        from cockpit.guard.judge import ReadOnly
        from cockpit.guard.setup import guard_of

        log = opened(self._data_dir, self._settings)
        transports: dict[str, Transport] = {
            "local": LocalTransport(),
            "source": SourceTransport(self._ask),
            "ssh": SshTransport(self.connections),
            "sftp": SftpTransport(self.connections, log, self._tell_progress),
        }
        approvals = Approvals(log, self._settings)
        guard = GroupJudge(
            guard_of(
                self._settings,
                targets=self._targets,
                elevated=lambda: self.elevation.active,
                granted=approvals.of,
            )
        )
        return log, approvals, Executor(log, transports, judge=ReadOnly(guard) if self.read_only else guard)
