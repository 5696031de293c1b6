"""Label matchers, read and held against labels as Alertmanager does."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.signals import Matcher
from cockpit.stores.matching import (
    common_matchers,
    compile_matchers,
    looks_like_matchers,
    parse_matchers,
)

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ()),
        ('a="b"', (Matcher("a", "b"),)),
        ("a=b", (Matcher("a", "b"),)),
        ('{a="b", c!="d"}', (Matcher("a", "b"), Matcher("c", "d", is_equal=False))),
        (
            'a=~"x.*" b!~"y|z"',
            (Matcher("a", "x.*", is_regex=True), Matcher("b", "y|z", is_regex=True, is_equal=False)),
        ),
        (r'a="say \"hi\"\n"', (Matcher("a", 'say "hi"\n'),)),
        ('a="", b="x,y"', (Matcher("a", ""), Matcher("b", "x,y"))),
    ],
)
def test_matchers_are_read(text: str, wanted: tuple[Matcher, ...]) -> None:
    assert parse_matchers(text) == wanted


@pytest.mark.parametrize("text", ["a", "=b", '"a"=b', "a==b x", 'a="b', "1a=b", ", ".join(["a=b"] * 33)])
def test_what_is_no_matcher_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        compile_matchers(parse_matchers(text))
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("text", "labels", "fits"),
    [
        ('a="b"', {"a": "b"}, True),
        ('a="b"', {"a": "bb"}, False),
        ('a!="b"', {}, True),
        ('a=""', {}, True),
        ('a=~"b"', {"a": "bb"}, False),
        ('a=~"b.*"', {"a": "bcd"}, True),
        ('a!~"b.*"', {"a": "bcd"}, False),
        ('a!~"b.*"', {}, True),
        ('a="b", c="d"', {"a": "b"}, False),
    ],
)
def test_a_pattern_matches_the_whole_value_and_a_missing_label_is_empty(
    text: str, labels: dict[str, str], fits: bool
) -> None:
    assert compile_matchers(parse_matchers(text))(labels) is fits


@pytest.mark.parametrize("pattern", ["(a+)+", "(a*)*", "(a|a+)+", "x{1,9}{1,9}", "(" + "a" * 300, "["])
def test_a_pattern_that_could_take_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError):
        compile_matchers([Matcher("a", pattern, is_regex=True)])


def test_a_value_of_any_size_is_matched_in_no_time() -> None:
    test = compile_matchers([Matcher("a", ".*b.*c", is_regex=True)])
    start = time.perf_counter()
    assert test({"a": "b" * 1_000_000}) is False
    assert time.perf_counter() - start < 0.2


@given(st.dictionaries(NAMES, st.text(max_size=20), min_size=1, max_size=5))
def test_what_is_common_is_read_back_as_it_was_written(labels: dict[str, str]) -> None:
    matchers = common_matchers([labels])
    assert parse_matchers(", ".join(map(str, matchers))) == matchers
    assert compile_matchers(matchers)(labels)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        matchers = parse_matchers(text)
    except UsageError:
        return
    assert text.strip() in ("", "{}") or matchers
    looks_like_matchers(text)


def test_common_matchers_are_those_that_all_share() -> None:
    assert common_matchers([{"a": "1", "b": "2"}, {"a": "1", "b": "3"}]) == (Matcher("a", "1"),)
    assert common_matchers([]) == ()
