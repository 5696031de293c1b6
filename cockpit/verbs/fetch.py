"""`cockpit fetch`: brings files from hosts into the action log's evidence."""

from __future__ import annotations

import argparse
from typing import Any


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    from cockpit.verbs.arguments import size

    parser = subparsers.add_parser(
        "fetch",
        help="bring files from hosts into the evidence, by SFTP",
        description="Bring files, globs and directories from hosts into the evidence beside the action log, each "
        "with its SHA-256. Of text the secrets are cut. A fetch that broke goes on where it was when it is asked for "
        "again.",
    )
    parser.add_argument(
        "places", metavar="HOST:PATH", nargs="+", help="a file, a quoted glob, or a directory"
    )
    parser.add_argument(
        "--limit",
        metavar="SIZE",
        type=size,
        default=None,
        help="bytes that may come in all, such as 500M (4G)",
    )
    parser.add_argument("--reason", metavar="R", default="", help="why they are fetched")
    parser.add_argument("--ticket", metavar="C", default="", help="the change ticket it belongs to")
    parser.add_argument("--incident", metavar="I", default="", help="the incident they are evidence for")
    parser.add_argument("--json", action="store_true", help="print the actions as one JSON list")


def main(args: argparse.Namespace) -> int:
    """Fetch them.

    Raises:
        UsageError: A place is none.
        ActionLogError: They can't be kept.
        CommandError: A host can't be reached.
    """
    from cockpit.sftp.request import LIMIT, fetches
    from cockpit.verbs.transferring import transfer

    return transfer(args, fetches(args.places, args.limit or LIMIT))
