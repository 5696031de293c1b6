"""Judge SQL: what each statement of a text may do to the database.

A statement is cut out by its server's own rules (`lexer`), judged by its first words (`sql_statements`), and by its
syntax tree where it is a query or changes rows (`sql_query`). What is known to read is a read; the rest is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from cockpit.actions.command import Risk
from cockpit.guard.findings import Finding, rank, riskiest
from cockpit.guard.languages import sql_session
from cockpit.guard.languages.lexer import BAD, LIMIT, MARK, WORD, Token, lines, shown, statements, tokens
from cockpit.guard.languages.mysql_comments import variants
from cockpit.guard.languages.sql_alter import judge_alter, judge_create
from cockpit.guard.languages.sql_nodes import RESERVED_TSQL
from cockpit.guard.languages.sql_query import call_findings, judge_query, judge_words
from cockpit.guard.languages.sql_statements import RULES, TRANSACTIONS
from cockpit.guard.languages.words import words

DIALECTS = frozenset(RULES)
"""Dialects that are judged; every other one is unknown."""
ALIASES = {
    "postgresql": "postgres",
    "redshift": "postgres",
    "cockroachdb": "postgres",
    "mariadb": "mysql",
    "sqlite3": "sqlite",
    "mssql": "tsql",
    "databricks": "spark",
}
_QUERIES = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE"})
_MORE_QUERIES = {
    "duckdb": frozenset({"FROM", "PIVOT", "UNPIVOT", "SUMMARIZE"}),
    "hive": frozenset({"FROM"}),
    "spark": frozenset({"FROM"}),
}
_NO_TABLE = frozenset({"sqlite", "tsql", "oracle", "clickhouse", "bigquery"})
_LINES_ORACLE = words(
    "SET DEFINE COLUMN SHOW DESC DESCRIBE PROMPT SPOOL HOST START REM VARIABLE ACCEPT WHENEVER CONNECT"
)
"""Commands of Oracle's client that end with their line."""
_MOST = 400
"""Statements of a text that are parsed."""
_REPAIRS = frozenset({"REPAIR_ALLOW_DATA_LOSS", "REPAIR_FAST", "REPAIR_REBUILD"})
_NESTING = 8
"""Statements within statements that are followed."""


class Session(Struct):
    """What statements of one script share.

    Attributes:
        prepared: Names of prepared statements that read.
        statements: How many there were.
    """

    prepared: set[str] = set()
    statements: int = 0


def judge_sql(text: str, *, dialect: str) -> list[Finding]:
    """Judge every statement of a text.

    Args:
        text: SQL as the server gets it.
        dialect: Whose, by the parser's name for it, such as `postgres` or `tsql`.

    Returns:
        At least one finding a statement; the riskiest decides. Nothing at all to run is a read.
    """
    dialect = ALIASES.get(dialect, dialect)
    if dialect not in DIALECTS:
        return [_unknown(text, f"is SQL of {dialect or 'no named dialect'}, which is not known here")]
    if len(text) > LIMIT:
        return [_unknown(text[:LIMIT], "is too long to be judged")]
    if dialect == "mysql" and "/*" in text:
        return _judge_variants(text)
    return judge_tokens(tokens(text, dialect=dialect), dialect=dialect)


def _judge_variants(text: str) -> list[Finding]:
    """Judge MySQL's text with its conditional comments run and not run, since versions differ about each."""
    found, complete = variants(text)
    judged = [judge_tokens(tokens(variant, dialect="mysql"), dialect="mysql") for variant in found]
    worst = max(judged, key=lambda findings: rank(riskiest(findings)), default=[])
    if not complete:
        worst = [*worst, _unknown(text, "holds comments that versions of the server run differently")]
    return worst


