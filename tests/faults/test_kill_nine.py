"""`kill -9` at 200 random moments of `cockpit run` loses no intent and corrupts nothing."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from cockpit.actionlog.verify import verify
from tests.helpers.cockpit_cli import actions, cockpit, environment

KILLS = 200
MURDERER = """
import os, random, signal, sys, time
from pathlib import Path
import sqlite_utils, zstandard
from cockpit.cli import main
import cockpit.actionlog.opening, cockpit.actions.local, cockpit.guard.setup, cockpit.verbs.asking

kills, marks = int(sys.argv[1]), sys.argv[2]
chance = random.Random(20)
main(["run", "--", "true"])
longest = 0.0  # twice what a run takes here and now: the moments are anywhere in one
for _ in range(3):
    began = time.monotonic()
    main(["run", "--", "sh", "-c", "true"])
    longest = min(0.4, max(longest, 2 * (time.monotonic() - began)))
for child in range(kills):
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        for turn in range(1000):
            mark = f"{child}-{turn}"
            main(["run", "--", "sh", "-c", f"echo x > {marks}/{mark}; echo said {mark}"])
        os._exit(1)
    time.sleep(chance.uniform(0, longest))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
"""


@pytest.mark.timeout(240)
def test_200_murders_lose_no_intent_and_corrupt_nothing(tmp_path: Path) -> None:
    data_dir, marks = tmp_path / "data", tmp_path / "marks"
    marks.mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", MURDERER, str(KILLS), str(marks)],
        env=environment(data_dir),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=220,
    )
    assert ended.returncode == 0, ended.stderr.decode()[-2000:]
    assert cockpit(data_dir, "run", "--", "true").returncode == 0
    recorded = {action["argv"][-1].split()[-1]: action for action in actions(data_dir, "--limit", "100000")}
    ran = {mark.name for mark in marks.iterdir()}
    assert len(ran) > KILLS // 4, "too few commands started for this to prove anything"
    assert ran <= recorded.keys(), "a command ran that has no intent"
    states = {action["state"] for action in recorded.values()}
    assert states == {"done", "interrupted"}, "the moments were not of every kind"
    path = data_dir / "actions.db"
    report = asyncio.run(verify(path))
    assert report.sound, report.bad
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert db.execute("select count(*) from running_sessions").fetchone() == (0,)
        open_ones = "select count(*) from actions where id not in (select action from results)"
        assert db.execute(open_ones).fetchone() == (0,)
    assert not list((data_dir / "sessions").iterdir())
    shown = cockpit(data_dir, "log", "verify", "--json")
    assert json.loads(shown.stdout)["sound"] is True
