"""known_hosts files as OpenSSH reads and writes them: which lines speak of a host, and one more line.

Names are matched line by line here, not by asyncssh, so that what is wrong can be told with its file and line, a line
that nobody understands harms no other, and a file of ten thousand hosts costs no ten thousand keys.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import hashlib
import hmac
import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import asyncssh
from asyncssh.public_key import SSHKey
from msgspec import Struct

DEFAULT_PORT = 22
CA, REVOKED = "@cert-authority", "@revoked"
LARGEST = 64 << 20
"""Bytes read of one file at most."""


class Entry(Struct, frozen=True, kw_only=True):
    """A line that speaks of a host.

    Attributes:
        marker: `@cert-authority`, `@revoked`, or empty.
        file: Where it stands.
        line: Its line there, from 1.
    """

    marker: str
    key: SSHKey
    file: str
    line: int

    @property
    def place(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.line}"


def address_of(host: str, port: int) -> str:
    """Return a host's name as known_hosts writes it: in lower case, with the port where that is not 22."""
    name = host.lower()
    return name if port == DEFAULT_PORT else f"[{name}]:{port}"


def entries(files: Sequence[str], name: str) -> tuple[Entry, ...]:
    """Return the lines that speak of a host, in the order of the files.

    Files that aren't there are skipped, as are lines and keys that can't be read.

    Args:
        files: The known_hosts files.
        name: The host as `address_of` writes it.
    """
    return tuple(entry for file in files for entry in _of_file(file, name))


def _of_file(file: str, name: str) -> Iterator[Entry]:
    try:
        with Path(file).open("rb") as opened:
            text = opened.read(LARGEST).decode(errors="replace")
    except OSError:
        return
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.split(None, 4)
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#") or marker not in ("", CA, REVOKED):
            continue
        if not names(words[0], name):
            continue
        with contextlib.suppress(asyncssh.KeyImportError, ValueError):
            yield Entry(
                marker=marker, key=asyncssh.import_public_key(" ".join(words[1:3])), file=file, line=number
            )


def names(patterns: str, name: str) -> bool:
    """Tell whether a line's first word means a host: a hash, or patterns of which a negated one rules out."""
    if patterns.startswith("|"):
        return _hash_is_of(patterns, name)
    found = False
    for pattern in patterns.lower().split(","):
        negated, pattern = pattern.startswith("!"), pattern.removeprefix("!")
        if fnmatchcase(name.lower(), pattern.replace("[", "[[]")):
            if negated:
                return False
            found = True
    return found


def _hash_is_of(hashed: str, name: str) -> bool:
    try:
        _, kind, salt, digest = hashed.split("|")
        return kind == "1" and hmac.compare_digest(
            hmac.digest(base64.b64decode(salt, validate=True), name.encode(), hashlib.sha1),
            base64.b64decode(digest, validate=True),
        )
    except (ValueError, binascii.Error):
        return False


def hashed(name: str) -> str:
    """Return a name as `HashKnownHosts` hides it."""
    salt = os.urandom(hashlib.sha1(usedforsecurity=False).digest_size)
    digest = hmac.digest(salt, name.encode(), hashlib.sha1)
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


def add(file: str, name: str, key: SSHKey, *, hide: bool) -> None:
    """Append a host's key to a file, in one write; made where it isn't there, for its owner alone.

    Args:
        file: The known_hosts file.
        name: The host as `address_of` writes it.
        key: Its key.
        hide: Whether to hash the name.

    Raises:
        OSError: It can't be written.
    """
    path = Path(file)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    public = " ".join(key.export_public_key().decode().split()[:2])
    line = f"{hashed(name) if hide else name} {public}\n".encode()
    opened = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with contextlib.suppress(OSError):  # some network file systems have no locks
            fcntl.flock(opened, fcntl.LOCK_EX)
        size = os.fstat(opened).st_size
        if size and os.pread(opened, 1, size - 1) != b"\n":
            line = b"\n" + line
        if os.write(opened, line) != len(line):
            raise OSError("it was written in part only")
    finally:
        os.close(opened)
