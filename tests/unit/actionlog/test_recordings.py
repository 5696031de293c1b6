"""Places in a shell's recording: where they are, that they are part of the chain, and what is found of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cockpit.actionlog import search
from cockpit.actionlog.database import connect, immediate
from cockpit.actionlog.filters import Filter
from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import Recorded as What
from cockpit.actionlog.records import Result, State
from cockpit.actionlog.verify import verify
from cockpit.actions.command import Command, Kind, Risk
from cockpit.actions.transport import Stream
from cockpit.errors import ActionLogError
from cockpit.guard.judge import Decision
from cockpit.targets import Target
from tests.helpers.cockpit_cli import cockpit
from tests.helpers.log_filling import act

DONE = Result(state=State.DONE, exit_status=0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "actions.db"


async def shell(log: ActionLog) -> str:
    command = Command(argv=("login-shell",), target=Target(name="db-1"), actor="me", kind=Kind.SHELL)
    return await log.begin(command, Risk.UNKNOWN, Decision.RUN)


async def test_a_place_is_where_it_is_in_what_is_kept(path: Path) -> None:
    log = ActionLog.open(path)
    action = await shell(log)
    await log.record_place(action, What.TERMINAL, log.place(action), term="xterm", size=(80, 24))
    await log.output(action, Stream.STDOUT, b"$ mysql -pS3cretW0rd\r\n")
    place = log.place(action)
    await log.output(action, Stream.STDOUT, b"Welcome\r\n")
    typed = await act(log, "mysql", shell="mysql -pS3cretW0rd")
    await log.record_place(action, What.COMMAND, place, command=typed)
    await log.finish(action, DONE)
    reader = log.reading()
    kept = b"".join(chunk.data for chunk in reader.output(action))
    terminal, command = reader.recording(action)
    assert (terminal.what, terminal.at_byte, terminal.columns, terminal.rows) == ("terminal", 0, 80, 24)
    assert kept[: command.at_byte] == b"$ mysql -p[redacted:flag]\r\n"
    assert reader.recorded_in(typed) == command and reader.recorded_in(action) is None
    with pytest.raises(ActionLogError, match="over"):
        log.place(action)
    log.close()
    assert (await verify(path)).sound
    shown = await asyncio.to_thread(cockpit, path.parent, "log", "show", typed)
    assert f"typed in   {action} at byte {command.at_byte}" in shown.stdout.decode()
    shown = await asyncio.to_thread(cockpit, path.parent, "log", "show", action)
    assert "lines      1 typed" in shown.stdout.decode()


async def test_words_late_in_a_long_recording_are_found_also_after_the_index_was_made_anew(
    path: Path,
) -> None:
    log = ActionLog.open(path)
    action = await shell(log)
    for _ in range(4):
        await log.output(action, Stream.STDOUT, b"nothing of note\r\n" * 2000)
    await log.output(action, Stream.STDOUT, b"a \x1b[31mneedle\x1b[0m at last\r\n")
    await log.finish(action, DONE)
    log.close()
    for anew in (False, True):
        if anew:
            db = connect(path)
            with immediate(db):
                search.rebuild(db)
            db.close()
        reader = ActionReader(path)
        assert [each.id for each in reader.search(Filter(text="needle"))] == [action]
        reader.close()
