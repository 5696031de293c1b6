"""Logs read once from their beginning, as programs without a screen do: files, compressed ones, pipes, stdin."""

from __future__ import annotations

import errno
import io
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Protocol, cast

from cockpit.errors import CockpitError
from cockpit.stores.logs.files.opened import CUT_OFF, read_error
from cockpit.stores.logs.spool.zstd_frames import FrameEnds

STDIN = "-"
HEAD = 1 << 16
"""Bytes at a log's beginning that tell what it is."""
PIECE = 1 << 20
"""Bytes read at a time."""
BINARY = 0.05
"""The share of control characters from which bytes are no log."""
_CONTROLS = bytes(code for code in (*range(9), *range(14, 27), *range(28, 32)))
"""C0 without what logs are written with: tab, line breaks and the escapes that colour them."""


class _Raw(Protocol):
    def read1(self, size: int = -1, /) -> bytes: ...


class LogStream:
    """The bytes of a log from its beginning on, decompressed.

    Attributes:
        path: As it was named.
        head: Its first bytes, which are not read yet.
        modified: When it was written last, in nanoseconds since the epoch; now where it is no file.
        size: Bytes on the disk; 0 where it is no file.
        compressed: How it is compressed, such as `gzip`; empty for not at all.
    """

    def __init__(self, path: str, raw: IO[bytes], *, binary: bool = False) -> None:
        """Look at what it begins with; see `open_log`."""
        self.path = path
        self._raw = raw
        self._trouble: CockpitError | None = None
        found = os.fstat(raw.fileno())
        self.size, self.modified = found.st_size, found.st_mtime_ns
        if not found.st_size or path == STDIN:
            self.size, self.modified = 0, time.time_ns()
        buffered = cast("io.BufferedReader", raw)
        magic = self._safely(lambda: buffered.peek(8))
        self.compressed = next((name for mark, name in _MAGIC.items() if magic.startswith(mark)), "")
        self._body: _Raw = _OPENERS[self.compressed](buffered) if self.compressed else buffered
        self.head = self._filled(HEAD)
        if not binary and _is_binary(self.head):
            raise CockpitError(
                "it is binary, not a log",
                where=path,
                remedy="--text reads it anyway; iconv makes UTF-8 of UTF-16",
            )

    @property
    def done(self) -> float:
        """The share of the file that was read, from 0 to 1; 0 where that is not known."""
        if not self.size:
            return 0.0
        try:
            return min(1.0, self._raw.tell() / self.size)
        except (OSError, ValueError):
            return 0.0

    def read(self, size: int = PIECE) -> bytes:
        """Return the bytes that come next, about so many; none at the end.

        A pipe's are returned as they come.

        Raises:
            CockpitError: It can't be read, or is not compressed as it says it is.
        """
        if self.head:
            data, self.head = self.head, b""
            return data
        return self._part(size)

    def close(self) -> None:
        """Close it, unless it is this process's own input."""
        if self.path != STDIN:
            self._raw.close()

    def _filled(self, size: int) -> bytes:
        """Read until there is so much, or the end: a short head tells a format badly."""
        parts: list[bytes] = []
        while size > 0 and (part := self._part(size)):
            parts.append(part)
            size -= len(part)
            if self._trouble is not None or (self.path == STDIN and b"\n" in part):
                break
        return b"".join(parts)

    def _part(self, size: int) -> bytes:
        """Return bytes as they come from a file or pipe, and about so many of what is decompressed."""
        if self._trouble is not None:
            raise self._trouble
        parts: list[bytes] = []
        while size > 0:
            try:
                part = self._safely(partial(self._body.read1, size))
            except CockpitError as error:  # what came before it still counts
                self._trouble = error
                if not parts:
                    raise
                break
            parts.append(part)
            size -= len(part)
            if not part or not self.compressed:
                break
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _safely(self, read: Callable[[], bytes]) -> bytes:
        try:
            return read()
        except OSError as error:
            if error.errno is None:  # what the libraries find wrong with what is compressed
                raise self._damaged(error) from None
            raise stream_error(self.path, error) from None
        except EOFError:
            raise self._cut_off() from None
        except ValueError as error:
            raise self._damaged(error) from None
        except _damage(self.compressed) as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> CockpitError:
        return CockpitError(
            f"its {self.compressed or 'data'} is damaged: {error}",
            where=self.path,
            remedy="what came before was read",
        )

    def _cut_off(self) -> CockpitError:
        return CockpitError(CUT_OFF, where=self.path, remedy="what came before was read")


def open_log(path: str, *, binary: bool = False) -> LogStream:
    """Open a log for reading it once; `-` is stdin.

    Args:
        path: A file, a pipe, or `-`. gzip, bzip2, xz and zstd are told by what it begins with, not by its name.
        binary: Whether to read what looks like no text.

    Raises:
        CockpitError: It can't be read, or is no text.
    """
    if path == STDIN:
        return LogStream(path, sys.stdin.buffer, binary=binary)
    try:
        raw = Path(path).open("rb")  # noqa: SIM115  LogStream closes it
    except OSError as error:
        raise stream_error(path, error) from None
    try:
        return LogStream(path, raw, binary=binary)
    except BaseException:
        raw.close()
        raise


def stream_error(path: str, error: OSError) -> CockpitError:
    """Return what a person can do about a log that can't be read."""
    if error.errno == errno.EISDIR:
        return CockpitError("it is a directory, not a file", where=path, remedy=f"name its files: {path}/*")
    return read_error(path, error)


class _Zstd:
    """zstd's frames, one after another; its errors become those of the other libraries."""

    def __init__(self, raw: io.BufferedReader) -> None:
        import zstandard

        self._error = zstandard.ZstdError
        self._raw = raw
        self._ends = FrameEnds()
        source = cast("IO[bytes]", self)  # all that is asked of it is `read`
        self._reader = zstandard.ZstdDecompressor().stream_reader(
            source, read_across_frames=True, closefd=False
        )

    def read(self, size: int = -1, /) -> bytes:
        """Return compressed bytes to the decompressor."""
        data = self._raw.read(size)
        self._ends.take(data)
        return data

    def read1(self, size: int = -1, /) -> bytes:
        """Return some bytes.

        Raises:
            EOFError: The last frame was cut off.
            ValueError: They are not zstd's.
        """
        try:
            data = self._reader.read1(size)
        except self._error as error:
            raise ValueError(str(error)) from None
        if not data and size and not self._ends.whole:
            raise EOFError
        return data


def _gzip(raw: io.BufferedReader) -> _Raw:
    import gzip

    return gzip.GzipFile(fileobj=raw)


def _bzip2(raw: io.BufferedReader) -> _Raw:
    import bz2

    return bz2.BZ2File(raw)


def _xz(raw: io.BufferedReader) -> _Raw:
    import lzma

    return lzma.LZMAFile(raw)


def _damage(compressed: str) -> type[Exception]:
    """Return what a library raises for what it can't make sense of, where that is an error of its own."""
    if compressed == "gzip":
        import zlib

        return zlib.error
    if compressed == "xz":
        import lzma

        return lzma.LZMAError
    return EOFError


_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_OPENERS: dict[str, Callable[[io.BufferedReader], _Raw]] = {
    "gzip": _gzip,
    "bzip2": _bzip2,
    "xz": _xz,
    "zstd": _Zstd,
}


def _is_binary(head: bytes) -> bool:
    """Tell bytes that are no text; the zeros that a truncated file may begin with don't count."""
    told = head.lstrip(b"\0") if head.startswith(b"\0") else head
    return len(told) - len(told.translate(None, _CONTROLS)) > BINARY * len(told)
