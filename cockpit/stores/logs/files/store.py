"""Log files as a store: opens them, and is told by the process apart what is in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from cockpit.errors import CockpitError
from cockpit.formats.declaration import Declaration
from cockpit.stores.logs.files.beginning import Beginning, Opener
from cockpit.stores.logs.files.chunk import EMPTY_CHUNK
from cockpit.stores.logs.files.counts import NONE, ChunkHistogram
from cockpit.stores.logs.files.logs import SAMPLE, Known
from cockpit.stores.logs.files.numbering import Numbering
from cockpit.stores.logs.files.opened import LogBytes, open_again
from cockpit.stores.logs.files.opening import LIMIT, is_pipe, open_here
from cockpit.stores.logs.files.records import FileRecords
from cockpit.stores.logs.files.rotated import rotate, settle
from cockpit.stores.logs.files.wire import (
    Added,
    Closed,
    Dropped,
    Emptied,
    Found,
    Older,
    Read,
    Sampled,
    Searched,
    Sought,
    Tail,
    Told,
    Trouble,
)


class FileStore(FileRecords):
    """Log files, read from their end; `told` brings what the process apart found."""

    def __init__(
        self,
        paths: Sequence[str],
        *,
        folder: Path | None = None,
        limit: int = LIMIT,
        formats: Sequence[Declaration] = (),
        zone: str = "",
    ) -> None:
        """Open files and read their last records; what is compressed or a pipe comes later.

        Args:
            paths: Files, compressed files and pipes.
            folder: Where spools of the latter are kept; None for the system's place for such files.
            limit: Bytes that each may take on the disk, compressed.
            formats: Formats that the operator declared.
            zone: Of times that tell none; empty for this machine's.

        Raises:
            CockpitError: One can't be read.
        """
        super().__init__(paths)
        self._folder = folder
        self.declared, self.zone = tuple(formats), zone
        self._limit = limit
        self._streams: dict[str, LogBytes] = {}
        """By path, the spools of pipes: what was read of a pipe does not come again."""
        self._begin(self._first_opened(self.opener()))

    def opener(self) -> Opener:
        """Return what opens the files."""
        return Opener(self.declared, self.zone, self._log_of)

    def _first_opened(self, opener: Opener) -> Beginning:
        return opener.open(self.paths)

    # What the process tells.

    def told(self, messages: Sequence[Told]) -> None:
        """Take over what was found; what could not be read is tried again."""
        self._cache.retry()
        self._settle()
        for message in messages:
            match message:
                case Older():
                    entry = self.chunks.add_older(message.chunk)
                    self.histogram.put(entry.number, message.chunk.counts)
                case Tail():
                    self._grow(message)
                case Closed():
                    closed = self.chunks.tail.number
                    self._forget_from(self.chunks.tail.first)
                    self._cache.closed(closed, message.chunk, message.tail)
                    self.chunks.close(message.chunk, message.tail)
                    self.histogram.put(closed, message.chunk.counts)
                    self.histogram.put(closed + 1, message.tail.counts)
                case Dropped():
                    self._drop(message)
                case Found():
                    self._keep_places(message)
                    for view in self.views:
                        view(message)
                case Sought():
                    self._answer(message)
                case Read():
                    self.left, self.total = message.left, message.total
                case Added():
                    self._join(message)
                case Sampled():
                    self._sample(message)
                case Emptied():
                    self._empty()
                case Trouble():
                    self._trouble(message)
        self.touched()
        if self._to_be_seen(messages):
            self.news(any(isinstance(message, Searched) for message in messages))

    def _to_be_seen(self, messages: Sequence[Told]) -> bool:
        return not all(isinstance(each, Older) or (isinstance(each, Read) and self.left) for each in messages)

    def begin_again(self, begun: Beginning) -> None:
        """Forget everything but what was opened anew, as after a loss of who reads the rest."""
        before = self.logs
        self._cache.end()
        self._begin(begun)
        for log in before.opened:
            if log not in self._streams.values():
                log.close()
        self._moves.append((self.version + 1, -(1 << 62)))
        self._void()
        self.touched()

    def close(self) -> None:
        """Close the files."""
        self._cache.end()
        self.logs.close()

    def _grow(self, message: Tail) -> None:
        tail = self.chunks.tail
        self.histogram.put(tail.number, message.chunk.counts)
        if message.moved < tail.chunk.count:
            self._moves.append((self.version + 1, tail.first + message.moved))
        self._forget_from(tail.first + message.moved)
        tail.chunk = message.chunk
        self._cache.grown(tail)

    def _drop(self, message: Dropped) -> None:
        for entry in self.chunks.drop(message.number):
            self.histogram.put(entry.number, NONE)
            self._cache.drop(entry.number)
            self._sparse.pop(entry.number, None)
        for known in [known for known in self._records if known < self.first]:
            del self._records[known]
        for view in self.views:
            view(message)

    def _forget_from(self, number: int) -> None:
        for known in [known for known in self._records if known >= number]:
            del self._records[known]

    def _join(self, message: Added) -> None:
        known = [log.path for log in self.logs.opened].index(message.path)
        self.names.append(self.names[known])
        self.places.append(self.places[known])
        logs = self.logs
        logs.hold(message.path, known)
        rotate(logs.opened, message.path)

        def opened() -> Known:
            log = open_again(message.path, message.identity)
            return log, *logs.told(log, SAMPLE)

        self._open(message.number, opened)

    def _sample(self, message: Sampled) -> None:
        logs, log = self.logs, self.logs.opened[message.number]

        def told() -> Known:
            log.look()
            return log, *logs.told(log, message.size)

        self._open(message.number, told)

    def _open(self, number: int, work: Callable[[], Known]) -> None:
        """Open a log, or tell its format anew, which waits for a disk."""
        try:
            self.logs.put(number, *work())
        except CockpitError as error:
            self.troubles[number] = str(error)

    def _settle(self) -> None:
        """Close rotated logs that need not be open."""
        settle(self.logs.opened)

    def _log_of(self, path: str, again: bool) -> LogBytes:
        if path not in self._streams:
            log = open_here(path, self._folder, limit=self._limit, pipes=not again)
            if not is_pipe(path):
                return log
            self._streams[path] = log
        self._streams[path].look()
        return self._streams[path]

    def _empty(self) -> None:
        self._cache.clear()
        self._sparse.clear()
        self._records.clear()
        self._awaited.clear()
        self.chunks = Numbering(EMPTY_CHUNK)
        self.histogram = ChunkHistogram()
        self._moves.append((self.version + 1, -(1 << 62)))
        self._void()

    def _keep_places(self, found: Found) -> None:
        if found.places:
            self._sparse[found.number] = found
        else:
            self._sparse.pop(found.number, None)

    def _void(self) -> None:
        if (answered := self.answered) is not None:
            self.answered = None
            answered(None)
        for view in self.views:
            view(None)

    def _answer(self, message: Sought) -> None:
        if message.serial != self._question or (answered := self.answered) is None:
            return
        self.answered = None
        there = message.row >= 0 and message.number in self.chunks
        answered(self.chunks.chunk(message.number).first + message.row if there else None)

    def _trouble(self, message: Trouble) -> None:
        if message.text:
            self.troubles[message.number] = message.text
        else:
            self.troubles.pop(message.number, None)
