"""`cockpit logs grep`: the records that a query admits, as they stand in their logs."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from cockpit.verbs.logs_reading import Log, Logs, add_files, read_query

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cockpit.stores.logs.forward import Block

NOTHING = 1
"""The exit status where no record was found, as grep's."""
LONGEST = 64 * 1024
"""Characters of a line that are shown on a terminal."""


def add(below: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = below.add_parser(
        "grep",
        help="print the records that a query finds",
        description="Print the records that a query finds, with all their lines. The query is written as in the "
        'pane\'s filter: words, "phrases", /expressions/, level>=warn, service:checkout, status>=500, -not. '
        "Exit status 1 where nothing is found.",
    )
    parser.add_argument("query", metavar="QUERY", help="what to look for")
    add_files(parser)
    parser.add_argument("-c", "--count", action="store_true", help="print only how many, a log a line")
    parser.add_argument("-n", "--line-number", action="store_true", help="print the number of each line")
    parser.add_argument(
        "--no-filename", action="store_true", help="don't print the log's name where there are several"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON document a record")


def main(args: argparse.Namespace) -> int:
    """Search.

    Raises:
        UsageError: The query can't be understood, or takes too long.
    """
    from cockpit.stores.logs.matcher import Matcher

    query = read_query(args.query)
    logs = Logs(args, args.files)
    printer = Printer(args, several=len(logs.paths) > 1)
    any_found = False
    for log in logs:
        matcher, found = Matcher(query, log.format, source=log.source), 0
        for block in log.blocks(screen=matcher.may_pass, numbered=args.json or args.line_number):
            admitted = matcher.match(block.data, block.columns)
            count = int(admitted.sum())
            found += count
            if count and not args.count:
                printer.print(log, block, admitted)
        if args.count:
            print(f"{printer.prefix(log)}{found}")
        any_found = any_found or found > 0
    return 1 if logs.failed else 0 if any_found else NOTHING


class Printer:
    """Prints records: raw to a file or pipe, cleaned to a terminal."""

    def __init__(self, args: argparse.Namespace, *, several: bool) -> None:
        self._json = args.json
        self._numbered = args.line_number
        self._named = several and not args.no_filename
        self._terminal = sys.stdout.isatty()

    def prefix(self, log: Log) -> str:
        """Return what stands before a log's lines."""
        from cockpit.hygiene import clean_line

        return f"{clean_line(log.name) if self._terminal else log.name}:" if self._named else ""

    def print(self, log: Log, block: Block, admitted: NDArray[np.bool_]) -> None:
        """Print the admitted records of a block."""
        if self._json:
            self._print_json(log, block, admitted)
        elif self._terminal or self._named or self._numbered:
            self._print_lines(log, block, admitted)
        else:
            self._print_raw(block, admitted)

    def _print_raw(self, block: Block, admitted: NDArray[np.bool_]) -> None:
        """Write the bytes of the records, those side by side at once."""
        import numpy as np

        edges = np.flatnonzero(np.diff(admitted, prepend=False, append=False))
        bounds = np.append(block.columns.starts.astype(np.int64), np.int64(len(block.data)))[edges].tolist()
        write, data = sys.stdout.buffer.write, block.data
        write(b"".join([data[start:end] for start, end in zip(bounds[::2], bounds[1::2], strict=True)]))
        if bounds[-1] == len(data) and data[-1] != 10:
            write(b"\n")
        sys.stdout.buffer.flush()

    def _print_lines(self, log: Log, block: Block, admitted: NDArray[np.bool_]) -> None:
        import numpy as np

        from cockpit.hygiene import clean_text

        prefix = self.prefix(log).encode("utf-8", "surrogateescape")
        numbers = block.numbers if self._numbered else None
        starts, ends, lines = block.columns.starts, block.ends, []
        for row in np.flatnonzero(admitted).tolist():
            record = bytes(block.data[int(starts[row]) : int(ends[row])]).removesuffix(b"\n")
            for place, line in enumerate(record.split(b"\n")):
                number = b"" if numbers is None else b"%d:" % (int(numbers[row]) + place)
                if self._terminal:
                    line = clean_text(line.decode("utf-8", "replace"), LONGEST).encode()
                lines.append(b"%s%s%s\n" % (prefix, number, line))
        sys.stdout.buffer.write(b"".join(lines))
        sys.stdout.buffer.flush()

    def _print_json(self, log: Log, block: Block, admitted: NDArray[np.bool_]) -> None:
        import msgspec
        import numpy as np

        from cockpit.verbs.logs_documents import document_of

        encode = msgspec.json.Encoder().encode
        rows = np.flatnonzero(admitted).tolist()
        sys.stdout.buffer.write(
            b"".join(
                [encode(document) + b"\n" for document in document_of(log.name, log.format, block, rows)]
            )
        )
        sys.stdout.buffer.flush()
