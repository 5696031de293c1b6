"""Keeps a running command's output and result, and goes on when the log can't.

A command that already runs is not ended because its record fails: half a change may be worse than a whole one. It
runs on, what can be kept is kept, and the failure is handed to whoever asked.
"""

from __future__ import annotations

from collections.abc import Callable

from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.records import Result
from cockpit.actions.transport import Stream
from cockpit.errors import ActionLogError

Redact = Callable[[bytes], bytes]
"""Returns what may be kept of some whole lines of output."""

LINE = 64 * 1024
"""Bytes of an unfinished line that are held back for a redactor, which is to see a secret whole."""


class Keeper:
    """Writes one action's output and result.

    Attributes:
        action: Its id.
        error: The first failure of the log, or None.
    """

    def __init__(self, log: ActionLog, action: str, redact: Redact | None) -> None:
        self.error: ActionLogError | None = None
        self._log = log
        self.action = action
        self._redact = redact
        self._held = dict.fromkeys(Stream, b"")

    async def keep(self, stream: Stream, data: bytes) -> None:
        """Keep a piece of output; with a redactor, whole lines of it."""
        if self._redact is not None:
            data = self._held[stream] + data
            end = data.rfind(b"\n") + 1 or (len(data) if len(data) >= LINE else 0)
            self._held[stream] = data[end:]
            data = self._redact(data[:end])
        if data:
            await self._write(stream, data)

    async def finish(self, result: Result) -> None:
        """Keep what is still held, and the result."""
        for stream, data in self._held.items():
            if data and self._redact is not None:
                await self._write(stream, self._redact(data))
        try:
            await self._log.finish(self.action, result)
        except ActionLogError as error:
            self.error = self.error or error

    async def _write(self, stream: Stream, data: bytes) -> None:
        try:
            await self._log.output(self.action, stream, data)
        except ActionLogError as error:
            self.error = self.error or error
