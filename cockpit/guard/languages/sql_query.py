"""Judge one query or change of rows by its syntax tree: by what is known to read, not by what is known to harm."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from cockpit.actions.command import Risk
from cockpit.guard.findings import Finding
from cockpit.guard.languages.lexer import DEPTH, MARK, QUOTED, WORD, Token, depth, rendered, shown
from cockpit.guard.languages.sql_effects import EFFECTS
from cockpit.guard.languages.sql_nodes import HINTS_TSQL, NOT_READING, READING, SYNTAX, TYPES
from cockpit.guard.languages.sql_readers import PACKAGED, QUALIFIED, READERS

if TYPE_CHECKING:
    from sqlglot import exp

STRICT = frozenset({"postgres", "mysql", "tsql", "oracle"})
"""Dialects in which anybody's function may write, so that the parser's wide knowledge of names is not enough."""
_METHODS = {
    "tsql": frozenset({"value", "query", "exist", "nodes"}),
    "oracle": frozenset({"getclobval", "getstringval", "getnumberval", "extract", "existsnode"}),
}
_HINTS = {"UPDLOCK", "XLOCK", "TABLOCKX", "TABLOCK", "HOLDLOCK", "SERIALIZABLE", "PAGLOCK"}
_COMBINATOR = re.compile(
    r"(?<=\w)(if|ornull|ordefault|distinct|array|map|state|simplestate|merge|foreach|resample)\Z"
)
_MOST = 4_000
"""Tokens of a statement that a parser is given; it takes a tenth of a millisecond for ten of them."""


@lru_cache(maxsize=16)
def known_functions(dialect: str) -> frozenset[str]:
    """Return the names, in small letters, of functions that only read."""
    names = READERS[dialect]
    if dialect in STRICT or dialect == "sqlite":
        return names
    from sqlglot.dialects.dialect import Dialect

    parser = Dialect.get_or_raise(dialect).parser_class
    typed = {name.lower() for name, build in parser.FUNCTIONS.items() if not _excluded(build)}
    return names | typed | {name.lower() for name in parser.FUNCTION_PARSERS if name != "PREDICT"}


def _excluded(build: object) -> bool:
    owner = getattr(build, "__self__", None)
    return getattr(owner, "__name__", "") in NOT_READING


def calls(statement: Sequence[Token]) -> Iterator[tuple[int, str, str]]:
    """Yield what is called: its position, what stands before its dot, and its name, in small letters."""
    for at in range(1, len(statement)):
        token = statement[at]
        if token.kind != MARK or token.text != "(" or statement[at - 1].kind not in {WORD, QUOTED}:
            continue
        name = statement[at - 1]
        owner = ""
        if at >= 3 and statement[at - 2].text == "." and statement[at - 2].kind == MARK:
            owner = statement[at - 3].value.lower()
        yield at - 1, owner, name.value.lower()


def call_findings(
    statement: Sequence[Token], *, dialect: str, declared: frozenset[str] = frozenset()
) -> list[Finding]:
    """Return a finding for each function that has an effect or is not known, by what is written.

    Args:
        statement: The tokens.
        dialect: Whose functions.
        declared: Names that the statement itself gives to something with columns in parentheses.
    """
    effects, known = EFFECTS[dialect], known_functions(dialect)
    findings: list[Finding] = []
    for at, owner, name in calls(statement):
        effect = effects.get(f"{owner}.{name}") or effects.get(name)
        if effect is not None:
            findings.append(Finding(risk=effect[0], part=_call(statement, at), why=effect[1]))
            continue
        token = statement[at]
        if not owner and token.kind == WORD and (token.value in SYNTAX or token.value in TYPES):
            continue
        if not owner and (name in declared or _is_target(statement, at)):
            continue
        if owner and _is_qualified(dialect, owner, name):
            continue
        if not owner and name in known:
            continue
        if owner and dialect in {"duckdb"} and name in known:
            continue
        if owner and _is_target(statement, at - 2):
            continue
        if _is_no_call(statement, at, dialect) or (dialect == "clickhouse" and _is_combined(name)):
            continue
        why = "calls a function that is not known to only read"
        findings.append(Finding(risk=Risk.UNKNOWN, part=_call(statement, at), why=why))
    return findings


def _is_no_call(statement: Sequence[Token], at: int, dialect: str) -> bool:
    """Tell whether a parenthesis holds a table's hint, or Oracle's `(+)` of an outer join."""
    if at + 3 >= len(statement) or statement[at + 3].text != ")":
        return False
    inside = statement[at + 2]
    if dialect == "oracle":
        return inside.text == "+"
    return dialect == "tsql" and inside.kind == WORD and inside.value in HINTS_TSQL


def _is_combined(name: str) -> bool:
    """Tell whether a name is one of ClickHouse's aggregates with what can be put behind their names."""
    known = known_functions("clickhouse")
    while (base := _COMBINATOR.sub("", name)) != name:
        if base in known:
            return True
        name = base
    return False


