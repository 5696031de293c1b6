"""The index for searching: which words stand in a command, its reason, its notes and the beginning of its output.

It is an FTS5 table without content of its own (https://sqlite.org/fts5.html#contentless_tables): a row per record,
the record's position as its rowid, so that newest first is the order it is kept in. Triggers index what is plain
text; output, which is compressed, is indexed by whoever writes it. The index is no part of the chain, and `rebuild`
makes it anew from the records.

A filter that a common word goes with would make a search go through a million rows, so what is filtered by is a word
too, in the column `facets`: a letter and the hexadecimal of the value, and the day, month and year of the action.
"""

# ruff: noqa: S608  all SQL here is of our own words
from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cockpit.actionlog.capture import unpack
from cockpit.actionlog.plain import words
from cockpit.errors import UsageError

if TYPE_CHECKING:
    from sqlite_utils import Database

    from cockpit.actionlog.filters import Filter

SEARCHED = 64 * 1024
"""Bytes of each action's output that are indexed, from its beginning."""
SEARCHED_OF_SHELLS = 16 << 20
"""The same of an interactive shell's."""
MOST_WORDS = 32
"""Words that a search may have."""

TABLE = (
    "create virtual table search using fts5(command, reason, note, output, facets, content = '', columnsize = 0, "
    "tokenize = 'unicode61 remove_diacritics 2')"
)


def _facets(row: str) -> str:
    """Return SQL for what an action, a row of that name, is filtered by."""
    return (
        f"'s' || {row}.session || ' k' || hex({row}.kind) || ' r' || hex({row}.risk) || ' t' || hex({row}.target) "
        f"|| coalesce(' i' || hex({row}.incident), '') "
        f"|| strftime(' d%Y%m%d m%Y%m y%Y', {row}.started_ns / 1000000000, 'unixepoch')"
    )


def _own_facets(row: str) -> str:
    """Return SQL for what a note or evidence is filtered by, where it is about no action."""
    return (
        f"'s' || {row}.session || coalesce(' i' || hex({row}.incident), '') "
        f"|| strftime(' d%Y%m%d m%Y%m y%Y', {row}.at_ns / 1000000000, 'unixepoch')"
    )


def _inserts(row: str) -> dict[str, tuple[str, str]]:
    """Return, for each table that is plain text, the columns that a row of it fills and SQL for their values."""
    argv = f"(select group_concat(value, ' ') from json_each({row}.argv))"
    why = " || ' ' || ".join(f"coalesce({row}.{name}, '')" for name in ("reason", "ticket", "incident"))
    of_action = f"(select {_facets('actions')} from actions where id = {row}.action)"
    return {
        "actions": (
            "rowid, command, reason, facets",
            f"{row}.position, coalesce({row}.shell, {argv}), {why}, {_facets(row)}",
        ),
        "notes": (
            "rowid, note, facets",
            f"{row}.position, {row}.text, coalesce({of_action}, {_own_facets(row)})",
        ),
        "evidence": (
            "rowid, note, facets",
            f"{row}.position, {row}.title || ' ' || coalesce({row}.query, ''), {_own_facets(row)}",
        ),
    }


def triggers() -> Iterator[str]:
    """Yield the SQL of the triggers that index what is written."""
    for table, (columns, values) in _inserts("new").items():
        yield (
            f"create trigger {table}_search after insert on {table} begin "
            f"insert into search ({columns}) values ({values}); end"
        )


def add_output(db: Database, position: int, action: str, text: str) -> None:
    """Index a piece of output, the record at that position, within a transaction."""
    db.execute(
        f"insert into search (rowid, output, facets) select ?, ?, {_facets('actions')} from actions where id = ?",
        [position, text, action],
    )


def rebuild(db: Database) -> None:
    """Make the index anew from the records, within a transaction."""
    db.execute("insert into search (search) values ('delete-all')")
    for table, (columns, values) in _inserts("t").items():
        db.execute(f"insert into search ({columns}) select {values} from {table} t order by position")
    beginnings = db.execute(
        "select position, action, start, most from (select o.position, action, data is null as gone, "
        "iif(a.kind = 'shell', ?, ?) as most, sum(size) over (partition by action order by seq) - size as start "
        "from output o left join actions a on a.id = o.action) where start < most and not gone order by position",
        [SEARCHED_OF_SHELLS, SEARCHED],
    )
    for position, action, start, most in beginnings:
        codec, size, data = db.execute(
            "select codec, size, data from output where position = ?", [position]
        ).fetchone()
        try:
            text = words(unpack(codec, size, data)[: most - start])
        except ValueError:
            continue  # damaged; `cockpit log verify` names the row
        if text:
            add_output(db, position, action, text)


def expression(filters: Filter, least_ns: int, most_ns: int) -> str:
    """Return the FTS5 query for a filter with text.

    Args:
        filters: What is looked for.
        least_ns: The beginning of all time, where the filter gives none.
        most_ns: Its end.

    Raises:
        UsageError: There is no word in the text, or there are too many.
    """
    parts = [f"{{command reason note output}} : ({_terms(filters.text)})"]
    for letter, value in (
        ("k", filters.kind),
        ("r", filters.risk),
        ("t", filters.target),
        ("i", filters.incident),
    ):
        if value:
            parts.append(f"facets : {letter}{value.encode().hex()}")
    if filters.session:
        if not filters.session.isalnum():
            raise UsageError(
                f"{filters.session!r} is no session", remedy="`cockpit log list --json` shows the ids"
            )
        parts.append(f"facets : s{filters.session}*")
    if filters.since_ns is not None or filters.until_ns is not None:
        first = least_ns if filters.since_ns is None else max(filters.since_ns, least_ns)
        last = most_ns if filters.until_ns is None else min(filters.until_ns, most_ns)
        parts.append(f"facets : ({' OR '.join(_days(first, last)) or 'd0'})")
    return " AND ".join(parts)


def _terms(text: str) -> str:
    """Return what a person looks for as FTS5 has it: words, `"phrases in quotes"`, and beginnings with a `*`."""
    terms = []
    for quoted, word in re.findall(r'"([^"]*)"|([^\s"]+)', text.replace("\0", " ")):
        term = quoted or word
        if any(character.isalnum() for character in term):
            terms.append(f'"{term.rstrip("*")}" *' if term.endswith("*") and not quoted else f'"{term}"')
    if not terms:
        raise UsageError("there is no word to look for", remedy="letters and digits are what is looked for")
    if len(terms) > MOST_WORDS:
        raise UsageError(f"more than {MOST_WORDS} words are looked for", remedy="look for fewer")
    return " AND ".join(terms)


def _days(first_ns: int, last_ns: int) -> list[str]:
    """Return the facets for a span of time: days, or for longer ones months or years."""
    if first_ns > last_ns:
        return []
    first, last = (datetime.fromtimestamp(at // 1_000_000_000, UTC) for at in (first_ns, last_ns))
    span = (last - first).days
    if span > 800:
        return [f"y{year}" for year in range(first.year, last.year + 1)]
    if span > 45:
        months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
        return [f"m{month // 12:04}{month % 12 + 1:02}" for month in months]
    return [
        f"d{first + timedelta(days=day):%Y%m%d}"
        for day in range(span + 2)
        if (first + timedelta(days=day)).date() <= last.date()
    ]
