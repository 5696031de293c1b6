"""What a source and the process that parses for it say to each other: msgpack, each message after its length.

The process is told bytes and tells texts, numbers and what stands in a structured line; it learns nothing of files,
hosts or configuration but the pattern that records begin with.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from cockpit.formats.multiline import Held
from cockpit.formats.stream import LineParser
from cockpit.signals import LogRecord, Value

LENGTH = struct.Struct("!I")
LONGEST = 16 << 20
"""Bytes of one message at most: a block's records are far less."""


class Setup(Struct, frozen=True, array_like=True):
    """How lines are joined, said once."""

    start: str
    """The pattern that a record begins with; empty for what stack traces look like."""
    joined: bool


class Job(Struct, frozen=True, array_like=True, gc=False):
    """Lines of one file to be parsed after those before; a `leave` is not answered."""

    number: int
    """The file's."""
    data: bytes = b""
    last: bool = False
    now: int = 0
    held: Held | None = None
    """Where the file stands, if it is new here."""
    leave: bool = False
    """True when there is no more of the file."""


class Part(Struct, frozen=True, array_like=True, gc=False):
    """Records in columns; what most of them lack is given for those that have it."""

    at: list[int] = []
    level: bytes = b""
    body: list[str] = []
    attributes: dict[int, dict[str, Value]] = {}
    """By the record's place: what its line says besides."""
    named: list[tuple[str, str]] = []
    """Services and hosts that lines name."""
    place: bytes = b""
    """Each record's place in `named`, two bytes each, and 0 for none; nothing where all have none."""
    traces: dict[int, tuple[str, str]] = {}
    """Trace and span by the record's place."""
    held: Held | None = None
    """Where the file stands; with the last part of an answer."""


_ENCODER = msgspec.msgpack.Encoder()


def framed(message: Struct) -> bytes:
    """Return a message as it is sent."""
    data = _ENCODER.encode(message)
    return LENGTH.pack(len(data)) + data


def part_of(records: Sequence[LogRecord], held: Held | None) -> Part:
    """Put records in columns; their parser gave them no attributes and no resource of its own."""
    named: dict[tuple[str, str], int] = {("", ""): 0}
    places = memoryview(bytearray(2 * len(records))).cast("H")
    attributes, traces = {}, {}
    for number, record in enumerate(records):
        if record.attributes:
            attributes[number] = dict(record.attributes)
        if record.trace_id or record.span_id:
            traces[number] = (record.trace_id, record.span_id)
        if where := record.resource:
            key = (where.get("service.name", ""), where.get("host.name", ""))
            places[number] = named.setdefault(key, len(named))
    return Part(
        [record.at for record in records],
        bytes([record.level for record in records]),
        [record.body for record in records],
        attributes,
        list(named) if len(named) > 1 else [],
        places.tobytes() if len(named) > 1 else b"",
        traces,
        held,
    )


def records_of(part: Part, parser: LineParser) -> list[LogRecord]:
    """Make a part's records, as the file's own parser would have.

    Raises:
        ValueError: The columns don't agree.
    """
    own, where, source = parser.attributes, parser.resource, parser.source
    if not (part.attributes or part.traces or part.named):
        return [
            LogRecord(at=at, level=level, body=body, attributes=own, source=source, resource=where)
            for at, level, body in zip(part.at, part.level, part.body, strict=True)
        ]
    resources = [parser.resource_of(service, host) for service, host in part.named] or [where]
    places: Sequence[int] = memoryview(part.place).cast("H") if part.place else bytes(len(part.at))
    try:
        rows = [
            (at, level, body, resources[place])
            for at, level, body, place in zip(part.at, part.level, part.body, places, strict=True)
        ]
    except IndexError:
        raise ValueError("a place that is not named") from None
    records = []
    for number, (at, level, body, resource) in enumerate(rows):
        more = part.attributes.get(number)
        trace_id, span_id = part.traces.get(number, ("", ""))
        records.append(
            LogRecord(
                at=at,
                level=level,
                body=body,
                attributes={**own, **more} if more else own,
                source=source,
                resource=resource,
                trace_id=trace_id,
                span_id=span_id,
            )
        )
    return records