def _is_qualified(dialect: str, owner: str, name: str) -> bool:
    if f"{owner}.{name}" in PACKAGED or name in _METHODS.get(dialect, ()):
        return True
    return owner in QUALIFIED[dialect] and name in known_functions(dialect)


def _is_target(statement: Sequence[Token], at: int) -> bool:
    """Tell whether a name with columns in parentheses is what a statement writes into."""
    while at >= 2 and statement[at - 1].text == "." and statement[at - 1].kind == MARK:
        at -= 2
    return (
        at >= 1
        and statement[at - 1].kind == WORD
        and statement[at - 1].value in {"INTO", "INSERT", "REPLACE"}
    )


def _call(statement: Sequence[Token], at: int) -> str:
    start = at
    while start >= 2 and statement[start - 1].text == "." and statement[start - 1].kind == MARK:
        start -= 2
    level = 0
    for end in range(at + 1, len(statement)):
        if statement[end].kind == MARK:
            level += (statement[end].text == "(") - (statement[end].text == ")")
        if level == 0:
            return shown(statement[start : end + 1])
    return shown(statement[start:])


def written_findings(statement: Sequence[Token], *, dialect: str) -> list[Finding]:
    """Return what the words of a query say besides its tree: files it writes, locks it takes, sequences it moves."""
    findings: list[Finding] = []
    words = [token.value if token.kind == WORD else "" for token in statement]
    part = shown(statement)

    def add(risk: Risk, why: str) -> None:
        findings.append(Finding(risk=risk, part=part, why=why))

    for at, word in enumerate(words):
        after = words[at + 1] if at + 1 < len(words) else ""
        if word == "INTO" and after in {"OUTFILE", "DUMPFILE"}:
            add(Risk.CHANGE, "writes a file")
        elif (
            word == "FOR" and after in {"UPDATE", "SHARE", "NO", "KEY"} and dialect not in {"tsql", "sqlite"}
        ) or (word == "LOCK" and after == "IN"):
            add(Risk.CHANGE, "locks the rows that it reads")
        elif (word == "NEXT" and after == "VALUE" and words[at + 2 : at + 3] == ["FOR"]) or (
            word == "NEXTVAL" and at and statement[at - 1].text == "."
        ):
            add(Risk.CHANGE, "moves a sequence")
        elif word in _HINTS and dialect == "tsql" and at and statement[at - 1].text in {"(", ","}:
            add(Risk.CHANGE, "locks what it reads")
    return findings


def judge_query(statement: Sequence[Token], *, dialect: str) -> list[Finding]:
    """Judge a query, or a statement that changes rows, by its tree and by its words."""
    part = shown(statement)
    tree = _parse(statement, dialect=dialect)
    if isinstance(tree, str):
        return judge_words(statement, tree, dialect=dialect)
    try:
        found = _Walk(tree, part=part, dialect=dialect).findings()
        declared = _declared(tree)
    except RecursionError:
        return judge_words(statement, "is nested too deeply to be judged", dialect=dialect)
    found += written_findings(statement, dialect=dialect)
    found += call_findings(statement, dialect=dialect, declared=declared)
    return found or [Finding(risk=Risk.READ, part=part, why="reads")]


