"""The logs that are open, with their formats, and the pieces of them that were indexed last."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from cockpit.formats.declaration import Declaration
from cockpit.formats.detect import detect
from cockpit.formats.format import LogFormat
from cockpit.formats.times import Zone
from cockpit.stores.logs.files.opened import LogBytes, MissingLog
from cockpit.stores.logs.files.pieces import Piece, Span, piece_of

if TYPE_CHECKING:
    from cockpit.stores.logs.files.packed import Packed, Packer

SAMPLE = 1 << 16
"""Bytes from the beginning of a log by which its format is told: they stay the same while it grows."""
OPEN = 1 << 20
"""Bytes that the columns of pieces may take before those not asked for longest are packed."""
MORE = 4
"""A log that was shorter has its format told again when it has grown so many times."""

MANY = 8
"""Logs from which those that begin alike are taken to have one format: telling it takes 25 ms for each."""

Known = tuple[LogBytes, LogFormat, int]
"""A log, its format, and by how many bytes of its beginning that is told."""


class Logs:
    """Logs by number, and a cache of what is known of their pieces."""

    def __init__(self, *, budget: int, formats: Sequence[Declaration] = (), zone: str = "") -> None:
        """Begin without any.

        Args:
            budget: Bytes that packed columns may take; what is forgotten is made again.
            formats: Formats that the operator declared.
            zone: Of times that tell none; empty for this machine's.

        Raises:
            UsageError: There is no such zone.
        """
        self._zone = Zone(zone)
        self._own = tuple(formats)
        self.reading = ""
        """The log that is being read, for whoever waits."""
        self.opened: list[LogBytes] = []
        self._readers: dict[int, tuple[LogBytes, LogBytes]] | None = None
        """By which another thread than their owner's reads those of them that were read, with whose they are."""
        self.formats: list[LogFormat] = []
        self.sampled: list[int] = []
        """By how many bytes each format is told."""
        self._shapes: dict[bytes, LogFormat] = {}
        self._budget = budget
        self._kept: OrderedDict[Span, Piece] = OrderedDict()
        self._taken = 0
        self._packed: OrderedDict[Span, Packed] = OrderedDict()
        self._packed_taken = 0
        self._packer: Packer | None = None

    @property
    def taken(self) -> int:
        """Bytes that the columns of pieces take, packed or not."""
        return self._taken + self._packed_taken

    def beside(self) -> Logs:
        """Return the same logs for another thread, with a cache of its own."""
        other = Logs(budget=self._budget, formats=self._own, zone=self._zone.name)
        other.opened, other.formats, other.sampled = self.opened, self.formats, self.sampled
        other._readers = {}
        return other

    def add(self, log: LogBytes, size: int = SAMPLE) -> int:
        """Take a log in and tell its format, by so many bytes of its beginning; return its number.

        Raises:
            CockpitError: It can't be read.
        """
        self.reading = log.path
        sample = log.read(log.begin, min(size, SAMPLE))
        shape = _shape(sample)
        likely = self._shapes.get(shape) if len(self.opened) >= MANY else None
        fmt = likely or self._detected(log, sample)
        self._shapes.setdefault(shape, fmt)
        self.opened.append(log)
        self.formats.append(fmt)
        self.sampled.append(len(sample))
        return len(self.opened) - 1

    def sample(self, number: int, size: int = SAMPLE) -> int:
        """Tell a log's format anew where there is a good deal more of it than when it was told.

        Returns:
            By how many bytes it is told now, where it is another; else 0.

        Raises:
            CockpitError: The log can't be read.
        """
        log, before = self.opened[number], self.sampled[number]
        size = min(size, SAMPLE)
        if before >= SAMPLE or min(size, log.size) < min(SAMPLE, max(1, MORE * before)):
            return 0
        sample = log.read(log.begin, size)
        if b"\n" not in sample:
            return 0
        self.sampled[number] = len(sample)
        known, self.formats[number] = self.formats[number], self._detected(log, sample)
        return len(sample) if self.formats[number].name != known.name else 0

    def hold(self, path: str, like: int) -> None:
        """Take in the next log before it is open: nothing can be read of it, and its format is that of another."""
        self.opened.append(MissingLog(path))
        self.formats.append(self.formats[like])
        self.sampled.append(0)

    def told(self, log: LogBytes, size: int) -> tuple[LogFormat, int]:
        """Return a log's format as so many bytes of its beginning tell it, and by how many they do.

        Raises:
            CockpitError: It can't be read.
        """
        sample = log.read(log.begin, min(size, SAMPLE))
        return self._detected(log, sample), len(sample)

    def put(self, number: int, log: LogBytes, fmt: LogFormat, sampled: int) -> None:
        """Put a log and its format in place of what stood for it."""
        self.opened[number], self.formats[number], self.sampled[number] = log, fmt, sampled

    def _detected(self, log: LogBytes, sample: bytes) -> LogFormat:
        return detect(sample, path=log.path, observed=log.modified, zone=self._zone, own=self._own)

    def data(self, span: Span) -> bytes:
        """Return a span's bytes.

        Raises:
            CockpitError: The log can't be read.
        """
        log = self.reader(span.log)
        self.reading = log.path
        return log.read(span.offset, span.size)

    def reader(self, number: int) -> LogBytes:
        """Return what reads a log on the thread that has these.

        Raises:
            CockpitError: Too many files are open.
        """
        log = self.opened[number]
        if self._readers is None:
            return log
        known = self._readers.get(number)
        if known is None or known[0] is not log:
            known = self._readers[number] = log, log.beside()
        return known[1]

    def piece(self, span: Span, data: bytes | None = None) -> Piece:
        """Return what is known of a span's records.

        Raises:
            CockpitError: The log can't be read.
        """
        if (known := self.remembered(span)) is not None:
            return known
        piece = piece_of(self.data(span) if data is None else data, span, self.formats[span.log])
        self.keep([piece])
        return piece

    def remembered(self, span: Span) -> Piece | None:
        """Return what is known of a span's records without reading it."""
        known = self._kept.get(span)
        if known is not None:
            self._kept.move_to_end(span)
            return known
        packed = self._packed.get(span)
        if packed is None or self._packer is None:
            return None
        self._packed.move_to_end(span)
        piece = self._packer.unpack(packed, span)
        self.keep([piece])
        return piece

    def keep(self, pieces: Iterable[Piece]) -> None:
        """Remember pieces; those that were not asked for longest are packed, and at last forgotten."""
        for piece in pieces:
            if piece.span not in self._kept:
                self._taken += _weight(piece)
            self._kept[piece.span] = piece
        while self._taken > OPEN and len(self._kept) > 1:
            span, gone = self._kept.popitem(last=False)
            self._taken -= _weight(gone)
            self._pack(span, gone)

    def _pack(self, span: Span, piece: Piece) -> None:
        if span in self._packed:
            return
        if self._packer is None:
            from cockpit.stores.logs.files.packed import Packer  # zstd: not for what is drawn first

            self._packer = Packer()
        packed = self._packed[span] = self._packer.pack(piece)
        self._packed_taken += packed.weight
        while self._packed_taken > self._budget:
            _, gone = self._packed.popitem(last=False)
            self._packed_taken -= gone.weight

    def forget(self, span: Span) -> None:
        """Let go of a span that will not be asked for again."""
        if (gone := self._kept.pop(span, None)) is not None:
            self._taken -= _weight(gone)
        if (packed := self._packed.pop(span, None)) is not None:
            self._packed_taken -= packed.weight

    def clear(self) -> None:
        """Forget all pieces: the bytes may be others now."""
        self._kept.clear()
        self._packed.clear()
        self._taken = self._packed_taken = 0

    def close(self) -> None:
        """Close all; what is another thread's too stays open for that one."""
        if self._readers is None:
            for log in self.opened:
                log.close()
            return
        for log, reader in self._readers.values():
            if reader is not log:
                reader.close()


def _weight(piece: Piece) -> int:
    return piece.starts.nbytes + piece.times.nbytes + piece.placed.nbytes + piece.levels.nbytes


def _shape(sample: bytes) -> bytes:
    """Return how the first lines of a log begin, whatever words and numbers they have."""
    heads = (line[:80] for line in sample[:4096].split(b"\n")[:3])
    return b"\n".join(_WORD.sub(b"a", _NUMBER.sub(b"0", head))[:24] for head in heads)


_NUMBER, _WORD = re.compile(rb"[0-9]+"), re.compile(rb"[A-Za-z]+")
