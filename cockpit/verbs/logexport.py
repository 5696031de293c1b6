"""`cockpit log export`: recorded first, then written, whole or not at all."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING, Any

from cockpit.verbs import logsearch
from cockpit.verbs.arguments import size_or_none

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

    from cockpit.actionlog.export.files import LeftOut
    from cockpit.actionlog.export.place import Place
    from cockpit.actionlog.export.snapshot import Snapshot
    from cockpit.actionlog.findings import Report
    from cockpit.actionlog.log import ActionLog
    from cockpit.actionlog.records import Result
    from cockpit.config import Settings

VERBS = ("export",)
FORMATS = ("md", "html", "json", "jsonl", "csv", "cast", "sqlite", "tar")


def add(below: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb below `cockpit log`."""
    parser = below.add_parser(
        "export",
        help="write a report, rows, a recording or a bundle that proves itself",
        description="Write what was done: a report (md, html), rows for programs (json, jsonl, csv, sqlite), a "
        "recording that asciinema plays (cast), or a signed bundle that `cockpit log verify` checks anywhere (tar). "
        "That it was exported is itself recorded, first; a file is there whole or not at all.",
    )
    parser.add_argument("--format", metavar="F", choices=FORMATS, required=True, help=", ".join(FORMATS))
    parser.add_argument("--output", "-o", metavar="FILE", default="", help="where to (default: the output)")
    parser.add_argument("--no-output", action="store_true", help="leave out what commands printed")
    parser.add_argument(
        "--no-verify", action="store_true", help="do not verify the log first, which a report says"
    )
    parser.add_argument(
        "--cast-version", metavar="N", type=int, choices=(2, 3), default=2, help="of asciicast: 2 or 3"
    )
    parser.add_argument(
        "--files",
        metavar="none|SIZE",
        type=size_or_none,
        default=None,
        help="put fetched files of at most so many bytes each into a bundle, such as 500M (1G)",
    )
    parser.add_argument("--text", metavar="TEXT", default="", help="with these words, as `log search` has it")
    parser.add_argument(
        "--json", action="store_true", help="print what was written as one JSON document; needs --output"
    )
    parser.add_argument("--reason", metavar="R", default="", help="why; it is recorded")
    logsearch.add_filters(parser)


def main(args: argparse.Namespace) -> int:
    """Export.

    Raises:
        UsageError: Nothing fits, or the flags don't go together.
        CockpitError: The file can't be written.
        SignatureError: The bundle can't be signed.
        ActionLogError: The log can't be read or written; nothing was exported.
    """
    import sys
    from pathlib import Path

    from cockpit import config
    from cockpit.actionlog.export.exporting import BINARY
    from cockpit.actionlog.export.place import Place
    from cockpit.actionlog.export.snapshot import Snapshot
    from cockpit.actionlog.log import FILE
    from cockpit.actionlog.opening import opened
    from cockpit.config import data_dir
    from cockpit.errors import UsageError
    from cockpit.verbs.log import look_for

    filters = logsearch.filter_of(args, args.text)
    if args.files is not None and args.format != "tar":
        raise UsageError("only a bundle holds files", remedy="--format tar, or leave out --files")
    if args.json and not args.output:
        raise UsageError("the output can't hold both", remedy="--output FILE")
    if not args.output and (args.format == "sqlite" or (args.format in BINARY and sys.stdout.isatty())):
        raise UsageError(f"{args.format} is not for a terminal", remedy="--output FILE")
    settings = config.load(args.config)
    path = data_dir(args.data_dir) / FILE
    look_for(path)
    target = Path(args.output) if args.output else None
    if args.format == "sqlite" and target is not None and target.exists() and not target.is_file():
        raise UsageError("a database can't be written there", where=str(target), remedy="name a file")
    if target is not None and target.exists() and path.exists() and target.samefile(path):
        raise UsageError("that is the action log itself", where=str(target), remedy="name another file")
    log = opened(path.parent, settings)
    snapshot = Snapshot(path, filters)
    try:
        with _stoppable() as stopped:
            snapshot.choose()
            snapshot.ends()
            with Place(target, sys.stdout.buffer) as place:
                status = _recorded(args, log, snapshot, place, settings, stopped)
    finally:
        snapshot.close()
        log.close()
    return status


