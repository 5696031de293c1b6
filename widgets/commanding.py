"""The app's way out: command bar, consent, elevation, and the drawer that shows what a command prints.

What the operator asks for goes through `cockpit.operations` and by it through the executor's one door.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import App

from cockpit.errors import CockpitError
from cockpit.evidence import Pin
from cockpit.operations import Operations
from cockpit.signals import host_of
from cockpit.wiring import Cockpit
from widgets.board import Board
from widgets.keys import caught_up
from widgets.lines import CommandBar
from widgets.messages import (
    CommandEntered,
    EvidencePinned,
    QuestionRaised,
    QuestionWithdrawn,
    SilenceEnded,
    SilenceRequested,
    WordPassed,
)
from widgets.output import OutputDrawer
from widgets.text import safe
from widgets.verdict import Verdict

if TYPE_CHECKING:
    from cockpit.actions.command import Command
    from cockpit.fanout.host import HostRun
    from cockpit.sftp.request import Fetch
    from cockpit.sftp.transfer import Progress
    from widgets.obtaining import Consent


class CommandingApp(App[int]):
    """An app that runs commands; the screen is built on it.

    Args:
        cockpit: The way in.
        operations: The way out.
    """

    verdict: Verdict
    board: Board
    drawer: OutputDrawer
    command_bar: CommandBar

    def __init__(self, cockpit: Cockpit, operations: Operations) -> None:
        super().__init__()
        self.cockpit = cockpit
        self.operations = operations

    def on_mount(self) -> None:
        """Have connections ask on this screen, once it stands."""
        self.call_after_refresh(self._answer)

    def _answer(self) -> None:
        from widgets.ssh_questions import SshQuestions

        self.operations.asker.answer_by(SshQuestions(self, self.operations.record_host_key))

    async def on_unmount(self) -> None:
        """Answer no more."""
        self.operations.asker.answer_no_more()

    async def action_shell(self) -> None:
        """Open the command bar for a shell line on the current target."""
        target = self.cockpit.target
        await self.command_bar.open("!", f"{target.environment.upper()} {target.name} !")

    @work(group="choose", exclusive=True, exit_on_error=False)
    async def action_targets(self) -> None:
        """Choose where commands land, starting at the host that the current row is about."""
        from widgets.chooser import TargetChooser

        await caught_up(self.focused)
        targets = self.cockpit.targets
        told = host_of(self.board.current.resource()) or self.cockpit.trail.now.host
        start = targets.meant(told) or self.cockpit.target.name
        chosen = await self.push_screen_wait(
            TargetChooser(targets, self.cockpit.inventories.statuses, start=start)
        )
        if chosen:
            self.post_message(CommandEntered(f"target {chosen}", ":"))

    def action_output(self) -> None:
        """Show the last command's output again."""
        self.drawer.open()

    @work(group="ask", exit_on_error=False)
    async def run_line(self, line: str) -> None:
        """Run a shell line through the door, in the drawer, once the operator has given what it needs."""
        target = self.cockpit.target
        if self.drawer.running:
            self.notice("a command is still running; stop it first, or wait", "warning")
            return
        try:
            command = await self._consent().obtain(self.operations.typed(line, target))
        except CockpitError as error:
            self.notice(str(error), "error")
            return
        if command is None:
            return
        place = f"{target.environment} {target.name} ! {line}"
        if command.members:
            fan = await self.operations.fan_out(partial(self._after_canary, command))
            self.drawer.run(partial(fan.run, command), place, fan=fan)
        else:
            self.drawer.run(partial(self.operations.run, command), place)

    @work(group="ask", exit_on_error=False)
    async def fetch(self, request: Fetch) -> None:
        """Fetch files from a host as evidence, in the drawer."""
        if self.drawer.running:
            self.notice("a command is still running; stop it first, or wait", "warning")
            return
        place = f"fetch from {request.host}"

        def told(progress: Progress) -> None:
            if self.drawer.running and (text := progress.told()):
                self.drawer.say(f"running · {text} · {place}")

        self.operations.transferring = told
        self.drawer.run(partial(self.operations.run, self.operations.fetched(request)), place)

    async def _after_canary(self, command: Command, canary: HostRun, others: tuple[HostRun, ...]) -> bool:
        """Ask whether a change goes on from its first host to the others."""
        from widgets.canary import CanaryDialog

        dialog = CanaryDialog(command, canary, others)
        try:
            return await self.push_screen_wait(dialog)
        finally:
            if dialog.is_current:  # it was stopped otherwise
                dialog.dismiss(False)

    @work(group="ask", exit_on_error=False)
    async def action_elevate(self) -> None:
        """Let production be changed for a while, once a reason was given; elevated already, give that up."""
        try:
            if self.operations.elevation.active:
                await self.operations.drop_elevation()
                self.notice("production is read-only again")
                return
            if await self._consent().elevate(self.cockpit.target):
                self.notice(
                    f"production may be changed for {self.cockpit.settings.guard.elevation_minutes} minutes"
                )
        except CockpitError as error:
            self.notice(str(error), "error")

    def _consent(self) -> Consent:
        from widgets.obtaining import Consent

        return Consent(self.operations, self.cockpit.settings, self.push_screen_wait, self.push_screen_wait)

    # What is pinned.

    async def action_note(self) -> None:
        """Open the command bar for a note."""
        incident = self.operations.incident
        await self.command_bar.open("note", f"note {f'for {incident} ' if incident else ''}›")

    @work(group="note", exit_on_error=False)
    async def pin_note(self, text: str) -> None:
        """Write a note to the action log."""
        try:
            self.notice(f"note pinned · {await self.operations.note(text)}")
        except CockpitError as error:
            self.notice(f"the note was not kept: {error}", "error")

    async def action_evidence(self) -> None:
        """Pin what the current pane shows, once it has taken the keys before this one."""
        await caught_up(self.focused)
        if self.drawer.is_open and self.drawer.has_focus_within:
            self.notice("what a command prints is in the record already; pin what a pane shows", "warning")
        else:
            self.board.current.pin()

    @on(EvidencePinned)
    def _evidence_pinned(self, event: EvidencePinned) -> None:
        self._pin(event.pin)

    @work(group="note", exit_on_error=False)
    async def _pin(self, pin: Pin) -> None:
        try:
            self.notice(f"{pin.kind} pinned: {safe(pin.title, 120)} · {await self.operations.pin(pin)}")
        except CockpitError as error:
            self.notice(f"not pinned: {error}", "error")

    # What connections ask.

    @on(QuestionRaised)
    def _question_raised(self, event: QuestionRaised) -> None:
        self.push_screen(event.dialog)

    @on(QuestionWithdrawn)
    def _question_withdrawn(self, event: QuestionWithdrawn) -> None:
        event.dialog.withdraw()

    @on(WordPassed)
    def _word_passed(self, event: WordPassed) -> None:
        self.notice(f"{safe(event.hop, 60)}: {safe(event.text, 600)}")

    # What sources offer.

    @on(SilenceRequested)
    def _silence_requested(self, event: SilenceRequested) -> None:
        self._act(event.source, "silence_argv", event.wanted, done=event.done)

    @on(SilenceEnded)
    def _silence_ended(self, event: SilenceEnded) -> None:
        self._act(event.source, "expire_argv", event.silence_id, done="silence ended")

    @work(group="act", exit_on_error=False)
    async def _act(self, source: str, method: str, wanted: object, *, done: str) -> None:
        """Put an action that a source offers through the door."""
        try:
            argv = await self.cockpit.supervisor.ask(source, method, wanted)
            ended = await self.operations.act(source, argv, self.cockpit.targets.resolve(source))
        except CockpitError as error:
            self.notice(str(error), "error")
            return
        if ended.exit_status == 0:
            self.notice(f"{done} on {source} · recorded as {ended.action}")
        else:
            self.notice(
                f"{source}: {ended.state} {ended.error or ''} · cockpit log show {ended.action}", "error"
            )

    @on(OutputDrawer.Closed)
    def _drawer_closed(self) -> None:
        self.board.current.focus_body()

    def notice(self, text: str, severity: str = "information") -> None:
        """Say something in passing."""
        self.notify(text, severity=severity, markup=False, timeout=5 if severity == "information" else 12)  # type: ignore[arg-type]

    def place(self, key: str) -> str:
        """Say where commands land, and how careful to be there.

        Args:
            key: The key that runs one.
        """
        target = self.cockpit.target
        why = "" if target.named else ", since no rule names it"
        what = "nothing is run: read-only" if self.operations.read_only else f"{key} runs on"
        return f"{what} {target.name} · {target.environment}{why}"