def judge_words(statement: Sequence[Token], why: str, *, dialect: str) -> list[Finding]:
    """Judge by its words alone a query that was not parsed, for a reason that is given: unknown, if not worse."""
    grave = [call for call in call_findings(statement, dialect=dialect) if call.risk is not Risk.UNKNOWN]
    unparsed = Finding(risk=Risk.UNKNOWN, part=shown(statement), why=why)
    return [unparsed, *_unparsed(statement), *written_findings(statement, dialect=dialect), *grave]


def _parse(statement: Sequence[Token], *, dialect: str) -> exp.Expr | str:
    """Return the tree, or why there is none."""
    if len(statement) > _MOST:
        return "is too long to be judged"
    if depth(statement) > DEPTH:
        return "is nested too deeply to be judged"
    import sqlglot
    from sqlglot.errors import ErrorLevel, SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of what is judged unknown here anyway
    try:
        trees = sqlglot.parse(
            rendered(statement, dialect=dialect), read=dialect, error_level=ErrorLevel.IMMEDIATE
        )
    except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        return "could not be parsed"
    if len(trees) != 1 or trees[0] is None:
        return "could not be parsed as one statement"
    if type(trees[0]).__name__ == "Command":
        return "could not be parsed"
    return trees[0]


def _unparsed(statement: Sequence[Token]) -> list[Finding]:
    """Judge by its words what no parser understood: a word that writes is not excused by a strange rest."""
    part = shown(statement)
    words = [token.value for token in statement if token.kind == WORD]
    findings: list[Finding] = []
    for word, why in (("INSERT", "adds rows"), ("REPLACE", "replaces rows"), ("MERGE", "merges rows")):
        if word in words[:1]:
            findings.append(Finding(risk=Risk.CHANGE, part=part, why=why))
    for at, token in enumerate(statement):
        if at and token.kind == WORD and token.value == "OVERWRITE":
            findings.append(Finding(risk=Risk.DESTRUCTIVE, part=part, why="replaces every row"))
        if token.kind != WORD or token.value not in {"DELETE", "UPDATE"}:
            continue
        if at and (before := statement[at - 1]).kind == WORD and before.value in {"FOR", "ON", "KEY", "DO"}:
            continue
        if (at + 1 < len(statement) and statement[at + 1].kind == WORD) or at == 0:
            bounded = "WHERE" in words
            what = "deletes" if token.value == "DELETE" else "changes"
            why = f"{what} rows" if bounded else f"{what} every row: it has no WHERE"
            risk = Risk.CHANGE if bounded else Risk.DESTRUCTIVE
            findings.append(Finding(risk=risk, part=part, why=why))
    return findings


def _declared(tree: exp.Expr) -> frozenset[str]:
    from sqlglot import exp

    return frozenset(
        alias.name.lower()
        for alias in tree.find_all(exp.TableAlias)
        if alias.args.get("columns") and alias.name
    )


