"""The one function that quotes arguments for a remote shell.

sshd hands a command to the account's login shell as one string, and that shell may be any. What is made here is read
alike by POSIX shells (sh, bash, dash, zsh, ksh, BusyBox ash), fish and csh, but for line feeds, which csh can't take
in quotes: single quotes around what is harmless in all of them, and a backslash outside quotes before `'`, `\\` and
`!`, which are not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_PLAIN = re.compile(r"[A-Za-z0-9_@+:,./-]+")
_PARTS = re.compile(r"[^'\\!]+|['\\!]")


def quoted(argv: Sequence[str]) -> str:
    """Return arguments as one line that a remote shell splits into exactly these.

    Raises:
        ValueError: An argument holds a NUL, which no argument can.
    """
    return " ".join(map(_word, argv))


def _word(word: str) -> str:
    if "\0" in word:
        raise ValueError("an argument can't hold a NUL")
    if _PLAIN.fullmatch(word):
        return word
    if not word:
        return "''"
    return "".join(part if _PLAIN.fullmatch(part) else _part(part) for part in _PARTS.findall(word))


def _part(part: str) -> str:
    return f"\\{part}" if part in "'\\!" else f"'{part}'"
