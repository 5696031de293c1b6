"""`cockpit logs`: log files of any size, on one screen or without one."""

from __future__ import annotations

import argparse
import gc
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cockpit.verbs import logs_count, logs_grep, logs_merge, logs_patterns, logs_sql
from cockpit.verbs.order import first_word

if TYPE_CHECKING:
    from types import ModuleType

OPEN = "open"
"""What is done with files that no verb stands before."""
PARTS: dict[str, ModuleType] = {
    "grep": logs_grep,
    "count": logs_count,
    "histogram": logs_count,
    "patterns": logs_patterns,
    "sql": logs_sql,
    "merge": logs_merge,
}


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb and those below it."""
    from cockpit.cli import Parser

    class LogsParser(Parser):
        """Takes a first word that is no verb for a file."""

        def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
            return super().parse_known_args(_with_verb(self, args or ()), namespace)

    subparsers.add_parser(
        "logs",
        help="look at log files, search, count and query them",
        description="Open log files of any size on one time line, at their last records: cockpit logs FILE… "
        "The verbs do the same without a screen.",
    )
    parser = LogsParser(prog=f"{subparsers._prog_prefix} logs", allow_abbrev=False)
    parser.description = subparsers.choices["logs"].description
    subparsers.choices["logs"] = parser
    below = parser.add_subparsers(
        title="verbs", metavar="VERB", dest="logs_verb", required=True, parser_class=Parser
    )
    opening = below.add_parser(
        OPEN, help="open log files on the screen; the word may be left out", description="Open log files."
    )
    opening.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="log files, compressed or not, and pipes; - is the standard input",
    )
    opening.add_argument(
        "--zone", metavar="ZONE", default="", help="the zone of times that tell none, else this machine's"
    )
    for part in dict.fromkeys(PARTS.values()):
        part.add(below)


def main(args: argparse.Namespace) -> int:
    """Open the screen, or do what the verb says.

    Raises:
        CockpitError: A file can't be read, or what is asked can't be understood.
    """
    if args.logs_verb in PARTS:
        return _without_screen(args)
    from cockpit.cli import open_screen
    from cockpit.errors import UsageError
    from cockpit.verbs.input_log import INPUT, with_input

    if not args.files and os.isatty(0):
        raise UsageError("which log files?", remedy="cockpit logs FILE…")
    return open_screen(args, files=with_input(args.files or [INPUT]))


def _without_screen(args: argparse.Namespace) -> int:
    """Do what a verb says. Garbage is not looked for until logs are read: among what is imported there is none."""
    os.environ.setdefault(
        "OPENBLAS_NUM_THREADS", "1"
    )  # else numpy starts threads (70 ms) that have nothing to do
    gc.disable()
    try:
        status: int = PARTS[args.logs_verb].main(args)
    finally:
        gc.enable()
    return status


def _with_verb(parser: argparse.ArgumentParser, words: Sequence[str]) -> list[str]:
    """Put the verb before a first word that is none."""
    first = first_word(parser, words)
    if first in (*PARTS, OPEN) or "-h" in words or "--help" in words:
        return list(words)
    return [OPEN, *words]
