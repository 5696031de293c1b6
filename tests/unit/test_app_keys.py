"""Keys, mouse, footer, help and palette of the real app, and what `[keys]` makes of them."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest
from textual import events
from textual.command import CommandPalette
from textual.drivers._writer_thread import WriterThread
from textual.widgets import Input

from cockpit.signals import SECOND, HealthSample, HealthState, LogRecord
from tests.helpers.screen import NOW, Screen, screen, shown
from widgets.help import Help
from widgets.logs import LogsPane
from widgets.logs_lines import LogLines
from widgets.pane import PaneLine
from widgets.rows import RowList

ROWS = [
    HealthSample(
        at=NOW,
        subject=f"host-{number}",
        kind="host",
        state=HealthState.OK,
        value=float(number),
        source="host",
        resource={"host.name": f"host-{number}"},
    )
    for number in range(60)
]


def zoomed(on: Screen) -> bool:
    return on.app.board.zoomed


def current(on: Screen) -> str:
    return on.app.board.current.NAME


async def test_numbers_go_to_panes_and_z_gives_one_the_screen(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        for key, name in (("2", "alerts"), ("3", "logs"), ("4", "traces"), ("1", "health")):
            await on.press(key)
            assert current(on) == name
        await on.press("z")
        assert zoomed(on)
        await on.press("3")
        assert [pane.NAME for pane in on.app.board.panes if pane.display] == ["logs"]
        await on.press("escape")
        assert not zoomed(on)


async def test_every_action_of_the_app_can_be_rebound(tmp_path: Path) -> None:
    keys = {"app.zoom": ("f9",), "app.zoom2": ("x",), "app.alerts": ("B", "f6"), "rows.down": ("J",)}
    async with screen(tmp_path, keys=keys, batches=[("host", ROWS)]) as on:
        await on.drawn()
        await on.press("z")
        assert not zoomed(on)
        await on.press("f9")
        assert zoomed(on)
        await on.press("f9", "B")
        assert current(on) == "alerts"
        await on.press("1", "f6")
        assert current(on) == "alerts"
        await on.press("1", "j")
        assert on.app.query(RowList)[0].cursor == 0
        await on.press("J", "J")
        assert on.app.query(RowList)[0].cursor == 2
        assert "f9 zoom" in shown(on.app).splitlines()[-1]
        assert on.notices == ["[keys] app.zoom2: no such action; the nearest is app.zoom"]


async def test_a_clash_is_told_at_the_start(tmp_path: Path) -> None:
    async with screen(tmp_path, keys={"health.troubled": ("z",)}) as on:
        assert on.notices == ["[keys] z is given to both health.troubled and app.zoom"]


async def test_what_is_unbound_is_gone_from_key_footer_and_help(tmp_path: Path) -> None:
    async with screen(tmp_path, keys={"app.quit": (), "app.quit_now": (), "app.shell": ()}) as on:
        await on.press("q", "ctrl+q", "exclamation_mark")
        assert not on.app._exit and not on.app.command_bar.is_open
        line = shown(on.app).splitlines()[-1]
        assert "quit" not in line and "! run" not in line and "? help" in line
        await on.press("question_mark")
        text = next(row for row in shown(on.app).splitlines() if "Run a shell line" in row)
        assert "unbound" in text
        await on.press("escape")
        await on.press("ctrl+c")
        assert on.notices == ["type :quit to leave"]


async def test_quit_leaves_a_detail_and_the_output_before_the_cockpit(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=[("host", ROWS)]) as on:
        await on.drawn()
        await on.press("enter")
        assert on.app.board.current.inside
        await on.press("q")
        assert not on.app._exit, "it left"
        assert not on.app.board.current.inside
        await on.press("ctrl+o")
        assert on.app.drawer.is_open
        await on.press("q")
        assert (on.app._exit, on.app.drawer.is_open) == (False, False)
        await on.press("question_mark", "q")
        assert not on.app._exit, "it left"
        assert len(on.app.screen_stack) == 1
        await on.press("slash", "q")
        assert not on.app._exit
        await on.press("escape", "q")
        assert on.app._exit


async def test_help_is_that_of_the_pane_and_of_the_operators_keys(tmp_path: Path) -> None:
    async with screen(tmp_path, size=(120, 100), keys={"alerts.silence": ("f8",)}) as on:
        await on.press("2", "question_mark")
        assert isinstance(on.app.screen, Help)
        text = shown(on.app)
        assert "alerts.silence" in text and "logs.follow" not in text
        row = next(row for row in text.splitlines() if "Silence this alert" in row)
        assert "f8" in row
        on.app._beat.at_once()
        await on.press("escape")
        assert len(on.app.screen_stack) == 1


async def test_the_screen_lives_on_under_the_help(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        await on.press("question_mark")
        on.cockpit.fill("host", ROWS)
        on.app._beat.at_once()
        await on.pilot.pause(0.3)
        await on.press("escape")
        assert "host-0" in shown(on.app)


async def test_no_news_is_drawn_while_the_terminal_has_not_taken_the_last(tmp_path: Path) -> None:
    """A key's answer would wait behind all of it."""
    reading, writing = os.pipe()
    async with screen(tmp_path) as on:
        with os.fdopen(writing, "w") as pipe, os.fdopen(reading, "rb") as terminal:
            writer = WriterThread(pipe)
            writer.start()
            for _ in range(3):
                writer.write("x" * 100_000)  # more than a pipe holds: it waits for its reader
            on.app._driver._writer_thread = writer  # type: ignore[union-attr]
            on.cockpit.fill("host", ROWS)
            await on.app._beat.in_parts()
            await on.pilot.pause()
            assert "host-0" not in shown(on.app)
            taken = 0
            while taken < 300_000:
                taken += len(await asyncio.to_thread(terminal.read1))
            await on.until(lambda: not on.app._beat.unwritten, "the writer")
            assert "host-0" in await on.drawn()
            del on.app._driver._writer_thread  # type: ignore[union-attr]
            writer.stop()


