"""Obtains what a command needs before it runs: from the operator in a dialog, and from a second person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace

from cockpit.actions.command import Command, Risk
from cockpit.actions.transport import Stream
from cockpit.config.settings import Settings
from cockpit.errors import CockpitError, Refused
from cockpit.guard.judge import Assessment, Decision
from cockpit.guard.policy import Need
from cockpit.guard.setup import reasons_of
from cockpit.operations import Operations
from cockpit.targets import Target
from widgets.consent import ConsentDialog
from widgets.waiting import WaitingDialog

SHOWN = 256 * 1024
"""Bytes of a dry run's output that are shown."""


class Consent:
    """Asks the operator for what the guard needs.

    Args:
        operations: The way out.
        settings: Says what counts as an open reason, and how long elevation lasts.
        show: Puts a dialog on the screen and returns how it was dismissed.
        wait: The same for the dialog that waits for a second person.
    """

    def __init__(
        self,
        operations: Operations,
        settings: Settings,
        show: Callable[[ConsentDialog], Awaitable[Command | None]],
        wait: Callable[[WaitingDialog], Awaitable[Command | CockpitError | None]],
    ) -> None:
        self._operations = operations
        self._settings = settings
        self._show = show
        self._wait = wait

    async def obtain(self, command: Command) -> Command | None:
        """Return the command with what was given; None where the operator does not want it after all.

        A command that may run as it is, or that nothing can let run, comes back as it is: the door says the rest.

        Raises:
            CockpitError: It can't be judged or recorded.
        """
        command = await self._operations.approved_beforehand(command)
        assessment = await self._operations.assess(command)
        if assessment.decision is Decision.RUN or self._operations.read_only:
            return command
        given = await self._show(self._dialog(command, assessment))
        if given is None:
            await self._operations.decline(command, "the operator was asked and did not confirm")
            return None
        if Need.ELEVATION in assessment.requires:
            await self._operations.elevate(self._settings.guard.elevation_minutes, given)
        if Need.SECOND_PERSON in assessment.requires:
            return await self._approved(given)
        return given

    async def _approved(self, command: Command) -> Command | None:
        """Ask a second person, and return the command under the approval; None where there is none."""
        request, expires_ns = await self._operations.ask_second_person(command)
        answer = self._operations.answer(request, command)
        got = await self._wait(WaitingDialog(request, answer, expires_ns=expires_ns))
        if isinstance(got, Command):
            return got
        why = "given up" if got is None else str(got)
        await self._operations.decline(command, f"not approved ({request}): {why}")
        if got is not None:
            raise got
        return None

    async def elevate(self, target: Target) -> bool:
        """Let production be changed for a while, if the operator gives a reason; return whether that was done.

        Raises:
            ActionLogError: It can't be recorded.
        """
        minutes = self._settings.guard.elevation_minutes
        command = replace(self._operations.typed("", target), argv=("cockpit", "elevate", f"{minutes}m"))
        asked = Assessment(
            risk=Risk.CHANGE,
            decision=Decision.CONFIRM,
            reasons=(f"production may be changed for {minutes} minutes",),
            requires=(Need.REASON.value, Need.NAME.value),
            environment=target.environment,
            place=target.name,
        )
        given = await self._show(self._dialog(command, asked))
        if given is not None:
            await self._operations.elevate(minutes, given)
        return given is not None

    def _dialog(self, command: Command, assessment: Assessment) -> ConsentDialog:
        async def dry_run(argv: Sequence[str]) -> str:
            return await self._preview(command, argv)

        return ConsentDialog(
            command,
            assessment,
            reasons=reasons_of(self._settings),
            minutes=self._settings.guard.elevation_minutes,
            dry_run=dry_run,
        )

    async def _preview(self, command: Command, argv: Sequence[str]) -> str:
        """Run what shows a command's effect: through the same door, and only where it does nothing but read."""
        preview = replace(command, argv=tuple(argv), shell="")
        if (await self._operations.assess(preview)).risk is not Risk.READ:
            raise Refused("its dry run is not known to do nothing else", where=command.target.name)
        kept = bytearray()

        async def keep(_stream: Stream, data: bytes) -> None:
            kept.extend(data[: SHOWN - len(kept)])

        await self._operations.run(preview, on_output=keep, on_begin=lambda _: None, on_end=lambda _: None)
        return kept.decode(errors="replace")
