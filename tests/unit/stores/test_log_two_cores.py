"""Logs read and searched on two cores: the same as on one, whatever the other process is given, and when it dies."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.signals import SECOND
from cockpit.stores.logs.criteria import Criteria
from cockpit.stores.logs.files import ahead, search, sharing
from cockpit.stores.logs.files.ahead import Ahead, reads_ahead
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.opened import OpenedLog
from cockpit.stores.logs.files.pieces import PIECE, Backwards, Piece
from cockpit.stores.logs.files.scanner import Scanner
from cockpit.stores.logs.files.search import Search
from cockpit.stores.logs.files.searching import matching_of, query_of
from cockpit.stores.logs.files.sharing import shared
from cockpit.stores.logs.files.store import FileStore
from cockpit.stores.logs.files.twin import Twin
from cockpit.stores.logs.files.view import FileView
from cockpit.stores.logs.files.wire import Found, framed, told_of
from cockpit.stores.logs.filter import parse_filter

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
BODIES = ["started", "more\n    at of it\n    at the rest", "x" * 90, "ERROR refused", "y" * 700, "é€"]


def text_of(lines: Sequence[tuple[int, int]], *, year: bool) -> bytes:
    """Write records, some of several lines, with rising times."""
    moment, parts = 0, []
    for step, body in lines:
        moment += step
        day, rest = divmod(moment, 86_400)
        stamp = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
        date = f"2024-03-{day % 28 + 1:02} " if year else f"Mar {day % 28 + 1:2} "
        name = " " if year else " host app[7]: "
        parts.append(f"{date}{stamp}{name}{BODIES[body]}\n")
    return "".join(parts).encode()


class Later(Twin):
    """Answers in this process, once it has been asked so many questions more or is waited for."""

    def __init__(self, answer: Callable[[bytes], bytes], *, after: int) -> None:
        self._answer, self._after = answer, after
        self._questions: deque[bytes] = deque()
        self.asked = 0

    @property
    def alive(self) -> bool:
        return True

    def ask(self, question: bytes) -> None:
        self._questions.append(question)

    def answers(self, *, wait: bool = False) -> Iterator[bytes]:
        while len(self._questions) > (0 if wait else self._after):
            wait = False
            yield self._answer(self._questions.popleft())

    def end(self) -> None:
        self._questions.clear()


def walked(path: Path, size: int, ahead_of: Callable[[Logs], Ahead | None]) -> list[Piece]:
    """Walk a log back; return its pieces in their order."""
    logs = Logs(budget=1 << 20)
    logs.add(OpenedLog(str(path)))
    log, reading = logs.opened[0], ahead_of(logs)
    take = None if reading is None else reading.take
    walk = Backwards(0, log, logs.formats[0], end=log.size, observed=log.modified, take=take)
    found = []
    while (piece := walk.step(size)) is not None:
        found.append(piece)
    if reading is not None:
        reading.end()
    logs.close()
    return found[::-1]


def records(pieces: Sequence[Piece]) -> list[tuple[int, int, int]]:
    """Return where each record begins, its time and level."""
    return [
        (piece.span.offset + int(start), int(at), int(level))
        for piece in pieces
        for start, at, level in zip(piece.starts, piece.times, piece.levels, strict=True)
    ]


@settings(max_examples=40, deadline=None)
@given(
    lines=st.lists(st.tuples(st.integers(0, 50), st.integers(0, len(BODIES) - 1)), min_size=3, max_size=80),
    size=st.sampled_from([64, 300, 2000]),
    after=st.integers(0, 3),
    reach=st.sampled_from([16, 400]),
    year=st.booleans(),
)
def test_what_is_read_before_its_turn_is_what_is_read_in_it(
    lines: list[tuple[int, int]],
    size: int,
    after: int,
    reach: int,
    year: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("logs") / "log"
    path.write_bytes(text_of(lines, year=year))

    def reading(logs: Logs) -> Ahead:
        return Ahead({0: (logs.opened[0], logs.formats[0])}, twin=partial(Later, after=after))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ahead, "REACH", reach)
        pieces = walked(path, size, reading)
    assert records(pieces) == records(walked(path, size, lambda _: None))
    ends = [piece.span.offset + piece.span.size for piece in pieces]
    assert [piece.span.offset for piece in pieces] == [0, *ends[:-1]] and ends[-1] == path.stat().st_size


def test_pieces_of_a_log_of_lines_are_read_before_their_turn(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(text_of([(1, 0)] * 4000, year=True))
    taken: list[bool] = []

    class Noting(Ahead):
        def take(self, log: int, place: tuple[int, int], size: int, observed: int) -> Piece | None:
            piece = super().take(log, place, size, observed)
            taken.append(piece is not None)
            return piece

    walked(path, 4096, lambda logs: Noting({0: (logs.opened[0], logs.formats[0])}))
    assert len(taken) > 20 and all(taken[4:])


def test_what_was_read_with_another_year_in_mind_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(text_of([(1, 0)] * 300, year=False))
    logs = Logs(budget=1 << 20)
    logs.add(OpenedLog(str(path)))
    lines = path.read_bytes()
    low = lines.index(b"\n", 3072) + 1

    def taken(observed: int) -> Piece | None:
        reading = Ahead({0: (logs.opened[0], logs.formats[0])})
        reading.take(0, (4096, 5000), 1024, 1_700_000_000 * SECOND)
        piece = reading.take(0, (3072, lines.index(b"\n", 4096) + 1), 1024, 1_700_000_000 * SECOND)
        assert piece is not None and piece.span.offset == low
        after = reading.take(0, (2048, low), 1024, observed)
        reading.end()
        return after

    assert taken(1_699_000_000 * SECOND) is not None
    assert taken(1_600_000_000 * SECOND) is None
    logs.close()


def test_a_twin_answers_in_order_and_more_than_a_pipe_holds() -> None:
    twin = Twin(lambda question: question * 300_000)
    for number in range(9):
        twin.ask(b"%d" % number)
    heard: list[bytes] = []
    while len(heard) < 9:
        heard += twin.answers(wait=True)
    assert [answer[:1] for answer in heard] == [b"%d" % number for number in range(9)]
    assert {len(answer) for answer in heard} == {300_000}
    twin.end()
    assert not twin.alive and list(twin.answers(wait=True)) == []


def test_a_twin_that_dies_is_told_and_is_no_zombie() -> None:
    def answer(question: bytes) -> bytes:
        if not question:
            os.kill(os.getpid(), signal.SIGKILL)
        return question

    twin = Twin(answer)
    twin.ask(b"a")
    twin.ask(b"")
    heard: list[bytes] = []
    while twin.alive:
        heard += twin.answers(wait=True)
    assert heard == [b"a"]
    twin.ask(b"b")
    assert list(twin.answers(wait=True)) == []
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small logs be read and searched on two cores."""
    monkeypatch.setattr(ahead, "LEAST", PIECE)
    monkeypatch.setattr(search, "SOON", 0.0)
    monkeypatch.setattr(search, "MANY", 2)


