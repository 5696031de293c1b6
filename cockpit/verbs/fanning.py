"""One command on many hosts, as the command line shows it: progress, a table, outputs folded, or JSON."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from cockpit.actionlog.log import ActionLog
from cockpit.actions.command import Command
from cockpit.actions.executor import Executor
from cockpit.errors import ActionLogError, CommandError
from cockpit.fanout.fanout import FanOut
from cockpit.fanout.fold import Alike, alike, counts
from cockpit.fanout.host import HostRun, HostState
from cockpit.hygiene import clean_text
from cockpit.verbs.running import stopped_by_signals
from cockpit.verbs.showing import as_json, chunks_as_builtins, one_line

STEP_S = 0.1
"""Seconds between two looks of the progress line."""


async def run_on_all(executor: Executor, command: Command, args: argparse.Namespace) -> int:
    """Run a command on its members and show what came of it; return the exit status.

    Raises:
        ActionLogError: The log can't be written; nothing ran, or a record is not whole.
        Refused: The guard did not let it run.
    """
    asked = _Canary(go_on=args.go_on)
    fan = FanOut(executor, parallel=args.parallel, go_on=asked)
    told: asyncio.Queue[HostRun | None] = asyncio.Queue()
    task = asyncio.ensure_future(fan.run(command, on_host=told.put_nowait))
    task.add_done_callback(lambda _: told.put_nowait(None))
    failed: CommandError | None = None
    status = 1
    with stopped_by_signals(task) as got:
        async with _progress(fan, asked):
            if args.jsonl:
                await _print_lines(executor.log, fan, told, task)
            await asyncio.wait([task])
        try:
            task.result()
            status = fan.exit_status
        except asyncio.CancelledError:
            status = 128 + (got[0] if got else signal.SIGPIPE)
        except CommandError as error:
            failed = error
    if args.json:
        print(as_json([await _document(executor.log, fan, host) for host in fan.hosts]), flush=True)
    elif not args.jsonl and failed is None:
        _print_table(fan.hosts)
    if failed is not None:
        raise failed
    for line in _last_words(fan, asked, command):
        print(f"cockpit: {line}", file=sys.stderr)
    if fan.log_error is not None:
        raise fan.log_error
    return status


class _Canary:
    """Asks at the terminal whether a change goes on after the first host.

    Args:
        go_on: Whether that was said beforehand.

    Attributes:
        asking: Whether it waits for an answer.
        unasked: Whether there was nobody to ask.
    """

    def __init__(self, *, go_on: bool) -> None:
        self.asking = self.unasked = False
        self._go_on = go_on

    async def __call__(self, host: HostRun, others: tuple[HostRun, ...]) -> bool:
        """Return whether it goes on."""
        if self._go_on:
            return True
        if not (sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()):
            self.unasked = True
            return False
        self.asking = True
        try:
            _clear_line()
            print(f"canary {clean_text(host.name)}: {host.how()}", file=sys.stderr)
            for line in _output(host):
                print(line, file=sys.stderr)
            hosts = f"the other {len(others):,} hosts" if len(others) > 1 else "the other host"
            print(
                f"run it on {hosts}? (yes goes on, anything else stops): ",
                end="",
                file=sys.stderr,
                flush=True,
            )
            return (await _typed()).strip().lower() in {"y", "yes"}
        finally:
            self.asking = False


async def _typed() -> str:
    """Return a line that is typed. No thread waits for it: one could not be stopped."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not ready.done():
            ready.set_result(os.read(0, 4096).decode(errors="replace"))

    loop.add_reader(0, read)
    try:
        return await ready
    finally:
        loop.remove_reader(0)


@contextlib.asynccontextmanager
async def _progress(fan: FanOut, asked: _Canary) -> Any:
    """Say in one line how far the hosts are, on a terminal alone."""
    if not sys.stderr.isatty():
        yield
        return

    async def tell() -> None:
        shown, began = "", time.monotonic()
        while True:
            await asyncio.sleep(STEP_S)
            width = shutil.get_terminal_size().columns - 1
            text = f"{counts(fan.hosts)} · {time.monotonic() - began:.0f} s"[:width]
            if text != shown and not asked.asking:
                shown = text
                print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)

    telling = asyncio.create_task(tell())
    try:
        yield
    finally:
        telling.cancel()
        _clear_line()


