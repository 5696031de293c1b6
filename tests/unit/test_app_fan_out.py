"""`!` on several hosts on the real screen: the list while they run, one host's output, the canary, stopping."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cockpit.actionlog.log import FILE
from cockpit.actionlog.reader import ActionReader
from cockpit.config.settings import Settings
from cockpit.targets import Environment, TargetRule
from tests.helpers.many_hosts import Stands
from tests.helpers.screen import HERE, Screen, screen, shown
from widgets.canary import CanaryDialog
from widgets.consent import ConsentDialog
from widgets.fanout import HostTable


def settings(count: int, environment: Environment = Environment.DEVELOPMENT) -> Settings:
    rules = [
        TargetRule(name=f"web-{number}", environment=environment, groups=("web",))
        for number in range(1, count + 1)
    ]
    return Settings(targets=(*HERE, *rules), rules=())


@asynccontextmanager
async def hosts(
    folder: Path, count: int, environment: Environment = Environment.DEVELOPMENT
) -> AsyncIterator[Screen]:
    """Hold a screen whose commands land on hosts; each is a process here, `$0` its name."""
    async with screen(folder, settings(count, environment)) as on:
        operations = on.app.operations
        await operations.open()
        assert operations._executor is not None
        operations._executor = operations._executor.beside({"ssh": Stands()})
        on.cockpit.choose_target("@web")
        yield on


async def run(on: Screen, line: str) -> None:
    await on.press("exclamation_mark")
    on.app.command_bar.query_one("#line").value = line  # type: ignore[attr-defined]
    await on.press("enter")


async def ended(on: Screen) -> str:
    def over() -> bool:
        text = state(on)
        return bool(text) and not on.app.drawer.running and not text.startswith(("starting", "running"))

    await on.until(over, "the end", seconds=30)
    await on.pilot.pause(0.3)
    return state(on)


def state(on: Screen) -> str:
    found = on.app.drawer.query("#output-state")
    return str(found.first().render()) if found else ""


def table(on: Screen) -> HostTable:
    assert on.app.drawer.hosts is not None
    return on.app.drawer.hosts


async def test_the_hosts_are_listed_with_how_it_ended_and_what_each_said(tmp_path: Path) -> None:
    async with hosts(tmp_path, 3) as on:
        await run(on, 'echo "I am $0"; test "$0" != web-2')
        said = await ended(on)
        assert said.startswith("✖ failed · exit 1 · 2 done · 1 failed · development @web !")
        drawn = shown(on.app)
        assert "● web-1" in drawn and "✖ web-2" in drawn and "failed · exit 1" in drawn
        assert "I am web-3" in drawn
        assert on.app.focused is table(on)
    reader = ActionReader(tmp_path / "data" / FILE)
    found = [(action.kind, action.target, action.state.value) for action in reader.list(limit=9)]
    reader.close()
    assert found[-1] == ("fan-out", "@web", "failed") and len(found) == 4


async def test_enter_shows_a_hosts_output_and_escape_the_list_again(tmp_path: Path) -> None:
    async with hosts(tmp_path, 3) as on:
        await run(on, 'printf "%s one\\n\\033[31mtwo\\n" "$0"')
        await ended(on)
        await on.press("down", "enter")
        await on.until(lambda: "── web-2 · done" in shown(on.app), "the output")
        text = on.app.drawer.lines.text()
        assert text.startswith("web-2 one\ntwo\n") and "\x1b" not in shown(on.app)
        await on.press("escape")
        assert on.app.drawer.is_open and on.app.focused is table(on)
        await on.press("up", "enter")
        await on.until(lambda: "── web-1 · done" in shown(on.app), "the other output")
        await on.press("q")
        assert on.app.focused is table(on)
        await on.press("escape")
        assert not on.app.drawer.is_open


async def test_a_hosts_output_is_shown_while_it_runs(tmp_path: Path) -> None:
    async with hosts(tmp_path, 2) as on:
        await run(on, f"echo before; while ! test -e {tmp_path}/go; do sleep 0.05; done; echo after")
        await on.until(
            lambda: shown(on.app).count("before") >= 3, "the first line of both, beside the command"
        )
        await on.press("enter")
        await on.until(lambda: on.app.drawer.lines.text() == "before", "the output so far")
        (tmp_path / "go").touch()
        await on.until(lambda: "after" in shown(on.app) and "── web-1" in shown(on.app), "the rest")
        await ended(on)


async def test_hosts_that_printed_the_same_fold_to_one(tmp_path: Path) -> None:
    async with hosts(tmp_path, 5) as on:
        await run(on, 'test "$0" = web-4 && echo odd || echo same')
        await ended(on)
        assert len(table(on).items) == 5
        await on.press("f")
        await on.pilot.pause()
        drawn = shown(on.app)
        assert "4 hosts: web-[1-3,5]" in drawn and "odd" in drawn
        assert len(table(on).items) == 2
        await on.press("f")
        assert len(table(on).items) == 5


async def test_a_change_asks_after_its_first_host_and_goes_on(tmp_path: Path) -> None:
    async with hosts(tmp_path, 3) as on:
        await run(on, f'touch {tmp_path}/"$0"; echo made')
        await on.until(lambda: isinstance(on.app.screen, CanaryDialog), "the dialog")
        drawn = shown(on.app)
        assert (
            "CANARY · web-1 · done" in drawn and "made" in drawn and "the other 2 hosts: web-[2-3]" in drawn
        )
        assert on.app.focused is not None and on.app.focused.id == "canary-stop"
        await on.press("right", "enter")
        assert "3 done" in await ended(on)
    assert len(list(tmp_path.glob("web-*"))) == 3


@pytest.mark.parametrize("key", ["enter", "escape"])
async def test_a_change_stops_after_its_first_host_by_the_key_at_hand(tmp_path: Path, key: str) -> None:
    async with hosts(tmp_path, 3) as on:
        await run(on, f'touch {tmp_path}/"$0"')
        await on.until(lambda: isinstance(on.app.screen, CanaryDialog), "the dialog")
        await on.press(key)
        assert "1 done · 2 not-started" in await ended(on)
        assert "stopped after the canary" in shown(on.app)
    assert [path.name for path in tmp_path.glob("web-*")] == ["web-1"]


async def test_what_runs_is_stopped_by_the_drawers_key_and_the_rest_not_started(tmp_path: Path) -> None:
    async with hosts(tmp_path, 15) as on:
        await run(on, 'echo "$0"; exec sleep 60')
        await on.until(lambda: "10 running · 5 waiting" in state(on), "ten of them")
        await on.press("x")
        said = await ended(on)
        assert "cancelled" in said and "10 cancelled · 5 not-started" in said


async def test_production_has_the_groups_name_typed_once(tmp_path: Path) -> None:
    async with hosts(tmp_path, 3, Environment.PRODUCTION) as on:
        await run(on, f'touch {tmp_path}/"$0"')
        await on.until(lambda: isinstance(on.app.screen, ConsentDialog), "the dialog")
        drawn = shown(on.app)
        assert "PRODUCTION · @web" in drawn and "3 hosts (3 production): web-[1-3]" in drawn
        on.app.screen.query_one("#consent-reason").value = "INC-7"  # type: ignore[attr-defined]
        on.app.screen.query_one("#consent-name").value = "@web"  # type: ignore[attr-defined]
        await on.pilot.click("#consent-run")
        await on.until(lambda: isinstance(on.app.screen, CanaryDialog), "the canary's dialog")
        await on.press("right", "enter")
        assert "3 done" in await ended(on)
    reader = ActionReader(tmp_path / "data" / FILE)
    found = [(action.kind, action.incident) for action in reader.list(limit=9)]
    reader.close()
    assert found.count(("command", "INC-7")) == 3


async def test_a_command_on_one_target_shows_its_output_again(tmp_path: Path) -> None:
    async with hosts(tmp_path, 2) as on:
        await run(on, "echo several")
        await ended(on)
        on.cockpit.choose_target("local")
        await run(on, "echo single")
        await ended(on)
        assert on.app.drawer.lines.text() == "single" and on.app.drawer.lines.display
        await on.press("f")
        assert on.notices[-1] == "only a command on several hosts has something to fold"


@pytest.mark.parametrize("folds", [False, True])
async def test_a_look_at_a_thousand_hosts_holds_no_key_up(tmp_path: Path, folds: bool) -> None:
    async with hosts(tmp_path, 1000) as on:
        await run(on, "true")
        await on.until(lambda: on.app.drawer.hosts is not None and table(on).items, "the list")
        await on.press("x")
        await ended(on)
        shown_by = table(on)
        assert len(shown_by.items) == 1000 and shown_by._fan is not None
        if folds:
            await on.press("f")
        took = []
        for one in shown_by._fan.hosts[-50:]:
            one.fail("for another reason")
            one._likeness = None
            shown_by._fan.version += 1
            shown_by._looked = 0.0
            before = time.thread_time()
            assert shown_by.tick()
            took.append(time.thread_time() - before)
        assert sorted(took)[len(took) // 2] < 0.008, took
