"""The views that `sqlite3` and datasette show, read by the real `sqlite3` where it is installed."""

from __future__ import annotations

import shlex
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import State
from tests.helpers.log_filling import act

ARGV = ("echo", "it's", "", "a b", "é\n", "plain-1.0_x", "$HOME", "*")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "actions.db"


async def filled(path: Path) -> str:
    log = ActionLog.open(path)
    action = await act(log, *ARGV, state=State.FAILED, status=3, reason="why", incident="INC-1")
    await log.note("a note", action=action, incident="INC-1")
    await log.evidence("logs", "a title", b"x", query="q")
    request = await log.request_approval({"a": 1}, expires_ns=1, incident="INC-1")
    await log.answer_approval(request, granted=True, approver="bob", signature="s", fingerprint="f")
    log.close()
    return action


async def test_the_time_line_holds_all_that_happened_in_order(path: Path) -> None:
    action = await filled(path)
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("select what, at, text, id, incident from v_timeline").fetchall()
        plan = [row[3] for row in db.execute("explain query plan select * from v_timeline")]
    assert [row[0] for row in rows] == [
        "session began",
        "command",
        "ended",
        "note",
        "evidence",
        "approval request",
        "approval grant",
        "session ended",
    ]
    assert rows[1][3:] == (action, "INC-1")
    assert rows[2][2] == "failed, exit 3"
    reader = ActionReader(path)
    assert rows[1][1] == reader.show(action).started_at[:23] + "Z"
    assert not [line for line in plan if "TEMP B-TREE" in line], plan


async def test_a_command_is_written_as_a_shell_would_take_it(path: Path) -> None:
    await filled(path)
    with closing(sqlite3.connect(path)) as db:
        [(command, state, seconds)] = db.execute("select command, state, seconds from v_commands").fetchall()
    assert (command, state) == (shlex.join(ARGV), "failed")
    assert 0 <= seconds < 60


@pytest.mark.skipif(not shutil.which("sqlite3"), reason="sqlite3 is not installed")
async def test_plain_sqlite3_opens_the_file(path: Path) -> None:
    await filled(path)
    words = ["sqlite3", "-readonly", "-csv", str(path)]
    said = subprocess.run(
        [*words, "select what, text from v_timeline where what = 'note'"], capture_output=True, text=True
    )
    assert (said.stdout.strip(), said.stderr) == ('note,"a note"', "")
    said = subprocess.run([*words, "select count(*) from v_commands"], capture_output=True, text=True)
    assert said.stdout.strip() == "1"
