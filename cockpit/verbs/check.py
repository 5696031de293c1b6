"""`cockpit check`: what the guard thinks of a command, which is not run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from cockpit.actions.command import Command
    from cockpit.guard.judge import Assessment, Judge
    from cockpit.targets import Target


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "check",
        help="say what the guard thinks of a command",
        description="Say what a command may do (read, change, destructive, unknown), why, and what it would need to "
        "run. Nothing is run. Prints one JSON document; with --batch one a line.",
        usage="cockpit check [OPTIONS] -- ARGV…\n       cockpit check [OPTIONS] --shell LINE\n"
        "       cockpit check [OPTIONS] --batch < FILE",
    )
    parser.add_argument(
        "--target", metavar="T", default="local", help="where it would land (default: this machine)"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--shell", metavar="LINE", help="judge a line for a shell")
    what.add_argument(
        "--batch",
        action="store_true",
        help='judge a JSON document a line of the input: {"id": …, "shell": LINE} or {"id": …, "argv": […]}',
    )
    parser.add_argument("--json", action="store_true", help="print JSON, as it always does")
    parser.add_argument(
        "argv", nargs=argparse.REMAINDER, metavar="ARGV…", help="the program and its arguments"
    )


def main(args: argparse.Namespace) -> int:
    """Print what the guard thinks.

    Raises:
        UsageError: There is nothing to judge, or a line of the batch is not of the form.
    """
    import asyncio
    import json
    import sys

    from cockpit import config
    from cockpit.errors import UsageError
    from cockpit.guard.setup import guard_of
    from cockpit.verbs.targeting import targets_for

    settings = config.load(args.config)
    targets = asyncio.run(targets_for(settings, args.target, data=config.data_dir(args.data_dir)))
    guard = guard_of(settings, targets=targets)
    target = targets.choose(args.target)
    if args.batch:
        for name, command in _batch(sys.stdin, target):
            print(json.dumps(_told(name, command, guard)), flush=True)
        return 0
    argv = tuple(args.argv[1:] if args.argv[:1] == ["--"] else args.argv)
    if args.shell is None and not argv:
        raise UsageError("there is no command to judge", remedy="cockpit check -- ARGV…, or --shell LINE")
    print(json.dumps(_told("", _command(args.shell, argv, target), guard), indent=2, ensure_ascii=False))
    return 0


def _batch(lines: TextIO, target: Target) -> Iterator[tuple[object, Command]]:
    """Read a batch; a line that is wrong is named by its number."""
    import json

    from cockpit.errors import UsageError

    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise UsageError(f"line {number} is no JSON: {error}") from None
        shell = entry.get("shell") if isinstance(entry, dict) else None
        argv = entry.get("argv") if isinstance(entry, dict) else None
        if isinstance(shell, str) == (isinstance(argv, list) and bool(argv)):
            raise UsageError(
                f'line {number} has no command: expected one of "shell", a string, and "argv", a list of strings'
            )
        if argv is not None and not all(isinstance(word, str) for word in argv):
            raise UsageError(f'line {number}: "argv" is no list of strings')
        yield entry.get("id", number), _command(shell, tuple(argv or ()), target)


def _command(line: str | None, argv: tuple[str, ...], target: Target) -> Command:
    from cockpit.actions.command import Command, shell_command

    if line is not None:
        return shell_command(line, target, actor="")
    return Command(argv=argv, target=target, actor="")


def _told(name: object, command: Command, guard: Judge) -> dict[str, object]:
    assessment: Assessment = guard.assess(command)
    return {
        "id": name,
        "risk": assessment.risk.value,
        "decision": assessment.decision.value,
        "environment": assessment.environment.value,
        "target": assessment.place,
        "reasons": list(assessment.reasons),
        "requires": list(assessment.requires),
        "undo": assessment.undo,
        "preview": list(assessment.preview),
    }
