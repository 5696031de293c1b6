"""The screen's way out: one action log, however many ask for it at once."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cockpit.actionlog.log import FILE
from cockpit.actions.transport import Stream
from cockpit.errors import CommandError, Refused
from cockpit.operations import Operations
from cockpit.targets import Targets
from cockpit.term.size import Size
from tests.helpers.screen import HERE, QUIET


async def test_two_that_come_before_the_log_is_open_get_the_same_one(tmp_path: Path) -> None:
    operations = Operations(tmp_path, lambda *_: None, QUIET)
    command = operations.typed("true", Targets(HERE).resolve("local"))
    await asyncio.gather(operations.open(), operations.assess(command), operations.note("first"))
    operations.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("SELECT count(*) FROM sessions").fetchone() == (1,)


async def test_a_shell_in_production_opens_only_once_confirmed(tmp_path: Path) -> None:
    operations = Operations(tmp_path, lambda *_: None, QUIET)
    production = Targets(()).resolve("local")
    with pytest.raises(Refused, match="--confirm local"):
        await operations.shell(production, Size(80, 24))
    session = await operations.shell(production, Size(80, 24), confirmed=True)
    assert session.guarded
    session.close()
    await session.wait()
    operations.close()


async def test_nothing_but_a_shell_has_a_terminal(tmp_path: Path) -> None:
    operations = Operations(tmp_path, lambda *_: None, QUIET)
    here = Targets(HERE).resolve("local")
    with pytest.raises(CommandError, match="a shell needs a terminal"):
        await operations.shell(here, Size(80, 24), asked=operations.typed("true", here))
    with pytest.raises(CommandError, match="a shell needs a terminal"):
        await operations.run(operations.shell_on(here), on_output=_nothing, on_begin=print, on_end=print)
    operations.close()


async def _nothing(stream: Stream, data: bytes) -> None:
    raise AssertionError(f"nothing runs, and yet {stream} says {data!r}")
