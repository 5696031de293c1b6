"""The logs that are open, with their formats, and the pieces of them that were indexed last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from cockpit.formats.detect import detect
from cockpit.formats.format import LogFormat
from cockpit.stores.logs.files.opened import LogBytes
from cockpit.stores.logs.files.pieces import Piece, Span, piece_of

SAMPLE = 1 << 16
"""Bytes from the beginning of a log by which its format is told: they stay the same while it grows."""


class Logs:
    """Logs by number, and a cache of what is known of their pieces."""

    def __init__(self, *, budget: int) -> None:
        """Begin without any.

        Args:
            budget: Bytes that the columns of pieces may take; what is forgotten is made again.
        """
        self.opened: list[LogBytes] = []
        self.formats: list[LogFormat] = []
        self._budget = budget
        self._kept: OrderedDict[Span, Piece] = OrderedDict()
        self._taken = 0

    def add(self, log: LogBytes) -> int:
        """Take a log in and tell its format; return its number.

        Raises:
            CockpitError: It can't be read.
        """
        self.opened.append(log)
        self.formats.append(detect(log.read(0, SAMPLE), path=log.path))
        return len(self.opened) - 1

    def data(self, span: Span) -> bytes:
        """Return a span's bytes.

        Raises:
            CockpitError: The log can't be read.
        """
        return self.opened[span.log].read(span.offset, span.size)

    def piece(self, span: Span, data: bytes | None = None) -> Piece:
        """Return what is known of a span's records.

        Raises:
            CockpitError: The log can't be read.
        """
        known = self._kept.get(span)
        if known is not None:
            self._kept.move_to_end(span)
            return known
        piece = piece_of(self.data(span) if data is None else data, span, self.formats[span.log])
        self.keep([piece])
        return piece

    def keep(self, pieces: Iterable[Piece]) -> None:
        """Remember pieces, and forget those that were not asked for longest."""
        for piece in pieces:
            if piece.span not in self._kept:
                self._taken += _weight(piece)
            self._kept[piece.span] = piece
        while self._taken > self._budget and len(self._kept) > 1:
            _, gone = self._kept.popitem(last=False)
            self._taken -= _weight(gone)

    def forget(self, span: Span) -> None:
        """Let go of a span that will not be asked for again."""
        if (gone := self._kept.pop(span, None)) is not None:
            self._taken -= _weight(gone)

    def clear(self) -> None:
        """Forget all pieces: the bytes may be others now."""
        self._kept.clear()
        self._taken = 0

    def close(self) -> None:
        """Close all."""
        for log in self.opened:
            log.close()


def _weight(piece: Piece) -> int:
    return piece.starts.nbytes + piece.times.nbytes + piece.placed.nbytes + piece.levels.nbytes
