from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.stores.logs.filters import MOST, Filter, Filters, read_filters
from cockpit.stores.logs.matcher import MatcherSet
from tests.helpers.log_pieces import Lines

DATA = memoryview(b"GET /health 200\nGET /cart 500\nPOST /cart refused\nPOST /pay 200\n")


def left(filters: Filters) -> list[int]:
    columns = Lines().columns(DATA, observed=0)
    found = MatcherSet([each.query for each in filters], Lines()).match(DATA, columns)
    return np.flatnonzero(filters.combined(found, np.ones(len(columns), np.bool_))).tolist()


def three() -> Filters:
    filters = Filters()
    for each in (
        Filter("carts", "cart"),
        Filter("payments", "pay"),
        Filter("noise", "health or refused", keeps=False),
    ):
        filters = filters.with_filter(each)
    return filters


def test_filters_keep_in_and_out() -> None:
    filters = three()
    assert left(Filters()) == [0, 1, 2, 3]
    assert left(filters) == [1, 3]
    assert left(filters.switched("noise")) == [1, 2, 3]
    assert left(filters.switched("carts", on=False)) == [3]
    assert left(filters.switched("carts").switched("payments")) == [1, 3]
    assert left(filters.without("carts").without("payments").without("noise")) == [0, 1, 2, 3]


def test_order_and_names_are_kept() -> None:
    filters = three().with_filter(Filter("payments", "POST"))
    assert [each.text for each in filters] == ["cart", "POST", "health or refused"]
    assert [each.hits for each in filters.counted([2, 2, 2])] == [2, 2, 2]


def test_filters_are_written_and_read() -> None:
    filters = three().switched("carts").counted([1, 2, 3])
    assert read_filters(msgspec.json.encode(filters)) == filters
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(filters), type=Filters) == filters


@pytest.mark.parametrize(
    ("added", "said"),
    [
        (Filter("", "x"), "1 to 64 characters"),
        (Filter("a" * 65, "x"), "1 to 64 characters"),
        (Filter("x", " "), "asks nothing"),
        (Filter("x", "level>=loud"), "no level"),
    ],
)
def test_what_is_no_filter_is_refused(added: Filter, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Filters().with_filter(added)


def test_there_are_not_too_many() -> None:
    filters = Filters()
    for number in range(MOST):
        filters = filters.with_filter(Filter(str(number), "x"))
    with pytest.raises(UsageError, match="64 filters already"):
        filters.with_filter(Filter("more", "x"))


@pytest.mark.parametrize(
    "packed", [b"", b"[]", b'{"filters":[{"name":"a"}]}', b'{"filters":[{"name":"a","text":"/("}]}']
)
def test_what_can_not_be_read_says_so(packed: bytes) -> None:
    with pytest.raises(UsageError):
        read_filters(packed)


def test_an_unknown_filter_names_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no filter 'x' \(carts, payments, noise\)"):
        three().switched("x")


@given(
    st.integers(1, 40).flatmap(
        lambda n: st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=3, max_size=3)
    ),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_packed_bits_are_combined_as_bools_are(rows: list[list[bool]], on: list[bool]) -> None:
    filters = three()
    for each, state in zip(three(), on, strict=True):
        filters = filters.switched(each.name, on=state)
    found = [np.array(row, np.bool_) for row in rows]
    everything = np.ones(len(rows[0]), np.bool_)
    packed = filters.combined([np.packbits(row) for row in found], np.packbits(everything))
    assert np.unpackbits(packed, count=len(everything)).astype(np.bool_).tolist() == (
        filters.combined(found, everything).tolist()
    )
    assert not np.unpackbits(packed)[len(everything) :].any()
