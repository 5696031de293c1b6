"""The logs pane over files: named filters, jumps, marks and links, read by the real process apart."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cockpit.evidence import Pin
from cockpit.signals import Level, LogRecord
from tests.helpers.log_screen import FilesHost, line, log_screen, until
from tests.helpers.pane_host import shown
from widgets.logs import LogsPane
from widgets.logs_filters import likeness, read_filter
from widgets.messages import EvidencePinned, Noticed, TextCopied

COUNT = 20_000
ERRORS = (3, 4_000, 4_001, 15_000)
TRACE = "ab" * 16


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a log of 20,000 records over five and a half hours: several pieces."""
    path = tmp_path_factory.mktemp("logs") / "app.log"
    with path.open("wb") as file:
        for number in range(COUNT):
            if number in ERRORS:
                file.write(
                    line(number, msg=f"payment {number} failed: card declined", level="error", trace_id=TRACE)
                )
            else:
                file.write(line(number))
    return path


def current(pane: LogsPane) -> LogRecord:
    record = pane.lines.current
    assert record is not None
    return record


def place(pane: LogsPane) -> int:
    """Return the number of the line that the cursor is on."""
    rank = pane.lines.rank
    assert rank is not None
    store = pane.stores.logs
    return pane._view.number(rank) - store.first


def pins(host: FilesHost) -> list[Pin]:
    return [event.pin for event in host.told if isinstance(event, EvidencePinned)]


def notices(host: FilesHost) -> list[str]:
    return [event.text for event in host.told if isinstance(event, Noticed)]


async def test_filters_go_in_and_out_and_each_is_counted(log: Path) -> None:
    async with log_screen([log]) as (pilot, host, pane):
        await pilot.press("a", *"-ok = served", "enter")
        await until(pilot, host, lambda: pane._view.complete and len(pane._view) == len(ERRORS))
        await pilot.press("a", *"five = status>=500", "enter")
        await until(pilot, host, lambda: pane._view.complete and len(pane._view) == 1)
        assert pane._view.hits == [COUNT - len(ERRORS), sum(n % 3 == 2 for n in range(COUNT))]
        text = shown(host.lines())
        assert "● out ok" in text
        assert "● in  five" in text
        assert f"{COUNT - len(ERRORS):,}" in text
        assert f"1 of {COUNT:,} · 2 of 2 filters · json" in str(pane.border_title)
        await pilot.press("space")  # the first one off: its hits are told all the same
        await until(pilot, host, lambda: pane._view.complete and len(pane._view) > 1)
        assert len(pane._view) == sum(n % 3 == 2 for n in range(COUNT))
        assert pane._view.hits[0] == COUNT - len(ERRORS)
        assert "○ out ok" in shown(host.lines())
        await pilot.press("delete")
        await until(pilot, host, lambda: pane._view.complete)
        assert [each.name for each in pane.filters] == ["five"]
        await pilot.press("i")
        await until(pilot, host, lambda: pane._view.complete and not pane.filters["five"].keeps)
        assert len(pane._view) == sum(n % 3 != 2 for n in range(COUNT))
        await pilot.press("escape")
        assert not pane.filter_list.has_class("-open")
        assert pane.filters["five"].on


async def test_what_is_like_a_record_is_kept_in_or_dropped(log: Path) -> None:
    async with log_screen([log]) as (pilot, host, pane):
        await pilot.press("X")
        await until(pilot, host, lambda: place(pane) == ERRORS[-1])
        await pilot.press("i")
        await until(pilot, host, lambda: pane._view.complete and len(pane._view) == len(ERRORS))
        assert pane.filters.filters[0].keeps
        pane.close_filters()
        await pilot.press("d")
        await until(pilot, host, lambda: pane._view.complete and len(pane._view) != len(ERRORS))
        assert len(pane._view) == COUNT - len(ERRORS)


async def test_a_filter_that_is_wrong_is_told_and_not_taken(log: Path) -> None:
    async with log_screen([log]) as (pilot, host, pane):
        await pilot.press("a", *"bad = level>=what", "enter")
        await until(pilot, host, lambda: "no level" in shown(host.lines()))
        assert not len(pane.filters)
        await pilot.press("escape")
        await until(pilot, host, lambda: "no level" not in shown(host.lines()))


