"""Looks for levels in many records at once, as `find_level` does in one.

Where a level may begin is found with a few passes over all bytes: at three capitals, after what opens or names
one, and before what closes one. The words there are then read as 64-bit numbers and looked up.
"""

from __future__ import annotations

import string

import numpy as np
from numpy.typing import NDArray

from cockpit.formats.levels import BOUNDS, CLOSING, KEYS, NAMED, OPENING, WINDOW, spoken
from cockpit.formats.piece import BLOCK, Mask, Piece, Places

Levels = NDArray[np.uint8]
_Words = NDArray[np.uint64]

_LOW = np.uint64(0x7F7F7F7F7F7F7F7F)
_HIGH = np.uint64(0x8080808080808080)
_CASE = np.uint64(0x2020202020202020)
_FROM_A = np.uint64(0x1F1F1F1F1F1F1F1F)
_PAST_Z = np.uint64(0x0505050505050505)
_ONE = np.uint64(1)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_FEED = np.array([10], np.uint8)

EQUALS = 61


def _table(members: bytes) -> Mask:
    table = np.zeros(256, np.bool_)
    table[list(members)] = True
    return table


_LETTER = _table(string.ascii_letters.encode())
_BOUND, _OPEN, _CLOSE, _QUOTE = _table(BOUNDS), _table(OPENING), _table(CLOSING), _table(b"\"'")
_WORDS = {word.encode(): level for word, level in spoken().items()}
_SHORT = sorted(
    (int.from_bytes(word[:8].ljust(8, b"\0"), "little"), level)
    for word, level in _WORDS.items()
    if len(word) <= 8
)
_NUMBERS = np.array([number for number, _ in _SHORT], np.uint64)
_LEVELS = np.array([level for _, level in _SHORT], np.uint8)
_LONG = [(word, level) for word, level in _WORDS.items() if len(word) > 8]
_LONG_STARTS = np.array([int.from_bytes(word[:8], "little") for word, _ in _LONG], np.uint64)


def find_levels(piece: Piece, places: Places, ends: Places) -> Levels:
    """Return the levels that records tell in words.

    Args:
        piece: The piece.
        places: int64, shape (n,), rising: where the records' texts begin.
        ends: Where their first lines end.
    """
    levels = np.zeros(len(places), np.uint8)
    if not len(places):
        return levels
    begun = _candidates(piece)
    lengths, found = _read(piece, begun)
    hits = np.flatnonzero(found)
    begun, lengths, found = begun[hits], lengths[hits], found[hits]
    row = np.searchsorted(places, begun, "right") - 1
    fits = (row >= 0) & (begun + lengths <= np.minimum(places + WINDOW, ends)[row])
    row, found = row[fits], found[fits]
    firsts = np.flatnonzero(np.diff(row, prepend=-1))
    levels[row[firsts]] = found[firsts]
    return levels


def _candidates(piece: Piece) -> Places:
    """Return where words begin that may be levels: int64, rising, some twice."""
    begun, ended = [], []
    for start in range(0, piece.size, BLOCK):
        stop = min(start + BLOCK, piece.size)
        data = piece.bytes[start - 1 : stop + 2] if start else np.append(_FEED, piece.bytes[: stop + 2])
        begins, ends = _marks(data)
        begun.append(np.flatnonzero(begins) + start)
        ended.append(np.flatnonzero(ends) + start)
    if not begun:
        return np.empty(0, np.int64)
    return np.sort(np.concatenate((*begun, _word_starts(piece, np.concatenate(ended)))), kind="stable")


def _marks(data: NDArray[np.uint8]) -> tuple[Mask, Mask]:
    """Return which bytes may begin a level, and which close a word, of all but the first and the last two."""
    capital = (data - np.uint8(65)) < 26
    letter = ((data | np.uint8(32)) - np.uint8(97)) < 26
    begins = capital[1:-2] & capital[2:-1]
    begins &= capital[3:]
    np.greater(begins, capital[:-3], out=begins)
    before = data[:-3]
    opened = before == OPENING[0]
    for opening in OPENING[1:]:
        opened |= before == opening
    opened &= letter[1:-2]
    begins |= opened
    equals = np.flatnonzero(data[1:-2] == EQUALS)
    equals += _QUOTE[data[equals + 2]]  # a quoted word begins one later
    begins[equals[equals + 1 < len(begins)] + 1] = True
    here = data[1:-2]
    ends = here == CLOSING[0]
    for closing in CLOSING[1:]:
        ends |= here == closing
    ends &= letter[:-3]
    return begins, ends


