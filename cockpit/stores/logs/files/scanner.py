"""Reads and searches logs, a little at a time, and tells what it found; knows no process and no screen."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cockpit.errors import CockpitError
from cockpit.formats.columns import Columns
from cockpit.formats.format import LogFormat
from cockpit.stores.logs.files.ahead import Ahead
from cockpit.stores.logs.files.chunk import EMPTY_CHUNK, Summary, rows_of, summary_of
from cockpit.stores.logs.files.counts import NONE, counts_of
from cockpit.stores.logs.files.filling import Filling
from cockpit.stores.logs.files.first import first_tail
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.merging import Merging
from cockpit.stores.logs.files.naming import short_names
from cockpit.stores.logs.files.newest import Newest
from cockpit.stores.logs.files.opened import NOWHERE, Change, OpenedLog
from cockpit.stores.logs.files.pieces import PIECE, Backwards, Piece, Span
from cockpit.stores.logs.files.rotated import LogGone, RotatedLog, rotate
from cockpit.stores.logs.files.sharing import MANY as MANY_CHUNKS
from cockpit.stores.logs.files.sharing import SOON, Sharing
from cockpit.stores.logs.files.sparse import FEW, places_of
from cockpit.stores.logs.files.wire import (
    Added,
    Closed,
    Dropped,
    Emptied,
    Found,
    Next,
    Older,
    Open,
    Read,
    Sampled,
    Searched,
    Sought,
    Tail,
    Told,
    Trouble,
)

BEAT = 0.05
"""Seconds between two looks at whether the logs have grown."""
MANY = 100
"""Logs from which looks are rarer, as each takes its time."""


class Matching(Protocol):
    """A search over bytes."""

    def match(
        self, data: bytes, columns: Callable[[], Columns], fmt: LogFormat, source: str
    ) -> Sequence[NDArray[np.bool_]] | None:
        """Return which records match, a bool each, then those that pass each query which is counted.

        None where no record matches and none is counted, told without the columns.
        """


class Scanner:
    """Logs on one time line: the tail, what was closed after it, and what lies before."""

    def __init__(
        self,
        logs: Logs,
        opened: Open,
        fillings: Sequence[Filling] = (),
        *,
        reads_ahead: Callable[[Logs, Sequence[int]], Ahead | None] = lambda logs, ends: None,
        share: Callable[[Callable[[int], list[Told]]], Sharing | None] = lambda search: None,
    ) -> None:
        """Begin where the screen has begun.

        Args:
            logs: The logs that the message names, opened.
            opened: Which of their records are known.
            fillings: What fills the spools among them.
            reads_ahead: Starts what reads large logs on another core.
            share: Starts what searches beside this on another core.
        """
        self._logs = logs
        self._reads_ahead = reads_ahead
        self._ahead: Ahead | None = None
        self._fillings = tuple(fillings)
        # A compressed file comes from its beginning: beside other logs it has its place once its end is here.
        alone = len(logs.opened) == 1
        self._held = {filling.number for filling in fillings if not (filling.stream or alone)}
        self._filled = -1
        self._names = short_names([log.path for log in logs.opened])
        self._next: tuple[Next, Matching, int] | None = None
        """The one record that is looked for, how, and the chunk that is next."""
        self._begin(opened.tail, opened.ends, opened.observed)
        self._serial = 0
        self._matching: Matching | None = None
        self._todo: deque[int] = deque()
        self._share = share
        self._sharing: Sharing | None = None
        self._began = 0.0
        """When the search began, in seconds."""
        self._looked = 0.0
        self._hasty = False
        self._renamed: set[int] = set()
        # The screen says already that it could not open these: what becomes of them is told in any case.
        missing = [number for number, log in enumerate(logs.opened) if log.identity == NOWHERE]
        self._troubles = dict.fromkeys(missing, "missing")

    def _begin(self, tail: Sequence[Span], ends: Sequence[int], observed: Sequence[int]) -> None:
        logs = self._logs
        self._newest = Newest(logs, tail, dict(enumerate(ends)))
        self._alone()
        self._ahead = self._reads_ahead(logs, ends)
        take = self._ahead.take if self._ahead is not None else None
        backwards = [
            Backwards(number, log, fmt, end=end, observed=seen, take=take)
            for number, (log, fmt, end, seen) in enumerate(
                zip(logs.opened, logs.formats, ends, observed, strict=True)
            )
        ]
        self._merging = Merging(backwards)
        self._total = sum(ends)
        self._chunks: dict[int, Sequence[Span]] = {0: tail}
        self._oldest = 0
        self._last = 0

    def _alone(self) -> None:
        """End what reads ahead."""
        if self._ahead is not None:
            self._ahead.end()
            self._ahead = None

    def look(self, serial: int, matching: Matching | None) -> None:
        """Search for something else, from the newest record on."""
        self._share_no_more()
        self._serial, self._matching, self._began = serial, matching, time.monotonic()
        self._todo = deque(sorted(self._chunks, reverse=True) if matching is not None else ())

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do until a log grows."""
        busy = self._hasty or any(filling.busy for filling in self._fillings)
        searching = bool(self._todo) or self._sharing is not None
        return self._merging.ended and not searching and self._next is None and not busy

    @property
    def waits(self) -> list[int]:
        """Descriptors that tell when there is more to do."""
        return [fd for filling in self._fillings if (fd := filling.waits) is not None]

    def look_for(self, question: Next, matching: Matching | None) -> None:
        """Look for one record before all else; without a search, for none any more."""
        self._next = None if matching is None else (question, matching, question.number)

    def step(self) -> list[Told]:
        """Do a little: see whether logs have grown, else look for one record, search a chunk, or read one."""
        for filling in self._fillings:
            filling.step()
        now = time.monotonic()
        if self._hasty or now - self._looked >= BEAT * max(1.0, len(self._logs.opened) / MANY):
            self._looked = now
            if told := self._grown():
                return told
        if self._next is not None:
            return self._sought(*self._next)
        if self._todo or self._sharing is not None:
            return self._searched_on()
        if not self._merging.ended:
            return self._read()
        return []

    def _read(self) -> list[Told]:
        try:
            pieces = self._merging.step()
        except LogGone:
            return [self._progress()]
        except CockpitError as error:
            return [Trouble(-1, str(error))]
        told: list[Told] = []
        if pieces:
            self._oldest -= 1
            self._chunks[self._oldest] = [piece.span for piece in pieces]
            self._logs.keep(pieces)
            told.append(Older(summary_of(pieces, rows_of(pieces))))
            told += self._searched(self._oldest)
        if self._merging.ended:
            self._alone()
        return [*told, self._progress()]

    def _progress(self) -> Read:
        """Say how far reading is; of a compressed file the bytes on the disk count."""
        left = self._merging.left + sum(filling.left for filling in self._fillings)
        return Read(left, self._total + sum(filling.total for filling in self._fillings))

    def _searched_on(self) -> list[Told]:
        """Search a chunk, and share a long search with another process."""
        told = self._searched(self._todo.popleft()) if self._todo else []
        told += self._shared_on()
        if not self._todo and self._sharing is None:
            told.append(Searched(self._serial))
        return told

    def _shared_on(self) -> list[Told]:
        if self._sharing is None:
            if (
                len(self._todo) >= MANY_CHUNKS
                and self._merging.ended
                and time.monotonic() - self._began >= SOON
            ):
                self._sharing = self._share(self._searched)
                self._began = float("inf")  # where that fails it is not tried again
            return []
        self._sharing.give(self._todo)
        found = self._sharing.heard(wait=not self._todo)
        self._sharing.give(self._todo)
        if not self._todo and not self._sharing.busy:
            self._share_no_more()
        return [each for each in found if not isinstance(each, Found) or each.number in self._chunks]

    def _share_no_more(self) -> None:
        if self._sharing is not None:
            self._sharing.end()
            self._sharing = None

    def _searched(self, number: int) -> list[Told]:
        if self._matching is None:
            return []
        try:
            answers = self._answers(number, self._matching)
            return [
                Found(self._serial, number, 0, b"", NONE) if answers is None else self._found(number, answers)
            ]
        except LogGone:  # its records say so
            return [Found(self._serial, number, 0, b"", NONE)]
        except CockpitError as error:
            return [Found(self._serial, number, 0, b"", NONE), Trouble(-1, str(error))]

    def _answers(self, number: int, matching: Matching) -> list[NDArray[np.bool_]] | None:
        """Return which rows of a chunk match, then which are counted, by query: None where none are.

        Raises:
            CockpitError: A log can't be read, or the search takes too long.
        """
        logs = self._logs
        answers: list[Sequence[NDArray[np.bool_]] | None] = []
        for span in self._chunks[number]:
            try:
                data = logs.data(span)
            except LogGone:
                if logs.remembered(span) is None:
                    raise
                answers.append(None)
                continue

            def columns(span: Span = span, data: bytes = data) -> Columns:
                return logs.piece(span, data).columns

            answers.append(matching.match(data, columns, logs.formats[span.log], self._names[span.log]))
        queries = next((len(answer) for answer in answers if answer is not None), 0)
        if not queries:
            return None
        pieces = [logs.piece(span) for span in self._chunks[number]]
        order = rows_of(pieces).order
        return [
            np.concatenate(
                [
                    np.zeros(len(piece), np.bool_) if answer is None else answer[query]
                    for answer, piece in zip(answers, pieces, strict=True)
                ]
            )[order]
            for query in range(queries)
        ]

    def _found(self, number: int, answers: Sequence[NDArray[np.bool_]]) -> Found:
        pieces = [self._logs.piece(span) for span in self._chunks[number]]
        rows = rows_of(pieces)
        mask = answers[0]
        levels = np.concatenate([piece.levels for piece in pieces])[rows.order]
        count = int(np.count_nonzero(mask))
        bits = np.packbits(mask).tobytes() if 0 < count < len(mask) else b""
        hits = tuple(int(np.count_nonzero(answer)) for answer in answers[1:])
        few = 0 < count <= FEW and number != self._last
        places = places_of(rows, pieces, np.flatnonzero(mask)) if few else b""
        counts = counts_of(rows.placed[mask], levels[mask])
        return Found(self._serial, number, count, bits, counts, hits, places)

    def _sought(self, question: Next, matching: Matching, number: int) -> list[Told]:
        """Look for one record in one chunk."""
        if number not in self._chunks:
            self._next = None
            return [Sought(question.serial, number, -1)]
        try:
            answers = self._answers(number, matching)
        except LogGone:
            answers = None
        except CockpitError as error:
            self._next = None
            return [Sought(question.serial, number, -1), Trouble(-1, str(error))]
        rows = np.empty(0, np.intp) if answers is None else np.flatnonzero(answers[0])
        if number == question.number:
            rows = rows[rows > question.row] if question.step > 0 else rows[rows < question.row]
        if not len(rows):
            self._next = (question, matching, number + question.step)
            return []
        self._next = None
        return [Sought(question.serial, number, int(rows[0 if question.step > 0 else -1]))]

    # Growth.

    def _grown(self) -> list[Told]:
        told = self._filled_on()
        for number in range(len(self._logs.opened)):
            told += self._looked_at(number)
            if any(isinstance(message, Emptied) for message in told):
                return told
        told += self._let_go()
        if behind := self._behind():
            told += self._tail(behind)
            self._hasty = any(self._newest.behind(number, PIECE) for number in self._behind())
        else:
            self._hasty = False
        return told

    def _behind(self) -> list[int]:
        numbers = range(len(self._logs.opened))
        return [number for number in numbers if number not in self._held and self._newest.behind(number)]

    def _let_go(self) -> list[Told]:
        """Drop the oldest chunks of which a spool has let go."""
        before = self._oldest
        while self._merging.ended and self._oldest < self._last and self._is_gone(self._chunks[self._oldest]):
            del self._chunks[self._oldest]
            self._oldest += 1
        if self._oldest == before:
            return []
        self._todo = deque(number for number in self._todo if number >= self._oldest)
        return [Dropped(self._oldest - 1)]

    def _is_gone(self, spans: Sequence[Span]) -> bool:
        return not spans or any(span.offset < self._logs.opened[span.log].begin for span in spans)

    def _filled_on(self) -> list[Told]:
        """Tell how far spools are filled; once those that waited for their ends have them, all begins anew."""
        told: list[Told] = []
        for filling in self._fillings:
            told += self._troubled(filling.number, filling.trouble) if filling.trouble else []
        if (left := sum(filling.left for filling in self._fillings)) != self._filled:
            self._filled = left
            told.append(self._progress())
        if self._held and all(filling.done for filling in self._fillings if not filling.stream):
            self._held.clear()
            for number, log in enumerate(self._logs.opened):
                try:
                    log.look()
                    told += self._sampled(number)
                except CockpitError as error:
                    told += self._troubled(number, str(error))
            told += self._emptied(self._logs.opened[0].path)
        return told

    def _tail(self, grown: Sequence[int]) -> list[Told]:
        try:
            moved = self._newest.grow(grown, time.time_ns())
        except CockpitError as error:
            return self._troubled(grown[0], str(error))
        told: list[Told] = [Tail(self._summary(self._newest.pieces), moved)]
        self._chunks[self._last] = [piece.span for piece in self._newest.pieces]
        if gone := self._newest.close():
            closed, tail = self._summary(gone), self._summary(self._newest.pieces)
            self._chunks[self._last] = [piece.span for piece in gone]
            self._last += 1
            self._chunks[self._last] = [piece.span for piece in self._newest.pieces]
            told = [told[0], Closed(closed, tail), *self._searched(self._last - 1)]
        return [*told, *self._searched(self._last)]

    def _summary(self, pieces: Sequence[Piece]) -> Summary:
        return summary_of(pieces, rows_of(pieces)) if pieces else EMPTY_CHUNK

    def _looked_at(self, number: int) -> list[Told]:
        log = self._logs.opened[number]
        try:
            change = log.look()
            if isinstance(log, RotatedLog) and not self._newest.behind(number):
                log.settle()
            sampled = self._sampled(number) if change is Change.GROWN and number not in self._held else []
        except CockpitError as error:
            return self._troubled(number, str(error))
        if change is Change.TRUNCATED or self._newest.outrun(number):
            return self._emptied(log.path)
        if change is Change.GONE:
            return [] if number in self._renamed else self._troubled(number, f"{log.path}: its name is gone")
        if change is Change.REPLACED and number not in self._renamed:
            return self._replaced(number, log.path)
        if sampled:
            return [*sampled, *self._emptied(log.path)]
        return self._troubled(number, self._filling_trouble(number))

    def _sampled(self, number: int) -> list[Told]:
        """Tell a log's format anew where there is a good deal more of it by now."""
        size = self._logs.sample(number)
        return [Sampled(number, size)] if size else []

    def _filling_trouble(self, number: int) -> str:
        return next((filling.trouble for filling in self._fillings if filling.number == number), "")

    def _replaced(self, number: int, path: str) -> list[Told]:
        """Follow the name to the file that has it now; the old one stays."""
        try:
            other = OpenedLog(path)
        except CockpitError as error:
            return self._troubled(number, str(error))
        try:
            new = self._logs.add(other)
        except CockpitError as error:
            other.close()
            return self._troubled(number, str(error))
        self._renamed.add(number)
        rotate(self._logs.opened, path)
        self._names.append(self._names[number])
        self._newest.join(new)
        return [*self._troubled(number, ""), Added(new, path, other.identity)]

    def _emptied(self, path: str) -> list[Told]:
        """Begin anew: what was known of a log that was truncated is true no longer."""
        logs = self._logs.opened
        self._logs.clear()
        self._share_no_more()
        try:
            opened, tail = first_tail(self._logs, [log.path for log in logs])
        except CockpitError as error:
            self._begin([], [log.size for log in logs], [log.modified for log in logs])
            return [Emptied(path), Trouble(-1, str(error))]
        self._begin(opened.tail, opened.ends, opened.observed)
        if self._matching is not None:
            self._todo = deque([0])
        return [Emptied(path), Tail(tail, 0)]

    def _troubled(self, number: int, text: str) -> list[Told]:
        if self._troubles.get(number, "") == text:
            return []
        self._troubles[number] = text
        return [Trouble(number, text)]
