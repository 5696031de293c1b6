"""`web[01:50]`: several hosts in one word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.inventory.ranges import hosts_of


@pytest.mark.parametrize(
    ("word", "hosts", "port"),
    [
        ("web[01:03]", ["web01", "web02", "web03"], 0),
        ("web[8:11].x", ["web8.x", "web9.x", "web10.x", "web11.x"], 0),
        ("[a:c]", ["a", "b", "c"], 0),
        ("x[y:B]", ["xy", "xz", "xA", "xB"], 0),
        ("db-[a:b]-[8:10:2]:99", ["db-a-8", "db-a-10", "db-b-8", "db-b-10"], 99),
        ("[:2]", ["0", "1", "2"], 0),
        ("h:22", ["h"], 22),
        ("::1", ["::1"], 0),
        ("[::1]:22", ["::1"], 22),
        ("[2001:db8::1]", ["2001:db8::1"], 0),
        ("2001:db8::1", ["2001:db8::1"], 0),
        ("plain", ["plain"], 0),
    ],
)
def test_what_a_word_stands_for(word: str, hosts: list[str], port: int) -> None:
    assert hosts_of(word) == (hosts, port)


@pytest.mark.parametrize(
    "word", ["a[1:]", "a[b:1]", "a[01:100]", "a[5:1]", "a[c:a]", "a[1:3:0]", "a[1:3:x]", "a[1:-3]"]
)
def test_a_range_that_makes_no_sense(word: str) -> None:
    with pytest.raises(ValueError, match="the range"):
        hosts_of(word)


@given(st.text("ab.", max_size=4), st.integers(0, 300), st.integers(0, 50), st.integers(1, 7), st.booleans())
def test_numbers_are_those_between_both_ends(
    name: str, first: int, more: int, step: int, padded: bool
) -> None:
    width = len(str(first + more)) if padded else 0
    begin, end = (str(number).zfill(width) for number in (first, first + more))
    found, port = hosts_of(f"{name}[{begin}:{end}:{step}]x")
    assert port == 0
    assert [int(host[len(name) : -1]) for host in found] == list(range(first, first + more + 1, step))
    assert not padded or len({len(host) for host in found}) == 1


@given(st.text("ab[]:0129-", max_size=12))
def test_any_word_ends_in_hosts_or_in_an_error(word: str) -> None:
    try:
        found, port = hosts_of(word)
    except ValueError:
        return
    assert found and 0 <= port <= 99_999
