"""Looks for levels in many records at once, as `find_level` does in one.

A level is set off by a byte before or after it, or stands in capitals. So the texts are looked through for such
bytes beside letters, and for three capitals; the words there are read as numbers and looked up. Most texts tell
their level early: all are looked at a little, and those that told none a little more. Where few tell any, the
words themselves are looked for.
"""

from __future__ import annotations

import string

import numpy as np
from numpy.typing import NDArray

from cockpit.formats.level_scan import spoken_words
from cockpit.formats.level_words import Levels, Lexicon, number_of, spelled
from cockpit.formats.levels import BOUNDS, CLOSING, KEYS, NAMED, OPENING, WINDOW, find_level
from cockpit.formats.piece import Mask, Piece, Places, marked

Bytes = NDArray[np.uint8]

LOOK = 32
"""Bytes of each text that are looked at in one go: whole words of eight."""
STEP = LOOK - 3
"""A byte more is needed before, and two after."""
LARGE = 1 << 18
"""Bytes of texts worth a scan for words, for which hyperscan is loaded."""
ALONE = 48
"""Texts that are looked through one by one in the time that a look at them together takes."""
SAMPLED = 64
"""One of so many texts is looked at to tell whether a scan is worth its while."""
FEW = 8
"""It is if at most one of so many texts tells a level early, and as many words are found then."""
NONE = 1 << 16
"""What stands for no level: it comes after all others."""

EQUALS = ord("=")


def _table(members: bytes) -> Mask:
    table = np.zeros(256, np.bool_)
    table[list(members)] = True
    return table


_CAPITAL = _table(string.ascii_uppercase.encode())
_BOUND, _OPEN, _CLOSE, _QUOTE = _table(BOUNDS), _table(OPENING), _table(CLOSING), _table(b"\"'")
_NAMING = _table(bytes({key[-2] for key in KEYS}))
_FORWARDS = Lexicon(spelled())
_BACKWARDS = Lexicon({word[::-1]: level for word, level in spelled().items()})
_KEYS = [(len(key), np.uint64(number_of(key[:-1])), np.uint64(72 - 8 * len(key))) for key in KEYS]


