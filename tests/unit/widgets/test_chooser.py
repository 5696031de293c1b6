"""Choosing where commands land: by the list, by `:target`, and by what it suggests."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cockpit.inventory.settings import InventoryTable
from cockpit.signals import HealthSample, HealthState, LogRecord
from cockpit.targets import Environment, Host, TargetRule, Targets
from tests.helpers.hostile import raw_in
from tests.helpers.screen import HERE, NOW, Screen, screen, shown
from widgets.chooser import TargetChooser, offered
from widgets.suggesting import suggestion

D, S = Environment.DEVELOPMENT, Environment.STAGING
HOSTS = (
    Host(name="web-1", groups=("web",), environment=S),
    Host(name="web-2", groups=("web",), environment=S),
    Host(name="web-22", groups=("spare",)),
    Host(name="db-1", groups=("db",), via="bastion"),
)
RULES = (*HERE, TargetRule(name="db-*", environment=Environment.PRODUCTION))


def targets() -> Targets:
    known = Targets(RULES)
    known.learn(HOSTS)
    return known


def names(text: str) -> list[str]:
    return [target.name for target in offered(targets(), text)[0]]


def test_what_a_text_offers() -> None:
    assert names("") == ["local", "@all", "@db", "@spare", "@web", "db-1", "web-1", "web-2", "web-22"]
    assert names("web-2") == ["web-2", "web-22"]
    assert names("WEB stag") == ["@web", "web-1", "web-2"]
    assert names("@w") == ["@web", "web-1", "web-2"]
    assert names("spare") == ["@spare", "web-22", "spare"]
    assert names("nowhere.example") == ["nowhere.example"]
    assert names("web-*") == ["web-*", "web-1", "web-2", "web-22"]
    assert names("@web,!web-2") == ["@web,!web-2", "web-1"]
    assert offered(targets(), "@wb") == ([], "did you mean @web?")
    assert offered(targets(), "zz*")[1].startswith("no known host matches 'zz*'")
    assert names("-oX") == []


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        ("tar", "target"),
        ("target w", "target web-1"),
        ("target @", "target @all"),
        ("target @web,!web-2", "target @web,!web-2"),
        ("target @web,d", "target @web,db-1"),
        ("target zz", None),
        ("target ", None),
        ("service w", None),
        ("", None),
    ],
)
def test_how_a_line_may_go_on(line: str, whole: str | None) -> None:
    assert suggestion(line, targets()) == whole


async def chosen(on: Screen) -> TargetChooser:
    await on.press("at")
    await on.until(lambda: isinstance(on.app.screen, TargetChooser), "the dialog")
    found = on.app.screen
    assert isinstance(found, TargetChooser)
    return found


async def test_a_target_is_chosen_by_typing(tmp_path: Path) -> None:
    async with screen(tmp_path, targets=RULES) as on:
        on.cockpit.targets.learn(HOSTS)
        await chosen(on)
        text = shown(on.app)
        assert "@web" in text and "2 hosts" in text and "via bastion" in text and "production" in text
        assert "4 hosts known" in text
        await on.press(*"@web", "enter")
        await on.until(lambda: on.cockpit.target.name == "@web", "the target")
        assert on.notices == ["commands land on @web (staging), 2 hosts"]
        assert "PRODUCTION db-*  → STAGING @web " in (await on.drawn()).splitlines()[0]
        await chosen(on)
        await on.press(*"web", "down", "enter")
        await on.until(lambda: on.cockpit.target.name == "web-2", "the target")


async def test_esc_leaves_the_target_and_a_burst_of_keys_chooses_once(tmp_path: Path) -> None:
    async with screen(tmp_path, targets=RULES) as on:
        on.cockpit.targets.learn(HOSTS)
        await chosen(on)
        await on.press("escape")
        assert on.cockpit.target.name == "local" and not isinstance(on.app.screen, TargetChooser)
        await on.press("at")
        await on.press(*"db-1", "enter", "enter", "enter")
        await on.until(lambda: on.cockpit.target.name == "db-1", "the target")
        assert on.app.is_running and "PRODUCTION db-1" in await on.drawn()


@pytest.mark.parametrize("told", ["db-1", "db-1:9100", "db-1.eu.example"])
async def test_it_starts_at_the_host_of_the_row(tmp_path: Path, told: str) -> None:
    record = LogRecord(at=NOW, source="s", body="x", resource={"host.name": told})
    async with screen(tmp_path, targets=RULES, batches=[("s", [record])]) as on:
        on.cockpit.targets.learn(HOSTS)
        await on.drawn()
        await on.press("3")
        dialog = await chosen(on)
        assert dialog.rows.current is not None and dialog.rows.current.name == "db-1"
        await on.press("enter")
        await on.until(lambda: on.cockpit.target.name == "db-1", "the target")


async def test_a_host_that_only_telemetry_names_is_not_offered(tmp_path: Path) -> None:
    sample = HealthSample(
        at=NOW, source="s", subject="evil", kind="host", state=HealthState.DOWN,
        resource={"host.name": "-oProxyCommand=x"},
    )  # fmt: skip
    async with screen(tmp_path, targets=RULES, batches=[("s", [sample])]) as on:
        await on.drawn()
        dialog = await chosen(on)
        assert dialog.rows.current is not None and dialog.rows.current.name == "local"


async def test_the_target_follows_what_inventories_say_of_it_later(tmp_path: Path) -> None:
    async with screen(tmp_path, targets=HERE) as on:
        await on.press("colon", *"target web-1", "enter")
        await on.until(lambda: on.cockpit.target.name == "web-1", "the target")
        assert on.cockpit.target.environment is Environment.PRODUCTION
        on.cockpit.targets.learn(HOSTS)
        assert on.cockpit.target.environment is S
        on.app._second = 0
        assert "STAGING" in (await on.drawn()).splitlines()[0]


async def test_an_inventory_that_fails_is_said_and_the_dialog_tells_which(tmp_path: Path) -> None:
    broken = InventoryTable(kind="command", command=("false",))
    async with screen(tmp_path, inventories=(broken,)) as on:
        on.cockpit.inventories.start()
        await on.until(lambda: on.cockpit.inventories.statuses()[0].error, "the failure")
        on.app._second = 0  # the clock stands still here
        await on.drawn()
        assert "inventory command: false ended with status 1" in on.notices[0]
        await chosen(on)
        await on.until(lambda: "command failed: false ended with status 1" in shown(on.app), "the note")
        await on.press("escape")


async def test_the_line_suggests_and_the_right_arrow_takes_it(tmp_path: Path) -> None:
    async with screen(tmp_path, targets=RULES) as on:
        on.cockpit.targets.learn(HOSTS)
        await on.press("colon", *"target db")
        await on.until(lambda: "target db-1" in shown(on.app), "the suggestion")
        await on.press("right", "enter")
        await on.until(lambda: on.cockpit.target.name == "db-1", "the target")


async def test_names_that_reach_the_screen_hold_nothing_raw(tmp_path: Path) -> None:
    async with screen(tmp_path, targets=HERE) as on:
        on.cockpit.targets.learn((Host(name="a\x1b[31mb"), Host(name="c", groups=("x\u202ey", "ok"))))
        await chosen(on)
        assert raw_in(shown(on.app)) == []
        await on.press("escape")


@pytest.mark.alone
async def test_ten_thousand_hosts_are_quick(tmp_path: Path) -> None:
    many = [Host(name=f"h{n:05}.example", groups=(f"g{n % 200}", "every")) for n in range(10_000)]
    async with screen(tmp_path, targets=RULES) as on:
        on.cockpit.targets.learn(many)
        dialog = await chosen(on)
        took = []
        for text in ("", "h", "h0", "@g1", "99 every", "g7", "h09999.example"):
            started = time.perf_counter()
            dialog._show(text)
            took.append(time.perf_counter() - started)
        assert sorted(took)[len(took) // 2] < 0.02, took
        await on.press("escape")
