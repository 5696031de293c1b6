"""Where records go that memory has no room for, where the configuration gives them some on the disk."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.errors import CockpitError
from cockpit.moments import span
from cockpit.stores.logs.spool.frames import FrameFile, private_file

if TYPE_CHECKING:
    from cockpit.config.settings import LogsSettings

log = logging.getLogger(__name__)


UNITS = {"K": 10, "M": 20, "G": 30, "T": 40}
SPOOLS = "spools"
"""The folder within the data directory."""


class Spill:
    """Blocks in a private file of bounded size, made when the first one comes.

    Attributes:
        age: Nanoseconds after which a block goes.
        trouble: Why blocks can't be kept; empty where all is well.
    """

    def __init__(self, folder: Path | None, *, limit: int, age: int) -> None:
        """Keep blocks there.

        Args:
            folder: Where the file lies, which has no name; None for the system's place for such files.
            limit: Bytes that blocks may take.
            age: Nanoseconds after which one goes.
        """
        self.age = age
        self.trouble = ""
        self._folder = folder
        self._limit = limit
        self._fd = -1
        self._frames: FrameFile | None = None

    @property
    def first(self) -> int:
        """The oldest block that is kept."""
        return 0 if self._frames is None else self._frames.first

    @property
    def size(self) -> int:
        """What the blocks take on the disk."""
        return 0 if self._frames is None else self._frames.bytes

    def put(self, data: bytes) -> int | None:
        """Keep a block; return its number, or None where it can't be kept, which is told once."""
        try:
            if self._frames is None:
                if self.trouble:
                    return None
                self._fd = private_file(self._folder)
                self._frames = FrameFile(self._fd, limit=self._limit)
            number = self._frames.append(data)
            trouble = self._frames.trouble
        except CockpitError as error:
            number, trouble = None, str(error)
        if trouble and not self.trouble:
            log.warning("older log records can't all be kept on the disk: %s", trouble)
        self.trouble = trouble
        return number

    def get(self, number: int) -> bytes:
        """Return a block, or nothing where it can't be read any more."""
        if self._frames is None or not self._frames.first <= number < self._frames.end:
            return b""
        try:
            return self._frames.read(number)
        except OSError as error:
            log.warning("log records can't be read from the disk: %s", error)
            return b""

    def drop(self, first: int) -> None:
        """Let go of the blocks below a number."""
        if self._frames is not None:
            self._frames.drop(first)

    def close(self) -> None:
        """Let go of the file, and so of all that is in it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd, self._frames = -1, None


def spill_of(settings: LogsSettings, data: Path | None) -> Spill | None:
    """Return where records go that memory has no room for; None where the configuration gives them no room.

    Args:
        settings: What the configuration says.
        data: The data directory; None for the system's place for such files.
    """
    if not settings.spill:
        return None
    limit = int(settings.spill[:-3]) << UNITS[settings.spill[-3]]
    return Spill(data / SPOOLS if data else None, limit=limit, age=span(settings.spill_age))
