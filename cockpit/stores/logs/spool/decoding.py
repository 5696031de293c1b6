"""Compressed logs as streams, told by their first bytes: gzip, bzip2, xz and zstd, several members after one another.

What comes out is handed on by the piece, however much a few bytes in may make, and memory is bounded by what a
format may ask for.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import IO, Protocol, cast

import zstandard

from cockpit.errors import CockpitError
from cockpit.stores.logs.spool.zstd_frames import SKIPPABLE, FrameEnds

Take = Callable[[bytes], object]

MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
LONGEST_MAGIC = 6
MEMORY = 256 << 20
"""Bytes that a decompressor may take: xz -9 needs 65 MiB, zstd --ultra --long=27 half of this."""
PIECE = 1 << 18
"""Bytes handed on at once."""
GIVEN = 1 << 12
"""Bytes given to zstd at once, which hands on all that they make."""


class Decoder(Protocol):
    """Takes compressed bytes, and hands on what they hold."""

    def give(self, data: bytes, take: Take) -> None:
        """Take bytes in.

        Raises:
            CockpitError: They are not of the format.
        """

    @property
    def whole(self) -> bool:
        """Whether what was taken in ends where a member ends."""


def compression_of(head: bytes) -> str:
    """Return how a log that begins so is compressed, or an empty string."""
    for magic, name in MAGIC.items():
        if head.startswith(magic):
            return name
    if len(head) >= 4 and int.from_bytes(head[:4], "little") in SKIPPABLE:  # one may come first
        return "zstd"
    return ""


def decoder_of(name: str) -> Decoder:
    """Return what reads a compression of that name; bytes as they are for an empty one."""
    if not name:
        return _Plain()
    return _Zstd() if name == "zstd" else _Members(name)


class _Plain:
    whole = True

    def give(self, data: bytes, take: Take) -> None:
        take(data)


class _Member(Protocol):
    """A decompressor of one member, as `bz2` and `lzma` have it."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Gzip:
    """One member of gzip, behaving as the others do."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail and not self._full

    _full = False

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        made = self._inner.decompress(self._inner.unconsumed_tail + data, max(0, max_length))
        self._full = len(made) == max_length and not self._inner.eof
        return made


_NEW: dict[str, Callable[[], _Member]] = {
    "gzip": _Gzip,
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY),
}


class _Members:
    """Members one after another; what follows the last and is none is left out, as `gzip` does."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._member: _Member | None = None
        self._begun = self._ended = False
        self._magic = next(magic for magic, known in MAGIC.items() if known == name)
        self._rest = b""

    @property
    def whole(self) -> bool:
        return self._member is None

    def give(self, data: bytes, take: Take) -> None:
        data = self._rest + data
        self._rest = b""
        while data and not self._ended:
            if self._member is None and not (data := self._next(data)):
                return
            data = self._decoded(data, take)

    def _next(self, data: bytes) -> bytes:
        """Begin a member; return what of the data is its."""
        data = data.lstrip(b"\0") if self._begun else data  # padding
        if len(data) < len(self._magic) and self._magic.startswith(data):
            self._rest = data
            return b""
        if not data.startswith(self._magic):
            self._ended = True
            return b""
        self._member, self._begun = _NEW[self._name](), True
        return data

    def _decoded(self, data: bytes, take: Take) -> bytes:
        """Hand on what the data holds; return what follows the member."""
        member = self._member
        assert member is not None
        try:
            while True:
                made = member.decompress(data, PIECE)
                if made:
                    take(made)
                if member.eof:
                    self._member = None
                    return member.unused_data
                if member.needs_input:
                    return b""
                data = b""
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
            raise _damaged(self._name, str(error)) from None


class _Zstd:
    """Frames one after another."""

    def __init__(self) -> None:
        self._take: Take = lambda data: None
        self._ends = FrameEnds()
        sink = cast("IO[bytes]", self)  # all that is asked of it is `write`
        self._writer = zstandard.ZstdDecompressor(max_window_size=MEMORY >> 1).stream_writer(
            sink, write_size=PIECE, closefd=False
        )

    @property
    def whole(self) -> bool:
        return self._ends.whole

    def write(self, data: bytes) -> int:
        """Hand on what the decompressor has made."""
        self._take(bytes(data))
        return len(data)

    def give(self, data: bytes, take: Take) -> None:
        self._take = take
        self._ends.take(data)
        try:
            for start in range(0, len(data), GIVEN):
                self._writer.write(data[start : start + GIVEN])
        except zstandard.ZstdError as error:
            raise _damaged("zstd", str(error)) from None


def _damaged(name: str, why: str) -> CockpitError:
    return CockpitError(f"what follows can't be decompressed ({name}): {why}")
