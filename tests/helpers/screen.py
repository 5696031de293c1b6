"""The real app, over stores that a test fills and a clock that stands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace
from textual.pilot import Pilot

from cockpit.app import CockpitApp
from cockpit.config.settings import Settings
from cockpit.operations import Operations
from cockpit.signals import SECOND, Signal
from cockpit.supervisor import SourceStatus
from cockpit.targets import Environment, TargetRule
from cockpit.wiring import Cockpit

NOW = int(datetime(2026, 3, 14, 3, 7, tzinfo=UTC).timestamp()) * SECOND
HERE = (TargetRule(name="local", environment=Environment.DEVELOPMENT),)
QUIET = Settings(targets=HERE, rules=())
"""No sources, no rules, and this machine is for development."""


class Still(Cockpit):
    """A cockpit without sources."""

    told: Sequence[SourceStatus] = ()

    def statuses(self) -> tuple[SourceStatus, ...]:
        return tuple(self.told)

    def fill(self, source: str, batch: Sequence[Signal]) -> None:
        self.stores.take(source, batch)


class Screen:
    """A running app and what a test does to it."""

    def __init__(self, pilot: Pilot[int], cockpit: Still) -> None:
        assert isinstance(pilot.app, CockpitApp)
        self.pilot = pilot
        self.app = pilot.app
        self.cockpit = cockpit

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def drawn(self) -> str:
        """Return what stands on the screen once it is drawn from the stores as they are now."""
        self.app._beat.at_once()
        await self.pilot.pause()
        return shown(self.app)

    async def until(self, true: Callable[[], object], what: str, seconds: float = 10.0) -> None:
        for _ in range(int(seconds / 0.05)):
            if true():
                return
            await self.pilot.pause(0.05)
        raise AssertionError(f"waited {seconds:g} s for {what}:\n{shown(self.app)}")

    @property
    def notices(self) -> list[str]:
        return [notice.message for notice in self.app._notifications]


def shown(app: CockpitApp) -> str:
    """Return the text of the whole screen, a line each."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


@asynccontextmanager
async def screen(
    folder: Path,
    settings: Settings = QUIET,
    *,
    size: tuple[int, int] = (120, 40),
    batches: Sequence[tuple[str, Sequence[Signal]]] = (),
    read_only: bool = False,
    mode: str = "",
    **changes: object,
) -> AsyncIterator[Screen]:
    cockpit = Still(replace(settings, **changes) if changes else settings)
    for source, batch in batches:
        cockpit.fill(source, batch)
    operations = Operations(
        folder / "data",
        cockpit.supervisor.ask,
        cockpit.settings,
        read_only=read_only,
        targets=cockpit.targets,
    )
    app = CockpitApp(cockpit, operations, mode=mode, clock=lambda: NOW)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield Screen(pilot, cockpit)
