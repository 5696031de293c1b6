"""Where an export is written: beside its name first, so that there is a whole file of that name or none."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from cockpit.errors import CockpitError, UsageError


class Place:
    """A file that is made whole or not at all, or the standard output.

    What a name leads to that is no file, such as a named pipe, is written to as it stands: it is never put aside.

    Attributes:
        size: Bytes written.
        path: The file's name; None for the standard output.
        beside: Where it is written until it is whole.
        is_file: Whether it is a file, which gets its name at the end.
    """

    def __init__(self, path: Path | None, stdout: BinaryIO | None = None) -> None:
        self.path = path.resolve() if path else None
        self.size = 0
        self.beside = Path(os.devnull)
        self.is_file = False
        self._digest = hashlib.sha256()
        self._stdout = stdout
        self._file: BinaryIO | None = None

    def __enter__(self) -> Place:
        if self.path is None:
            return self
        if self.path.is_dir():
            raise UsageError("it is a folder", where=str(self.path), remedy="name a file")
        if self.path.exists() and not self.path.is_file():
            with self._errors():
                self._file = self.path.open("wb")
            return self
        self.beside = self.path.with_name(f".{self.path.name[:100]}.{secrets.token_hex(4)}.part")
        self.is_file = True
        with self._errors():
            number = os.open(self.beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._file = os.fdopen(number, "r+b")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
            if self.is_file:
                self.beside.unlink(missing_ok=True)

    @property
    def sha256(self) -> str:
        """The digest of what was written."""
        return self._digest.hexdigest()

    @property
    def folder(self) -> Path | None:
        """Where there is room for what has to be written aside; None where the system's place has to do."""
        return self.path.parent if self.path is not None and self.is_file else None

    def write(self, data: bytes) -> int:
        """Write some more.

        Raises:
            CockpitError: It can't be written.
            BrokenPipeError: Nobody reads the standard output any more.
        """
        self._digest.update(data)
        self.size += len(data)
        if self._file is not None:
            with self._errors():
                self._file.write(data)
        elif self._stdout is not None:
            self._stdout.write(data)
        return len(data)

    def count(self) -> None:
        """Take in what was written to `beside` past this object."""
        with self._errors(), self.beside.open("rb") as file:
            while data := file.read(1 << 20):
                self._digest.update(data)
                self.size += len(data)

    def keep(self) -> None:
        """Give the whole file its name.

        Raises:
            CockpitError: It can't be written to the end.
        """
        if self._file is None or self.path is None:
            if self._stdout is not None:
                self._stdout.flush()
            return
        with self._errors():
            self._file.flush()
            if self.is_file:
                os.fsync(self._file.fileno())
            self._file.close()
            if self.is_file:
                self.beside.replace(self.path)
            self._file = None

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CockpitError(
                f"the export can't be written: {error.strerror}",
                where=str(self.path),
                remedy="name another file with --output",
            ) from None
