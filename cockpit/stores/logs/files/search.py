"""The search that the screen asks for: chunk by chunk, the newest first, and for one record at a time."""

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
from cockpit.stores.logs.files.chunk import rows_of
from cockpit.stores.logs.files.chunks import Chunks
from cockpit.stores.logs.files.counts import NONE, counts_of
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.pieces import Span
from cockpit.stores.logs.files.rotated import LogGone
from cockpit.stores.logs.files.sharing import MANY, SOON, Sharing
from cockpit.stores.logs.files.sparse import FEW, places_of
from cockpit.stores.logs.files.wire import Found, Next, Searched, Sought, Told, Trouble

Share = Callable[[Callable[[int], list[Told]]], Sharing | None]
"""Starts what searches chunks beside this, on another core."""


class Matching(Protocol):
    """A search over bytes."""

    def match(
        self, data: bytes, columns: Callable[[], Columns], fmt: LogFormat, source: str
    ) -> Sequence[NDArray[np.bool_]] | None:
        """Return which records match, a bool each, then those that pass each query which is counted.

        None where no record matches and none is counted, told without the columns.
        """


class Search:
    """What is looked for, and what of it was looked at."""

    def __init__(self, logs: Logs, names: Sequence[str], chunks: Chunks, share: Share) -> None:
        """Begin without a search.

        Args:
            logs: Where the records lie.
            names: The paths of the logs, by number.
            chunks: Which spans each chunk holds.
            share: Starts what searches beside this on another core.
        """
        self._logs = logs
        self._names = names
        self._chunks = chunks
        self._share = share
        self._next: tuple[Next, Matching, int] | None = None
        """The one record that is looked for, how, and the chunk that is next."""
        self._serial = 0
        self._matching: Matching | None = None
        self._todo: deque[int] = deque()
        self._sharing: Sharing | None = None
        self._began = 0.0
        """When the search began, in seconds."""

    @property
    def busy(self) -> bool:
        """Whether there is something to look at."""
        return bool(self._todo) or self._sharing is not None or self._next is not None

    def look(self, serial: int, matching: Matching | None) -> None:
        """Search for something else, from the newest record on."""
        self._share_no_more()
        self._serial, self._matching, self._began = serial, matching, time.monotonic()
        self._todo = deque(sorted(self._chunks.spans, reverse=True) if matching is not None else ())

    def look_for(self, question: Next, matching: Matching | None) -> None:
        """Look for one record before all else; without a search, for none any more."""
        self._next = None if matching is None else (question, matching, question.number)

    def begin_again(self) -> None:
        """Search what there is now, as all that was known is void."""
        self._share_no_more()
        self._todo = deque([0] if self._matching is not None else ())

    def forget_gone(self) -> None:
        """Leave out chunks that are gone."""
        self._todo = deque(number for number in self._todo if number >= self._chunks.oldest)

    def step(self, *, alone: bool) -> list[Told]:
        """Look for one record, or search a chunk; a long search is shared with another process.

        Args:
            alone: Whether it is not shared, as while logs are read on all cores.
        """
        if self._next is not None:
            return self._sought(*self._next)
        told = self.searched(self._todo.popleft()) if self._todo else []
        told += self._shared_on(alone=alone)
        if not self._todo and self._sharing is None:
            told.append(Searched(self._serial))
        return told

    def _shared_on(self, *, alone: bool) -> list[Told]:
        if self._sharing is None:
            if len(self._todo) >= MANY and not alone and time.monotonic() - self._began >= SOON:
                self._sharing = self._share(self.searched)
                self._began = float("inf")  # where that fails it is not tried again
            return []
        self._sharing.give(self._todo)
        found = self._sharing.heard(wait=not self._todo)
        self._sharing.give(self._todo)
        if not self._todo and not self._sharing.busy:
            self._share_no_more()
        return [each for each in found if not isinstance(each, Found) or each.number in self._chunks.spans]

    def _share_no_more(self) -> None:
        if self._sharing is not None:
            self._sharing.end()
            self._sharing = None

    def searched(self, number: int) -> list[Told]:
        """Search a chunk, if there is a search."""
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
        for span in self._chunks.spans[number]:
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
        pieces = [logs.piece(span) for span in self._chunks.spans[number]]
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
        pieces = [self._logs.piece(span) for span in self._chunks.spans[number]]
        rows = rows_of(pieces)
        mask = answers[0]
        levels = np.concatenate([piece.levels for piece in pieces])[rows.order]
        count = int(np.count_nonzero(mask))
        bits = np.packbits(mask).tobytes() if 0 < count < len(mask) else b""
        hits = tuple(int(np.count_nonzero(answer)) for answer in answers[1:])
        few = 0 < count <= FEW and number != self._chunks.last
        places = places_of(rows, pieces, np.flatnonzero(mask)) if few else b""
        counts = counts_of(rows.placed[mask], levels[mask])
        return Found(self._serial, number, count, bits, counts, hits, places)

    def _sought(self, question: Next, matching: Matching, number: int) -> list[Told]:
        """Look for one record in one chunk."""
        if number not in self._chunks.spans:
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