def find_levels(piece: Piece, places: Places, ends: Places) -> Levels:
    """Return the levels that records tell in words.

    Args:
        piece: The piece.
        places: int64, shape (n,), rising: where the records' texts begin.
        ends: Where their first lines end.
    """
    search = _Search(piece, places, np.minimum(places + WINDOW, ends))
    rows, at = np.arange(len(places)), places - 2
    if (search.ends - places).sum() >= LARGE and search.is_seldom(rows[::SAMPLED], at[::SAMPLED]):
        words = spoken_words(piece, len(places) // FEW)
        if words is not None:
            search.check(*words)
            return search.first.astype(np.uint8)
    while len(rows) > ALONE:
        search.look(rows, at)
        at = at + STEP
        left = (search.first[rows] == NONE) & (at < search.ends[rows])
        rows, at = rows[left], at[left]
    levels: Levels = search.first.astype(np.uint8)
    for row in rows.tolist():
        place, begin = int(places[row]), max(0, int(places[row]) - NAMED)
        levels[row] = find_level(piece.bytes[begin : ends[row]].tobytes(), place - begin)
    return levels


class _Search:
    """What was found in some texts.

    Attributes:
        ends: Where they end.
        first: Of each text, where the first word that tells a level begins in it, times 256, and the level.
    """

    def __init__(self, piece: Piece, places: Places, ends: Places) -> None:
        self.piece, self.places, self.ends = piece, places, ends
        self.first = np.full(len(places), NONE)

    def is_seldom(self, rows: Places, at: Places) -> bool:
        """Look at some texts, and tell whether few of them tell a level early."""
        self.look(rows, at)
        return int(np.count_nonzero(self.first[rows] != NONE)) * FEW < len(rows)

    def look(self, rows: Places, at: Places) -> None:
        """Take the words that begin or end a little after these places, and maybe some beyond."""
        begins, ends = _marks(self.piece.windows(at, LOOK))
        which, places = _where(begins, at)
        self._begun(rows[which], places)
        which, places = _where(ends, at)
        rows, kinds = rows[which], self.piece.bytes[places]
        closing = np.flatnonzero(_CLOSE.take(kinds))
        self._ended(rows[closing], places[closing])
        named = np.flatnonzero(kinds == EQUALS)
        named = named[_NAMING.take(self.piece.bytes[places[named] - 1])]
        if len(named):
            self._named(rows[named], places[named])

    def check(self, begun: Places, ends: Places) -> None:
        """Take words, if they tell levels.

        Args:
            begun: Where they begin, in any text or in none.
            ends: Where they end.
        """
        rows = np.searchsorted(self.places, begun, "right") - 1
        within = rows >= 0
        rows, begun, ends = rows[within], begun[within], ends[within]
        data = self.piece.bytes
        self._begun(rows, begun)
        closed = _CLOSE.take(data[ends])
        self._ended(rows[closed], ends[closed])
        places = begun - 1 - _QUOTE.take(data[begun - 1])
        named = data[places] == EQUALS
        self._named(rows[named], places[named])

    def _ended(self, rows: Places, ends: Places) -> None:
        """Take the words before some places, if they tell levels."""
        data, words = self.piece.bytes, self.piece.befores
        found, levels, sizes = _BACKWARDS.find(
            words[ends].byteswap(), lambda which: words[ends[which] - 8].byteswap()
        )
        rows, ends = rows[found], ends[found]
        begun = ends - sizes
        self._take(rows, begun, ends, levels, _BOUND.take(data[begun - 1]))

    def _begun(self, rows: Places, begun: Places) -> None:
        """Take the words at some places, if they tell levels."""
        found, levels, ends = self._words(begun)
        rows, begun = rows[found], begun[found]
        before = self.piece.bytes[begun - 1]
        told = _BOUND.take(before) & _CAPITAL.take(self.piece.bytes[begun + 1])
        told |= _OPEN.take(before)
        self._take(rows, begun, ends, levels, told & _BOUND.take(self.piece.bytes[ends]))

    def _named(self, rows: Places, places: Places) -> None:
        """Take the words after these equals signs, with a quote before them or none, if something names a level."""
        data = self.piece.bytes
        named = np.zeros(len(places), np.bool_)
        words = self.piece.befores[places]
        for size, number, shift in _KEYS:
            named |= ((words >> shift) == number) & _BOUND.take(data[places - size])
        rows, begun = rows[named], places[named] + 1
        begun += _QUOTE.take(data[begun])
        found, levels, ends = self._words(begun)
        self._take(rows[found], begun[found], ends, levels, _BOUND.take(data[ends]))

    def _words(self, begun: Places) -> tuple[Places, Places, Places]:
        """Return which places have words that mean levels, their levels, and where they end."""
        words = self.piece.words
        found, levels, sizes = _FORWARDS.find(words[begun], lambda which: words[begun[which] + 8])
        return found, levels, begun[found] + sizes

    def _take(self, rows: Places, begun: Places, ends: Places, levels: Places, told: Mask) -> None:
        """Take words that are told as levels, where they lie within their texts."""
        told &= ends <= self.ends[rows]
        begun = begun - self.places[rows]
        told &= begun >= 0
        np.minimum.at(self.first, rows, np.where(told, (begun << 8) | levels, NONE))


def _marks(text: Bytes) -> tuple[Mask, Mask]:
    """Return where words may begin that are set off or in capitals, and which bytes may set off a word before them.

    The first byte and the last two are left out. Words begin after all of `[{|(<,8`, and where three capitals do;
    what follows them are all of `]}:;<=>|`, and some bytes that are in no text.
    """
    begun, ended = np.zeros(len(text), np.bool_), np.zeros(len(text), np.bool_)
    begins, ends = begun[1:-2], ended[1:-2]
    small = text | ord(" ")  # of letters, and of `[` and `]`, which become `{` and `}`
    letter = small - ord("a") < 26
    capital = text - ord("A") < 26
    np.bitwise_and(capital[1:-2], capital[2:-1], out=begins)
    begins &= capital[3:]
    np.greater(begins, capital[:-3], out=begins)
    opens = small - ord("{") < 2
    opens |= text & (0xFF ^ ord("(") ^ ord("<")) == ord("(")
    opens[:-3] &= letter[1:-2]
    begins |= opens[:-3]
    closes = small - ord(":") < 5
    closes |= small | 1 == ord("}")
    np.bitwise_and(closes[1:-2], letter[:-3], out=ends)
    return begun, ended


def _where(marks: Mask, at: Places) -> tuple[Places, Places]:
    """Return in which texts and where marks are that were made of what is looked at of each."""
    places = marked(marks)
    which = places // LOOK
    places %= LOOK
    places += at[which]
    return which, places
