"""Judge statements about other statements and about the session: EXPLAIN, PREPARE, EXECUTE, SET, PRAGMA, COPY."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from cockpit.actions.command import Risk
from cockpit.guard.findings import Finding, rank, riskiest
from cockpit.guard.languages.lexer import (
    BAD,
    MARK,
    NUMBER,
    PARAMETER,
    QUOTED,
    STRING,
    WORD,
    Token,
    shown,
    statements,
    tokens,
)
from cockpit.guard.languages.sql_query import call_findings
from cockpit.guard.languages.sql_statements import (
    HARMLESS_PRAGMAS,
    PRAGMAS,
    PRAGMAS_DUCKDB,
    PRAGMAS_OF,
    PROCEDURES,
    SETTINGS,
    TRANSACTIONS,
)
from cockpit.guard.languages.words import any_of, words

Inner = Callable[[Sequence[Token]], list[Finding]]
"""Judges a statement within a statement."""
_STARTS = words(
    """
    SELECT WITH VALUES INSERT UPDATE DELETE REPLACE MERGE EXECUTE CREATE DECLARE REFRESH CALL DROP ALTER
    TRUNCATE PRAGMA
    """
)
_WRITES = words(
    """
    INSERT UPDATE DELETE DROP TRUNCATE ALTER CREATE GRANT REVOKE COPY MERGE REPLACE EXECUTE EXEC VACUUM
    REINDEX RENAME
    """
)
_BEFORE_A_STATEMENT = frozenset({"", "BEGIN", "THEN", "ELSE", "LOOP", "AS", "DECLARE", "DO", "END"})
_SESSION_NAMES = {
    "oracle": any_of("nls_* current_schema container isolation_level tracefile_identifier time_zone"),
    "snowflake": any_of(
        "query_tag timezone statement_* week_* timestamp_* date_* rows_per_resultset lock_timeout use_cached_result"
    ),
}
_NONE = any_of("")


def _word(statement: Sequence[Token], at: int) -> str:
    return statement[at].value if at < len(statement) and statement[at].kind == WORD else ""


def _mark(statement: Sequence[Token], at: int) -> str:
    return statement[at].text if at < len(statement) and statement[at].kind == MARK else ""


def _one(risk: Risk, statement: Sequence[Token], why: str) -> Finding:
    return Finding(risk=risk, part=shown(statement), why=why)


def special(statement: Sequence[Token], *, dialect: str) -> list[Finding] | None:
    """Return what is to be said of a statement that only starts like a change of rows; None if it is one."""
    first, second = _word(statement, 0), _word(statement, 1)
    if first == "UPDATE" and (dialect, second) in {("tsql", "STATISTICS"), ("duckdb", "EXTENSIONS")}:
        return [_one(Risk.CHANGE, statement, "renews statistics or code")]
    if first == "REPLACE" and second in {"TABLE", "DICTIONARY"}:
        return [_one(Risk.DESTRUCTIVE, statement, "replaces a table and its rows")]
    return None


def judge_explain(statement: Sequence[Token], inner: Inner, *, dialect: str) -> list[Finding]:
    """Judge EXPLAIN and DESCRIBE: harmless, unless the statement is run to be measured."""
    at, runs = 1, _word(statement, 0) == "ANALYZE"
    if _mark(statement, 1) == "(" and _word(statement, 2) not in _STARTS:
        while at < len(statement) and _mark(statement, at) != ")":
            if statement[at].kind == QUOTED:
                runs = True  # PostgreSQL takes "analyze" in quotes as well
            elif _word(statement, at) in {"ANALYZE", "ANALYSE"}:
                value = statement[at + 1].value.upper() if at + 1 < len(statement) else ""
                runs = value not in {"FALSE", "OFF", "0"}
            at += 1
        at += 1
    begin = at
    while at < len(statement) and _word(statement, at) not in _STARTS and not _opens_query(statement, at):
        runs = runs or _word(statement, at) in {"ANALYZE", "ANALYSE"}
        at += 1
    if _word(statement, 1) == "PLAN" and "INTO" in [_word(statement, index) for index in range(1, at)]:
        return [_one(Risk.CHANGE, statement, "writes a plan into a table")]
    rest = statement[at:]
    if runs and (dialect != "mysql" or rest):
        return inner(rest or statement[begin:][1:])
    if dialect == "sqlite" and _word(rest, 0) == "PRAGMA":
        return inner(rest)
    why = "shows a plan without running it" if rest else "shows what something looks like"
    findings = [_one(Risk.READ, statement, why)]
    return [*findings, *call_findings(rest, dialect=dialect)] if dialect == "mysql" else findings


def _opens_query(statement: Sequence[Token], at: int) -> bool:
    return _mark(statement, at) == "(" and _word(statement, at + 1) in {"SELECT", "WITH", "VALUES"}


def judge_pragma(statement: Sequence[Token], *, dialect: str) -> Finding:
    """Judge PRAGMA: known ones read where they are given no value, all others change."""
    at = 3 if _mark(statement, 2) == "." else 1
    name = statement[at].value.lower() if at < len(statement) else ""
    rest = statement[at + 1 :]
    if dialect == "duckdb":
        if name in PRAGMAS_DUCKDB and _mark(rest, 0) != "=":
            return _one(Risk.READ, statement, "shows")
        return _one(Risk.CHANGE, statement, "changes a setting")
    if dialect != "sqlite":
        return _one(Risk.UNKNOWN, statement, "is no statement that is known here")
    if not rest and name in PRAGMAS:
        return _one(Risk.READ, statement, "shows a setting or the schema")
    if name in PRAGMAS_OF and _mark(rest, 0) in {"(", "="}:
        return _one(Risk.READ, statement, "shows the schema or checks the file")
    value = next((token.value.upper() for token in rest if token.kind != MARK), "")
    if name == "busy_timeout" or f"{name}={value}" in HARMLESS_PRAGMAS:
        return _one(Risk.READ, statement, "changes the connection alone")
    return _one(Risk.CHANGE, statement, "changes a setting or the file")


def judge_set(statement: Sequence[Token], inner: Inner, *, dialect: str) -> list[Finding]:
    """Judge SET: known settings of the session are harmless, those of the server are a change."""
    at = 1
    names = SETTINGS[dialect]
    if _word(statement, 0) == "ALTER":
        at, names = 3, _SESSION_NAMES.get(dialect, _NONE)
        if _word(statement, 2) not in {"SET", "UNSET"}:
            return [_one(Risk.CHANGE, statement, "changes the session")]
    if at >= len(statement):
        return [_one(Risk.READ, statement, "shows settings")]
    scope = _word(statement, at)
    if scope in {"GLOBAL", "PERSIST", "PERSIST_ONLY", "PASSWORD", "RESOURCE"} or (
        scope == "DEFAULT" and _word(statement, at + 1) == "ROLE"
    ):
        return [_one(Risk.CHANGE, statement, "changes a setting of the server or of a user")]
    if scope == "STATEMENT" and dialect == "mysql":
        end = next((index for index in range(at, len(statement)) if _word(statement, index) == "FOR"), None)
        if end is None:
            return [_one(Risk.UNKNOWN, statement, "lacks the statement that it is about")]
        return [
            *_assignments(statement, statement[at + 1 : end], names, dialect),
            *inner(statement[end + 1 :]),
        ]
    if scope in {"TRANSACTION", "CONSTRAINTS", "CHARACTERISTICS"} or (
        scope == "SESSION" and _word(statement, at + 1) in {"CHARACTERISTICS", "TRANSACTION"}
    ):
        return [_one(Risk.READ, statement, "says how the session's transactions are")]
    if scope in {"SESSION", "LOCAL"} and _mark(statement, at + 1) not in {"=", ":="}:
        at += 1
    if _word(statement, at) in {"ROLE", "AUTHORIZATION"}:
        return [_one(Risk.UNKNOWN, statement, "acts as another role")]
    if (_word(statement, at), _word(statement, at + 1)) in {("TIME", "ZONE"), ("CHARACTER", "SET")}:
        return [_one(Risk.READ, statement, "changes the session's time zone or characters")]
    return _assignments(statement, statement[at:], names, dialect)


def _assignments(
    whole: Sequence[Token], rest: Sequence[Token], names: re.Pattern[str], dialect: str
) -> list[Finding]:
    parts = _by_comma(rest) if dialect == "mysql" else [list(rest)]
    findings = [_assignment(whole, assigned, names, dialect) for assigned in parts]
    return [*findings, *call_findings(rest, dialect=dialect)]


def _assignment(
    whole: Sequence[Token], assigned: Sequence[Token], names: re.Pattern[str], dialect: str
) -> Finding:
    name = ""
    for token in assigned:
        if token.spaced and name and not name.endswith((".", "session", "local", "global")):
            break
        if token.kind == MARK and token.text != ".":
            break
        name += f" {token.value.lower()}" if token.spaced and not name.endswith(".") else token.value.lower()
    name = name.strip()
    if re.match(r"@@?(global|persist|persist_only)\.|(global|persist|persist_only) ", name):
        return _one(Risk.CHANGE, whole, "changes a setting of the server")
    if re.fullmatch(r"@\w[\w.$]*", name):
        return _one(Risk.READ, whole, "sets a variable of the session")
    name = re.sub(r"^@@((session|local)\.)?|^(session|local) ", "", name)
    if names.fullmatch(name):
        return _one(Risk.READ, whole, "changes a setting of the session")
    if dialect in {"hive", "spark"} and not any(token.text == "=" for token in assigned):
        return _one(Risk.READ, whole, "shows a setting")
    return _one(Risk.UNKNOWN, whole, "changes a setting that is not known to be harmless")


def _by_comma(rest: Sequence[Token]) -> Iterator[list[Token]]:
    piece: list[Token] = []
    level = 0
    for token in rest:
        mark = token.text if token.kind == MARK else ""
        level += (mark == "(") - (mark == ")")
        if mark == "," and level == 0:
            yield piece
            piece = []
        else:
            piece.append(token)
    yield piece


def judge_indirect(
    statement: Sequence[Token], inner: Inner, *, dialect: str, prepared: set[str]
) -> list[Finding] | None:
    """Judge what runs something else: a prepared statement, a text, a block; None if it is nothing of that kind."""
    word = statement[0].value
    if word == "PREPARE":
        return _judge_prepare(statement, inner, dialect=dialect, prepared=prepared)
    if word in {"EXECUTE", "EXEC"}:
        return _judge_execute(statement, inner, dialect=dialect, prepared=prepared)
    if word == "DECLARE":
        return _judge_declare(statement, inner, dialect=dialect)
    if word == "DO" and dialect == "mysql":
        return call_findings(statement, dialect=dialect) or [_one(Risk.READ, statement, "computes")]
    if word in {"DO", "CALL"} or not all(token.value in TRANSACTIONS for token in statement[:2]):
        found = _in_block(statement, inner, dialect=dialect)
        return [_one(Risk.UNKNOWN, statement, "runs code"), *found]
    return None


def _judge_prepare(
    statement: Sequence[Token], inner: Inner, *, dialect: str, prepared: set[str]
) -> list[Finding] | None:
    if _word(statement, 1) == "TRANSACTION":
        return None
    for at in range(1, len(statement)):
        if _word(statement, at) not in {"AS", "FROM"}:
            continue
        rest = statement[at + 1 :]
        if _word(statement, at) == "FROM" and dialect != "duckdb":
            if len(rest) != 1 or rest[0].kind != STRING:
                return [_one(Risk.UNKNOWN, statement, "prepares a text that is not known")]
            findings = judge_text(rest[0], inner, dialect=dialect)
        else:
            findings = inner(rest)
        if riskiest(findings) is Risk.READ:
            prepared.add(statement[1].value.upper())
        return findings
    return [_one(Risk.UNKNOWN, statement, "prepares what is not known")]


def _judge_execute(
    statement: Sequence[Token], inner: Inner, *, dialect: str, prepared: set[str]
) -> list[Finding] | None:
    texts = [token for token in statement if token.kind == STRING]
    if dialect == "tsql" and (name := _procedure(statement)):
        if name == "xp_cmdshell":
            return [_one(Risk.CHANGE, statement, "runs a program on the server")]
        if name in PROCEDURES and not any(token.kind == MARK and token.text == "(" for token in statement):
            return [_one(Risk.READ, statement, "shows")]
        if name == "sp_configure":
            return [
                _one(Risk.CHANGE if len(statement) > 2 else Risk.READ, statement, "shows or changes settings")
            ]
        if name not in {"sp_executesql", "sp_sqlexec"}:
            return [_one(Risk.UNKNOWN, statement, "runs a procedure that is not known to only read")]
    elif _word(statement, 1) != "IMMEDIATE" and len(statement) > 1 and statement[1].kind in {WORD, QUOTED}:
        if statement[1].value.upper() in prepared:
            calls = call_findings(statement[2:], dialect=dialect)
            return [_one(Risk.READ, statement, "runs what was prepared before"), *calls]
        return None
    findings = [finding for token in texts[:1] for finding in judge_text(token, inner, dialect=dialect)]
    ends = next((index for index, token in enumerate(statement) if token.kind == STRING), len(statement))
    literal = bool(texts) and _mark(statement, ends + 1) in {"", ")", ","} and not _mixed(statement[:ends])
    if dialect != "tsql":
        literal = literal and ends <= 2 and _mark(statement, ends + 1) == ""
    if not literal or any(_word(statement, at) == "AT" for at in range(ends, len(statement))):
        findings.append(_one(Risk.UNKNOWN, statement, "runs a text that is not known"))
    return findings


def _mixed(before: Sequence[Token]) -> bool:
    """Tell whether something stands before a text that is added to it."""
    return any(token.kind in {PARAMETER, NUMBER} or token.text in {"+", "|", "||"} for token in before)


def _procedure(statement: Sequence[Token]) -> str:
    """Return the name of the procedure that EXEC calls, without database and schema; empty where there is none."""
    at = 1
    if at < len(statement) and statement[at].kind == PARAMETER and _mark(statement, at + 1) == "=":
        at += 2
    name = ""
    while at < len(statement) and (statement[at].kind in {WORD, QUOTED} or _mark(statement, at) == "."):
        if statement[at].kind != MARK:
            if name and _mark(statement, at - 1) != ".":
                break
            name = statement[at].value.lower()
        at += 1
    return name


def _judge_declare(statement: Sequence[Token], inner: Inner, *, dialect: str) -> list[Finding] | None:
    for at in range(1, len(statement)):
        if _word(statement, at) in {"FOR", "IS"} and any(_word(statement, i) == "CURSOR" for i in range(at)):
            return inner(statement[at + 1 :])
    if dialect in {"tsql", "bigquery"}:
        columns = any(_word(statement, index) == "TABLE" for index in range(1, len(statement)))
        calls = [] if columns else call_findings(statement, dialect=dialect)
        return [_one(Risk.READ, statement, "declares a variable"), *calls]
    return [_one(Risk.UNKNOWN, statement, "runs code"), *_in_block(statement, inner, dialect=dialect)]


def judge_text(token: Token, inner: Inner, *, dialect: str) -> list[Finding]:
    """Judge a string that is run as SQL."""
    found = tokens(token.value, dialect=dialect)
    conditional = dialect == "mysql" and re.search(r"/\*M?!", token.value)
    if not found or found[-1].kind == BAD or conditional:
        return [Finding(risk=Risk.UNKNOWN, part=shown([token]), why="is a text that can't be read")]
    return [finding for statement in statements(found) for finding in inner(statement)]


def _in_block(statement: Sequence[Token], inner: Inner, *, dialect: str) -> list[Finding]:
    """Find what a block of code writes, so that it is not taken for something milder than it is."""
    findings: list[Finding] = []
    for at, token in enumerate(statement):
        if token.kind == STRING and statement[0].value == "DO":
            for piece in statements(tokens(token.value, dialect=dialect)):
                findings += _in_block(piece, inner, dialect=dialect)
                if _starts_writing(piece, 0):
                    findings += inner(piece)
        elif at and _starts_writing(statement, at):
            findings += inner(statement[at:])
            break
    return [finding for finding in findings if rank(finding.risk) > rank(Risk.UNKNOWN)]


def _starts_writing(statement: Sequence[Token], at: int) -> bool:
    before = _word(statement, at - 1) if at else ""
    return _word(statement, at) in _WRITES and before in _BEFORE_A_STATEMENT


def judge_copy(statement: Sequence[Token], inner: Inner) -> list[Finding]:
    """Judge COPY: out to the client is a read, anything else writes."""
    level = start = 0
    findings: list[Finding] = []
    for at, token in enumerate(statement):
        mark = token.text if token.kind == MARK else ""
        if mark == "(":
            level += 1
            start = at + 1 if level == 1 else start
        elif mark == ")":
            level -= 1
            if level == 0 and _word(statement, start) in _STARTS:
                findings += inner(statement[start:at])
        elif level == 0 and token.kind == WORD and token.value in {"TO", "FROM", "INTO"} and at:
            after = _word(statement, at + 1)
            if after == "PROGRAM":
                findings.append(_one(Risk.CHANGE, statement, "runs a program on the server"))
            elif token.value == "TO" and after == "STDOUT":
                findings.append(_one(Risk.READ, statement, "reads rows out"))
            elif token.value == "TO":
                findings.append(_one(Risk.CHANGE, statement, "writes a file"))
            else:
                findings.append(_one(Risk.CHANGE, statement, "adds rows"))
            break
    return findings or [_one(Risk.CHANGE, statement, "copies rows or files")]