async def test_jumps_by_error_warning_trace_and_time(log: Path) -> None:
    async with log_screen([log]) as (pilot, host, pane):
        for wanted in reversed(ERRORS):
            await pilot.press("X")
            await until(pilot, host, lambda wanted=wanted: place(pane) == wanted)  # type: ignore[misc]
        await pilot.press("X")
        await until(pilot, host, lambda: "no error above" in notices(host))
        await pilot.press("v")
        await until(pilot, host, lambda: place(pane) == 4)
        assert current(pane).level == Level.WARN
        pane.lines.go(ERRORS[1])
        await pilot.press("r")
        await until(pilot, host, lambda: place(pane) == ERRORS[2])
        await pilot.press("r")
        await until(pilot, host, lambda: place(pane) == ERRORS[3])
        pane.lines.go(ERRORS[1])
        await pilot.press("R")
        await until(pilot, host, lambda: place(pane) == ERRORS[0])
        await until(pilot, host, lambda: pane.lines.current)
        begun = current(pane).at
        await pilot.press("full_stop")
        await until(pilot, host, lambda: pane.lines.current and not pane._acts)
        assert current(pane).at % (600 * 10**9) == 0 and 0 < current(pane).at - begun <= 600 * 10**9
        await pilot.press("greater_than_sign")
        await until(pilot, host, lambda: pane.lines.current and not pane._acts)
        assert current(pane).at % (3600 * 10**9) == 0
        hour = current(pane).at
        await pilot.press("less_than_sign")
        await until(pilot, host, lambda: pane.lines.current and not pane._acts)
        assert hour - current(pane).at <= 3600 * 10**9
        await pilot.press("right_parenthesis")
        await until(pilot, host, lambda: pane.lines.current and not pane._acts)
        assert current(pane).at % (86_400 * 10**9) == 0 or any(
            "nothing from" in said for said in notices(host)
        )


async def test_jumps_stay_among_what_the_filter_admits(log: Path) -> None:
    async with log_screen([log]) as (pilot, host, pane):
        await pilot.press("a", *"x = status>=500", "enter")
        await until(pilot, host, lambda: pane._view.complete and len(pane._view) < COUNT)
        pane.close_filters()
        wanted = [number for number in ERRORS if number % 3 == 2]
        for number in reversed(wanted):
            await pilot.press("X")
            await until(pilot, host, lambda number=number: place(pane) == number)  # type: ignore[misc]
        await pilot.press("X")
        await until(pilot, host, lambda: "no error above" in notices(host))


async def test_a_highlight_far_away_is_found_by_the_process(log: Path) -> None:
    async with log_screen([log]) as (pilot, host, pane):
        await pilot.press("h", *"request 7 served", "enter", "number_sign")
        await until(pilot, host, lambda: place(pane) == 7)
        await pilot.press("number_sign")
        await until(pilot, host, lambda: "no match above" in notices(host))


async def test_a_mark_is_pinned_with_a_link_that_leads_back(log: Path) -> None:
    async with log_screen([log]) as (pilot, host, pane):
        pane.lines.go(12_345)
        await pilot.press("b")
        pane.lines.go(100)
        await pilot.press("c", *"odd", "enter")
        await until(pilot, host, lambda: len(pins(host)) == 2)
        assert "♦" in shown(host.lines())
        body = msgspec.json.decode(pins(host)[0].body)
        assert body["link"].startswith(f"file:{log}#offset=")
        assert msgspec.json.decode(pins(host)[1].body)["comment"] == "odd"
        assert pins(host)[1].title.startswith("odd: ")
        await pilot.press("u")
        await until(pilot, host, lambda: pane.lines.current)
        assert place(pane) == 12_345
        await pilot.press("U")
        assert place(pane) == 100
        pane.goto(body["link"])
        await until(pilot, host, lambda: place(pane) == 12_345)
        pane.goto(body["link"].replace("sha256=", "sha256=0000")[:-4])
        await until(pilot, host, lambda: any("gone from here" in said for said in notices(host)))
        pane.goto("file:/nowhere")
        await until(pilot, host, lambda: any("no link to a log line" in said for said in notices(host)))


async def test_attributes_become_columns_and_json_is_laid_out(log: Path) -> None:
    async with log_screen([log]) as (pilot, host, pane):
        await pilot.press("C")
        await until(pilot, host, lambda: "Columns" in shown(host.lines()))
        await pilot.press("space", "enter")
        await until(pilot, host, lambda: pane.lines.attributes == ("status",))
        assert f" {current(pane).attributes['status']} " in host.lines(pane.lines)[-1]
        await pilot.press("A")
        await until(pilot, host, lambda: "  status: " in shown(host.lines()))
        await pilot.press("A")
        await until(pilot, host, lambda: "  status: " not in shown(host.lines()))


