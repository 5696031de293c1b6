"""Reports, rows and recordings: what is in them, and that nothing that was recorded is more than text there."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import json
import re
import sqlite3
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.actionlog.export import markdown, rows, svg
from cockpit.actionlog.export.report import FIRST, LAST
from cockpit.actionlog.export.snapshot import Snapshot
from cockpit.actionlog.filters import Filter
from cockpit.actionlog.log import ActionLog
from cockpit.actionlog.records import Chunk, State
from cockpit.actions.command import Kind
from cockpit.actions.transport import Stream
from cockpit.errors import CockpitError, UsageError
from cockpit.moments import moment
from tests.helpers.exports import exported
from tests.helpers.log_filling import act

HOSTILE = (
    "<script src=http://evil/x.js></script>![p](http://evil/p.png) </pre></details>`````\n# h\n|www.evil.com"
    "\x1b]0;t\x07\u202e"
)
PLOT = {
    "unit": "ms",
    "series": [{"name": "<b>p99</b>", "points": [[1e18, 3], [1e18 + 6e10, 9.5], [1e18 + 12e10, None]]}],
}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of two sessions: one of an incident, with all that there is, hostile throughout; and another."""
    path = tmp_path_factory.mktemp("log") / "actions.db"

    async def fill() -> None:
        held = ActionLog.open(path)
        request = await held.request_approval(
            {"argv": [HOSTILE]}, expires_ns=1, incident="INC-1", target=HOSTILE
        )
        await held.answer_approval(
            request, granted=True, approver="bob", signature=HOSTILE, fingerprint="SHA256:x", remark=HOSTILE
        )
        action = await act(
            held,
            "/bin/sh",
            "-c",
            HOSTILE,
            shell=HOSTILE,
            output=[HOSTILE.encode(), b"\x1b[31mred\x1b[0m\r\nbar\rbaz\xff\n", (Stream.STDERR, b"failed\n")],
            state=State.FAILED,
            status=3,
            incident="INC-1",
            reason=HOSTILE,
            ticket="=cmd|' /C calc'!A0",
            target=HOSTILE,
            reasons=(HOSTILE,),
            approvals=(request,),
        )
        await held.note(HOSTILE, action=action)
        await held.note("of the incident", incident="INC-1")
        await held.evidence("plot", HOSTILE, json.dumps(PLOT).encode(), query=HOSTILE, incident="INC-1")
        await held.evidence("logs", "lines", HOSTILE.encode(), incident="INC-1", start_ns=1, end_ns=2)
        await held.evidence("trace", "bytes", b"\xff\x00", incident="INC-1")
        held.close()
        held = ActionLog.open(path)
        await act(held, "echo", "elsewhere", output=[b"elsewhere\n"])
        await held.note("of nothing")
        await act(held, "cockpit", "log", "export", kind=Kind.EXPORT)
        held.close()

    asyncio.run(fill())
    return path


TAGS = {
    "a", "article", "b", "body", "br", "code", "dd", "details", "dl", "dt", "h1", "h2", "head", "html", "li",
    "meta", "p", "path", "pre", "span", "style", "summary", "svg", "table", "td", "text", "th", "title", "tr", "ul",
}  # fmt: skip
INCIDENT = Filter(incident="INC-1")


