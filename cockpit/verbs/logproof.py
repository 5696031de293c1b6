"""`cockpit log verify`, `checkpoint` and `prune`: that the record is as written, and what was removed from it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cockpit.actionlog.findings import Report
    from cockpit.config import Settings

VERBS = ("verify", "checkpoint", "prune")
SYSLOG = "/dev/log"


def add(below: argparse._SubParsersAction[Any]) -> None:
    """Describe the verbs below `cockpit log`."""
    verify = below.add_parser(
        "verify",
        help="tell whether the log is as it was written",
        description="Go through the whole hash chain and name the first record that was edited, deleted, inserted, "
        "moved or cut off. Exit status: 0 sound, 1 not sound, 4 unreadable.",
    )
    verify.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        default="",
        help="another log than the own one, or a bundle that `log export` made",
    )
    verify.add_argument(
        "--checkpoint",
        metavar="FILE",
        action="append",
        default=[],
        help="hold it against what `log checkpoint` printed earlier; may be repeated",
    )
    verify.add_argument(
        "--allowed-signers",
        metavar="FILE",
        default="",
        help="whose signatures count, in place of [log] allowed_signers",
    )
    verify.add_argument("--json", action="store_true", help="print one JSON document")
    checkpoint = below.add_parser(
        "checkpoint",
        help="state where the log stands, to be kept elsewhere",
        description="Print a statement of where the log stands, signed where [log] names a signing_key. Kept where "
        "nobody who can write the log can write, it shows later whether the log was rebuilt or cut off.",
    )
    checkpoint.add_argument(
        "--syslog",
        metavar="ADDRESS",
        nargs="?",
        const=SYSLOG,
        default="",
        help=f"send it to syslog too: a socket, or HOST:PORT for UDP (default: {SYSLOG})",
    )
    checkpoint.add_argument("--json", action="store_true", help="print one JSON document")
    prune = below.add_parser(
        "prune",
        help="remove old sessions, leaving a tombstone",
        description="Remove the sessions that ended before a day, or the bytes of older output. A tombstone, signed "
        "where [log] names a signing_key, says what went and why, and the chain still verifies.",
    )
    prune.add_argument("--before", metavar="DATE", required=True, help="YYYY-MM-DD, or with a time, in UTC")
    prune.add_argument("--reason", metavar="R", required=True, help="why; it is kept")
    prune.add_argument(
        "--output-only", action="store_true", help="drop the bytes of output, keep every record"
    )
    prune.add_argument("--dry-run", action="store_true", help="say only what would go")
    prune.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    """Do what the verb says.

    Raises:
        UsageError: A file or a date can't be read.
        ActionLogError: The log can't be read or written.
        SignatureError: What has to be signed can't be.
    """
    from cockpit import config

    settings = config.load(args.config)
    if args.log_verb == "verify":
        return _verify(args, settings)
    return _checkpoint(args, settings) if args.log_verb == "checkpoint" else _prune(args, settings)


def _verify(args: argparse.Namespace, settings: Settings) -> int:
    import asyncio
    from pathlib import Path

    from cockpit.actionlog import checkpoints
    from cockpit.actionlog.export.checking import is_bundle
    from cockpit.actionlog.log import FILE
    from cockpit.actionlog.verify import verify
    from cockpit.actionlog.verify_files import with_files
    from cockpit.config import data_dir
    from cockpit.verbs.logbundle import verify_bundle
    from cockpit.verbs.showing import show_report

    path = Path(args.file) if args.file else data_dir(args.data_dir) / FILE
    allowed = args.allowed_signers or settings.log.allowed_signers
    if args.file and is_bundle(path):
        return verify_bundle(path, Path(allowed) if allowed else None, as_json=args.json)
    elsewhere = [checkpoints.read(Path(file)) for file in args.checkpoint]
    report = asyncio.run(
        verify(path, allowed_signers=Path(allowed) if allowed else None, elsewhere=elsewhere)
    )
    report = with_files(report, path)
    show_report(report, _told(report, path), json=args.json)
    return 0 if report.sound else 1


def _told(report: Report, path: Path) -> Iterator[str]:
    """Yield what a person wants to know of a verification."""
    from cockpit.signals import rfc3339

    if report.bad is None:
        yield f"sound: {path}: {report.records:,} records up to position {report.position:,}, hash {report.hash}"
    else:
        bad = report.bad
        row = f"{bad.table} {bad.id}".strip()
        yield f"NOT SOUND: {path}: at position {bad.position:,}{f' ({row})' if row else ''}: {bad.what}: {bad.detail}"
    for stone in report.tombstones:
        counts = ", ".join(f"{count:,} {name}" for name, count in stone.counts.items() if count)
        signer = f"signed by {stone.signed_by}" if stone.signed_by else "signature not checked, or none"
        if stone.kind == "migration":
            yield f"older than the chain: {counts}, until {rfc3339(stone.at_ns)}: {stone.reason}"
        else:
            yield f"pruned at position {stone.position:,}: {counts}: {stone.reason} ({signer})"
    if report.signed_until is not None:
        yield f"signed by {report.signed_by} up to position {report.signed_until:,}"
    elif report.sound:
        yield "no signature vouches for it: somebody who can write the file could have rebuilt the whole of it"
    for warning in report.warnings:
        yield f"warning: {warning}"


def _checkpoint(args: argparse.Namespace, settings: Settings) -> int:
    import asyncio
    import sys

    from cockpit.actionlog.opening import opened
    from cockpit.config import data_dir
    from cockpit.verbs.showing import as_json

    log = opened(data_dir(args.data_dir), settings)
    try:
        made = asyncio.run(log.checkpoint())
    finally:
        log.close()
    print(as_json(made) if args.json else made.text(), end="\n" if args.json else "")
    if made.signature is None:
        print(f"cockpit: {made.remark}", file=sys.stderr)
    if args.syslog:
        _send(args.syslog, f"position {made.position} hash {made.hash} at {made.at} session {made.session}")
    return 0


def _send(address: str, text: str) -> None:
    """Send a line to syslog.

    Raises:
        CockpitError: Nobody takes it.
    """
    import logging
    from logging.handlers import SysLogHandler

    from cockpit.errors import CockpitError, UsageError

    class _Syslog(SysLogHandler):
        def handleError(self, record: logging.LogRecord) -> None:
            """Raise what the handler would print."""
            del record
            raise  # noqa: PLE0704  it is called while an error is handled

    host, colon, port = address.rpartition(":")
    if colon and not port.isdecimal():
        raise UsageError(f"{address!r} is no address of a syslog", remedy="give a socket, or HOST:PORT")
    place: str | tuple[str, int] = (host, int(port)) if colon else address
    try:
        handler = _Syslog(place, facility=SysLogHandler.LOG_AUTH)
        try:
            handler.ident = "cockpit: "
            record = logging.LogRecord(
                "cockpit", logging.INFO, "", 0, f"action log checkpoint {text}", None, None
            )
            handler.emit(record)
        finally:
            handler.close()
    except OSError as error:
        raise CockpitError(f"the checkpoint can't be sent to syslog: {error}", where=address) from None


def _prune(args: argparse.Namespace, settings: Settings) -> int:
    import asyncio

    import msgspec

    from cockpit.actionlog.opening import opened
    from cockpit.config import data_dir
    from cockpit.errors import UsageError
    from cockpit.verbs.showing import as_json

    before = _moment(args.before)
    if not args.reason.strip():
        raise UsageError("a pruning has a reason", remedy="--reason R")
    if settings.log.allowed_signers and not settings.log.signing_key and not args.dry_run:
        raise UsageError(
            "the tombstone would not be signed, and the log no longer be sound",
            remedy="set signing_key in [log]",
        )
    log = opened(data_dir(args.data_dir), settings)
    try:
        plan = asyncio.run(
            log.prune(before, reason=args.reason, output_only=args.output_only, dry_run=args.dry_run)
        )
    finally:
        log.close()
    counts = ", ".join(f"{count:,} {name}" for name, count in plan.counts.items() if count)
    if args.json:
        print(as_json({**msgspec.to_builtins(plan), "pruned": not (plan.empty or args.dry_run)}))
    elif plan.empty:
        print("nothing is as old as that")
    else:
        print(f"{'would go' if args.dry_run else 'gone'}: {counts}")
    return 0


def _moment(text: str) -> int:
    """Return a day or a moment in UTC as nanoseconds since the epoch.

    Raises:
        UsageError: It is neither.
    """
    from datetime import UTC, datetime

    from cockpit.errors import UsageError

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no date", remedy="write YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SS, in UTC"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000_000
