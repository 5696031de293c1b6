"""How a shell is started so that it marks its prompts and command lines, with nothing written to the host's disk.

`sh` is given everything in its arguments: it finds the account's own shell and has that read the integration from a
pipe or from its environment. The marks are OSC 133 (prompt, command, end) and OSC 633 (command line, folder), each
ending with a word that this session alone knows, so that what a host prints can't pass for one.
"""

from __future__ import annotations

import hashlib
import secrets
from importlib.resources import files

from msgspec import Struct

NONCE = 16
"""Bytes of the word that marks end with."""
BOOT = (
    "cp_nonce=$1 cp_guard=$2 cp_login=$3 cp_key=$4; shift 4; cp_main= cp_bash= cp_zsh= cp_fish=; "
    "nl=$(printf '\\n.'); nl=${nl%.}; "
    "for cp_line do case $cp_line in @main|@bash|@zsh|@fish) cp_k=${cp_line#@};; "
    '*) eval "cp_$cp_k=\\$cp_$cp_k\\$cp_line\\$nl";; esac; done; eval "$cp_main"'
)
"""Puts the scripts together from lines, as csh takes no line feed in an argument, and runs the first."""
_SCRIPTS = {
    "main": "main.sh",
    "bash": "integration.bash",
    "zsh": "integration.zsh",
    "fish": "integration.fish",
}


class Marks(Struct, frozen=True, kw_only=True):
    """What a session's marks are known by.

    Attributes:
        nonce: The word that every mark ends with.
        accept: The keys that have the shell's editor accept its line; sent by us alone.
    """

    nonce: str
    accept: bytes


def new_marks() -> Marks:
    """Return the marks of a new session."""
    nonce = secrets.token_hex(NONCE)
    return Marks(nonce=nonce, accept=b"\x18\x1d" + _key(nonce).encode())


def argv_of(marks: Marks, *, guarded: bool, login: bool) -> tuple[str, ...]:
    """Return the argv that starts the account's shell, integrated.

    Args:
        marks: What its marks are known by.
        guarded: Whether Enter asks before a line is accepted.
        login: Whether it is a login shell, as on a host.
    """
    words = ["sh", "-c", BOOT, "sh", marks.nonce, str(int(guarded)), str(int(login)), _key(marks.nonce)]
    for name, file in _SCRIPTS.items():
        words += (f"@{name}", *_lines(file))
    return tuple(words)


def _key(nonce: str) -> str:
    return (
        "k" + hashlib.sha256(nonce.encode()).hexdigest()[:12]
    )  # no digit first: those are the steps of Enter


def _lines(file: str) -> list[str]:
    """Return a script's lines without what is said to whoever reads it here."""
    text = files("cockpit.shells").joinpath("scripts", file).read_text()
    lines = (line.strip(" ") for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
