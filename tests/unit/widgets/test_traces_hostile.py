from __future__ import annotations

import unicodedata

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cockpit import hygiene
from cockpit.signals import SECOND, Span, SpanLink
from cockpit.stores.traces import ServiceRates, Trace
from tests.helpers.examples import examples
from tests.helpers.pane_host import PaneHost, empty_stores
from tests.helpers.spans import TRACE, soups, span
from widgets.traces import TracesPane
from widgets.traces_list import draw_service, draw_trace

T0 = 1_700_000_000 * SECOND
HOSTILE = [
    "\x1b[2J\x1b]52;c;AAAA\x07",
    "[bold red]x[/]",
    "\u202eabc",
    "a\nb\tc",
    "\x9b31m",
    "好" * 90,
    "",
    "\ud800",
    "e\u0301" * 9,
]
texts = st.sampled_from(HOSTILE) | st.text(max_size=20)


ACTS = (
    ("edge", 1), ("turn", None), ("zoom", 2.0), ("pan", 1), ("zoom_span", None), ("error", 1), ("critical", 1),
    ("fold_all", None), ("unfold", None), ("unfold_all", None), ("fold", None), ("zoom", 0.5), ("match", -1),
)  # fmt: skip


def harmless(text: str) -> bool:
    return all(unicodedata.category(each) not in ("Cc", "Cs") for each in text) and "\u202e" not in text


@settings(max_examples=examples(40), deadline=None)
@given(texts, texts, st.integers(1, 200), st.integers(0, 1 << 62), st.integers(0, 1 << 62))
def test_no_row_of_a_list_holds_a_control_character(
    name: str, service: str, width: int, start: int, end: int
) -> None:
    one = span("1", start, end, name=name, service=service)
    trace = Trace(TRACE)
    trace.take(one)
    pieces = draw_trace(trace, width, now=T0, moment=None, longest=1, followed="")
    assert harmless("".join(text for text, _ in pieces))
    rates = ServiceRates()
    rates.take(one)
    for row in rates.table(0, 1 << 63):
        assert harmless("".join(text for text, _ in draw_service(row, width)))


async def test_a_trace_full_of_control_sequences_and_markup_is_only_text() -> None:
    spans = [
        span(f"{number}", T0 + number, T0 + 100, "" if number == 0 else "0", name=text, service=text, kind="server",
             status_message=text, attributes={text: text}, links=(SpanLink(trace_id=text, span_id=text),))
        for number, text in enumerate(HOSTILE[:-2] + HOSTILE[-1:])
    ]  # fmt: skip
    stores = empty_stores()
    stores.traces.append(spans)
    host = PaneHost(TracesPane(stores, number=4), T0 + SECOND)
    async with host.run_test(size=(100, 40)) as pilot:
        await pilot.pause()
        for keys in ((), ("t",), ("t", "enter"), ("end",), ("enter",)):
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
            host.tick()
            await pilot.pause()
            for line in host.lines():
                assert harmless(line)


async def test_markup_in_a_name_is_shown_as_it_was_told() -> None:
    stores = empty_stores()
    stores.traces.append([span("1", T0, T0 + 5, name="[bold red]x[/]")])
    host = PaneHost(TracesPane(stores, number=4), T0 + SECOND)
    async with host.run_test(size=(100, 12)) as pilot:
        await pilot.pause()
        assert "[bold red]x[/]" in "".join(host.lines())
        await pilot.press("enter")
        await pilot.pause()
        assert "".join(host.lines()).count("[bold red]x[/]") == 3, "heading, row and the line below"


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(soups(st.sampled_from(HOSTILE)), min_size=3, max_size=8))
async def test_any_soup_opens_folds_and_zooms(several: list[list[Span]]) -> None:
    stores = empty_stores()
    for number, spans in enumerate(several):
        cleaned, _ = hygiene.clean([replace(each, trace_id=f"{number:032x}") for each in spans])
        stores.traces.append([each for each in cleaned if isinstance(each, Span)])
    pane = TracesPane(stores, number=4)
    host = PaneHost(pane, T0)
    async with host.run_test(size=(90, 16)) as pilot:
        for number in range(len(several)):
            trace = stores.traces.get(f"{number:032x}")
            host.narrow(title="x", trace_id=f"{number:032x}")
            await pilot.pause()
            waterfall = pane.view.waterfall
            assert len(waterfall.trace_tree) == (trace.span_count if trace else 0)
            for name, argument in ACTS:
                act = getattr(waterfall, f"action_{name}")
                act() if argument is None else act(argument)
                assert all(harmless(waterfall.render_line(y).text) for y in range(waterfall.size.height))
            await pilot.pause()
            assert all(harmless(line) for line in host.lines())
