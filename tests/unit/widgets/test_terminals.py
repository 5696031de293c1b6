"""Terminals in the real app, with real shells: every key is the program's but for the leader and the one after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual import events

from cockpit.actions.transport import Outcome
from cockpit.config.settings import TerminalSettings
from cockpit.errors import CommandError
from cockpit.signals import HealthSample, HealthState
from cockpit.targets import Environment, Target, TargetRule
from cockpit.term.cable import LocalCable
from cockpit.term.size import Size
from tests.helpers.screen import HERE, NOW, Screen, screen, shown
from tests.helpers.terminals import Shells, says, terminals, text, view
from widgets.help import Help
from widgets.palette import Palette
from widgets.terminal import TerminalView

LEADER = "ctrl+right_square_bracket"
PRODUCTION = (*HERE, TargetRule(name="db-*", environment=Environment.PRODUCTION))


@asynccontextmanager
async def open_on(
    folder: Path, *argv: str, host: str = "", size: tuple[int, int] = (100, 30), **changes: object
) -> AsyncIterator[Screen]:
    """Open the app with one terminal."""
    changes.setdefault("targets", HERE)
    async with screen(folder, size=size, **changes) as on:  # type: ignore[arg-type]
        on.app.shell = Shells(*argv)  # type: ignore[method-assign]
        await on.app.open_shell(on.app.target_of(host) if host else on.cockpit.target)
        await on.until(lambda: view(on).emulator is not None, "the terminal")
        yield on


async def typed(on: Screen, line: str) -> None:
    view(on).type(line.encode() + b"\r")
    await on.pilot.pause()


async def test_a_shell_opens_in_the_boards_place_with_the_size_it_has(tmp_path: Path) -> None:
    async with open_on(tmp_path) as on:
        await says(on, "$")
        assert not on.app.board.display
        lines = shown(on.app).splitlines()
        assert "DEV" in lines[0] and "local" in lines[0]
        assert "1 local" in lines[2] and "DEVELOPMENT local" in lines[2] and "not recorded" in lines[2]
        await typed(on, "stty size")
        size = view(on).size
        await says(on, f"{size.height} {size.width}")
        assert on.app.shell.opened[0][1] == Size(size.width, size.height)  # type: ignore[attr-defined]


async def test_all_keys_reach_the_program(tmp_path: Path) -> None:
    keys = [
        "a",
        "q",
        "escape",
        "tab",
        "ctrl+q",
        "ctrl+p",
        "ctrl+o",
        "exclamation_mark",
        "colon",
        "z",
        "1",
        "ctrl+c",
    ]
    async with open_on(tmp_path, "sh", "-c", "stty raw -echo; printf ready; exec cat -vT") as on:
        await says(on, "ready")
        await on.press(*keys, "question_mark", "enter", "up", "f5", "ctrl+backslash", "n", "P")
        await says(on, "aq^[^I^Q^P^O!:z1^C?^M^[[A^[[15~^\\nP")
        assert on.app.is_running and len(on.app.screen_stack) == 1


async def test_the_leader_leads_to_the_board_and_back(tmp_path: Path) -> None:
    async with open_on(tmp_path) as on:
        await says(on, "$")
        await on.press(LEADER)
        assert "leader" in shown(on.app)
        await on.press("b", "2")  # in one burst: the second is the board's already
        assert on.app.board.display and not terminals(on).display
        assert on.app.board.current.NAME == "alerts"
        await on.press(LEADER)
        assert terminals(on).display and on.app.focused is view(on)
        await typed(on, "echo still-$((40 + 2))")
        await says(on, "still-42")


async def test_the_leader_twice_is_typed_and_can_be_another_key(tmp_path: Path) -> None:
    argv = ("sh", "-c", "stty raw -echo; printf ready; exec cat -v")
    async with open_on(tmp_path, *argv, keys={"terminal.leader": ("f9",)}) as on:
        await says(on, "ready")
        await on.press(LEADER, "f9", "f9", "x")
        await says(on, "^]^[[20~x")


async def test_tabs_are_gone_through_marked_and_closed(tmp_path: Path) -> None:
    async with open_on(tmp_path) as on:
        await says(on, "$")
        await typed(on, "echo first")
        await on.press(LEADER, "c")
        await on.until(lambda: len(terminals(on).tabs) == 2 and view(on).emulator, "a second terminal")
        first = terminals(on).tabs[0]
        first.view.type(b"sleep 0.1; printf 'unseen\\a'\r")
        await on.until(lambda: first.mark == "♪", "the bell's mark")
        assert "1 local ♪" in shown(on.app).splitlines()[2]
        await on.press(LEADER, "1")
        await says(on, "unseen")
        assert first.mark == ""
        await on.press(LEADER, "n", LEADER, "x")
        await on.until(lambda: "close the terminal?" in shown(on.app), "the question")
        await on.press("right", "enter")
        await on.until(lambda: len(terminals(on).tabs) == 1, "the tab's end")
        await typed(on, "exit 3")
        await on.until(lambda: "ended with 3" in shown(on.app), "the end")
        await on.press("enter")
        await on.until(lambda: on.app.board.display, "the board")
        assert terminals(on).tabs == []


async def test_what_scrolled_away_is_looked_through_and_stands_still(tmp_path: Path) -> None:
    async with open_on(tmp_path) as on:
        await says(on, "$")
        await typed(
            on, "i=0; while [ $i -lt 300 ]; do echo row-$i; i=$((i+1)); done; sleep 0.4; echo late-$((1+1))"
        )
        await says(on, "row-299")
        await on.press(LEADER, "left_square_bracket", "g")
        before = shown(on.app)
        assert "row-0" in before and "rows up" in before
        await on.until(lambda: "late-2" in text(view(on).emulator), "more output")
        assert [line for line in shown(on.app).splitlines() if "row-" in line] == [
            line for line in before.splitlines() if "row-" in line
        ]
        await on.press("q")
        assert "late-2" in shown(on.app)


async def test_text_is_looked_for_and_gone_to(tmp_path: Path) -> None:
    async with open_on(tmp_path) as on:
        await says(on, "$")
        await typed(on, "seq 1 500")
        await says(on, "500")
        await on.press(LEADER, "slash", *"77", "enter")
        await on.until(lambda: "of 5" in shown(on.app), "the count")
        assert "5 of 5" in shown(on.app) and "477" in shown(on.app)
        await on.press("n", "n", "n")
        assert "2 of 5" in shown(on.app)
        await on.press("slash", *"nowhere", "enter")
        assert any("nothing here says nowhere" in notice for notice in on.notices)
        await on.press("escape", *"echo ok", "enter")
        await says(on, "ok")


async def test_several_lines_are_pasted_into_production_only_once_seen(tmp_path: Path) -> None:
    async with open_on(tmp_path, host="db-1", targets=PRODUCTION) as on:
        await says(on, "$")
        assert "PRODUCTION db-1" in shown(on.app)
        on.app.post_message(events.Paste("echo one-$((1))"))
        await says(on, "echo one-")
        on.app.post_message(events.Paste("\necho two-$((1+1))\necho three-$((1+2))\n"))
        await on.until(lambda: "paste 4 lines" in shown(on.app), "the question")
        assert "echo two-" in shown(on.app)
        await on.press("escape")
        assert "two-2" not in text(view(on).emulator)
        on.app.post_message(events.Paste("\necho two-$((1+1))\n"))
        await on.until(lambda: "paste 3 lines" in shown(on.app), "the question")
        await on.press("right", "enter")
        await says(on, "two-2")


async def test_the_mouse_selects_and_copies_unless_the_program_wants_it(tmp_path: Path) -> None:
    async with open_on(tmp_path, "sh", "-c", "printf 'hello world\\r\\nsecond\\r\\n'; exec cat") as on:
        await says(on, "second")
        await on.pilot.mouse_down(TerminalView, offset=(6, 0))
        await on.pilot.hover(TerminalView, offset=(2, 1))
        await on.pilot.mouse_up(TerminalView, offset=(2, 1))
        await on.pilot.pause()
        assert on.app.clipboard == "world\nsec"


async def test_the_programs_mouse_is_reported_and_shift_selects(tmp_path: Path) -> None:
    argv = ("sh", "-c", "stty raw -echo; printf '\\033[?1002h\\033[?1006hready'; exec cat -v")
    async with open_on(tmp_path, *argv) as on:
        await says(on, "ready")
        await on.pilot.mouse_down(TerminalView, offset=(4, 2))
        await on.pilot.mouse_up(TerminalView, offset=(5, 2))
        await says(on, "^[[<0;5;3M^[[<32;6;3M^[[<0;6;3m")
        await on.pilot.mouse_down(TerminalView, offset=(0, 0), shift=True)
        await on.pilot.hover(TerminalView, offset=(4, 0))
        await on.pilot.mouse_up(TerminalView, offset=(4, 0), shift=True)
        assert on.app.clipboard == "ready"


async def test_a_new_size_is_told_once_it_lasts(tmp_path: Path) -> None:
    async with open_on(
        tmp_path, "sh", "-c", "trap 'stty size' WINCH; echo up; while :; do sleep 0.05; done"
    ) as on:
        await says(on, "up")
        for width in (90, 80, 70):
            await on.pilot.resize_terminal(width, 25)
        size = view(on).size
        await says(on, f"{size.height} {size.width}")


async def test_a_program_may_set_title_but_not_clipboard_nor_markup(tmp_path: Path) -> None:
    script = "printf '\\033]2;[red]title\\007\\033]52;c;aGVsbG8=\\007done'; sleep 9"
    async with open_on(tmp_path, "sh", "-c", script) as on:
        await says(on, "done")
        await on.until(lambda: "[red]title" in shown(on.app).splitlines()[2], "the title")
        assert on.app.clipboard == ""
    async with open_on(tmp_path, "sh", "-c", script, terminal=TerminalSettings(clipboard=True)) as on:
        await on.until(lambda: on.app.clipboard == "hello", "the clipboard")


async def test_help_and_palette_are_there_and_give_the_focus_back(tmp_path: Path) -> None:
    async with open_on(tmp_path) as on:
        await says(on, "$")
        await on.press(LEADER, "question_mark")
        assert isinstance(on.app.screen, Help) and "terminal.leave" in shown(on.app)
        await on.press("escape", LEADER, "ctrl+p")
        assert isinstance(on.app.screen, Palette)
        await on.press("escape")
        await on.until(lambda: on.app.focused is view(on), "the focus")


async def test_a_row_of_health_opens_its_host_and_a_refusal_is_said(tmp_path: Path) -> None:
    sample = HealthSample(
        at=NOW,
        subject="web-1",
        kind="host",
        state=HealthState.OK,
        source="x",
        resource={"host.name": "web-1"},
    )
    asked: list[Target] = []

    async def refuse(target: Target, size: Size) -> LocalCable:
        asked.append(target)
        raise CommandError("no way leads there", where=target.name, remedy="look at [[targets]]")

    async with screen(tmp_path, batches=[("x", [sample])]) as on:
        on.app.shell = refuse  # type: ignore[method-assign]
        await on.drawn()
        await on.press("s")
        await on.until(lambda: "no way leads there" in shown(on.app), "the refusal")
        assert asked[0].name == "web-1" and asked[0].transport == "ssh"
        await on.press("enter")
        await on.until(lambda: on.app.board.display, "the board")


async def test_a_shell_on_production_is_asked_about(tmp_path: Path) -> None:
    async with screen(tmp_path, targets=PRODUCTION) as on:
        await on.press("colon", *"ssh db-7", "enter")
        await on.until(lambda: "PRODUCTION db-7: open a shell?" in shown(on.app), "the question")
        await on.press("escape")
        await on.until(lambda: "not confirmed" in shown(on.app), "the refusal")


async def test_leaving_with_a_terminal_open_is_said_first(tmp_path: Path) -> None:
    async with open_on(tmp_path) as on:
        await says(on, "$")
        cable = view(on).cable
        await on.press(LEADER, "b", "q")
        assert any("hangs up" in notice for notice in on.notices)
        await on.press("q")
    assert cable is not None
    assert await cable.wait() == Outcome(signal="SIGHUP")


@pytest.mark.alone
async def test_a_flood_leaves_room_for_keys_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    async with open_on(tmp_path) as on:
        await says(on, "$")
        loop = asyncio.get_running_loop()

        async def waited() -> float:
            """Return what a callback waits for its turn, but for one in twenty."""
            waits = []
            for _ in range(100):
                began = loop.time()
                await asyncio.sleep(0.005)
                waits.append(loop.time() - began - 0.005)
            return sorted(waits)[94]

        quiet = await waited()
        await typed(on, "yes")
        await asyncio.sleep(0.5)
        assert await waited() < 0.025 + 3 * quiet
        began = loop.time()
        await on.press("ctrl+c")
        await typed(on, "echo quiet-$((1+1))")
        await says(on, "quiet-2")
        assert loop.time() - began < 1.5
