"""Before a change: the dialog on the real screen, what it takes, and what is recorded of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Button, Input

from cockpit.actionlog.log import FILE
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import Action
from cockpit.config.settings import GuardSettings, Settings
from cockpit.targets import Environment, TargetRule
from tests.helpers.screen import Screen, screen, shown
from widgets.consent import ConsentDialog


def settings(environment: Environment) -> Settings:
    return Settings(
        targets=(TargetRule(name="local", environment=environment),),
        rules=(),
        guard=GuardSettings(ticket_pattern=r"CHG-\d+", elevation_minutes=10),
    )


def actions(folder: Path) -> list[Action]:
    reader = ActionReader(folder / "data" / FILE)
    listed = list(reader.list(limit=20))
    reader.close()
    return listed


async def ask(on: Screen, line: str) -> ConsentDialog:
    await on.press("exclamation_mark")
    on.app.command_bar.query_one("#line", Input).value = line
    await on.press("enter")
    return await dialog(on)


async def dialog(on: Screen) -> ConsentDialog:
    await on.until(
        lambda: isinstance(on.app.screen, ConsentDialog) and on.app.screen.focused is not None,
        "the dialog, with the focus in it",
    )
    assert isinstance(on.app.screen, ConsentDialog)
    return on.app.screen


async def fill(on: Screen, **values: str) -> None:
    for name, value in values.items():
        on.app.screen.query_one(f"#consent-{name}", Input).value = value
    on.app.screen.query_one("#consent-run", Button).press()
    await on.pilot.pause()


async def test_cancel_has_the_focus_and_leaves_a_record(tmp_path: Path) -> None:
    async with screen(tmp_path, settings(Environment.STAGING)) as on:
        asked = await ask(on, f"touch {tmp_path}/made")
        assert asked.focused is not None and asked.focused.id == "consent-cancel"
        assert "STAGING · local" in shown(on.app) and f"$ touch {tmp_path}/made" in shown(on.app)
        await on.press("enter")
        await on.until(lambda: actions(tmp_path), "the record")
    assert not (tmp_path / "made").exists()
    (action,) = actions(tmp_path)
    assert (action.state, action.decision, action.shell) == ("cancelled", "confirm", f"touch {tmp_path}/made")


async def test_staging_runs_a_change_that_is_confirmed(tmp_path: Path) -> None:
    async with screen(tmp_path, settings(Environment.STAGING)) as on:
        await ask(on, f"touch {tmp_path}/made")
        await fill(on)
        await on.until(lambda: (tmp_path / "made").exists(), "the change")
        await on.until(lambda: not on.app.drawer.running, "its end")
    (action,) = actions(tmp_path)
    assert (action.state, action.decision) == ("done", "run")


async def test_production_takes_a_reason_and_its_name_and_elevates(tmp_path: Path) -> None:
    async with screen(tmp_path, settings(Environment.PRODUCTION)) as on:
        asked = await ask(on, f"touch {tmp_path}/made")
        assert "it elevates this session for 10 minutes" in shown(on.app)
        await fill(on, reason="", name="local")
        assert on.app.screen is asked and "needs an open reason" in shown(on.app)
        await fill(on, reason="INC-7", name="prod")
        assert on.app.screen is asked and "type local to go on" in shown(on.app)
        await fill(on, reason="INC-7", name="local")
        await on.until(lambda: (tmp_path / "made").exists(), "the change")
        await on.until(lambda: not on.app.drawer.running, "its end")
        assert on.app.operations.elevation.active and on.app.operations.incident == "INC-7"
        on.app.verdict.elevated_s = on.app.operations.elevation.left
        on.app.verdict.refresh()
        assert "elevated 9:5" in (await on.drawn()).splitlines()[0]
        again = await ask(on, f"touch {tmp_path}/again")
        assert again.assessment.requires == ("target-name",)
        await on.press("escape")
        await on.until(lambda: len(actions(tmp_path)) == 3, "the record")
        await on.press("P")
        await on.until(lambda: not on.app.operations.elevation.active, "the end of the elevation")
        await on.until(lambda: len(actions(tmp_path)) == 4, "its record")
    recorded = [
        (" ".join(action.argv[-2:]), action.state, action.incident) for action in reversed(actions(tmp_path))
    ]
    assert recorded == [
        ("elevate 10m", "done", "INC-7"),
        (f"-c touch {tmp_path}/made", "done", "INC-7"),
        (f"-c touch {tmp_path}/again", "cancelled", "INC-7"),
        ("elevate 0m", "done", "INC-7"),
    ]


async def test_elevation_asks_for_a_reason_too(tmp_path: Path) -> None:
    async with screen(tmp_path, settings(Environment.PRODUCTION)) as on:
        await on.press("P")
        await dialog(on)
        await fill(on, reason="CHG-12", name="local")
        await on.until(lambda: on.app.operations.elevation.active, "the elevation")
    (action,) = actions(tmp_path)
    assert (action.ticket, action.incident, action.argv) == ("CHG-12", None, ("cockpit", "elevate", "10m"))


@pytest.mark.parametrize("environment", [Environment.PRODUCTION, Environment.STAGING])
async def test_reading_asks_nothing(tmp_path: Path, environment: Environment) -> None:
    async with screen(tmp_path, settings(environment)) as on:
        await on.press("exclamation_mark")
        on.app.command_bar.query_one("#line", Input).value = "id -u"
        await on.press("enter")
        await on.until(lambda: actions(tmp_path) and actions(tmp_path)[0].state == "done", "its end")
    (action,) = actions(tmp_path)
    assert (action.risk, action.decision) == ("read", "run")


async def test_a_hostile_line_is_shown_as_text(tmp_path: Path) -> None:
    async with screen(tmp_path, settings(Environment.STAGING)) as on:
        await ask(on, "touch '[bold]x[/]' \x1b[2J \u202e")
        drawn = shown(on.app)
        assert "[bold]x[/]" in drawn and "\x1b" not in drawn and "\u202e" not in drawn
