from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.stores.logs import Query, parse_query
from cockpit.stores.logs.expressions import read_expression
from cockpit.stores.logs.filter import parse_filter
from cockpit.stores.logs.quantities import quantity
from cockpit.stores.logs.terms import All, AnyOf, Exists, Field, LevelRange, Named, Not, Regex, Word
from tests.helpers.log_records import record

RECORDS = {
    "slow": record(
        "took 1200 ms", service="cart", attributes={"status": 503, "duration": "1.2s", "size": "3MiB"}
    ),
    "fast": record("took 3 ms status=200", service="checkout", attributes={"duration": 250, "share": 0.5}),
    "go": record("done", attributes={"duration": "1m30.5s", "status": "404", "share": "75%"}),
    "said": record("got status=500, duration=300ms; user=ann"),
}


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("", All()),
        ("a", Word("a")),
        ("a b", All((Word("a"), Word("b")))),
        ("a or b c", AnyOf((Word("a"), All((Word("b"), Word("c")))))),
        ("(a or b) c", All((AnyOf((Word("a"), Word("b"))), Word("c")))),
        ("-(a b)", Not(All((Word("a"), Word("b"))))),
        ("((a))", Word("a")),
        ("()", All()),
        ("a or", Word("a")),
        ('a "or" b', All((Word("a"), Word("or"), Word("b")))),
        ("f(x)", Word("f(x)")),
        ("(f(x) or g())", AnyOf((Word("f(x)"), Word("g()")))),
        ("(status=500)", Field("status", "=", "500")),
        ("(a /b c/)", All((Word("a"), Regex("b c")))),
        ("a)", Word("a)")),
        ("(a))", Word("a)")),
        ("status>=500", Field("status", ">=", "500")),
        ("a>b", Word("a>b")),
        ("->x", Not(Word(">x"))),
        ("user:*", Exists("user")),
        ("12:30", Word("12:30")),
        ("level>=warn", LevelRange(13, 64)),
        ("service:Check", Named("service", False, "check")),
        ("host!=web-*", Not(Named("host", True, "web-*"))),
        (r"/a\/b/", Regex("a/b")),
        ("a\nb", All((Word("a"), Word("b")))),
    ],
)
def test_a_query_is_read(text: str, root: object) -> None:
    query = parse_query(text)
    assert query.root == root
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(query), type=Query) == query


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("status>=500", "slow said"),
        ("status<500", "fast go"),
        ("status!=503", "fast go said"),
        ("status=503.0", "slow"),
        ("duration>250ms", "slow go said"),
        ("duration>=250ms", "slow fast go said"),
        ("duration=1200ms", "slow"),
        ("duration>1m", "fast go"),
        ("size>=3MiB", "slow"),
        ("size>4MB", ""),
        ("size>1s", ""),
        ("share>=0.5", "fast go"),
        ("share>60%", "go"),
        ("user:*", "said"),
        ("size:*", "slow"),
        ("user=a*", "said"),
        ("took or user", "slow fast said"),
        ("-(200 or done)", "said"),
    ],
)
def test_a_query_leaves_what_it_says(text: str, left: str) -> None:
    test = parse_query(text).tester()
    assert [name for name, one in RECORDS.items() if test(one, None)] == left.split()


def test_a_number_without_a_unit_counts_in_the_unit_asked_for() -> None:
    assert parse_query("duration>1m").test(RECORDS["fast"])  # 250 of them


def test_the_whole_text_is_looked_at_where_there_is_one() -> None:
    one = record("body", attributes={"who": "ann"})
    assert parse_query("ann").test(one)
    assert not parse_query("ann").test(one, "2026-01-01 body")
    assert parse_query("/^2026/").test(one, "2026-01-01 body")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a (b", "a group has no closing )"),
        ("ok duration>250parsecs", "duration>250parsecs at character 4: 250parsecs is no number with a unit"),
        ("x level>=loud", "level>=loud at character 3: no level 'loud' (trace, debug"),
        ("(" * 11 + "a" + ")" * 11, "more than 10 groups"),
        ("/[[:nothing:]]/", "no class [:nothing:]"),
        ("/(?-m:a)/", "flags other than i and s"),
        (r"/(a)\1/", "back-reference"),
        (r"/(?P<a>x)(?P=a)/", "back-reference"),
        ("/a{300}{2}/", "not a regular expression"),
        ("/(a{30}b){20}/", "too large: 640 places"),
        ("x" * 5000, "longer than 4096"),
    ],
)
def test_what_is_wrong_says_where_and_what_to_do(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_query(text)
    assert said in str(refused.value)


@pytest.mark.parametrize("text", ["/(a+)+b/", "/(a|b)*c/", "/a*b*c*d*e*/"])
def test_files_may_be_asked_what_the_screen_may_not_run(text: str) -> None:
    assert parse_query(text).wanted
    with pytest.raises(UsageError):
        parse_filter(text)


def test_the_screen_is_told_what_to_highlight_and_sources_what_to_search() -> None:
    query = parse_query('timeout -refused (deadlock or /x+/) "connection reset" level>=warn')
    assert query.wanted == (Word("timeout"), Word("deadlock"), Regex("x+"), Word("connection reset"))
    assert query.pushed == "connection reset"
    assert parse_query("timeout or refused").pushed == ""


@pytest.mark.parametrize(
    ("text", "line", "crosses"),
    [
        (r"\d+", "(?-i:[0-9])+", False),
        (r"a\s", r"a(?-i:[\x09\x0b-\x0d\x20])", True),
        ("[^a]", r"[^a\x0a]", True),
        (".", r"[^\n]", False),
        (r"\(?(a)\)?", r"\x28?(?:a)\x29?", False),
        ("ö+", "(?:ö)+", False),
        ("a{,3}", "a{0,3}", False),
        (r"[[:alpha:]-]", r"[A-Za-z\x2d]", False),
        (r"\v", r"\x0b", False),
        ("(?s:a.b)", r"(?s:a[^\n]b)", True),
    ],
)
def test_an_expression_is_kept_within_lines(text: str, line: str, crosses: bool) -> None:
    expression = read_expression(text)
    assert (expression.line, expression.crosses) == (line, crosses)


@pytest.mark.parametrize(
    ("text", "number", "kind"),
    [("5", 5, ""), ("-1.5", -1.5, ""), ("1e3", 1000, ""), (".5", 0.5, ""), ("2KiB", 2048, "size"),
     ("1k", 1000, "size"), ("250ms", 0.25, "time"), ("1h2m3s", 3723, "time"), ("3µs", 3e-6, "time"), ("5%", 5, "%")],
)  # fmt: skip
def test_numbers_are_read(text: str, number: float, kind: str) -> None:
    found = quantity(text)
    assert found is not None
    assert found.number * found.scale == pytest.approx(number)
    assert found.kind == kind


@pytest.mark.parametrize("text", ["", "x", "5 ms", "5parsecs", "1.2.3", "0x10", "٣", "5ms2", "1" * 60])
def test_what_is_no_number_is_none(text: str) -> None:
    assert quantity(text) is None


@given(st.text(max_size=60), st.text(max_size=40))
def test_any_query_is_refused_or_answers(text: str, body: str) -> None:
    try:
        test = parse_query(text).tester()
    except UsageError as error:
        assert str(error)
        return
    assert test(record(body), None) in (True, False)
