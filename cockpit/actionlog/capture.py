"""Output on its way into the log: pieces are gathered, compressed, and written a chunk at a time.

A transaction a piece of 64 KiB would cost more than the output itself. So pieces wait until there are 512 KiB of them
or a tenth of a second is over; a crash loses at most those.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from cockpit.actions.transport import Stream

if TYPE_CHECKING:
    from zstandard import ZstdCompressor

CHUNK = 512 * 1024
"""Bytes gathered before they are written."""
MOMENT = 10_000_000
"""Nanoseconds within which pieces of one stream count as one."""
MOST_PIECES = 1000
"""Pieces of one chunk: a program that writes its two outputs in turn, a byte each, must not make a chunk endless."""
LEVEL = 1
LARGEST = 1 << 30
"""Bytes that one stored piece may unpack to."""

Piece = tuple[int, Stream, bytes]
"""When it came, on which stream, and what."""


class Gathered:
    """Pieces that wait to be written; of the event loop's side.

    Attributes:
        size: Their bytes.
    """

    def __init__(self) -> None:
        self.size = 0
        self._pieces: list[tuple[int, Stream, list[bytes]]] = []

    @property
    def full(self) -> bool:
        """Whether they should be written now."""
        return self.size >= CHUNK or len(self._pieces) >= MOST_PIECES

    def add(self, at: int, stream: Stream, data: bytes) -> None:
        """Take a piece; one that follows at once on the same stream joins the one before."""
        self.size += len(data)
        last = self._pieces[-1] if self._pieces else None
        if last is not None and last[1] is stream and at - last[0] < MOMENT:
            last[2].append(data)
        else:
            self._pieces.append((at, stream, [data]))

    def take(self) -> list[Piece]:
        """Return what waits, and begin anew."""
        taken, self._pieces, self.size = self._pieces, [], 0
        return [(at, stream, b"".join(parts)) for at, stream, parts in taken]


class Sums:
    """What an action's output came to: in all, and a stream; of the writer's side.

    Attributes:
        kept: Bytes that are in the log, from the first on without a hole.
    """

    def __init__(self) -> None:
        self.kept = 0
        self._size = dict.fromkeys(Stream, 0)
        self._digest = {stream: hashlib.sha256() for stream in Stream}
        self._both: hashlib._Hash | None = None
        """The digest of both streams, from where the second begins: until then it is that of the first."""

    def add(self, pieces: list[Piece]) -> None:
        """Count pieces, whether they are kept or not."""
        for _, stream, data in pieces:
            other = Stream.STDERR if stream is Stream.STDOUT else Stream.STDOUT
            if self._both is None and self._size[other]:
                self._both = self._digest[other].copy()
            if self._both is not None:
                self._both.update(data)
            self._digest[stream].update(data)
            self._size[stream] += len(data)

    def columns(self) -> dict[str, object]:
        """Return the columns of a result."""
        first = Stream.STDERR if self._size[Stream.STDERR] else Stream.STDOUT
        return {
            "output_sha256": (self._both or self._digest[first]).hexdigest(),
            "output_bytes": sum(self._size.values()),
            "output_kept": self.kept,
            "stdout_sha256": self._digest[Stream.STDOUT].hexdigest(),
            "stdout_bytes": self._size[Stream.STDOUT],
            "stderr_sha256": self._digest[Stream.STDERR].hexdigest(),
            "stderr_bytes": self._size[Stream.STDERR],
        }


def bounded(pieces: list[Piece], room: int) -> list[Piece]:
    """Return the pieces of which there is room, the last one cut."""
    kept = []
    for at, stream, data in pieces:
        if room <= 0:
            break
        kept.append((at, stream, data[:room]))
        room -= len(data)
    return kept


class Packer:
    """Makes rows of the table `output` from pieces."""

    def __init__(self) -> None:
        self._zstd: ZstdCompressor | None = None

    def row(self, action: str, seq: int, pieces: list[Piece]) -> dict[str, Any]:
        """Return a row that holds pieces, of which there is at least one."""
        first = pieces[0][0]
        codec, size, stored = self.pack(b"".join(data for _, _, data in pieces))
        return {
            "action": action,
            "seq": seq,
            "at_ns": first,
            "pieces": json.dumps([[at - first, stream.value, len(data)] for at, stream, data in pieces]),
            "codec": codec,
            "size": size,
            "sha256": hashlib.sha256(stored).hexdigest(),
            "data": stored,
        }

    def pack(self, data: bytes) -> tuple[str, int, bytes]:
        """Return how bytes are stored: the codec, their size before it, and the result."""
        if self._zstd is None:
            import zstandard

            self._zstd = zstandard.ZstdCompressor(level=LEVEL)
        packed = self._zstd.compress(data) if len(data) >= 64 else data
        return ("zstd", len(data), packed) if len(packed) < len(data) else ("raw", len(data), data)


def unpack(codec: str, size: int, stored: bytes) -> bytes:
    """Return what was packed; never more than `size` bytes, whatever is stored.

    Raises:
        ValueError: It is no such packing, or of another size.
    """
    if codec == "raw":
        data = stored
    elif codec == "zstd":
        import zstandard

        try:
            # What a frame says of itself bounds what is made of it.
            if zstandard.frame_content_size(stored) != size or size > LARGEST:
                raise ValueError("it is not of the size that is recorded")
            data = zstandard.ZstdDecompressor().decompress(stored)
        except zstandard.ZstdError as error:
            raise ValueError(f"it can't be decompressed: {error}") from None
    else:
        raise ValueError(f"it is stored in a form that is not known, {codec!r}")
    if len(data) != size:
        raise ValueError(f"it has {len(data)} bytes, not {size}")
    return data


def pieces_of(row: dict[str, Any]) -> list[Piece]:
    """Return the pieces that a row of `output` holds.

    Raises:
        ValueError: Its bytes are not what the row says.
    """
    data = unpack(row["codec"], row["size"], row["data"])
    pieces, start = [], 0
    for offset, stream, length in json.loads(row["pieces"]):
        pieces.append((row["at_ns"] + offset, Stream(stream), data[start : start + length]))
        start += length
    return pieces