def _clear_line() -> None:
    print("\r\x1b[K", end="", file=sys.stderr, flush=True)


async def _print_lines(
    log: ActionLog, fan: FanOut, told: asyncio.Queue[HostRun | None], task: asyncio.Future[Any]
) -> None:
    """Print a document for each host as it ends; once nobody reads them any more, stop all."""
    while (host := await told.get()) is not None:
        document = await _document(log, fan, host)
        try:
            print(as_json(document, indent=None), flush=True)
        except BrokenPipeError:
            task.cancel()
            return


async def _document(log: ActionLog, fan: FanOut, host: HostRun) -> dict[str, Any]:
    """Return what `log show --output --json` prints of a host's action; where there is none, what there is to say."""
    document: dict[str, Any] = {
        "id": None,
        "target": host.name,
        "environment": host.target.environment.value,
        "state": host.state.value,
        "exit_status": None,
        "signal": None,
        "error": host.error or None,
        "output": [],
    }
    if host.action:
        with contextlib.suppress(ActionLogError):
            document = msgspec.to_builtins(await log.show(host.action))
            document["output"] = await asyncio.to_thread(
                lambda: list(chunks_as_builtins(log.reading().output(host.action)))
            )
    return {**document, "fan_out": fan.action or None}


def _print_table(hosts: Sequence[HostRun]) -> None:
    """Print a line for each host, then what they printed, alike ones as one."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for line in table(hosts, width=width):
        print(line)
    for each in alike(hosts):
        for line in folded_output(each):
            print(line)
    sys.stdout.flush()


def table(hosts: Sequence[HostRun], *, width: int) -> Iterator[str]:
    """Yield a line for each host; `width` cuts the last column, 0 cuts nothing."""
    rows = [("HOST", "STATE", "EXIT", "SECONDS", "FIRST LINE"), *map(_cells, hosts)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        line = "  ".join(f"{cell:{wide}}" for cell, wide in zip(row, widths, strict=False))
        line = f"{line}  {row[4]}".rstrip()
        yield line if not width or len(line) <= width else f"{line[: width - 1]}…"


def _cells(host: HostRun) -> tuple[str, ...]:
    status = host.signal or ("" if host.exit_status is None else str(host.exit_status))
    seconds = "" if host.seconds is None else f"{host.seconds:.2f}"
    return one_line(host.name), host.state.value, status, seconds, one_line(host.first_line)


def folded_output(each: Alike) -> Iterator[str]:
    """Yield what hosts printed that ended alike, once for all of them; nothing where there is nothing to say."""
    lines = [] if each.one.state is HostState.NOT_STARTED else list(_output(each.one))
    if lines:
        yield ""
        yield f"{one_line(each.heading)} · {each.one.how()}"
        yield from lines


def _output(host: HostRun) -> Iterator[str]:
    text = host.output.decode(errors="replace").replace("\r\n", "\n")
    for line in clean_text(text, limit=len(text)).splitlines():
        yield f"  {line}"
    if host.cut:
        yield f"  … and {host.cut:,} bytes more: cockpit log show --output {host.action}"
    if host.error:
        yield f"  {one_line(host.error)}"


def _last_words(fan: FanOut, asked: _Canary, command: Command) -> Iterator[str]:
    """Yield what there is to do after."""
    unknown = [host.name for host in fan.hosts if host.state is HostState.UNKNOWN_OUTCOME]
    if unknown:
        yield f"how it ended is not known on {one_line(', '.join(unknown))}: look there before running it again"
    if asked.unasked:
        first, left = fan.hosts[0].name, len(fan.hosts) - 1
        rest = f"'{command.target.name},!{first}'"
        yield (
            f"stopped after the canary {one_line(first)}, {left:,} left: to go on, the same with --go-on and "
            f"--target {one_line(rest)}"
        )
    yield f"{counts(fan.hosts)} · recorded as {fan.action}"
