from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual._compositor import Compositor
from textual.geometry import Size
from textual.pilot import Pilot
from textual.widget import Widget

from cockpit.errors import Unreachable
from cockpit.signals import SECOND, LogRecord
from cockpit.source import TimeRange
from cockpit.stores.base import Stores
from cockpit.stores.logs import LogStore
from cockpit.supervisor import Plan, Supervisor
from sources.files import FilesOptions, FilesSource
from tests.helpers.log_records import T0, numbered, record
from tests.helpers.pane_host import PaneHost, empty_stores, shown
from widgets.logs import LogsPane
from widgets.logs_detail import LogDetail
from widgets.logs_row import columns_for
from widgets.messages import CursorMoved, Noticed, ScopeNarrowed, TextCopied
from widgets.pane import FilterLine

NOW = T0 + 600 * SECOND
TRACE = "ab" * 16


class LogsHost(PaneHost):
    """A host that also notes where the time cursor is put."""

    def on_cursor_moved(self, event: CursorMoved) -> None:
        self.told.append(event)
        self.pane.follow(self.trail.amend(cursor=event.moment))
        self.tick()


class Keepers:
    """Sources that keep what is older, or fail."""

    def __init__(self, **answers: Sequence[LogRecord] | Exception) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, TimeRange]] = []
        self.hold = asyncio.Event()
        self.hold.set()

    def offering(self, method: str) -> list[str]:
        return list(self.answers) if method == "query_logs" else []

    def log_languages(self) -> dict[str, str]:
        return {}

    async def ask(self, name: str, method: str, *args: Any, timeout: float = 30.0, **named: Any) -> Any:
        text, within, limit = args
        self.asked.append((name, text, within))
        await self.hold.wait()
        answer = self.answers[name]
        if isinstance(answer, Exception):
            raise answer
        return [each for each in answer if within.start <= each.at <= within.end and text in each.body][
            -limit:
        ]


def host_of(
    records: Sequence[LogRecord] = (), *, asks: Keepers | Supervisor | None = None, capacity: int = 10_000
) -> LogsHost:
    stores = empty_stores()
    stores.logs = stores.streamed = LogStore(capacity=capacity, clock=lambda: NOW)
    stores.streamed.append(records)
    return LogsHost(LogsPane(stores, number=3, asks=asks), NOW)


def pane_of(host: PaneHost) -> LogsPane:
    assert isinstance(host.pane, LogsPane)
    return host.pane


def rows(host: PaneHost) -> list[str]:
    return [line.rstrip(" ▐") for line in host.lines(pane_of(host).lines)]


def bodies(host: PaneHost) -> list[str]:
    indent = columns_for(pane_of(host).lines.size.width - 1).indent
    return [row[indent:] for row in rows(host) if row.strip()]


