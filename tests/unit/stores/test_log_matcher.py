from __future__ import annotations

import contextlib
import time

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.formats.catalogue import format_named
from cockpit.formats.format import LogFormat
from cockpit.signals import LogRecord
from cockpit.stores.logs.matcher import LIMIT, Matcher, MatcherSet
from cockpit.stores.logs.query import parse_query
from cockpit.stores.logs.terms import Query
from tests.helpers.log_pieces import Indented, Lines, Objects, passing

WORDS = ["err", "Error", "kö", "Ö", "a", "b", " ", "?", "x=1", "status=500", "status=5", "ſ", "K", "É", "日", "404",
         "\t", ".", '"', "(", ")", "or", "-"]  # fmt: skip
TOKENS = ["a", "b", "x", ".", r"\s", r"\S", r"\w", r"\W", "[^a]", "[ab]", "[^ö]", "ö", r"\d", "$", "^", r"\b", "|",
          "*", "+", "?", "(", ")", "(?:", "{2}", "{,3}", "(?=", "(?!", "(?<=", r"\A", r"\Z", r"\n", r"\x41", "(?s:",
          r"[\s]", r"[\Wa]", "[a-ö]", "*?", "++", "(?-i:A)", " ", "=", "0", "5"]  # fmt: skip
FIELDS = ["status>=500", "status<500", "status=500", "status!=500", "status<=5", "status>4", "x:*", "x=1", "x>0.5",
          "d>250ms", "d=*ms", "service:che", "service=checkout", "level>=warn", "-level:info", "msg=a*", "d<1s",
          "x=tru*", "x=true", "trace:a", "status=5*", "x>=-3", "source:s"]  # fmt: skip


def some_of(parts: list[str], most: int, around: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(parts), min_size=1, max_size=most).map("".join).map(around.format)


TERMS = st.one_of(
    st.sampled_from(WORDS), some_of(WORDS, 3, '"{}"'), some_of(TOKENS, 6, "/{}/"), st.sampled_from(FIELDS)
)
QUERIES = st.lists(
    st.tuples(st.sampled_from(["", "", "", "-", "or ", "("]), TERMS), min_size=1, max_size=4
).map(
    lambda terms: " ".join(sign + term for sign, term in terms) + ")" * [sign for sign, _ in terms].count("(")
)
LINE = st.lists(st.sampled_from([*WORDS, "\n", "\n ", "\r", "A", "x", "=", "0", "aa"]), max_size=8)
TEXTS = st.lists(LINE.map(lambda parts: "".join(parts).encode()) | st.binary(max_size=12), max_size=12).map(
    b"\n".join
)
VALUES = (
    st.integers(-10, 1000)
    | st.floats(0, 1000)
    | st.booleans()
    | st.none()
    | st.sampled_from(
        ["500", "250ms", "1s", "checkout", "Checkout", 'a"b', "0.3s", "1e3", "true", "say status=500"]
    )
)
MEMBERS = st.dictionaries(
    st.sampled_from(["status", "x", "d", "service", "msg", "Status", "a.x"]), VALUES, max_size=4
)
SPELLINGS = [(b"", b""), (b":", b" : "), (b"c", rb"\u0063"), (b"st", rb"\u0073t")]
OBJECTS = st.lists(
    st.tuples(MEMBERS.map(msgspec.json.encode), st.sampled_from(SPELLINGS)).map(
        lambda pair: pair[0].replace(*pair[1]) if pair[1][0] else pair[0]
    ),
    max_size=8,
).map(b"\n".join)


def agree(text: str, data: bytes, fmt: LogFormat) -> None:
    """Hold what is found in a piece to the test of each record of it, before and after finds are frequent."""
    try:
        query = parse_query(text)
        wanted = passing(query, fmt, data)
    except UsageError:
        return
    matcher = Matcher(msgspec.msgpack.decode(msgspec.msgpack.encode(query), type=Query), fmt)
    piece = memoryview(data)
    columns = fmt.columns(piece, observed=0)
    assert matcher.match(piece, columns).tolist() == wanted
    found = matcher.search(piece, lambda: columns)
    assert not any(wanted) if found is None else found.tolist() == wanted
    crowd = memoryview(b"err a b x=1 404 ? aa A\n" * 2_000)
    matcher.match(crowd, fmt.columns(crowd, observed=0))
    assert matcher.match(piece, columns).tolist() == wanted


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(QUERIES, TEXTS)
def test_a_piece_of_lines_is_answered_as_its_records_are(text: str, data: bytes) -> None:
    agree(text, data, Lines())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(QUERIES, TEXTS)
def test_a_piece_of_records_of_several_lines_too(text: str, data: bytes) -> None:
    agree(text, data, Indented())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(QUERIES, OBJECTS)
def test_a_piece_of_objects_too(text: str, data: bytes) -> None:
    agree(text, data, Objects())