def judge_tokens(
    found: Sequence[Token], *, dialect: str, whole: bool = False, session: Session | None = None
) -> list[Finding]:
    """Judge statements that were cut into tokens already.

    Args:
        found: The tokens.
        dialect: Whose.
        whole: Whether they are one statement, whatever semicolons are in it, as a client's delimiter says.
        session: What earlier pieces of the same script left behind.
    """
    if not found:
        return [Finding(risk=Risk.READ, part="", why="runs nothing")]
    if found[-1].kind == BAD:
        cut = found[:-1]
        rest = _unknown(
            found[-1].text, "can't be read: a string or comment that does not end, or a strange character"
        )
        return [*(judge_tokens(cut, dialect=dialect, session=session) if cut else ()), rest]
    findings: list[Finding] = []
    session = session or Session()
    for statement in [list(found)] if whole else statements(found):
        for piece in _pieces(statement, dialect):
            session.statements += 1
            if session.statements > _MOST and piece[0].value in _QUERIES:
                findings += judge_words(piece, "comes after too many others to be parsed", dialect=dialect)
            else:
                findings += _judge(piece, dialect=dialect, level=0, prepared=session.prepared)
    findings = list(dict.fromkeys(findings))
    return findings or [Finding(risk=Risk.READ, part="", why="runs nothing")]


def _pieces(statement: list[Token], dialect: str) -> Iterator[list[Token]]:
    """Cut where another statement starts without a semicolon before it, as some servers and clients allow."""
    if dialect == "tsql":
        yield from _batches(statement)
    elif dialect == "oracle" and statement[0].value in _LINES_ORACLE:
        yield from _client_lines(statement)
    else:
        yield statement


def _client_lines(statement: Sequence[Token]) -> Iterator[list[Token]]:
    """Cut off the lines that are commands of Oracle's client; what follows them is a statement."""
    rest: list[Token] = []
    for line in lines(statement):
        if not rest and line[0].value in _LINES_ORACLE:
            yield line
        else:
            rest += line
    if rest:
        yield rest


def _batches(statement: Sequence[Token]) -> Iterator[list[Token]]:
    """Cut SQL Server's text where another statement starts."""
    piece: list[Token] = []
    level = 0
    defines = statement[0].value in {"CREATE", "ALTER", "GRANT", "DENY", "REVOKE", "BACKUP", "RESTORE"}
    for token in statement:
        if token.kind == MARK:
            level += (token.text == "(") - (token.text == ")")
            if token.fresh and token.text in {":", "!"} and piece:
                yield piece  # a command of the client
                piece = []
        starts = token.kind == WORD and level == 0 and piece and not defines
        if starts and token.value == "GO" and token.spaced:
            yield piece
            piece, defines = [], False
            continue
        if starts and token.value in RESERVED_TSQL and not _continues(token.value, piece):
            yield piece
            piece = []
        piece.append(token)
    if piece:
        yield piece


def _continues(word: str, piece: Sequence[Token]) -> bool:
    """Tell whether a word that starts statements belongs to the one before it."""
    first, last = piece[0].value, piece[-1]
    before = last.value if last.kind == WORD else ""
    if before in {"FOR", "AS", "BULK"} or last.text == ".":
        return True
    if word == "FETCH":
        return before in {"ROW", "ROWS"}
    if word == "SELECT":
        return before in {"UNION", "ALL", "EXCEPT", "INTERSECT"} or first in {"INSERT", "MERGE", "WITH"}
    if word == "SET":
        return first in {"UPDATE", "MERGE"}
    if word in {"EXEC", "EXECUTE"}:
        return first == "INSERT"
    if first == "WITH" and last.text == ")":
        return word in {"UPDATE", "DELETE", "INSERT", "MERGE"}
    return word in {"UPDATE", "DELETE", "INSERT"} and first == "MERGE"


