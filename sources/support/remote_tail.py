"""How files on a host are followed as `tail -F` does, by offsets, so that nothing is lost or told twice.

A shell there lists the files with `ls -Lin` and reads blocks of them with `dd`: all of it POSIX, and in BusyBox. Each
read begins some bytes before where the last one ended; where these are others than they were, the file is another.
A file that was rotated while nobody looked is read to its end first, if it lies beside the new one under one of the
names that logrotate gives.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from msgspec import Struct

from cockpit.formats.multiline import Joiner
from cockpit.formats.stream import LineParser
from cockpit.signals import LogRecord
from sources.support.followed import PATIENCE, SETTLE
from sources.support.remote_shell import script
from sources.support.tail import LINE, Lines, lines_of

BLOCK = 4096
AT_ONCE = 256 * 1024
"""Bytes of a file that are read at a time."""
OVERLAP = 64
"""Bytes before the place that was reached by which a file is known again."""
MOST = 500
"""Files that a host is asked about, rotated ones included."""

# Numbers each file; `f` is one that can be read, `x` one that can't, `o` an old one beside another.
_LIST = (
    f"add(){{ [ $i -lt {MOST} ]||return;"
    r"""i=$((i+1));eval "f$i=\$2";a="$a \"\$f$i\"";printf '%s %s\n' $1 "$2";};"""
    r"""list(){ i=0;a=;IFS=;for p in "$@";do for f in $p;do case $f in *"$nl"*)continue;;esac;"""
    r"""[ -f "$f" ]||continue;[ -r "$f" ]||{ printf 'x %s\n' "$f";continue;};add f "$f";"""
    r"""for g in "$f".[01] "$f"-[0-9]*[0-9];do case $g in *"$nl"*)continue;;esac;"""
    r"""[ -f "$g" ]&&[ -r "$g" ]&&add o "$g";done;done;done;IFS=' ';"""
    r"""printf '@%s\n' "$n";[ $i -eq 0 ]||eval "ls -Lin --$a" 2>/dev/null;};"""
)
_READ = 'cut(){ eval "g=\\$f$1";dd if="$g" bs=4096 skip=$2 count=$3 2>/dev/null;};'
_BEFORE = f"nl=$(printf '\\nx');nl=${{nl%x}};{_LIST}{_READ}"
_ANSWERS = 'case $q in l)list "$@";;*)cut $q;;esac'
_LISTED = re.compile(r" *([0-9]{1,20}) \S+ +[0-9]+ +\S+ +\S+ +([0-9]{1,18}) +\S+ +\S+ +\S+ (.*)")


def argv_of(paths: Sequence[str]) -> tuple[str, ...]:
    """Return the shell that follows the files of some patterns; it expands them, and runs nothing in them."""
    return (*script(_ANSWERS, before=_BEFORE), "sh", *paths)


class Entry(Struct, frozen=True):
    """A file as a host lists it.

    Attributes:
        index: Its number, by which it is read.
        old: Whether it was listed as lying beside another alone.
    """

    index: int
    path: str
    inode: int
    size: int
    old: bool


class Listing(Struct, frozen=True):
    """What a host has of the files that were asked for, and which of them may not be read."""

    entries: list[Entry]
    refused: list[str]

    def current(self) -> list[Entry]:
        """Return the files that the patterns name, each once."""
        found: dict[int, Entry] = {}
        for entry in self.entries:
            if not entry.old:
                found.setdefault(entry.inode, entry)
        return list(found.values())

    def by_inode(self, inode: int, *, but: str) -> Entry | None:
        """Return a file by its inode, under another path than its own."""
        return next((entry for entry in self.entries if entry.inode == inode and entry.path != but), None)


def read_listing(number: str, answer: bytes) -> Listing:
    """Read an answer to `l`; what makes no sense in it is left out."""
    named, _, listed = answer.decode("utf-8", "surrogateescape").partition(f"@{number}\n")
    indexed: list[tuple[str, bool]] = []
    refused = []
    for line in named.split("\n"):
        mark, _, path = line.partition(" ")
        if mark == "x":
            refused.append(path)
        elif mark in ("f", "o"):
            indexed.append((path, mark == "o"))
    told: dict[str, tuple[int, int]] = {}
    for line in listed.split("\n"):
        if match := _LISTED.fullmatch(line):
            told[match[3]] = (int(match[1]), int(match[2]))
    entries = [
        Entry(index, path, *told[path], old)
        for index, (path, old) in enumerate(indexed[:MOST], start=1)
        if path in told
    ]
    return Listing(entries, refused[:MOST])


class Rewritten(Exception):
    """A file holds other bytes than those that were read of it."""


class Mark(Struct, frozen=True, gc=False):
    """How far a file was read, and the last bytes that were."""

    offset: int
    recent: bytes


class RemoteFile:
    """One file on a host: how far it was read, and the lines that are being put together.

    Attributes:
        inode: Its inode; 0 before it was seen.
        offset: Bytes read of it.
    """

    def __init__(self, path: str, parser: LineParser, joiner: Joiner) -> None:
        self.path = path
        self.inode = 0
        self.offset = 0
        self._parser = parser
        self._joiner = joiner
        self._lines = Lines()
        self._recent = b""
        self._whole = True
        self._read_at = 0.0

    def begin(self, inode: int, offset: int = 0) -> None:
        """Read another file from now on, near an offset: at the start of the line after it."""
        self.inode, self._recent, self._whole = inode, b"", offset <= 0
        self.offset = max(0, offset - 1)
        self._lines.clear()

    def resume(self, inode: int, mark: Mark) -> None:
        """Read a file from now on from where it was read to, if it still is the same."""
        self.begin(inode)
        self.offset, self._recent = mark.offset, mark.recent

    @property
    def mark(self) -> Mark:
        """How far it was read."""
        return Mark(self.offset, self._recent)

    def question(self, index: int, size: int) -> str:
        """Return what to ask for the bytes that follow, up to `AT_ONCE` of them."""
        first = max(0, self.offset - OVERLAP) // BLOCK
        last = -(-min(size, self.offset + AT_ONCE) // BLOCK)
        return f"{index} {first} {max(1, last - first)}"

    def take(self, answer: bytes) -> list[str]:
        """Take in the answer, and return the texts of the records that it completes.

        Raises:
            Rewritten: It begins with other bytes than were read before.
        """
        known = self.offset - max(0, self.offset - OVERLAP) // BLOCK * BLOCK
        if len(answer) < known or not answer[:known].endswith(self._recent):
            raise Rewritten
        data = answer[known:]
        if not data:
            return []
        self.offset += len(data)
        self._recent = answer[-OVERLAP:]
        self._read_at = time.monotonic()
        if not self._whole:
            _, newline, data = data.partition(b"\n")
            self._whole = bool(newline)
        texts: list[str] = []
        for start in range(0, len(data), LINE):
            texts += self._joiner.join(lines_of(self._lines.take(data[start : start + LINE])))
        return texts

    def records(self, texts: Sequence[str], now: int) -> list[LogRecord]:
        """Return the records that some texts stand for."""
        return [self._parser.parse(text, now) for text in texts]

    def settled(self, now: int) -> list[LogRecord]:
        """Return what waited long enough for a line feed, or for more lines, to be taken as it is."""
        waited = time.monotonic() - self._read_at
        if (self._lines.waiting and waited < PATIENCE) or waited < SETTLE:
            return []
        return self.rest(now)

    def rest(self, now: int) -> list[LogRecord]:
        """Return the records of all that was read."""
        return self.records(self._joiner.join(lines_of(self._lines.flush())) + self._joiner.flush(), now)
