"""What the screen and the process that reads logs say to each other: msgpack, several messages a frame."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from cockpit.formats.declaration import Declaration
from cockpit.stores.logs.files.chunk import Summary
from cockpit.stores.logs.files.counts import Counts
from cockpit.stores.logs.files.pieces import Span

LENGTH = struct.Struct("!I")
LONGEST = 64 << 20
"""Bytes of one frame at most."""
PULSE = 1.0
"""Seconds after which the process says something though it has nothing to tell."""


class Open(Struct, tag="open", frozen=True, array_like=True):
    """Read these logs. Their newest records are known: they are the first tail.

    Attributes:
        paths: The logs, numbered as they stand here.
        tail: The spans of the tail, one a log at most.
        ends: For each log, where the tail begins: what lies before is indexed.
        observed: For each log, by which a missing year is told, in nanoseconds.
        formats: Formats that the operator declared.
        identities: For each log, the file it is (device and inode), or `NOWHERE`.
        sampled: For each log, the bytes by which its format is told.
        spools: For each log, the spool to fill from it; empty for one that is read as it is.
        zone: Of times that tell none; empty for this machine's.
    """

    paths: list[str]
    tail: list[Span]
    ends: list[int]
    observed: list[int]
    formats: tuple[Declaration, ...] = ()
    identities: list[tuple[int, int]] = []
    sampled: list[int] = []
    spools: list[str] = []
    zone: str = ""


class Look(Struct, tag="look", frozen=True, array_like=True):
    """Search all records, the newest first, and those that come; an earlier search ends.

    Attributes:
        serial: The search's number.
        query: The query as it is serialised; empty for none.
    """

    serial: int
    query: bytes


class Next(Struct, tag="next", frozen=True, array_like=True):
    """Look for one record, from a row on.

    Attributes:
        serial: The question's number; an earlier question is dropped.
        query: What it is to be, serialised; empty drops the question.
        number: The chunk to begin in.
        row: The row of it to begin after.
        step: 1 to go down, -1 to go up.
    """

    serial: int
    query: bytes
    number: int
    row: int
    step: int


class Sought(Struct, tag="sought", frozen=True, array_like=True):
    """What came of looking for one record.

    Attributes:
        serial: The question's number.
        number: The chunk it is in.
        row: Its row; -1 where there is none, which is so as far as the logs were read.
    """

    serial: int
    number: int
    row: int


class Older(Struct, tag="older", frozen=True, array_like=True):
    """A chunk before all others."""

    chunk: Summary


class Tail(Struct, tag="tail", frozen=True, array_like=True):
    """The newest chunk as it is now.

    Attributes:
        chunk: What it holds.
        moved: The first row that is not what it was; its old count where rows were only added.
    """

    chunk: Summary
    moved: int


class Closed(Struct, tag="closed", frozen=True, array_like=True):
    """The newest chunk won't change any more: it keeps its first rows, the next tail has the rest."""

    chunk: Summary
    tail: Summary


class Dropped(Struct, tag="dropped", frozen=True, array_like=True):
    """The oldest chunks up to this one are gone: only so much of a stream is kept."""

    number: int


class Found(Struct, tag="found", frozen=True, array_like=True):
    """Which rows of a chunk a search admits.

    Attributes:
        serial: The search.
        number: The chunk: 0 for the first tail, later ones above, older ones below.
        count: How many rows.
        bits: A bit a row, the first row the highest bit of the first byte; empty where none or all are admitted.
        counts: How many of them there are by second and level.
        hits: How many of the chunk's rows pass each of the queries that are counted.
        places: Where those rows lie, if they are few: see `sparse`.
    """

    serial: int
    number: int
    count: int
    bits: bytes
    counts: Counts
    hits: tuple[int, ...] = ()
    places: bytes = b""


class Searched(Struct, tag="searched", frozen=True, array_like=True):
    """All that there is was searched; more may come."""

    serial: int


class Read(Struct, tag="read", frozen=True, array_like=True):
    """How far reading is: bytes that have no place yet, of all."""

    left: int
    total: int


class Added(Struct, tag="added", frozen=True, array_like=True):
    """A log more: another file has the name of one that is open."""

    number: int
    path: str
    identity: tuple[int, int]


class Sampled(Struct, tag="sampled", frozen=True, array_like=True):
    """A log's format is told by so many bytes of its beginning: there was less of it before."""

    number: int
    size: int


class Emptied(Struct, tag="emptied", frozen=True, array_like=True):
    """All chunks are gone, as a log is not what it was: reading begins anew."""

    path: str


class Trouble(Struct, tag="trouble", frozen=True, array_like=True):
    """A log can't be read for now; empty when it can again."""

    number: int
    text: str


Asked = Open | Look | Next
Told = (
    Older | Tail | Closed | Dropped | Found | Searched | Sought | Read | Added | Sampled | Emptied | Trouble
)

_ENCODER = msgspec.msgpack.Encoder()
_TOLD = msgspec.msgpack.Decoder(list[Told])
_ASKED: msgspec.msgpack.Decoder[Asked] = msgspec.msgpack.Decoder(Asked)


def framed(message: Asked | Sequence[Told]) -> bytes:
    """Return what is sent."""
    data = _ENCODER.encode(message)
    return LENGTH.pack(len(data)) + data


def told_of(data: bytes) -> list[Told]:
    """Read a frame from the process."""
    return _TOLD.decode(data)


def asked_of(data: bytes) -> Asked:
    """Read a message from the screen."""
    return _ASKED.decode(data)