def found(text: str, data: bytes, fmt: LogFormat | None = None) -> list[int]:
    fmt = fmt or Lines()
    piece = memoryview(data)
    answer = Matcher(parse_query(text), fmt).match(piece, fmt.columns(piece, observed=0))
    return [number for number, passes in enumerate(answer.tolist()) if passes]


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ("REFUSED", [0, 3]),
        ("größe or Ünder", [1, 2]),
        ("/gr.ße/", [1]),
        (r"/^\S+ \S+ under$/", [2]),
        (r"/refused\s+at/", [0]),
        (r"/line\s+more/", []),
        ("status>=500", [0]),
        ("status<500", [3]),
        ("took>250ms", [3]),
        ("/(?<!not )refused/", [0]),
        ("(refused or größe) -status=5*", [1, 3]),
        ("level>=warn", []),
    ],
)
def test_records_are_found(text: str, records: list[int]) -> None:
    data = (
        "connection refused\tat x status=503\nGRÖSSE Größe line\nmore ÜNDER under\n"
        "not refused? status=404 took=0.3s\n"
    )
    assert found(text, data.encode()) == records


def test_what_precedes_the_first_record_belongs_to_no_record_of_the_piece() -> None:
    assert found("needle", b"  needle\nhay\nneedle\n  needle", Indented()) == [1]


def test_a_word_in_every_line_is_counted() -> None:
    data = b"".join(b"%d GET /Health 200 timeout\n" % number for number in range(30_000))
    piece = memoryview(data)
    columns = Lines().columns(piece, observed=0)
    matcher = Matcher(parse_query("health timeout"), Lines())
    for _ in range(2):
        assert matcher.match(piece, columns).sum() == 30_000


def test_many_queries_are_answered_at_once() -> None:
    data = memoryview(b"a refused\nb timeout\nc refused timeout\n")
    queries = [parse_query(text) for text in ("refused", "-refused", "refused timeout", "")]
    answers = MatcherSet(queries, Lines()).match(data, Lines().columns(data, observed=0))
    assert [answer.tolist() for answer in answers] == [
        [True, False, True],
        [False, True, False],
        [False, False, True],
        [True, True, True],
    ]


def test_a_source_is_told_by_its_name() -> None:
    data = memoryview(b"a\nb\n")
    columns = Lines().columns(data, observed=0)
    for query in ("source:ngi", "source:ngi a or b"):
        assert Matcher(parse_query(query), Lines(), source="nginx").match(data, columns).any()
        assert Matcher(parse_query(query), Lines(), source="nginx").search(data, lambda: columns) is not None
    assert not Matcher(parse_query("source:ngi"), Lines(), source="kafka").match(data, columns).any()


@pytest.mark.parametrize("length", range(1, 80))
def test_a_word_at_the_very_end_is_found(length: int) -> None:
    data = b"e" * length + "ö".encode()
    assert found("Ö -status=500", data) == [0]


@pytest.mark.alone
@pytest.mark.parametrize(
    "text", [r"/(a+)+b/", r"/(a|a)*b/", r"/(\w+\s?)*:/", r"/(?=(a+)+b)a/", r"/(?<!x)a+a+a+b/"]
)
def test_no_expression_runs_away(text: str) -> None:
    data = memoryview((b"a" * 4_000 + b"!\n") * 250)
    columns = Lines().columns(data, observed=0)
    began = time.monotonic()
    with contextlib.suppress(UsageError):
        Matcher(parse_query(text), Lines()).match(data, columns)
    assert time.monotonic() - began < LIMIT + 1


@pytest.mark.parametrize("text", ["/.{300}{2}x/", "/(?:[^x]{1,80}x){8}/", r"/(\w{2,90}-){5}/"])
def test_what_is_too_large_is_refused_before_it_is_compiled(text: str) -> None:
    with pytest.raises(UsageError, match=r"too large|not a regular"):
        parse_query(text)


FORMATS = [
    format_named(name) for name in ("json", "logfmt", "journald", "plain", "clf", "syslog-3164", "iso")
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(QUERIES, OBJECTS | TEXTS, st.sampled_from(FORMATS))
def test_the_formats_that_there_are_say_truly_what_they_spell(text: str, data: bytes, fmt: LogFormat) -> None:
    agree(text, data, fmt)


def test_few_records_are_read_to_compare_a_field() -> None:
    read: list[str] = []

    class Counting(Objects):
        def record(self, text: str, *, observed: int) -> LogRecord:
            read.append(text)
            return super().record(text, observed=observed)

    lines = [b'{"status": %d, "took": "%dms", "service": "s-%d"}' % (200 + n, n, n % 7) for n in range(1_000)]
    data = b"\n".join(lines)
    for text, hits in (("status>=1190", 10), ("status<210", 10), ("took>=990ms", 10), ("took<0.01s", 10),
                       ("status=777", 1), ("user:*", 0), ("service=s-3 status>1190", 1)):  # fmt: skip
        read.clear()
        assert len(found(text, data, Counting())) == hits, text
        assert len(read) <= hits + 3, text
