"""Merges several logs by time as they are read on, in bounded memory and without an object a record.

Of one log, records that come at most a window after later ones are put in order. One that comes later still keeps its
place and is marked as late: its clock was set back, or it was written long after it happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cockpit.signals import SECOND
from cockpit.stores.logs.forward import Block

WINDOW = SECOND
"""Nanoseconds within which records of one log are put in order."""


class Merged(NamedTuple):
    """Records in the order of their times; what is of the same time is in the order of the logs.

    Attributes:
        log: intp, shape (n,): which log each is of.
        block: int64, shape (n,): the number of its block in that log, from 0.
        row: int64, shape (n,): its row in that block.
        times: int64, shape (n,): nanoseconds by which it is placed, never falling.
        late: bool, shape (n,): whether it belongs further up by its own time.
    """

    log: NDArray[np.intp]
    block: NDArray[np.int64]
    row: NDArray[np.int64]
    times: NDArray[np.int64]
    late: NDArray[np.bool_]


class _Waiting(NamedTuple):
    """Records of one log that have no place yet, by their times."""

    times: NDArray[np.int64]
    late: NDArray[np.bool_]
    block: NDArray[np.int64]
    row: NDArray[np.int64]

    def cut(self, place: int) -> tuple[_Waiting, _Waiting]:
        """Return those before a place and the others."""
        return self.rows(slice(place)), self.rows(slice(place, None))

    def rows(self, which: slice | NDArray[np.intp]) -> _Waiting:
        """Return some of them."""
        return _Waiting(self.times[which], self.late[which], self.block[which], self.row[which])


_NONE = _Waiting(np.empty(0, np.int64), np.empty(0, np.bool_), np.empty(0, np.int64), np.empty(0, np.int64))


class Source:
    """One log on its way: its blocks that are still needed, and its records that have no place yet."""

    def __init__(self, blocks: Iterator[Block], window: int) -> None:
        self._blocks = blocks
        self._window = window
        self._count = 0
        self._latest = np.iinfo(np.int64).min
        self._placed = np.iinfo(np.int64).min
        self.waiting = _NONE
        self.kept: dict[int, Block] = {}
        self.ended = False

    @property
    def certain(self) -> int:
        """The time before which no further record of it can be placed."""
        return self._latest - self._window

    def read(self) -> None:
        """Take a block in, or learn that there is none."""
        block = next(self._blocks, None)
        if block is None:
            self.ended = True
            return
        self.kept[self._count] = block
        times = block.times
        latest = np.maximum.accumulate(np.maximum(times, self._latest))
        late = times < latest - self._window
        placed = np.maximum(np.where(late, latest, times), self._placed)
        count = len(times)
        known = self.waiting
        joined = _Waiting(
            np.concatenate((known.times, placed)),
            np.concatenate((known.late, late)),
            np.concatenate((known.block, np.full(count, self._count, np.int64))),
            np.concatenate((known.row, np.arange(count, dtype=np.int64))),
        )
        self.waiting = joined.rows(np.argsort(joined.times, kind="stable"))
        self._latest = int(latest[-1])
        self._count += 1

    def take(self, moment: int | None) -> _Waiting:
        """Hand over what lies before a moment, or all."""
        place = len(self.waiting.times)
        if moment is not None:
            place = int(self.waiting.times.searchsorted(moment))
        taken, self.waiting = self.waiting.cut(place)
        if place:
            self._placed = int(taken.times[-1])
        return taken

    def forget(self) -> None:
        """Let go of blocks whose records all have their places."""
        needed = set(np.unique(self.waiting.block).tolist())
        self.kept = {number: block for number, block in self.kept.items() if number in needed}


class Merge:
    """Goes through several logs in the order of time.

    Attributes:
        sources: The logs. `kept` has the blocks of what was handed out last, until the next step.
    """

    def __init__(self, logs: Sequence[Iterator[Block]], *, window: int = WINDOW) -> None:
        self.sources = [Source(blocks, window) for blocks in logs]

    def __iter__(self) -> Iterator[Merged]:
        """Read on, the log that holds the others up first."""
        while True:
            for source in self.sources:
                source.forget()
            open_ones = [source for source in self.sources if not source.ended]
            if not open_ones:
                rest = self._taken(None)
                if rest is not None:
                    yield rest
                return
            min(open_ones, key=lambda source: source.certain).read()
            known = [source.certain for source in self.sources if not source.ended]
            if (merged := self._taken(min(known, default=None))) is not None:
                yield merged

    def _taken(self, moment: int | None) -> Merged | None:
        parts = [source.take(moment) for source in self.sources]
        sizes = [len(part.times) for part in parts]
        if not sum(sizes):
            return None
        times = np.concatenate([part.times for part in parts])
        order = np.argsort(times, kind="stable")
        return Merged(
            np.repeat(np.arange(len(parts)), sizes)[order],
            np.concatenate([part.block for part in parts])[order],
            np.concatenate([part.row for part in parts])[order],
            times[order],
            np.concatenate([part.late for part in parts])[order],
        )
