"""Keeps what commands answered, for a cockpit that starts when they can't: in an outage, often they are out too.

Only what commands print is kept; files lie where they lie. What is kept is the hosts, in the data directory, readable
by its owner alone.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import msgspec
from msgspec import Struct

from cockpit.inventory.limits import MOST_BYTES
from cockpit.inventory.reading import Reading
from cockpit.inventory.settings import InventoryTable

OLDEST_S = 30 * 86_400
"""Seconds after which a kept answer is worth nothing."""


class Kept(Struct, frozen=True, kw_only=True):
    """An answer, and when it was given, in seconds since the epoch."""

    answered_at: float
    reading: Reading


class Keeper:
    """Answers in a folder, a file for each command.

    Args:
        folder: Made with the first answer.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def kept(self, table: InventoryTable, now: float) -> Kept | None:
        """Return the last answer of a command, where it is there, whole and not too old."""
        try:
            with self._file(table).open("rb") as file:
                kept = msgspec.json.decode(file.read(4 * MOST_BYTES), type=Kept)
        except (OSError, msgspec.MsgspecError):
            return None
        return kept if 0 <= now - kept.answered_at <= OLDEST_S else None

    def keep(self, table: InventoryTable, reading: Reading, now: float) -> None:
        """Keep an answer in place of the one before. That it can't be written harms nothing else."""
        encoded = msgspec.json.encode(Kept(answered_at=now, reading=reading))
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(handle, "wb") as file:
                file.write(encoded)
            Path(name).replace(self._file(table))
        except OSError:
            return

    def _file(self, table: InventoryTable) -> Path:
        said = msgspec.json.encode([table.kind, list(table.command)])
        return self._folder / f"{hashlib.sha256(said).hexdigest()[:32]}.json"
