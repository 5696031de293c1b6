from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.formats.declaration import Declaration
from cockpit.formats.declared import DeclaredFormat
from cockpit.formats.layout import PRESETS, Layout
from cockpit.formats.minutes import FEW
from cockpit.formats.piece import Piece
from cockpit.formats.stamps import read_stamps
from cockpit.formats.times import Zone
from cockpit.signals import SECOND
from tests.helpers.log_samples import moment

OBSERVED = moment("2026-11-23T22:30:00+00:00")
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Santiago",
]


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def both(layout: Layout, text: str, observed: int = OBSERVED) -> int:
    """Return the time that a text tells, which is the same whether it is read alone or with others."""
    alone = layout.read(text, observed)
    for few in (FEW, 0):  # minutes are read one after the other, then by arrays
        assert together(layout, f"{text}\n".encode() * 3, few, observed) == [alone] * 3
    return alone


def together(layout: Layout, data: bytes, few: int, observed: int = OBSERVED) -> list[int]:
    """Return the times that lines begin with, read all at once."""
    piece = Piece(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cockpit.formats.stamps.FEW", few)
        stamps = read_stamps(layout, piece, piece.starts, observed)
    return [int(at) if formed else -1 for at, formed in zip(stamps.times, stamps.formed, strict=True)]


@pytest.mark.parametrize(
    ("zone", "text", "utc"),
    [
        ("", "2026-07-01 12:00:00", "2026-07-01T10:00:00"),  # this machine's, in summer
        ("", "2026-12-01 12:00:00", "2026-12-01T11:00:00"),
        ("", "2026-12-01 12:00:00+05:30", "2026-12-01T06:30:00"),
        ("", "2026-12-01 12:00:00 -0330", "2026-12-01T15:30:00"),
        ("", "2026-12-01T12:00:00Z", "2026-12-01T12:00:00"),
        ("America/New_York", "2026-12-01 12:00:00", "2026-12-01T17:00:00"),
        ("Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T00:30:00"),  # twice: the first is meant
        ("Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25T02:00:00"),
        ("Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29T01:30:00"),  # never: counted on from before
        ("Europe/Berlin", "2026-03-29 01:59:59", "2026-03-29T00:59:59"),
        ("Europe/Berlin", "2026-03-29 03:00:00", "2026-03-29T01:00:00"),
        ("Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04T14:45:00"),  # half an hour twice
        ("UTC", "2024-02-29 00:00:00", "2024-02-29T00:00:00"),
        ("UTC", "2016-12-31 23:59:60", "2017-01-01T00:00:00"),
    ],
)
def test_zones_and_the_hours_that_are_not_or_twice(zone: str, text: str, utc: str) -> None:
    assert both(Layout("iso", Zone(zone)), text) == moment(utc + "+00:00")


@pytest.mark.parametrize("text", ["2026-02-29 00:00:00", "2026-13-01 00:00:00", "2026-04-31 00:00:00",
                                  "2026-01-01 24:00:00", "2026-01-01 00:60:00", "2026-01-01 00:00:61",
                                  "9999-01-01 00:00:00", "0000-00-00 00:00:00", "1950-01-01 00:00:00"])  # fmt: skip
def test_times_that_cannot_be_are_none(text: str) -> None:
    assert both(Layout("iso", Zone("UTC")), text) == -1


@pytest.mark.parametrize(
    ("text", "observed", "utc"),
    [
        ("Dec 31 23:59:59", "2026-01-01T00:10:00", "2025-12-31T23:59:59"),
        ("Jan  1 00:05:00", "2026-01-01T00:10:00", "2026-01-01T00:05:00"),
        ("Jan  1 00:00:01", "2025-12-31T23:59:00", "2026-01-01T00:00:01"),  # a clock ahead
        ("Jan  3 00:00:01", "2025-12-31T23:59:00", "2025-01-03T00:00:01"),
        ("Feb 29 12:00:00", "2026-01-01T00:10:00", "2024-02-29T12:00:00"),
    ],
)
def test_the_year_that_is_not_told_is_the_last_that_fits(text: str, observed: str, utc: str) -> None:
    layout = Layout("syslog", Zone("UTC"))
    assert both(layout, text, moment(observed + "+00:00")) == moment(utc + "+00:00")


def test_new_year_within_a_piece() -> None:
    known = DeclaredFormat(Declaration(name="x", pattern="(?P<time>) ", time="syslog", zone="UTC"))
    data = b"Dec 31 23:59:59 a\nJan  1 00:00:00 b\nDec 31 23:59:58 late\n"
    columns = known.columns(memoryview(data), observed=moment("2026-01-01T00:01:00+00:00"))
    assert columns.times.tolist() == [
        moment(f"{text}+00:00")
        for text in ("2025-12-31T23:59:59", "2026-01-01T00:00:00", "2025-12-31T23:59:58")
    ]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1795472123", 1795472123 * SECOND),
        ("1795472123.000000001", 1795472123 * SECOND + 1),
        ("1795472123000", 1795472123 * SECOND),
        ("1795472123000000", 1795472123 * SECOND),
        ("1795472123000000000", 1795472123 * SECOND),
        ("17954721230000000000", -1),
        ("179547212", -1),
    ],
)
def test_numbers_since_the_epoch_in_any_unit(text: str, at: int) -> None:
    assert both(Layout("epoch"), text) == at


def test_out_of_order_and_clock_steps_are_kept_as_told() -> None:
    known = DeclaredFormat(Declaration(name="x", pattern="(?P<time>) ", time="iso"))
    told = ["2026-11-23T22:15:23Z", "2026-11-23T22:15:21Z", "2020-01-01T00:00:00Z", "2026-11-23T22:15:24Z"]
    columns = known.columns(memoryview("".join(f"{at} x\n" for at in told).encode()), observed=OBSERVED)
    assert columns.times.tolist() == [moment(at) for at in told]