async def test_a_burst_of_keys_is_taken_in_order(tmp_path: Path) -> None:
    """Over a slow line `!`, a line and Enter come in one piece; none of them may reach the pane beneath."""
    async with screen(tmp_path) as on:
        for character in "!echo zzz1q":
            on.app.post_message(events.Key(character if character.isalnum() else _name(character), character))
        on.app.post_message(events.Key("enter", "\r"))
        await on.until(lambda: "exit 0" in shown(on.app), "the command to end")
        assert "zzz1q" in shown(on.app) and not zoomed(on) and current(on) == "health"


def _name(character: str) -> str:
    return {"!": "exclamation_mark", " ": "space", "/": "slash", "=": "equals_sign"}[character]


@pytest.mark.parametrize("enter", ["enter", "ctrl+j"])
@pytest.mark.parametrize("line", ["/wide", "hwide", "anew = wide", "cwide"])
async def test_keys_right_after_enter_are_for_the_rows(tmp_path: Path, line: str, enter: str) -> None:
    """As typed ahead, or over a slow line: `k` must not go into what was written, nor letters to the rows."""
    records = [LogRecord(at=NOW - 60 * SECOND + n, body=f"wide {n}", source="a") for n in range(40)]
    async with screen(tmp_path, batches=[("a", records)]) as on:
        await on.press("3")
        await on.drawn()
        pane = on.app.board.current
        assert isinstance(pane, LogsPane)
        await on.press("g", "j", "j")
        if line[0] == "c":
            await on.press("c")
            line = line[1:]
        for character in line:
            on.app.post_message(events.Key(character if character.isalnum() else _name(character), character))
        on.app.post_message(events.Key(enter, "\r"))
        for character in "jj":
            on.app.post_message(events.Key(character, character))
        if line[0] == "a":  # the list of filters has the focus then
            await on.until(lambda: [each.text for each in pane.filters] == ["wide"], "the filter")
        else:
            await on.until(lambda: isinstance(on.app.focused, LogLines) and pane.lines.rank == 4, "the row")
        written = [each.value for each in on.app.query(PaneLine)]
        assert "wide" in " ".join(written)
        assert not any("j" in each for each in written)
        if line[0] == "w":
            assert [(mark.comment, pane._view.rank(mark.number)) for mark in pane.marks] == [("wide", 2)]


