"""Asks at the terminal for what the guard needs, as the screen's dialog does; without a terminal the flags say it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cockpit.actions.command import Command
    from cockpit.actions.executor import Executor
    from cockpit.guard.judge import Assessment
    from cockpit.guard.policy import Reasons


async def ask(executor: Executor, command: Command, reasons: Reasons) -> Command:
    """Return the command with what the operator gave to let it run.

    Raises:
        Refused: The operator did not want it after all; that is recorded.
    """
    import asyncio

    from cockpit.errors import Refused
    from cockpit.guard.judge import Decision

    if sys.stdin is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return command
    assessment = await executor.assess(command)
    if assessment.decision is not Decision.CONFIRM:
        return command
    for line in _page(command, assessment):
        print(line, file=sys.stderr)
    given = await asyncio.to_thread(_answers, command, assessment, reasons)
    if given is None:
        action = await executor.decline(command, "the operator was asked and did not confirm")
        raise Refused(
            "not run, as it was not confirmed", where=command.target.name, remedy=f"recorded as {action}"
        )
    return given


def _page(command: Command, assessment: Assessment) -> Iterator[str]:
    import shlex

    from cockpit.hygiene import clean_text

    yield f"  {assessment.environment.upper()}  {assessment.place}"
    yield f"  command  {clean_text(command.shell or shlex.join(command.argv))}"
    yield f"  risk     {assessment.risk}"
    for reason in assessment.reasons:
        yield f"           {clean_text(reason)}"
    if assessment.undo:
        yield f"  undo     {clean_text(assessment.undo)}"
    if assessment.preview:
        yield f"  dry run  {clean_text(shlex.join(assessment.preview))}"


def _answers(command: Command, assessment: Assessment, reasons: Reasons) -> Command | None:
    """Ask for each thing that is missing; None where the operator leaves one out."""
    from msgspec.structs import replace

    from cockpit.guard.policy import Need

    if Need.REASON in assessment.requires:
        reason = _line("incident or change ticket (empty cancels): ")
        if not reason:
            return None
        command = reasons.given(command, reason)
    if Need.NAME in assessment.requires:
        if _line(f"type {assessment.place} to run it (anything else cancels): ") != assessment.place:
            return None
        return replace(command, typed=assessment.place)
    if Need.CONFIRMATION in assessment.requires:
        if _line("run it? (yes runs it, anything else cancels): ").lower() not in {"y", "yes"}:
            return None
        return replace(command, confirmed=True)
    return command


def _line(prompt: str) -> str:
    print(prompt, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()
