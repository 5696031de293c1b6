from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.signals import LogRecord
from cockpit.stores.logs import Criteria, parse_filter
from cockpit.stores.logs.criteria import select
from cockpit.stores.logs.patterns import compile_pattern
from tests.helpers.log_records import record

RECORDS = {
    "timeout": record(
        "Connection TIMEOUT to db", service="checkout", host="web-1", level=17, trace_id="abc123"
    ),
    "slow": record("took 1200 ms status=500 for user", service="cart", host="web-2", level=13, source="nginx"),
    "ok": record("GET /health 200", service="checkout-worker", attributes={"status": 200, "http.route": "/health"}),
    "blank": record("", level=0, source="journald", attributes={"who": "Timeout daemon", "alive": True}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("", "timeout slow ok blank"),
        ("timeout", "timeout blank"),
        ("TIMEOUT db", "timeout"),
        ('"to db"', "timeout"),
        ('-"to db" timeout', "blank"),
        ("-timeout", "slow ok"),
        (r"/\d{4} ms/", "slow"),
        (r"-/\d/", "timeout blank"),
        (r"/get .* 200/", "ok"),
        ("/a\\/b/", ""),
        ("level>=warn", "timeout slow"),
        ("level>warn", "timeout"),
        ("level<warn", "ok blank"),
        ("level=info", "ok"),
        ("level!=info", "timeout slow blank"),
        ("level:w", "timeout slow"),
        ("service:checkout", "timeout ok"),
        ("service=checkout", "timeout"),
        ("service=checkout*", "timeout ok"),
        ("service!=checkout", "slow ok blank"),
        ("-service:checkout", "slow blank"),
        ("host:web-", "timeout slow"),
        ("source:nginx", "slow"),
        ("trace:abc", "timeout"),
        ("status=200", "ok"),
        ("status=500", "slow"),
        ("status=50", ""),
        ("status!=200", "timeout slow blank"),
        ("http.route=/heal*", "ok"),
        ("service.name=cart", "slow"),
        ("alive=true", "blank"),
        ('who="timeout daemon"', "blank"),
        ("12:30", ""),
        ("http://x", ""),
        ("-", "timeout slow ok blank"),
        ("  //  ", "timeout slow ok blank"),
    ],
)
def test_a_filter_leaves_what_it_says(text: str, left: str) -> None:
    tests = Criteria(filter=parse_filter(text)).tests()
    names, records = list(RECORDS), list(RECORDS.values())
    assert [names[place] for place in select(records, tests)] == left.split()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("level>=loud", "no level 'loud'"),
        ("level>=", "no level"),
        ("/abc", "no closing /"),
        ("/a(b/", "not a regular expression"),
        ("service:", "of what"),
        ("/(a+)+b/", "may never end"),
        ("/(a|a)*b/", "may never end"),
        ("/((a*)b)*c/", "may never end"),
        ("/(a?){30}a{30}/", "may never end"),
        ("/(?:x|y)+?z/", "may never end"),
        (r"/(a)\1/", "back-reference"),
        ("/(?P<a>x)(?P=a)/", "back-reference"),
        ("/a*b*c*d*e/", "4 open repeats"),
        ("/a?b?c?d?e?f?g?h?i?j/", "9 optional"),
        ("/(a{,})*b/", "may never end"),
        ("/(?x)(a*) *b/", "neither comments"),
        ("/(a*)(?#c)*b/", "neither comments"),
        ("/a{1000}/", "repeats more than"),
        ("/" + "a" * 300 + "/", "longer than"),
        (" ".join("abcdefghijklmnopqrstuvw"), "more than 20 terms"),
        ("a=*b*c*d*e*f", "more than four"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        parse_filter(text)


def test_a_source_is_asked_for_the_longest_word_that_must_be_there() -> None:
    assert parse_filter('timeout -refused "connection reset" level>=warn').pushed == "connection reset"
    assert parse_filter("-refused /x/").pushed == ""


def test_an_expression_with_repeats_says_how_far_it_looks() -> None:
    assert parse_filter("/took/").note == ""
    assert "160 characters" in parse_filter("/a.*b.*c/").note
    assert parse_filter("/.*took.*/").note == ""


@pytest.mark.parametrize(
    "text", ["[ab]+c", "[ab]+[ab]+c", "[ab]+[ab]+[ab]+c", "a.*b.*c", r"\w+\s*=\s*x", "a{60}b"]
)
@pytest.mark.parametrize("piece", ["a", "ab", "a ", "ba"])
def test_the_worst_text_ends_soon(text: str, piece: str) -> None:
    pattern = compile_pattern(text)
    hostile = piece * 40_000
    began = time.process_time()
    assert not pattern.found_in(hostile)
    assert time.process_time() - began < 0.1  # about 10 ms here; without the bounds it is hours


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.text(max_size=80))
def test_any_filter_is_either_refused_or_answers(text: str, body: str) -> None:
    try:
        tests = Criteria(filter=parse_filter(text)).tests()
    except UsageError:
        return
    assert select([LogRecord(at=1, body=body)], tests) in ([], [0])


EXPRESSIONS = st.text(alphabet="ab()|*+?{}2,\\[]^.$w", max_size=24)


@settings(max_examples=300, deadline=2_000)
@given(EXPRESSIONS)
def test_any_expression_that_is_taken_ends_soon(text: str) -> None:
    try:
        pattern = compile_pattern(text)
    except UsageError:
        return
    for hostile in ("a" * 20_000, "ab" * 10_000, "ba" * 10_000 + "!"):
        pattern.found_in(hostile)
