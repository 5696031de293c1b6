"""What an operator chose on the screen and finds again the next time, in `screen.json` of the data directory.

It holds nothing that can't be chosen again in a moment: where it can't be read or written, that is logged, and the
screen is as it is without it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

log = logging.getLogger(__name__)

NAME = "screen.json"
MOST = 200
"""Logs whose columns are kept: the ones chosen for last."""
LARGEST = 1 << 20
"""Bytes of the file that are read."""
STREAMED, STDIN = "sources", "stdin"
"""Stand for the records that sources bring and for the standard input, as the path of the first file does else."""


class Kept(Struct):
    """What the file holds.

    Attributes:
        columns: Attributes that are columns, by log, the log chosen for last at the end.
    """

    columns: dict[str, tuple[str, ...]] = {}


class Choices:
    """Choices as they were read, and their file."""

    def __init__(self, folder: Path | None) -> None:
        """Read them.

        Args:
            folder: The data directory; None keeps nothing.
        """
        self._file = folder / NAME if folder is not None else None
        self._kept = _read(self._file) if self._file is not None else Kept()

    def columns(self, files: Sequence[str]) -> tuple[str, ...] | None:
        """Return the columns that were chosen for some files, or for what sources bring; None where none were."""
        return self._kept.columns.get(_key(files))

    def choose_columns(self, files: Sequence[str], names: Sequence[str]) -> None:
        """Take over columns; `keep` writes them."""
        columns = self._kept.columns
        columns.pop(_key(files), None)
        columns[_key(files)] = tuple(names)
        while len(columns) > MOST:
            del columns[next(iter(columns))]

    def keep(self) -> None:
        """Write them, beside what another cockpit has written meanwhile; it may wait for a disk."""
        import tempfile  # not for the first picture

        if self._file is None:
            return
        theirs = _read(self._file).columns
        merged = {key: names for key, names in theirs.items() if key not in self._kept.columns}
        merged.update(self._kept.columns)
        self._kept.columns = dict(list(merged.items())[-MOST:])
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd, name = tempfile.mkstemp(dir=self._file.parent, prefix=f".{NAME}-")  # only this user reads it
            try:
                with os.fdopen(fd, "wb") as file:
                    file.write(msgspec.json.encode(self._kept))
                Path(name).replace(self._file)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            log.warning("what was chosen on the screen can't be kept: %s", error)


def _key(files: Sequence[str]) -> str:
    if not files:
        return STREAMED
    return STDIN if files[0].startswith("/proc/") else str(Path(files[0]).absolute())


def _read(file: Path) -> Kept:
    try:
        with file.open("rb") as opened:
            return msgspec.json.decode(opened.read(LARGEST), type=Kept)
    except FileNotFoundError:
        return Kept()
    except (OSError, ValueError, RecursionError) as error:  # what msgspec raises is a ValueError
        log.warning("what was chosen on the screen can't be read, and is forgotten: %s", error)
        return Kept()
