"""`cockpit log list` and `cockpit log search`, and the filters that they share with `export`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from cockpit.verbs.arguments import count, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cockpit.actionlog.filters import Filter
    from cockpit.actionlog.reader import ActionReader
    from cockpit.actionlog.records import Action, Evidence, Note

VERBS = ("list", "search")
STATES = ("running", "done", "failed", "cancelled", "denied", "interrupted", "unknown-outcome")
RISKS = ("read", "change", "destructive", "unknown")


def add(below: argparse._SubParsersAction[Any]) -> None:
    """Describe the verbs below `cockpit log`."""
    listing = below.add_parser(
        "list", help="list actions, newest first", description="List actions, newest first."
    )
    searching = below.add_parser(
        "search",
        help="find actions by their words, newest first",
        description="Find actions by words in their command, their reason, their notes or the beginning of their "
        'output, newest first; notes and evidence about no action are found too. Words in "double quotes" stand '
        "together, and `depl*` is the beginning of one.",
    )
    searching.add_argument("text", metavar="TEXT", nargs="+", help="the words, all of which have to be there")
    for parser in (listing, searching):
        parser.add_argument(
            "--limit", metavar="N", type=count(1), default=50, help="at most so many (default: 50)"
        )
        add_filters(parser)
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="print one JSON document, a list")
        form.add_argument("--jsonl", action="store_true", help="print a JSON document a line")


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Describe what actions are chosen by."""
    when = "a time: 2h ago, 14:05, 2026-01-31, or RFC 3339; UTC where it names no zone"
    parser.add_argument("--since", metavar="WHEN", type=moment, help=f"begun then or later; {when}")
    parser.add_argument("--until", metavar="WHEN", type=moment, help="begun before then")
    parser.add_argument(
        "--session", metavar="S", default="", help="of this session; the beginning of its id will do"
    )
    parser.add_argument("--incident", dest="of_incident", metavar="I", default="", help="of this incident")
    parser.add_argument("--target", metavar="T", default="", help="on this target")
    parser.add_argument("--risk", metavar="R", choices=RISKS, default="", help=", ".join(RISKS))
    parser.add_argument("--state", metavar="S", choices=STATES, default="", help=", ".join(STATES))
    parser.add_argument("--kind", metavar="K", default="", help="of this kind: command, elevation, export …")


def filter_of(args: argparse.Namespace, text: str = "") -> Filter:
    """Return the filter that the flags describe."""
    from cockpit.actionlog.filters import Filter
    from cockpit.actions.command import Kind
    from cockpit.errors import UsageError

    if args.kind and args.kind not in tuple(Kind):
        raise UsageError(
            f"{args.kind!r} is no kind of action",
            remedy=f"kinds are {', '.join(kind.value for kind in Kind)}",
        )
    return Filter(
        since_ns=args.since,
        until_ns=args.until,
        session=args.session.upper(),
        incident=args.of_incident,
        target=args.target,
        risk=args.risk,
        state=args.state,
        kind=args.kind,
        text=text,
    )


def main(reader: ActionReader, args: argparse.Namespace) -> int:
    """Print what is found.

    Raises:
        UsageError: There is no word to look for.
        ActionLogError: The log can't be read.
    """
    found: Sequence[Action | Note | Evidence]
    if args.log_verb == "search":
        found = reader.search(filter_of(args, " ".join(args.text)), limit=args.limit)
    else:
        found = reader.find(filter_of(args), limit=args.limit)
    _print(found, args)
    return 0


def _print(found: Sequence[Action | Note | Evidence], args: argparse.Namespace) -> None:
    import shutil
    import sys

    from cockpit.verbs.showing import as_document, as_json, table

    if args.json:
        print(as_json([as_document(record) for record in found]))
    elif args.jsonl:
        for record in found:
            print(as_json(as_document(record), indent=None))
    elif not found:
        print("no action is recorded that fits", file=sys.stderr)
    else:
        for line in table(found, width=shutil.get_terminal_size().columns if sys.stdout.isatty() else 0):
            print(line)
