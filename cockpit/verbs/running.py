"""What `run` and `ssh` share: their options, and one command through the one door, or one on many hosts."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Iterator

    from cockpit.actionlog.log import ActionLog
    from cockpit.actions.command import Command
    from cockpit.actions.executor import Ended, Executor
    from cockpit.actions.transport import Stream, Transport
    from cockpit.approvals import Approvals
    from cockpit.config import Settings
    from cockpit.errors import ActionLogError
    from cockpit.ssh.connections import Connections
    from cockpit.targets import Target, Targets


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe what lets a command run, and how it is shown."""
    parser.add_argument("--reason", metavar="R", default="", help="why it is run")
    parser.add_argument("--ticket", metavar="C", default="", help="the change ticket it belongs to")
    parser.add_argument("--incident", metavar="I", default="", help="the incident it belongs to")
    parser.add_argument("--cwd", metavar="DIR", default="", help="the folder that it starts in")
    add_grants(
        parser, confirm="the target's name typed out, as --target has it; lets this one command change it"
    )
    many = parser.add_argument_group("on several hosts")
    many.add_argument(
        "--parallel",
        metavar="N",
        type=_parallel,
        default=10,
        help="hosts that are worked on at once, 1 to 100 (default: 10)",
    )
    many.add_argument(
        "--go-on",
        action="store_true",
        help="a change that went well on the first host goes on to the others without asking",
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument(
        "--json",
        action="store_true",
        help="print the action as one JSON document, its output going to stderr; of several hosts a list of them, "
        "each with its output",
    )
    shown.add_argument(
        "--jsonl", action="store_true", help="print a JSON document a line for each host as it ends"
    )


def add_argv(parser: argparse.ArgumentParser) -> None:
    """Describe the command itself: all that comes after the options."""
    parser.add_argument(
        "argv", nargs=argparse.REMAINDER, metavar="ARGV…", help="the program and its arguments"
    )


def add_grants(parser: argparse.ArgumentParser, *, confirm: str) -> None:
    """Describe how what the guard needs is given without being asked.

    Args:
        parser: The verb's.
        confirm: What the name typed out is for.
    """
    parser.add_argument("--confirm", metavar="NAME", default="", help=confirm)
    parser.add_argument(
        "--break-glass",
        action="store_true",
        help="ask for what production denies: a second person has to approve it",
    )
    parser.add_argument(
        "--approval", metavar="ID", default="", help="the request that a second person has approved"
    )
    parser.add_argument(
        "--wait",
        action="store_true",
        help="wait for a second person's answer, as long as the request is open",
    )


def _parallel(text: str) -> int:
    from cockpit.fanout.fanout import MOST_PARALLEL

    if not (text.isdecimal() and len(text) < 10 and 1 <= int(text) <= MOST_PARALLEL):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to {MOST_PARALLEL}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Run the command that the flags describe, and return the exit status.

    Args:
        args: What `add_options` describes, and `target`, `shell` and `argv`.

    Raises:
        UsageError: There is no command, or no such target.
        ActionLogError: The log can't be written; nothing ran, or its record is not whole.
        CommandError: The command can't be started.
    """
    import asyncio

    from cockpit import config
    from cockpit.config import data_dir
    from cockpit.verbs.recording import recorded
    from cockpit.verbs.targeting import targets_for

    settings, data = config.load(args.config), data_dir(args.data_dir)
    targets = asyncio.run(targets_for(settings, args.target, data=data))
    command = command_of(args, targets)
    with recorded(data, settings) as log:
        return asyncio.run(_run(log, command, settings, targets, args))


def command_of(args: argparse.Namespace, targets: Targets) -> Command:
    """Build the command that the flags describe.

    Raises:
        UsageError: There is none, or no such target.
    """
    from msgspec.structs import replace

    from cockpit.actions.actor import current_actor
    from cockpit.actions.command import Command, shell_command
    from cockpit.errors import UsageError
    from cockpit.fanout.judging import on_all
    from cockpit.targets import GROUP

    argv = tuple(args.argv[1:] if args.argv[:1] == ["--"] else args.argv)
    if bool(argv) == bool(args.shell):
        raise UsageError(
            "there is no command to run", remedy=f"cockpit {args.verb} … -- ARGV…, or --shell LINE"
        )
    target: Target = targets.choose(args.target)
    actor = str(current_actor())
    command = (
        shell_command(args.shell, target, actor=actor)
        if args.shell
        else Command(argv=argv, target=target, actor=actor)
    )
    command = replace(
        command,
        cwd=args.cwd,
        reason=args.reason,
        ticket=args.ticket,
        incident=args.incident or "",
        typed=args.confirm,
        break_glass=args.break_glass,
    )
    if target.transport == GROUP:
        command = on_all(command, target.name, targets.members(target.name))
    return command


async def _run(
    log: ActionLog, command: Command, settings: Settings, targets: Targets, args: argparse.Namespace
) -> int:
    """Run a command where it is to run, once it has what it needs."""
    from cockpit.approvals import Approvals
    from cockpit.guard.setup import reasons_of
    from cockpit.ssh.connections import connections_of
    from cockpit.verbs.asking import Asking
    from cockpit.verbs.ssh_asking import asker_at_terminal

    approvals = Approvals(log, settings)
    asker = asker_at_terminal(log, targets, incident=command.incident)
    connections = connections_of(settings, asker, targets=targets)
    try:
        executor = executor_of(log, settings, targets, connections, approvals)
        asking = Asking(executor, approvals, reasons_of(settings))
        command = await asking.obtain(command, approval=args.approval, wait=args.wait)
        if command.members:
            from cockpit.verbs.fanning import run_on_all

            return await run_on_all(executor, command, args)
        return await _run_on_one(executor, command, args)
    finally:
        await connections.close()


def executor_of(
    log: ActionLog, settings: Settings, targets: Targets, connections: Connections, approvals: Approvals
) -> Executor:
    """Return the door as the command line has it."""
    from cockpit.actions.executor import Executor
    from cockpit.actions.local import LocalTransport
    from cockpit.actions.ssh import SshTransport
    from cockpit.fanout.judging import GroupJudge
    from cockpit.guard.setup import guard_of
    from cockpit.targets import LOCAL, SSH

    # On the command line the name typed out elevates that one command.
    guard = guard_of(settings, targets=targets, elevated=lambda: True, granted=approvals.of)
    transports: dict[str, Transport] = {LOCAL: LocalTransport(), SSH: SshTransport(connections)}
    return Executor(log, transports, judge=GroupJudge(guard))


async def _run_on_one(executor: Executor, command: Command, args: argparse.Namespace) -> int:
    """Run a command, stopping it when a signal asks for that, and return the exit status."""
    import asyncio
    import signal
    import sys

    from cockpit.errors import CommandError
    from cockpit.hygiene import clean_text

    as_json, indent = args.json or args.jsonl, None if args.jsonl else 2
    ids: list[str] = []
    ends: list[Ended] = []
    task = asyncio.ensure_future(
        executor.run(command, on_output=_show(as_json=as_json), on_begin=ids.append, on_end=ends.append)
    )
    with stopped_by_signals(task) as got:
        try:
            await task
            status = _status(ends[0])
        except asyncio.CancelledError:
            status = 128 + (got[0] if got else signal.SIGINT)
        except BrokenPipeError:
            status = 128 + signal.SIGPIPE
        except CommandError:
            if ids and as_json:
                await _print(executor.log, ids[0], indent)
            raise
    if ends and ends[0].log_error is not None:
        raise _not_recorded(ends[0])
    if ids and as_json:
        await _print(executor.log, ids[0], indent)
    if words := _unknown(ends, command):
        print(f"cockpit: {clean_text(words)}", file=sys.stderr)
    return status


@contextlib.contextmanager
def stopped_by_signals(task: asyncio.Future[Ended]) -> Iterator[list[int]]:
    """Have the signals that end a program cancel a task, for the length of a block; holds those that came."""
    import asyncio
    import signal

    got: list[int] = []

    def stop(number: int) -> None:
        got.append(number)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background job
            loop.add_signal_handler(number, stop, number)
    yield got


def _unknown(ends: list[Ended], command: Command) -> str:
    """Say that nobody knows what came of a command; empty where somebody does."""
    from cockpit.actionlog.records import State

    if not ends or ends[0].state is not State.UNKNOWN_OUTCOME:
        return ""
    where, end = command.target.name, ends[0]
    return f"{where}: {end.error} (look there before running it again; recorded as {end.action})"


def _status(ended: Ended) -> int:
    """Return the exit status that a shell would."""
    from cockpit.actions.local import signal_number

    if ended.signal is not None:
        return 128 + signal_number(ended.signal)
    return ended.exit_status if ended.exit_status is not None else 1


def _show(*, as_json: bool) -> Callable[[Stream, bytes], Awaitable[None]]:
    """Return what passes output through; with a JSON document on stdout, all of it goes to stderr."""
    from cockpit.actions.transport import Stream
    from cockpit.verbs.passing import pass_on

    async def show(stream: Stream, data: bytes) -> None:
        await pass_on(1 if stream is Stream.STDOUT and not as_json else 2, data)

    return show


def _not_recorded(ended: Ended) -> ActionLogError:
    """Say how a command ended whose record is not whole."""
    from cockpit.errors import ActionLogError

    error = ended.log_error
    how = ended.signal or (
        f"exit status {ended.exit_status}" if ended.exit_status is not None else ended.error
    )
    what = error.message if error is not None else "it could not be written"
    return ActionLogError(
        f"the command ended ({ended.state.value}, {how}), but its record {ended.action} is not whole: {what}",
        where=error.where if error is not None else "",
        remedy=error.remedy if error is not None else "",
    )


async def _print(log: ActionLog, action: str, indent: int | None) -> None:
    from cockpit.verbs.showing import as_json

    print(as_json(await log.show(action), indent=indent), flush=True)
