"""A block of records as bytes: their bodies in one buffer, columns beside it, and what few records have behind it.

Nothing here needs numpy, which the screen has no time for before the first records come.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate

import msgspec
from msgspec import Struct

from cockpit.signals import EMPTY, Attributes, LogRecord, Resource, Value


class Block(Struct, array_like=True, frozen=True):
    """Records in the order of their times.

    Attributes:
        bodies: UTF-8, one after another, each closed by a zero byte.
        ends: uint32, shape (n,): where each body ends.
        times: int64, shape (n,): nanoseconds since the epoch by which each is placed.
        told: int64, shape (n,): the times they tell themselves; empty where those are the same.
        levels: uint8, shape (n,): SeverityNumber.
        sources: The sources' names.
        source: uint16, shape (n,): which of them; empty where there is one.
        resources: The resources.
        resource: uint16, shape (n,): which of them; empty where there is one.
        rest: (attributes, trace, span) of each as msgpack, one after another.
        rests: uint32, shape (n,): where each ends; nothing was kept of a record that has none. Empty where none has.
    """

    bodies: bytes
    ends: bytes
    times: bytes
    told: bytes
    levels: bytes
    sources: list[str]
    source: bytes
    resources: list[dict[str, str]]
    resource: bytes
    rest: bytes
    rests: bytes


class _Rest(Struct, array_like=True, frozen=True, gc=False):
    attributes: dict[str, Value]
    trace_id: str
    span_id: str


_ENCODER = msgspec.msgpack.Encoder()
_BLOCK = msgspec.msgpack.Decoder(Block)
_REST = msgspec.msgpack.Decoder(_Rest)
MOST = 1 << 16
"""Records of a block at most."""


def pack(records: Sequence[LogRecord], times: Sequence[int]) -> bytes:
    """Return records as bytes.

    Args:
        records: In the order of their times, `MOST` at most.
        times: The times by which they are placed, in nanoseconds.
    """
    bodies, ends = _bodies([record.body for record in records])
    told = _told([record.at for record in records])
    placed = array("q", times).tobytes()
    sources, source = _numbered([record.source for record in records])
    resources, resource = _resources([record.resource for record in records])
    rest, rests = _rests(records)
    return _ENCODER.encode(
        Block(
            bodies=bodies,
            ends=ends,
            times=placed,
            told=b"" if told == placed else told,
            levels=bytes([record.level & 0xFF for record in records]),
            sources=sources,
            source=source,
            resources=resources,
            resource=resource,
            rest=rest,
            rests=rests,
        )
    )


class Unpacked:
    """A block that is looked at: its columns, and its records as objects when they are asked for.

    Attributes:
        text: All bodies, each closed by a zero byte.
        rest: What else the records say, as msgpack.
        levels: SeverityNumber of each, a byte each.
        sources: The names of the sources.
        resources: The resources.
    """

    def __init__(self, data: bytes) -> None:
        """Take what `pack` returned."""
        block = _BLOCK.decode(data)
        self.text = block.bodies
        self.rest = block.rest
        self.levels = block.levels
        self.times = array("q", block.times)
        self._told = array("q", block.told) if block.told else self.times
        self._ends = array("I", block.ends)
        self._rests = array("I", block.rests)
        self.sources, self._source = block.sources, array("H", block.source)
        self.resources: list[Resource] = [*block.resources]
        self._resource = array("H", block.resource)
        self._records: dict[int, LogRecord] = {}

    def __len__(self) -> int:
        return len(self.levels)

    def record(self, row: int) -> LogRecord:
        """Return a record: the same object each time."""
        known = self._records.get(row)
        if known is None:
            known = self._records[row] = self.made(row)
        return known

    def made(self, row: int) -> LogRecord:
        """Return a record, made anew."""
        known = self._records.get(row)
        if known is not None:
            return known
        ends = self._ends
        start = ends[row - 1] + 1 if row else 0
        body = self.text[start : ends[row]].decode("utf-8", "surrogatepass")
        attributes: Attributes = EMPTY
        trace_id = span_id = ""
        if self._rests:
            low, high = self._rests[row - 1] if row else 0, self._rests[row]
            if low < high:
                rest = _REST.decode(memoryview(self.rest)[low:high])
                attributes, trace_id, span_id = rest.attributes or EMPTY, rest.trace_id, rest.span_id
        return LogRecord(
            at=self._told[row],
            level=self.levels[row],
            body=body,
            attributes=attributes,
            source=self.sources[self._source[row] if self._source else 0],
            resource=self.resources[self._resource[row] if self._resource else 0],
            trace_id=trace_id,
            span_id=span_id,
        )

    def row(self, record: LogRecord) -> int | None:
        """Return the row of a record that was made here, or None."""
        return next((row for row, known in self._records.items() if known is record), None)

    @cached_property
    def lowered(self) -> tuple[bytes, bytes]:
        """`text` and `rest` with small letters, of those that are ASCII."""
        return self.text.lower(), self.rest.lower()

    def of_sources(self, numbers: set[int]) -> set[int] | None:
        """Return the rows of some of the sources; None where those are all."""
        return _of(numbers, len(self.sources), self._source)

    def of_resources(self, numbers: set[int]) -> set[int] | None:
        """Return the rows of some of the resources; None where those are all."""
        return _of(numbers, len(self.resources), self._resource)

    def row_of_text(self, place: int) -> int:
        """Return the record in whose body a byte of `text` lies."""
        return bisect_left(self._ends, place)

    def text_end(self, row: int) -> int:
        """Return where a body ends in `text`."""
        return self._ends[row]

    def row_of_rest(self, place: int) -> int:
        """Return the record of which a byte of `rest` tells."""
        return bisect_right(self._rests, place)

    def rest_end(self, row: int) -> int:
        """Return where what `rest` tells of a record ends."""
        return self._rests[row]


def _of(numbers: set[int], count: int, column: array[int]) -> set[int] | None:
    if len(numbers) == count:
        return None
    return {row for row, number in enumerate(column) if number in numbers}


def _bodies(bodies: list[str]) -> tuple[bytes, bytes]:
    """Join bodies; return them, and where each ends."""
    text = "\0".join([*bodies, ""])
    if text.isascii():
        data, sizes = text.encode("ascii"), map(len, bodies)
    else:
        parts = [body.encode("utf-8", "surrogatepass") for body in bodies]
        data, sizes = b"\0".join([*parts, b""]), map(len, parts)
    # Each size but the first counts the zero byte before it.
    ends = array("I", accumulate(sizes, lambda end, size: end + size + 1))
    return data, ends.tobytes()


def _numbered(names: list[str]) -> tuple[list[str], bytes]:
    """Return the different names, and which of them each is; nothing where there is one."""
    known = dict.fromkeys(names)
    if len(known) == 1:
        return [*known], b""
    numbers = {name: number for number, name in enumerate(known)}
    return [*known], array("H", [numbers[name] for name in names]).tobytes()


def _resources(resources: list[Resource]) -> tuple[list[dict[str, str]], bytes]:
    """Return the different resources, and which of them each is; most are one object that many records share."""
    objects = [id(resource) for resource in resources]
    numbers: dict[int, int] = {}
    by_content: dict[tuple[tuple[str, str], ...], int] = {}
    different: list[dict[str, str]] = []
    for key, resource in dict(zip(objects, resources, strict=True)).items():
        content = tuple(resource.items())
        if content not in by_content:
            by_content[content] = len(different)
            different.append(_clean_texts(resource))
        numbers[key] = by_content[content]
    if len(different) == 1:
        return different, b""
    return different, array("H", [numbers[key] for key in objects]).tobytes()


def _rests(records: Sequence[LogRecord]) -> tuple[bytes, bytes]:
    """Return what else records say, and where each ends in it."""
    parts = [
        _rest(record) if record.attributes or record.trace_id or record.span_id else b"" for record in records
    ]
    data = b"".join(parts)
    return data, array("I", accumulate(map(len, parts))).tobytes() if data else b""


def _rest(record: LogRecord) -> bytes:
    said = (record.attributes, record.trace_id, record.span_id)
    try:
        return _ENCODER.encode(said)
    except (UnicodeEncodeError, OverflowError):  # half a surrogate pair, or a number of more than 64 bits
        attributes = {_text(name): _value(value) for name, value in record.attributes.items()}
        return _ENCODER.encode((attributes, _text(record.trace_id), _text(record.span_id)))


def _clean_texts(resource: Resource) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in resource.items()}


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _value(value: Value) -> Value:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        return str(value)
    return value


def _told(times: list[int]) -> bytes:
    """Return times that records tell themselves, held to 64 bits."""
    try:
        return array("q", times).tobytes()
    except OverflowError:
        return array("q", [min(max(at, -(1 << 63)), (1 << 63) - 1) for at in times]).tobytes()
