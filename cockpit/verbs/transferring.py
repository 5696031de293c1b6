"""What `fetch` and `put` share: transfers put through the door, with their progress on the terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cockpit.actionlog.log import ActionLog
    from cockpit.actions.command import Command
    from cockpit.actions.executor import Executor
    from cockpit.config import Settings
    from cockpit.sftp.request import Fetch, Put
    from cockpit.sftp.transfer import Progress
    from cockpit.targets import Targets


def transfer(args: argparse.Namespace, requests: Sequence[Fetch | Put]) -> int:
    """Carry out transfers one after the other, and return the worst exit status.

    Raises:
        CockpitError: One could not be recorded, was refused, or its host can't be reached.
    """
    import asyncio

    from cockpit import config
    from cockpit.config import data_dir
    from cockpit.verbs.recording import recorded
    from cockpit.verbs.targeting import targets_for

    settings, data = config.load(args.config), data_dir(args.data_dir)
    hosts = [request.host for request in requests]
    targets = asyncio.run(targets_for(settings, *hosts, data=data))
    commands = [_command(args, request, targets) for request in requests]
    with recorded(data, settings) as log:
        return asyncio.run(_run(log, commands, settings, targets, args))


def _command(args: argparse.Namespace, request: Fetch | Put, targets: Targets) -> Command:
    from msgspec.structs import replace

    from cockpit.actions.actor import current_actor
    from cockpit.actions.command import Command, Kind
    from cockpit.sftp.request import Fetch

    return Command(
        argv=request.argv,
        target=replace(targets.resolve(request.host), transport="sftp"),
        actor=str(current_actor()),
        reason=args.reason,
        ticket=args.ticket,
        incident=args.incident or "",
        typed=getattr(args, "confirm", ""),
        break_glass=getattr(args, "break_glass", False),
        kind=Kind.FETCH if isinstance(request, Fetch) else Kind.UPLOAD,
    )


async def _run(
    log: ActionLog,
    commands: Sequence[Command],
    settings: Settings,
    targets: Targets,
    args: argparse.Namespace,
) -> int:
    from cockpit.actions.executor import Executor
    from cockpit.actions.sftp import SftpTransport
    from cockpit.approvals import Approvals
    from cockpit.guard.setup import guard_of, reasons_of
    from cockpit.ssh.connections import connections_of
    from cockpit.verbs.asking import Asking
    from cockpit.verbs.showing import as_json
    from cockpit.verbs.ssh_asking import asker_at_terminal

    approvals = Approvals(log, settings)
    guard = guard_of(settings, targets=targets, elevated=lambda: True, granted=approvals.of)
    asker = asker_at_terminal(log, targets, incident=commands[0].incident)
    connections = connections_of(settings, asker, targets=targets)
    bar = Bar()
    executor = Executor(log, {"sftp": SftpTransport(connections, log, bar.show)}, judge=guard)
    asking = Asking(executor, approvals, reasons_of(settings))
    ids: list[str] = []
    status = 0
    try:
        for command in commands:
            asked = await asking.obtain(
                command, approval=getattr(args, "approval", ""), wait=getattr(args, "wait", False)
            )
            status = max(status, await _one(executor, asked, ids, bar, args))
    finally:
        await connections.close()
    if args.json:
        print(as_json([await log.show(action) for action in ids]), flush=True)
    return status


async def _one(
    executor: Executor, command: Command, ids: list[str], bar: Bar, args: argparse.Namespace
) -> int:
    """Carry out one transfer, stopping it when a signal asks for that."""
    import asyncio
    import signal

    from cockpit.actions.transport import Stream
    from cockpit.verbs.passing import pass_on
    from cockpit.verbs.running import stopped_by_signals

    async def show(stream: Stream, data: bytes) -> None:
        bar.clear()
        await pass_on(1 if stream is Stream.STDOUT and not args.json else 2, data)

    task = asyncio.ensure_future(executor.run(command, on_output=show, on_begin=ids.append))

    with stopped_by_signals(task) as got:
        try:
            ended = await task
        except asyncio.CancelledError:
            return 128 + (got[0] if got else signal.SIGINT)
        finally:
            bar.clear()
    if ended.log_error is not None:
        raise ended.log_error
    return 0 if ended.exit_status == 0 else 1


class Bar:
    """One line of progress on a terminal; nothing where stderr is none."""

    def __init__(self) -> None:
        self._shown = False
        self._on = sys.stderr is not None and sys.stderr.isatty()

    def show(self, progress: Progress) -> None:
        """Show how far a transfer is."""
        if self._on and (told := progress.told()):
            sys.stderr.write(f"\r\x1b[K{told[:100]}")
            sys.stderr.flush()
            self._shown = True

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False
