"""Records each line that is typed in a shell as an action of its own, tied to its place in the recording.

What is recorded is queued and written in order, so that neither the disk nor the guard ever holds up the terminal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from msgspec import Struct

from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.places import Place
from cockpit.actionlog.records import Recorded, Result, State
from cockpit.actions.command import Command
from cockpit.errors import ActionLogError, CockpitError
from cockpit.guard.judge import Assessment, Decision


class Line(Struct, frozen=True, kw_only=True):
    """A line that starts.

    Attributes:
        command: What was typed, as a command.
        place: Where in the recording.
        remarks: What is to be said of how it came to run, beside the guard's reasons.
    """

    command: Command
    place: Place
    remarks: tuple[str, ...] = ()


class Items:
    """Writes down the lines of one shell.

    Attributes:
        error: The first failure of the log; None while all is written.

    Args:
        log: Where to.
        shell: The shell's action.
    """

    def __init__(self, log: ActionLog, shell: str) -> None:
        self.error: ActionLogError | None = None
        self._log = log
        self._shell = shell
        self._open: asyncio.Task[str | None] | None = None
        self._last: asyncio.Task[Any] | None = None

    def started(self, line: Line, assessment: asyncio.Task[Assessment]) -> None:
        """Record that a line starts, once it was judged."""
        self.ended(Result(state=State.UNKNOWN_OUTCOME, error="the shell did not say how it ended"))
        self._open = self._next(self._begin(line, assessment))

    def ended(self, result: Result) -> None:
        """Record how the line that runs ended; nothing where none does."""
        if self._open is not None:
            self._next(self._finish(self._open, result))
            self._open = None

    def place(self, what: Recorded, place: Place, *, term: str, size: tuple[int, int]) -> None:
        """Record the terminal's size from a place on."""
        self._next(self._log.record_place(self._shell, what, place, term=term, size=size))

    def do(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something else with the log, in its turn."""
        self._next(work)

    async def written(self) -> None:
        """Wait until all is written."""
        if self._last is not None:
            await asyncio.wait([self._last])

    def _next(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        self._last = asyncio.create_task(self._after(self._last, work))
        return self._last

    async def _after(self, before: asyncio.Task[Any] | None, work: Coroutine[Any, Any, Any]) -> Any:
        if before is not None:
            await asyncio.wait([before])
        try:
            return await work
        except ActionLogError as error:
            self.error = self.error or error
            return None

    async def _begin(self, line: Line, assessment: asyncio.Task[Assessment]) -> str:
        judged = await judgement(assessment)
        reasons = (*judged.reasons, *line.remarks)
        action = await self._log.begin(line.command, judged.risk, Decision.RUN, reasons, undo=judged.undo)
        await self._log.record_place(self._shell, Recorded.COMMAND, line.place, command=action)
        return action

    async def _finish(self, begun: asyncio.Task[str | None], result: Result) -> None:
        if (action := begun.result()) is not None:
            await self._log.finish(action, result)


async def judgement(task: asyncio.Task[Assessment]) -> Assessment:
    """Return what the guard thinks; where it can't tell, that is said, and the risk is unknown."""
    from cockpit.actions.command import Risk

    try:
        return await asyncio.shield(task)
    except CockpitError as error:
        return Assessment(risk=Risk.UNKNOWN, decision=Decision.CONFIRM, reasons=(f"not judged: {error}",))
