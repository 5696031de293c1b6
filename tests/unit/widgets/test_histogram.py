from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from cockpit.signals import SECOND
from cockpit.stores.logs.histogram import BANDS, Histogram
from tests.helpers.log_records import T0
from widgets.histogram import HistogramStrip

INFO, WARN, ERROR = 3, 4, 5


class Screen(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.picked: list[int] = []

    def compose(self) -> ComposeResult:
        yield HistogramStrip()

    def on_histogram_strip_picked(self, event: HistogramStrip.Picked) -> None:
        self.picked.append(event.moment)


def column(**counts: int) -> list[int]:
    filled = [0] * BANDS
    for name, count in counts.items():
        filled[{"info": INFO, "warn": WARN, "error": ERROR}[name]] = count
    return filled


def drawn(strip: HistogramStrip) -> list[str]:
    return [strip.render_line(y).text for y in range(strip.size.height)]


async def test_bars_grow_and_every_trouble_is_marked() -> None:
    app = Screen()
    async with app.run_test(size=(59, 5)) as pilot:
        strip = app.query_one(HistogramStrip)
        assert strip.room == 40
        columns = [column()] * 36 + [column(info=100), column(info=25, warn=1), column(error=1), column()]
        strip.show(columns, (T0, T0 + 40 * SECOND), cursor=T0 + 10 * SECOND, now=T0 + 40 * SECOND)
        await pilot.pause()
        bars, marks = drawn(strip)
        assert bars == "22:13:20  " + " " * 36 + "█▄▁ " + "      now"
        assert marks == "top 100   " + " " * 10 + "┃" + " " * 26 + "▲◆ " + "  1s each"
        assert await pilot.click(HistogramStrip, offset=(10 + 19, 0))
        assert app.picked == [T0 + 20 * SECOND]
        assert await pilot.click(HistogramStrip, offset=(9, 0))
        assert await pilot.click(HistogramStrip, offset=(50, 0))
        assert app.picked == [T0 + 20 * SECOND], "a label is no moment"


@pytest.mark.parametrize("width", [10, 39, 40, 58, 118])
@pytest.mark.parametrize("count", [1, 1_138, 65_000, 10**6, 10**12])
async def test_labels_stay_whole_beside_trouble_in_every_cell(width: int, count: int) -> None:
    app = Screen()
    async with app.run_test(size=(width, 5)):
        strip = app.query_one(HistogramStrip)
        room = strip.room
        strip.show([column(error=count)] * room, (T0, T0 + room * 15 * SECOND), cursor=None, now=T0)
        bars, marks = drawn(strip)
        if width < 40:
            assert (bars, marks) == ("█" * width, "◆" * width)
            return
        assert bars[:10] == "22:13:20  "
        assert marks.startswith("top ") and marks.endswith(" 15s each")
        assert (bars[10:-9], marks[9:-8]) == ("█" * room, " " + "◆" * room + " ")


async def test_a_bar_takes_the_colour_of_what_is_common_in_it() -> None:
    app = Screen()
    async with app.run_test(size=(39, 5)):
        strip = app.query_one(HistogramStrip)
        columns = [column(info=1_000, error=1), column(info=3, error=2), column(info=3, warn=2)] + [
            column()
        ] * 37
        strip.show(columns, (T0, T0 + 40 * SECOND), cursor=None, now=T0)
        colours = [segment.style.color for segment in strip.render_line(0) if segment.style][:3]
        names = ("histogram--calm", "histogram--error", "histogram--warn")
        assert colours == [strip.get_component_rich_style(name).color for name in names]


async def test_an_empty_or_odd_window_draws_blanks() -> None:
    app = Screen()
    async with app.run_test(size=(40, 5)):
        strip = app.query_one(HistogramStrip)
        for window in ((0, 0), (T0, T0 - 5), (0, 1 << 63)):
            strip.show(Histogram().columns(*window, strip.room), window, cursor=1 << 64, now=T0)
            assert [len(line) for line in drawn(strip)] == [40, 40]
