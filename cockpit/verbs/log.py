"""`cockpit log`: what was done, from the action log. Reading writes nothing."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from cockpit.verbs.arguments import count

if TYPE_CHECKING:
    from pathlib import Path

    from cockpit.actionlog.reader import ActionReader

STATES = ("running", "done", "failed", "cancelled", "denied", "interrupted", "unknown-outcome")


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "log", help="read the action log", description="Read the record of what was done."
    )
    below = parser.add_subparsers(title="verbs", metavar="VERB", dest="log_verb", required=True)
    listing = below.add_parser(
        "list", help="list actions, newest first", description="List actions, newest first."
    )
    listing.add_argument(
        "--limit", metavar="N", type=count(1), default=50, help="at most so many (default: 50)"
    )
    listing.add_argument(
        "--session", metavar="S", default="", help="of this session; the beginning of its id will do"
    )
    listing.add_argument("--incident", dest="of_incident", metavar="I", default="", help="of this incident")
    listing.add_argument("--target", metavar="T", default="", help="on this target")
    listing.add_argument("--state", metavar="S", choices=STATES, default="", help=", ".join(STATES))
    form = listing.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document, a list")
    form.add_argument("--jsonl", action="store_true", help="print a JSON document a line")
    from cockpit.verbs import logproof

    logproof.add(below)
    showing = below.add_parser("show", help="show one action", description="Show one action.")
    showing.add_argument("id", metavar="ID", help="its id, or the beginning of it")
    showing.add_argument("--output", action="store_true", help="what it printed, as far as that was kept")
    showing.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    """Print what is asked for.

    Raises:
        UsageError: No action, or more than one, has an id that begins as the one given.
        ActionLogError: The log can't be read.
    """
    from cockpit.actionlog.log import FILE
    from cockpit.actionlog.reader import ActionReader
    from cockpit.config import data_dir
    from cockpit.verbs import logproof

    if args.log_verb in logproof.VERBS:
        return logproof.main(args)
    file = data_dir(args.data_dir) / FILE
    _look_for(file)
    reader = ActionReader(file)
    try:
        return _list(reader, args) if args.log_verb == "list" else _show(reader, args)
    finally:
        reader.close()


def _look_for(file: Path) -> None:
    """Tell a log that isn't there yet, which is an empty one, from a place where none can be.

    Raises:
        ActionLogError: No file can be reached there.
    """
    from cockpit.errors import ActionLogError

    try:
        file.stat()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ActionLogError(
            f"the action log can't be read: {error.strerror}",
            where=str(file),
            remedy="say where it is with --data-dir or COCKPIT_DATA_DIR",
        ) from None


def _list(reader: ActionReader, args: argparse.Namespace) -> int:
    import shutil
    import sys

    from cockpit.verbs.showing import as_json, table

    actions = reader.list(
        limit=args.limit,
        session=args.session,
        incident=args.of_incident,
        target=args.target,
        state=args.state,
    )
    if args.json:
        print(as_json(actions))
    elif args.jsonl:
        for action in actions:
            print(as_json(action, indent=None))
    elif not actions:
        print("no action is recorded that fits", file=sys.stderr)
    else:
        for line in table(actions, width=shutil.get_terminal_size().columns if sys.stdout.isatty() else 0):
            print(line)
    return 0


def _show(reader: ActionReader, args: argparse.Namespace) -> int:
    import sys

    import msgspec

    from cockpit.verbs.showing import as_json, chunks_as_builtins, clean_output, page

    action = reader.show(args.id)
    if args.json:
        document = msgspec.to_builtins(action)
        if args.output:
            document["output"] = list(chunks_as_builtins(reader.output(action.id)))
        print(as_json(document))
        return 0
    for line in page(action):
        print(line)
    if not args.output:
        return 0
    print(flush=True)
    if sys.stdout.isatty():
        for text in clean_output(reader.output(action.id)):
            sys.stdout.write(text)
    else:
        for chunk in reader.output(action.id):
            sys.stdout.buffer.write(chunk.data)
    return 0
