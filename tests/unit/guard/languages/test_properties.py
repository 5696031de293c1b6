"""What holds for every text, whatever is in it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.actions.command import Risk
from cockpit.guard.findings import Finding, rank, riskiest
from cockpit.guard.languages.cql import judge_cql
from cockpit.guard.languages.influx import judge_influx
from cockpit.guard.languages.lexer import LIMIT, NUMBER, STRING, WORD, tokens
from cockpit.guard.languages.mongo import judge_mongo
from cockpit.guard.languages.mysql_client import judge_mysql
from cockpit.guard.languages.psql import judge_psql
from cockpit.guard.languages.redis import judge_redis_script
from cockpit.guard.languages.sql import DIALECTS, judge_sql
from cockpit.guard.languages.sqlite_shell import judge_sqlite
from cockpit.guard.languages.words import words
from tests.helpers.examples import examples
from tests.helpers.risks import shell
from tests.unit.guard.languages import test_sql_dialects, test_sql_mysql, test_sql_postgres

Judge = Callable[[str], list[Finding]]

SCRIPTS: dict[str, Judge] = {
    "psql": lambda text: judge_psql(text, shell=shell),
    "mysql": lambda text: judge_mysql(text, shell=shell),
    "sqlite3": lambda text: judge_sqlite(text, shell=shell),
    "redis": judge_redis_script,
    "mongo": judge_mongo,
    "cql": judge_cql,
    "influx": judge_influx,
}
_PIECES = st.sampled_from(
    sorted(
        words(
            r"""
            SELECT DELETE FROM t WHERE 1 = a DROP TABLE ; ( ) ' " ` $$ $a$ -- # /* */ /*! \ \! \g , . .shell : := ::
            @ @@x E' q'[ N' U&" [ ] { } /*+ INTO OUTFILE FOR UPDATE WITH AS INSERT VALUES SET EXPLAIN ANALYZE
            pg_sleep BEGIN END db .find .drop $out => ... GLOBAL PRAGMA EXEC COPY TO STDIN delimiter // system é 1e5
            CREATE ALTER GRANT union case when over within lateral array[
            """
        )
        | {"\n", "\0", "\x85", "\xa0", ""}
    )
)
_SOUP = (
    st.lists(_PIECES, max_size=30).map(" ".join)
    | st.lists(_PIECES, max_size=12).map("".join)
    | st.text(max_size=60)
)
_CASES = [
    *(("postgres", *case) for case in [*test_sql_postgres.QUERIES, *test_sql_postgres.WRITES]),
    *(("mysql", *case) for case in test_sql_mysql.STATEMENTS if "/*" not in case[1]),
    *(("sqlite", *case) for case in test_sql_dialects.SQLITE),
]
_READABLE = [
    case for case in _CASES if (found := tokens(case[2], dialect=case[0])) and found[-1].kind != "bad"
]


def _sql(dialect: str) -> Judge:
    return lambda text: judge_sql(text, dialect=dialect)


@settings(max_examples=examples(100), deadline=None)
@given(_SOUP, st.sampled_from(sorted(DIALECTS)))
def test_no_text_makes_sql_raise(text: str, dialect: str) -> None:
    assert judge_sql(text, dialect=dialect)


@settings(max_examples=examples(100), deadline=None)
@given(_SOUP, st.sampled_from(sorted(SCRIPTS)))
def test_no_script_makes_a_judge_raise(text: str, name: str) -> None:
    assert SCRIPTS[name](text)


@settings(max_examples=examples(70), deadline=None)
@given(st.sampled_from(_READABLE), st.data())
def test_comments_case_and_space_never_change_a_risk(
    case: tuple[str, Risk, str], data: st.DataObject
) -> None:
    dialect, risk, text = case
    pieces: list[str] = []
    at = 0
    for token in tokens(text, dialect=dialect):
        gap = text[at : token.start]
        if token.spaced and not gap.strip():
            gap = data.draw(st.sampled_from([" ", "\n", "\t\t", " /* x */ ", " -- x\n"]))
        word = token.kind == WORD and token.text.isascii()
        turned = data.draw(st.sampled_from([str.upper, str.lower, str.swapcase])) if word else str
        pieces.append(gap + turned(token.text))
        at = token.end
    assert riskiest(judge_sql("".join([*pieces, text[at:]]), dialect=dialect)) is risk


@settings(max_examples=examples(70), deadline=None)
@given(st.sampled_from(_READABLE))
def test_a_comment_at_either_end_never_changes_a_risk(case: tuple[str, Risk, str]) -> None:
    dialect, risk, text = case
    assert riskiest(judge_sql(f"{text}\n-- x '", dialect=dialect)) is risk
    assert riskiest(judge_sql(f"/* x ' */ {text}", dialect=dialect)) is risk


@settings(max_examples=examples(70), deadline=None)
@given(st.sampled_from(_READABLE), st.sampled_from(_READABLE))
def test_what_follows_a_read_is_judged_as_if_it_were_alone(
    first: tuple[str, Risk, str], second: tuple[str, Risk, str]
) -> None:
    dialect, risk, text = second
    before = first[2] if first[0] == dialect and first[1] is Risk.READ else "SELECT 1"
    judged = riskiest(judge_sql(f"{before}\n;{text}", dialect=dialect))
    assert rank(judged) >= rank(risk)


@settings(max_examples=examples(70), deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="'\\\0", exclude_categories=["Cs"]), max_size=40))
def test_whatever_a_string_says_it_stays_a_string(inside: str) -> None:
    for dialect in sorted(DIALECTS - {"bigquery"}):
        assert riskiest(judge_sql(f"SELECT '{inside}'", dialect=dialect)) is Risk.READ


@settings(max_examples=examples(70), deadline=None)
@given(_SOUP)
def test_nothing_before_a_drop_makes_it_a_read(text: str) -> None:
    judged = riskiest(judge_sql(f"{text}; DROP TABLE t", dialect="postgres"))
    hidden = re.search(r"['\"`$/]|--|[^\n -~]", text)
    assert judged is Risk.DESTRUCTIVE or hidden


@pytest.mark.parametrize(
    "text",
    [
        "(" * 30_000,
        "SELECT " + "(" * 200 + "1" + ")" * 200,
        "SELECT " + "(" * 24 + "SELECT 1" + ")" * 24,
        "SELECT " + "a + " * 15_000 + "1",
        "SELECT " + "CASE WHEN a THEN " * 300 + "1" + " END" * 300,
        "SELECT " + "f(" * 24 + "1" + ")" * 24,
        "SELECT " + "x -> " * 2_000 + "1",
        "SELECT " + "NOT " * 5_000 + "a",
        "SELECT 1" + " UNION SELECT 1" * 1_500,
        "SELECT " + "[" * 24 + "1" + "]" * 24,
        "SELECT " + "a::" * 3_000 + "int",
        "SELECT * FROM " + "a JOIN " * 1_500 + "a",
        "/**/" * 16_000,
        "/*!1*/" * 10_000,
        "/*" * 30_000,
        "'" * 60_000,
        "q'[" * 20_000,
        "$a$" * 20_001,
        "SELECT 1;" * 7_000,
        "EXPLAIN ANALYZE " * 4_000,
        "DO $$" + "DO $a$ " * 5_000,
        "EXECUTE IMMEDIATE '" * 3_000,
        "a." * 30_000,
        "\\g " * 20_000,
        "\n/" * 30_000,
        "SELECT '" + "x" * 70_000 + "'",
    ],
    ids=lambda text: text[:24],
)
def test_no_text_takes_long(text: str) -> None:
    for judge in (*(_sql(dialect) for dialect in ("postgres", "mysql", "tsql", "oracle")), *SCRIPTS.values()):
        started = time.thread_time()
        assert judge(text)
        assert time.thread_time() - started < 3


def test_a_text_that_is_too_long_is_unknown() -> None:
    long = "SELECT 1 " + " " * LIMIT
    assert riskiest(judge_sql(long, dialect="postgres")) is Risk.UNKNOWN
    for judge in SCRIPTS.values():
        assert riskiest(judge(long)) is Risk.UNKNOWN


def test_tokens_are_what_the_text_says() -> None:
    found = tokens("select E'a\\'b' -- x\n, 1.5e3, U&\"x\"", dialect="postgres")
    assert [(token.kind, token.value) for token in found if token.kind in {WORD, STRING, NUMBER}] == [
        (WORD, "SELECT"),
        (STRING, "a'b"),
        (NUMBER, "1.5e3"),
    ]
