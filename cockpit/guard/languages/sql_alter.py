"""Judge definitions: what an ALTER throws away, and what a CREATE replaces."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cockpit.actions.command import Risk
from cockpit.guard.findings import Finding, rank
from cockpit.guard.languages.lexer import MARK, WORD, Token, shown
from cockpit.guard.languages.sql_query import call_findings, judge_query
from cockpit.guard.languages.sql_statements import ALTER_DESTROYS, ALTER_DROPS_NO_DATA, RULES
from cockpit.guard.languages.words import words

_KEEPS_ROWS = words(
    """
    VIEW FUNCTION PROCEDURE TRIGGER PACKAGE SYNONYM RULE AGGREGATE ROLE USER LANGUAGE TRANSFORM MACRO SECRET
    STAGE FILE TASK PIPE SEQUENCE TYPE DIRECTORY CONTEXT MODEL NETWORK POLICY TAG STREAM WAREHOUSE INTEGRATION
    """
)


def judge_alter(statement: Sequence[Token], *, dialect: str) -> list[Finding]:
    """Judge ALTER: it destroys where it drops a column, a partition, or rows."""
    part = shown(statement)
    words = [token.value if token.kind == WORD else token.text for token in statement]
    table = words[1:2] in (["TABLE"], ["FOREIGN"], ["TYPE"], ["ONLINE"], ["IGNORE"], ["MATERIALIZED"])
    for at in range(2, len(words)):
        if statement[at].kind != WORD:
            continue
        after = _after(words, at)
        if words[at] == "DROP" and table and (after not in ALTER_DROPS_NO_DATA or after in _dropped()):
            return [Finding(risk=Risk.DESTRUCTIVE, part=part, why="drops a column, a partition or a value")]
        if any(words[at] == verb and after in nouns for verb, nouns in ALTER_DESTROYS[1:]):
            return [Finding(risk=Risk.DESTRUCTIVE, part=part, why="throws rows or a column's values away")]
        if dialect == "clickhouse" and words[at] in {"DELETE", "UPDATE"} and at >= 3:
            return _mutation(statement, at, dialect=dialect)
    two = " ".join(words[:2])
    why = RULES[dialect].get(two, (Risk.CHANGE, "changes a definition"))[1]
    return [Finding(risk=Risk.CHANGE, part=part, why=why)]


def _dropped() -> frozenset[str]:
    return ALTER_DESTROYS[0][1]


def _after(words: Sequence[str], at: int) -> str:
    rest = list(words[at + 1 : at + 4])
    if rest[:2] == ["IF", "EXISTS"]:
        rest = rest[2:]
    return rest[0] if rest else ""


def _mutation(statement: Sequence[Token], at: int, *, dialect: str) -> list[Finding]:
    """Judge ClickHouse's ALTER … DELETE and UPDATE as the statements that they stand for."""
    part = shown(statement)
    what = "deletes" if statement[at].value == "DELETE" else "changes"
    found = [token.value for token in statement[at:] if token.kind == WORD]
    if "WHERE" not in found:
        return [Finding(risk=Risk.DESTRUCTIVE, part=part, why=f"{what} every row: it has no WHERE")]
    where = next(i for i in range(at, len(statement)) if statement[i].value == "WHERE")
    delete = [*_DELETE, *statement[where:]]
    judged = judge_query(delete, dialect=dialect)
    risk = max((finding.risk for finding in judged), key=rank)
    if risk is Risk.DESTRUCTIVE:
        return [Finding(risk=risk, part=part, why=f"{what} every row: its WHERE is always true")]
    return [Finding(risk=Risk.CHANGE, part=part, why=f"{what} rows")]


_DELETE = (
    Token(WORD, "DELETE", "DELETE", False, 0, 0),
    Token(WORD, "FROM", "FROM", True, 0, 0),
    Token(WORD, "t", "T", True, 0, 0),
)


def judge_create(
    statement: Sequence[Token], inner: Callable[[Sequence[Token]], list[Finding]], *, dialect: str
) -> list[Finding]:
    """Judge CREATE: it destroys where it replaces a table with its rows."""
    part = shown(statement)
    words = [token.value if token.kind == WORD else "" for token in statement]
    if words[1:3] == ["OR", "REPLACE"]:
        kind = next(
            (word for word in words[3:7] if word in _KEEPS_ROWS or word in {"TABLE", "DATABASE", "SCHEMA"}),
            "",
        )
        if kind not in _KEEPS_ROWS:
            return [Finding(risk=Risk.DESTRUCTIVE, part=part, why="replaces a table and its rows")]
    findings = [Finding(risk=Risk.CHANGE, part=part, why=RULES[dialect]["CREATE"][1])]
    if "TABLE" in words[1:4]:
        query = next((at for at in range(3, len(words)) if _is_query(statement, words, at)), None)
        if query is not None:
            judged = inner(statement[query:])
            findings += [finding for finding in judged if rank(finding.risk) > rank(Risk.UNKNOWN)]
    findings += [call for call in call_findings(statement, dialect=dialect) if call.risk is Risk.DESTRUCTIVE]
    return findings


def _is_query(statement: Sequence[Token], words: Sequence[str], at: int) -> bool:
    return words[at] in {"SELECT", "WITH"} and (words[at - 1] == "AS" or statement[at - 1].kind == MARK)
