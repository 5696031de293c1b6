"""`cockpit logs patterns`: what the records have in common, counted."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cockpit.verbs.arguments import count, moment
from cockpit.verbs.logs_reading import Logs, add_files, print_table

if TYPE_CHECKING:
    from cockpit.stores.logs.templates.report import Line


def add(below: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = below.add_parser(
        "patterns",
        help="what records have in common, counted",
        description="Find the templates of records, the most frequent first: what they have in common, with <*> for "
        "what varies.",
    )
    add_files(parser)
    parser.add_argument(
        "--since",
        metavar="TIME",
        type=moment,
        help="put first what is new or rising since then, such as 2h, 14:05 or RFC 3339",
    )
    parser.add_argument("--limit", metavar="N", type=count(1), help="print at most N")
    parser.add_argument("--json", action="store_true", help="print one JSON document, with the lines of each")


def main(args: argparse.Namespace) -> int:
    """Print the patterns."""
    from cockpit.stores.logs.templates import patterns_of

    logs = Logs(args, args.files)
    found = patterns_of(_records(logs), since=args.since)[: args.limit]
    if args.json:
        import msgspec

        print(msgspec.json.encode(found).decode())
    else:
        head: list[tuple[object, ...]] = [
            ("COUNT", "TREND", "PATTERN") if args.since else ("COUNT", "PATTERN")
        ]
        for each in found:
            trend = (each["trend"],) if args.since else ()
            head.append((f"{each['count']:,}", *trend, each["template"]))
        print_table(head, right=[0])
    return 1 if logs.failed else 0


def _records(logs: Logs) -> Iterator[Line]:
    """Yield the number of each record's first line, its time and its body; several logs are numbered on."""
    passed = 0
    for log in logs:
        lines = 0
        for block in log.blocks(numbered=True):
            numbers, times = block.numbers.tolist(), block.columns.times.tolist()
            for row, (number, at) in enumerate(zip(numbers, times, strict=True)):
                yield passed + number, at, log.format.fields(block.text(row)).body
            lines = block.line + block.columns.lines - 1
        passed += lines
