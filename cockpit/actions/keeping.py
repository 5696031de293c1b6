"""Keeps a running command's output and result, and goes on when the log can't.

A command that already runs is not ended because its record fails: half a change may be worse than a whole one. It
runs on, what can be kept is kept, and the failure is handed to whoever asked.
"""

from __future__ import annotations

from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.records import Result
from cockpit.actions.transport import Stream
from cockpit.errors import ActionLogError


class Keeper:
    """Writes one action's output and result.

    Attributes:
        action: Its id.
        error: The first failure of the log, or None.
    """

    def __init__(self, log: ActionLog, action: str) -> None:
        self.error: ActionLogError | None = None
        self._log = log
        self.action = action

    async def keep(self, stream: Stream, data: bytes) -> None:
        """Keep a piece of output."""
        try:
            await self._log.output(self.action, stream, data)
        except ActionLogError as error:
            self.error = self.error or error

    async def finish(self, result: Result) -> None:
        """Keep the result."""
        try:
            await self._log.finish(self.action, result)
        except ActionLogError as error:
            self.error = self.error or error
