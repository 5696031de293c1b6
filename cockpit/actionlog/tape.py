"""A recording that is played: when its pieces came, and the pieces as they are due, read as they are needed."""

from __future__ import annotations

from collections import deque

from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import Action
from cockpit.actionlog.replay import Due, Player
from cockpit.moments import moment

SHOWN = 512 * 1024
"""Bytes before the moment that is gone to that are shown: more than a screen keeps."""


class Tape:
    """What an action printed; blocks while it reads.

    Args:
        reader: Reads the log.
        action: The action.
    """

    def __init__(self, reader: ActionReader, action: Action) -> None:
        self._reader = reader
        self._action = action
        self._begin()

    def _begin(self) -> None:
        self._pieces = self._reader.output(self._action.id)
        self._next = 0

    def player(self) -> Player | None:
        """Return a player that stands at the action's beginning; None where nothing is kept.

        Raises:
            ActionLogError: The log can't be read.
        """
        times = [chunk.at for chunk in self._reader.output(self._action.id)]
        if not times:
            return None
        end = self._action.ended_at
        return Player([moment(self._action.started_at, 0), *times], end=moment(end, 0) if end else None)

    def read(self, due: Due) -> bytes:
        """Return what is due, of much only the end; the first piece of a replay is its beginning, and holds nothing.

        Raises:
            ActionLogError: The log can't be read.
        """
        if due.afresh:
            self._begin()
        kept: deque[bytes] = deque()
        size = 0
        while self._next < due.stop - 1:
            data = next(self._pieces).data
            self._next += 1
            kept.append(data)
            size += len(data)
            while size - len(kept[0]) > SHOWN:
                size -= len(kept.popleft())
        return b"".join(kept)
