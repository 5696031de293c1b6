"""`cockpit logs merge`: several logs as one, in the order of time."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from cockpit.errors import CockpitError, UsageError
from cockpit.verbs.arguments import seconds
from cockpit.verbs.logs_reading import Log, Logs, add_files

if TYPE_CHECKING:
    from cockpit.stores.logs.merge import Merge, Merged

LONGEST = 64 * 1024
"""Characters of a line that are shown on a terminal."""


def add(below: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = below.add_parser(
        "merge",
        help="print several logs as one, in the order of time",
        description="Print several logs as one, in the order of time, each line with its log. A record that comes "
        "more than --window after later ones of its log keeps its place and is marked with ~.",
    )
    add_files(parser)
    parser.add_argument(
        "--window",
        metavar="SECONDS",
        type=seconds(zero=True),
        default=1.0,
        help="put records of one log in order that are so far apart (default: 1)",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON document a record")


def main(args: argparse.Namespace) -> int:
    """Merge.

    Raises:
        UsageError: Too many files are named.
    """
    from cockpit.stores.logs.merge import Merge

    logs, opened = Logs(args, args.files), []
    with ExitStack() as stack:
        for number, path in enumerate(logs.paths):
            try:
                opened.append(logs.open(number, path))
            except UsageError:
                raise
            except CockpitError as error:
                logs.complain(error)
                continue
            stack.callback(opened[-1].stream.close)
        window = int(args.window * 1_000_000_000)
        merge = Merge([log.blocks(numbered=args.json) for log in opened], window=window)
        for merged in merge:
            if args.json:
                _print_json(opened, merge, merged)
            else:
                _print_lines(opened, merge, merged)
        logs.done()
    return 1 if logs.failed else 0


def _print_lines(logs: list[Log], merge: Merge, merged: Merged) -> None:
    """Write each line with its log; a run of one block's records is written at once."""
    from cockpit.hygiene import clean_line, clean_text

    terminal = sys.stdout.isatty()
    names = [
        (clean_line(log.name) if terminal else log.name).encode("utf-8", "surrogateescape") for log in logs
    ]
    bounds = {
        (number, key): (block.data, block.columns.starts.tolist(), block.ends.tolist())
        for number, source in enumerate(merge.sources)
        for key, block in source.kept.items()
    }
    lines = []
    columns = (merged.log.tolist(), merged.block.tolist(), merged.row.tolist(), merged.late.tolist())
    for log, key, row, late in zip(*columns, strict=True):
        data, starts, ends = bounds[log, key]
        record = bytes(data[starts[row] : ends[row]]).removesuffix(b"\n")
        head = names[log] + (b"~ " if late else b": ")
        for line in record.split(b"\n"):
            lines.append(
                head + (clean_text(line.decode("utf-8", "replace"), LONGEST).encode() if terminal else line)
            )
    lines.append(b"")
    sys.stdout.buffer.write(b"\n".join(lines))
    sys.stdout.buffer.flush()


def _print_json(logs: list[Log], merge: Merge, merged: Merged) -> None:
    import msgspec

    from cockpit.verbs.logs_documents import document_of

    encode = msgspec.json.Encoder().encode
    lines = []
    columns = (merged.log.tolist(), merged.block.tolist(), merged.row.tolist(), merged.late.tolist())
    for log, key, row, late in zip(*columns, strict=True):
        block = merge.sources[log].kept[key]
        (document,) = document_of(logs[log].name, logs[log].format, block, [row])
        lines.append(encode({**document, "late": late}) + b"\n")
    sys.stdout.buffer.write(b"".join(lines))
    sys.stdout.buffer.flush()
