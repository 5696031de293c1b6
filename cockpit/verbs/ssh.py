"""`cockpit ssh HOST -- ARGV…`: `run` on a host, with the host named as `ssh` has it named."""

from __future__ import annotations

import argparse
from typing import Any

from cockpit.verbs.running import add_options, run


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "ssh",
        help="run a command on a host and record it",
        description="Run a command on a host as `cockpit run --target HOST` does: judged by the guard, and recorded "
        "in the action log. Its input is empty, and it gets no terminal. Options stand before the host.",
        usage="cockpit ssh [OPTIONS] HOST -- ARGV…",
    )
    add_options(parser)
    parser.set_defaults(shell="")
    parser.add_argument("target", metavar="HOST", help="a host, @group, a pattern, or several with commas")
    parser.add_argument(
        "argv", nargs=argparse.REMAINDER, metavar="ARGV…", help="the program and its arguments"
    )


def main(args: argparse.Namespace) -> int:
    """Run the command, or open a terminal where there is none.

    Raises:
        CockpitError: As for `running.run`.
    """
    return run(args) if args.argv not in ([], ["--"]) else _terminal(args)


def _terminal(args: argparse.Namespace) -> int:
    """Open a terminal on the host; the screen's terminals come in here.

    Raises:
        UsageError: There are none yet.
    """
    from cockpit.errors import UsageError

    raise UsageError(
        "no terminal can be opened yet", remedy=f"give a command: cockpit ssh {args.target} -- ARGV…"
    )
