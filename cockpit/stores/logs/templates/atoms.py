"""What parts of a folded line look like variables, by general rules and none of any one program.

A line is cut at white space and punctuation into atoms, with the delimiters kept between them. Each atom is
judged by its look alone: numbers, addresses, times, hexadecimal and generated identifiers, paths and dotted names
are variable whatever else is known. A name with one number in it (`eth0`, `jk2_init`) may be part of the message
or not: it keeps its folded `0`, and the miner watches whether the number changes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from operator import eq
from typing import NamedTuple

WILD = "<*>"
GUARD = 0xE000
"""Delimiters within a quoted text or an address are moved up here, so that they don't cut it."""
_JOINED_MARK = "\uf8ff"
"""What numbers joined by signs become until they are judged."""
_SIGNS = "=:,;()[]{}<>|\"'`!?"
_MOVED_UP = {ord(char): GUARD + ord(char) for char in _SIGNS + " \t."}
_MOVED_BACK = {moved: code for code, moved in _MOVED_UP.items()}
_INF = 1 << 30

_CUT = re.compile(
    r"((?:[\s=:,;()\[\]{}<>|\"'`!?]|(?<!\.)\.+(?=\s|$)|(?<!-)-+(?=>)|(?<![^\s=:,;(\[{<|])-(?=\s|$))+)"
)
_EMPTY = re.compile(
    r"""(?<=[(\[{<])(?=[)\]}>])|(?<=[^\s=]=)(?=[\s,;&)\]}"'])|(?<=^=)(?=[\s,;&)\]}"'])|(?<=")(?=")"""
)
"""Where a value is left out between two delimiters."""
_WHOLE = re.compile(
    r"""(?<![A-Za-z0+.-])[A-Za-z][A-Za-z0+.-]*://[^\s"'<>,;)\]}]*"""  # an address on the web
    r"""|(?<![A-Za-z0_])[A-Za-z]:\\[^\s"',;<>|]*"""  # a path on Windows
    r"""|"(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH)(?=( ))[^"]*["]"""  # a request stays in parts
    r"""|"[^"]{1,200}"|(?<![A-Za-z0_)\]])'[^']{1,200}'(?![A-Za-z0_])"""
)
_IS_MESSAGE = re.compile(r"""(?:^|(?<![\w-])["']?(?:msg|message|event|log)["']?[=:] ?)\Z""", re.IGNORECASE)
"""What comes before a quoted text that is the message itself, as klog and JSON write it."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = f"(?:{'|'.join(_MONTHS)})[a-z]{{0,6}}"
_DATE = re.compile(
    rf"(?:\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{{0,6}},? )?(?:\b{_MONTH} +0|\b0[ /-]{_MONTH}[ /-]0)\b,?"
    r"(?:[ :]0:0(?::0)?(?:[.,]0)?)?(?: [+-]0| [A-Z]{3,4}\b)?(?: 0\b(?![:.]))?"
)
"""A date with the month's name."""
_JOINED = re.compile(
    r"0(?:(?:[._/-]0)+(?:T0(?::0)+(?:[.,]0)?(?:Z|[+-]0(?::0)?)?)?|(?<![\w:]0)(?::0){2,}(?:[.,]0)?)"
)
"""Numbers joined by signs: addresses, versions, dates, times, decimals."""
_COLONS = re.compile(
    r"(?<![\w:])(?:[0A-Fa-f]{1,6}:){3,}[0A-Fa-f]*(?![\w:])|(?<![\w:])(?:[0A-Fa-f]{0,4}:){2,7}:?[0A-Fa-f]+(?![\w:])"
)
"""Addresses of hardware and of IPv6."""
_UNIT = re.compile(r"[-+]?0([A-Za-zµ]{1,3}|%)")
_SIGNED = re.compile(r"([#$€£@]?)[-+]?0")
_HEX = re.compile(r"[0a-f]+(?:[-_.][0a-f]+)*|[0A-F]+(?:[-_.][0A-F]+)*")
_HEX_LETTERS = re.compile(r"[a-f]{8,}|[A-F]{8,}|(?:[a-f]+-){4,}[a-f]+")
_PREFIX = re.compile(r"([A-Za-z]+(?:[_-][A-Za-z]+)*)([_#/.:-]*)[-+]?0")
_PATH = re.compile(r"(?:~|\.{1,2})?/[^/\s]|[^/\s]+/[^/\s]+/|[A-Za-z]:\\|\\\\")
_DOTTED = re.compile(r"[\w$-]+(?:\.[\w$-]+){2,}(?:[/#$@].*)?")
_THROWN = re.compile(r"[\w.$]*(?:Exception|Error|Throwable)")
"""Classes that are thrown, by Java's and Python's habit of naming them: which one it was is what is said."""
_SPACE = re.compile(r"\s+")


