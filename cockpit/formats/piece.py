"""A piece of a log as arrays: its bytes, where its lines begin and end, and numbers read from many places at once."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Places: TypeAlias = NDArray[np.int64]
"""Where something is in a piece, in bytes from its start; shape (lines,) or that of some of them."""
Mask: TypeAlias = NDArray[np.bool_]

LINE_FEED, QUOTE, BACKSLASH = 10, 34, 92
PADDING = 64
"""Line feeds kept before the first byte and after the last, so that what is looked at near either lies within."""

_ZEROS = np.uint64(0x3030303030303030)
_OVER_NINE = np.uint64(0x7676767676767676)
_HIGH = np.uint64(0x8080808080808080)
_ONES = np.uint64(0x0101010101010101)
_ONE = np.uint64(1)
_STOPS = [_ONES * np.uint64(stop) for stop in (LINE_FEED, QUOTE, BACKSLASH)]
_PAIRS = np.uint64(0x00FF00FF00FF00FF)
_QUADS = np.uint64(0x0000FFFF0000FFFF)
_OCTET = np.uint64(0xFFFFFFFF)


class Piece:
    """Whole lines of a log; the last may lack its line feed.

    Attributes:
        size: Bytes.
        bytes: uint8, shape (size + PADDING,).
        words: uint64, shape (size + PADDING - 7,): the eight bytes from each place on, the first the lowest.
        befores: uint64, shape (size + PADDING,): the eight bytes before each place, the last the highest.
        starts, ends: Where lines begin, and where their line feeds are; shape (lines,).
    """

    def __init__(self, data: memoryview | bytes) -> None:
        size = len(data)
        self.size = size
        self._padded = np.empty(PADDING + size + PADDING, np.uint8)
        self._padded[:PADDING] = LINE_FEED
        self._padded[PADDING : PADDING + size] = np.frombuffer(data, np.uint8)
        self._padded[PADDING + size :] = LINE_FEED
        self.bytes = self._padded[PADDING:]
        self.words = np.ndarray((size + PADDING - 7,), "<u8", self.bytes.data, strides=(1,))
        self.befores = np.ndarray((size + PADDING,), "<u8", self._padded.data, PADDING - 8, strides=(1,))
        self._quotes: Places | None = None
        feeds = self.places_of(bytes((LINE_FEED,)))
        if not size or self.bytes[size - 1] == LINE_FEED:
            feeds = feeds[:-1]  # what is after the last line is none
        self.ends: Places = feeds
        self.starts: Places = np.empty_like(feeds)
        if len(feeds):
            self.starts[0] = 0
            np.add(feeds[:-1], 1, out=self.starts[1:])

    def __len__(self) -> int:
        return len(self.starts)

    def places_of(self, members: bytes) -> Places:
        """Return the places of some bytes, and the place after the last byte: int64, rising."""
        text = self.bytes[: self.size]
        marks = np.empty((self.size | 7) + 1, np.bool_)
        marks[self.size :] = False
        marks[self.size] = True
        np.equal(text, members[0], out=marks[: self.size])
        for member in members[1:]:
            marks[: self.size] |= text == member
        return marked(marks)

    def quotes(self) -> Places:
        """Return the places of double quotes that no backslash precedes, and of line feeds; as `places_of`."""
        if self._quotes is None:
            places = self.places_of(b'"\n')
            escaped = np.flatnonzero(self.bytes[places - 1] == BACKSLASH)
            escaped = escaped[self.bytes[places[escaped]] == QUOTE]
            if len(escaped):  # of a run of backslashes, every other one takes away the next one's meaning
                backslashes = np.zeros(len(escaped), np.int64)
                left = np.arange(len(escaped))
                while len(left):
                    backslashes[left] += 1
                    before = places[escaped[left]] - backslashes[left] - 1
                    left = left[(before >= 0) & (self.bytes[before] == BACKSLASH)]
                kept = np.ones(len(places), np.bool_)
                kept[escaped[backslashes % 2 == 1]] = False
                places = places[kept]
            self._quotes = places
        return self._quotes

    def windows(self, places: Places, size: int) -> NDArray[np.uint8]:
        """Return so many bytes from each of some places on, which may lie in the padding: shape (n * size,)."""
        count = len(self._padded) - size + 1
        windows = np.ndarray((count,), f"V{size}", self._padded.data, strides=(1,))
        return windows[places + PADDING].view(np.uint8)

    def wide_words(self, places: Places, count: int) -> NDArray[np.uint64]:
        """Return so many words of eight bytes from each of some places on, the first byte the lowest: (n, count)."""
        return self.windows(places, 8 * count).view("<u8").reshape(-1, count)

    def line(self, number: int) -> bytes:
        """Return a line's bytes."""
        return self.bytes[self.starts[number] : self.ends[number]].tobytes()

    def text(self, number: int) -> str:
        """Return a line as text; bytes that are no UTF-8 become surrogates."""
        return self.line(number).decode("utf-8", "surrogateescape")

    def text_run(self, places: Places) -> tuple[Places, NDArray[np.uint8]]:
        """Return how many bytes before a quote, a backslash or a line feed, up to eight, and the byte there."""
        words = self.words[places]
        stops = np.zeros(len(words), np.uint64)
        for pattern in _STOPS:
            marks = words ^ pattern
            stops |= (marks - _ONES) & ~marks
        stops &= _HIGH
        count = np.bitwise_count((stops & (~stops + np.uint64(1))) - np.uint64(1)).astype(np.int64) >> 3
        return count, self.bytes[places + count]

    def digits(self, places: Places) -> tuple[Places, NDArray[np.uint64]]:
        """Return how many digits stand at each place, up to eight, and the number that they are."""
        marks = self.words[places] ^ _ZEROS
        count = _digits(marks)
        half = (32 - 4 * count).astype(np.uint64)
        value = (marks << half) << half
        value = (value * np.uint64(10) + (value >> np.uint64(8))) & _PAIRS
        value = (value * np.uint64(100) + (value >> np.uint64(16))) & _QUADS
        value = (value * np.uint64(10_000) + (value >> np.uint64(32))) & _OCTET
        return count, value

    def count_digits(self, places: Places) -> Places:
        """Return how many digits stand at each place, up to eight."""
        return _digits(self.words[places] ^ _ZEROS)

    def number(self, places: Places) -> tuple[Places, NDArray[np.uint64]]:
        """Return how many digits stand at each place, and the number that they are: right up to 19 digits.

        Of more than 19 digits at least 20 are counted, and the number is none.
        """
        count, value = self.digits(places)
        long = np.flatnonzero(count == 8)
        while len(long) and count[long[0]] < 24:
            more, number = self.digits(np.minimum(places[long] + count[long], self.size))
            value[long] = value[long] * _TENS[more] + number
            count[long] += more
            long = long[more == 8]
        return count, value


def _digits(marks: NDArray[np.uint64]) -> Places:
    """Return how many bytes of each word are at most nine, the lowest first."""
    others = ((marks + _OVER_NINE) | marks) & _HIGH
    lowest = others & np.negative(others)
    count: Places = np.bitwise_count(lowest - _ONE).astype(np.int64) >> 3
    return count


def marked(marks: Mask) -> Places:
    """Return where marks are, as `np.flatnonzero` does: in half the time where few are.

    Args:
        marks: Shape (n,), of which eight is a divisor.
    """
    words = marks.view(np.uint64)
    some = np.flatnonzero(words != 0)
    if len(some) > len(words) // 8:
        return np.flatnonzero(marks)
    found, left = [], words[some]
    while len(some):
        lowest = left & np.negative(left)
        found.append((some << 3) + (np.bitwise_count(lowest - _ONE) >> 3))
        left ^= lowest
        more = np.flatnonzero(left != 0)
        some, left = some[more], left[more]
    return found[0] if len(found) == 1 else np.sort(np.concatenate((*found, some)))


_TENS = np.array([10**power for power in range(9)], np.uint64)
