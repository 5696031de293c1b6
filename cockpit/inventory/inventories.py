"""All inventories of a configuration: asked again and again, the last good answer kept, the targets told.

On the screen that happens on a thread of its own, begun after the first paint, and what takes long to read is read by
a process; on the command line they are asked once.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from cockpit.errors import InventoryError
from cockpit.inventory.merging import merged
from cockpit.targets import Targets

if TYPE_CHECKING:
    from pathlib import Path

    from cockpit.config import Settings
    from cockpit.inventory.reading import Reading
    from cockpit.inventory.settings import InventoryTable

SOONEST = 5.0
"""Seconds after which an inventory that failed is asked again; doubled each time, up to its own `refresh`."""
ENDING = 1.0
"""Seconds for a program that is being asked to be gone."""


class InventoryState(StrEnum):
    """How an inventory is doing."""

    WAITING = "waiting"
    """It has not answered yet in this session; what it said in one before may stand."""
    OK = "ok"
    STALE = "stale"
    """It failed; what it said before still stands."""
    FAILED = "failed"
    """It failed and has never answered."""
    DISABLED = "disabled"


class InventoryStatus(Struct, frozen=True, kw_only=True):
    """How one inventory is doing.

    Attributes:
        hosts: How many it names.
        answered_at: When it last answered, in seconds since the epoch; 0 for never.
        took_s: How long that took.
        error: Why it failed.
        remarks: What it names and can't be used.
    """

    name: str
    kind: str
    state: InventoryState
    hosts: int = 0
    answered_at: float = 0.0
    took_s: float = 0.0
    error: str = ""
    remedy: str = ""
    remarks: tuple[str, ...] = ()


class _Held:
    """One inventory and its last answer. Changed by the thread that asks alone."""

    def __init__(self, table: InventoryTable) -> None:
        self.table = table
        self.reading: Reading | None = None
        self.answered_at = self.took_s = 0.0
        self.error: InventoryError | None = None
        self.fresh = False
        """Whether it has answered in this session."""

    def status(self) -> InventoryStatus:
        table, reading, error = self.table, self.reading, self.error
        if error is None:
            state = InventoryState.OK if self.fresh else InventoryState.WAITING
        else:
            state = InventoryState.FAILED if reading is None else InventoryState.STALE
        where = f"{error.where}: " if error is not None and error.where else ""
        return InventoryStatus(
            name=table.called,
            kind=table.kind,
            state=state if table.enabled else InventoryState.DISABLED,
            hosts=len(reading.hosts) if reading is not None else 0,
            answered_at=self.answered_at,
            took_s=self.took_s,
            error=f"{where}{error.message}" if error is not None else "",
            remedy=error.remedy if error is not None else "",
            remarks=reading.remarks if reading is not None else (),
        )


class Inventories:
    """Asks the inventories of a configuration.

    Args:
        tables: The `[[inventories]]` of cockpit.toml.
        targets: Told whenever what they say has changed.
        told: Called with a line when one fails, or names what can't be used; on the thread that asks.
        folder: Where the answers of commands are kept for the next start; None keeps none.
    """

    def __init__(
        self,
        tables: Sequence[InventoryTable],
        targets: Targets,
        *,
        told: Callable[[str], None] = lambda _: None,
        folder: Path | None = None,
    ) -> None:
        self._held = [_Held(table) for table in tables]
        self._targets = targets
        self._told = told
        self._folder = folder
        self._said: set[str] = set()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._keeping: asyncio.Task[None] | None = None
        if not self._asked:
            targets.learn(())

    @property
    def _asked(self) -> list[_Held]:
        return [held for held in self._held if held.table.enabled]

    def statuses(self) -> tuple[InventoryStatus, ...]:
        """Return how each is doing, in the order of cockpit.toml; costs nothing."""
        return tuple(held.status() for held in self._held)

    async def load(self) -> None:
        """Ask all once, at the same time; what fails is told by `statuses`."""
        await asyncio.gather(*(self._ask(held) for held in self._asked))
        for held in self._asked:
            if held.reading is None:
                await asyncio.to_thread(self._remember, held)
        self._learn()

    def start(self) -> None:
        """Ask them from now on, on a thread of their own."""
        if self._asked and self._thread is None:
            self._thread = threading.Thread(target=self._live, name="cockpit-inventories", daemon=True)
            self._thread.start()

    async def stop(self) -> None:
        """Ask no more; a program that is being asked is stopped."""
        thread, loop, keeping = self._thread, self._loop, self._keeping
        self._thread = None
        if thread is not None and loop is not None and keeping is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(keeping.cancel)
            await asyncio.to_thread(thread.join, ENDING)

    def _live(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._keep_all())

    async def _keep_all(self) -> None:
        self._loop, self._keeping = asyncio.get_running_loop(), asyncio.current_task()
        await asyncio.gather(*(self._keep(held) for held in self._asked))

    async def _keep(self, held: _Held) -> None:
        wait = 0.0
        if await asyncio.to_thread(self._remember, held):
            self._learn()
        while self._thread is not None:
            if await self._ask(held):
                self._learn()
            self._tell(held)
            refresh = held.table.refresh
            wait = refresh if held.error is None else min(refresh, max(SOONEST, 2 * wait))
            await asyncio.sleep(wait)

    def _remember(self, held: _Held) -> bool:
        """Take over what a command answered in an earlier session, and return whether it did."""
        if self._folder is None or held.table.kind != "command":
            return False
        from cockpit.inventory.keeping import Keeper

        kept = Keeper(self._folder).kept(held.table, time.time())
        if kept is not None:
            held.reading, held.answered_at = kept.reading, kept.answered_at
        return kept is not None

    def _keep_answer(self, held: _Held) -> None:
        if self._folder is not None and held.table.kind == "command" and held.reading is not None:
            from cockpit.inventory.keeping import Keeper

            Keeper(self._folder).keep(held.table, held.reading, held.answered_at)

    async def _ask(self, held: _Held) -> bool:
        """Ask one, and return whether it says something else than before."""
        from cockpit.inventory.kinds import ask, is_unchanged

        started = time.monotonic()
        before = held.reading
        try:
            if before is None or not held.fresh or held.error is not None or not await is_unchanged(before):
                held.reading = await ask(held.table)
        except InventoryError as error:
            held.error = error
            return False
        held.error, held.fresh = None, True
        held.answered_at, held.took_s = time.time(), time.monotonic() - started
        await asyncio.to_thread(self._keep_answer, held)
        return before is None or held.reading is None or held.reading.hosts != before.hosts

    def _learn(self) -> None:
        hosts, complete = merged((held.table, held.reading) for held in self._asked)
        self._targets.learn(hosts, complete=complete)

    def _tell(self, held: _Held) -> None:
        """Say once what is wrong with one, and again when it was right in between."""
        status = held.status()
        where = f"inventory {status.name}: "
        stands = f"; its {status.hosts:,} hosts of before still stand" if held.reading is not None else ""
        hint = f" ({status.remedy})" if status.remedy else ""
        wrong = {f"{where}{status.error}{hint}{stands}"} if status.error else set()
        news = wrong | {f"{where}{remark}" for remark in status.remarks}
        for line in sorted(news - self._said):
            self._told(line)
        self._said = {line for line in self._said if not line.startswith(where)} | news


def kept_in(data: Path) -> Path:
    """Return the folder of kept answers in a data directory."""
    return data / "inventories"


def targets_of(settings: Settings) -> Targets:
    """Return the targets of a configuration before any inventory has answered."""
    return Targets(settings.targets, apart=[entry.name for entry in settings.sources])


async def known_targets(settings: Settings, folder: Path | None = None) -> tuple[Targets, Inventories]:
    """Ask all inventories once, and return the targets that are known by then.

    Args:
        settings: Name them.
        folder: The data directory, in which the answers of commands are kept; None keeps none.
    """
    targets = targets_of(settings)
    inventories = Inventories(settings.inventories, targets, folder=kept_in(folder) if folder else None)
    await inventories.load()
    return targets, inventories