def _word_starts(piece: Piece, ends: Places) -> Places:
    """Return where the words that end at these places begin; of long ones, the place 16 bytes before."""
    starts = ends
    rows = np.arange(len(ends))
    for _ in range(2):
        at = starts[rows] - 8
        window = piece.words[np.maximum(at, 0)]
        short = np.maximum(-at, 0).astype(np.uint64) * np.uint64(8)
        window = np.where(at < 0, (window << (short >> _ONE)) << (short - (short >> _ONE)), window)
        count = _letters(window.byteswap())
        starts = starts.copy()
        starts[rows] -= count
        rows = rows[count == 8]
    return starts


def _letters(words: _Words) -> Places:
    """Return how many letters each word of eight bytes begins with."""
    low = (words | _CASE) & _LOW
    letter = (low + _FROM_A) & ~(low + _PAST_Z) & ~words & _HIGH
    other = ~letter & _HIGH
    lowest = other & (~other + _ONE)
    return np.bitwise_count(lowest - _ONE).astype(np.int64) >> 3


def _read(piece: Piece, begun: Places) -> tuple[Places, Levels]:
    """Return how long the words at these places are, and which levels they tell; 0 for none."""
    data = piece.bytes
    words = piece.words[begun]
    lengths = _letters(words)
    mask = _ALL >> (np.uint64(64) - np.maximum(lengths, 1).astype(np.uint64) * np.uint64(8))
    number = (words | _CASE) & mask
    place = np.minimum(np.searchsorted(_NUMBERS, number), len(_NUMBERS) - 1)
    levels = np.where(_NUMBERS[place] == number, _LEVELS[place], 0).astype(np.uint8)
    case = words & _CASE & mask
    longer = np.flatnonzero(lengths == 8)
    longer = longer[_LETTER[data[begun[longer] + 8]]]
    levels[longer] = 0
    longer = longer[np.isin(number[longer], _LONG_STARTS)]
    for row in longer.tolist():
        levels[row], lengths[row], case[row] = _read_long(data[begun[row] : begun[row] + 17].tobytes())
        mask[row] = _ALL
    hits = np.flatnonzero(levels)
    at, after = begun[hits], data[begun[hits] + lengths[hits]]
    before = np.where(at > 0, data[at - 1], 10)
    every = _CASE & mask[hits]
    capitals = case[hits] == 0
    small = (case[hits] == every) | (case[hits] == (every & ~np.uint64(0xFF)))
    bounded, ended = _BOUND[before], _BOUND[after]
    told = (capitals & bounded & ended) | (small & ((_OPEN[before] & ended) | (bounded & _CLOSE[after])))
    named = np.flatnonzero(~told & ended & (capitals | small) & ((before == 61) | _QUOTE[before]))
    for row in named.tolist():
        told[row] = _is_named(data[max(at[row] - NAMED, 0) : at[row]].tobytes())
    levels[hits[~told]] = 0
    return lengths, levels


def _read_long(text: bytes) -> tuple[int, int, int]:
    """Return the level, length and case bits of a word of eight letters or more that a text begins with."""
    for word, level in _LONG:
        size = len(word)
        if text[:size].lower() == word and not text[size : size + 1].isalpha():
            every = int(_CASE)
            if text[:size].isupper():
                return level, size, 0
            if text[1:size].islower():
                return level, size, every if text[:1].islower() else every & ~0xFF
    return 0, 8, 0


def _is_named(text: bytes) -> bool:
    """Tell whether a text ends with what names a level, such as `level=`."""
    text = text[:-1] if text[-1:] in (b'"', b"'") else text
    return any(
        text.endswith(key) and (len(text) == len(key) or text[-len(key) - 1] in BOUNDS) for key in KEYS
    )
