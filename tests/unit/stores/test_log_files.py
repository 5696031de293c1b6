"""Log files as a store: nothing lost and all in order, whatever happens to them; read as the process apart does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.errors import CockpitError, UsageError
from cockpit.formats.columns import UNDATED, Columns
from cockpit.formats.format import LogFormat, line_starts
from cockpit.signals import LogRecord
from cockpit.stores.logs.files import merging, newest, pieces
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.opened import OpenedLog
from cockpit.stores.logs.files.scanner import Scanner
from cockpit.stores.logs.files.store import FileStore
from cockpit.stores.logs.files.wire import framed, told_of


class Counted(LogFormat):
    """A number in front is the record's time; a line without one belongs to the record before."""

    name = "counted"

    def columns(self, data: memoryview, *, observed: int) -> Columns:
        lines = line_starts(data)
        raw = bytes(data)
        starts, times = [], []
        for start, end in zip(lines.tolist(), [*lines[1:].tolist(), len(raw)], strict=True):
            word = raw[start:end].split(b" ")[0].strip()
            if word.isdigit() or word == b"?":
                starts.append(start)
                times.append(int(word) if word.isdigit() else UNDATED)
        count = len(starts)
        return Columns(
            np.array(starts, np.uint32), np.array(times, np.int64), np.zeros(count, np.uint8), len(lines)
        )

    def record(self, text: str, *, observed: int) -> LogRecord:
        return LogRecord(at=observed, body=text)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pieces be small, and every log be of numbers."""
    monkeypatch.setattr(pieces, "PIECE", 64)
    monkeypatch.setattr(merging, "PIECE", 64)
    monkeypatch.setattr(merging, "LEAST", 24)
    monkeypatch.setattr(newest, "PIECE", 64)
    monkeypatch.setattr(newest, "FULL", 256)
    monkeypatch.setattr("cockpit.stores.logs.files.first.FIRST", 40)
    monkeypatch.setattr("cockpit.stores.logs.files.first.LEAST", 16)
    monkeypatch.setattr("cockpit.stores.logs.files.logs.detect", lambda sample, **_: Counted())
    monkeypatch.setattr("cockpit.stores.logs.files.scanner.BEAT", 0.0)


class Reading:
    """A store, and a scanner that tells it as the process apart does."""

    def __init__(self, paths: Sequence[Path]) -> None:
        names = [str(path) for path in paths]
        self.store = FileStore(names)
        logs = Logs(budget=1 << 20)
        for name in names:
            logs.add(OpenedLog(name))
        self.scanner = Scanner(logs, self.store.opened)

    def run(self) -> None:
        idle = 0
        while idle < 3:
            told = self.scanner.step()
            self.store.told(told_of(framed(told)[4:]))
            idle = idle + 1 if not told and self.scanner.idle else 0

    def bodies(self) -> list[str]:
        return [record.body for record in self.store.records(self.store.first, self.store.end)]


def records_of(text: str) -> list[str]:
    """Return what a log holds, read in the plainest way."""
    records: list[str] = []
    for line in text.splitlines():
        if not records or line.split(" ")[0].isdigit() or line.split(" ")[0] == "?":
            records.append(line)
        else:
            records[-1] += "\n" + line
    return records


LINES = st.lists(
    st.tuples(st.integers(0, 99), st.sampled_from(["a", "bb bb", "x" * 40, "more\n  of it\n\n", "y" * 300])),
    max_size=30,
)


def written(lines: Sequence[tuple[int, str]], *, rising: bool) -> str:
    at, text = 1000, ""
    for step, body in lines:
        at = at + step if rising else 1000 + step
        text += f"{at} {body}".rstrip("\n") + "\n"
    return text


@settings(max_examples=60, deadline=None)
@given(lines=LINES, rising=st.booleans())
def test_one_log_is_read_whole_and_in_its_order(
    lines: list[tuple[int, str]], rising: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("logs") / "log"
    path.write_text(written(lines, rising=rising))
    reading = Reading([path])
    reading.run()
    assert reading.bodies() == records_of(path.read_text())
    assert not reading.store.left
    reading.store.close()


@settings(max_examples=60, deadline=None)
@given(logs=st.lists(LINES, min_size=2, max_size=4))
def test_logs_are_merged_by_time(
    logs: list[list[tuple[int, str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    paths = []
    for number, lines in enumerate(logs):
        paths.append(folder / f"log{number}")
        paths[-1].write_text(written(lines, rising=True))
    reading = Reading(paths)
    reading.run()
    expected = sorted(
        (
            (int(body.split()[0]), number, place, body)
            for number, path in enumerate(paths)
            for place, body in enumerate(records_of(path.read_text()))
        )
    )
    found = reading.bodies()
    assert sorted(found) == sorted(body for *_, body in expected)
    times = [int(body.split()[0]) for body in found]
    assert times == sorted(times)
    for path in paths:
        own = records_of(path.read_text())
        if len({*own}) == len(own) and not any(
            set(own) & set(records_of(other.read_text())) for other in paths if other != path
        ):
            assert [body for body in found if body in own] == own
    reading.store.close()


@settings(max_examples=60, deadline=None)
@given(before=LINES, after=LINES, cuts=st.lists(st.integers(1, 60), max_size=20))
def test_what_is_written_later_in_any_pieces_is_there(
    before: list[tuple[int, str]],
    after: list[tuple[int, str]],
    cuts: list[int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("logs") / "log"
    path.write_text(written(before, rising=True))
    reading = Reading([path])
    rest = written([(9, "first of the later"), *after], rising=True)
    for size in [*cuts, len(rest)]:
        with path.open("a") as log:
            log.write(rest[:size])
        rest = rest[size:]
        reading.run()
    assert reading.bodies() == records_of(path.read_text())
    reading.store.close()


def test_rotation_goes_on_with_the_new_file_and_keeps_the_old(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("1 a\n2 b\n")
    reading = Reading([path])
    reading.run()
    path.rename(tmp_path / "log.1")
    path.write_text("4 d\n")
    with (tmp_path / "log.1").open("a") as old:
        old.write("3 c\n")
    reading.run()
    assert reading.bodies() == ["1 a", "2 b", "3 c", "4 d"]
    assert not reading.store.troubles


@pytest.mark.parametrize("longer", [False, True])
def test_truncation_begins_anew(tmp_path: Path, longer: bool) -> None:
    path = tmp_path / "log"
    path.write_text("1 a\n2 b\n3 c\n")
    reading = Reading([path])
    reading.run()
    path.write_text("7 after\n" * (9 if longer else 1))
    reading.run()
    assert reading.bodies() == ["7 after"] * (9 if longer else 1)


def test_a_pipe_in_its_place_is_told_and_what_was_read_stays(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("1 a\n")
    reading = Reading([path])
    reading.run()
    path.unlink()
    reading.run()
    assert "its name is gone" in reading.store.troubles[0]
    os.mkfifo(path)
    reading.run()
    assert "a pipe" in reading.store.troubles[0]
    assert reading.bodies() == ["1 a"]


def test_what_is_no_file_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a directory"):
        FileStore([str(tmp_path)])
    with pytest.raises(CockpitError, match="no such file"):
        FileStore([str(tmp_path / "none")])


def test_an_empty_log_is_empty_and_fills(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("")
    reading = Reading([path])
    reading.run()
    assert reading.bodies() == []
    path.write_text("1 a\n")
    reading.run()
    assert reading.bodies() == ["1 a"]
