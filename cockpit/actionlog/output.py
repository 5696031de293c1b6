"""An action between its intent and its result: its output is cleaned, counted, packed and written.

Cleaning and counting is done in one thread, packing and writing in another; what takes most of each lets the other
run.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NamedTuple

from cockpit.actionlog.capture import Gathered, Packer, Piece, Sums, bounded
from cockpit.actionlog.database import errors_mapped
from cockpit.actionlog.plain import words
from cockpit.actionlog.records import Result
from cockpit.actionlog.redacting import Cleaner, cut_columns
from cockpit.actionlog.search import SEARCHED, SEARCHED_OF_SHELLS
from cockpit.actions.transport import Stream
from cockpit.errors import ActionLogError
from cockpit.guard.redact import Cuts

if TYPE_CHECKING:
    from sqlite_utils import Database

    from cockpit.actionlog.writer import Writer

KEEP = 256 << 20
"""Bytes of output kept of one action; what comes after is counted and hashed, and not kept."""
WAIT_S = 0.1
"""Seconds that gathered output waits at most."""
CHUNKS_UNDERWAY = 2
"""Chunks that may wait for the disk before the command is made to wait."""


class Cleaned(NamedTuple):
    """Output without its secrets, as much of it as is to be kept, and the columns that say what was cut."""

    pieces: list[Piece]
    cut: dict[str, Any]


class OpenAction:
    """What is known of an action that runs.

    Attributes:
        gathered: Output that waits to be sent to the writer.
        underway: Writes that were sent.
        timer: Sends what was gathered when it has waited long enough.
    """

    def __init__(self, action: str, cleaner: Cleaner, *, keep: int, drawn: bool = False) -> None:
        self.gathered = Gathered()
        self.underway: list[Future[None]] = []
        self.timer: asyncio.TimerHandle | None = None
        self._action = action
        self._cleaner = cleaner
        self._keep = keep
        self._error: ActionLogError | None = None
        self._broken = False
        self._taken = 0
        """Bytes that were let through to be kept."""
        self._sums = Sums()
        self._cuts = Cuts()
        made = cleaner.terminal if drawn else cleaner.stream
        self._streams = {stream: made(self._cuts) for stream in Stream}
        self._searched = SEARCHED_OF_SHELLS if drawn else SEARCHED
        self._cleaned = 0
        self._packer = Packer()
        self._chunks = 0

    def stop_timer(self) -> None:
        """Send nothing by itself any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def forget_written(self) -> None:
        """Drop the writes that are done."""
        self.underway = [write for write in self.underway if not write.done()]

    def new_error(self) -> ActionLogError | None:
        """Return what kept output from being written, once."""
        error, self._error = self._error, None
        return error

    def clean(self, pieces: list[Piece], *, last: bool = False) -> Cleaned:
        """Cut secrets out of output and count it; in the cleaner's thread."""
        before = self._cuts.count
        self._cuts.hashes = {}
        cleaned = [(at, stream, self._streams[stream].feed(data)) for at, stream, data in pieces]
        if last:
            at = pieces[-1][0] if pieces else time.time_ns()
            cleaned += [(at, stream, held.finish()) for stream, held in self._streams.items()]
        cleaned = [piece for piece in cleaned if piece[2]]
        self._sums.add(cleaned)
        self._cleaned += sum(len(data) for _, _, data in cleaned)
        kept = bounded(cleaned, self._keep - self._taken)
        self._taken += sum(len(data) for _, _, data in kept)
        return Cleaned(kept, cut_columns(self._cuts, since=before))

    def cleaned_size(self) -> int:
        """Return the bytes of all output so far as it is recorded; in the cleaner's thread."""
        return self._cleaned

    # What follows runs in the writer's thread.

    def write(self, db: Database, writer: Writer, cleaned: Cleaned) -> None:
        """Write output; where that fails, what comes after is only counted, so that what is kept has no hole."""
        if not cleaned.pieces or self._broken:
            return
        row = self._packer.row(self._action, self._chunks, cleaned.pieces) | cleaned.cut
        try:
            with errors_mapped(writer.path):
                writer.insert_output(db, row, self._words(cleaned.pieces))
        except ActionLogError as error:
            self._error, self._broken = error, True
        else:
            self._chunks += 1
            self._sums.kept += row["size"]

    def result_row(self, result: Result, ended: int, session: str) -> dict[str, Any]:
        """Return the row that says how the action ended."""
        said = Cuts()
        error = self._cleaner.row({"error": result.error or ""}, said)
        said.count += self._cuts.count
        return {
            "action": self._action,
            "recorded_ns": ended,
            "recorded_by": session,
            "ended_ns": ended,
            "state": result.state.value,
            "exit_status": result.exit_status,
            "signal": result.signal,
            **error,
            **self._sums.columns(),
            **cut_columns(said),
        }

    def _words(self, kept: list[Piece]) -> str:
        """Return what is searched of output that is about to be written: the beginning of it all."""
        room = self._searched - self._sums.kept
        return words(b"".join(data for _, _, data in bounded(kept, room))) if room > 0 else ""
