from __future__ import annotations

import json

import pytest
from textual.pilot import Pilot

from cockpit.signals import SECOND, LogRecord, Span, SpanEvent, SpanLink, SpanStatus
from cockpit.stores.base import Stores
from cockpit.stores.traces import Order
from tests.helpers.pane_host import PaneHost, empty_stores, shown
from tests.helpers.spans import MS, TRACE, span
from widgets.messages import Noticed, ScopeNarrowed, TextCopied
from widgets.traces import TracesPane
from widgets.traces_detail import SpanDetail, logs_of
from widgets.waterfall import Waterfall

T0 = 1_700_000_000 * SECOND
NOW = T0 + 60 * SECOND
OTHER = "a" * 32


def checkout() -> list[Span]:
    """Return a web request that waits for a cart, which waits for a payment that fails."""
    return [
        span("1", T0, T0 + 100 * MS, name="GET /checkout", kind="server"),
        span("2", T0 + 10 * MS, T0 + 80 * MS, "1", service="cart", name="price", kind="server"),
        span("3", T0 + 20 * MS, T0 + 70 * MS, "2", service="pay", name="charge", kind="server",
             status=SpanStatus.ERROR, status_message="card refused", attributes={"card.brand": "visa"},
             events=(SpanEvent(at=T0 + 69 * MS, name="exception"),)),
        span("4", T0 + 85 * MS, T0 + 95 * MS, "1", name="render"),
    ]  # fmt: skip


def filled() -> Stores:
    stores = empty_stores()
    stores.traces.append(checkout())
    stores.traces.append(
        [span("9", T0, T0 + 900 * MS, name="GET /slow", trace_id=OTHER, service="slowpoke", kind="server")]
    )
    stores.streamed.append(
        [
            LogRecord(at=T0 + 30 * MS, level=17, body="the bank said no", trace_id=TRACE, span_id="3"),
            LogRecord(at=T0 + 31 * MS, level=9, body="another span's", trace_id=TRACE, span_id="2"),
        ]
    )
    return stores


@pytest.fixture
def host() -> PaneHost:
    return PaneHost(TracesPane(filled(), number=4), NOW)


def pane_of(host: PaneHost) -> TracesPane:
    assert isinstance(host.pane, TracesPane)
    return host.pane


def waterfall_of(host: PaneHost) -> Waterfall:
    return pane_of(host).view.waterfall


