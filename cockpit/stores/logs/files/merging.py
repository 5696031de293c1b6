"""Several logs on one time line, from the newest record backwards.

Each log is walked backwards in pieces. A record can take its place once no log can bring a later one any more: all
from the highest of the logs' lowest times on. The log that holds the others up is walked on next.
"""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.errors import CockpitError
from cockpit.formats.columns import Columns
from cockpit.stores.logs.files.pieces import PIECE, Backwards, Piece, piece_from

LEAST = 1 << 14
"""Bytes of a piece at least, however many logs there are."""
TOGETHER = 16
"""Pieces that several logs may have read without a place: the fewer, the smaller the parts they are read in."""
WAITING = 64 << 20
"""Bytes without a place at which they get one: times that fall from line to line would have all wait for all."""

_UNKNOWN = -(1 << 63)


class Walk:
    """One log on its way back, and what was read of it but has no place yet.

    Attributes:
        pending: Pieces without a place, the latest first.
        ended: Whether the beginning was reached.
    """

    def __init__(self, backwards: Backwards) -> None:
        self.backwards = backwards
        self.pending: list[Piece] = []
        self.ended = False

    @property
    def lowest(self) -> int | None:
        """The time before which nothing is known yet; None where all is known."""
        if self.ended:
            return None
        return int(self.pending[-1].placed[0]) if self.pending else 1 << 62

    def on(self, size: int) -> None:
        """Read a piece more.

        Raises:
            CockpitError: It can't be read; what lies before is left out then, as the rest is worth more.
        """
        try:
            piece = self.backwards.step(size)
        except CockpitError:
            self.ended = True
            raise
        if piece is None:
            self.ended = True
        elif len(piece):
            self.pending.append(piece)

    def take(self, moment: int | None) -> list[Piece]:
        """Hand over what lies at or after a moment, or all, in the order of the log."""
        taken: list[Piece] = []
        while self.pending:
            piece = self.pending[0]
            if moment is not None and piece.placed[0] < moment:
                early, late = split(piece, int(piece.placed.searchsorted(moment)))
                if late is not None:
                    taken.append(late)
                    self.pending[0] = early
                break
            taken.append(self.pending.pop(0))
        return taken[::-1]


def split(piece: Piece, record: int) -> tuple[Piece, Piece | None]:
    """Cut a piece before one of its records; None where nothing comes after.

    Both are as they would be if they were made of their spans, since they will be made of them again.
    """
    if record >= len(piece):
        return piece, None
    span, at = piece.span, int(piece.starts[record])
    starts, times, levels = piece.starts, piece.times, piece.levels
    early = Columns(starts[:record], times[:record], levels[:record], 0)
    late = Columns(starts[record:] - starts[record], times[record:], levels[record:], 0)
    return (
        piece_from(span._replace(size=at), early),
        piece_from(span._replace(offset=span.offset + at, size=span.size - at), late),
    )


class Merging:
    """Walks several logs back together."""

    def __init__(self, logs: Sequence[Backwards]) -> None:
        self._walks = [Walk(log) for log in logs]
        self._size = max(LEAST, min(PIECE, TOGETHER * PIECE // max(1, len(logs))))

    @property
    def left(self) -> int:
        """Bytes that have no place yet."""
        return self._waiting + sum(walk.backwards.low for walk in self._walks if not walk.ended)

    @property
    def ended(self) -> bool:
        """Whether every record has its place."""
        return all(walk.ended and not walk.pending for walk in self._walks)

    def step(self) -> list[Piece]:
        """Read on those logs that hold the others up; return what has its place now, by log.

        Raises:
            CockpitError: That log can't be read any further; the next step goes on with the others.
        """
        lows = [_UNKNOWN if walk.lowest is None else walk.lowest for walk in self._walks]
        for _ in range(max(1, PIECE // self._size)):
            highest = max(range(len(lows)), key=lows.__getitem__)
            if lows[highest] == _UNKNOWN:
                break
            walk = self._walks[highest]
            walk.on(self._size)
            lows[highest] = _UNKNOWN if walk.lowest is None else walk.lowest
        if len(self._walks) == 1:
            return self._walks[0].take(None)
        known = [lowest for walk in self._walks if (lowest := walk.lowest) is not None]
        moment = max(known, default=None)
        taken = [piece for walk in self._walks for piece in walk.take(moment)]
        if not taken and self._waiting >= WAITING:
            longest = max(self._walks, key=lambda walk: sum(piece.span.size for piece in walk.pending))
            taken = [longest.pending.pop(0)]
        return taken

    @property
    def _waiting(self) -> int:
        return sum(piece.span.size for walk in self._walks for piece in walk.pending)
