"""What a program tells a terminal besides what to draw: operating system commands, of which few are obeyed.

The title is; the clipboard (OSC 52) and links (OSC 8) only where that was opted into, and what is in the clipboard is
never told. Questions about colours get the answer of a dark terminal, as vim and others choose theirs by it.
"""

from __future__ import annotations

import base64
import binascii

from msgspec import Struct

from cockpit.hygiene import clean_line, clean_text

TITLE = 200
"""Characters of a title at most."""
LINK = 2000
"""Characters of a link at most."""
COLOURS = {"10": "rgb:d0d0/d0d0/d0d0", "11": "rgb:1010/1010/1010"}
"""What foreground and background are said to be."""
SCHEMES = ("https://", "http://")
"""The links that are made."""


class Asked(Struct, frozen=True):
    """What a command asks for; None, or nothing, for what it does not.

    Attributes:
        title: The window's title.
        clipboard: Text for the clipboard.
        link: Where the text that follows leads; empty where that ends.
        reply: What to answer.
    """

    title: str | None = None
    clipboard: str | None = None
    link: str | None = None
    reply: bytes = b""


class Commands:
    """Reads commands.

    Args:
        clipboard: Whether a program may put text into the clipboard.
        links: Whether it may make text a link.
    """

    def __init__(self, *, clipboard: bool = False, links: bool = False) -> None:
        self._clipboard = clipboard
        self._links = links

    def take(self, text: str) -> Asked:
        """Return what a command asks for; one that is not known asks for nothing."""
        number, _, rest = text.partition(";")
        if number in ("0", "2"):
            return Asked(title=clean_line(rest, TITLE))
        if number == "52" and self._clipboard:
            return Asked(clipboard=_decoded(rest.partition(";")[2]))
        if number == "8" and self._links:
            link = rest.partition(";")[2]
            fine = len(link) <= LINK and link.startswith(SCHEMES) and link.isascii() and link.isprintable()
            return Asked(link=link if fine else "")
        if number in COLOURS and rest == "?":
            return Asked(reply=f"\x1b]{number};{COLOURS[number]}\x1b\\".encode())
        return Asked()


def _decoded(text: str) -> str | None:
    try:
        return clean_text(base64.b64decode(text, validate=True).decode()) or None
    except (binascii.Error, ValueError):
        return None
