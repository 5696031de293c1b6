"""What the verbs below `cockpit logs` share: the logs they read one after another, and what they say about them."""

from __future__ import annotations

import argparse
import gc
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from cockpit.errors import CockpitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cockpit.formats.declaration import Declaration
    from cockpit.formats.format import LineFormat
    from cockpit.formats.times import Zone
    from cockpit.stores.logs.forward import Block
    from cockpit.stores.logs.streams import LogStream
    from cockpit.stores.logs.terms import Query

STDIN = "-"
FORMATS = ".toml"
"""What the name of a file of formats ends with."""
EVERY = 0.2
"""Seconds between two lines of progress."""


def add_files(parser: argparse.ArgumentParser) -> None:
    """Describe the logs that a verb reads."""
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        default=[],
        help="logs, also compressed ones (gzip, bzip2, xz, zstd); - for stdin, which is read too where none is named",
    )
    add_reading(parser)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Describe how logs are read."""
    parser.add_argument("--text", action="store_true", help="read also what looks like no text")
    parser.add_argument(
        "--format",
        metavar="NAME",
        help="the logs' format, or a file of formats (*.toml); else told from what they say",
    )
    parser.add_argument(
        "--zone", metavar="ZONE", default="", help="the zone of times that tell none, else this machine's"
    )


def add_query(parser: argparse.ArgumentParser) -> None:
    """Describe a query that may be left out."""
    parser.add_argument("-e", "--query", metavar="QUERY", help="what to look for, as in the pane's filter")
    parser.add_argument(
        "files",
        metavar="[QUERY] FILE",
        nargs="*",
        default=[],
        help="logs as for grep, and before them a query: a first word that is no file",
    )
    add_reading(parser)


def split_query(args: argparse.Namespace) -> tuple[str, list[str]]:
    """Tell a query from files: `-e`, or a first word that is no file.

    Raises:
        UsageError: The first word is a path to no file.
    """
    from pathlib import Path

    words: list[str] = args.files
    if args.query is not None or not words or words[0] == STDIN or Path(words[0]).exists():
        return args.query or "", words
    first = words[0]
    if "/" in first and " " not in first and not re.fullmatch(r"-?/.*/", first):
        raise UsageError("there is no such file", where=first, remedy="-e says that it is a query")
    return first, words[1:]


class Logs:
    """The logs of a verb. What is wrong with one is said, and the others are read.

    Attributes:
        paths: Their names, in the order given.
        failed: Whether one could not be read.
    """

    def __init__(self, args: argparse.Namespace, paths: Sequence[str]) -> None:
        """Take down which.

        Raises:
            UsageError: None is named, and stdin is a terminal.
        """
        if not paths and sys.stdin.isatty():
            raise UsageError("which log files?", remedy="name some, or - to type lines")
        self.paths = list(paths) or [STDIN]
        self.failed = False
        self._args = args
        self._formats: tuple[Zone, Sequence[Declaration]] | None = None
        self._progress = Progress()

    def __iter__(self) -> Iterator[Log]:
        """Open one after another."""
        for number, path in enumerate(self.paths):
            try:
                log = self.open(number, path)
            except UsageError:
                raise
            except CockpitError as error:
                self.complain(error)
                continue
            try:
                yield log
            finally:
                log.stream.close()
        self._progress.end()

    def open(self, number: int, path: str) -> Log:
        """Open one and tell its format.

        Raises:
            CockpitError: It can't be read.
            UsageError: There is no such format or zone.
        """
        from cockpit.stores.logs.streams import open_log

        stream = open_log(path, binary=self._args.text)
        return Log(self, number, stream, self.format_of(stream))

    def format_of(self, log: LogStream) -> LineFormat:
        """Return the format that was named, or the one that a log seems to have.

        Raises:
            UsageError: There is no such format or zone, or the configuration is wrong.
        """
        zone, own = self._known()
        if (named := self._args.format) and not named.endswith(FORMATS):
            from cockpit.formats.catalogue import format_named

            found = format_named(named, zone=zone, own=own)
        else:
            from cockpit.formats.detect import detect

            found = detect(log.head, path=log.path, observed=log.modified, zone=zone, own=own)
        gc.enable()  # from here on records are made
        return found

    def _known(self) -> tuple[Zone, Sequence[Declaration]]:
        """Return the zone of times that tell none, and the formats that the operator declared."""
        if self._formats is None:
            from pathlib import Path

            from cockpit.formats.times import Zone

            own, zone = own_formats(self._args.config)
            if self._args.format and self._args.format.endswith(FORMATS):
                from cockpit.config.formats import read_formats

                own = (*read_formats(Path(self._args.format)), *own)
            self._formats = Zone(self._args.zone or zone), own
        return self._formats

    @property
    def zone(self) -> str:
        """The zone of times that tell none; empty for this machine's.

        Raises:
            UsageError: There is no such zone, or the configuration is wrong.
        """
        return self._known()[0].name

    def complain(self, error: CockpitError) -> None:
        """Say what is wrong with a log."""
        from cockpit.hygiene import clean_text

        self.failed = True
        self._progress.end()
        sys.stdout.flush()
        for line in str(error).splitlines():
            print(f"cockpit: {clean_text(line)}", file=sys.stderr)

    def note(self, text: str) -> None:
        """Say something that is no mistake."""
        from cockpit.hygiene import clean_line

        print(f"cockpit: {clean_line(text)}", file=sys.stderr)

    def done(self) -> None:
        """Say that reading is over."""
        self._progress.end()

    def progress(self, log: LogStream) -> None:
        """Show how far reading is."""
        self._progress.show(log)


def own_formats(config: str | None) -> tuple[tuple[Declaration, ...], str]:
    """Return the formats that the configuration declares, and the zone of times that tell none.

    Where there is no configuration, nothing of it is imported.

    Raises:
        UsageError: The configuration is wrong.
    """
    from cockpit.locate import find

    file = find(config)
    if file is None:
        return (), ""
    from cockpit.config import read

    settings = read(file)
    return settings.formats, settings.logs.zone


class Log:
    """One log that is open.

    Attributes:
        number: Its place among those named, from 0.
        stream: Its bytes.
        format: How it writes its records.
        name: What it is called in what is printed.
        source: What `source:` is held against, as on the screen.
    """

    def __init__(self, logs: Logs, number: int, stream: LogStream, fmt: LineFormat) -> None:
        self._logs = logs
        self.number = number
        self.stream = stream
        self.format = fmt
        self.name = "(stdin)" if stream.path == STDIN else stream.path
        self.source = "stdin" if stream.path == STDIN else stream.path

    def blocks(
        self, *, screen: Callable[[memoryview], bool] | None = None, numbered: bool = False
    ) -> Iterator[Block]:
        """Go through its records; what goes wrong is said, and ends it."""
        from cockpit.stores.logs.forward import Forward

        try:
            for block in Forward(self.stream, self.format, screen=screen, numbered=numbered):
                self._logs.progress(self.stream)
                yield block
        except UsageError:
            raise
        except CockpitError as error:
            self._logs.complain(error)


class Progress:
    """How far reading is, on stderr where that is a terminal and stdout is none that it would be mixed with."""

    def __init__(self) -> None:
        self._wanted = sys.stderr.isatty() and not sys.stdout.isatty()
        self._shown = 0.0
        self._began = 0.0

    def show(self, log: LogStream) -> None:
        """Say it, five times a second at most, and not in the first second."""
        if not self._wanted:
            return
        from time import monotonic

        from cockpit.hygiene import clean_line

        now = monotonic()
        self._began = self._began or now
        if now - self._began < 1 or now - self._shown < EVERY:
            return
        self._shown = now
        print(f"\r\x1b[K{clean_line(log.path, 60)}: {log.done:.0%}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Take it away."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = 0.0


def read_query(text: str) -> Query:
    """Read a query.

    Raises:
        UsageError: It can't be understood.
    """
    from cockpit.stores.logs.query import parse_query

    return parse_query(text)


def print_table(rows: Iterable[Sequence[object]], *, right: Sequence[int] = ()) -> None:
    """Print rows as aligned columns, cleaned, and cut to the terminal's width where stdout is one.

    Args:
        rows: The first is the heading.
        right: The columns that are aligned to the right.
    """
    from shutil import get_terminal_size

    from cockpit.hygiene import clean_line

    cells = [[clean_line(str(cell)) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    width = get_terminal_size().columns if sys.stdout.isatty() else 0
    for row in cells:
        padded = [
            cell.rjust(wide) if column in right else cell.ljust(wide)
            for column, (cell, wide) in enumerate(zip(row, widths, strict=True))
        ]
        line = "  ".join(padded).rstrip()
        print(line if not width or len(line) <= width else f"{line[: width - 1]}…")