def _judge(statement: Sequence[Token], *, dialect: str, level: int, prepared: set[str]) -> list[Finding]:
    """Judge one statement."""
    if level > _NESTING:
        return [_unknown(shown(statement), "is nested too deeply to be judged")]
    first = statement[0]
    word = first.value if first.kind == WORD else ""

    def inner(rest: Sequence[Token]) -> list[Finding]:
        if not rest:
            return [_unknown(shown(statement), "lacks the statement that it is about")]
        return _judge(rest, dialect=dialect, level=level + 1, prepared=prepared)

    if (first.kind == MARK and first.text == "(") or word in _MORE_QUERIES.get(dialect, ()):
        return judge_query(statement, dialect=dialect)
    if word in _QUERIES:
        special = sql_session.special(statement, dialect=dialect)
        if special is not None:
            return special
        if not (word == "TABLE" and dialect in _NO_TABLE):
            return judge_query(statement, dialect=dialect)
    if word in {"EXPLAIN", "DESCRIBE", "DESC"} or (word == "ANALYZE" and _analyzes(statement, dialect)):
        return sql_session.judge_explain(statement, inner, dialect=dialect)
    if word == "PRAGMA":
        return [sql_session.judge_pragma(statement, dialect=dialect)]
    if word == "SET" or (word == "ALTER" and _word(statement, 1) == "SESSION"):
        return [*sql_session.judge_set(statement, inner, dialect=dialect), *_strays(statement)]
    if word in {"PREPARE", "EXECUTE", "EXEC", "DECLARE", "DO", "CALL", "BEGIN", "IF", "WHILE"}:
        special_findings = sql_session.judge_indirect(statement, inner, dialect=dialect, prepared=prepared)
        if special_findings is not None:
            return special_findings
    if word == "COPY":
        return sql_session.judge_copy(statement, inner)
    if word == "ALTER":
        return judge_alter(statement, dialect=dialect)
    if word == "CREATE":
        return judge_create(statement, inner, dialect=dialect)
    return _by_rule(statement, dialect=dialect)


def _by_rule(statement: Sequence[Token], *, dialect: str) -> list[Finding]:
    """Judge a statement by its first words."""
    part = shown(statement)
    start: list[str] = []
    for token in statement[:4]:
        if token.kind != WORD:
            break
        start.append(token.value)
    rules = RULES[dialect]
    while start and " ".join(start) not in rules:
        start.pop()
    if not start:
        return [_unknown(part, "is no statement that is known here")]
    risk, why = rules[" ".join(start)]
    findings = [Finding(risk=risk, part=part, why=why)]
    if risk is not Risk.READ:
        return findings
    if start[0] in TRANSACTIONS and not _is_transaction(statement):
        return [_unknown(part, "says more than what is known about transactions")]
    if start[0] == "DBCC":
        return [*findings, *_strays(statement)]
    return [*findings, *call_findings(statement, dialect=dialect), *_strays(statement)]


def _strays(statement: Sequence[Token]) -> list[Finding]:
    """Find a word that writes in a statement that should only show something."""
    strange = {"DELETE", "INSERT", "UPDATE", "DROP", "TRUNCATE", "INTO", "OUTFILE", "CLEAR", *_REPAIRS}
    if statement[0].value != "SHOW":
        strange.add("TRIGGER")
    if any(token.kind == WORD and token.value in strange for token in statement[1:]):
        return [_unknown(shown(statement), "holds a word that writes")]
    return []


def _is_transaction(statement: Sequence[Token]) -> bool:
    names = [token for token in statement if token.kind != WORD or token.value not in TRANSACTIONS]
    names = [token for token in names if token.kind != MARK or token.text != ","]
    return len(names) <= 1 and all(token.kind != MARK for token in names)


def _analyzes(statement: Sequence[Token], dialect: str) -> bool:
    """Tell MariaDB's `ANALYZE SELECT …` from the gathering of statistics."""
    return dialect == "mysql" and _word(statement, 1) in {*_QUERIES, "FORMAT"} - {"TABLE"}


def _word(statement: Sequence[Token], at: int) -> str:
    return statement[at].value if at < len(statement) and statement[at].kind == WORD else ""


def _unknown(part: str, why: str) -> Finding:
    return Finding(risk=Risk.UNKNOWN, part=" ".join(part.split())[:400], why=why)
