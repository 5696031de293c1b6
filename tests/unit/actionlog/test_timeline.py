"""The log a page at a time, the words that filter it, long output by pages, and recordings as they are played."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cockpit.actionlog.filters import Filter
from cockpit.actionlog.log import FILE, ActionLog
from cockpit.actionlog.pages import PAGE_CHARACTERS, PAGE_LINES, Pages
from cockpit.actionlog.records import Action, Approval, Result, State
from cockpit.actionlog.tape import Tape
from cockpit.actionlog.timeline import Entry, Place, Timeline
from cockpit.actionlog.words import read
from cockpit.actions.command import Command, Risk
from cockpit.actions.transport import Stream
from cockpit.errors import UsageError
from cockpit.guard.judge import Decision
from cockpit.signals import SECOND
from cockpit.targets import Environment, Target
from tests.helpers.log_filling import act
from tests.helpers.log_story import INCIDENT, Moments, standing, story

START = 1_770_000_000 * SECOND
EVERYTHING = Filter()


def walked(reader: Timeline, wanted: Filter, *, limit: int, back: bool = True) -> list[Entry]:
    """Return all entries, page by page from one end, newest first."""
    found: list[Entry] = []
    than: Place | None = None
    while page := (reader.older if back else reader.newer)(wanted, than, limit=limit):
        assert len(page) <= limit
        found = [*found, *page] if back else [*page, *found]
        than = page[-1 if back else 0].place
    return found


def kinds(entries: Sequence[Entry]) -> list[str]:
    return [type(entry.record).__name__ for entry in entries]


@pytest.fixture
async def told(tmp_path: Path) -> Timeline:
    await story(tmp_path, START)
    return Timeline(tmp_path / FILE)


def test_a_log_that_nobody_wrote_is_empty(tmp_path: Path) -> None:
    reader = Timeline(tmp_path / FILE)
    assert (reader.head(), reader.older(EVERYTHING), reader.newer(EVERYTHING)) == (0, (), ())
    assert reader.holding(Filter(text="anything")) == ()


def test_everything_is_there_newest_first(told: Timeline) -> None:
    entries = told.older(EVERYTHING)
    assert kinds(entries) == [
        "SessionEnd", "Action", "Action", "Approval", "Evidence", "Note", *["Action"] * 5, "Session",
    ]  # fmt: skip
    assert [entry.position for entry in entries] == sorted((e.position for e in entries), reverse=True)
    approval = entries[3].record
    assert isinstance(approval, Approval) and approval.answers[0].granted and not entries[3].is_open


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
@pytest.mark.parametrize("words", ["", f"incident:{INCIDENT}", "target:db-1", "risk:read", "since:400w"])
def test_pages_from_either_end_are_the_whole_without_a_gap(told: Timeline, limit: int, words: str) -> None:
    wanted = read(words, START + SECOND)
    whole = told.older(wanted, limit=1000)
    assert len(whole) >= 3
    assert walked(told, wanted, limit=limit) == walked(told, wanted, limit=limit, back=False) == list(whole)


async def test_entries_of_one_nanosecond_are_all_told(tmp_path: Path) -> None:
    with standing(lambda: START):  # type: ignore[arg-type]
        log = ActionLog.open(tmp_path / FILE)
        for number in range(9):
            await act(log, "true", str(number), incident="INC-1")
            await log.note(f"note {number}", incident="INC-1")
        log.close()
    wanted, reader = Filter(incident="INC-1"), Timeline(tmp_path / FILE)
    for back in (True, False):
        assert len({entry.key for entry in walked(reader, wanted, limit=4, back=back)}) == 18


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("target:db-1", ["Action", "Approval", "Action", "Action", "Action", "Action"]),
        ("state:denied", ["Action"]),
        ("state:done risk:destructive", ["Action"]),
        ("state:running", []),
        ("incident:INC-nobody", []),
        ("kind:command target:web-2", ["Action", "Action"]),
    ],
)
def test_a_filter_leaves_what_fits(told: Timeline, words: str, expected: list[str]) -> None:
    assert kinds(told.older(read(words, 0))) == expected


def test_an_incident_has_its_notes_evidence_and_approvals(told: Timeline) -> None:
    assert set(kinds(told.older(Filter(incident=INCIDENT)))) == {"Action", "Note", "Evidence", "Approval"}


def test_words_are_found_in_commands_output_and_notes(told: Timeline) -> None:
    assert kinds(told.holding(read("replicas", 0))) == ["Note"]
    (found,) = told.holding(read("idle transaction target:db-1", 0))
    assert isinstance(found.record, Action) and found.at == told.older(EVERYTHING)[-2].at


async def test_what_runs_is_open_until_it_ends(tmp_path: Path) -> None:
    log = ActionLog.open(tmp_path / FILE)
    place = Target(name="local", environment=Environment.STAGING)
    command = Command(argv=("sleep", "1"), target=place, actor="ann@desk")
    action = await log.begin(command, Risk.READ, Decision.RUN)
    reader = Timeline(tmp_path / FILE)
    before = reader.head()
    (entry,) = reader.older(Filter(state="running"))
    assert entry.is_open
    await log.finish(action, Result(state=State.DONE, exit_status=0))
    assert reader.head() > before
    again = reader.again([entry])[entry.key]
    assert isinstance(again.record, Action) and again.record.state is State.DONE and not again.is_open
    assert reader.older(Filter(state="running")) == ()
    log.close()


# The words.


def test_words_and_filters_may_be_mixed() -> None:
    wanted = read(
        '  target:"db 1" "connection reset" risk:change pool:7 session:01ab since:2h ', 10_000 * SECOND
    )
    assert wanted == Filter(
        target="db 1",
        risk="change",
        session="01AB",
        since_ns=2_800 * SECOND,
        text='"connection reset" pool:7',
    )
    assert read("target: risk:", 0) == Filter()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("risk:destuctive", "such as destructive"),
        ("state:no", "'no' is no state"),
        ("kind:x", "is no kind"),
        ("since:soon", "is no time"),
    ],
)
def test_a_value_that_cannot_be_is_told(typed: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(typed, 0)


# Pages of output.


def in_pieces(text: str, size: int) -> Iterator[str]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


@pytest.mark.parametrize(
    ("unit", "times"),
    [
        ("", 1),
        ("one line", 1),
        ("x", 3 * PAGE_CHARACTERS),
        ("line\n", 3 * PAGE_LINES + 7),
        ("x\n", PAGE_LINES),
    ],
    ids=["nothing", "a line", "a long line", "many lines", "a full page"],
)
@pytest.mark.parametrize("size", [7, 100_000])
def test_pages_joined_are_the_text_and_each_is_bounded(unit: str, times: int, size: int) -> None:
    text = unit * times
    pages = Pages(lambda: in_pieces(text, size))
    found = [pages.page(0)]
    while not found[-1].last:
        found.append(pages.page(len(found)))
    assert hash("".join(page.text for page in found)) == hash(text)
    assert all(page.text.count("\n") <= PAGE_LINES for page in found)
    assert all(len(page.text) <= PAGE_CHARACTERS + size for page in found)
    assert pages.page(99).number == len(found) - 1
    assert pages.page(0).number == 0 and hash(pages.page(0).text) == hash(found[0].text)


# Recordings.


async def test_a_tape_plays_what_was_printed_when_it_was(tmp_path: Path) -> None:
    moments = Moments(START)
    with standing(moments):
        log = ActionLog.open(tmp_path / FILE)
        command = Command(argv=("tail",), target=Target(name="local"), actor="ann@desk")
        action = await log.begin(command, Risk.READ, Decision.RUN)
        for number in range(5):
            moments.on(10)
            await log.output(action, Stream.STDOUT, b"line %d\n" % number)
        moments.on(10)
        await log.finish(action, Result(state=State.DONE, exit_status=0))
        log.close()
    reader = Timeline(tmp_path / FILE)
    tape = Tape(reader, reader.show(action))
    player = tape.player()
    assert player is not None and player.length == pytest.approx(60, abs=0.1)
    assert tape.read(player.advance(0)) == b""
    assert tape.read(player.advance(25)) == b"line 0\nline 1\n"
    assert player.moment == pytest.approx(START + 25 * SECOND, abs=SECOND // 100)
    assert tape.read(player.seek(55)) == b"line 2\nline 3\nline 4\n"
    back = player.seek(15)
    assert back.afresh and tape.read(back) == b"line 0\n"


async def test_an_action_that_printed_nothing_has_no_player(tmp_path: Path) -> None:
    log = ActionLog.open(tmp_path / FILE)
    action = await act(log, "true")
    reader = Timeline(tmp_path / FILE)
    assert Tape(reader, reader.show(action)).player() is None
    log.close()


async def test_a_page_does_not_cost_what_came_before(tmp_path: Path) -> None:
    log = ActionLog.open(tmp_path / FILE)
    for number in range(600):
        await log.note(f"note {number}", incident="INC-1")
    log.close()
    reader = Timeline(tmp_path / FILE)
    reader.older(EVERYTHING, limit=5)
    steps: list[int] = []
    assert reader._db is not None
    reader._db.conn.set_progress_handler(lambda: steps.append(1), 100)
    reader.older(EVERYTHING, limit=5)
    reader.older(Filter(incident="INC-1"), limit=5)
    assert len(steps) < 50, "it looks at more than it shows"