class Cut(NamedTuple):
    """A line in parts.

    Attributes:
        atoms: What stands between delimiters, judged.
        delimiters: What stands between the atoms: one fewer; any white space in them is one space.
        spacing: The delimiters as they were.
    """

    atoms: tuple[str, ...]
    delimiters: tuple[str, ...]
    spacing: tuple[str, ...]


class Cutter:
    """Cuts folded lines; what it has judged it remembers, up to a bound."""

    def __init__(self, *, limit: int = 50_000) -> None:
        self._limit = limit
        self._judged: dict[str, str] = {}
        self._delimiters: dict[str, str] = {}
        """Normal forms; those with an empty place in them are marked by a line feed there."""

    def cut(self, line: str) -> Cut:
        """Cut a folded line into judged atoms and delimiters."""
        parts = _CUT.split(_joined(_guarded(line)))
        delimiters = self._normal(parts[1::2])
        if "\n" in "".join(delimiters):
            parts = _with_empty(parts)
            delimiters = self._normal(parts[1::2])
        atoms = list(map(self._judged.get, parts[::2]))
        if None in atoms:
            atoms = self._judge(parts[::2])
        cut = Cut(tuple(atoms), tuple(delimiters), tuple(parts[1::2]))  # type: ignore[arg-type]
        return _without_lists(cut) if any(map(eq, atoms, atoms[1:])) else cut

    def _judge(self, parts: Sequence[str]) -> list[str | None]:
        judged = self._judged
        if len(judged) > self._limit:
            judged.clear()
        for part in parts:
            if part not in judged:
                judged[part] = judge(part)
        return list(map(judged.get, parts))

    def _normal(self, delimiters: Sequence[str]) -> list[str]:
        known = self._delimiters
        found = list(map(known.get, delimiters))
        if None in found:
            if len(known) > self._limit:
                known.clear()
            for delimiter in delimiters:
                if delimiter not in known:
                    known[delimiter] = "\n".join(_SPACE.sub(" ", piece) for piece in _EMPTY.split(delimiter))
            found = list(map(known.get, delimiters))
        return found  # type: ignore[return-value]


def _joined(line: str) -> str:
    """Return a folded line with numbers that belong together as one."""
    if any(map(line.__contains__, _MONTHS)):
        line = _DATE.sub("0", line)
    if line.count(":") > 2:
        line = _COLONS.sub("0", line)
    return _JOINED.sub(_JOINED_MARK, line)


def numbers_in_names(atoms: Sequence[str], line: str) -> dict[tuple[int, int], str]:
    """Return the numbers that names in a line hold, by their atom's place and their order in it.

    Args:
        atoms: The line's shape.
        line: The line, not folded.
    """
    found: dict[tuple[int, int], str] = {}
    begin = 0
    for place, atom in enumerate(atoms):
        if "0" in atom and (match := _name(atom).search(line, begin)) is not None:
            begin = match.end()
            found.update(((place, order), number) for order, number in enumerate(match.groups()))
    return found


@lru_cache(maxsize=1_000)
def _name(atom: str) -> re.Pattern[str]:
    """Return what finds an atom with numbers in it in a line that is not folded."""
    pattern = "([0-9]+)".join(map(re.escape, unguarded(atom).split("0")))
    return re.compile(rf"(?<![A-Za-z0-9_]){pattern}(?![A-Za-z0-9_])")


def _guarded(line: str) -> str:
    """Return a line with delimiters in quoted texts and addresses moved up."""
    if '"' in line or "'" in line or "://" in line or ":\\" in line:
        return _WHOLE.sub(_guard, line)
    return line