class _Walk:
    """Walks a tree and finds what does not only read."""

    def __init__(self, tree: exp.Expr, *, part: str, dialect: str) -> None:
        self._tree = tree
        self._part = part
        self._dialect = dialect
        self._found: list[Finding] = []

    def findings(self) -> list[Finding]:
        """Return a finding for each node that does not only read."""
        from sqlglot import exp

        for node in self._tree.walk():
            name = type(node).__name__
            if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
                self._anonymous(node.name)
            elif isinstance(node, exp.Func):
                if name in NOT_READING:
                    self._add(Risk.UNKNOWN, f"uses {_plain(name)}, which is not known to only read")
            elif isinstance(node, exp.DML | exp.Merge | exp.MultitableInserts) or name in {
                "Insert",
                "Update",
            }:
                self._change(node)
            elif isinstance(node, exp.Into):
                if not isinstance(node.this, exp.Table) or not isinstance(node.this.this, exp.Parameter):
                    self._add(Risk.CHANGE, "makes a table of what it finds")
            elif isinstance(node, exp.Lock):
                self._add(Risk.CHANGE, "locks the rows that it reads")
            elif name not in READING and not self._within_change(node):
                self._add(Risk.UNKNOWN, f"holds {_plain(name)}, which is not known to only read")
        return self._found

    def _anonymous(self, name: str) -> None:
        """Judge a function that is named like a word of the grammar; all others are judged as they are written."""
        grammar = name.upper() in SYNTAX or name.upper() in TYPES
        if grammar and name.lower() not in known_functions(self._dialect):
            self._add(Risk.UNKNOWN, f"calls {name.lower()}, which is not known to only read")

    def _add(self, risk: Risk, why: str) -> None:
        if all(finding.why != why for finding in self._found):
            self._found.append(Finding(risk=risk, part=self._part, why=why))

    def _within_change(self, node: exp.Expr) -> bool:
        from sqlglot import exp

        return node.find_ancestor(exp.Insert, exp.Update, exp.Delete, exp.Merge) is not None

    def _change(self, node: exp.Expr) -> None:
        from sqlglot import exp

        table = node.find(exp.Table)
        of = f" of {table.name}" if table is not None and table.name else ""
        if isinstance(node, exp.Delete | exp.Update):
            what = "deletes" if isinstance(node, exp.Delete) else "changes"
            where = node.args.get("where")
            if isinstance(node.parent, exp.When):
                self._add(Risk.CHANGE, f"{what} rows{of}")
            elif where is None:
                self._add(Risk.DESTRUCTIVE, f"{what} every row{of}: it has no WHERE")
            elif always(where.this):
                self._add(Risk.DESTRUCTIVE, f"{what} every row{of}: its WHERE is always true")
            else:
                self._add(Risk.CHANGE, f"{what} rows{of}")
        elif isinstance(node, exp.Insert):
            if node.args.get("overwrite"):
                self._add(Risk.DESTRUCTIVE, f"replaces every row{of}")
            elif not isinstance(node.parent, exp.When):
                self._add(Risk.CHANGE, f"adds rows to {table.name if table is not None else 'a table'}")
        else:
            self._add(Risk.CHANGE, f"merges rows into {table.name if table is not None else 'a table'}")


def _plain(name: str) -> str:
    return "".join(f" {char.lower()}" if char.isupper() else char for char in name).strip()


def always(condition: exp.Expr) -> bool:
    """Tell whether a condition holds for every row, as far as that can be seen without the rows."""
    from sqlglot import exp

    if isinstance(condition, exp.Paren):
        return always(condition.this)
    if isinstance(condition, exp.Or):
        sides = list(condition.flatten())
        opposite = {_written(side.this) for side in sides if isinstance(side, exp.Not)}
        return any(always(side) for side in sides) or any(_written(side) in opposite for side in sides)
    if isinstance(condition, exp.And):
        return all(always(side) for side in condition.flatten())
    if isinstance(condition, exp.Like | exp.ILike | exp.Glob):
        pattern = condition.expression
        if isinstance(pattern, exp.Literal) and pattern.name.strip("%*") == "":
            return bool(pattern.name)
    same = isinstance(condition, exp.EQ | exp.GTE | exp.LTE | exp.NullSafeEQ | exp.Is | exp.Like)
    if same and _written(condition.this) == _written(condition.expression):
        return True
    rows = (exp.Column, exp.Placeholder, exp.Parameter, exp.SessionParameter, exp.From)
    if condition.find(*rows) is None:
        return constant(condition) is not False
    return False


def _written(side: exp.Expr) -> str:
    """Return what can be compared with another side: as servers do, without regard to case."""
    return side.unnest().sql().lower()


def constant(condition: exp.Expr) -> bool | None:
    """Return what a condition without columns comes to, or None where it would have to be computed."""
    from sqlglot import exp

    if isinstance(condition, exp.Paren):
        return constant(condition.this)
    if isinstance(condition, exp.Boolean):
        return bool(condition.this)
    if isinstance(condition, exp.Null):
        return False
    if isinstance(condition, exp.Not):
        inner = constant(condition.this)
        return None if inner is None else not inner
    if isinstance(condition, exp.Literal):
        return condition.name.strip("0. ") != ""
    if isinstance(condition, exp.EQ | exp.NEQ):
        left, right = condition.this, condition.expression
        if isinstance(left, exp.Literal) and isinstance(right, exp.Literal):
            return (left == right) is isinstance(condition, exp.EQ)
    return None
