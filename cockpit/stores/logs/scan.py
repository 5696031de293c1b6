"""Finds words and expressions in a piece of a log, all in one pass, and tells in which records they are.

Hyperscan scans at gigabytes a second as long as it finds little: each find costs a call of 0.3 µs. So a word that
is found often is looked for with numpy instead (about 2 GB/s however often it is there), and an expression that is
found often is made to end at the end of its line, which is one call a line.

Text that is not UTF-8 is read as `text_of` reads it; the scan and the tests of single records see the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import hyperscan as hs
import numpy as np
from numpy.typing import NDArray

from cockpit.errors import UsageError
from cockpit.formats.columns import Columns
from cockpit.stores.logs.evaluate import any_case
from cockpit.stores.logs.expressions import Expression
from cockpit.stores.logs.patterns import compile_pattern

OFTEN = 512
"""A word found once in so many bytes is found often."""
LINE_FEED = 10
LAST_LINES = 1024
"""Bytes of lines at the end that are scanned once more."""
MARGIN = b"\n" * 64
"""Follows a text that is scanned by itself: Vectorscan 5.4.12 loses finds at the end of 17 to 34 bytes."""
_COMMON = b"etaoinsrhldcumfpgwybvk0123456789 "
"""Bytes that logs are full of, the most common first."""
_EITHER = 4
"""How many bytes of a word are looked for everywhere, before the rest is at the places found."""

Found = NDArray[np.bool_]


class Needle(NamedTuple):
    """Something to look for.

    Attributes:
        word: A word, whatever the case; or empty.
        pattern: An expression as an operator wrote it; or empty.
        expression: The same, read; or None.
        hint: An expression over bytes that finds more than is wanted, whatever the case; or empty.
    """

    word: str = ""
    pattern: str = ""
    expression: Expression | None = None
    hint: str = ""


class _Part(NamedTuple):
    """One expression of a database: what it is found for, and how."""

    needle: int
    text: str
    flags: int
    whole: bool
    """It may reach across records: what it finds is looked at record by record."""


class _Base(NamedTuple):
    """A database and its parts, by their number."""

    database: hs.Database
    parts: tuple[_Part, ...]


class Sight(NamedTuple):
    """What a scan of a piece has found, before it is known in which records.

    Attributes:
        text: The piece, without a last line feed.
        utf8: There is more than ASCII in it.
        parts: What was looked for by hyperscan.
        ends: Of each part, the ends of what was found.
        places: By needle, what numpy has found.
    """

    text: memoryview
    utf8: bool
    parts: tuple[_Part, ...]
    ends: list[list[int]]
    places: dict[int, NDArray[np.int64]]


class Scanner:
    """Looks for needles in one piece after another; it learns which are found often."""

    def __init__(self, needles: Sequence[Needle]) -> None:
        self._needles = tuple(needles)
        self._often: set[int] = set()
        self._bases: dict[tuple[bool, bool], _Base | None] = {}
        self._single: dict[tuple[int, bool], hs.Database] = {}
        self._rows = np.empty((3, 0), np.uint8)
        self._failed: set[int] = set()
        """Expressions that hyperscan can't take, and `re` can."""
        self._open: set[int] = set()
        """Expressions that can't be made to end at the end of a line."""
        self._reads_text = any(needle.expression is not None or "?" in needle.word for needle in needles)
        self._crosses = any(
            needle.expression is not None and (needle.expression.crosses or needle.expression.line is None)
            for needle in needles
        )

    @property
    def crosses(self) -> bool:
        """Whether a match may reach over several lines, so that the records must be known before the scan."""
        return self._crosses

    def look(self, data: memoryview, *, several: bool) -> Sight:
        """Scan a piece.

        Args:
            data: Its bytes.
            several: Some of its records have several lines.
        """
        text, utf8 = self._text(data)
        if len(text) and text[-1] == LINE_FEED:
            text = text[:-1]
        base = self._base(utf8, several and self._crosses)
        sight = Sight(text, utf8, base.parts if base is not None else (), [], {})
        if base is not None:
            sight.ends.extend([] for _ in base.parts)
            _scan(base.database, text, 0, sight.ends)
            _scan_end(base.database, text, sight.ends)
            self._learn(sight)
        scanned = {part.needle for part in sight.parts}
        words = [number for number in self._often - scanned if self._by_numpy(number)]
        if words:
            piece = np.frombuffer(text, np.uint8)
            low, there, here = self._scratch(len(piece))
            np.bitwise_or(piece, 0x20, out=low)
            rooms = there.view(np.bool_), here.view(np.bool_)
            for number in words:
                sight.places[number] = _places(piece, low, self._needles[number].word, rooms)
        return sight

    def seen(self, sight: Sight) -> set[int]:
        """Return the needles that a piece may hold."""
        seen = {part.needle for part, ends in zip(sight.parts, sight.ends, strict=True) if ends}
        return seen | self._failed | {number for number, places in sight.places.items() if len(places)}

    def records(self, sight: Sight, columns: Columns) -> list[Found]:
        """Return the records in which each needle is: a bool array of shape (records,) a needle.

        For a hint, and an expression that backtracks, these are records in which it may be.
        """
        found = [np.zeros(len(columns), np.bool_) for _ in self._needles]
        for part, ends in zip(sight.parts, sight.ends, strict=True):
            there = found[part.needle] if not part.whole else np.zeros(len(columns), np.bool_)
            _mark(there, columns.starts, np.array(ends, np.int64))
            if part.whole and ends:
                self._look_closer(part, there & ~found[part.needle], sight, columns, found[part.needle])
        for number, places in sight.places.items():
            _mark(found[number], columns.starts, places)
        for number in self._failed:
            found[number][:] = True
        return found

    def _learn(self, sight: Sight) -> None:
        """Remember which needles are found often."""
        often = {
            part.needle
            for part, ends in zip(sight.parts, sight.ends, strict=True)
            if len(ends) > max(OFTEN, len(sight.text) // OFTEN)
        }
        if often - self._often:
            self._often |= often
            self._bases.clear()

    def _scratch(self, size: int) -> NDArray[np.uint8]:
        """Return three rows to work in: made anew for each piece, they would cost more than the work."""
        if self._rows.shape[1] < size:
            self._rows = np.empty((3, size), np.uint8)
        return self._rows[:, :size]

    def only_may_be(self, number: int) -> bool:
        """Tell whether a needle is found in records that may hold it, and not only in those that do."""
        expression = self._needles[number].expression
        return number in self._failed or (
            expression.backtracks if expression else not self._needles[number].word
        )

    def _text(self, data: memoryview) -> tuple[memoryview, bool]:
        """Return a piece as valid UTF-8, and whether there is more than ASCII in it."""
        if not self._reads_text or not len(data) or np.frombuffer(data, np.uint8).max() < 0x80:
            return data, False
        try:
            str(data, "utf-8")
        except UnicodeDecodeError:
            return memoryview(mended(data)), True
        return data, True

    def _by_numpy(self, number: int) -> bool:
        word = self._needles[number].word
        return number in self._often and word != "" and word.isascii()

    def _base(self, utf8: bool, several: bool) -> _Base | None:
        key = (utf8, several)
        if key not in self._bases:
            self._bases[key] = self._compile(utf8, several)
        return self._bases[key]

    def _compile(self, utf8: bool, several: bool) -> _Base | None:
        parts = [part for number in range(len(self._needles)) for part in self._parts(number, utf8, several)]
        try:
            return _Base(_database(parts), tuple(parts)) if parts else None
        except hs.HyperscanError:
            pass
        refused = False
        for number in sorted({part.needle for part in parts}):
            try:
                _database([part for part in parts if part.needle == number])
            except hs.HyperscanError as error:
                self._refuse(number, str(error))
                refused = True
        if not refused:
            raise UsageError("these expressions are too large together", remedy="use fewer, or plainer ones")
        return self._compile(utf8, several)

    def _refuse(self, number: int, reason: str) -> None:
        """Do without what hyperscan can't take, where `re` can."""
        if number in self._often and number not in self._open:
            self._open.add(number)
            return
        needle = self._needles[number]
        if needle.expression is not None and not needle.expression.backtracks:
            try:
                compile_pattern(needle.pattern)
            except UsageError as error:
                raise UsageError(
                    f"can't be searched for: {reason.rstrip('.')}; and {error.message}",
                    where=f"/{needle.pattern}/",
                    remedy="write it plainer",
                ) from None
        self._failed.add(number)

    def _parts(self, number: int, utf8: bool, several: bool) -> list[_Part]:
        """Return how a needle is looked for."""
        if number in self._failed or self._by_numpy(number):
            return []
        needle = self._needles[number]
        often = number in self._often and number not in self._open
        flags = hs.HS_FLAG_CASELESS | hs.HS_FLAG_MULTILINE
        if needle.expression is None:
            text = needle.hint or _plain(needle.word)
            return [_Part(number, _to_the_end(text, often), flags, whole=False)]
        expression = needle.expression
        flags |= hs.HS_FLAG_ALLOWEMPTY | (hs.HS_FLAG_UTF8 if utf8 else 0)
        if expression.backtracks:
            text = _to_the_end(expression.whole, often)
            return [_Part(number, text, flags | hs.HS_FLAG_PREFILTER, whole=False)]
        parts = []
        if expression.line is not None:
            parts.append(_Part(number, _to_the_end(expression.line, often), flags, whole=False))
        if expression.line is None or (several and expression.crosses):
            parts.append(_Part(number, _to_the_end(expression.whole, often), flags, whole=True))
        return parts

    def _look_closer(self, part: _Part, there: Found, sight: Sight, columns: Columns, found: Found) -> None:
        """Look into each record by itself, since what was found may have begun in another."""
        text, key = sight.text, (part.needle, sight.utf8)
        if key not in self._single:
            expression = self._needles[part.needle].expression
            assert expression is not None
            self._single[key] = _database([_Part(0, expression.whole, part.flags, whole=True)])
        database = self._single[key]
        hits: list[int] = []

        def hit(_part: int, _start: int, end: int, _flags: int, _context: object) -> None:
            if end <= size:
                hits.append(end)

        for number in np.flatnonzero(there).tolist():
            start, end = span(columns, len(text), number)
            if number + 1 < len(columns) and text[end - 1] == LINE_FEED:
                end -= 1
            hits.clear()
            size = end - start
            database.scan(bytes(text[start:end]) + MARGIN, match_event_handler=hit)
            found[number] = bool(hits)


def _scan(database: hs.Database, text: memoryview | bytes, start: int, ends: list[list[int]]) -> None:
    """Add the ends of all finds, counted from `start` before the text."""
    add = [each.append for each in ends]

    def hit(part: int, _start: int, end: int, _flags: int, _context: object) -> None:
        add[part](start + end)

    database.scan(cast("bytes", text), match_event_handler=hit)


def _scan_end(database: hs.Database, text: memoryview, ends: list[list[int]]) -> None:
    """Look at the last lines once more, since a find at the very end may be lost; see `MARGIN`."""
    start = max(0, len(text) - LAST_LINES)
    tail = bytes(text[start:])
    if start and b"\n" not in tail:
        start, tail = 0, bytes(text)
        cut = tail.rfind(b"\n") + 1
    else:
        cut = tail.find(b"\n") + 1 if start else 0
    again: list[list[int]] = [[] for _ in ends]
    _scan(database, tail[cut:] + MARGIN, start + cut, again)
    for found, more in zip(ends, again, strict=True):
        found.extend(end for end in more if end <= len(text))


def mended(data: memoryview | bytes) -> bytes:
    """Return bytes in which each that is no part of UTF-8 text is a question mark; all keep their places."""
    return bytes(data).decode("utf-8", "surrogateescape").encode("utf-8", "replace")


def text_of(data: memoryview | bytes) -> str:
    """Return a record's text, a question mark for each byte that is no part of UTF-8 text."""
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError:
        return mended(data).decode()


def span(columns: Columns, size: int, number: int) -> tuple[int, int]:
    """Return where a record begins and ends in a piece of so many bytes."""
    start = int(columns.starts[number])
    return start, int(columns.starts[number + 1]) if number + 1 < len(columns) else size


def _database(parts: Sequence[_Part]) -> hs.Database:
    database = hs.Database(mode=hs.HS_MODE_BLOCK)
    database.compile(
        expressions=[part.text.encode() for part in parts],
        ids=list(range(len(parts))),
        elements=len(parts),
        flags=[part.flags for part in parts],
    )
    return database


def _to_the_end(text: str, often: bool) -> str:
    """Let what is found often end at the end of its line, so that it is found once a line."""
    return f"(?:{text})[^\\n]*$" if often else text


def _mark(found: Found, starts: NDArray[np.uint32], places: NDArray[np.int64]) -> None:
    """Mark the records that places lie in."""
    if not len(places):
        return
    records = np.searchsorted(starts, places.astype(np.uint32), "right") - 1
    found[records[records >= 0]] = True


def _places(
    piece: NDArray[np.uint8], low: NDArray[np.uint8], word: str, rooms: tuple[Found, Found]
) -> NDArray[np.int64]:
    """Return where an ASCII word begins, whatever the case.

    Args:
        piece: The bytes, uint8, shape (n,).
        low: The same with the bit set by which small letters differ from large ones.
        word: What to look for.
        rooms: Two arrays to work in, bool, shape (n,).
    """
    letters = word.lower().encode()
    room = len(piece) - len(letters) + 1
    if room <= 0:
        return np.empty(0, np.int64)
    order = sorted(range(len(letters)), key=lambda place: _rank(letters[place]))
    rows = [low if chr(letter).isalpha() else piece for letter in letters]
    first, *others = order[:_EITHER]
    there, here = (each[:room] for each in rooms)
    np.equal(rows[first][first : first + room], letters[first], out=there)
    for place in others:
        np.equal(rows[place][place : place + room], letters[place], out=here)
        np.logical_and(there, here, out=there)
    places = np.flatnonzero(there)
    for place in order[_EITHER:]:
        places = places[rows[place][places + place] == letters[place]]
    return places


def _plain(word: str) -> str:
    """Return an expression for a word, to be compiled without regard to the case of ASCII letters."""
    if not word.isascii():
        return any_case(word)
    return "".join(letter if letter.isalnum() else f"\\x{ord(letter):02x}" for letter in word)


def _rank(letter: int) -> int:
    """Return a small number for a rare byte."""
    place = _COMMON.find(letter)
    return 0 if place < 0 else len(_COMMON) - place
