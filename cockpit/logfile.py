"""The cockpit's own log: the tracebacks of what nobody foresaw, in a file that only its user may read.

The three seams that catch everything log here, and so does asyncio. Nothing of it goes to stderr, which is the
screen; and as it may quote what another system said, it is cleaned like any telemetry.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

from cockpit import __version__

FILE = "cockpit.log"
LARGEST = 2 << 20
"""Bytes after which the log is moved aside, in place of the one before it."""
LONGEST = 64 * 1024
"""Characters of one entry."""


class LogFile(logging.Handler):
    """Appends records to `cockpit.log` in a folder, which is made with the first of them.

    Attributes:
        path: The file.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(logging.WARNING)
        self.path = folder / FILE
        form = logging.Formatter(
            f"%(asctime)s cockpit {__version__} %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ"
        )
        form.converter = time.gmtime
        self.setFormatter(form)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record; where it can't be kept there is nobody to tell."""
        with contextlib.suppress(OSError):
            self.write(self.format(record))

    def write(self, text: str) -> None:
        """Append an entry.

        Raises:
            OSError: It can't be written.
        """
        from cockpit.hygiene import (
            clean_text,
        )  # with it come the signals, which 20 ms are too much for if all goes well

        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(self.path, flags, 0o600), "ab") as log:
            log.write(f"{clean_text(text, LONGEST)}\n".encode(errors="replace"))
            full = log.tell() > LARGEST
        if full:
            self.path.replace(self.path.with_name(f"{FILE}.1"))


@contextlib.contextmanager
def kept_in(folder: Path) -> Iterator[LogFile]:
    """Keep what is logged in a folder, for the length of a block."""
    file = LogFile(folder)
    root = logging.getLogger()
    root.addHandler(file)
    try:
        yield file
    finally:
        root.removeHandler(file)
