"""Keeps a file as it comes in: hashed as it is, its secrets cut where it is text, and whole only at the end.

What comes is written as it is to a partial file of mode 0600, so that a transfer can be gone on with. A text in which
there was nothing to cut is that very file; one with secrets is written a second time without them, and what was
written first is removed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import IO

from cockpit.actionlog.files import BLOCK, EvidenceFiles, Manifest, hashed
from cockpit.actionlog.redacting import Cleaner
from cockpit.guard.redact import Cuts
from cockpit.sftp.remote import RemoteFile


class Keeping:
    """A file on its way into the evidence store. Every method blocks: call them in one thread, one after the other.

    Attributes:
        size: Bytes that are here.
    """

    def __init__(self, files: EvidenceFiles, cleaner: Cleaner, host: str, file: RemoteFile) -> None:
        self._files, self._cleaner = files, cleaner
        self._host, self._file = host, file
        self._raw = files.partial(host, file.path, file.size, file.modified)
        self._clean = self._raw.with_suffix(".clean")
        self._out: IO[bytes] | None = None
        self._cleaned: IO[bytes] | None = None
        self._released = 0
        """Bytes of the cleaned text."""
        self.size = 0
        self._begin()

    def _begin(self) -> None:
        self._hash = hashlib.sha256()
        self._cuts = Cuts()
        self._stream = self._cleaner.stream(self._cuts)
        self._text: bool | None = None

    def earlier(self) -> tuple[int, bytes]:
        """Return how many bytes are here from an earlier transfer, and the last of them, to be compared."""
        if not self._raw.exists():
            return 0, b""
        length = self._raw.stat().st_size
        with self._raw.open("rb") as file:
            file.seek(max(0, length - BLOCK))
            return length, file.read()

    def open(self, *, go_on: bool) -> int:
        """Open the partial file, and return how many bytes of it are there already.

        Args:
            go_on: Whether to go on with what an earlier transfer brought.
        """
        self._clean.unlink(missing_ok=True)
        if go_on:
            with self._raw.open("rb") as file:
                while data := file.read(BLOCK):
                    self._count(data)
        flags = (
            os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_APPEND if go_on else os.O_TRUNC)
        )
        self._out = os.fdopen(os.open(self._raw, flags, 0o600), "ab" if go_on else "wb")
        return self.size

    def take(self, data: bytes) -> None:
        """Keep the next bytes."""
        assert self._out is not None
        self._out.write(data)
        self._count(data)

    def close(self) -> None:
        """Let go of the files; what is here stays for a later transfer."""
        for file in (self._out, self._cleaned):
            if file is not None:
                file.close()
        self._clean.unlink(missing_ok=True)

    def finish(self) -> tuple[Manifest, Path]:
        """Move the whole file into the store, and return its manifest and where it is.

        Raises:
            ActionLogError: It can't be kept.
        """
        if self._text:
            self._release(self._stream.finish())
        if self._out is not None:
            self._out.close()
        sha256 = self._hash.hexdigest()
        if self._cleaned is None:
            whole, kept_sha256, kept_size = self._raw, sha256, self.size
        else:
            self._cleaned.close()
            whole, kept_sha256, kept_size = self._clean, hashed(self._clean), self._released
        path = self._files.keep(whole, kept_sha256)
        self._raw.unlink(missing_ok=True)
        manifest = Manifest(
            host=self._host,
            path=self._file.path.encode(errors="surrogateescape").decode(errors="replace"),
            size=self.size,
            modified=self._file.modified,
            sha256=sha256,
            kept_sha256=kept_sha256,
            kept_size=kept_size,
            cut=self._cuts.count,
        )
        return manifest, path

    def _count(self, data: bytes) -> None:
        self.size += len(data)
        self._hash.update(data)
        if self._text is None:
            self._text = b"\0" not in data
        if self._text:
            self._release(self._stream.feed(data))

    def _release(self, cleaned: bytes) -> None:
        """Note what the redactor lets go; the first cut begins a file of its own."""
        if self._cleaned is None and self._cuts.count:
            if self._out is not None:
                self._out.flush()
            self._cleaned = os.fdopen(
                os.open(self._clean, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb"
            )
            with self._raw.open("rb") as before:
                left = self._released
                while left and (data := before.read(min(left, BLOCK))):
                    self._cleaned.write(data)
                    left -= len(data)
        self._released += len(cleaned)
        if self._cleaned is not None:
            self._cleaned.write(cleaned)


def room_for(folder: Path, size: int) -> bool:
    """Return whether a disk has room for so many bytes, and a little more."""
    return shutil.disk_usage(folder).free > size + 64 * BLOCK