class Page(HTMLParser):
    """Reads a page as a browser would, and notes what it would do."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_says_all_of_it_and_does_nothing(log: Path, tmp_path: Path) -> None:
    page = Page()
    text = exported(log, tmp_path / "x.html", "html", filters=INCIDENT).decode()
    page.feed(text)
    assert set(page.tags) <= TAGS
    names = {name for name, _ in page.attributes}
    assert not {name for name in names if name.startswith("on") or name in ("src", "style", "xlink:href")}
    assert all(value.startswith("#") for name, value in page.attributes if name == "href")
    assert [value for _, value in page.attributes if value.startswith("default-src 'none'")]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "url(" not in text
    for said in (
        "<script src=http://evil/x.js></script>",
        "INC-1",
        "ann@desk",
        "failed, exit 3",
        "of the incident",
    ):
        assert said in page.text
    for said in (
        "granted by bob",
        "red\nbar\nbaz",
        "sound: all",
        "<b>p99</b>",
        "lines",
    ):
        assert said in page.text
    assert "elsewhere" not in page.text
    assert "of nothing" not in page.text
    assert text.count("<details>") == text.count("</details>")
    links = {value[1:] for name, value in page.attributes if name == "href"}
    assert links <= {value for name, value in page.attributes if name == "id"}


def test_markdown_holds_what_was_recorded_as_text_alone(log: Path, tmp_path: Path) -> None:
    text = exported(log, tmp_path / "x.md", "md", filters=INCIDENT).decode()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
    outside, fence, images = "", "", 0
    for line in text.splitlines():
        if fence:
            fence = "" if line == fence else fence
        elif found := re.match(r"(`{3,})text$", line):
            fence = found[1]
        else:
            outside += re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", line.replace("\\`", "")) + "\n"
    assert not fence
    images = len(re.findall(r"!\[plot\]\(data:image/svg\+xml;base64,[A-Za-z0-9+/=]+\)", outside))
    assert images == 1
    without = re.sub(r"!\[plot\]\([^)]*\)|</?(details|summary)>", "", outside)
    assert not re.findall(r"(?<!\\)[<\[\]]", without.replace("\\\\", ""))
    assert not re.search(r"(?<!\\)(://)", without)
    assert "www." not in without
    for said in ("failed, exit 3", "granted by bob", "INC-1", "output, "):
        assert said in text


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_nothing_ends_a_block_of_code(text: str) -> None:
    block = markdown.block(text)
    lines = block.split("\n")
    fence = lines[0].removesuffix("text")
    assert fence not in lines[1:-2]
    assert lines[-2] == fence
    assert "\n".join(lines[1:-2]).rstrip("\n") == text.rstrip("\n")
    inline = markdown.code(text.replace("\n", " "))
    ticks = re.match("`+", inline)
    assert not ticks or inline.endswith(ticks[0])
    assert not ticks or ticks[0] not in re.findall("`+", inline[len(ticks[0]) : -len(ticks[0])])


def test_rows_of_json_hold_everything_of_what_is_chosen(log: Path, tmp_path: Path) -> None:
    lines = [
        json.loads(line) for line in exported(log, tmp_path / "x", "jsonl", filters=INCIDENT).splitlines()
    ]
    assert [line["record"] for line in lines] == ["approval", "action", "note", "note", *["evidence"] * 3]
    action = lines[1]
    assert action["command"] == action["shell"]
    output = b"".join(
        base64.b64decode(p["base64"]) if "base64" in p else p["text"].encode() for p in action["output"]
    )
    assert output.startswith(HOSTILE.encode())
    assert b"baz\xff\n" in output
    assert lines[0]["answers"][0]["approver"] == "bob"
    assert [line["content"] for line in lines[5:]] == [{"text": HOSTILE}, {"base64": "/wA="}]
    document = json.loads(exported(log, tmp_path / "y", "json", filters=INCIDENT))
    assert document["actions"] == [action]
    assert document["evidence"] == lines[4:]
    assert [len(document[name]) for name in rows.LISTS] == [1, 1, 2, 3, 1]
    assert document["head"]["integrity"]["verified"]["sound"] is True
    assert document["head"]["chosen"] == {"incident": "INC-1"}
    [bare, *_] = [
        json.loads(line)
        for line in exported(
            log, tmp_path / "z", "jsonl", filters=Filter(state="failed"), with_output=False
        ).splitlines()
        if b'"action"' in line[:30]
    ]
    assert bare == {name: value for name, value in action.items() if name != "output"}


def test_csv_has_a_line_an_action_and_no_formula(log: Path, tmp_path: Path) -> None:
    text = exported(log, tmp_path / "x.csv", "csv").decode()
    head, *lines = csv.reader(io.StringIO(text, newline=""))
    assert tuple(head) == rows.COLUMNS
    assert [line[head.index("kind")] for line in lines] == ["command", "command", "export"]
    assert lines[0][head.index("ticket")] == "'=cmd|' /C calc'!A0"
    assert json.loads(lines[1][head.index("argv")]) == ["echo", "elsewhere"]
    assert text.count("\r\n") == text.count("\r\n", 0) >= 4
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", text)


@given(st.none() | st.text() | st.integers(-9, 9) | st.lists(st.text(max_size=5), max_size=3))
def test_no_cell_is_a_formula(value: object) -> None:
    cell = str(rows.cell(value))
    assert isinstance(value, int) or not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("version", [2, 3])
def test_a_cast_has_the_output_at_its_times_and_draws_only(log: Path, tmp_path: Path, version: int) -> None:
    head, *events = [
        json.loads(line) for line in exported(log, tmp_path / "x", "cast", cast_version=version).splitlines()
    ]
    assert head["version"] == version
    assert (head["width"] if version == 2 else head["term"]["cols"]) == 120
    assert [event[1] for event in events].count("m") == 2  # an export shows nothing on a terminal
    times = [event[0] for event in events]
    assert all(isinstance(time, float) and time >= 0 for time in times)
    if version == 2:
        assert times == sorted(times)
    drawn = "".join(event[2] for event in events if event[1] == "o")
    assert "\x1b[31mred\x1b[0m\r\nbar\rbaz\ufffd\r\n" in drawn
    assert "\x1b]" not in drawn
    assert not re.search(r"[\x00-\x06\x0e-\x1a\x7f-\x9f]", drawn)
    assert not re.search(r"(?<!\r)\n", drawn)
    assert "[failed, 3]" in drawn


def test_a_recording_of_a_terminal_keeps_its_size_and_line_feeds(tmp_path: Path) -> None:
    path = tmp_path / "actions.db"

    async def fill() -> None:
        held = ActionLog.open(path)
        action = await act(held, "bash", output=[b"a\nb"], kind=Kind.SHELL)
        row = {
            "id": "r",
            "session": held.session,
            "at_ns": 1,
            "action": action,
            "kind": "terminal",
            "columns": 90,
            "rows": 33,
        }
        await held._writer.run(lambda db: held._writer.insert(db, ("recordings", row)))
        held.close()

    asyncio.run(fill())
    head, *events = [
        json.loads(line) for line in exported(path, tmp_path / "x", "cast", cast_version=3).splitlines()
    ]
    assert head["term"] == {"cols": 90, "rows": 33}
    assert "a\nb" in "".join(event[2] for event in events)
    assert events[-1][1:] == ["x", "0"]


def test_a_database_holds_the_chosen_rows_and_the_views(log: Path, tmp_path: Path) -> None:
    exported(log, tmp_path / "x.db", "sqlite", filters=INCIDENT)
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        assert db.execute("select count(*) from actions").fetchone() == (1,)
        assert db.execute("select state, exit_status from v_commands").fetchall() == [("failed", 3)]
        what = [row[0] for row in db.execute("select what from v_timeline")]
        assert what[0] == "session began"
        assert what.count("note") == 2
        assert db.execute("select count(*) from search where search match 'incident'").fetchone() == (1,)
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert json.loads(dict(db.execute("select * from excerpt").fetchall())["chosen"]) == {
            "incident": "INC-1"
        }
    exported(log, tmp_path / "y.db", "sqlite", filters=INCIDENT, with_output=False)
    with closing(sqlite3.connect(tmp_path / "y.db")) as db:
        assert db.execute("select count(*), count(data) from output").fetchone() == (1, 0)


@pytest.mark.parametrize(
    ("filters", "actions", "notes"),
    [
        (Filter(), 3, 3),
        (Filter(incident="INC-1"), 1, 2),
        (Filter(text="elsewhere"), 1, 0),
        (Filter(text="script"), 1, 1),
        (Filter(state="failed"), 1, 1),
        (Filter(kind="export"), 1, 0),
        (Filter(since_ns=9 * 10**18), 0, 0),
        (Filter(until_ns=9 * 10**18), 3, 3),
        (Filter(state="running"), 0, 0),
    ],
)
def test_what_is_chosen(log: Path, filters: Filter, actions: int, notes: int) -> None:
    snapshot = Snapshot(log, filters)
    snapshot.choose()
    assert (snapshot.counts["actions"], snapshot.counts["notes"]) == (actions, notes)
    if not actions:
        with pytest.raises(UsageError, match="nothing is recorded"):
            snapshot.ends()
    snapshot.close()


async def test_a_session_and_what_runs_are_chosen(tmp_path: Path) -> None:
    path = tmp_path / "actions.db"
    first = ActionLog.open(path)
    await act(first, "one")
    await first.note("first's")
    second = ActionLog.open(path)
    from cockpit.actions.command import Command, Risk
    from cockpit.guard.judge import Decision
    from cockpit.targets import Target

    command = Command(argv=("sleep", "9"), target=Target(name="local"), actor="a@b")
    running = await second.begin(command, Risk.READ, Decision.RUN)
    for filters, expected in (
        (Filter(session=first.session), ("one",)),
        (Filter(state="running"), ("sleep", "9")),
    ):
        snapshot = Snapshot(path, filters)
        snapshot.choose()
        assert [action.argv for action in snapshot.actions()] == [expected]
        assert snapshot.counts["notes"] == (expected == ("one",))
        snapshot.close()
    snapshot = Snapshot(path, Filter())
    snapshot.choose()
    await act(second, "later")
    assert len(list(snapshot.actions())) == 2  # as it was when it was opened
    snapshot.close()
    second._running.pop(running)
    first.close()
    second.close()


@pytest.mark.parametrize(
    "sizes",
    [[10], [FIRST, LAST], [FIRST + LAST + 1], [1000] * 100, [FIRST - 1, 2, 5000, LAST], [300_000, 300_000]],
)
async def test_an_excerpt_is_the_beginning_and_the_end(tmp_path: Path, sizes: list[int]) -> None:
    path = tmp_path / "actions.db"
    whole = b"".join(bytes([number % 251]) * size for number, size in enumerate(sizes))
    pieces, place = [], 0
    for size in sizes:
        pieces.append(whole[place : place + size])
        place += size
    held = ActionLog.open(path)
    action = await act(held, "cat", output=pieces)
    held.close()
    snapshot = Snapshot(path, Filter())
    snapshot.choose()
    parts = list(snapshot.excerpt(action, FIRST, LAST))
    gaps = [part for part in parts if isinstance(part, int)]
    before = (
        b"".join(part.data for part in parts[: parts.index(gaps[0])] if isinstance(part, Chunk))
        if gaps
        else None
    )
    shown = b"".join(part.data for part in parts if isinstance(part, Chunk))
    if len(whole) <= FIRST + LAST:
        assert (gaps, shown) == ([], whole)
    else:
        assert gaps == [len(whole) - FIRST - LAST]
        assert (before, shown) == (whole[:FIRST], whole[:FIRST] + whole[-LAST:])
    snapshot.close()


def test_a_plot_is_drawn_from_either_form_and_bounded() -> None:
    drawn = svg.plot(json.dumps(PLOT).encode())
    assert drawn is not None
    assert drawn.startswith("<svg ")
    assert "&lt;b&gt;p99" in drawn
    assert "2001-09-09T01:46:40Z" in drawn
    prometheus = [{"metric": {"job": "x\x1b"}, "values": [[1, "2"], [2, "NaN"], [3, "4"]]}]
    for document in (prometheus, {"data": {"result": prometheus}}, {"series": prometheus}):
        assert "job=x␛" in (svg.plot(json.dumps(document).encode()) or "")
    many: dict[str, Any] = {
        "series": [{"name": str(n), "points": [[t, t % 7] for t in range(30_000)]} for n in range(30)]
    }
    large = svg.plot(json.dumps(many).encode()) or ""
    assert large
    assert len(large) < 1_000_000


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(-(10**400), 10**400),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["series", "points", "name", "metric", "values", "unit"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_calls_itself_a_plot_raises_nothing(document: Any) -> None:
    svg.plot(json.dumps(document).encode())


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 100_000, b"null", b"[]", b'{"series": []}', b"\xff", b"[[1]]"]
)
def test_what_is_no_plot_is_none(body: bytes) -> None:
    assert svg.plot(body) is None


def test_a_file_that_can_not_be_written_is_said_and_nothing_is_left(log: Path, tmp_path: Path) -> None:
    with pytest.raises(CockpitError, match="can't be written"):
        exported(log, tmp_path / "no" / "x.md", "md")
    with pytest.raises(UsageError, match="folder"):
        exported(log, tmp_path, "md")
    assert list(tmp_path.iterdir()) == []


def test_times_are_as_they_were_recorded(log: Path, tmp_path: Path) -> None:
    [action, *_] = json.loads(exported(log, tmp_path / "x", "json"))["actions"]
    assert moment(action["started_at"], 0) < moment(action["ended_at"], 0)
