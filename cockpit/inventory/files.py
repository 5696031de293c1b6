"""Reads an inventory's files, within bounds, and remembers which they were."""

from __future__ import annotations

import stat
from pathlib import Path

from cockpit.errors import InventoryError
from cockpit.inventory.limits import MOST_BYTES, MOST_FILES
from cockpit.inventory.reading import Stamp


class Files:
    """Files and folders that were looked at.

    Attributes:
        stamps: Each, as it was.
    """

    def __init__(self) -> None:
        self.stamps: list[Stamp] = []

    def text(self, path: Path) -> str:
        """Return a file's text.

        Raises:
            InventoryError: It can't be read, is no regular file, no UTF-8, or far too large.
        """
        self._look(path)
        try:
            with path.open("rb") as file:
                raw = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise InventoryError(f"can't be read: {error.strerror or error}", where=str(path)) from None
        if len(raw) > MOST_BYTES:
            raise InventoryError(f"is larger than {MOST_BYTES:,} bytes", where=str(path))
        try:
            return raw.decode().removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            raise InventoryError(f"line {line}: is no UTF-8 text", where=str(path)) from None

    def names(self, folder: Path) -> list[str]:
        """Return the names in a folder, in order.

        Raises:
            InventoryError: It can't be read.
        """
        self._look(folder)
        try:
            return sorted(entry.name for entry in folder.iterdir())
        except OSError as error:
            raise InventoryError(f"can't be read: {error.strerror or error}", where=str(folder)) from None

    def is_folder(self, path: Path) -> bool:
        """Whether there is a folder of that name; that there is none is remembered too, as it may come."""
        if path.is_dir():
            return True
        self.stamps.append((str(path), *stamp_of(path)))
        return False

    def is_program(self, path: Path) -> bool:
        """Whether a file may be run."""
        return bool(path.stat().st_mode & stat.S_IXUSR)

    def _look(self, path: Path) -> None:
        if len(self.stamps) >= MOST_FILES:
            raise InventoryError(f"has more than {MOST_FILES:,} files")
        if path.exists() and not path.is_file() and not path.is_dir():
            raise InventoryError("is no regular file", where=str(path))
        self.stamps.append((str(path), *stamp_of(path)))


def stamp_of(path: Path | str) -> tuple[int, int]:
    """Return when a file was changed, in nanoseconds, and its size; two zeros where there is none."""
    try:
        found = Path(path).stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
