"""The silence form on the real screen: what it would hit, what it warns of, and what it asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.widgets import Input, Static

from cockpit.errors import UsageError
from cockpit.signals import SECOND, Alert, AlertState
from cockpit.source import Silencing
from tests.helpers.screen import NOW, Screen, screen
from widgets.silence import ACK_SPAN, SilenceForm, acknowledgement, parse_duration

ALERTS = [
    Alert(
        at=NOW,
        name=name,
        state=AlertState.FIRING,
        severity=severity,
        labels={"alertname": name, "service": service, "severity": severity},
        starts_at=NOW - 60 * SECOND,
        fingerprint=name,
        source="am",
    )
    for name, service, severity in (
        ("Down", "cart", "critical"),
        ("Slow", "cart", "warning"),
        ("Full", "shop", "warning"),
    )
]


class Asked:
    """Stands where the supervisor stands, offering one source that takes silences."""

    def offering(self, method: str) -> list[str]:
        return ["am"] if method == "silence_argv" else []

    async def ask(self, name: str, method: str, *args: Any, timeout: float = 30.0, **named: Any) -> Any:
        raise AssertionError("the form itself asks nothing")


async def opened(on: Screen) -> SilenceForm:
    on.app.board.panes[1].asks = Asked()  # type: ignore[attr-defined]
    sent.clear()
    on.app._act = lambda source, method, wanted, done: sent.append((source, method, wanted))  # type: ignore[method-assign, assignment, misc]
    await on.drawn()
    await on.press("2", "g", "s")
    await on.until(lambda: on.app.board.panes[1].query(SilenceForm), "the form")
    await on.until(lambda: isinstance(on.app.focused, Input), "the focus")
    return on.app.board.panes[1].query_one(SilenceForm)


sent: list[tuple[str, str, Silencing]] = []


def text(form: SilenceForm) -> str:
    return " ".join(
        str(form.query_one(name, Static).render()) for name in ("#silence-hint", "#silence-preview")
    )


def put(form: SilenceForm, name: str, value: str) -> None:
    form.query_one(f"#silence-{name}", Input).value = value


async def test_the_form_counts_what_it_would_hit_while_one_types(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=[("am", ALERTS)]) as on:
        form = await opened(on)
        assert "would hold back 1 alert that stands now" in text(form) and "critical Down" in text(form)
        put(form, "matchers", 'service="cart"')
        await on.pilot.pause()
        assert "2 alerts" in text(form) and "1 of them are more than you chose" in text(form)
        put(form, "matchers", 'service="shop"')
        await on.pilot.pause()
        assert "1 of those you chose are not hit" in text(form)
        put(form, "matchers", 'service=~"("')
        await on.pilot.pause()
        assert "no regular expression" in text(form)


async def test_the_expiry_is_said_and_a_long_or_short_one_warned_of(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=[("am", ALERTS)]) as on:
        form = await opened(on)
        assert "it expires 2026-03-14 05:07:00 UTC" in text(form)
        put(form, "duration", "3d")
        await on.pilot.pause()
        assert "3d is long; who will remember it?" in text(form)
        put(form, "duration", "5m")
        await on.pilot.pause()
        assert "may fire again before you are done" in text(form)


async def test_nothing_is_sent_without_a_comment_and_then_what_was_typed(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=[("am", ALERTS)]) as on:
        form = await opened(on)
        await on.press("enter")
        assert "a silence needs a comment" in text(form) and not sent
        await on.press(*"why q z", "tab")
        assert on.app.focused is form.query_one("#silence-duration")
        await on.press("ctrl+u", *"30m", "enter")
        await on.until(lambda: sent, "the wish")
        ((source, method, wanted),) = sent
        assert (source, method, wanted.comment) == ("am", "silence_argv", "why q z")
        assert wanted.ends_at - wanted.starts_at == 30 * 60 * SECOND
        assert ("alertname", "Down") in [(each.name, each.value) for each in wanted.matchers]
        assert not on.app.board.panes[1].inside


async def test_escape_drops_the_form(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=[("am", ALERTS)]) as on:
        await opened(on)
        await on.press(*"abc", "escape")
        assert not on.app.board.panes[1].inside and not sent


async def test_all_that_the_filter_shows_is_acknowledged_at_once(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=[("am", ALERTS)]) as on:
        await opened(on)
        await on.press("escape", "slash", *'service="cart"', "enter")
        await on.drawn()
        await on.press("A")
        await on.until(lambda: len(sent) == 2, "two wishes")
        assert {each.matchers[0].value for _, _, each in sent} == {"Down", "Slow"}
        assert all(each.ends_at - each.starts_at == ACK_SPAN for _, _, each in sent)


async def test_a_cockpit_without_an_alertmanager_says_so(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=[("am", ALERTS)]) as on:
        await on.drawn()
        await on.press("2", "g", "s", "a", "u")
        assert on.notices == [
            "no source here takes silences; configure an alertmanager source",
            "no source here takes silences; configure an alertmanager source",
            "no silence holds this alert back",
        ]


def test_an_acknowledgement_hits_one_alert_alone() -> None:
    wanted = acknowledgement(ALERTS[0], "ana", NOW)
    assert {each.name: each.value for each in wanted.matchers} == dict(ALERTS[0].labels)
    assert wanted.comment.startswith("ack:") and "ana" in wanted.comment


@pytest.mark.parametrize(("written", "minutes"), [("30m", 30), ("2h", 120), ("1h30m", 90), ("1w", 10_080)])
def test_durations_are_read(written: str, minutes: int) -> None:
    assert parse_duration(written) == minutes * 60 * SECOND


@pytest.mark.parametrize("written", ["", "2", "h", "-2h", "0m", "2 h", "1e9h"])
def test_what_is_no_duration_is_refused(written: str) -> None:
    with pytest.raises(UsageError):
        parse_duration(written)


async def test_letters_after_the_silence_key_go_into_the_form_however_fast_they_come(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=[("am", ALERTS)]) as on:
        on.app.board.panes[1].asks = Asked()  # type: ignore[attr-defined]
        sent.clear()
        on.app._act = lambda source, method, wanted, done: sent.append((source, method, wanted))  # type: ignore[method-assign, assignment, misc]
        await on.drawn()
        await on.press("2", "g")
        for key in ("s", *"apply", "tab", *"1h"):
            on.app.simulate_key(key)
        await on.until(lambda: on.app.board.panes[1].query(SilenceForm), "the form")
        form = on.app.board.panes[1].query_one(SilenceForm)
        await on.until(lambda: form.query_one("#silence-duration", Input).value.endswith("1h"), "the rest")
        assert form.query_one("#silence-comment", Input).value == "apply"
        assert not sent, "`a` of the comment acknowledged an alert"


async def test_a_detail_that_closes_while_the_second_passes_harms_nothing(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=[("am", ALERTS)]) as on:
        pane = on.app.board.panes[1]
        for _ in range(5):
            await opened(on)
            pane.step_back()
            pane.passed()
            pane.redraw()
            assert pane.detail is None and not pane.inside
            await on.pilot.pause()


async def test_what_the_cockpits_own_rules_raise_is_never_sent_to_an_alertmanager(tmp_path: Path) -> None:
    own = replace(ALERTS[0], name="DiskFull", source="rules")
    async with screen(tmp_path) as on:
        await on.drawn()
        on.cockpit.fill("rules", [own])
        on.app.board.panes[1].asks = Asked()  # type: ignore[attr-defined]
        sent.clear()
        on.app._act = lambda source, method, wanted, done: sent.append((source, method, wanted))  # type: ignore[method-assign, assignment, misc]
        await on.drawn()
        await on.press("2", "g", "a", "s")
        await on.until(lambda: on.notices, "a word about it")
        assert "own rules raised this" in on.notices[0]
        assert not sent and not on.app.board.panes[1].query(SilenceForm)


async def test_nothing_is_silenced_from_the_past(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=[("am", ALERTS)]) as on:
        on.app.board.panes[1].asks = Asked()  # type: ignore[attr-defined]
        sent.clear()
        on.app._act = lambda source, method, wanted, done: sent.append((source, method, wanted))  # type: ignore[method-assign, assignment, misc]
        await on.press("2", "left_square_bracket")
        await on.drawn()
        await on.press("g", "a")
        await on.until(lambda: on.notices, "a word about it")
        assert not sent and "you are looking at the past" in on.notices[0]


async def test_an_alert_is_acknowledged_once_however_often_the_key_is_pressed(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=[("am", ALERTS)]) as on:
        on.app.board.panes[1].asks = Asked()  # type: ignore[attr-defined]
        sent.clear()
        on.app._act = lambda source, method, wanted, done: sent.append((source, method, wanted))  # type: ignore[method-assign, assignment, misc]
        await on.drawn()
        await on.press("2", "g", "a", "a")
        assert len(sent) == 1
