"""`cockpit snapshot`: run the sources without a screen for a while, and print what the panes would show."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from cockpit.verbs.arguments import count, seconds

if TYPE_CHECKING:
    from cockpit.snapshot import Snapshot
    from cockpit.wiring import Cockpit

FIRST_LOOK = 5.0
"""Seconds by default: enough for each default source to have looked twice."""
TICK = 0.05


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "snapshot",
        help="run the sources without a screen and print what they say",
        description="Run the configured sources for some seconds and print health, alerts, logs, traces and the "
        "state of each source: the same data that the panes show.",
    )
    parser.add_argument(
        "--for",
        dest="seconds",
        type=seconds(),
        default=FIRST_LOOK,
        metavar="SECONDS",
        help="how long (default: 5)",
    )
    parser.add_argument(
        "--logs", type=count(0), default=200, metavar="N", help="the last N log records (default: 200)"
    )
    parser.add_argument(
        "--traces",
        type=count(0),
        default=50,
        metavar="N",
        help="the N slowest and failing traces (default: 50)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    """Take the snapshot and print it."""
    import asyncio
    import sys

    import msgspec

    from cockpit.config import load
    from cockpit.hygiene import clean_text
    from cockpit.snapshot import as_text
    from cockpit.wiring import Cockpit

    cockpit = Cockpit(load(args.config))
    taken = asyncio.run(_collect(cockpit, args))
    if args.json:
        sys.stdout.buffer.write(msgspec.json.encode(taken) + b"\n")
    else:
        print(as_text(taken))
    for warning in cockpit.warnings:
        print(f"cockpit: {clean_text(warning)}", file=sys.stderr)
    return 0


async def _collect(cockpit: Cockpit, args: argparse.Namespace) -> Snapshot:
    """Run the sources, saying on a terminal that it goes on."""
    import asyncio
    import sys
    import time

    from cockpit.snapshot import take

    cockpit.start()
    until = time.monotonic() + args.seconds
    watched = sys.stderr.isatty()
    try:
        while (left := until - time.monotonic()) > 0:
            cockpit.drain(TICK)
            if watched:
                print(f"\rlistening, {left:.0f} s left ", end="", file=sys.stderr, flush=True)
            await asyncio.sleep(min(TICK, left))
        cockpit.drain(1.0)
        return take(cockpit, logs=args.logs, traces=args.traces)
    finally:
        if watched:
            print("\r\x1b[K", end="", file=sys.stderr)
        await cockpit.stop()