@pytest.mark.parametrize("typed", ["z", "q", "1", "[", "?", "!", ":"])
async def test_letters_typed_into_a_filter_are_letters(tmp_path: Path, typed: str) -> None:
    async with screen(tmp_path, batches=[("host", ROWS)]) as on:
        await on.press("slash")
        await on.pilot.press(typed)
        await on.pilot.pause()
        assert isinstance(on.app.focused, Input) and on.app.focused.value == typed
        assert not on.app._exit and not zoomed(on) and not on.app.command_bar.is_open


async def test_the_mouse_chooses_rows_panes_and_keys(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=[("host", ROWS)]) as on:
        await on.drawn()
        rows = on.app.query(RowList)[0]
        await on.pilot.click(rows, offset=(5, 3))
        assert rows.cursor == 3 and on.app.board.current.detail is None
        await on.pilot.click("#alerts", offset=(10, 5))
        assert current(on) == "alerts"
        await on.pilot.click("#keybar", offset=(shown(on.app).splitlines()[-1].index("z zoom"), 0))
        assert zoomed(on)
        await on.pilot.click("#keybar", offset=(shown(on.app).splitlines()[-1].index("z zoom"), 0))
        await on.pilot.click(rows, offset=(5, 4), times=2)
        await on.pilot.pause()
        assert on.app.board.current.NAME == "health" and on.app.board.current.detail is not None
        assert on.cockpit.trail.now.host == on.app.board.current.detail.heading


async def test_the_wheel_scrolls_rows_and_leaves_the_cursor(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=[("host", ROWS)]) as on:
        await on.drawn()
        rows = on.app.query(RowList)[0]
        rows.post_message(
            events.MouseScrollDown(
                rows, x=3, y=3, delta_x=0, delta_y=1, button=0, shift=False, meta=False, ctrl=False
            )
        )
        await on.pilot.pause(0.3)
        assert rows.scroll_offset.y > 0 and rows.cursor == 0


async def test_the_palette_does_what_the_current_pane_can(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=[("host", ROWS)]) as on:
        await on.press("ctrl+p")
        assert isinstance(on.app.screen, CommandPalette)
        await on.press(*"troubles")
        await on.pilot.pause(0.5)
        await on.press("enter")
        await on.pilot.pause(0.3)
        assert on.app.board.panes[0].only_troubles  # type: ignore[attr-defined]
        await on.press("ctrl+p", *"app: zo")
        await on.pilot.pause(0.5)
        await on.press("enter")
        await on.pilot.pause(0.3)
        assert zoomed(on)


async def test_y_copies_by_the_terminal(tmp_path: Path) -> None:
    async with screen(tmp_path, batches=[("host", ROWS)]) as on:
        await on.drawn()
        await on.press("down", "y")
        assert "host-1" in on.app.clipboard and on.notices[-1].endswith("copied")


async def test_while_keys_come_the_other_panes_follow_in_turn_and_soon(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        await on.press("3", "j")
        on.cockpit.fill("host", ROWS)
        on.app._beat.followed.update(dict.fromkeys(on.app.board.panes, time.monotonic()))
        assert [pane.NAME for pane in on.app._beat.due()] == ["logs"]
        on.app._beat.followed.update(dict.fromkeys(on.app.board.panes, 0.0))
        assert [len(list(on.app._beat.due())) for _ in range(4)] == [2, 2, 2, 1]
        await on.until(lambda: "host-0" in shown(on.app), "the health pane, once no key comes any more")


async def test_letters_that_reach_the_palette_after_it_was_closed_look_for_nothing(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        await on.press("ctrl+p")
        palette = on.app.screen
        assert isinstance(palette, CommandPalette)
        looked_for: list[str] = []
        palette._gather_commands = looked_for.append  # type: ignore[assignment, method-assign]
        palette.post_message(Input.Changed(palette.query_one(Input), "fo"))
        await on.until(lambda: looked_for, "the search")
        palette._action_escape()
        palette.post_message(Input.Changed(palette.query_one(Input), "fold"))
        await on.until(lambda: not isinstance(on.app.screen, CommandPalette), "the palette's end")
        await on.pilot.pause(0.3)
        assert looked_for == ["fo"]
