"""Mines templates for the screen in a process of its own: `python -m cockpit.stores.logs.mining`.

It is told either which files to read or, batch by batch, records that were streamed; it says after every second what
it has found so far, and ends when its input does.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

import msgspec
from msgspec import Struct

from cockpit.errors import CockpitError
from cockpit.formats.declaration import Declaration
from cockpit.ours import served

LENGTH = struct.Struct("!I")
NICE = 5
EVERY = 1.0
"""Seconds between two answers."""
MOST = 2_000
"""Templates told, those on top."""
LONGEST = 2_000
"""Characters of a template or of a body."""


class Mine(Struct, tag="mine", frozen=True, array_like=True):
    """What is to be mined.

    Attributes:
        paths: The files; none where batches follow.
        query: What the records are to be, as `searching.query_of` packs it; empty for all.
        since: The moment, in nanoseconds, since which templates are new or rising; None for their counts alone.
        formats: Formats of the files that the operator declared.
        zone: Of the files' times that tell none; empty for this machine's.
    """

    paths: tuple[str, ...] = ()
    query: bytes = b""
    since: int | None = None
    formats: tuple[Declaration, ...] = ()
    zone: str = ""


class Batch(Struct, tag="batch", frozen=True, array_like=True):
    """Records that were streamed; none at the end."""

    numbers: list[int]
    times: list[int]
    bodies: list[str]


class Mined(Struct, frozen=True, array_like=True):
    """One template.

    Attributes:
        text: What it says, `<*>` for what varies.
        count: Its records.
        trend: `new`, `rising`, `steady`, or empty where nothing is compared.
        since: Its records since the moment.
        first_at: When the first came, in nanoseconds.
        last_at: When the last came.
        rate: Records a second over the last five minutes.
        example: Its first record.
        query: What finds its records; empty where it says nothing constant.
    """

    text: str
    count: int
    trend: str
    since: int
    first_at: int
    last_at: int
    rate: float
    example: str
    query: str


class Patterns(Struct, frozen=True):
    """What was found so far.

    Attributes:
        done: Bytes or records that were looked at.
        of: How many there are.
        ended: Whether that is all.
        mined: The templates, those that are new or rising first, else the most frequent.
        error: Why it goes no further.
    """

    done: int
    of: int
    ended: bool
    mined: tuple[Mined, ...] = ()
    error: str = ""


_ASKED: msgspec.msgpack.Decoder[Mine | Batch] = msgspec.msgpack.Decoder(Mine | Batch)
_ENCODER = msgspec.msgpack.Encoder()


def framed(message: Mine | Batch | Patterns) -> bytes:
    """Return what is sent: a length and msgpack."""
    data = _ENCODER.encode(message)
    return LENGTH.pack(len(data)) + data


def serve(asked: BinaryIO, told: BinaryIO) -> None:
    """Mine what is asked for, and tell it."""
    mine = _message(asked)
    if not isinstance(mine, Mine):
        return

    def tell(patterns: Patterns) -> None:
        told.write(framed(patterns))
        told.flush()

    batches = _of_files(mine) if mine.paths else _streamed(asked)
    mined(batches, mine.since, tell)


def mined(
    batches: Iterator[tuple[Batch, int, int]], since: int | None, tell: Callable[[Patterns], None]
) -> None:
    """Mine batches, and tell every second and at the end what was found.

    Args:
        batches: Records, with how much was looked at, of how much.
        since: As in `Mine`.
        tell: Told what was found.
    """
    from cockpit.stores.logs.templates import Templates

    templates, last, done, of = Templates(), time.monotonic(), 0, 0
    error = ""
    try:
        for batch, done, of in batches:
            if batch.bodies:
                templates.feed(batch.numbers, batch.times, [body[:LONGEST] for body in batch.bodies])
            if time.monotonic() - last >= EVERY:
                tell(Patterns(done, of, ended=False, mined=_told(templates, since)))
                last = time.monotonic()
    except CockpitError as problem:
        error = str(problem)
    tell(Patterns(done, of, ended=True, mined=_told(templates, since), error=error))


def _told(templates: object, since: int | None) -> tuple[Mined, ...]:
    from cockpit.stores.logs.templates import Templates, query_for

    assert isinstance(templates, Templates)
    if since is None:
        found = [(each, "", 0) for each in templates.snapshot()]
    else:
        found = [(each.template, str(each.trend), each.since) for each in templates.since(since)]
    return tuple(
        Mined(
            each.text[:LONGEST],
            each.count,
            trend,
            lately,
            each.first_at,
            each.last_at,
            each.rate,
            each.example[:LONGEST],
            query_for(each.text),
        )
        for each, trend, lately in found[:MOST]
    )


def _streamed(asked: BinaryIO) -> Iterator[tuple[Batch, int, int]]:
    done = 0
    while isinstance(batch := _message(asked), Batch) and batch.bodies:
        done += len(batch.bodies)
        yield batch, done, 0


def _of_files(mine: Mine) -> Iterator[tuple[Batch, int, int]]:
    """Read files from their beginnings, those records that the query admits.

    Raises:
        CockpitError: One can't be read.
    """
    from cockpit.stores.logs.files.logs import Logs
    from cockpit.stores.logs.files.opened import OpenedLog
    from cockpit.stores.logs.files.pieces import PIECE, Span, piece_of
    from cockpit.stores.logs.files.searching import matching_of

    logs = Logs(budget=0, formats=mine.formats, zone=mine.zone)
    for path in mine.paths:
        logs.add(OpenedLog(path))
    of, done, number = sum(log.size for log in logs.opened), 0, 0
    matching = matching_of(mine.query)
    for place, (log, fmt) in enumerate(zip(logs.opened, logs.formats, strict=True)):
        low, size = 0, PIECE
        while low < log.size:
            data = log.read(low, size)
            piece = piece_of(data, Span(place, low, len(data), log.modified), fmt)
            ended = low + len(data) >= log.size
            if not ended and len(piece) < 2 and size < 16 * PIECE:
                size *= 4
                continue
            count = len(piece) if ended or len(piece) < 2 else len(piece) - 1  # the last may be cut
            edges = [*piece.starts.tolist(), len(data)]
            rows: Sequence[int] = range(count)
            if matching is not None:
                found = matching.match(data, lambda piece=piece: piece.columns, fmt, log.path)  # type: ignore[misc]
                rows = () if found is None else [row for row in found[0].nonzero()[0].tolist() if row < count]
            texts = [
                data[edges[row] : edges[row + 1]].decode("utf-8", "replace").rstrip("\r\n") for row in rows
            ]
            bodies = [fmt.record(text[: 4 * LONGEST], observed=log.modified).body for text in texts]
            times = piece.placed.tolist()
            batch = Batch([number + row for row in rows], [times[row] for row in rows], bodies)
            number, low, size = number + count, low + edges[count], PIECE
            yield batch, done + low, of
        done += log.size


def _message(asked: BinaryIO) -> Mine | Batch | None:
    head = asked.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    return _ASKED.decode(asked.read(LENGTH.unpack(head)[0]))


def main() -> None:
    """Serve once."""
    served(serve, nice=NICE)


def rate_text(rate: float) -> str:
    """Return a rate as people read it."""
    if rate >= 1:
        return f"{rate:,.0f}/s"
    return f"{rate * 60:.1f}/min" if rate else ""


if __name__ == "__main__":
    main()
