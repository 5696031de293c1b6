"""Numbers in an array that grows and shrinks at both ends, at a cost of what is added or taken away."""

from __future__ import annotations

from array import array
from collections.abc import Sequence


class BothEnds:
    """A sequence of 64-bit numbers; `bisect` works on it where they rise."""

    def __init__(self, code: str = "q") -> None:
        """Begin without any.

        Args:
            code: What an `array` calls the numbers' type.
        """
        self._left: array[int] = array(code)
        """From the middle to the beginning."""
        self._right: array[int] = array(code)

    def __len__(self) -> int:
        return len(self._left) + len(self._right)

    def __getitem__(self, place: int) -> int:
        """Return the number at a place, from 0."""
        left = len(self._left)
        return self._left[left - 1 - place] if place < left else self._right[place - left]

    def add_before(self, numbers: Sequence[int]) -> None:
        """Put numbers, in their order, before all others."""
        self._left.extend(reversed(numbers))

    def add_after(self, numbers: Sequence[int]) -> None:
        """Put numbers after all others."""
        self._right.extend(numbers)

    def take_first(self, count: int) -> Sequence[int]:
        """Take numbers away from the beginning and return them, in no order."""
        of_left = min(count, len(self._left))
        place = len(self._left) - of_left
        gone = self._left[place:] + self._right[: count - of_left]
        del self._left[place:], self._right[: count - of_left]
        return gone

    def take_from(self, place: int) -> Sequence[int]:
        """Take away all from a place on and return them, in no order."""
        left = len(self._left)
        of_left = max(0, left - place)
        gone = self._left[:of_left] + self._right[max(0, place - left) :]
        del self._left[:of_left], self._right[max(0, place - left) :]
        return gone
