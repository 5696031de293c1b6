"""Log files while the screen shows them: the store, the process that reads for it, and the search it is asked for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from cockpit.errors import CockpitError
from cockpit.formats.declaration import Declaration
from cockpit.stores.logs.criteria import Criteria
from cockpit.stores.logs.files.apart import Apart
from cockpit.stores.logs.files.aside import aside, begun
from cockpit.stores.logs.files.beginning import Beginning, Opener
from cockpit.stores.logs.files.loader import Loader
from cockpit.stores.logs.files.loads import Begin, Source
from cockpit.stores.logs.files.logs import Known
from cockpit.stores.logs.files.opening import LIMIT, spool_of
from cockpit.stores.logs.files.rotated import RotatedLog, settle
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
SILENT = -3
"""The number by which it is told that a disk does not answer."""
PATIENCE = 5.0
"""Seconds that opening may take."""


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
        self._apart = Apart()
        self._task: asyncio.Task[None] | None = None
        self._asked: tuple[int, bytes] | None = None
        self._opening: set[asyncio.Task[None]] = set()
        super().__init__(paths, folder=folder, limit=limit, formats=formats, zone=zone)

    def start(self) -> None:
        """Begin to read what is not read yet, and what comes; from now on nothing of it keeps the loop."""
        self._task = asyncio.get_running_loop().create_task(self._serve(), name="log files")
        self._begin_loading()

    async def stop(self) -> None:
        """End the process and close the files."""
        for task in (*self._opening, self._task):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        await self._apart.end()
        self.close()
        if self._cache.loader is not None:
            await self._cache.loader.closed()

    def close(self) -> None:
        """Close the files; where a disk does not answer they are left open, as closing may wait for it too."""
        if self.waited_for:
            self._cache.end()
        else:
            super().close()

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
                self.begin_again(await aside(partial(self.opener().open, self.paths, anyway=True)))

    def _first_opened(self, opener: Opener) -> Beginning:
        """Open the files within some seconds.

        Raises:
            CockpitError: One can't be read, or its disk does not answer.
        """
        try:
            return begun(partial(opener.open, self.paths)).result(PATIENCE)
        except TimeoutError:
            raise CockpitError(
                f"the disk does not answer, for {PATIENCE:g} s now",
                where=opener.logs.reading,
                remedy="look whether it is mounted from a host that is down; open the other files without it",
            ) from None

    def _begin(self, begun: Beginning) -> None:
        super()._begin(begun)
        if self._task is not None:
            self._begin_loading()

    def _begin_loading(self) -> None:
        self._cache.begin(Loader(self._sources, self._take, self._tell_silent))

    def _sources(self) -> Begin:
        sources = [
            Source(log.name, log.path, log.identity, sampled, bool(spool_of(log)))
            for log, sampled in zip(self.logs.opened, self.logs.sampled, strict=True)
        ]
        return Begin(sources, self.declared, self.zone)

    def _tell_silent(self) -> None:
        names = self.waited_for
        text = f"{', '.join(names)}: the disk does not answer; lines there are shown once it does"
        self.told([Trouble(SILENT, text if names else "")])

    def _settle(self) -> None:
        """Close rotated logs elsewhere, as they are looked at before."""
        if self._task is None:
            super()._settle()
        elif due := [log for log in self.logs.opened if isinstance(log, RotatedLog) and log.due]:
            for log in due:
                log.settling = True
            task = asyncio.get_running_loop().create_task(self._settle_aside(due), name="log closing")
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _settle_aside(self, logs: Sequence[RotatedLog]) -> None:
        await aside(partial(settle, logs))

    def _open(self, number: int, work: Callable[[], Known]) -> None:
        """Open a log elsewhere; what lies in it has to wait for that."""
        if self._task is None:
            super()._open(number, work)
            return
        task = asyncio.get_running_loop().create_task(self._open_aside(number, work), name="log opening")
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open_aside(self, number: int, work: Callable[[], Known]) -> None:
        logs, waiting = self.logs, self._cache.opening
        waiting.add(number)
        try:
            found = await aside(work)
        except CockpitError as error:
            self.told([Trouble(number, str(error))])
        else:
            if self.logs is logs:
                logs.put(number, *found)
                if self._cache.loader is not None:
                    self._cache.loader.renew()
        waiting.discard(number)
        self._cache.wake()
        self.touched()
