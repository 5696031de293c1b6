"""A terminal's recording as it is taken: sizes where they were, leaps that end on the right screen, and its end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from cockpit.actionlog import reel
from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.records import Recorded, Result, State
from cockpit.actionlog.reel import Reel
from cockpit.actionlog.replay import Player, jump
from cockpit.actions.command import Command, Kind, Risk
from cockpit.actions.transport import Stream
from cockpit.errors import UsageError
from cockpit.guard.judge import Decision
from cockpit.targets import Target
from cockpit.term.bittty_emulator import BitttyEmulator
from cockpit.term.painting import Painter
from cockpit.term.size import Size
from tests.helpers.log_filling import act
from tests.helpers.terminals import text

S = 10**9


async def shell(log: ActionLog) -> str:
    command = Command(argv=("login-shell",), target=Target(name="db-1"), actor="me", kind=Kind.SHELL)
    action = await log.begin(command, Risk.UNKNOWN, Decision.RUN)
    await log.record_place(action, Recorded.TERMINAL, log.place(action), term="xterm", size=(90, 20))
    return action


def played(found: Reel, stop: int) -> list[Size | bytes]:
    taken: list[Size | bytes] = []
    while more := found.take(stop):
        taken += more
    return taken


async def test_sizes_come_where_they_came(tmp_path: Path) -> None:
    log = ActionLog.open(tmp_path / "actions.db")
    action = await shell(log)
    await log.output(action, Stream.STDOUT, b"one\r\n")
    await log.record_place(action, Recorded.RESIZE, log.place(action), size=(5000, 0))
    await log.record_place(action, Recorded.RESIZE, log.place(action), size=(40, 10))
    await log.output(action, Stream.STDOUT, b"two\r\n")
    typed = await act(log, "ls", shell="ls -l", state=State.FAILED, status=2)
    await log.record_place(action, Recorded.COMMAND, log.place(action), command=typed)
    await log.output(action, Stream.STDOUT, b"three\r\n")
    await log.finish(action, Result(state=State.DONE, exit_status=0))
    reader = log.reading()
    found = Reel(reader, reader.show(action))
    assert found.player() is not None and found.ending == ""
    taken = played(found, 100)
    sizes = [each for each in taken if isinstance(each, Size)]
    assert sizes == [Size(90, 20), Size(1000, 1), Size(40, 10)]
    before = taken[: taken.index(Size(40, 10))]
    assert b"".join(each for each in before if isinstance(each, bytes)) == b"one\r\n"
    [step] = found.steps
    assert (step.line, step.how) == ("ls -l", "exit 2")
    found.rewind(0)
    first = b"".join(each for each in played(found, step.piece) if isinstance(each, bytes))
    assert first == b"one\r\ntwo\r\n"
    log.close()


async def test_a_leap_over_much_begins_at_a_line_and_ends_on_the_same_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reel, "LEAP", 4000)
    monkeypatch.setattr(reel, "ENOUGH", 2500)
    log = ActionLog.open(tmp_path / "actions.db")
    action = await shell(log)
    for number in range(40):
        typed = await act(log, "x", shell=f"line {number}")
        await log.output(action, Stream.STDOUT, b"$ line %d\r\n" % number)
        await log.record_place(action, Recorded.COMMAND, log.place(action), command=typed)
        await log.output(action, Stream.STDOUT, b"\x1b[3%dmprinted %d\x1b[0m\r\n" % (number % 8, number) * 8)
    await log.finish(action, Result(state=State.DONE, exit_status=0))
    reader = log.reading()
    found = Reel(reader, reader.show(action))
    player = found.player()
    assert player is not None
    stop = len(player.places) - 1
    whole, part = BitttyEmulator(Size(80, 24)), BitttyEmulator(Size(80, 24))
    monkeypatch.setattr(reel, "LEAP", 1 << 30)
    found.rewind(stop)
    everything = played(found, stop)
    monkeypatch.setattr(reel, "LEAP", 4000)
    found.rewind(0)
    assert found.leaps(stop)
    found.rewind(stop)
    end = played(found, stop)
    for emulator, taken in ((whole, everything), (part, end)):
        for each in taken:
            emulator.resize(each) if isinstance(each, Size) else emulator.feed(each)
    assert sum(len(each) for each in end if isinstance(each, bytes)) < 4000
    assert sum(len(each) for each in everything if isinstance(each, bytes)) > 6000
    assert text(part) == text(whole) and part.size == whole.size == Size(90, 20)
    log.close()


async def test_what_still_runs_and_what_is_damaged_play_as_far_as_they_go(tmp_path: Path) -> None:
    log = ActionLog.open(tmp_path / "actions.db")
    action = await shell(log)
    await log.output(action, Stream.STDOUT, b"so far\r\n" * 100)
    reader = log.reading()
    while not list(reader.output(action)):
        await asyncio.sleep(0.05)
    assert Reel(reader, reader.show(action)).ending.startswith("it still runs")
    await log.output(action, Stream.STDOUT, bytes(range(256)) * 4096)
    await log.finish(action, Result(state=State.DONE, exit_status=0))

    def damage(db: Database) -> None:
        for (name,) in db.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            db.execute(f"drop trigger {name}")
        db.execute("update output set data = x'00' where seq = (select max(seq) from output)")

    await log._writer.run(damage)
    found = Reel(reader, reader.show(action))
    player = found.player()
    assert player is not None and "can't be read" in found.ending
    assert b"so far" in b"".join(each for each in played(found, 10_000) if isinstance(each, bytes))
    log.close()


@pytest.mark.parametrize(
    ("text", "place"),
    [("90", 90), ("1:30", 90), ("0:01:30.5", 90.5), ("+5", 15), ("-5s", 5), ("00:01:00Z", 60)],
)
def test_a_time_is_read(text: str, place: float) -> None:
    player = Player([0, 200 * S])
    player.seek(10)
    assert jump(text, player) == place
    assert jump("1970-01-01T00:01:40Z", player) == 100


@given(st.text(max_size=20))
def test_any_text_is_a_place_or_an_error_with_a_remedy(text: str) -> None:
    player = Player([0, 5 * S, 4 * S, 9 * S], idle_limit=2)
    try:
        assert isinstance(jump(text, player), float)
    except UsageError as error:
        assert error.remedy


@given(st.binary(max_size=400), st.integers(2, 30), st.integers(1, 8))
def test_a_painted_screen_is_what_the_emulator_shows_and_no_more(
    data: bytes, columns: int, rows: int
) -> None:
    seen = BitttyEmulator(Size(20, 6))
    seen.feed(data)
    real = BitttyEmulator(Size(columns, rows + 1))
    said = Painter(Size(columns, rows)).paint(seen)
    assert b"\x1b]" not in said and b"\x07" not in said
    real.feed(said)
    assert real.replies() == b""
    top = max(0, min(6 - rows, seen.cursor.row - rows + 1))
    for y in range(min(rows, 6)):
        shown, wanted = real.row(y).text, seen.row(top + y).text
        if wanted.isascii():
            assert shown.rstrip() == wanted[:columns].rstrip()