def _guard(match: re.Match[str]) -> str:
    text = match[0]
    if match[1] or _IS_MESSAGE.search(match.string, max(0, match.start() - 12), match.start()):
        return text
    if text[0] in "\"'":
        return text[0] + text[1:-1].translate(_MOVED_UP) + text[-1]
    return text.translate(_MOVED_UP)


def unguarded(text: str) -> str:
    """Return a text with the delimiters that were moved up put back."""
    return text if text.isascii() else text.translate(_MOVED_BACK)


def _with_empty(parts: list[str]) -> list[str]:
    """Put an empty atom where a value is left out, so that it counts as one."""
    filled = parts[:1]
    for place in range(1, len(parts), 2):
        for delimiter in _EMPTY.split(parts[place]):
            filled += (delimiter, "")
        filled[-1] = parts[place + 1]
    return filled


def _without_lists(cut: Cut) -> Cut:
    """Keep one of several variable atoms that follow each other as the items of a list do."""
    atoms, delimiters = cut.atoms, cut.delimiters
    kept, between = [0], []
    place = 1
    while place < len(atoms):
        last, delimiter = atoms[kept[-1]], delimiters[place - 1]
        end = place
        if WILD in last:
            while end < len(atoms) and atoms[end] == last and delimiters[end - 1] == delimiter:
                end += 1
        if end > place and end - place >= _fewest_more(last, delimiter):
            place = end
            continue
        kept.append(place)
        between.append(place - 1)
        place += 1
    return Cut(
        tuple([atoms[place] for place in kept]),
        tuple([delimiters[place] for place in between]),
        tuple([cut.spacing[place] for place in between]),
    )


def _fewest_more(atom: str, delimiter: str) -> int:
    """Return how many equal atoms must follow one to make it a list."""
    sign = delimiter.strip()
    if sign not in {"", ",", "|", ";"}:
        return _INF
    if atom != WILD:
        return 1
    return 2 if sign else 3


@lru_cache(maxsize=20_000)
def judge(atom: str) -> str:
    """Return an atom with what is surely variable in it as `WILD`; a `0` that is left may be a part of a name."""
    if _JOINED_MARK in atom:
        return judge(atom.replace(_JOINED_MARK, "0")).replace("0", WILD)
    if "0" not in atom:
        return WILD if _HEX_LETTERS.fullmatch(atom) or looks_like_place(atom) else atom
    if (signed := _SIGNED.fullmatch(atom)) is not None:
        return signed[1] + WILD
    if atom[:2] in {"0x", "0X"}:
        return WILD
    if (unit := _UNIT.fullmatch(atom)) is not None:
        return WILD + unit[1]
    groups = atom.count("0")
    if atom[:2] == "/0":
        return "/" + judge(atom[1:])
    if atom[0] == "0" or (groups > 1 and _HEX.fullmatch(atom)):
        return WILD
    if not atom.isascii() or "@" in atom or looks_like_place(atom):
        return WILD
    prefix = _PREFIX.match(atom)
    if prefix is None:
        return WILD if groups > 1 or atom[0] in "-+./" else atom
    word, sign = prefix[1], prefix[2][:1] + prefix[2][1:].rstrip("-")
    if groups == 1:
        return f"{word}{sign}{WILD}" if sign and prefix.end() == len(atom) else atom
    return f"{word}{sign}{WILD}" if sign or len(word) > 2 else WILD


def looks_like_place(atom: str) -> bool:
    """Tell whether an atom looks like a path, a host, a class with its packages or a mail address."""
    return ("/" in atom or "." in atom or "\\" in atom or "@" in atom or not atom.isascii()) and (
        "@" in atom[1:-1]
        or "://" in unguarded(atom)
        or _PATH.match(atom) is not None
        or (_DOTTED.fullmatch(atom) is not None and _THROWN.fullmatch(atom) is None)
    )


def places_named(delimiters: Sequence[str], count: int) -> list[bool]:
    """Tell for each atom whether an equals sign before it or quotes around it say that it is a value."""
    named = [False] * count
    for place, delimiter in enumerate(delimiters, 1):
        after = delimiters[place] if place < count - 1 else ""
        quoted = delimiter[-1:] in {'"', "'"} and after[:1] == delimiter[-1:]
        named[place] = quoted or delimiter.rstrip().endswith("=")
    return named
