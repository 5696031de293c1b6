"""Log files while the screen shows them: the store, the process that reads for it, and the search it is asked for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from pathlib import Path

from cockpit.errors import CockpitError
from cockpit.formats.declaration import Declaration
from cockpit.stores.logs.criteria import Criteria
from cockpit.stores.logs.files.apart import Apart
from cockpit.stores.logs.files.opening import LIMIT
from cockpit.stores.logs.files.searching import query_of
from cockpit.stores.logs.files.store import FileStore
from cockpit.stores.logs.files.wire import Next, Trouble

log = logging.getLogger(__name__)


FIRST_WAIT, LAST_WAIT = 1.0, 30.0
"""Seconds until a process that was lost is replaced, doubling."""
LONG = 60.0
"""Seconds that a process has to last for the next one to be begun soon again."""
READER = -2
"""The number by which troubles of the process itself are told."""


class LogFiles(FileStore):
    """A file store that reads on by itself between `start` and `stop`."""

    def __init__(
        self,
        paths: Sequence[str],
        *,
        folder: Path | None = None,
        limit: int = LIMIT,
        formats: Sequence[Declaration] = (),
        zone: str = "",
    ) -> None:
        """Open files and read their last records; see `FileStore`.

        Raises:
            CockpitError: One can't be read.
        """
        super().__init__(paths, folder=folder, limit=limit, formats=formats, zone=zone)
        self._apart = Apart()
        self._task: asyncio.Task[None] | None = None
        self._asked: tuple[int, bytes] | None = None

    def start(self) -> None:
        """Begin to read what is not read yet, and what comes."""
        self._task = asyncio.get_running_loop().create_task(self._serve(), name="log files")

    async def stop(self) -> None:
        """End the process and close the files."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._apart.end()
        self.close()

    def search(self, serial: int, criteria: Criteria) -> None:
        """Ask the process for a search."""
        self._asked = (serial, query_of(criteria))
        self._apart.look(*self._asked)

    def ask(self, question: Next) -> None:
        """Hand on a question to the process."""
        self._apart.look_for(question)

    def _silent(self, seconds: float) -> None:
        text = f"the process that reads the logs is silent for {seconds:g} s: what is new is not seen"
        self.told([Trouble(READER, text if seconds else "")])

    async def _serve(self) -> None:
        """Let the process read; where it is lost, another begins anew after a while."""
        wait = FIRST_WAIT
        while True:
            begun = time.monotonic()
            try:
                await self._apart.begin(self.opened)
                if self._asked is not None:
                    self._apart.look(*self._asked)
                await self._apart.listen(self.told, self._silent)
            except CockpitError as error:
                if time.monotonic() - begun >= LONG:
                    wait = FIRST_WAIT
                log.error("%s", error)
                self.told([Trouble(READER, f"{error}; again in {wait:g} s")])
            await self._apart.end()
            await asyncio.sleep(wait)
            wait = min(LAST_WAIT, 2 * wait)
            with contextlib.suppress(CockpitError):
                self.begin_again()
