"""What waits to be shown of a shell: little, so that whoever prints waits for whoever looks."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from cockpit.term.cable import READ

AHEAD = 4
"""Pieces that wait at most."""


class Shown:
    """Pieces of output between the executor, which follows the shell, and the terminal that shows it.

    Attributes:
        closed: Whether nobody looks any more; then everything is dropped.
    """

    def __init__(self) -> None:
        self.closed = False
        self._pieces: deque[bytes] = deque()
        self._ended = False
        self._moved = asyncio.Event()
        self._room = asyncio.Event()

    async def put(self, data: bytes) -> None:
        """Have something shown; waits while much is waiting."""
        for start in range(0, len(data), READ):
            while len(self._pieces) >= AHEAD and not self.closed:
                self._room.clear()
                await self._room.wait()
            if self.closed:
                return
            self._pieces.append(data[start : start + READ])
            self._moved.set()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield them, at most `READ` bytes at once, until the end. For one reader."""
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self._room.set()
                yield piece
            if self._ended or self.closed:
                return
            self._moved.clear()
            await self._moved.wait()

    def end(self) -> None:
        """Say that nothing more comes."""
        self._ended = True
        self._moved.set()

    def close(self) -> None:
        """Say that nobody looks any more."""
        self.closed = True
        self._pieces.clear()
        self._room.set()
        self._moved.set()
