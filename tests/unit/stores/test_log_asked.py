"""Criteria written as one query, and queries in an engine's own language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.signals import Level
from cockpit.stores.logs.asked import asked_of
from cockpit.stores.logs.criteria import Criteria
from cockpit.stores.logs.filter import parse_filter
from cockpit.stores.logs.filters import Filter, Filters
from cockpit.stores.logs.query import parse_query
from cockpit.stores.logs.raw import RawQuery, read_raw
from tests.helpers.log_records import record


def criteria(text: str = "", *filters: Filter, **named: object) -> Criteria:
    return Criteria(filter=parse_filter(text), filters=Filters(filters), **named)  # type: ignore[arg-type]


def test_the_filter_line_alone_is_asked_as_it_was_typed() -> None:
    assert asked_of(criteria()) == ""
    assert asked_of(criteria('a or "b c')) == 'a or "b c'
    assert asked_of(criteria("a", Filter("x", "b", on=False))) == "a"


def test_all_that_narrows_is_asked() -> None:
    asked = asked_of(
        criteria(
            "a or b",
            Filter("one", "c or d"),
            Filter("two", "e"),
            Filter("out", "f g", keeps=False),
            floor=Level.WARN,
            service="cart",
            host="web-1",
            trace_id="ab" * 16,
        )
    )
    assert asked == (
        f'level>=warn trace="{"ab" * 16}" service="cart" host="web-1" ( a or b ) ( ( c or d ) or ( e ) ) -( f g )'
    )


@pytest.mark.parametrize(
    "text", ['"open', "f(x", "a )", "(a or b) c", "-", "- a", "a or", 'b"', "/a b/ or c", '-"x']
)
def test_what_is_left_open_ends_where_the_filter_line_ends(text: str) -> None:
    asked = asked_of(criteria(text, floor=Level.ERROR))
    error, info = record('open f(x a ) b c b" x -', level=17), record('open f(x a ) b c b" x -', level=9)
    assert parse_query(asked).test(error) == parse_query(text).test(error)
    assert not parse_query(asked).test(info)


@given(
    st.text(alphabet='ab "()-/:=<>or\\', max_size=12),
    st.text(alphabet='ab "()-=or', max_size=8),
    st.sampled_from([0, 9, 17]),
    st.text(alphabet='ab" *', max_size=4),
    st.booleans(),
)
def test_it_means_what_the_criteria_mean_or_is_refused(
    text: str, other: str, floor: int, service: str, keeps: bool
) -> None:
    try:
        filters = Filters().with_filter(Filter("x", other, keeps=keeps))
    except UsageError:
        filters = Filters()
    try:
        given_ = Criteria(filter=parse_filter(text), filters=filters, floor=floor, service=service)
        asked = asked_of(given_)
    except UsageError:
        return
    query = parse_query(asked)
    for level in (0, 9, 17):
        for body in ("a", "b", "a b", "or", 'ab "a" (b)', "a=b", ""):
            one = record(body, level=level, service=service.lower())
            wanted = all(test(one) for test in given_.tests()) if service == service.lower() else None
            assert wanted is None or query.test(one) == wanted, (asked, body, level)


def test_a_name_that_can_not_be_said_is_told() -> None:
    with pytest.raises(UsageError, match="can't be said to a source in one query"):
        asked_of(criteria("a", service='we"ird'))


def test_a_raw_query_names_its_source_or_none() -> None:
    assert read_raw('raw: {app="x"}  ') == RawQuery("", '{app="x"}')
    assert read_raw(" raw@loki-eu:a:b\n|c") == RawQuery("loki-eu", "a:b\n|c")
    assert read_raw("raw@:x") == RawQuery("", "x")
    for text in ("raw", "raw =x", "a raw:b", "raw@a b:c", "draw:x", "", "-raw:x", "(raw:x)"):
        assert read_raw(text) is None
    assert RawQuery("vl", "a").asked == "raw: a"
    assert read_raw(RawQuery("vl", "raw@x: a").asked) == RawQuery("", "raw@x: a")


def test_raw_is_no_query_of_records_at_hand() -> None:
    with pytest.raises(UsageError, match="no engine's") as refused:
        parse_query("raw: x")
    assert "without raw:" in str(refused.value)
    assert parse_query("(raw:x)").test(record("draw:xy"))
