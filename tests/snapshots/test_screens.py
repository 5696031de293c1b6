"""The screen as a whole: calm, incident and sources down, on a small, a usual and a large terminal; and what opens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from cockpit.app import CockpitApp
from tests.helpers.log_story import INCIDENT
from tests.scenes import calm, incident, log_file, sources_down, worked
from widgets.logs import LogsPane


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


async def open_timeline(pilot: Pilot[int]) -> None:
    """Open the time line of the incident, which leaves this very session out."""
    await settle(pilot)
    await pilot.press("T")
    await pilot.pause(0.5)
    await pilot.press("slash")
    pilot.app.screen.query_one(Input).value = f"incident:{INCIDENT}"
    await pilot.pause(0.5)
    await pilot.press("enter", "down", "down")
    await pilot.pause(0.5)


async def ask_for_a_change(pilot: Pilot[int]) -> None:
    """Type a change in production, up to the dialog before it."""
    await settle(pilot)
    await pilot.press("exclamation_mark")
    pilot.app.screen.query_one("#line", Input).value = "systemctl restart pgbouncer"
    await pilot.press("enter")
    for _ in range(100):
        await pilot.pause(0.1)
        if len(pilot.app.screen_stack) > 1:
            break
    await pilot.pause(0.5)


@pytest.mark.parametrize("size", ["80x24", "120x40"])
def test_the_time_line(size: str, tmp_path: Path, snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(worked(tmp_path), terminal_size=SIZES[size], run_before=open_timeline)


async def filter_the_log(pilot: Pilot[int]) -> None:
    """Put three filters in, one of them off, and mark a record."""
    await settle(pilot)
    for written in ("refused = refused", "-cart = service:cart", "slow = status>=500"):
        await pilot.press("a")
        pilot.app.screen.query_one("FilterEdit", Input).value = written
        await pilot.press("enter")
    await pilot.press("down", "space", "escape")
    pane = pilot.app.query_one(LogsPane)
    for _ in range(100):
        await pilot.pause(0.05)
        if pane._view.complete and len(pane._view) < 100:
            break
    await pilot.pause(0.3)
    await pilot.press("up", "up", "b")
    await pilot.pause(0.3)
    pilot.app.clear_notifications()
    await pilot.press("ampersand")
    await pilot.pause(0.5)


def test_a_log_file_with_filters(tmp_path: Path, snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(log_file(tmp_path), terminal_size=SIZES["120x40"], run_before=filter_the_log)


def test_the_dialog_before_a_change(tmp_path: Path, snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(incident(tmp_path), terminal_size=SIZES["120x40"], run_before=ask_for_a_change)
