"""Asks at the terminal for what the guard needs, as the screen's dialog does; without a terminal the flags say it."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Iterator

from msgspec.structs import replace

from cockpit.actions.command import Command
from cockpit.actions.executor import Executor
from cockpit.approvals import Approvals
from cockpit.errors import Refused
from cockpit.guard.judge import Assessment, Decision
from cockpit.guard.policy import Need, Reasons
from cockpit.hygiene import clean_text


class Asking:
    """Obtains what a command needs before it runs.

    Args:
        executor: Judges it, and records that it was not wanted after all.
        approvals: Asks second persons.
        reasons: What counts as an open reason.
    """

    def __init__(self, executor: Executor, approvals: Approvals, reasons: Reasons) -> None:
        self._executor = executor
        self._approvals = approvals
        self._reasons = reasons

    async def obtain(self, command: Command, *, approval: str, wait: bool) -> Command:
        """Return the command with what was given to let it run.

        Args:
            command: What was asked for.
            approval: The request that a second person has approved; empty for none.
            wait: Whether to wait for a second person.

        Raises:
            Refused: It is not wanted after all, or not approved; that is recorded.
            CockpitError: It can't be judged, recorded or checked.
        """
        if approval:
            command = await self._approvals.take(approval, command)
        else:
            command = await self._approvals.beforehand(command)
        assessment = await self._executor.assess(command)
        if assessment.decision is Decision.CONFIRM and _at_a_terminal():
            command = await self._asked(command, assessment)
            assessment = await self._executor.assess(command)
        if assessment.decision is not Decision.APPROVE:
            return command
        return await self._approved(command, assessment, wait=wait)

    async def _asked(self, command: Command, assessment: Assessment) -> Command:
        for line in _page(command, assessment):
            print(line, file=sys.stderr)
        given = await asyncio.to_thread(self._answers, command, assessment)
        if given is None:
            action = await self._executor.decline(command, "the operator was asked and did not confirm")
            raise Refused("not run, as it was not confirmed", remedy=f"recorded as {action}")
        return given

    async def _approved(self, command: Command, assessment: Assessment, *, wait: bool) -> Command:
        request = await self._approvals.ask(command, assessment)
        print(f"cockpit: a second person has to approve it: cockpit approve {request}", file=sys.stderr)
        if not wait:
            await self._executor.decline(command, f"waits for the approval {request}")
            how = f"cockpit approve {request}, then the same with --approval {request}"
            raise Refused("not run before a second person approves it", remedy=how)
        try:
            return await self._approvals.wait(request, command)
        except (Refused, asyncio.CancelledError) as error:
            await self._executor.decline(
                command, f"not approved ({request}): {str(error) or 'no longer waited for'}"
            )
            raise

    def _answers(self, command: Command, assessment: Assessment) -> Command | None:
        """Ask for each thing that is missing; None where the operator leaves one out."""
        if Need.REASON in assessment.requires:
            reason = _line("incident or change ticket (empty cancels): ")
            if not reason:
                return None
            command = self._reasons.given(command, reason)
        if Need.NAME in assessment.requires:
            if _line(f"type {assessment.place} to run it (anything else cancels): ") != assessment.place:
                return None
            return replace(command, typed=assessment.place)
        if Need.CONFIRMATION in assessment.requires:
            if _line("run it? (yes runs it, anything else cancels): ").lower() not in {"y", "yes"}:
                return None
            return replace(command, confirmed=True)
        return command


def _at_a_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _page(command: Command, assessment: Assessment) -> Iterator[str]:
    yield f"  {assessment.environment.upper()}  {clean_text(assessment.place)}"
    yield f"  command  {clean_text(command.shell or shlex.join(command.argv))}"
    yield f"  risk     {assessment.risk}"
    for reason in assessment.reasons:
        yield f"           {clean_text(reason)}"
    if assessment.undo:
        yield f"  undo     {clean_text(assessment.undo)}"
    if assessment.preview:
        yield f"  dry run  {clean_text(shlex.join(assessment.preview))}"


def _line(prompt: str) -> str:
    print(prompt, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()
