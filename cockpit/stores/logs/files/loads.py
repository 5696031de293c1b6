"""The process that loads chunks for the screen: `python -m cockpit.stores.logs.files.loads`.

It reads the very files that the screen has open, by their descriptors, one chunk at a time as it is asked for, and
ends when its input does. A thread would take the interpreter's lock from the screen, above all where cores are few.
"""

from __future__ import annotations

import os
import threading
import time
from typing import BinaryIO

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from cockpit.errors import CockpitError
from cockpit.formats.declaration import Declaration
from cockpit.ours import served
from cockpit.stores.logs.files.chunk import Rows, Summary
from cockpit.stores.logs.files.loading import Loaded, load, lost
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.opened import NOWHERE, LogBytes, MissingLog, OpenedLog, open_again
from cockpit.stores.logs.files.pieces import Piece
from cockpit.stores.logs.files.rotated import GoneLog
from cockpit.stores.logs.files.wire import LENGTH

BUDGET = 16 << 20
"""Bytes of packed columns remembered: what is looked at is in one chunk or two."""
NICE = 5
"""Keys come first where cores are few, and then what somebody looks at: others give way to this."""
WAITS = 1.0
"""Seconds after which it is told that a read has not come back."""


class Source(Struct, frozen=True, array_like=True):
    """A log to read.

    Attributes:
        name: By which it is opened; empty where there is nothing to open.
        path: What it is called.
        identity: Its device and inode, by which it is found again where it is not open.
        sampled: The bytes by which its format is told.
        spool: Whether it is a spool.
    """

    name: str
    path: str
    identity: tuple[int, int]
    sampled: int
    spool: bool


class Begin(Struct, tag="begin", frozen=True, array_like=True):
    """Read these logs, numbered as they stand here, by what formats the operator declared."""

    sources: list[Source]
    formats: tuple[Declaration, ...]
    zone: str = ""


class Load(Struct, tag="load", frozen=True, array_like=True):
    """Load a chunk."""

    chunk: Summary


class Waiting(Struct, tag="waiting", frozen=True, array_like=True):
    """A log is being read for some time."""

    path: str


class Answer(Struct, tag="answer", frozen=True, array_like=True):
    """A chunk; little-endian arrays, those of its pieces one after another.

    Attributes:
        why: Why it can't be read, then without the rest.
        sizes: Records of each piece.
        columns: Of the pieces: starts (uint32), times (int64), placed (int64), levels (uint8).
        rows: Piece (uint16), record (uint32), placed (int64), order (int64).
        datas: The pieces' bytes.
    """

    why: str
    sizes: list[int] = []
    columns: tuple[bytes, bytes, bytes, bytes] = (b"", b"", b"", b"")
    rows: tuple[bytes, bytes, bytes, bytes] = (b"", b"", b"", b"")
    datas: list[bytes] = []


Asked = Begin | Load
Told = Answer | Waiting

_ENCODER = msgspec.msgpack.Encoder()
_ASKED: msgspec.msgpack.Decoder[Asked] = msgspec.msgpack.Decoder(Asked)
_TOLD: msgspec.msgpack.Decoder[Told] = msgspec.msgpack.Decoder(Told)


def framed(message: Asked | Told) -> bytes:
    """Return what is sent."""
    data = _ENCODER.encode(message)
    return LENGTH.pack(len(data)) + data


def told_of(data: bytes) -> Told:
    """Read what the process says."""
    return _TOLD.decode(data)


def answer_of(loaded: Loaded) -> Answer:
    """Return a chunk as it is sent."""
    pieces, rows = loaded.pieces, loaded.rows
    return Answer(
        "",
        [len(piece) for piece in pieces],
        (
            _joined([piece.starts for piece in pieces]),
            _joined([piece.times for piece in pieces]),
            _joined([piece.placed for piece in pieces]),
            _joined([piece.levels for piece in pieces]),
        ),
        (rows.piece.tobytes(), rows.record.tobytes(), rows.placed.tobytes(), rows.order.tobytes()),
        loaded.datas,
    )


def loaded_of(answer: Answer, chunk: Summary) -> Loaded:
    """Return the chunk that an answer holds."""
    if answer.why:
        return lost(chunk, answer.why)
    starts, times, placed, levels = (
        np.frombuffer(data, kind)
        for data, kind in zip(answer.columns, ("<u4", "<i8", "<i8", "u1"), strict=True)
    )
    pieces, low = [], 0
    for span, size in zip(chunk.spans, answer.sizes, strict=True):
        own = slice(low, low := low + size)
        pieces.append(Piece(span, starts[own], times[own], placed[own], levels[own]))
    piece, record, at, order = (
        np.frombuffer(data, kind)
        for data, kind in zip(answer.rows, ("<u2", "<u4", "<i8", "<i8"), strict=True)
    )
    return Loaded(Rows(piece, record, at, order), pieces, answer.datas)


def _joined(columns: list[NDArray[np.generic]]) -> bytes:
    return b"".join(column.tobytes() for column in columns)


class Teller:
    """Says what there is to say, and which log is waited for where a read takes long."""

    def __init__(self, told: BinaryIO, logs: Logs) -> None:
        self._told = told
        self._logs = logs
        self._lock = threading.Lock()
        self._since = 0.0

    def watch(self) -> None:
        """Tell of long reads from now on."""
        threading.Thread(target=self._watch, daemon=True).start()

    def busy(self) -> None:
        """Note that something is being read."""
        self._since = time.monotonic()

    def say(self, message: Told) -> None:
        """Say something; nothing is being read then."""
        self._since = 0.0
        with self._lock:
            self._told.write(framed(message))
            self._told.flush()

    def _watch(self) -> None:
        while True:
            time.sleep(WAITS)
            since = self._since
            if since and time.monotonic() - since >= WAITS:
                with self._lock:
                    self._told.write(framed(Waiting(self._logs.reading)))
                    self._told.flush()


def main() -> None:
    """Serve until the input ends."""
    served(serve, nice=NICE)


def serve(asked: BinaryIO, told: BinaryIO) -> None:
    """Load chunks until none is asked for any more."""
    begin = _message(asked)
    if not isinstance(begin, Begin):
        return
    logs = Logs(budget=BUDGET, formats=begin.formats, zone=begin.zone)
    teller = Teller(told, logs)
    teller.watch()
    teller.busy()
    for source in begin.sources:
        logs.reading = source.path
        log = _log_of(source)
        logs.add(log, 0 if isinstance(log, GoneLog) else source.sampled)
    while isinstance(message := _message(asked), Load):
        teller.busy()
        try:
            answer = answer_of(load(logs, message.chunk))
        except CockpitError as error:
            answer = Answer(str(error))
        teller.say(answer)


def _log_of(source: Source) -> LogBytes:
    """Open what the screen has open, or had; what can't be is missing, and its records are lost."""
    if not source.name:
        log = open_again(source.path, source.identity)
        return GoneLog(source.path) if log.identity == NOWHERE != source.identity else log
    try:
        if source.spool:
            from cockpit.stores.logs.spool.spool import SpoolReader

            return SpoolReader(os.open(source.name, os.O_RDONLY | os.O_CLOEXEC), source.path)
        log = OpenedLog(source.name)
    except (CockpitError, OSError):
        return MissingLog(source.path)
    log.path = source.path
    return log


def _message(asked: BinaryIO) -> Asked | None:
    """Return the next message, or None at the end of the input."""
    head = asked.read(LENGTH.size)
    data = asked.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else b""
    return _ASKED.decode(data) if data else None


if __name__ == "__main__":
    main()
