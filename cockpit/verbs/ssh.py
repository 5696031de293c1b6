"""`cockpit ssh HOST`: a terminal on a host, or `run` there, with the host named as `ssh` has it named."""

from __future__ import annotations

import argparse
from typing import Any

from cockpit.verbs.running import add_argv, add_options, run


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "ssh",
        help="open a recorded terminal on a host, or run a command there",
        description="Without a command, open the screen with a terminal on the host, recorded and watched by the "
        "guard. With one, run it as `cockpit run --target HOST` does: judged by the guard, recorded in the action "
        "log, its input empty and without a terminal. Options stand before the host.",
        usage="cockpit ssh HOST\n       cockpit ssh [OPTIONS] HOST -- ARGV…",
    )
    add_options(parser)
    parser.set_defaults(shell="")
    parser.add_argument("target", metavar="HOST", help="a host, @group, a pattern, or several with commas")
    add_argv(parser)


def main(args: argparse.Namespace) -> int:
    """Run the command, or open a terminal where there is none.

    Raises:
        CockpitError: As for `running.run`.
    """
    return run(args) if args.argv not in ([], ["--"]) else _terminal(args)


def _terminal(args: argparse.Namespace) -> int:
    """Open the screen with a terminal on the host.

    Raises:
        UsageError: There is no terminal to open it on.
    """
    from cockpit.cli import open_screen

    return open_screen(args, host=args.target)