@contextlib.contextmanager
def _stoppable() -> Iterator[list[int]]:
    """Have what ends a program end it as Ctrl-C does, so that nothing half is left; yields which it was."""
    import signal

    got: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        got.append(number)
        raise KeyboardInterrupt

    numbers = [
        number
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN
    ]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield got
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _recorded(
    args: argparse.Namespace,
    log: ActionLog,
    snapshot: Snapshot,
    place: Place,
    settings: Settings,
    stopped: list[int],
) -> int:
    """Record that it is exported, export it, and record what came of it."""
    import asyncio
    import signal
    import sys

    from cockpit.actionlog.records import Result, State
    from cockpit.verbs.showing import as_json, one_line

    action = asyncio.run(_begin(args, log))
    ended = Result(state=State.FAILED)
    try:
        left_out = _write(args, log, snapshot, place, settings, action)
        ended = Result(state=State.DONE, exit_status=0)
    except KeyboardInterrupt:
        number = stopped[-1] if stopped else signal.SIGINT
        ended = Result(state=State.CANCELLED, signal=signal.Signals(number).name)
        return 128 + number
    finally:
        written = _written(place) if ended.state is State.DONE else None
        asyncio.run(_end(log, action, ended, written))
    for each in left_out:
        print(one_line(f"cockpit: {each}"), file=sys.stderr)
    if args.json:
        said = {"action": action, "format": args.format, "records": snapshot.counts, **_written(place)}
        print(as_json({**said, "files_left_out": left_out}))
    return 0


def _written(place: Place) -> dict[str, object]:
    return {"file": str(place.path) if place.path else None, "bytes": place.size, "sha256": place.sha256}


async def _begin(args: argparse.Namespace, log: ActionLog) -> str:
    from cockpit.actions.command import Command, Kind, Risk
    from cockpit.guard.judge import Decision
    from cockpit.targets import Target

    flags = ("since", "until", "session", "of_incident", "target", "risk", "state", "kind", "text", "output")
    words = ["cockpit", "log", "export", "--format", args.format]
    for flag in flags:
        if value := getattr(args, flag):
            words += [f"--{flag.removeprefix('of_')}", _said(value)]
    words += ["--files", str(args.files or "none")] if args.files is not None else []
    words += ["--no-output"] if args.no_output else []
    command = Command(
        argv=tuple(words),
        target=Target(name=str(log.path), transport="log"),
        actor=str(log.actor),
        reason=args.reason,
        kind=Kind.EXPORT,
    )
    return await log.begin(command, Risk.READ, Decision.RUN, ("an export reads the log",))


def _said(value: object) -> str:
    from cockpit.signals import rfc3339

    return rfc3339(value) if isinstance(value, int) else str(value)


async def _end(log: ActionLog, action: str, result: Result, written: dict[str, object] | None) -> None:
    """Record how it ended, and of what was exported the size and digest."""
    import json

    from cockpit.actions.transport import Stream

    if written is not None:
        await log.output(action, Stream.STDOUT, (json.dumps(written) + "\n").encode())
    await log.finish(action, result)


def _write(
    args: argparse.Namespace,
    log: ActionLog,
    snapshot: Snapshot,
    place: Place,
    settings: Settings,
    action: str,
) -> tuple[LeftOut, ...]:
    from pathlib import Path

    from cockpit.actionlog.export import exporting
    from cockpit.actionlog.export.facts import gather
    from cockpit.actionlog.export.files import MOST

    allowed = Path(settings.log.allowed_signers) if settings.log.allowed_signers else None
    with _progress(snapshot) as said:
        verified = None
        if args.format in exporting.REPORTS and not args.no_verify:
            said("verifying the log …")
            verified = _verified(log.path, allowed)
        facts = gather(
            snapshot,
            made_by=str(log.actor),
            action=action,
            with_output=not args.no_output,
            verified=verified,
        )
        form = exporting.Form(
            name=args.format,
            cast_version=args.cast_version,
            signing_key=Path(settings.log.signing_key) if settings.log.signing_key else None,
            allowed_signers=allowed,
            most=MOST if args.files is None else args.files,
        )
        left_out = exporting.export(snapshot, facts, form, place)
        place.keep()
    return left_out


def _verified(path: Path, allowed: Path | None) -> Report:
    """Verify the log in a thread, which Ctrl-C need not wait for."""
    import asyncio

    from cockpit.actionlog.verify import verify

    return asyncio.run(verify(path, allowed_signers=allowed))


@contextlib.contextmanager
def _progress(snapshot: Snapshot) -> Iterator[Any]:
    """Say on a terminal how far it has come, ten times a second at most."""
    import sys
    import time

    if not sys.stderr.isatty():
        yield lambda text: None
        return
    last = 0.0

    def say(text: str) -> None:
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    def show(done: int, total: int) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= 0.1:
            last = now
            filled = 30 * done // (total or 1)
            say(f"exporting [{'#' * filled:30}] {100 * done // (total or 1):3} %")

    snapshot.on_progress = show
    try:
        yield say
    finally:
        say("")
