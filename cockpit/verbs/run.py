"""`cockpit run`: one command through the one door, its output passed through as it comes."""

from __future__ import annotations

import argparse
from typing import Any

from cockpit.verbs.running import add_argv, add_options, run

LOCAL = "local"
"""This machine, where nothing else is said."""


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "run",
        help="run a command and record it",
        description="Run a command if the guard lets it, and record it in the action log: what, who, where and why "
        "before it starts, its output as it comes, its end after. What the guard needs is asked at a terminal, or "
        "given by the flags. Its input is empty. The exit status is the command's own, or 128 and the number of the "
        "signal that ended it; 3 where the guard refused. On several hosts (a group, a pattern, a list) each is an "
        "action of its own, and the exit status is 0 where all are done, 3 where one was refused, else 1; a change "
        "goes to one host first, to the others once that is confirmed, and to no further one after a failure.",
        usage="cockpit run [OPTIONS] -- ARGV…\n       cockpit run [OPTIONS] --shell LINE",
    )
    parser.add_argument(
        "--target",
        metavar="T",
        default=LOCAL,
        help="where it lands: a host, @group, a pattern, or several with commas (default: this machine)",
    )
    add_options(parser)
    parser.add_argument(
        "--shell", metavar="LINE", default="", help="run a line by the target's shell, in place of ARGV"
    )
    add_argv(parser)


def main(args: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        CockpitError: As for `running.run`.
    """
    return run(args)
