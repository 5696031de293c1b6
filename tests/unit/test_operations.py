"""The screen's way out: one action log, however many ask for it at once."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from cockpit.actionlog.log import FILE
from cockpit.operations import Operations
from cockpit.targets import Targets
from tests.helpers.screen import HERE, QUIET


async def test_two_that_come_before_the_log_is_open_get_the_same_one(tmp_path: Path) -> None:
    operations = Operations(tmp_path, lambda *_: None, QUIET)
    command = operations.typed("true", Targets(HERE).resolve("local"))
    await asyncio.gather(operations.open(), operations.assess(command), operations.note("first"))
    operations.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("SELECT count(*) FROM sessions").fetchone() == (1,)
