"""What is known of a piece's records, packed: a byte or two a record, unpacked in a tenth of what indexing takes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from zstandard import ZstdCompressor, ZstdDecompressor

from cockpit.formats.columns import Columns
from cockpit.stores.logs.files.pieces import Piece, Span, piece_from

LEVEL = 1
"""zstd's fastest: sizes, steps of time and levels hardly get smaller with others."""
SMALL = 1 << 16
"""Sizes of records below this take two bytes before they are packed."""


class Packed(NamedTuple):
    """A piece's columns, each compressed by itself.

    Attributes:
        records: How many there are.
        wide: Whether sizes take four bytes.
        ends: Where sizes and steps end in the data.
        data: Bytes of each record but the last; from each record's time to the next one's, the first from 0, modulo
            2**64; SeverityNumber, a byte each.
    """

    records: int
    wide: bool
    ends: tuple[int, int]
    data: bytes

    @property
    def weight(self) -> int:
        """Bytes it takes, about."""
        return len(self.data) + 400


class Packer:
    """Packs and unpacks; one thread's own, as zstd's contexts are."""

    def __init__(self) -> None:
        self._compress = ZstdCompressor(level=LEVEL).compress
        self._decompress = ZstdDecompressor().decompress

    def pack(self, piece: Piece) -> Packed:
        """Return a piece packed."""
        sizes = np.diff(piece.starts)
        wide = bool(len(sizes)) and int(sizes.max()) >= SMALL
        steps = piece.times.copy()
        steps[1:] -= piece.times[:-1]
        columns = (sizes.astype(np.uint32 if wide else np.uint16), steps, piece.levels)
        parts = [self._compress(column.tobytes()) for column in columns]
        # Joined they are in a place of their size: each by itself lies in one that was made for it unpacked.
        first, second = len(parts[0]), len(parts[0]) + len(parts[1])
        return Packed(len(piece), wide, (first, second), b"".join(parts))

    def unpack(self, packed: Packed, span: Span) -> Piece:
        """Return the piece again, as it was."""
        data, (first, second) = memoryview(packed.data), packed.ends
        starts: NDArray[np.uint32] = np.zeros(packed.records, np.uint32)
        sizes = np.frombuffer(self._decompress(data[:first]), np.uint32 if packed.wide else np.uint16)
        np.cumsum(sizes, dtype=np.uint32, out=starts[1:])
        times = np.frombuffer(self._decompress(data[first:second]), np.int64).cumsum()
        levels = np.frombuffer(self._decompress(data[second:]), np.uint8)
        return piece_from(span, Columns(starts, times, levels, 0))
