"""The words that tell levels, looked up in many places at once: a word is a number of up to eight bytes.

Letters are told from what may stand around a level, not from all else: a word that runs on with another byte
is no level whatever that byte is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from cockpit.formats.levels import spoken
from cockpit.formats.piece import Places

Levels = NDArray[np.uint8]
Words = NDArray[np.uint64]

BITS = 11
"""Of a word's place in the table."""

_LOW = np.uint64(0x1F1F1F1F1F1F1F1F)
_PAST = np.uint64(0x0505050505050505)
_HIGH = np.uint64(0x4040404040404040)
_ONE, _SIX = np.uint64(1), np.uint64(6)
_SHIFT = np.uint64(64 - BITS)


def leading(words: Words) -> Words:
    """Return the letters that each word of eight bytes begins with, the rest as zeros.

    `@`, a grave accent and most bytes beyond ASCII are taken for letters.
    """
    past = ((words & _LOW) + _PAST) << _ONE
    past |= ~words
    past &= _HIGH
    past &= np.negative(past)  # the lowest byte that is none
    past >>= _SIX
    past -= _ONE
    past &= words
    return past


def spelled() -> dict[bytes, int]:
    """Return the words as they may be written, in capitals, small, or with one capital, and their levels."""
    words = {text.encode(): level for text, level in spoken().items()}
    return {form: level for word, level in words.items() for form in (word.upper(), word, word.capitalize())}


class Lexicon:
    """Words by their first eight letters.

    Args:
        words: What each means.
    """

    def __init__(self, words: Mapping[bytes, int]) -> None:
        heads = sorted({word[:8] for word in words})
        numbers = np.array([number_of(head) for head in heads], np.uint64)
        self._factor = _factor(numbers)
        places = (numbers * self._factor) >> _SHIFT
        self._numbers = np.ones(1 << BITS, np.uint64)  # which no word is
        self._levels = np.zeros(1 << BITS, np.int64)
        self._sizes = np.zeros(1 << BITS, np.int64)
        self._numbers[places] = numbers
        self._levels[places] = [words.get(head, 0) for head in heads]
        self._sizes[places] = [len(head) for head in heads]
        self._long = [
            (number_of(word[:8]), number_of(word[8:]), len(word), level)
            for word, level in words.items()
            if len(word) > 8
        ]

    def find(self, words: Words, more: Callable[[Places], Words]) -> tuple[Places, Places, Places]:
        """Return which of some words tell levels, their levels, and how many letters they have.

        Whatever follows the letters is not looked at.

        Args:
            words: The first eight bytes of each.
            more: Gives the next eight of those at some places.
        """
        numbers = leading(words)
        places = ((numbers * self._factor) >> _SHIFT).view(np.int64)
        found = np.flatnonzero(self._numbers[places] == numbers)
        places = places[found]
        levels, sizes = self._levels[places], self._sizes[places]
        long = np.flatnonzero(sizes == 8)
        if not len(long):
            return found, levels, sizes
        heads = words[found[long]]
        tails = leading(more(found[long]))
        for head, tail, size, level in self._long:
            these = long[(heads == head) & (tails == tail)]
            levels[these], sizes[these] = level, size
        told = np.flatnonzero(levels)
        return found[told], levels[told], sizes[told]


def number_of(word: bytes) -> int:
    """Return a word of up to eight bytes as a number, its first byte the lowest."""
    return int.from_bytes(word, "little")


def _factor(numbers: Words) -> np.uint64:
    """Return a factor that gives each of some numbers a place of its own in the table."""
    for factor in _factors():
        if len(set(((numbers * factor) >> _SHIFT).tolist())) == len(numbers):  # numpy's own imports numpy.ma
            return factor
    raise AssertionError


def _factors() -> Iterable[np.uint64]:
    factor = 1
    while True:
        factor = factor * 6364136223846793005 + 1442695040888963407 & 0xFFFFFFFFFFFFFFFF  # Knuth's MMIX
        yield np.uint64(factor | 1)
