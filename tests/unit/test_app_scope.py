"""One scope: choosing moves it, all panes follow, Esc steps back, the time cursor shows one moment everywhere."""

from __future__ import annotations

from pathlib import Path

from cockpit.signals import (
    SECOND,
    Alert,
    AlertState,
    HealthSample,
    HealthState,
    LogRecord,
    Signal,
    Span,
)
from tests.helpers.screen import NOW, Screen, screen
from widgets.rows import RowList

MINUTE = 60 * SECOND


def sample(subject: str, state: HealthState, ago: int, service: str, value: float = 1.0) -> HealthSample:
    return HealthSample(
        at=NOW - ago * MINUTE,
        subject=subject,
        kind="service",
        state=state,
        value=value,
        reason=f"{subject} is {state}",
        source="host",
        resource={"service.name": service, "host.name": f"{service}-1"},
    )


def alert(name: str, service: str, ago: int) -> Alert:
    return Alert(
        at=NOW,
        name=name,
        state=AlertState.FIRING,
        severity="critical",
        labels={"alertname": name, "service": service},
        annotations={"summary": f"{name} of {service}"},
        starts_at=NOW - ago * MINUTE,
        fingerprint=name,
        source="am",
        resource={"service.name": service},
    )


def record(text: str, service: str, ago: int) -> LogRecord:
    return LogRecord(
        at=NOW - ago * MINUTE, level=9, body=text, source="files", resource={"service.name": service}
    )


def span(number: int, service: str, ago: int) -> Span:
    return Span(
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        parent_id="",
        name=f"GET /{service}",
        kind="server",
        start=NOW - ago * MINUTE,
        end=NOW - ago * MINUTE + SECOND,
        source="otlp",
        resource={"service.name": service},
    )


SHOP: list[tuple[str, list[Signal]]] = [
    ("host", [sample("cart health", HealthState.OK, ago, "cart") for ago in (10, 6)]),
    ("host", [sample("cart health", HealthState.DOWN, ago, "cart", 9.0) for ago in (4, 1)]),
    ("host", [sample("shop health", HealthState.OK, 1, "shop")]),
    ("am", [alert("CartDown", "cart", 4), alert("ShopSlow", "shop", 9)]),
    ("files", [record("cart says hello", "cart", 8), record("cart breaks", "cart", 3)]),
    ("files", [record("shop sells", "shop", 3)]),
    ("otlp", [span(1, "cart", 3), span(2, "shop", 8)]),
]


async def path(on: Screen) -> str:
    return (await on.drawn()).splitlines()[1]


async def test_a_row_of_health_narrows_every_pane_and_escape_steps_back_one_at_a_time(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=SHOP) as on:
        text = await on.drawn()
        assert all(word in text for word in ("shop health", "ShopSlow", "shop sells", "GET /shop"))
        await on.press("enter")
        text = await on.drawn()
        assert not any(word in text for word in ("ShopSlow", "shop sells", "GET /shop"))
        assert all(word in text for word in ("CartDown", "cart breaks", "GET /cart", "all › cart"))
        assert on.app.board.current.inside
        await on.press("escape")
        assert not on.app.board.current.inside and "all › cart" in await path(on)
        await on.press("escape")
        text = await on.drawn()
        assert "›" not in text.splitlines()[1] and "shop sells" in text


async def test_an_alert_narrows_every_pane(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=SHOP) as on:
        await on.drawn()
        await on.press("2", "j", "enter")
        assert on.cockpit.trail.now.service == "shop"
        text = await on.drawn()
        assert "cart breaks" not in text and "shop sells" in text and "ShopSlow of shop" in text


async def test_all_panes_show_the_moment_of_the_time_cursor(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=SHOP) as on:
        text = await on.drawn()
        assert "1 down" in text and "cart breaks" in text and "CartDown" in text
        on.app.move_cursor(NOW - 5 * MINUTE)
        lines = (await on.drawn()).splitlines()
        text = "\n".join(lines[1:])
        assert "AT 2026-03-14 03:02:00 UTC, 5m ago" in text
        assert "1 ok" in text and "down" not in text and "shop health" not in text
        assert "CartDown" not in text and "ShopSlow" in text
        assert "cart says hello" in text and "cart breaks" not in text and "shop sells" not in text
        assert "GET /shop" in text and "GET /cart" not in text
        assert "CartDown" in lines[0], "the verdict says what is wrong right now"
        await on.press("escape")
        text = await on.drawn()
        assert "AT 2026" not in text and "cart breaks" in text


