from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from cockpit.hygiene import clean
from cockpit.signals import LogRecord
from cockpit.stores.logs import Placing, literal
from tests.helpers.examples import examples
from tests.helpers.log_records import record
from widgets.logs_row import RowPainter, columns_for, line_of

HOSTILE = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from("\x1b[]31m\x07\x9b\r\n\t\u202e\u200b\u200d\ufe0f👩👧支🇩🇪é\u0301\ufeff"),
    ),
    max_size=200,
)


def painter(width: int, *, wrap: bool = False, marks: tuple[str, ...] = ()) -> RowPainter:
    return RowPainter(
        lambda name: Style(), columns_for(width), marks=[literal(mark) for mark in marks], wrap=wrap
    )


@settings(max_examples=examples(50), deadline=None)
@given(
    HOSTILE, HOSTILE, st.integers(0, 24), st.integers(10, 200), st.booleans(), st.sampled_from(list(Placing))
)
def test_any_record_is_drawn_to_the_cell_and_without_control_characters(
    body: str, service: str, level: int, width: int, wrap: bool, placing: Placing
) -> None:
    raw = LogRecord(at=5, level=level, body=body, source=service, resource={"service.name": service})
    for given_record in (raw, clean(raw)[0][0]):
        assert isinstance(given_record, LogRecord)
        strips = painter(width, wrap=wrap, marks=("a", body[:3] or "b")).strips(given_record, placing)
        assert strips
        for strip in strips:
            assert cell_len(strip.text) == width
            assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in strip.text)
            assert not set(strip.text) & set("\u202e\u200b\u200d\ufe0f\ufeff")


@pytest.mark.parametrize("width", [40, 58, 80, 120, 200])
def test_columns_fill_the_width_and_leave_most_to_the_body(width: int) -> None:
    columns = columns_for(width)
    assert columns.indent + columns.body == width
    assert columns.body >= width // 2
    text = (
        painter(width)
        .strips(record("said", service="checkout", source="app", level=17), Placing.TIMELY)[0]
        .text
    )
    assert text.startswith("22:13:20")
    assert "error" in text
    assert ("checkout" in text) is (width >= 58)
    assert ("◆" in text) is (width >= 60)
    assert (".000" in text) is (width >= 100)
    assert text.rstrip().endswith("said")


def test_several_lines_show_the_first_and_how_many_more() -> None:
    body = "\nTraceback\n  File x\nValueError: no\n"
    assert painter(80).strips(record(body), Placing.TIMELY)[0].text.split()[-3:] == ["Traceback", "⏎", "2"]
    wrapped = painter(80, wrap=True).strips(record(body), Placing.TIMELY)
    assert [strip.text.split()[-1] for strip in wrapped] == ["Traceback", "x", "no"]


def test_a_long_record_is_wrapped_up_to_a_bound() -> None:
    strips = painter(80, wrap=True).strips(record("x" * 65_536), Placing.TIMELY)
    assert len(strips) == 40
    assert "Enter shows all" in strips[-1].text


def test_highlights_are_pieces_of_their_own() -> None:
    strips = RowPainter(
        lambda name: Style(meta={"name": name}), columns_for(80), marks=[literal("time"), literal("meo")]
    ).strips(record("a Timeout"), Placing.TIMELY)
    marked = [
        segment.text for segment in strips[0] if segment.style and segment.style.meta["name"] == "match"
    ]
    assert marked == ["Time", "o"]


@pytest.mark.parametrize(
    ("placing", "mark"), [(Placing.LATE, "«"), (Placing.AHEAD, "»"), (Placing.UNDATED, "?")]
)
def test_what_stands_elsewhere_than_its_time_is_marked(placing: Placing, mark: str) -> None:
    assert painter(80).strips(record(), placing)[0].text[8] == mark


def test_a_line_of_joined_emoji_is_as_wide_as_counted() -> None:
    assert line_of("👩\u200d👩\u200d👧 ❤\ufe0f", 20) == "👩👩👧 ❤"
