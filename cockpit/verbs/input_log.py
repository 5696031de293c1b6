"""The standard input as a log, though the screen reads its keys there: keys come from the terminal itself then."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cockpit.errors import UsageError

INPUT = "-"
TERMINAL = "/dev/tty"


def with_input(files: Sequence[str]) -> list[str]:
    """Return log files by their paths, the standard input too where `-` stands for it.

    The input becomes another descriptor of this process, and the terminal takes its place.

    Raises:
        UsageError: The input is a terminal, or there is no terminal for the keys.
    """
    if INPUT not in files:
        return list(files)
    if os.isatty(0):
        raise UsageError(
            "the standard input is a terminal, not a log", where=INPUT, remedy="PROGRAM | cockpit logs -"
        )
    from cockpit.stores.logs.files.opening import path_of

    try:
        terminal = os.open(TERMINAL, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(
            f"there is no terminal to read keys from: {error.strerror}", where=TERMINAL
        ) from None
    log = os.dup(0)
    os.dup2(terminal, 0)
    os.close(terminal)
    return [path_of(log) if file == INPUT else file for file in dict.fromkeys(files)]
