"""`!` on the real screen: real commands through the door, their output in the drawer, the record behind them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import signal
import sys
from pathlib import Path

import pytest

from cockpit.actionlog.log import FILE
from cockpit.actionlog.reader import ActionReader
from tests.helpers.hostile import raw_in
from tests.helpers.screen import Screen, screen, shown
from widgets.output_lines import LINES, LONGEST, OutputLines, plain


async def run(on: Screen, line: str) -> None:
    """Type a shell line the way a paste does, and send it."""
    await on.press("exclamation_mark")
    on.app.command_bar.query_one("#line").value = line  # type: ignore[attr-defined]
    await on.press("enter")


def state(on: Screen) -> str:
    found = on.app.drawer.query("#output-state")
    return str(found.first().render()) if found else "running"  # soon: it is still being judged


async def ended(on: Screen) -> str:
    await on.until(lambda: not on.app.drawer.running and "running" not in state(on), "the command to end")
    await on.until(lambda: not on.app.drawer.lines._moved, "the last drawing")
    return state(on)


async def test_a_line_is_run_recorded_and_shown_with_how_it_ended(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        await run(on, "printf 'one\\ntwo'; exit 3")
        assert (await ended(on)).startswith("✖ failed · exit 3 · development local ! printf")
        assert on.app.drawer.lines.text() == "one\ntwo"
        assert "two" in shown(on.app)
        await run(on, "true")
        assert (await ended(on)).startswith("● done · exit 0")
    reader = ActionReader(tmp_path / "data" / FILE)
    lines = [(action.shell, action.state, action.exit_status) for action in reader.list(limit=5)]
    reader.close()
    assert lines == [("true", "done", 0), ("printf 'one\\ntwo'; exit 3", "failed", 3)]


@pytest.mark.alone
async def test_a_flood_of_output_leaves_the_screen_awake(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        longest = 0.0

        async def beat() -> None:
            nonlocal longest
            while True:
                before = asyncio.get_running_loop().time()
                await asyncio.sleep(0.005)
                longest = max(longest, asyncio.get_running_loop().time() - before - 0.005)

        beating = asyncio.create_task(beat())
        await run(on, "yes | head -n 2000000")
        await ended(on)
        beating.cancel()
        lines = on.app.drawer.lines
        assert (lines.taken, lines.gone) == (2_000_000, 2_000_000 - LINES)
        assert "1,995,000 earlier lines" in state(on)
        assert longest < 0.5


async def test_nothing_of_the_output_reaches_the_terminal_raw(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        await run(
            on,
            "printf '\\033[31mred\\033[0m \\033]0;title\\007x \\033[2J\\010\\n';"
            "head -c 20000 /dev/urandom; printf '\\na\\rb\\rdone\\n'",
        )
        await ended(on)
        drawn = shown(on.app)
        assert raw_in(drawn) == []
        text = on.app.drawer.lines.text()
        assert text.splitlines()[0].startswith("red x ") and text.endswith("done")


async def test_a_command_is_stopped_by_its_key_and_said_to_be(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        await run(on, "echo before; sleep 100")
        await on.until(lambda: "before" in on.app.drawer.lines.text(), "output")
        await on.press("escape")
        await run(on, "echo second")
        assert on.notices == ["a command is still running; stop it first, or wait"]
        await on.press("ctrl+o", "x")
        assert "cancelled · signal" in await ended(on)
        await on.press("ctrl+c")
        assert on.notices[-1] == "nothing is running" and not on.app._exit


async def test_read_only_runs_nothing_and_says_so(tmp_path: Path) -> None:
    async with screen(tmp_path, read_only=True, mode="read-only INC-7") as on:
        text = await on.drawn()
        assert "read-only INC-7" in text.splitlines()[0] and "nothing is run: read-only" in text
        await run(on, f"touch {tmp_path}/made")
        assert "did not run" in await ended(on) and "read-only" in state(on)
        assert not (tmp_path / "made").exists()


async def test_the_output_follows_its_end_until_one_scrolls_up(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        await run(on, "seq 1 200")
        await ended(on)
        lines = on.app.drawer.lines
        await on.until(lambda: "200" in shown(on.app), "the last line")
        await on.press("home")
        await on.until(lambda: lines.scroll_offset.y == 0, "the scrolling")
        lines.feed(b"more\n" * 10)
        lines.tick()
        await on.pilot.pause(0.1)
        assert lines.scroll_offset.y == 0
        await on.press("y")
        assert on.app.clipboard.startswith("1\n2\n")


async def test_what_is_read_stands_still_while_the_oldest_lines_go(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        await on.press("ctrl+o")
        lines = on.app.drawer.query_one(OutputLines)
        lines.feed(b"".join(b"%d\n" % number for number in range(LINES)))
        lines.tick()
        await on.pilot.pause(0.1)
        lines.scroll_to(y=1000, animate=False, immediate=True)
        lines.feed(b"new\n" * 300)
        lines.tick()
        await on.pilot.pause(0.1)
        assert lines.render_line(0).text.strip() == "1000"


def test_one_endless_line_is_bounded() -> None:
    lines = OutputLines()
    for _ in range(100):
        lines.feed(b"x" * 100_000)
    assert len(lines._partial) <= 4 * LONGEST
    assert sum(map(len, lines._ring)) <= 100 * 4 * LONGEST


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (b"\x1b[1;31mred\x1b[0m", "red"),
        (b"50%\r100%\r", "100%"),
        (b"a\tb", "a       b"),
        (b"\xff\xfe", "\N{REPLACEMENT CHARACTER}" * 2),
        (b"\x1b]52;c;aGk=\x07after", "after"),
    ],
)
def test_a_line_is_shown_as_a_terminal_would_leave_it(line: bytes, wanted: str) -> None:
    assert plain(line) == wanted


async def test_a_burst_over_a_real_terminal_is_not_lost(tmp_path: Path) -> None:
    """`!`, a line and Enter written to a real pseudo-terminal in one piece, as ssh over a slow line delivers them."""
    config = tmp_path / "cockpit.toml"
    config.write_text('default_sources = false\n[[targets]]\nname = "local"\nenvironment = "development"\n')
    leader, follower = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cockpit", "--config", str(config), "--data-dir", str(tmp_path / "data"),
        stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"},
    )  # fmt: skip
    os.close(follower)
    seen = bytearray()
    loop = asyncio.get_running_loop()

    def read() -> None:
        with contextlib.suppress(OSError):
            seen.extend(os.read(leader, 65_536))

    loop.add_reader(leader, read)

    async def until(words: bytes) -> None:
        async with asyncio.timeout(20):
            while words not in seen:
                await asyncio.sleep(0.05)

    try:
        await until(b"rec")
        os.write(leader, b"!echo $((6*7))zq1\r")
        await until(b"exit 0")
        await until(b"42zq1")
        os.write(leader, b"qq")
        async with asyncio.timeout(10):
            assert await process.wait() == 0
    finally:
        loop.remove_reader(leader)
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        os.close(leader)


async def test_a_target_that_nothing_knows_is_chosen_with_a_warning_and_never_this_machine(
    tmp_path: Path,
) -> None:
    async with screen(tmp_path) as on:
        await on.press("colon", *"target db-9", "enter")
        await on.until(lambda: on.notices, "the notice")
        assert "commands land on db-9 (production); nothing here knows it" in on.notices[0]
        assert "so it counts as production" in on.notices[0]
        assert (on.cockpit.target.name, on.cockpit.target.transport) == ("db-9", "ssh")
        await on.press("colon", *"target @web", "enter")
        await on.until(lambda: len(on.notices) > 1, "the refusal")
        assert "no host is in a group '@web' (known are local, @all)" in on.notices[1]
        assert on.cockpit.target.name == "db-9"


async def test_leaving_while_a_command_runs_asks_first(tmp_path: Path) -> None:
    async with screen(tmp_path) as on:
        await on.press("exclamation_mark", *"sleep 30", "enter")
        await on.until(lambda: on.app.drawer.running, "the command")
        await on.press("ctrl+q")
        assert on.app.is_running and "still running" in on.notices[-1]
        await on.press("x")
        await on.until(lambda: not on.app.drawer.running, "its end")
