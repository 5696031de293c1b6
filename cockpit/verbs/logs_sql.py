"""`cockpit logs sql`: one statement over logs, its result as a table, CSV or JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from cockpit.verbs.arguments import seconds, size
from cockpit.verbs.logs_reading import Logs, add_files

if TYPE_CHECKING:
    from cockpit.stores.logs.sql import SqlResult

CELL = 60
"""Characters of a cell on a terminal."""
MEMORY = "512M"


def add(below: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = below.add_parser(
        "sql",
        help="ask logs in SQL",
        description="Run one reading SQL statement (duckdb's) over logs. The table logs holds all of them: time, "
        "level, severity, body, service, host, trace_id, source, line and a column for each field; each log is a "
        "table of its own too, by its file's name without what follows the first dot.",
    )
    parser.add_argument(
        "sql", metavar="STATEMENT", help="such as 'select level, count(*) from logs group by level'"
    )
    add_files(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print CSV (RFC 4180)")
    form.add_argument("--json", action="store_true", help="print one JSON document, a list")
    form.add_argument("--jsonl", action="store_true", help="print a JSON document a row")
    parser.add_argument(
        "--memory",
        metavar="SIZE",
        type=size,
        default=size(MEMORY),
        help=f"take at most so much (default: {MEMORY})",
    )
    parser.add_argument("--timeout", metavar="SECONDS", type=seconds(), help="stop after so long")


def main(args: argparse.Namespace) -> int:
    """Run the statement.

    Raises:
        UsageError: It is wrong.
        Refused: It does more than reading the logs.
        CockpitError: It can't be done.
    """
    from cockpit.stores.logs.sql import Limits, query_sql

    logs = Logs(args, args.files)
    limits = Limits(memory=args.memory, seconds=args.timeout or 0.0)
    with query_sql(
        args.sql,
        logs.paths,
        limits=limits,
        format_of=logs.format_of,
        complain=logs.complain,
        progress=logs.progress,
        binary=args.text,
        zone=logs.zone,
    ) as result:
        logs.done()
        if args.csv:
            _print_csv(result)
        elif args.json or args.jsonl:
            _print_json(result, lines=args.jsonl)
        else:
            _print_table(result)
        for note in result.notes:
            logs.note(note)
    return 1 if logs.failed else 0


def _print_csv(result: SqlResult) -> None:
    import csv

    from cockpit.hygiene import clean_text

    terminal = sys.stdout.isatty()
    sys.stdout.reconfigure(newline="")  # type: ignore[union-attr]
    writer = csv.writer(sys.stdout)
    shown = _shown(result.types)
    writer.writerow([clean_text(name) for name in result.columns] if terminal else result.columns)
    for batch in result.batches():
        rows = (
            ["" if cell is None else show(cell) for show, cell in zip(shown, row, strict=True)]
            for row in batch
        )
        if terminal:
            rows = ([clean_text(cell, len(cell) + 1) for cell in row] for row in rows)
        writer.writerows(rows)


def _print_json(result: SqlResult, *, lines: bool) -> None:
    import msgspec

    encode = msgspec.json.Encoder().encode
    write = sys.stdout.buffer.write
    names = _apart(result.columns)
    nested = [kind == "JSON" for kind in result.types]
    between = b"\n" if lines else b",\n"
    write(b"" if lines else b"[")
    first = True
    for batch in result.batches():
        documents = [
            encode(
                {
                    name: msgspec.Raw(value.encode()) if is_json and value is not None else as_json(value)
                    for name, value, is_json in zip(names, row, nested, strict=True)
                }
            )
            for row in batch
        ]
        write((b"" if first else between) + between.join(documents))
        first = False
    write((b"" if first else b"\n") if lines else b"]\n")
    sys.stdout.buffer.flush()


def _apart(columns: Sequence[str]) -> list[str]:
    """Return names that differ, as keys of an object have to."""
    names: list[str] = []
    for column in columns:
        name, number = column, 2
        while name in names:
            name, number = f"{column}_{number}", number + 1
        names.append(name)
    return names


def _print_table(result: SqlResult) -> None:
    """Print aligned columns; the first rows tell how wide they are."""
    from shutil import get_terminal_size

    from cockpit.hygiene import clean_line

    width = get_terminal_size().columns if sys.stdout.isatty() else 0
    right = [kind.partition("(")[0] in NUMBERS for kind in result.types]

    shown = _shown(result.types)

    def cells(row: Sequence[Any]) -> list[str]:
        told = [
            "NULL" if value is None else clean_line(show(value))
            for show, value in zip(shown, row, strict=True)
        ]
        return [_cut(cell, CELL) for cell in told] if width else told

    head, count, widths = [_cut(clean_line(name), CELL) for name in result.columns], 0, None
    for batch in result.batches():
        rows = [cells(row) for row in batch]
        if widths is None:
            widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
            _print_row(head, widths, right, width)
        for row in rows:
            _print_row(row, widths, right, width)
        count += len(rows)
    if widths is None:
        _print_row(head, [len(cell) for cell in head], right, width)
    if width:
        print(f"{count:,} rows" if count != 1 else "1 row", file=sys.stderr)


NUMBERS = frozenset(
    ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
     "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
)  # fmt: skip
"""Types that are aligned to the right."""


def _print_row(row: Sequence[str], widths: Sequence[int], right: Sequence[bool], width: int) -> None:
    padded = [
        cell.rjust(wide) if to_the_right else cell.ljust(wide)
        for cell, wide, to_the_right in zip(row, widths, right, strict=True)
    ]
    line = "  ".join(padded).rstrip()
    print(_cut(line, width) if width else line)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _shown(types: Sequence[str]) -> list[Callable[[Any], str]]:
    """Return what shows a value, for each column by its type."""
    known: dict[str, Callable[[Any], str]] = {"VARCHAR": str, "BIGINT": str, "HUGEINT": str, "INTEGER": str}
    return [known.get(kind, as_text) for kind in types]


def as_text(value: object) -> str:
    """Return a value as a table or CSV shows it; what holds several is JSON."""
    told = as_json(value)
    if isinstance(told, str):
        return told
    if isinstance(told, bool):
        return "true" if told else "false"
    if told is None or isinstance(told, dict | list):
        import msgspec

        return msgspec.json.encode(told).decode()
    return str(told)


def as_json(value: object) -> Any:
    """Return a value as JSON holds it: times as RFC 3339 in UTC, and as text what JSON has no numbers for."""
    from datetime import UTC, date, datetime, time, timedelta

    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if -(1 << 63) <= value < 1 << 64 else str(value)
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value.tzinfo else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): as_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(part) for part in value]
    return str(value)
