"""Fills a real action log with actions, each with its output and its end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.records import Result, State
from cockpit.actions.command import Command, Kind, Risk
from cockpit.actions.transport import Stream
from cockpit.guard.judge import Decision
from cockpit.targets import Environment, Target


async def act(
    log: ActionLog,
    *argv: str,
    shell: str = "",
    output: Sequence[bytes | tuple[Stream, bytes]] = (),
    state: State = State.DONE,
    status: int | None = 0,
    target: str = "local",
    risk: Risk = Risk.READ,
    kind: Kind = Kind.COMMAND,
    reasons: Sequence[str] = ("it reads",),
    approvals: Sequence[str] = (),
    **more: Any,
) -> str:
    """Record one action from its beginning to its end and return its id."""
    place = Target(name=target, environment=Environment.STAGING)
    command = Command(argv=argv, target=place, actor="ann@desk", shell=shell, kind=kind, **more)
    action = await log.begin(command, risk, Decision.RUN, reasons, approvals=approvals)
    for piece in output:
        stream, data = piece if isinstance(piece, tuple) else (Stream.STDOUT, piece)
        await log.output(action, stream, data)
    await log.finish(action, Result(state=state, exit_status=status))
    return action


def opened(path: Path, **more: Any) -> ActionLog:
    """Open a log for a test."""
    return ActionLog.open(path, **more)
