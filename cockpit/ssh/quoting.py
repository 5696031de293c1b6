"""The one function that quotes arguments for a remote shell.

sshd hands a command to the account's login shell as one string, and that shell may be any. What is made here is read
alike by POSIX shells (sh, bash, dash, zsh, ksh, BusyBox ash), fish and csh: single quotes around what is harmless in
all of them, and a backslash outside quotes before `'`, `\\` and `!`, which are not. A line feed is harmless in none
of csh's quotes, and bytes that are no UTF-8 can't be sent as they are, so arguments that hold one are packed for a
POSIX shell that unpacks them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_PLAIN = re.compile(r"[A-Za-z0-9_@+:,./-]+")
_PARTS = re.compile(r"[^'\\!]+|['\\!]")
_RESERVED = frozenset({
    "!", "alias", "and", "begin", "break", "builtin", "case", "command", "continue", "coproc", "do", "done",
    "elif", "else", "end", "esac", "eval", "exec", "exit", "export", "fi", "for", "foreach", "function",
    "goto", "if", "in", "let", "local", "nocorrect", "noglob", "nohup", "not", "or", "repeat", "return",
    "select", "set", "setenv", "source", "switch", "then", "time", "trap", "unalias", "unset", "until",
    "while",
})  # fmt: skip
"""Words that some shell takes for its own where a program's name stands; `env` has none."""
_UNPACK = 'eval "exec $(printf %b "$0")"'
_NO_ARGUMENT = re.compile(r"[\0\ud800-\udc7f\udd00-\udfff]")
_MUST_PACK = re.compile(r"[\n\udc80-\udcff]")
_PACKED = re.compile(r"[\\\n\udc80-\udcff]")


def quoted(argv: Sequence[str]) -> str:
    """Return arguments as one line that a remote shell splits into exactly these.

    Raises:
        ValueError: An argument holds a NUL or half a character, which no argument can.
    """
    words = ("env", *argv) if argv and argv[0] in _RESERVED else argv
    line = " ".join(map(_word, words))
    if not _MUST_PACK.search(line):
        return line
    packed = _PACKED.sub(lambda found: f"\\0{ord(found[0]) & 0xFF:03o}", line)
    return " ".join(map(_word, ("/bin/sh", "-c", _UNPACK, packed)))


def _word(word: str) -> str:
    if found := _NO_ARGUMENT.search(word):
        raise ValueError(f"an argument can't hold {'a NUL' if found[0] == chr(0) else 'half a character'}")
    if _PLAIN.fullmatch(word):
        return word
    if not word:
        return "''"
    return "".join(part if _PLAIN.fullmatch(part) else _part(part) for part in _PARTS.findall(word))


def _part(part: str) -> str:
    return f"\\{part}" if part in "'\\!" else f"'{part}'"
