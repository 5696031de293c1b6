"""What pasting sends: text without what only a key could mean, in brackets where the program knows them."""

from __future__ import annotations

import re

from cockpit.term.emulator import Modes

BEGIN, END = b"\x1b[200~", b"\x1b[201~"
LIMIT = 1 << 20
"""Characters that are pasted at most."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def cleaned(text: str) -> str:
    """Return text without control characters: an escape in it could end the brackets and go on as typed keys."""
    return _CONTROL.sub("", text[:LIMIT].replace("\r\n", "\n").replace("\r", "\n"))


def lines(text: str) -> int:
    """Return how many lines a program would be sent: each end of a line could run what is before it."""
    return cleaned(text).count("\n") + 1


def encode(text: str, modes: Modes) -> bytes:
    """Return the bytes for pasting text."""
    data = cleaned(text).replace("\n", "\r").encode("utf-8", "replace")
    return BEGIN + data + END if modes.bracketed_paste else data
