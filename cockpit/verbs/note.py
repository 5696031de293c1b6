"""`cockpit note`: writes a note into the action log."""

from __future__ import annotations

import argparse
from typing import Any


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "note",
        help="write a note into the action log",
        description="Write what was seen, decided or told into the record of what was done. Secrets are cut out.",
    )
    parser.add_argument("text", metavar="TEXT", nargs="+", help="the note; `-` reads it from the input")
    parser.add_argument("--incident", metavar="I", default="", help="the incident it belongs to")
    parser.add_argument(
        "--action", metavar="ID", default="", help="the action it is about; the beginning of its id"
    )
    parser.add_argument("--json", action="store_true", help="print the note as one JSON document")


def main(args: argparse.Namespace) -> int:
    """Write it.

    Raises:
        UsageError: It is empty, too long, or there is no such action.
        ActionLogError: It can't be written.
    """
    import asyncio

    from cockpit import config
    from cockpit.actionlog.opening import opened
    from cockpit.config import data_dir
    from cockpit.verbs.showing import as_json

    text = _text(args.text)
    settings = config.load(args.config)
    log = opened(data_dir(args.data_dir), settings)
    try:
        action = log.reading().show(args.action).id if args.action else ""
        note = asyncio.run(log.note(text, incident=args.incident or "", action=action))
        print(as_json(log.reading().note(note)) if args.json else note)
    finally:
        log.close()
    return 0


LONGEST = 1 << 20
"""Characters of a note."""


def _text(words: list[str]) -> str:
    import sys

    from cockpit.errors import UsageError

    text = sys.stdin.read(LONGEST + 1) if words == ["-"] else " ".join(words)
    if not text.strip():
        raise UsageError("the note is empty", remedy="cockpit note TEXT")
    if len(text) > LONGEST:
        raise UsageError(f"the note is longer than {LONGEST:,} characters")
    return text
