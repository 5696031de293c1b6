"""The time line on the real screen, over real logs: search, filters, news, output, replay, and going there."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from textual.widgets import Input

from cockpit.actionlog.log import FILE, ActionLog
from cockpit.actionlog.records import Result, State
from cockpit.actions.command import Command, Risk
from cockpit.actions.transport import Stream
from cockpit.guard.judge import Decision
from cockpit.signals import SECOND
from cockpit.targets import Target
from tests.helpers.log_filling import act
from tests.helpers.log_story import story
from tests.helpers.screen import NOW, Screen, screen, shown
from widgets.detail import Detail
from widgets.help import Help
from widgets.timeline import TimelineScreen
from widgets.timeline_record import RecordScreen
from widgets.timeline_replay import ReplayScreen

START = NOW - 600 * SECOND
WINDOW = 600
"""Fewer than are kept otherwise, so that a shorter log outgrows it."""


async def opened(on: Screen) -> TimelineScreen:
    await on.until(lambda: on.app.operations.recording, "the log")
    await on.press("T")
    await on.until(lambda: isinstance(on.app.screen, TimelineScreen), "the screen")
    found = on.app.screen
    assert isinstance(found, TimelineScreen)
    await on.until(lambda: found.entries, "the entries")
    return found


async def search(on: Screen, text: str, said: str) -> None:
    await on.press("slash")
    on.app.screen.query_one(Input).value = text
    await on.until(lambda: said in shown(on.app), said)


def rows(on: Screen) -> list[str]:
    """Return the rows below heading and header that hold something."""
    return [line.rstrip() for line in shown(on.app).splitlines()[2:-1] if line.strip()]


async def test_what_was_done_newest_first(tmp_path: Path) -> None:
    await story(tmp_path / "data", START)
    async with screen(tmp_path) as on:
        await opened(on)
        await on.until(lambda: "newest first, following" in shown(on.app), "the heading")
        text = shown(on.app)
        assert "? unknown" in text and "⊘ denied" in text and "✖ failed" in text and "✔ approved" in text
        failed = next(row for row in rows(on) if "pgbouncer" in row and "failed" in row)
        assert all(
            part in failed for part in ("db-1", "prod", " 3 ", "200 ms", "ana@desk-4", "· systemctl status")
        )
        order = [row for row in rows(on) if "psql" in row]
        assert "DROP INDEX" in order[0] and "select pid" in order[-1]
        assert "began" in rows(on)[0], "this very session"
        await on.press("escape")
        assert len(on.app.screen_stack) == 1


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_it_is_of_use_at_any_size(tmp_path: Path, size: tuple[int, int]) -> None:
    await story(tmp_path / "data", START)
    async with screen(tmp_path, size=size) as on:
        await opened(on)
        await on.until(lambda: "db-1" in shown(on.app), "the rows")
        lines = shown(on.app).splitlines()
        assert all(len(line) <= size[0] for line in lines)
        assert "/ search" in lines[-1] and "? help" in lines[-1] and "Esc back" in lines[-1]
        denied = next(line for line in lines if "⊘ denied" in line)
        assert "✖ rm -rf /var/lib/" in denied and "prod" in denied


async def test_the_command_line_opens_it_too_and_the_cockpit_lives_on_below(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        await on.until(lambda: on.app.operations.recording, "the log")
        await on.press("colon")
        on.app.command_bar.query_one("#line", Input).value = "timeline"
        await on.press("enter")
        await on.until(lambda: isinstance(on.app.screen, TimelineScreen), "the screen")
        before = on.app.verdict
        on.app._beat.at_once()
        assert on.app.verdict is before
        await on.press("question_mark")
        assert isinstance(on.app.screen, Help) and "timeline.search" in shown(on.app)
        assert "Run a shell line" not in shown(on.app)
        await on.press("escape", "q")
        await on.until(lambda: len(on.app.screen_stack) == 1, "the panes")
        assert not on.app._exit


async def test_keys_follow_the_operators_own(tmp_path: Path) -> None:
    keys = {"app.timeline": ("f7",), "timeline.back": ("f8",)}
    async with screen(tmp_path, keys=keys) as on:
        await on.until(lambda: on.app.operations.recording, "the log")
        await on.press("T")
        assert len(on.app.screen_stack) == 1
        await on.press("f7")
        await on.until(lambda: isinstance(on.app.screen, TimelineScreen), "the screen")
        assert "f8 back" in shown(on.app).splitlines()[-1]
        await on.press("f8")
        await on.until(lambda: len(on.app.screen_stack) == 1, "the panes")


async def test_the_palette_offers_what_can_be_done_here(tmp_path: Path) -> None:
    await story(tmp_path / "data", START)
    async with screen(tmp_path) as on:
        found = await opened(on)
        await on.press("ctrl+p")
        await on.press(*"search")
        await on.pilot.pause(0.5)
        assert "timeline: search" in shown(on.app) and "app: zoom" not in shown(on.app)
        await on.press("enter")
        await on.until(lambda: isinstance(found.focused, Input), "the search line")


async def test_words_and_filters(tmp_path: Path) -> None:
    await story(tmp_path / "data", START)
    async with screen(tmp_path) as on:
        await opened(on)
        await search(on, "target:db-1 risk:destructive", "2 fit")
        assert [row.split("✖")[-1].strip() for row in rows(on)[:2]] == [
            "psql -c 'DROP INDEX orders_old_idx'",
            "rm -rf /var/lib/postgresql/old",
        ]
        await search(on, "replicas", "1 fit")
        assert "✎ note" in rows(on)[0]
        await search(on, "idle transaction", "/idle transaction  1 fit")
        assert "select pid" in rows(on)[0], "found by its output"
        await search(on, "incident:INC-42", "10 fit")
        await search(on, "risk:high", "'high' is no risk")
        await search(on, "incident:none", "nothing fits")
        await on.press("enter", "escape")
        await on.until(lambda: "following" in shown(on.app), "all of it")
        await on.press("escape")
        assert len(on.app.screen_stack) == 1


async def test_it_follows_what_is_done_elsewhere_and_stands_still_where_one_reads(tmp_path: Path) -> None:
    log = ActionLog.open(tmp_path / "data" / FILE)
    for number in range(120):
        await log.note(f"note {number}")
    async with screen(tmp_path) as on:
        found = await opened(on)
        await log.note("news from elsewhere")
        await on.until(lambda: "news from elsewhere" in rows(on)[0], "the news")
        await on.press(*["down"] * 60)
        await on.until(lambda: "at 20" in shown(on.app).splitlines()[0], "the place")
        stood = rows(on)
        current = found.rows.current
        await log.note("more news")
        await on.until(lambda: "more news" in getattr(found.entries[0].record, "text", ""), "more news")
        assert rows(on) == stood and found.rows.current == current
        await on.press("home")
        await on.until(lambda: "more news" in rows(on)[0], "the newest")
    log.close()


async def test_a_command_that_runs_is_shown_until_it_ends(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        await on.until(lambda: on.app.operations.recording, "the log")
        await on.press("exclamation_mark")
        on.app.command_bar.query_one("#line", Input).value = "sleep 2; exit 7"
        await on.press("enter")
        await on.until(lambda: on.app.drawer.running, "the command")
        await on.press("T")
        await on.until(lambda: "▶ running" in shown(on.app), "that it runs")
        await on.until(
            lambda: "✖ failed" in shown(on.app) and "▶ running" not in shown(on.app), "that it ended"
        )
        assert " 7 " in next(row for row in rows(on) if "failed" in row)


async def test_a_long_log_is_walked_in_a_bounded_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("widgets.timeline.WINDOW", WINDOW)
    log = ActionLog.open(tmp_path / "data" / FILE)
    for number in range(WINDOW + 700):
        await log.note(f"note {number}")
    log.close()
    async with screen(tmp_path, size=(80, 24)) as on:
        found = await opened(on)
        assert len(found.entries) <= 400
        seen: set[str] = set()
        while "note 0" not in seen:
            seen |= {getattr(entry.record, "text", "") for entry in found.entries}
            before = found.rows.current
            await on.press("pagedown", "pagedown", "pagedown")
            assert len(found.entries) <= WINDOW
            assert found.rows.current != before, "it went on"
        assert {f"note {number}" for number in range(WINDOW + 700)} <= seen
        await on.press("end")
        await on.until(lambda: "began" in rows(on)[-1], "the oldest")
        await on.press("home")
        await on.until(lambda: "following" in shown(on.app), "the newest")
        await on.press("end")
        await on.until(lambda: "began" in rows(on)[-1] and "note 0" in rows(on)[-2], "the oldest")
        for _ in range(3):
            await on.press("pageup")
        await on.until(lambda: "note 50" in shown(on.app), "newer ones")


async def test_the_output_in_full_by_pages_and_clean(tmp_path: Path) -> None:
    log = ActionLog.open(tmp_path / "data" / FILE)
    lines = b"".join(b"line %d\n" % number for number in range(9_000))
    hostile = b"\x1b[2J\x1b]0;owned\x07[red]not red[/] \x9b31m\xff\r\n"
    await act(log, "cat", "big", output=[hostile, (Stream.STDERR, b"careful\n"), lines])
    log.close()
    async with screen(tmp_path) as on:
        await opened(on)
        await search(on, "state:done", "1 fit")
        await on.press("enter", "enter")
        await on.until(
            lambda: isinstance(on.app.screen, RecordScreen) and "page 1" in shown(on.app), "the output"
        )
        text = shown(on.app)
        assert "[red]not red[/]" in text and "\x1b" not in text and "owned" not in text and "careful" in text
        assert "$" not in text.splitlines()[0] and "● done · cat big" in text.splitlines()[0]
        assert "local (staging)" in text and "it reads" in text
        await on.press("left_square_bracket")
        assert on.notices == ["there is no other page that way"]
        await on.press("right_square_bracket", "right_square_bracket")
        await on.until(lambda: "page 3, the last" in shown(on.app), "the last page")
        await on.press("end")
        await on.until(lambda: "line 8999" in shown(on.app), "the last line")
        await on.press("left_square_bracket")
        await on.until(lambda: "page 2" in shown(on.app), "the page before")
        await on.press("y")
        assert on.app.clipboard == "cat big"
        await on.press("escape")
        assert isinstance(on.app.screen, TimelineScreen)


async def test_notes_evidence_and_approvals_open_too(tmp_path: Path) -> None:
    await story(tmp_path / "data", START)
    async with screen(tmp_path) as on:
        await opened(on)
        for words, said in (
            ("replicas", "bob watches the replicas"),
            ("connections", '"unit": "1"'),
            ("target:db-1 incident:INC-42", "approved by bob@example.com"),
        ):
            await search(on, words, "fit")
            await on.until(lambda: " fit" in shown(on.app), "the hits")
            await on.pilot.pause(0.4)
            await on.press("enter")
            if "approved" in said:
                await on.press("down")
            await on.press("enter")
            await on.until(lambda: isinstance(on.app.screen, RecordScreen), "the record")
            await on.until(lambda said=said: said in "\n".join(_all_text(on)), said)  # type: ignore[misc]
            await on.press("escape")
            await on.press("escape")


def _all_text(on: Screen) -> list[str]:
    found = on.app.screen
    assert isinstance(found, RecordScreen)
    sections = found.query_one(Detail).sections.values()
    return [*(f"{name} {value}" for fields in sections for name, value in fields), found.lines.text()]


async def recorded(folder: Path, pieces: int = 6) -> int:
    """Record a command that prints a line each fifth of a second; return when it began."""
    log = ActionLog.open(folder / "data" / FILE)
    began = time.time_ns()
    command = Command(argv=("tail", "-f"), target=Target(name="local"), actor="ann@desk")
    action = await log.begin(command, Risk.READ, Decision.RUN)
    for number in range(pieces):
        await asyncio.sleep(0.2)
        await log.output(action, Stream.STDOUT, b"line %d\n" % number)
    await log.finish(action, Result(state=State.DONE, exit_status=0))
    log.close()
    return began


async def replayed(on: Screen) -> ReplayScreen:
    await opened(on)
    await search(on, "state:done", "1 fit")
    await on.press("enter", "p")
    await on.until(lambda: isinstance(on.app.screen, ReplayScreen), "the replay")
    found = on.app.screen
    assert isinstance(found, ReplayScreen)
    await on.until(lambda: found.player is not None, "the player")
    return found


async def test_a_recording_is_played_at_its_pace_with_pause_seek_and_speed(tmp_path: Path) -> None:
    await recorded(tmp_path)
    async with screen(tmp_path) as on:
        found = await replayed(on)
        player = found.player
        assert player is not None and 1.0 < player.length < 3.0
        await on.until(lambda: "line 0" in shown(on.app), "the first line")
        await on.press("space")
        assert player.paused
        stood = player.position
        await on.pilot.pause(0.3)
        assert player.position == stood and "‖ paused" in shown(on.app) and "line 5" not in shown(on.app)
        await on.press("plus", "plus")
        await on.until(lambda: "4x" in shown(on.app), "the speed")
        await on.press("minus")
        await on.until(lambda: "2x" in shown(on.app), "the speed")
        await on.press("space")
        await on.until(lambda: "line 5" in shown(on.app) and "■ ended" in shown(on.app), "the end")
        await on.press("left")
        await on.until(lambda: "line 5" not in shown(on.app), "the beginning")
        await on.press("right")
        await on.until(lambda: "line 5" in shown(on.app), "the end")
        await on.press("escape")
        assert isinstance(on.app.screen, TimelineScreen)


async def test_the_whole_cockpit_goes_to_a_moment_of_the_replay(tmp_path: Path) -> None:
    began = await recorded(tmp_path)
    async with screen(tmp_path) as on:
        on.app._clock = time.time_ns
        found = await replayed(on)
        assert found.player is not None
        await on.until(lambda: "line 1" in shown(on.app), "the second line")
        await on.press("space", "j")
        await on.until(lambda: len(on.app.screen_stack) == 1, "the panes")
        scope = on.cockpit.trail.now
        assert scope.cursor is not None and began < scope.cursor < began + 3 * SECOND
        start, end = scope.window(time.time_ns())
        assert start <= scope.cursor <= end
        assert all(pane.scope.cursor == scope.cursor for pane in on.app.board.panes)


async def test_m_goes_to_the_moment_of_an_entry_long_ago(tmp_path: Path) -> None:
    await story(tmp_path / "data", NOW - 90 * 86_400 * SECOND)
    async with screen(tmp_path) as on:
        found = await opened(on)
        await search(on, "state:denied", "1 fit")
        await on.press("enter", "m")
        await on.until(lambda: len(on.app.screen_stack) == 1, "the panes")
        scope = on.cockpit.trail.now
        assert scope.cursor == found.entries[0].at
        start, end = scope.window(NOW)
        assert start <= scope.cursor <= end


async def test_what_printed_nothing_is_not_replayed(tmp_path: Path) -> None:
    await story(tmp_path / "data", START)
    async with screen(tmp_path) as on:
        await opened(on)
        await on.press("p")
        await on.until(lambda: on.notices == ["only what a command printed can be replayed"], "why")
        await search(on, "state:denied", "1 fit")
        await on.press("enter", "p")
        await on.until(lambda: "it printed nothing" in on.notices, "why")


async def test_hostile_text_in_the_log_is_text(tmp_path: Path) -> None:
    log = ActionLog.open(tmp_path / "data" / FILE)
    await log.note("[bold]x[/] \x1b[2J \u202e\nsecond line")
    await act(log, "echo", "\x1b]0;t\x07[link=x]", target="[red]db\x1b[31m")
    log.close()
    async with screen(tmp_path) as on:
        await opened(on)
        await on.until(lambda: "second line" in shown(on.app), "the note")
        text = shown(on.app)
        assert "[bold]x[/]" in text and "[link=x]" in text and "[red]db" in text
        assert "\x1b" not in text and "\u202e" not in text


async def test_a_log_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        await on.until(lambda: on.app.operations.recording, "the log")
        on.app.operations.close()
        (tmp_path / "data" / FILE).write_bytes(b"no database at all" * 100)
        await on.press("T")
        await on.until(lambda: "no action log, or is damaged" in shown(on.app), "why")
        await on.press("escape")
        assert len(on.app.screen_stack) == 1
