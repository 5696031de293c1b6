"""`cockpit run`: one command through the one door, its output passed through as it comes."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cockpit.actionlog.log import ActionLog
    from cockpit.actions.command import Command
    from cockpit.actions.executor import Ended
    from cockpit.actions.transport import Stream
    from cockpit.config import Settings
    from cockpit.errors import ActionLogError

LOCAL = "local"
"""The only target that a command can reach from here."""


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "run",
        help="run a command and record it",
        description="Run a command if the guard lets it, and record it in the action log: what, who, where and why "
        "before it starts, its output as it comes, its end after. What the guard needs is asked at a terminal, or "
        "given by the flags. Its input is empty. The exit status is the command's own, or 128 and the number of the "
        "signal that ended it; 3 where the guard refused.",
        usage="cockpit run [OPTIONS] -- ARGV…",
    )
    parser.add_argument("--target", metavar="T", default=LOCAL, help="where it lands (default: this machine)")
    parser.add_argument("--reason", metavar="R", default="", help="why it is run")
    parser.add_argument("--ticket", metavar="C", default="", help="the change ticket it belongs to")
    parser.add_argument("--incident", metavar="I", default="", help="the incident it belongs to")
    parser.add_argument(
        "--confirm",
        metavar="NAME",
        default="",
        help="the target's name typed out; lets this one command change it",
    )
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
    parser.add_argument(
        "--shell", metavar="LINE", default="", help="run a line by the target's shell, in place of ARGV"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the action as one JSON document; output goes to stderr"
    )
    parser.add_argument(
        "argv", nargs=argparse.REMAINDER, metavar="ARGV…", help="the program and its arguments"
    )


def main(args: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        UsageError: There is no command, or no such target.
        ActionLogError: The log can't be written; nothing ran, or its record is not whole.
        CommandError: The command can't be started.
    """
    import asyncio
    import contextlib

    from cockpit import config
    from cockpit.actionlog.opening import opened
    from cockpit.config import data_dir
    from cockpit.errors import ActionLogError

    settings = config.load(args.config)
    command = _command(args, settings)
    log = opened(data_dir(args.data_dir), settings)
    try:
        status = asyncio.run(_run(log, command, settings, args))
    except BaseException:
        # What went wrong first says more than that the session's end could not be recorded either.
        with contextlib.suppress(ActionLogError):
            log.close()
        raise
    log.close()
    return status


def _command(args: argparse.Namespace, settings: Settings) -> Command:
    """Build the command that the flags describe."""
    from msgspec.structs import replace

    from cockpit.actions.actor import current_actor
    from cockpit.actions.command import Command, shell_command
    from cockpit.errors import UsageError
    from cockpit.targets import Targets

    argv = tuple(args.argv[1:] if args.argv[:1] == ["--"] else args.argv)
    if bool(argv) == bool(args.shell):
        raise UsageError("there is no command to run", remedy="cockpit run -- ARGV…, or --shell LINE")
    target, actor = Targets(settings.targets).resolve(args.target), str(current_actor())
    command = (
        shell_command(args.shell, target, actor=actor)
        if args.shell
        else Command(argv=argv, target=target, actor=actor)
    )
    return replace(
        command,
        reason=args.reason,
        ticket=args.ticket,
        incident=args.incident or "",
        typed=args.confirm,
        break_glass=args.break_glass,
    )


async def _run(log: ActionLog, command: Command, settings: Settings, args: argparse.Namespace) -> int:
    """Run a command, stopping it when a signal asks for that, and return the exit status."""
    import asyncio
    import signal

    from cockpit.actions.executor import Executor
    from cockpit.actions.local import LocalTransport
    from cockpit.actions.ssh import SshTransport
    from cockpit.approvals import Approvals
    from cockpit.errors import CommandError
    from cockpit.guard.setup import guard_of, reasons_of
    from cockpit.ssh.connections import connections_of
    from cockpit.verbs.asking import Asking
    from cockpit.verbs.ssh_asking import asker_at_terminal

    as_json: bool = args.json
    ids: list[str] = []
    ends: list[Ended] = []
    got: list[int] = []
    # On the command line the name typed out elevates that one command.
    approvals = Approvals(log, settings)
    guard = guard_of(settings, elevated=lambda: True, granted=approvals.of)
    connections = connections_of(settings, asker_at_terminal(log, settings, incident=command.incident))
    executor = Executor(log, {LOCAL: LocalTransport(), "ssh": SshTransport(connections)}, judge=guard)
    asking = Asking(executor, approvals, reasons_of(settings))
    command = await asking.obtain(command, approval=args.approval, wait=args.wait)
    task = asyncio.ensure_future(
        executor.run(command, on_output=_show(as_json=as_json), on_begin=ids.append, on_end=ends.append)
    )

    def stop(number: int) -> None:
        got.append(number)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background job
            loop.add_signal_handler(number, stop, number)
    try:
        await task
        status = _status(ends[0])
    except asyncio.CancelledError:
        status = 128 + (got[0] if got else signal.SIGINT)
    except BrokenPipeError:
        status = 128 + signal.SIGPIPE
    except CommandError:
        if ids and as_json:
            await _print(log, ids[0])
        raise
    if ends and ends[0].log_error is not None:
        raise _not_recorded(ends[0])
    if ids and as_json:
        await _print(log, ids[0])
    return status


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


async def _print(log: ActionLog, action: str) -> None:
    from cockpit.verbs.showing import as_json

    print(as_json(await log.show(action)), flush=True)
