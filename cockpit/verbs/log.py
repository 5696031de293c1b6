"""`cockpit log`: what was done, from the action log. Reading writes nothing."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from cockpit.actionlog.reader import ActionReader


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "log", help="read the action log", description="Read the record of what was done."
    )
    below = parser.add_subparsers(title="verbs", metavar="VERB", dest="log_verb", required=True)
    from cockpit.verbs import logexport, logproof, logreplay, logsearch

    for part in (logsearch, logexport, logreplay, logproof):
        part.add(below)
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
    from cockpit.verbs import logexport, logproof, logreplay, logsearch

    if args.log_verb in logproof.VERBS:
        return logproof.main(args)
    if args.log_verb in logexport.VERBS:
        return logexport.main(args)
    file = data_dir(args.data_dir) / FILE
    look_for(file)
    reader = ActionReader(file)
    try:
        if args.log_verb in logsearch.VERBS:
            return logsearch.main(reader, args)
        return logreplay.main(reader, args) if args.log_verb in logreplay.VERBS else _show(reader, args)
    finally:
        reader.close()


def look_for(file: Path) -> None:
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
    if (typed := reader.recorded_in(action.id)) is not None:
        print(f"{'typed in':10} {typed.action} at byte {typed.at_byte:,} of its recording")
    if lines := sum(place.command is not None for place in reader.recording(action.id)):
        print(f"{'lines':10} {lines:,} typed in it are actions of their own")
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
