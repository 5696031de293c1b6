"""`cockpit logs FILE…`: log files of any size on one screen."""

from __future__ import annotations

import argparse
from typing import Any


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "logs",
        help="look at log files",
        description="Open log files of any size on one time line, at their last records.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="log files")


def main(args: argparse.Namespace) -> int:
    """Open the screen.

    Raises:
        CockpitError: A file can't be read.
    """
    from cockpit.cli import open_screen

    return open_screen(args, files=args.files)
