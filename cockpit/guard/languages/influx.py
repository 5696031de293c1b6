"""Judge InfluxQL by the first words of its statements."""

from __future__ import annotations

from cockpit.actions.command import Risk
from cockpit.guard.findings import Finding
from cockpit.guard.languages.lexer import BAD, LIMIT, MARK, WORD, Token, shown, starts, statements, tokens
from cockpit.guard.languages.words import effects

_STATEMENTS = effects(
    """
read: reads
SELECT SHOW EXPLAIN
read: is about the client alone
USE PRECISION FORMAT PRETTY CHUNKED HISTORY HELP EXIT QUIT SETTINGS
change: writes points
INSERT
change: changes databases, policies, users or rights
CREATE ALTER GRANT REVOKE SET
change: ends a query
KILL
destructive: deletes points, or what holds them
DROP DELETE
"""
)

_BEFORE_A_PATTERN = frozenset({"SELECT", "FROM", "BY", "WITH", "WHERE", "AND", "OR", "IN"})


def judge_influx(text: str) -> list[Finding]:
    """Judge every statement of a text."""
    if len(text) > LIMIT:
        return [Finding(risk=Risk.UNKNOWN, part=text[:200], why="is too long to be judged")]
    findings = [
        _judge(piece)
        for statement in statements(tokens(text, dialect="influxql"))
        for piece in starts(statement, of=_STATEMENTS)
    ]
    return findings or [Finding(risk=Risk.READ, part="", why="runs nothing")]


def _judge(statement: list[Token]) -> Finding:
    part = shown(statement)
    if statement[-1].kind == BAD or any(_is_odd_slash(statement, at) for at in range(len(statement))):
        return Finding(risk=Risk.UNKNOWN, part=part, why="can't be read")
    first = statement[0].value if statement[0].kind == WORD else ""
    risk, why = _STATEMENTS.get(first, (Risk.UNKNOWN, "is no statement that is known here"))
    said = {token.value for token in statement if token.kind == WORD}
    if first in {"SELECT", "EXPLAIN"} and "INTO" in said:
        return Finding(risk=Risk.CHANGE, part=part, why="writes what it finds into another measurement")
    return Finding(risk=risk, part=part, why=why)


def _is_odd_slash(statement: list[Token], at: int) -> bool:
    """Tell whether a slash may start a regular expression, in which a quote would start no string."""
    token = statement[at]
    if token.kind != MARK or token.text != "/":
        return False
    if at == 0 or (statement[at - 1].kind == MARK and statement[at - 1].text != ")"):
        return True
    return statement[at - 1].kind == WORD and statement[at - 1].value in _BEFORE_A_PATTERN
