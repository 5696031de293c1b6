"""Identifiers that sort by the time they were made.

ULID: 48 bits of milliseconds since the epoch and 80 random bits, as 26 characters of Crockford's base 32; within one
millisecond the random part counts up, so that one maker's identifiers always ascend.
Source: https://github.com/ulid/spec
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 26
_RANDOM_BITS = 80


class Ulids:
    """Makes ULIDs, each greater than the one before, also when the clock stands still or goes back."""

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        self._last = -1
        self._lock = threading.Lock()

    def new(self) -> str:
        """Return the next ULID."""
        milliseconds = self._clock() // 1_000_000
        with self._lock:
            if milliseconds > self._last >> _RANDOM_BITS:
                self._last = milliseconds << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
            else:
                self._last += 1
            return _encode(self._last)


def _encode(number: int) -> str:
    return "".join(ALPHABET[number >> shift & 31] for shift in range(5 * (LENGTH - 1), -1, -5))
