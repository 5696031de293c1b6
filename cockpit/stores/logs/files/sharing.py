"""A search that goes on for a while, shared with another core."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec

from cockpit.stores.logs.files.twin import Twin, cores
from cockpit.stores.logs.files.wire import Told

MANY = 32
"""Chunks left to search from which that is worth another process."""
SOON = 0.02
"""Seconds after which a search has another process: letters that are typed begin one each."""
BATCH = 4
"""Chunks that are given away at a time."""
GIVEN = 2
"""Batches that the other process has at a time: one that it searches, and one that is next."""

_TOLD = msgspec.msgpack.Decoder(list[Told])
_NUMBERS = msgspec.msgpack.Decoder(list[int])


class Sharing:
    """Another process that searches chunks as this one would. `end` it when all is searched."""

    def __init__(self, search: Callable[[int], list[Told]]) -> None:
        """Start it.

        Args:
            search: Searches a chunk.

        Raises:
            OSError: It can't be had.
        """

        def answer(question: bytes) -> bytes:
            numbers = _NUMBERS.decode(question)
            return msgspec.msgpack.encode([told for number in numbers for told in search(number)])

        self._twin = Twin(answer)
        self._given: deque[list[int]] = deque()

    @property
    def busy(self) -> bool:
        """Whether it has yet to answer."""
        return bool(self._given)

    def give(self, todo: deque[int]) -> None:
        """Give it enough to do; what it was lost with comes back."""
        if not self._twin.alive:
            for batch in self._given:
                todo.extendleft(reversed(batch))
            self._given.clear()
            return
        while todo and len(self._given) < GIVEN:
            batch = [todo.popleft() for _ in range(min(BATCH, len(todo)))]
            self._given.append(batch)
            self._twin.ask(msgspec.msgpack.encode(batch))

    def heard(self, *, wait: bool) -> list[Told]:
        """Return what it has found meanwhile.

        Args:
            wait: Whether to wait for it where nothing is here.
        """
        told: list[Told] = []
        for answer in self._twin.answers(wait=wait):
            self._given.popleft()
            told += _TOLD.decode(answer)
        return told

    def end(self) -> None:
        """End it."""
        self._twin.end()


def shared(search: Callable[[int], list[Told]]) -> Sharing | None:
    """Share a search; None where there is no other core, or no process to be had."""
    if cores() < 2:
        return None
    try:
        return Sharing(search)
    except OSError:
        return None