async def test_the_cursor_moves_by_keys_however_fast_they_come(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=SHOP) as on:
        step = on.cockpit.trail.now.span // 60
        await on.press(*["left_square_bracket"] * 8)
        assert on.cockpit.trail.now.cursor == NOW - 8 * step
        await on.press(*["right_square_bracket"] * 3)
        assert on.cockpit.trail.now.cursor == NOW - 5 * step
        await on.press(*["right_square_bracket"] * 9)
        assert on.cockpit.trail.now.cursor is None


async def test_a_cursor_that_leaves_the_window_takes_it_along(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=SHOP) as on:
        for _ in range(70):
            on.app.action_shift(-1)
        scope = on.cockpit.trail.now
        assert scope.cursor is not None
        start, end = scope.window(NOW)
        assert start <= scope.cursor <= end and end - start == scope.span


async def test_the_window_goes_wider_and_narrower_by_key(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        assert "last 15m" in await path(on)
        await on.press("left_curly_bracket", "left_curly_bracket")
        assert "last 1h" in await path(on)
        await on.press(*["right_curly_bracket"] * 9)
        assert "last 1m" in await path(on)
        for _ in range(20):
            on.app.action_widen(1)
        assert "last 7d" in await path(on)


async def test_a_detail_of_health_shows_the_moment(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=SHOP) as on:
        await on.drawn()
        await on.press("enter")
        assert "down, for 3m" in await on.drawn() or "down, for 4m" in await on.drawn()
        on.app.move_cursor(NOW - 5 * MINUTE)
        text = await on.drawn()
        assert "● ok, for 5m" in text
        on.app.move_cursor(NOW - 14 * MINUTE)
        assert "not known then" in await on.drawn()


async def test_the_commands_of_the_bar_move_the_scope(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=SHOP) as on:
        for line, wanted in (
            ("service cart", "all › cart"),
            ("since 2h", "last 2h"),
            ("at 03:00", "AT 2026-03-14 03:00:00"),
            ("now", "03:07:00 UTC"),
            ("all", " all "),
        ):
            await on.press("colon", *line, "enter")
            assert wanted in await path(on), line
        await on.press("colon", *"servise cart", "enter")
        assert on.notices == ["there is no command :servise (did you mean :service?)"]


async def test_an_empty_pane_says_what_keeps_its_rows_out(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=SHOP) as on:
        on.cockpit.trail.push(title="nobody", service="nobody")
        on.app.spread()
        text = await on.drawn()
        assert text.count("none of service nobody · Esc steps back") == 2


async def test_the_cursor_of_the_list_stays_on_its_row_as_rows_change(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=SHOP) as on:
        await on.drawn()
        await on.press("down")
        rows = on.app.query(RowList)[0]
        assert rows.current is not None and rows.current.latest.subject == "shop health"
        on.cockpit.fill("host", [sample(f"aaa {n}", HealthState.DOWN, 0, "aaa") for n in range(20)])
        await on.drawn()
        assert rows.current is not None and rows.current.latest.subject == "shop health" and rows.cursor == 21


async def test_at_80x24_the_folded_panes_still_tell_their_summary(tmp_path: Path) -> None:
    async with screen(tmp_path, size=(80, 24), batches=SHOP) as on:
        text = await on.drawn()
        assert "2 Alerts · 2 firing" in text and "1 Health · 1 down, 1 ok" in text and "? help" in text
        assert "CartDown" in text.splitlines()[0]
        await on.press("2")
        text = await on.drawn()
        assert "CartDown of cart" in text and "1 Health · 1 down, 1 ok" in text
        await on.press("enter")
        assert "alertname  CartDown" in await on.drawn()
