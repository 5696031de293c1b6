"""The screen as a whole: calm, incident and sources down, on a small, a usual and a large terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from cockpit.app import CockpitApp
from tests.scenes import calm, incident, sources_down

async def settle(pilot: Pilot[int]) -> None:
    """Wait for the first frames, and for the action log, which the recording light tells of."""
    app = pilot.app
    assert isinstance(app, CockpitApp)
    for _ in range(100):
        await pilot.pause(0.1)
        if app.verdict.recording:
            break
    await pilot.pause(0.3)


SIZES = {"80x24": (80, 24), "120x40": (120, 40), "200x50": (200, 50)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scene", [calm, incident, sources_down], ids=lambda scene: scene.__name__)
def test_the_screen(
    scene: Callable[[Path], CockpitApp],
    size: str,
    tmp_path: Path,
    snap_compare: Callable[..., bool],
) -> None:
    assert snap_compare(scene(tmp_path), terminal_size=SIZES[size], run_before=settle)
