"""Rotated logs are let go of: closed and opened again by whatever name they have, few held that have none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.stores.logs import Criteria, parse_filter
from cockpit.stores.logs.files import rotated, scanner
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.opened import Change, OpenedLog
from cockpit.stores.logs.files.rotated import LogGone, RotatedLog
from cockpit.stores.logs.files.scanner import Scanner
from cockpit.stores.logs.files.searching import matching_of, query_of
from cockpit.stores.logs.files.store import FileStore
from cockpit.stores.logs.files.wire import framed, told_of


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let rotated files settle at once."""
    monkeypatch.setattr(rotated, "QUIET", 0.0)
    monkeypatch.setattr(scanner, "BEAT", 0.0)


def line(number: int) -> str:
    return f"2026-11-26T03:{number // 60:02}:{number % 60:02}Z INFO line {number}\n"


class Reading:
    """A store, and a scanner that tells it as the process apart does."""

    def __init__(self, path: Path) -> None:
        self.store = FileStore([str(path)])
        self.logs = Logs(budget=1 << 20)
        self.logs.add(OpenedLog(str(path)))
        self.scanner = Scanner(self.logs, self.store.opened)

    def run(self) -> None:
        idle = 0
        while idle < 3:
            told = self.scanner.step()
            self.store.told(told_of(framed(told)[4:]))
            idle = idle + 1 if not told and self.scanner.idle else 0

    def rotate(self, path: Path, name: str, number: int) -> None:
        path.rename(path.with_name(name))
        path.write_text(line(number))
        self.run()

    def bodies(self) -> list[str]:
        self.store._cache.clear()
        self.store._records.clear()
        return [
            record.body.removeprefix("INFO ")
            for record in self.store.records(self.store.first, self.store.end)
        ]

    def close(self) -> None:
        self.store.close()
        self.logs.close()


def held(folder: Path) -> list[str]:
    """Return what this process has open in a folder."""
    names = []
    for fd in Path("/proc/self/fd").iterdir():
        try:
            name = os.readlink(fd)
        except FileNotFoundError:
            continue
        if name.startswith(f"{folder}/"):
            names.append(Path(name).name)
    return sorted(names)


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Reading]:
    (tmp_path / "log").write_text(line(0))
    made = Reading(tmp_path / "log")
    made.run()
    yield made
    made.close()


def test_however_often_a_log_is_rotated_only_the_newest_is_open_and_all_can_be_read(
    tmp_path: Path, reading: Reading
) -> None:
    for number in range(1, 40):
        reading.rotate(tmp_path / "log", f"log.{number}", number)
    assert held(tmp_path) == ["log", "log"]
    assert reading.bodies() == [f"line {number}" for number in range(40)]
    for number in range(1, 40):
        (tmp_path / f"log.{number}").rename(tmp_path / f"old-{number}")
    assert reading.bodies() == [f"line {number}" for number in range(40)]
    criteria = Criteria(filter=parse_filter('"line 3"'))
    view = reading.store.view()
    view.look(criteria)
    reading.scanner.search.look(1, matching_of(query_of(criteria)))
    reading.run()
    assert len(view) == 11
    assert held(tmp_path) == ["log", "log"]
    assert "gone" not in " ".join(reading.store.about)


def test_few_are_held_that_have_no_name_and_the_title_tells_when_records_go(
    tmp_path: Path, reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotated, "HELD", 3)
    monkeypatch.setattr(rotated, "QUIET", 3600.0)
    for number in range(1, 11):
        reading.rotate(tmp_path / "log", "log.1", number)
        (tmp_path / "log.1").unlink()
        for log in (*reading.logs.opened, *reading.store.logs.opened):
            if isinstance(log, RotatedLog):
                log._due = 0.0
        reading.run()
    names = held(tmp_path)
    assert names.count("log") == 2
    assert len(names) <= 2 + 2 * 4
    assert "6 rotated files gone" in reading.store.about
    bodies = reading.bodies()
    assert bodies[-5:] == [f"line {number}" for number in range(6, 11)]
    assert all("removed or packed" in body for body in bodies[:6])
    criteria = Criteria(filter=parse_filter("line"))
    view = reading.store.view()
    view.look(criteria)
    reading.scanner.search.look(1, matching_of(query_of(criteria)))
    reading.run()
    assert [reading.store[view.number(rank)].body for rank in range(len(view))] == [
        f"INFO line {number}" for number in range(6, 11)
    ]
    assert not reading.store.troubles


def test_a_writer_that_goes_on_with_the_old_file_is_followed(
    tmp_path: Path, reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotated, "QUIET", 3600.0)
    reading.rotate(tmp_path / "log", "log.1", 2)
    with (tmp_path / "log.1").open("a") as old:
        old.write(line(1))
    reading.run()
    assert reading.bodies() == ["line 0", "line 1", "line 2"]
    assert held(tmp_path) == ["log", "log", "log.1", "log.1"]


def test_a_file_that_was_cut_after_it_was_let_go_of_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(line(0) + line(1))
    log = RotatedLog(OpenedLog(str(path)))
    path.rename(tmp_path / "log.1")
    log.settle()
    assert not held(tmp_path)
    assert log.read(0, 10) == line(0).encode()[:10]
    assert log.look() is Change.NONE
    os.truncate(tmp_path / "log.1", 5)
    with pytest.raises(LogGone, match="removed or packed"):
        log.read(0, 10)
    assert log.gone
    assert log.size == 0
    log.close()
