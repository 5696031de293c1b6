"""Log files on a disk that hangs: told with the file's name, while keys are answered and other files are read."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from cockpit.errors import CockpitError
from cockpit.stores.logs.files import loader, reading, records
from cockpit.stores.logs.files.reading import LogFiles
from tests.helpers.hung_disk import hung_disk
from tests.helpers.log_screen import line, log_screen, until
from tests.helpers.pane_host import shown

COUNT = 20_000


def log_of(start: int, count: int = COUNT) -> bytes:
    return b"".join(line(number) for number in range(start, start + count))


class Watched:
    """Measures for how long the loop was away.

    Attributes:
        longest: Seconds, at most.
    """

    longest = 0.0

    async def __aenter__(self) -> Watched:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _watch(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            self.longest = max(self.longest, time.monotonic() - began)


async def test_rows_on_a_disk_that_hangs_are_told_and_come_once_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "PATIENCE", 0.5)
    monkeypatch.setattr(records, "PATIENCE", 0.5)
    local = tmp_path / "local.log"
    local.write_bytes(log_of(0))
    with hung_disk(tmp_path, log_of(COUNT)) as disk:
        async with log_screen([disk.log, local]) as (pilot, host, pane):
            disk.hang()
            async with Watched() as watched:
                pane.lines.go(COUNT + 100)
                await until(pilot, host, lambda: "disk does not answer" in shown(host.lines()))
                assert f"{disk.log}: the disk does not answer" in " ".join(pane.stores.logs.notes)
                assert host.lines(pane.lines)[0].strip() == "…"
                place = pane.lines.number
                await pilot.press("down")
                assert pane.lines.number == (place or 0) + 1
                await pilot.press("enter")
                assert pane.detail is None
                if pane._seeking:  # else it has been told already that the disk does not answer
                    assert pane.step_back()
                pane.lines.go(100)  # the other file can still be read
                await until(pilot, host, lambda: "request 100 served" in shown(host.lines()))
            assert watched.longest < 2.0
            disk.answer()
            pane.lines.go(COUNT + 100)
            await until(pilot, host, lambda: f"request {COUNT + 100} served" in shown(host.lines()))
            await until(pilot, host, lambda: not pane.stores.logs.notes)


async def test_a_cockpit_leaves_though_a_disk_hangs(tmp_path: Path) -> None:
    with hung_disk(tmp_path, log_of(0)) as disk:
        logs = LogFiles([str(disk.log)])
        logs.start()
        async with asyncio.timeout(20):
            while logs.left:
                await asyncio.sleep(0.05)
        disk.hang()
        assert not logs.loaded(logs.first)
        await asyncio.sleep(0.5)
        async with asyncio.timeout(5):
            await logs.stop()


def test_a_file_on_a_disk_that_hangs_is_told_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PATIENCE", 0.5)
    (tmp_path / "here.log").write_bytes(log_of(0, 10))
    with hung_disk(tmp_path, log_of(0, 10)) as disk:
        disk.hang()
        with pytest.raises(CockpitError, match="the disk does not answer") as told:
            LogFiles([str(tmp_path / "here.log"), str(disk.log)])
        assert told.value.where == str(disk.log)
        disk.answer()
