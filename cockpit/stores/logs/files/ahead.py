"""Reads pieces of logs before their turn, on another core.

A log is walked backwards, and where a piece ends is known only once the next one was read. So a log is laid into
cells of one size, and a cell's records are taken to end before the first line that begins in the next cell. That is
so unless a record of several lines lies on the border: then the piece is read once more in its turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np
from msgspec import Struct

from cockpit.errors import CockpitError
from cockpit.formats.columns import Columns
from cockpit.formats.format import LogFormat
from cockpit.signals import SECOND
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.opened import LogBytes, OpenedLog
from cockpit.stores.logs.files.pieces import LINE_FEED, Piece, Span, piece_from, whole_records
from cockpit.stores.logs.files.twin import Twin, cores

REACH = 1 << 16
"""Bytes of the next cell in which its first line is looked for."""
ASKED = 2
"""Cells of a log that the other core is asked for at a time: one that it reads, and one that is next."""
KEPT = 6
"""Cells that are kept before their turn."""
LEAST = 32 << 20
"""Bytes from which that is worth another process."""
LEAST_EACH = 1 << 20
"""Bytes of a log from which it is read ahead."""
AT_ONCE = 4
"""Cells that the other core is asked for at a time, of all logs."""
NEAR = 30 * 24 * 3600 * SECOND
"""Nanoseconds within which one moment tells the years of lines as another does."""


class Cell(Struct, frozen=True, array_like=True):
    """A piece of a log that was read before its turn.

    Attributes:
        log: The log's number.
        number: The cell's.
        span: Where its records lie; None where no record begins in it, or no line ends.
        starts: uint32, as `Piece.starts`; bytes as they lie in memory, and so are the others.
        times: int64.
        levels: uint8.
    """

    log: int
    number: int
    span: Span | None
    starts: bytes = b""
    times: bytes = b""
    levels: bytes = b""

    @property
    def piece(self) -> Piece:
        """The piece that it is, if its records end where another begins."""
        assert self.span is not None
        columns = Columns(
            np.frombuffer(self.starts, np.uint32),
            np.frombuffer(self.times, np.int64),
            np.frombuffer(self.levels, np.uint8),
            0,
        )
        return piece_from(self.span, columns)


class Question(Struct, frozen=True, array_like=True):
    """Which cell to read, as a twin is asked."""

    log: int
    number: int
    size: int
    observed: int


_CELL: msgspec.msgpack.Decoder[Cell] = msgspec.msgpack.Decoder(Cell)
_QUESTION: msgspec.msgpack.Decoder[Question] = msgspec.msgpack.Decoder(Question)


def cell_of(log: LogBytes, fmt: LogFormat, question: Question) -> Cell:
    """Read a cell and index it, as far as it can be told without what comes after."""
    nothing = Cell(question.log, question.number, None)
    begin = question.number * question.size
    try:
        data = log.read(begin, question.size + REACH)
    except CockpitError:
        return nothing  # in its turn it is told
    end = data.find(LINE_FEED, question.size) + 1
    found = whole_records(data, end, fmt, question.observed, begin) if end else None
    if found is None:
        return nothing
    cut, columns = found
    span = Span(question.log, begin + cut, end - cut, question.observed)
    starts = columns.starts.astype(np.uint32, copy=False)
    return Cell(
        question.log,
        question.number,
        span,
        starts.tobytes(),
        columns.times.tobytes(),
        columns.levels.tobytes(),
    )


def reads_ahead(logs: Logs, ends: Sequence[int]) -> Ahead | None:
    """Return what reads large files ahead; None where none is large, or there is no other core.

    Args:
        logs: All that is open.
        ends: For each log, how many of its bytes are to be read.
    """
    large = {
        number: (log, fmt)
        for number, (log, fmt, end) in enumerate(zip(logs.opened, logs.formats, ends, strict=True))
        if end >= LEAST_EACH and isinstance(log, OpenedLog)
    }
    if cores() < 2 or sum(ends[number] for number in large) < LEAST:
        return None
    try:
        return Ahead(large)
    except OSError:
        return None  # one core reads them


class Ahead:
    """Reads the logs that are walked back, before their turn and on two cores. `end` it once they are read."""

    def __init__(
        self,
        logs: Mapping[int, tuple[LogBytes, LogFormat]],
        *,
        twin: Callable[[Callable[[bytes], bytes]], Twin] = Twin,
    ) -> None:
        """Start the other process.

        Args:
            logs: Those to read, by number.
            twin: Starts what answers with a function, elsewhere.

        Raises:
            OSError: It can't be had.
        """
        self._logs = dict(logs)

        def answer(data: bytes) -> bytes:
            return msgspec.msgpack.encode(self._read(_QUESTION.decode(data)))

        self._twin = twin(answer)
        self._found: dict[int, dict[int, Cell]] = {number: {} for number in logs}
        self._asked: dict[int, set[int]] = {number: set() for number in logs}
        self._next: dict[int, int] = {}
        """By log, the cell that nobody reads yet."""

    def take(self, log: int, place: tuple[int, int], size: int, observed: int) -> Piece | None:
        """Return a piece that was read before its turn; None to read it now.

        Args:
            log: The log's number.
            place: Where the piece's cell begins, and where the piece ends.
            size: Bytes of a cell: the same each time.
            observed: By which a missing year is told, in nanoseconds.
        """
        if log not in self._logs or not self._twin.alive:
            return None
        begin, low = place
        number = begin // size
        found, asked = self._found[log], self._asked[log]
        self._next[log] = min(self._next.get(log, number - 1), number - 1)
        for passed in [known for known in found if known > number]:
            del found[passed]
        self._hear(wait=False)
        while number in asked and self._twin.alive:
            self._ask(log, size, observed)
            if len(found) < KEPT and (question := self._another(log, size, observed)) is not None:
                found[question.number] = self._read(question)
                self._hear(wait=False)
            else:
                self._hear(wait=True)
        self._ask(log, size, observed)
        cell = found.pop(number, None)
        if cell is None or cell.span is None or cell.span.offset + cell.span.size != low:
            return None
        return cell.piece if abs(cell.span.observed - observed) < NEAR else None

    def end(self) -> None:
        """End the other process."""
        self._twin.end()
        self._logs.clear()

    def _read(self, question: Question) -> Cell:
        return cell_of(*self._logs[question.log], question)

    def _ask(self, log: int, size: int, observed: int) -> None:
        """Give the other process enough to do."""
        asked = self._asked[log]
        while (
            len(asked) < ASKED
            and self._twin.asked < AT_ONCE
            and (question := self._another(log, size, observed)) is not None
        ):
            asked.add(question.number)
            self._twin.ask(msgspec.msgpack.encode(question))

    def _another(self, log: int, size: int, observed: int) -> Question | None:
        """Take the next cell that nobody reads."""
        number = self._next[log]
        if number < 0:
            return None
        self._next[log] = number - 1
        return Question(log, number, size, observed)

    def _hear(self, *, wait: bool) -> None:
        for answer in self._twin.answers(wait=wait):
            cell = _CELL.decode(answer)
            self._asked[cell.log].discard(cell.number)
            self._found[cell.log][cell.number] = cell