async def test_what_comes_is_searched_and_counted_too(tmp_path: Path) -> None:
    path = tmp_path / "grows.log"
    path.write_bytes(b"".join(line(number) for number in range(100)))
    async with log_screen([path]) as (pilot, host, pane):
        await pilot.press("a", *"new = fresh", "enter")
        await until(pilot, host, lambda: pane._view.complete and not len(pane._view))
        with path.open("ab") as file:
            file.write(line(100, msg="fresh 1") + line(101) + line(102, msg="fresh 2"))
        await until(pilot, host, lambda: len(pane._view) == 2)
        assert pane._view.hits == [2]


@pytest.mark.parametrize(
    ("text", "name", "query", "keeps"),
    [
        ("errors = level>=error", "errors", "level>=error", True),
        ("-noise = health", "noise", "health", False),
        ("status=500", "status=500", "status=500", True),
        ('"a b" -c', "a b -c", '"a b" -c', True),
    ],
)
def test_a_filter_is_written_with_its_name_before_it(text: str, name: str, query: str, keeps: bool) -> None:
    found = read_filter(text)
    assert (found.name, found.text, found.keeps) == (name, query, keeps)


@pytest.mark.parametrize(
    ("body", "query"),
    [
        ("payment 17 failed: card declined", '"payment" "card declined"'),
        ("GET /a/b?c=1 200", ""),
        ('user "bob" logged in from 10.0.0.1', '"user" "logged in from"'),
        ("", ""),
    ],
)
def test_a_record_is_known_by_the_words_that_name_nothing(body: str, query: str) -> None:
    assert likeness(body) == query


async def test_patterns_are_shown_and_filtered_to_and_away_from(log: Path) -> None:
    async with log_screen([log]) as (pilot, host, pane):
        await pilot.press("p")
        await until(pilot, host, lambda: "all read" in shown(host.lines()))
        text = shown(host.lines())
        assert f"{COUNT - len(ERRORS):,}" in text
        assert "request <*> served" in text
        await pilot.press("minus")
        await until(pilot, host, lambda: pane._view.complete and len(pane._view) == len(ERRORS))
        assert not pane.filters.filters[0].keeps
        pane.close_filters()
        await pilot.press("p")
        await until(pilot, host, lambda: "1 patterns · all read" in shown(host.lines()))
        await pilot.press("escape")
        await until(pilot, host, lambda: "Patterns" not in shown(host.lines()))


async def test_sql_is_asked_and_its_rows_are_copied(log: Path) -> None:
    pytest.importorskip("cockpit.verbs.logs_sql", reason="the verb for SQL is not there")
    async with log_screen([log]) as (pilot, host, _pane):
        await pilot.press("semicolon")
        await pilot.press(*"select level, count(*) n from logs group by 1 order by 2", "enter")
        await until(pilot, host, lambda: "4 rows" in shown(host.lines()))
        assert f"error {len(ERRORS)}" in " ".join(shown(host.lines()).split())
        await pilot.press("y")
        await until(pilot, host, lambda: [event for event in host.told if isinstance(event, TextCopied)])
        copied = next(event for event in host.told if isinstance(event, TextCopied))
        assert copied.text.splitlines()[:2] == ["level,n", f"error,{len(ERRORS)}"]
        await pilot.press("slash", *"!", "enter")
        await until(pilot, host, lambda: "✖" in shown(host.lines()))
        await pilot.press("escape")
        await until(pilot, host, lambda: "SQL over" not in shown(host.lines()))


async def test_figures_go_to_tens_of_minutes_in_the_hour(log: Path) -> None:
    async with log_screen([log]) as (pilot, host, pane):
        pane.lines.go(0)
        for figure in (3, 1, 6):
            await until(pilot, host, lambda: pane.lines.current)
            before = current(pane).at
            await pilot.press(str(figure))
            await until(pilot, host, lambda: pane.lines.current and not pane._acts)
            assert current(pane).at // (60 * 10**9) % 60 == figure * 10 % 60
            assert 0 < current(pane).at - before <= 3600 * 10**9


async def test_a_mark_stays_on_its_record_when_others_are_sorted_in(tmp_path: Path) -> None:
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    one.write_bytes(b"".join(line(number) for number in range(0, 100, 2)))
    two.write_bytes(b"".join(line(number, msg="the other") for number in range(1, 60, 2)))
    async with log_screen([one, two]) as (pilot, host, pane):
        await pilot.press("b")
        marked = current(pane)
        with two.open("ab") as file:
            file.write(b"".join(line(number, msg="the other") for number in range(61, 90, 2)))
        await until(pilot, host, lambda: len(pane._view) == 95)
        (mark,) = pane._known_marks()
        assert pane.stores.logs[mark.number].body == marked.body
        assert "♦" in host.lines(pane.lines)[-1]
