"""Reads logs and has them searched, a little at a time, and tells what it found; knows no screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from cockpit.errors import CockpitError
from cockpit.stores.logs.files.ahead import Ahead
from cockpit.stores.logs.files.chunk import EMPTY_CHUNK, Summary, rows_of, summary_of
from cockpit.stores.logs.files.chunks import Chunks
from cockpit.stores.logs.files.filling import Filling
from cockpit.stores.logs.files.first import first_tail
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.merging import Merging
from cockpit.stores.logs.files.newest import Newest
from cockpit.stores.logs.files.opened import NOWHERE, Change, OpenedLog
from cockpit.stores.logs.files.pieces import PIECE, Backwards, Piece, Span
from cockpit.stores.logs.files.rotated import LogGone, RotatedLog, rotate
from cockpit.stores.logs.files.search import Search, Share
from cockpit.stores.logs.files.wire import (
    Added,
    Closed,
    Dropped,
    Emptied,
    Older,
    Open,
    Read,
    Sampled,
    Tail,
    Told,
    Trouble,
)

BEAT = 0.05
"""Seconds between two looks at whether the logs have grown."""
MANY = 100
"""Logs from which looks are rarer, as each takes its time."""


class Scanner:
    """Logs on one time line: the tail, what was closed after it, and what lies before."""

    def __init__(
        self,
        logs: Logs,
        opened: Open,
        fillings: Sequence[Filling] = (),
        *,
        reads_ahead: Callable[[Logs, Sequence[int]], Ahead | None] = lambda logs, ends: None,
        share: Share = lambda search: None,
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
        self._names = [log.path for log in logs.opened]
        self._chunks = Chunks()
        self.search = Search(logs, self._names, self._chunks, share)
        self._begin(opened.tail, opened.ends, opened.observed)
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
        self._chunks.begin(tail)

    def _alone(self) -> None:
        """End what reads ahead."""
        if self._ahead is not None:
            self._ahead.end()
            self._ahead = None

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do until a log grows."""
        busy = self._hasty or any(filling.busy for filling in self._fillings)
        return self._merging.ended and not self.search.busy and not busy

    @property
    def waits(self) -> list[int]:
        """Descriptors that tell when there is more to do."""
        return [fd for filling in self._fillings if (fd := filling.waits) is not None]

    def step(self) -> list[Told]:
        """Do a little: see whether logs have grown, else look for one record, search a chunk, or read one."""
        for filling in self._fillings:
            filling.step()
        now = time.monotonic()
        if self._hasty or now - self._looked >= BEAT * max(1.0, len(self._logs.opened) / MANY):
            self._looked = now
            if told := self._grown():
                return told
        if self.search.busy:
            return self.search.step(alone=not self._merging.ended)
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
            self._logs.keep(pieces)
            number = self._chunks.add_older([piece.span for piece in pieces])
            told += [Older(summary_of(pieces, rows_of(pieces))), *self.search.searched(number)]
        if self._merging.ended:
            self._alone()
        return [*told, self._progress()]

    def _progress(self) -> Read:
        """Say how far reading is; of a compressed file the bytes on the disk count."""
        left = self._merging.left + sum(filling.left for filling in self._fillings)
        return Read(left, self._total + sum(filling.total for filling in self._fillings))

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
        chunks = self._chunks
        before = chunks.oldest
        while (
            self._merging.ended and chunks.oldest < chunks.last and self._is_gone(chunks.spans[chunks.oldest])
        ):
            chunks.drop_oldest()
        if chunks.oldest == before:
            return []
        self.search.forget_gone()
        return [Dropped(chunks.oldest - 1)]

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
        gone = self._newest.close()
        if gone:
            told.append(Closed(self._summary(gone), self._summary(self._newest.pieces)))
            told += self.search.searched(self._chunks.close([piece.span for piece in gone]))
        self._chunks.spans[self._chunks.last] = [piece.span for piece in self._newest.pieces]
        return [*told, *self.search.searched(self._chunks.last)]

    def _summary(self, pieces: Sequence[Piece]) -> Summary:
        return summary_of(pieces, rows_of(pieces)) if pieces else EMPTY_CHUNK

    def _looked_at(self, number: int) -> list[Told]:
        log = self._logs.opened[number]
        try:
            change = log.look()
            if isinstance(log, RotatedLog) and self._merging.ended and not self._newest.behind(number):
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
        try:
            opened, tail = first_tail(self._logs, [log.path for log in logs])
        except CockpitError as error:
            self._begin([], [log.size for log in logs], [log.modified for log in logs])
            self.search.begin_again()
            return [Emptied(path), Trouble(-1, str(error))]
        self._begin(opened.tail, opened.ends, opened.observed)
        self.search.begin_again()
        return [Emptied(path), Tail(tail, 0)]

    def _troubled(self, number: int, text: str) -> list[Told]:
        if self._troubles.get(number, "") == text:
            return []
        self._troubles[number] = text
        return [Trouble(number, text)]
