"""The recording of a terminal that is played on a terminal: its sizes and what was printed, as they came.

A screen is what everything before made of it, so going back means printing again. A leap over much output begins at a
line that was typed, where a screen is in order as a rule, with enough output after it that what is shown is right.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec import Struct

from cockpit.actionlog.documents import command_of
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import Action, Chunk, Recorded, Recording, State
from cockpit.actionlog.replay import Player
from cockpit.errors import ActionLogError, UsageError
from cockpit.moments import moment
from cockpit.term.size import Size

PIECE = 64 * 1024
"""Bytes that are taken at once, or one piece where that is more."""
LEAP = 512 * 1024
"""Bytes that are printed again whole; of more, only the end is."""
ENOUGH = 256 * 1024
"""Bytes of that end at least."""
USUAL = Size(80, 24)
"""A terminal's size where the recording says none."""


class Step(Struct, frozen=True):
    """A line that was typed.

    Attributes:
        piece: How many pieces of the recording come before.
        line: The line; empty where its action is gone.
        how: How it ended: `exit 1`, a signal or a state; empty where it went well.
    """

    piece: int
    line: str
    how: str


class Reel:
    """A terminal's recording; blocks while it reads.

    Args:
        reader: Reads the log.
        action: The shell's action.

    Attributes:
        steps: The lines that were typed, in order.
        ending: Why it ends where it does, if that is not the shell's own end.
    """

    def __init__(self, reader: ActionReader, action: Action) -> None:
        self.steps: Sequence[Step] = ()
        self.ending = ending(action)
        self._reader = reader
        self._action = action
        self._ends: list[int] = []
        """How many bytes there are before and with each piece."""
        self._sizes: list[Recording] = []
        self._pieces: Iterator[Chunk] = iter(())
        self._next = 0
        self._turn = 0
        """Which size comes next."""

    def player(self, *, speed: float = 1.0, idle_limit: float | None = None) -> Player | None:
        """Return a player that stands at the beginning; None where nothing is kept.

        Args:
            speed: How many times as fast as it was.
            idle_limit: Seconds that pass at most between two pieces.

        Raises:
            ActionLogError: The log can't be read.
        """
        times, total = [moment(self._action.started_at, 0)], 0
        try:
            for chunk in self._reader.output(self._action.id):
                times.append(chunk.at)
                total += len(chunk.data)
                self._ends.append(total)
        except ActionLogError as error:
            if not self._ends:
                raise
            self.ending = f"what comes after this can't be read: {error.message}"
        if not self._ends:
            return None
        places = self._reader.recording(self._action.id)
        self._sizes = [each for each in places if each.what is not Recorded.COMMAND and each.columns]
        self.steps = tuple(self._step(each) for each in places if each.what is Recorded.COMMAND)
        self.rewind(0)
        ended = self._action.ended_at if not self.ending else None
        return Player(times, end=moment(ended, 0) if ended else None, speed=speed, idle_limit=idle_limit)

    def _step(self, place: Recording) -> Step:
        piece = bisect_right(self._ends, place.at_byte)
        try:
            action = self._reader.show(place.command or "")
        except UsageError:
            return Step(piece, "", "")
        if action.state is State.DONE:
            return Step(piece, command_of(action), "")
        status = f"exit {action.exit_status}" if action.exit_status is not None else action.signal
        return Step(piece, command_of(action), status or str(action.state))

    def rewind(self, stop: int) -> None:
        """Go back, so far that printing what then comes before a piece shows the screen as it was there.

        Args:
            stop: That piece's number.
        """
        self._next = self._start(stop)
        self._pieces = islice(self._reader.output(self._action.id), self._next, None)
        before = self._ends[self._next - 1] if self._next else 0
        self._turn = max(0, sum(each.at_byte <= before for each in self._sizes) - 1)

    def leaps(self, stop: int) -> bool:
        """Return whether it is better to go back than to print all that is between here and a piece."""
        return self._start(stop) > self._next

    def _start(self, stop: int) -> int:
        most = self._ends[stop - 1] if stop else 0
        if most <= LEAP:
            return 0
        last = bisect_right(self._ends, most - ENOUGH)
        return max((step.piece for step in self.steps if step.piece <= last), default=0)

    def take(self, stop: int) -> list[Size | bytes]:
        """Return the next sizes and output before a piece, some of them; none where all were taken.

        Raises:
            ActionLogError: The log can't be read.
        """
        taken: list[Size | bytes] = []
        size, stop = 0, min(stop, len(self._ends))
        while self._next < stop and size < PIECE:
            chunk = next(self._pieces, None)
            if chunk is None:
                break  # pruned meanwhile
            data = chunk.data
            self._next += 1
            size += len(data)
            end = self._ends[self._next - 1]
            while self._turn < len(self._sizes) and self._sizes[self._turn].at_byte < end:
                change = self._sizes[self._turn]
                cut = max(0, len(data) - (end - change.at_byte))
                taken += [data[:cut]] if cut else []
                taken.append(Size(change.columns or 0, change.rows or 0).within())
                data = data[cut:]
                self._turn += 1
            taken.append(data)
        return taken


def ending(action: Action) -> str:
    """Return why a recording ends where it does; empty where that is the action's own end."""
    if action.state is State.INTERRUPTED:
        return "cut off: the cockpit was gone before the end, and this is as far as it was recorded"
    if action.state is State.RUNNING:
        return "it still runs, and this is what there was so far"
    if action.state is State.UNKNOWN_OUTCOME:
        return "cut off: the connection was lost, and what came after is not known"
    if action.output_cut:
        return f"{action.output_cut:,} bytes that came after this were not kept"
    return ""