@given(st.datetimes(datetime(1971, 1, 1), datetime(2110, 1, 1)), st.sampled_from(ZONES))
def test_any_local_time_is_what_the_zone_database_says(local: datetime, zone: str) -> None:
    local = local.replace(microsecond=0, fold=0)
    expected = int(local.replace(tzinfo=ZoneInfo(zone)).timestamp()) * SECOND
    text = local.strftime("%Y-%m-%d %H:%M:%S")
    assert both(Layout("iso", Zone(zone)), text.zfill(19)) == max(expected, -1)


RAGGED = [
    "%d/%m/%Y %I:%M:%S %p",
    "%-m/%-d/%Y %-I:%M:%S %p",
    "%-d.%-m.%Y %-H:%M:%S",
    "%b %-d, %Y %-I:%M:%S %p",
    "%p %l:%M:%S %Y-%m-%d",
    "%y%m%d %k:%M:%S",
]


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2060, 1, 1)),
    st.sampled_from(RAGGED),
    st.sampled_from(ZONES),
    st.booleans(),
)
def test_half_days_and_numbers_without_zeros(local: datetime, layout: str, zone: str, small: bool) -> None:
    local = local.replace(microsecond=0, fold=0)
    text = local.strftime(layout)
    text = text.replace("AM", "am").replace("PM", "pm") if small else text
    expected = int(local.replace(tzinfo=ZoneInfo(zone)).timestamp()) * SECOND
    assert both(Layout(layout, Zone(zone)), text) == max(expected, -1)


@pytest.mark.parametrize(
    ("text", "hour"),
    [("12:00:00 AM", 0), ("12:00:00 PM", 12), ("1:00:00 pM", 13), ("0:00:00 AM", -1), ("13:00:00 PM", -1),
     ("11:00:00 XM", -1), ("11:00:00", -1), ("111:00:00 AM", -1), (":00:00 AM", -1)],
)  # fmt: skip
def test_hours_of_half_a_day(text: str, hour: int) -> None:
    expected = moment(f"2026-01-02T{hour:02}:00:00+00:00") if hour >= 0 else -1
    assert both(Layout("%-m/%-d/%Y %-I:%M:%S %p", Zone("UTC")), f"1/2/2026 {text}") == expected


@pytest.mark.parametrize(
    "layout", ["%m/%d/%Y %I:%M:%S", "%m/%d/%Y %H:%M:%S %p", "%m/%d/%Y %-I %H", "%-m/%m %-d %H"]
)
def test_hours_that_say_half_of_it_are_refused(layout: str) -> None:
    with pytest.raises(UsageError, match=r"need each other|the same thing"):
        Layout(layout)


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2110, 1, 1)),
    st.integers(-1439, 1439),
    st.integers(0, 999_999_999),
)
def test_any_time_with_a_zone_is_read_back(naive: datetime, ahead: int, fraction: int) -> None:
    utc = naive.replace(microsecond=0, tzinfo=UTC)
    local = (utc + timedelta(minutes=ahead)).replace(tzinfo=None)
    sign = "-" if ahead < 0 else "+"
    text = f"{local.isoformat()}.{fraction:09d}{sign}{abs(ahead) // 60:02d}:{abs(ahead) % 60:02d}"
    assert both(Layout("iso"), text) == int(utc.timestamp()) * SECOND + fraction


@given(st.text(alphabet="0123456789-:/TZ .,+JanFebAPMpm\u00e9", max_size=40),
       st.sampled_from(["iso", "syslog", "clf", "ctime", "epoch", "%d.%m.%Y %H:%M:%S,%f %z",
                        *RAGGED])
)  # fmt: skip
def test_any_text_is_a_time_or_none(text: str, layout: str) -> None:
    both(Layout(layout), text)


TIMES = ["2026-11-23T22:15:23.123Z", "2026-11-23 22:15:23", "2026/11/23 22:15:23,5 +02:00", "Nov 23 22:15:23",
         "Feb 29 04:59:60", "23/Nov/2026:22:15:23 +0100", "Mon Nov 23 22:15:23 2026", "1969-12-31T20:00:00-05:00",
         "2026-11-23T22:15:23.1234567890123Z"]  # fmt: skip
REST = [
    "",
    " INFO x",
    '","name":"',
    "Z",
    "0",
    "\x00",
    " +02:0",
    " and much more that is alike in all of the lines",
]


@given(
    st.sampled_from(sorted(PRESETS)),
    st.lists(
        st.tuples(
            st.sampled_from(TIMES),
            st.sampled_from(REST),
            st.integers(0, 30),
            st.sampled_from(["", "", "", "0", "9", " ", "Z", "é"]),
            st.integers(1, 4),
        ),
        max_size=12,
    ),
    st.sampled_from([0, FEW]),
)
def test_times_of_neighbours_are_those_of_each(
    layout: str, drawn: list[tuple[str, str, int, str, int]], few: int
) -> None:
    known = Layout(layout, Zone("Europe/Berlin"))
    lines: list[str] = []
    for text, rest, place, other, times in drawn:
        whole = text + rest
        lines += [whole[:place] + other + whole[place + len(other) :]] * times
    data = "".join(f"{line}\n" for line in lines).encode()
    assert together(known, data, few) == [known.read(line, OBSERVED) for line in lines]


def test_a_zone_that_is_none_is_refused() -> None:
    for name in ("Europe/Nowhere", "../../etc/passwd", "\x00"):
        with pytest.raises(UsageError, match="no time zone"):
            Zone(name)