class Screen:
    """A store and a view of it, told what two cores find."""

    def __init__(self, path: Path) -> None:
        self.store = FileStore([str(path)])
        self.view = self.store.view()
        assert isinstance(self.view, FileView)
        logs = Logs(budget=1 << 20)
        logs.add(OpenedLog(str(path)))
        self.scanner = Scanner(logs, self.store.opened, reads_ahead=reads_ahead, share=shared)
        self.found: list[Found] = []

    def run(self) -> None:
        while not self.scanner.idle:
            told = told_of(framed(self.scanner.step())[4:])
            self.found += [each for each in told if isinstance(each, Found)]
            self.store.told(told)

    def look(self, text: str) -> int:
        """Search; return how many are found."""
        criteria = Criteria(filter=parse_filter(text))
        self.view.look(criteria)
        self.scanner.search.look(self.view.serial, matching_of(query_of(criteria)))
        self.run()
        assert self.view.complete
        return len(self.view)

    def bodies(self) -> list[str]:
        return [self.store[self.view.number(rank)].body for rank in range(len(self.view))]


@pytest.mark.usefixtures("eager")
def test_two_cores_find_what_one_finds_and_say_where_few_rows_lie(tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines = [f"2024-03-01 00:{n // 60 % 60:02}:{n % 60:02} {'ERROR needle ' if n % 9000 == 5 else ''}straw {n}\n"
             for n in range(220_000)]  # fmt: skip
    path.write_text("".join(lines))
    screen = Screen(path)
    screen.run()
    assert len(screen.store) == len(lines)
    assert screen.look("needle") == 25
    assert [body.split()[-1] for body in screen.bodies()] == [str(n) for n in range(5, 220_000, 9000)]
    assert len({found.number for found in screen.found}) == len(screen.found) > 5
    assert {*screen.store._cache._loaded} <= {0}, "a chunk was read to draw a few of its rows"
    assert screen.look('"straw 1"') == sum("straw 1" in line for line in lines)
    screen.store.close()


@pytest.mark.usefixtures("eager")
def test_a_search_whose_other_process_dies_is_searched_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    path.write_text("".join(f"2024-03-01 00:00:00 straw {n}\n" for n in range(300_000)))
    screen = Screen(path)
    screen.run()
    here = os.getpid()
    searched = Search.searched

    def dying(self: Search, number: int) -> list[object]:
        if os.getpid() != here and number % 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return list(searched(self, number))

    monkeypatch.setattr(Search, "searched", dying)
    monkeypatch.setattr(sharing, "BATCH", 1)
    assert screen.look('"straw 77"') == sum("straw 77" in f"straw {n}" for n in range(300_000))
    screen.store.close()
