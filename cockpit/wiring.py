"""Everything of the cockpit but its screen, wired together: what the app and the headless verbs share."""

from __future__ import annotations

import gc
import importlib.metadata
import os
import time
from pathlib import Path
from typing import Any

from msgspec import Struct

from cockpit.scope import ScopeTrail
from cockpit.source import Source
from cockpit.stores.alerts import AlertStore
from cockpit.stores.base import Stores
from cockpit.stores.health import HealthStore
from cockpit.stores.logs import LogStore
from cockpit.stores.traces import TraceStore
from cockpit.supervisor import Plan, SourceStatus, Supervisor
from cockpit.targets import Target, Targets
from cockpit.tracer import Tracer


class _Screen(Struct, frozen=True):
    frames_per_second: int = 10


class _Settings(Struct, frozen=True):
    keys: dict[str, str] = {}
    warnings: tuple[str, ...] = ()
    screen: _Screen = _Screen()


def _make(kind: str) -> Source[Any]:
    (entry,) = importlib.metadata.entry_points(group="cockpit.sources", name=kind)
    plugin = entry.load()
    made: Source[Any] = plugin(kind, plugin.options_type())
    return made


class Cockpit:
    """Stores, sources, scope and target, wired."""

    def __init__(self) -> None:
        self.settings = _Settings()
        self.trail = ScopeTrail()
        self.tracer = Tracer()
        self.stores = Stores(HealthStore(), AlertStore(), LogStore(), TraceStore())
        self.targets = Targets()
        self.target: Target = self.targets.resolve("local")
        self.recording = False
        self.supervisor = Supervisor(
            [Plan("host", "host", lambda: _make("host"))], self.stores, tracer=self.tracer
        )
        self._cpu = (time.monotonic(), time.process_time())

    def theme(self) -> str:
        """Return the theme's name for the target's environment."""
        return "cockpit-dark"

    def on_call(self) -> str:
        """Return who is on call."""
        return ""

    def mode(self) -> str:
        """Return what the verdict line says beside the target."""
        return ""

    def start(self) -> None:
        """Start the sources."""
        self.supervisor.start()
        gc.collect()
        gc.freeze()

    def drain(self) -> int:
        """Move what came in to the stores."""
        return self.supervisor.drain()

    def statuses(self) -> tuple[SourceStatus, ...]:
        """Return how each source is doing."""
        return self.supervisor.statuses()

    def housekeeping(self) -> None:
        """Do what is due once a second."""

    def cost(self) -> tuple[float, int]:
        """Return the cockpit's own use of a core since the last call, and its resident bytes."""
        wall, cpu = self._cpu
        self._cpu = (time.monotonic(), time.process_time())
        share = (self._cpu[1] - cpu) / max(1e-6, self._cpu[0] - wall)
        with Path("/proc/self/statm").open("rb") as statm:
            return share, int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    async def stop(self) -> None:
        """Stop the sources."""
        await self.supervisor.stop()
