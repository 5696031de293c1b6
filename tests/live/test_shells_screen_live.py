"""The terminal on the screen with a real shell session: confirmed, itemised, held at Enter by a dialog."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.shells.session import ShellSession
from cockpit.targets import Environment, TargetRule
from tests.helpers.screen import Screen, screen, shown
from tests.helpers.shells import found
from tests.helpers.terminals import says, view
from widgets.confirm import Confirm

PRODUCTION = (TargetRule(name="local", environment=Environment.PRODUCTION),)


async def asked(on: Screen) -> None:
    await on.until(lambda: isinstance(on.app.screen, Confirm), "a question", seconds=30)


async def test_a_line_that_destroys_is_held_by_a_dialog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / "keep").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SHELL", found("bash"))
    monkeypatch.delenv("PROMPT_COMMAND", raising=False)
    monkeypatch.chdir(home)
    async with screen(tmp_path / "data", size=(110, 30), targets=PRODUCTION) as on:
        await on.app.open_shell(on.cockpit.target)
        await asked(on)
        await on.press("right", "enter")
        await on.until(lambda: view(on).emulator is not None, "the terminal", seconds=30)
        session = view(on).cable
        assert isinstance(session, ShellSession)
        await on.until(lambda: session.itemised, "the integration", seconds=30)
        assert "itemised" in shown(on.app).splitlines()[2] and "● rec" in shown(on.app)
        for keys, there in ((("escape",), True), (("right", "enter"), False)):
            view(on).type(b"\x15rm -rf keep\r")
            await asked(on)
            await on.until(lambda: "removes files" in shown(on.app), "why it is asked")
            assert "run this line?" in shown(on.app) and "rm -rf keep" in shown(on.app)
            await on.press(*keys)
            await on.until(lambda: session.held is None, "the answer")
            view(on).type(b"\x15echo do''ne; pwd\r")
            await says(on, "done")
            assert (home / "keep").exists() is there
