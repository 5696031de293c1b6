"""`cockpit put`: puts files on a host, which is a change."""

from __future__ import annotations

import argparse
from typing import Any

from cockpit.verbs.running import add_grants


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "put",
        help="put files on a host, by SFTP",
        description="Put files on a host. It is a change there, and asked for like any other; to replace a file that "
        "is there is destructive. A file stands under its name only once it is whole.",
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="a file of this machine")
    parser.add_argument("place", metavar="HOST:PATH", help="where to: a directory, or the file's new name")
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is there")
    parser.add_argument("--reason", metavar="R", default="", help="why they are put there")
    parser.add_argument("--ticket", metavar="C", default="", help="the change ticket it belongs to")
    parser.add_argument("--incident", metavar="I", default="", help="the incident it belongs to")
    add_grants(parser, confirm="the target's name typed out; lets this one transfer change it")
    parser.add_argument("--json", action="store_true", help="print the actions as one JSON list")


def main(args: argparse.Namespace) -> int:
    """Put them there.

    Raises:
        UsageError: The place is none.
        Refused: The guard does not let it happen.
        CommandError: The host can't be reached.
    """
    from cockpit.sftp.request import Put, place
    from cockpit.verbs.transferring import transfer

    host, path = place(args.place)
    return transfer(args, [Put(host=host, files=tuple(args.files), path=path, overwrite=args.overwrite)])