async def press(pilot: Pilot[None], host: PaneHost, *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()
    host.tick()
    await pilot.pause()


def under_cursor(host: PaneHost) -> str:
    waterfall = waterfall_of(host)
    assert waterfall.current is not None
    return waterfall.trace_tree.spans[waterfall.current].span_id


async def test_the_failing_trace_stands_above_the_slower_one(host: PaneHost) -> None:
    async with host.run_test(size=(110, 14)) as pilot:
        await pilot.pause()
        rows = host.lines(pane_of(host).rows)
        assert "GET /checkout" in rows[1]
        assert "✖" in rows[1]
        assert "100 ms" in rows[1]
        assert "GET /slow" in rows[2]
        assert "●" in rows[2]
        assert "1 failing of 2" in str(host.pane.border_title)


async def test_s_cycles_through_the_orders(host: PaneHost) -> None:
    async with host.run_test(size=(110, 14)) as pilot:
        await press(pilot, host, "s")
        assert pane_of(host).order is Order.SLOWEST
        assert "GET /slow" in host.lines(pane_of(host).rows)[1]
        await press(pilot, host, "s", "s", "s")
        assert pane_of(host).order is Order.WORST


async def test_enter_opens_the_waterfall_and_every_pane_is_told(host: PaneHost) -> None:
    async with host.run_test(size=(110, 16)) as pilot:
        await press(pilot, host, "enter")
        assert [event.changes for event in host.told if isinstance(event, ScopeNarrowed)] == [
            {"trace_id": TRACE}
        ]
        assert host.trail.now.trace_id == TRACE
        text = shown(host.lines())
        for part in ("GET /checkout", "├▾ cart price", "│ └─ ✖ pay charge", "└─ render", "4 spans"):
            assert part in text
        assert pane_of(host).has_focus_within
        await press(pilot, host, "escape")
        assert host.trail.now.trace_id == ""
        assert pane_of(host).opened == ""
        assert pane_of(host).rows.has_focus


async def test_the_critical_path_is_drawn_by_shape(host: PaneHost) -> None:
    async with host.run_test(size=(110, 16)) as pilot:
        await press(pilot, host, "enter")
        lines = host.lines(waterfall_of(host))
        names, bars, _ = waterfall_of(host).divide(waterfall_of(host).scrollable_content_region.width)
        charge, price = (lines[row][names + 1 : names + 1 + bars] for row in (3, 2))
        assert charge.strip().strip("▏▎▍▌▋▊▉█┊ ").replace("━", "") == ""
        assert "█" in price, "what cart did while it waited for pay is not on the path"
        assert "━" in price


async def test_folding_by_keys(host: PaneHost) -> None:
    async with host.run_test(size=(110, 16)) as pilot:
        await press(pilot, host, "enter", "down", "space")
        waterfall = waterfall_of(host)
        assert len(waterfall.items) == 3
        assert "▸ ✗ cart price +1" in shown(host.lines()), "a fold says that it hides a failure"
        await press(pilot, host, "l")
        assert len(waterfall.items) == 4
        await press(pilot, host, "l")
        assert under_cursor(host) == "3"
        await press(pilot, host, "h")
        assert under_cursor(host) == "2"
        await press(pilot, host, "f")
        assert len(waterfall.items) == 3
        await press(pilot, host, "u")
        assert len(waterfall.items) == 4


async def test_e_goes_to_the_failure_even_when_it_is_folded_away(host: PaneHost) -> None:
    async with host.run_test(size=(110, 16)) as pilot:
        await press(pilot, host, "enter", "h", "x")
        assert under_cursor(host) == "3"
        assert "card refused" in shown(host.lines())


async def test_c_walks_along_the_critical_path(host: PaneHost) -> None:
    async with host.run_test(size=(110, 16)) as pilot:
        await press(pilot, host, "enter")
        seen = []
        for _ in range(4):
            await press(pilot, host, "c")
            seen.append(under_cursor(host))
        assert seen == ["2", "3", "4", "1"]


async def test_zoom_pan_and_the_spans_own_time(host: PaneHost) -> None:
    async with host.run_test(size=(110, 16)) as pilot:
        await press(pilot, host, "enter", "plus")
        window = waterfall_of(host).window
        assert window.span == 50 * MS
        await press(pilot, host, "comma")
        assert window.start < T0 + 25 * MS
        await press(pilot, host, "minus")
        assert window.whole
        await press(pilot, host, "down", "w")
        assert (window.start, window.end) == (T0 + 10 * MS, T0 + 80 * MS)
        await press(pilot, host, "w")
        assert window.whole


async def test_what_lies_out_of_sight_says_on_which_side(host: PaneHost) -> None:
    async with host.run_test(size=(110, 16)) as pilot:
        await press(pilot, host, "enter", "end", "w")
        lines = host.lines(waterfall_of(host))
        assert lines[0].split()[1:4] == ["85", "ms", "┊+2.5"]
        assert "‹" in lines[3]
        await press(pilot, host, "up", "w")
        lines = host.lines(waterfall_of(host))
        assert "›" in lines[4]


async def test_the_filter_marks_spans_and_n_goes_round_them(host: PaneHost) -> None:
    async with host.run_test(size=(110, 16)) as pilot:
        await press(pilot, host, "enter", "slash", *"visa", "enter")
        assert waterfall_of(host).matches == [2]
        await press(pilot, host, "asterisk")
        assert under_cursor(host) == "3"
        assert "1 match" in shown(host.lines())
        assert len(waterfall_of(host).items) == 4, "the others stay in sight"


async def test_a_spans_detail_holds_its_attributes_events_and_logs(host: PaneHost) -> None:
    async with host.run_test(size=(110, 60)) as pilot:
        await press(pilot, host, "enter", "x", "enter")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert isinstance(pane_of(host).detail, SpanDetail)
        text = shown(host.lines())
        for part in (
            "card refused",
            "card.brand  visa",
            "the bank said no",
            "exception",
            "service.name  pay",
            "50.0%",
        ):
            assert part in text
        assert "another span's" not in text
        await press(pilot, host, "y")
        (copied,) = [event for event in host.told if isinstance(event, TextCopied)]
        assert json.loads(copied.text)["attributes"] == {"card.brand": "visa"}
        await press(pilot, host, "escape")
        assert pane_of(host).detail is None
        assert waterfall_of(host).has_focus


def test_a_spans_logs_are_found_among_many_in_small_steps() -> None:
    stores = empty_stores()
    wanted = span("5", T0 + 500 * SECOND, T0 + 501 * SECOND)
    others = [LogRecord(at=T0 + number * SECOND // 20, body="noise") for number in range(20_000)]
    own = [
        LogRecord(at=T0 + 500 * SECOND + number, body=f"own {number}", trace_id=TRACE, span_id="5")
        for number in (3, 1, 2)
    ]
    stores.streamed.append([*others, *own])
    steps = logs_of(stores.logs, wanted)
    taken = 0
    while True:
        try:
            next(steps)
        except StopIteration as done:
            assert [record.body for record in done.value] == ["own 1", "own 2", "own 3"]
            break
        taken += 1
    assert 2 <= taken < 5, "only what came since the span began, some thousands at a time"


async def test_y_copies_the_trace_id_from_the_list(host: PaneHost) -> None:
    async with host.run_test(size=(110, 16)) as pilot:
        await press(pilot, host, "y")
        assert [event.text for event in host.told if isinstance(event, TextCopied)] == [TRACE]


async def test_the_table_of_services(host: PaneHost) -> None:
    async with host.run_test(size=(110, 16)) as pilot:
        await press(pilot, host, "t")
        lines = host.lines(pane_of(host).services)
        assert lines[1].split()[:2] == ["✖", "pay"]
        assert "100.0%" in lines[1]
        await press(pilot, host, "enter")
        assert host.trail.now.service == "pay"
        assert "GET /checkout" in shown(host.lines()), "back at the traces, those that passed through it"
        assert "GET /slow" not in shown(host.lines())


async def test_a_trace_id_from_another_pane_opens_that_trace(host: PaneHost) -> None:
    async with host.run_test(size=(110, 16)) as pilot:
        host.narrow(title="a log record", trace_id=OTHER)
        await pilot.pause()
        assert pane_of(host).opened == OTHER
        assert "GET /slow" in shown(host.lines())
        await press(pilot, host, "escape")
        assert pane_of(host).opened == ""


async def test_a_trace_that_nobody_has_says_so(host: PaneHost) -> None:
    async with host.run_test(size=(110, 16)) as pilot:
        host.narrow(title="a log record", trace_id="b" * 32)
        await pilot.app.workers.wait_for_complete()
        host.tick(SECOND)
        await pilot.pause()
        assert "no source can be asked" in shown(host.lines())


async def test_without_a_source_to_ask_find_says_so(host: PaneHost) -> None:
    async with host.run_test(size=(110, 16)) as pilot:
        await press(pilot, host, "o")
        assert [event.severity for event in host.told if isinstance(event, Noticed)] == ["warning"]


async def test_the_time_cursor_shows_what_was_there_at_that_moment(host: PaneHost) -> None:
    async with host.run_test(size=(110, 16)) as pilot:
        host.narrow(title="then", cursor=T0 + 50 * MS)
        await pilot.pause()
        rows = host.lines(pane_of(host).rows)
        assert "50 ms…" in rows[1], "still running then"
        assert "✖" not in shown(rows), "and nothing had failed yet"
        await press(pilot, host, "enter")
        assert "║" in shown(host.lines(waterfall_of(host)))


async def test_a_link_leads_to_the_other_trace_and_escape_back(host: PaneHost) -> None:
    link = SpanLink(trace_id=OTHER, span_id="9")
    host.pane.stores.traces.append([span("6", T0, T0 + 101 * MS, "1", name="enqueue", links=(link,))])
    async with host.run_test(size=(110, 16)) as pilot:
        await press(pilot, host, "enter", "down")
        assert "enqueue ⇢link" in shown(host.lines())
        assert under_cursor(host) == "6"
        await press(pilot, host, "L")
        assert "GET /slow" in shown(host.lines())
        await press(pilot, host, "escape")
        assert pane_of(host).opened == TRACE


async def test_spans_that_come_late_join_the_open_waterfall(host: PaneHost) -> None:
    async with host.run_test(size=(110, 16)) as pilot:
        await press(pilot, host, "enter", "down", "space")
        host.pane.stores.traces.append([span("5", T0 + MS, T0 + 2 * MS, "1", name="late news")])
        host.tick(2 * SECOND)
        await pilot.pause()
        assert "late news" in shown(host.lines())
        assert under_cursor(host) == "2", "the cursor stays on its span"
        assert len(waterfall_of(host).items) == 4, "and what was folded stays folded"


@pytest.mark.parametrize("size", [(40, 8), (80, 24), (58, 15), (200, 50), (20, 5)])
async def test_every_size_is_drawn_without_overflow(host: PaneHost, size: tuple[int, int]) -> None:
    async with host.run_test(size=size) as pilot:
        for keys in ((), ("t",), ("t", "enter"), ("enter",)):
            await press(pilot, host, *keys)
            assert len(host.lines()) == size[1]


async def test_the_whole_cockpit_keymap_has_no_clash_with_these_keys() -> None:
    from cockpit.keymap import Keymap
    from widgets.pane import PANE_ACTIONS

    assert Keymap([*TracesPane.ACTIONS, *PANE_ACTIONS]).problems == []