async def press(pilot: Pilot[None], host: PaneHost, *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
    await settle(pilot, host)


async def settle(pilot: Pilot[None], host: PaneHost) -> None:
    for turn in range(40):
        await pilot.pause(0.005)
        host.tick()
        if turn > 2 and not pane_of(host)._seeking and pane_of(host)._view.complete:
            break
    await pilot.pause()


def current(host: PaneHost) -> str:
    record_there = pane_of(host).lines.current
    return "" if record_there is None else record_there.body


async def test_it_follows_until_one_goes_up_and_says_what_came_since() -> None:
    host = host_of(numbered(range(100)))
    logs = host.pane.stores.streamed
    async with host.run_test(size=(80, 20)) as pilot:
        await settle(pilot, host)
        assert bodies(host)[-1] == "line 99"
        logs.append(numbered([100]))
        await settle(pilot, host)
        assert bodies(host)[-1] == "line 100"
        await press(pilot, host, "up")
        before = bodies(host)
        logs.append(numbered(range(101, 141)))
        await settle(pilot, host)
        assert bodies(host) == before[: len(bodies(host))]
        assert current(host) == "line 99"
        assert "40 new below" in shown(host.lines())
        host.tick(SECOND)
        assert "141 · standing" in str(host.pane.border_title)
        await press(pilot, host, "f")
        assert bodies(host)[-1] == "line 140"
        assert "new below" not in shown(host.lines())
        assert "141 · follow" in str(host.pane.border_title)


async def test_the_wheel_stops_following_and_the_end_key_goes_on() -> None:
    host = host_of(numbered(range(100)))
    async with host.run_test(size=(80, 20)) as pilot:
        await settle(pilot, host)
        lines = pane_of(host).lines
        lines.post_message(_wheel_up(lines))
        await settle(pilot, host)
        assert not lines.following
        assert bodies(host)[-1] == "line 96"
        await press(pilot, host, "G")
        assert lines.following
        await press(pilot, host, "g")
        assert bodies(host)[0] == "line 0"
        assert current(host) == "line 0"


async def test_text_stands_still_while_the_ring_evicts_and_sorts_in() -> None:
    host = host_of(numbered(range(300)), capacity=320)
    logs = host.pane.stores.streamed
    async with host.run_test(size=(80, 20)) as pilot:
        await settle(pilot, host)
        await press(pilot, host, "pageup", "pageup")
        before, cursor = bodies(host), current(host)
        logs.append([record("sorted in", 100.5), record("sorted in too", 200.5)])
        logs.append(numbered(range(300, 450)))
        await settle(pilot, host)
        assert logs.first > 0
        assert bodies(host) == before[: len(bodies(host))]
        assert current(host) == cursor


async def test_a_redraw_costs_what_is_seen() -> None:
    host = host_of(numbered(range(9_000)))
    logs = host.pane.stores.streamed
    async with host.run_test(size=(80, 20)) as pilot:
        await settle(pilot, host)
        lines = pane_of(host).lines
        drawn = lines.drawn
        for start in range(9_000, 9_500, 50):
            logs.append(numbered(range(start, start + 50)))
            host.tick()
            await pilot.pause()
        assert lines.drawn - drawn <= 10 * lines.size.height
        host.tick(SECOND)
        await pilot.pause()
        drawn = lines.drawn
        host.tick(SECOND)
        await pilot.pause()
        assert lines.drawn == drawn


async def test_a_filter_narrows_counts_and_keeps_the_last_good_one() -> None:
    host = host_of([*numbered(range(20)), record("checkout refused", 30, level=17)])
    async with host.run_test(size=(80, 20)) as pilot:
        await settle(pilot, host)
        await press(pilot, host, "slash", *"refused")
        assert bodies(host) == ["checkout refused"]
        assert "1 of 21" in str(host.pane.border_title)
        pane_of(host).query_one(FilterLine).value = "refused /(a+)+/"
        await settle(pilot, host)
        assert "may never end" in shown(host.lines())
        assert len(bodies(host)) == 1
        await press(pilot, host, "escape")
        assert "21 · follow" in str(host.pane.border_title)
        assert "may never end" not in shown(host.lines())


async def test_a_letter_typed_into_a_filter_lays_nothing_out_and_a_long_one_shows_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = host_of(numbered(range(500)))
    laid_out: list[Size] = []
    reflow = Compositor.reflow

    def counted(self: Compositor, parent: Widget, size: Size) -> object:
        laid_out.append(size)
        return reflow(self, parent, size)

    async with host.run_test(size=(100, 30)) as pilot:
        await press(pilot, host, "slash", "4")
        monkeypatch.setattr(Compositor, "reflow", counted)
        await press(pilot, host, "2", "3", "backspace")
        assert laid_out == []
        assert bodies(host)[-1] == "line 442"
        await press(pilot, host, *"x" * 150, *"end")
        (line,) = host.lines(pane_of(host).query_one(FilterLine))
        assert line.rstrip().endswith("xxxend")


async def test_the_level_floor_hides_what_is_less() -> None:
    host = host_of([record(name, n, level=level) for n, (name, level) in enumerate(
        [("none", 0), ("debug", 5), ("info", 9), ("warn", 13), ("error", 17), ("fatal", 21)])])  # fmt: skip
    async with host.run_test(size=(80, 20)) as pilot:
        await settle(pilot, host)
        assert len(bodies(host)) == 6
        await press(pilot, host, "plus", "plus", "plus")
        assert bodies(host) == ["warn", "error", "fatal"]
        assert "3 of 6 · ≥warn" in str(host.pane.border_title)
        await press(pilot, host, "minus")
        assert len(bodies(host)) == 4
        await press(pilot, host, "l", "l", "l", "l")
        assert len(bodies(host)) == 6


async def test_x_walks_the_errors_and_the_asterisk_the_highlights() -> None:
    host = host_of([record(f"line {n}", n, level=17 if n in (3, 50) else 9) for n in range(80)])
    async with host.run_test(size=(80, 20)) as pilot:
        await settle(pilot, host)
        await press(pilot, host, "X")
        assert current(host) == "line 50"
        await press(pilot, host, "X")
        assert current(host) == "line 3"
        await press(pilot, host, "X")
        assert any(isinstance(said, Noticed) and "no error above" in said.text for said in host.told)
        await press(pilot, host, "x")
        assert current(host) == "line 50"
        await press(pilot, host, "h", *"line 6", "enter")
        assert len(pane_of(host)._view) == 80
        await press(pilot, host, "asterisk")
        assert current(host) == "line 60"
        await press(pilot, host, "asterisk", "number_sign", "number_sign")
        assert current(host) == "line 6"
        await press(pilot, host, "escape")
        assert pane_of(host).highlights == ()


async def test_the_detail_shows_everything_and_copies_it() -> None:
    host = host_of([record('{"a":{"b":[1,2]},"c":"x"}', 1, level=13, service="cart", host="web-1",
                           trace_id=TRACE, attributes={"status": 500, "payload": '{"k":1}'})])  # fmt: skip
    async with host.run_test(size=(100, 40)) as pilot:
        await settle(pilot, host)
        await press(pilot, host, "enter")
        text = shown(host.lines())
        for part in (
            '    "b": [',
            '"c": "x"',
            "status  500",
            "host.name  web-1",
            TRACE,
            "warn (13)",
            '"k": 1',
        ):
            assert part in text, part
        await press(pilot, host, "y")
        copied = host.told[-1]
        assert isinstance(copied, TextCopied)
        assert copied.text.startswith("2023-11-14 22:13:21.000 UTC WARN cart app\n{")
        assert "status=500" in copied.text
        narrowed = [said.changes for said in host.told if isinstance(said, ScopeNarrowed)]
        assert narrowed == [{"trace_id": TRACE}]
        await press(pilot, host, "space")
        assert host.trail.now.service == "cart"
        await press(pilot, host, "escape")
        assert isinstance(host.pane.detail, LogDetail) is False


async def test_it_follows_the_shared_scope() -> None:
    host = host_of([
        record("a", 1, service="cart"), record("b", 2, service="pay", host="web"), record("c", 3, trace_id=TRACE),
    ])  # fmt: skip
    async with host.run_test(size=(80, 20)) as pilot:
        await settle(pilot, host)
        host.narrow(service="pay")
        await settle(pilot, host)
        assert bodies(host) == ["b"]
        host.narrow(service="", trace_id=TRACE)
        await settle(pilot, host)
        assert bodies(host) == ["c"]
        host.narrow(trace_id="0" * 32)
        await settle(pilot, host)
        assert "no record for trace 000" in shown(host.lines())
        host.narrow(trace_id="", end=T0 + 2 * SECOND, span=SECOND)
        await settle(pilot, host)
        assert bodies(host) == ["a", "b"]


async def test_space_and_m_move_the_scope() -> None:
    host = host_of([record("a", 1, service="cart"), record("b", 2), record("c", 3, host="web")])
    async with host.run_test(size=(80, 20)) as pilot:
        await settle(pilot, host)
        await press(pilot, host, "up", "m")
        moved = host.told[-1]
        assert isinstance(moved, CursorMoved) and moved.moment == T0 + 2 * SECOND
        assert bodies(host) == ["a", "b"]
        assert "┃" in shown(host.lines())
        await press(pilot, host, "space")
        assert "neither a service nor a host" in str(host.told[-1])
        await press(pilot, host, "g", "space")
        narrowed = host.told[-1]
        assert isinstance(narrowed, ScopeNarrowed)
        assert narrowed.changes == {"service": "cart"}


async def test_wrapping_shows_all_lines_and_keeps_the_cursor() -> None:
    host = host_of([*numbered(range(30)), record("one\ntwo\nthree", 40), record("last", 41)])
    async with host.run_test(size=(80, 20)) as pilot:
        await settle(pilot, host)
        assert "⏎ 2" in shown(host.lines())
        await press(pilot, host, "w")
        text = rows(host)
        assert [row.split()[-1] for row in text[-4:]] == ["one", "two", "three", "last"]
        await press(pilot, host, "up", "up", "up")
        assert current(host) == "line 28"
        await press(pilot, host, "w")
        assert current(host) == "line 28"


async def test_older_records_are_asked_for_and_merged() -> None:
    old = [record(f"old {n}", n - 500, source="files") for n in range(0, 500, 50)]
    ring = [replace(each, source="files") for each in numbered(range(30))]
    keepers = Keepers(files=[*old, *ring[:5]], journal=Unreachable("no answer", where="journal"))
    host = host_of(ring, asks=keepers)
    async with host.run_test(size=(80, 20)) as pilot:
        await settle(pilot, host)
        await press(pilot, host, "g")
        assert "o asks 2 sources" in shown(host.lines())
        await press(pilot, host, "o")
        await settle(pilot, host)
        assert current(host) == "line 0"
        assert "journal: no answer" in shown(host.lines())
        assert "40 · past" in str(host.pane.border_title)
        start = T0 - host.trail.now.span
        assert [asked[2] for asked in keepers.asked] == [TimeRange(start, T0), TimeRange(start, NOW)]
        await press(pilot, host, "up", "up")
        assert current(host) == "old 400"
        await press(pilot, host, "escape")
        assert "30 · " in str(host.pane.border_title)


async def test_a_question_can_be_cancelled() -> None:
    keepers = Keepers(files=[record("old", -10)])
    keepers.hold.clear()
    host = host_of(numbered(range(3)), asks=keepers)
    async with host.run_test(size=(80, 20)) as pilot:
        await settle(pilot, host)
        await press(pilot, host, "o")
        assert "Esc cancels" in shown(host.lines())
        await press(pilot, host, "escape")
        assert "Esc cancels" not in shown(host.lines())
        keepers.hold.set()
        await settle(pilot, host)
        assert pane_of(host).past is None


async def test_a_moment_before_the_ring_is_asked_for_without_a_key() -> None:
    keepers = Keepers(files=[record("then", -1_000)])
    host = host_of(numbered(range(3)), asks=keepers)
    async with host.run_test(size=(80, 20)) as pilot:
        await settle(pilot, host)
        host.narrow(cursor=T0 - 900 * SECOND)
        await settle(pilot, host)
        await settle(pilot, host)
        assert bodies(host) == ["then"]
        assert len(keepers.asked) == 1


async def test_the_files_themselves_are_asked(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("".join(f"2023-11-14T22:0{n}:00Z INFO kept {n}\n" for n in range(9)))
    stores: Stores = empty_stores()
    options = FilesOptions(paths=(str(path),), backfill_bytes=1, interval=0.1)
    supervisor = Supervisor([Plan("files", "files", partial(FilesSource, "files", options))], stores)
    supervisor.start()
    try:
        until = time.monotonic() + 10
        while not supervisor.offering("query_logs"):
            assert time.monotonic() < until
            await asyncio.sleep(0.02)
        host = host_of([record("now", 60)], asks=supervisor)
        async with host.run_test(size=(80, 20)) as pilot:
            await settle(pilot, host)
            await press(pilot, host, "o")
            while pane_of(host)._asking is not None:
                assert time.monotonic() < until + 10
                await pilot.pause(0.02)
            await settle(pilot, host)
            assert pane_of(host).past is not None
            assert "kept 8" in shown(host.lines())
            assert "10 · past" in str(host.pane.border_title)
    finally:
        await supervisor.stop()


@pytest.mark.parametrize("seed", range(2))
async def test_any_keys_leave_the_rows_in_order_with_the_cursor_in_sight(seed: int) -> None:
    dice = random.Random(seed)
    host = host_of(capacity=300)
    logs = host.pane.stores.streamed
    keys = ["up", "down", "pageup", "pagedown", "g", "G", "f", "w", "e", "E", "plus", "minus", "l", "k", "j"]
    async with host.run_test(size=(80, 20)) as pilot:
        at = 0
        for _ in range(60):
            for _ in range(dice.randrange(3)):
                count = dice.choice((1, 5, 60))
                logs.append([
                    record(dice.choice(("one", "two\nlines", "x" * 300)), at + dice.randrange(-40, 40) / 4,
                           level=dice.choice((0, 9, 13, 17)))
                    for _ in range(count)
                ])  # fmt: skip
                at += count // 4
            if dice.random() < 0.1:
                await pilot.resize_terminal(dice.choice((30, 80)), dice.choice((1, 4, 20)))
            await pilot.press(dice.choice(keys))
            host.tick()
            lines = pane_of(host).lines
            placed = lines._placed
            assert placed == sorted(placed)
            assert len(placed) <= max(0, lines.size.height)
            rank = lines.rank
            if placed and rank is not None and pane_of(host)._view.complete:
                assert lines.view.number(rank) in {number for number, _ in placed}
    assert logs.first > 0


@pytest.mark.parametrize("size", [(40, 8), (80, 24), (200, 50)])
async def test_hostile_records_draw_at_any_size(size: tuple[int, int]) -> None:
    hostile = [
        LogRecord(at=0, body=""),
        LogRecord(at=(1 << 63) - 1, level=24, body="\x1b]0;x\x07" * 50, source="\x9b"),
        record("x" * 65_536, 3),
        record("[bold]not markup[/]", 4),
        record("支払い" * 100 + "👩\u200d👧", 5),
        record("{" * 5_000, 6),
    ]
    host = host_of(hostile)
    async with host.run_test(size=size) as pilot:
        await settle(pilot, host)
        for _ in hostile:
            await press(pilot, host, "enter")
            text = "".join(host.lines())
            assert "\x1b" not in text
            assert "\x07" not in text
            await press(pilot, host, "escape", "up", "w")
        text = "".join(host.lines())
        assert "\x1b" not in text
        assert "[bold]" in text or size == (40, 8)


def _wheel_up(lines: Any) -> Any:
    from textual.events import MouseScrollUp

    return MouseScrollUp(
        lines,
        x=1,
        y=1,
        delta_x=0,
        delta_y=-1,
        button=0,
        shift=False,
        meta=False,
        ctrl=False,
        screen_x=1,
        screen_y=1,
    )
