"""Judge CQL, Cassandra's language, by the first words of its statements."""

from __future__ import annotations

from cockpit.actions.command import Risk
from cockpit.guard.findings import Finding
from cockpit.guard.languages.lexer import BAD, LIMIT, WORD, Token, shown, starts, statements, tokens
from cockpit.guard.languages.words import effects, words

_STATEMENTS = effects(
    """
read: reads
SELECT
read: shows, or changes the client's output
DESCRIBE DESC SHOW LIST USE CONSISTENCY SERIAL TRACING PAGING EXPAND EXIT QUIT HELP CLEAR CLS ELAPSED
change: writes rows
INSERT UPDATE DELETE BATCH
change: changes the schema or rights
CREATE ALTER GRANT REVOKE
destructive: drops, with what is in it
DROP TRUNCATE
unknown: runs a file
SOURCE
change: writes a file, or logs in
CAPTURE LOGIN UNICODE
"""
)
_FUNCTIONS = words(
    """
    COUNT MIN MAX SUM AVG TOKEN TTL WRITETIME MAXWRITETIME CAST NOW UUID CURRENTTIMESTAMP CURRENTDATE CURRENTTIME
    CURRENTTIMEUUID TODATE TOTIMESTAMP TOUNIXTIMESTAMP DATEOF UNIXTIMESTAMPOF MINTIMEUUID MAXTIMEUUID BLOBASTEXT
    TEXTASBLOB BLOBASINT INTASBLOB TOJSON FROMJSON ABS EXP LOG LOG10 ROUND IN VALUES AND LIKE CONTAINS KEY
    TO_DATE TO_TIMESTAMP TO_UNIX_TIMESTAMP MIN_TIMEUUID MAX_TIMEUUID CURRENT_TIMESTAMP CURRENT_DATE WHERE
    BY
    """
)
"""Functions that only read; anybody's own is unknown."""


def judge_cql(text: str) -> list[Finding]:
    """Judge every statement of a text."""
    if len(text) > LIMIT:
        return [Finding(risk=Risk.UNKNOWN, part=text[:200], why="is too long to be judged")]
    found = tokens(text, dialect="cql")
    findings: list[Finding] = []
    for statement in statements(found):
        for piece in starts(statement, of=_STATEMENTS):
            findings += _judge(piece)
    return findings or [Finding(risk=Risk.READ, part="", why="runs nothing")]


def _judge(statement: list[Token]) -> list[Finding]:
    part = shown(statement)
    if statement[-1].kind == BAD:
        return [Finding(risk=Risk.UNKNOWN, part=part, why="can't be read")]
    first = statement[0].value if statement[0].kind == WORD else ""
    said = {token.value for token in statement if token.kind == WORD}
    if first == "BEGIN" and "BATCH" in said:
        return [Finding(risk=Risk.CHANGE, part=part, why="writes rows")]
    if first == "APPLY" and "BATCH" in said:
        return [Finding(risk=Risk.READ, part=part, why="ends a batch")]
    if first == "COPY":
        if "FROM" not in said and [token.value for token in statement[-2:]] == ["TO", "STDOUT"]:
            return [Finding(risk=Risk.READ, part=part, why="reads")]
        why = "adds rows" if "FROM" in said else "writes a file"
        return [Finding(risk=Risk.CHANGE, part=part, why=why)]
    if first == "ALTER" and "DROP" in said:
        return [Finding(risk=Risk.DESTRUCTIVE, part=part, why="drops a column")]
    if first in {"UPDATE", "DELETE"} and "WHERE" not in said:
        return [Finding(risk=Risk.DESTRUCTIVE, part=part, why="changes every row: it has no WHERE")]
    risk, why = _STATEMENTS.get(first, (Risk.UNKNOWN, "is no statement that is known here"))
    findings = [Finding(risk=risk, part=part, why=why)]
    for at in range(1, len(statement)):
        called = statement[at].text == "(" and statement[at - 1].kind == WORD
        if risk is Risk.READ and called and statement[at - 1].value not in _FUNCTIONS:
            why = "calls a function that is not known to only read"
            findings.append(Finding(risk=Risk.UNKNOWN, part=f"{statement[at - 1].text}(", why=why))
    return findings
