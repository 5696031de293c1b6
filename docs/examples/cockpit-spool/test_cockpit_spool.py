"""The spool source keeps the contract, and tells a late spool from a good one."""

from __future__ import annotations

import os
from pathlib import Path

from cockpit_spool import SpoolOptions, SpoolSource

from cockpit.testing import check_source


def spool(folder: Path) -> SpoolSource:
    return SpoolSource("mail", SpoolOptions(folder=str(folder), interval=0.1))


async def test_it_keeps_the_contract(tmp_path: Path) -> None:
    (tmp_path / "letter").touch()
    report = await check_source(lambda: spool(tmp_path), seconds=0.3)
    assert report.answer.startswith("1.0 files wait")


async def test_it_fails_helpfully_without_its_folder(tmp_path: Path) -> None:
    await check_source(lambda: spool(tmp_path / "missing"), reachable=False, seconds=0.3)


async def test_a_file_that_waits_too_long_is_told(tmp_path: Path) -> None:
    (tmp_path / "letter").touch()
    os.utime(tmp_path / "letter", (0, 0))
    heard = []

    async def emit(batch: list[object]) -> None:
        heard.extend(batch)

    await spool(tmp_path).poll(emit)
    assert "the oldest of 1 files waits since" in heard[0].reason
