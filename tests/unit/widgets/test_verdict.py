"""The line on top: what it says, and what yields when there is little room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.config.settings import OnCall, Settings
from cockpit.signals import SECOND, Alert, AlertState, HealthSample, HealthState, Signal
from cockpit.supervisor import SourceState, SourceStatus
from cockpit.targets import Environment, TargetRule
from tests.helpers.screen import HERE, NOW, Screen, screen

MINUTE = 60 * SECOND
CLOCK = datetime.fromtimestamp(NOW // SECOND, UTC)


def alert(name: str, severity: str, *, ago: int = 8, state: AlertState = AlertState.FIRING) -> Alert:
    return Alert(
        at=NOW,
        name=name,
        state=state,
        severity=severity,
        labels={"alertname": name},
        annotations={"summary": f"93 % of {name} fail because of the database"},
        starts_at=NOW - ago * MINUTE,
        fingerprint=name,
        source="am",
    )


TROUBLE: list[tuple[str, list[Signal]]] = [
    ("am", [alert("Checkouts", "critical"), alert("Pool", "error"), alert("Queue", "warning")])
]
ANA = OnCall(name="Ana Souza", contact="+55 11 5555 0100")


async def line(on: Screen) -> str:
    return (await on.drawn()).splitlines()[0]


async def test_nothing_wrong_is_said_in_words(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        assert "● nothing is wrong that the sources can see" in await line(on)


async def test_sources_that_are_down_keep_it_from_saying_so(tmp_path: Path) -> None:
    down = SourceStatus(name="am", kind="alertmanager", state=SourceState.DOWN, emits=frozenset({"Alert"}))
    live = SourceStatus(name="host", kind="host", state=SourceState.LIVE, emits=frozenset({"HealthSample"}))
    async with screen(tmp_path) as on:
        on.cockpit.told = [down, live]
        on.app._second = 0
        said = await line(on)
        assert "◌ 1 of 2 sources down or late; nothing else is known to be wrong" in said
        on.cockpit.fill("am", TROUBLE[0][1])
        on.app._second = 0
        assert "◌1/2 Checkouts" in await line(on)


async def test_the_worst_thing_stands_there_in_full_with_its_age_before_all_else(tmp_path: Path) -> None:
    said = {}
    for width in (80, 120, 160, 200):
        async with screen(tmp_path / str(width), size=(width, 30), batches=TROUBLE, on_call=ANA) as on:
            said[width] = await line(on)
    sentence = "Checkouts: 93 % of Checkouts fail because of the database, for 8m"
    assert "Checkouts: 93 %" in said[80] and "…, for 8m" in said[80]
    assert all(sentence in said[width] for width in (120, 160, 200))
    assert "✖1 ◆1 ▲1" in said[120] and "on call" not in said[120]
    assert "on call Ana Souza" in said[160] and "✖1 ◆1 ▲1 C" in said[160]
    assert "✖1 critical ◆1 error ▲1 warning" in said[200] and "+55 11 5555 0100" in said[200]


async def test_firing_goes_before_pending_and_what_is_held_back_is_not_counted(tmp_path: Path) -> None:
    batches: list[tuple[str, list[Signal]]] = [
        (
            "am",
            [
                alert("Old", "critical", ago=90),
                alert("Soon", "critical", ago=1, state=AlertState.PENDING),
                alert("Held", "critical", state=AlertState.SILENCED),
                alert("Known", "critical", state=AlertState.ACKNOWLEDGED),
            ],
        )
    ]
    async with screen(tmp_path, batches=batches) as on:
        said = await line(on)
        assert "✖2 critical 2 held back Old" in said and ", for 1h" in said


async def test_what_is_down_counts_when_nothing_fires(tmp_path: Path) -> None:
    sample = HealthSample(
        at=NOW - MINUTE, subject="db", kind="check", state=HealthState.DOWN, reason="refused", source="tcp"
    )
    async with screen(tmp_path, batches=[("tcp", [sample])]) as on:
        assert "db down: refused, for 1m" in await line(on)


@pytest.mark.parametrize(
    ("until", "said"),
    [
        (timedelta(hours=5), "on call Ana Souza +55 11 5555 0100 until 08:07 "),
        (timedelta(days=3), "until 2026-03-17"),
        (timedelta(minutes=20), "▲ on call Ana Souza +55 11 5555 0100 for 20m more"),
        (-timedelta(hours=2), "▲ on call Ana Souza +55 11 5555 0100 ended 2h ago"),
    ],
)
async def test_who_is_on_call_until_when(tmp_path: Path, until: timedelta, said: str) -> None:
    duty = OnCall(name=ANA.name, contact=ANA.contact, until=CLOCK + until)
    async with screen(tmp_path, size=(200, 30), on_call=duty) as on:
        assert said in await line(on)


@pytest.mark.parametrize(
    ("until", "said"),
    [(timedelta(minutes=20), "▲ on call for 20m more"), (-timedelta(hours=2), "▲ nobody on call")],
)
async def test_an_ending_duty_yields_its_words_before_its_mark(
    tmp_path: Path, until: timedelta, said: str
) -> None:
    duty = OnCall(name=ANA.name, until=CLOCK + until)
    async with screen(tmp_path, size=(98, 24), on_call=duty) as on:
        assert said in await line(on)


async def test_the_worst_environment_is_named(tmp_path: Path) -> None:
    targets = (*HERE, TargetRule(name="db-*", environment=Environment.PRODUCTION))
    async with screen(tmp_path, targets=targets) as on:
        assert "PRODUCTION db-*" in await line(on)
        assert "runs on local · development" in (await on.drawn())


async def test_the_record_is_told(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        assert "rec" not in await line(on)
        await on.until(lambda: on.app.verdict.recording, "the log to open")
        assert "● rec" in await line(on)


async def test_no_record_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    async with screen(tmp_path) as on:
        await on.until(lambda: on.app.verdict.recording is False, "the log to fail")
        assert "○ no record" in await line(on)
        assert on.notices and on.notices[0].startswith("Nothing can be run")


@pytest.mark.parametrize(
    ("settings", "theme"),
    [
        (Settings(), "cockpit-dark"),
        (Settings(targets=(TargetRule(name="local"),)), "cockpit-production"),
        (Settings(targets=HERE), "cockpit-dark"),
    ],
)
async def test_production_looks_like_production_where_a_rule_names_it(
    tmp_path: Path, settings: Settings, theme: str
) -> None:
    async with screen(tmp_path, settings, sources=(), rules=()) as on:
        assert on.app.theme == theme


async def test_a_theme_that_is_not_there_is_told(tmp_path: Path) -> None:
    from cockpit.config.settings import Screen as ScreenSettings

    themes = {Environment.DEVELOPMENT: "no-such"}
    async with screen(tmp_path, screen=ScreenSettings(themes=themes)) as on:
        await on.pilot.pause()
        assert on.notices == ["there is no theme no-such; ctrl+p lists them"]
