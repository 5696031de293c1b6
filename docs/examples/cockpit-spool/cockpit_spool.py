"""A source for the cockpit: how many files wait in a spool folder, and for how long."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path

from cockpit.errors import SourceError
from cockpit.signals import HealthSample, HealthState
from cockpit.source import Emit, Options, PollingSource


class SpoolOptions(Options, frozen=True, kw_only=True):
    """Which folder to watch, and when it is trouble."""

    folder: str
    """The folder whose files wait for somebody to work on them."""
    patience: float = 300.0
    """Seconds that a file may wait before the spool counts as degraded."""


class SpoolSource(PollingSource[SpoolOptions]):
    """Watches one spool folder."""

    kind = "spool"
    summary = "spool folders: how many files wait, and how long the oldest has"
    options_type = SpoolOptions
    emits = frozenset({HealthSample})

    async def poll(self, emit: Emit) -> None:
        """Look once; `PollingSource` calls this every `interval` seconds."""
        await emit([await self._look()])

    async def check(self) -> str:
        """Look once for `cockpit doctor`."""
        return f"{(await self._look()).value} files wait in {self.options.folder}"

    async def _look(self) -> HealthSample:
        folder, now = Path(self.options.folder), time.time_ns()
        try:
            written = await asyncio.to_thread(_times, folder)
        except OSError as error:
            reason = error.strerror or "can't be read"
            raise SourceError(reason, where=str(folder), remedy="set folder to one it may list") from error
        waits = (now - min(written, default=now)) // 1_000_000_000
        late = waits > self.options.patience
        return HealthSample(
            at=now,
            subject=f"spool {folder}",
            kind="check",
            state=HealthState.DEGRADED if late else HealthState.OK,
            reason=f"the oldest of {len(written)} files waits since {waits} s" if late else "",
            value=float(len(written)),
            unit="{file}",
            source=self.name,
        )


def _times(folder: Path) -> list[int]:
    times = []
    for entry in folder.iterdir():
        with suppress(FileNotFoundError):  # somebody took it meanwhile, which is what a spool is for
            times.append(entry.stat().st_mtime_ns)
    return times
