"""Which SQL may run: one statement that reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cockpit.errors import Refused, UsageError
from cockpit.stores.logs.sql.engine import engine
from cockpit.stores.logs.sql.faults import mapped

if TYPE_CHECKING:
    import duckdb

LONGEST = 1 << 16
"""Characters of a statement."""
_EXPLAIN = re.compile(r"\s*explain\s*(?:analyze\b|\([^)]*\))?", re.IGNORECASE)
_STRINGS = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_TOKENS = re.compile(r'"(?:[^"]|"")*"|' + _STRINGS.pattern, re.DOTALL)
_AFTER_TABLE = frozenset(
    ("where", "group", "order", "limit", "having", "union", "join", "left", "right", "inner", "full", "on", "using",
     "qualify", "offset", "intersect", "except")
)  # fmt: skip
"""What may follow a table's name that is no alias."""
_COUNT = re.compile(r"count\s*\(\s*\*\s*\)", re.IGNORECASE)
_WORD = re.compile(r'"((?:[^"]|"")*)"|([^\W\d][\w$]*)')


def check_statement(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Let one reading statement pass.

    Raises:
        UsageError: It can't be understood, or is not one statement.
        Refused: It does something other than reading.
    """
    if len(sql) > LONGEST:
        raise UsageError(f"the statement is longer than {LONGEST:,} characters")
    if "\0" in sql:
        raise UsageError("the statement has a zero character in it")
    with mapped(sql):
        statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise UsageError(f"{len(statements)} statements instead of one", remedy="give one SELECT")
    kind, kinds = statements[0].type, engine().StatementType
    if kind == kinds.EXPLAIN:
        inner = _EXPLAIN.sub("", _STRINGS.sub(_blank, sql), count=1)
        place = len(sql) - len(inner)
        with mapped(sql):
            explained = connection.extract_statements(sql[place:])
        kind = explained[0].type if len(explained) == 1 else kind
    if kind == kinds.MULTI:
        raise UsageError(
            "this needs several statements", remedy="give PIVOT its values: PIVOT … ON x IN ('a', 'b')"
        )
    if kind != kinds.SELECT:
        name = str(kind).rpartition(".")[2]
        raise Refused(
            f"{name} is no statement that only reads",
            remedy="use SELECT, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN",
        )


def _blank(found: re.Match[str]) -> str:
    """Keep a comment's or a text's length, so that places stay what they are."""
    return " " * len(found[0])


def columns_asked(sql: str, tables: frozenset[str]) -> frozenset[str] | None:
    """Return the words of a statement that may be columns, in lower case; None where all columns may be meant.

    It is told from the words alone, and rather too many: nothing that is left out may be needed. Whatever is not
    plainly a table's name after FROM or JOIN, without an alias, means all of them.

    Args:
        sql: The statement.
        tables: The names of the tables.
    """
    if any(mark in sql for mark in ("\\", "$", "/*")):  # other ways to write texts and comments
        return None
    text = _COUNT.sub("count()", _TOKENS.sub(_without_texts, sql))
    if "*" in text or re.search(r"\(\s*(?:from|table|summarize|describe|show)\b", text, re.IGNORECASE):
        return None
    found = [
        (each[1].replace('""', '"') if each[1] is not None else each[2]).lower()
        for each in _WORD.finditer(text)
    ]
    if not found or found[0] not in ("select", "with") or {"columns", "unpack", "natural"} & set(found):
        return None
    lowered = {table.lower() for table in tables}
    for before, word, after in zip(found, found[1:], [*found[2:], "where"], strict=False):
        if word in lowered and not (before in ("from", "join") and after in _AFTER_TABLE):
            return None
    return frozenset(found)


def _without_texts(found: re.Match[str]) -> str:
    """Take out texts and comments; names in quotes stay."""
    return found[0] if found[0].startswith('"') else " "
