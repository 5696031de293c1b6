"""The process that reads inventories: `python -m cockpit.inventory.apart ansible PATH`, or `command` and its input.

Reading 10,000 hosts takes seconds of Python, which would be seconds of slow keys, and a hostile file may take all
the memory or stack that there is: here that harms nobody. It runs nothing and writes nothing but its answer: a line
of JSON about the whole, then the hosts, some to a line.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from cockpit.errors import InventoryError
from cockpit.inventory.limits import MOST_BYTES
from cockpit.inventory.reading import Reading, Stamp
from cockpit.targets import Host
from cockpit.yielding import give_way

NICE = 5
"""Whoever looks at the screen comes first where cores are few."""
MEMORY = 2 << 30
"""Bytes that it may take: an inventory of 100,000 hosts needs a quarter of that."""
TO_A_LINE = 200
"""Hosts in a line, so that reading one keeps nobody waiting."""


class Head(Struct, frozen=True, kw_only=True):
    """What is said before the hosts: what was odd, what was read, or what was wrong."""

    remarks: tuple[str, ...] = ()
    stamps: tuple[Stamp, ...] = ()
    error: str = ""
    where: str = ""
    remedy: str = ""


def read(kind: str, path: str, printed: bytes) -> Reading:
    """Read an inventory.

    Args:
        kind: `ansible` or `command`.
        path: The file or folder of the first.
        printed: What the second printed.

    Raises:
        InventoryError: It can't be read or makes no sense.
    """
    from cockpit.inventory.ansible import read_ansible, read_printed

    if kind == "ansible":
        return read_ansible(path)
    if len(printed) > MOST_BYTES:
        raise InventoryError(f"prints more than {MOST_BYTES:,} bytes")
    try:
        return read_printed(printed.decode())
    except UnicodeDecodeError:
        raise InventoryError("prints what is no UTF-8 text") from None


def lines(reading: Reading) -> Iterator[bytes]:
    """Yield an answer's lines."""
    encode = msgspec.json.encode
    yield encode(Head(remarks=reading.remarks, stamps=reading.stamps))
    for start in range(0, len(reading.hosts), TO_A_LINE):
        yield encode(reading.hosts[start : start + TO_A_LINE])


def reading_of(answer: list[bytes]) -> Iterator[Reading | tuple[Host, ...]]:
    """Yield what an answer's lines hold, one at a time: the whole without its hosts, then hosts.

    Raises:
        InventoryError: It tells of an error, or is no answer.
    """
    try:
        head = msgspec.json.decode(answer[0], type=Head)
        if head.error:
            raise InventoryError(head.error, where=head.where, remedy=head.remedy)
        yield Reading(hosts=(), remarks=head.remarks, stamps=head.stamps)
        for line in answer[1:]:
            yield msgspec.json.decode(line, type=tuple[Host, ...])
    except (msgspec.MsgspecError, IndexError) as error:
        raise InventoryError(f"was read to no end: {error}") from None


def main() -> None:
    """Answer once."""
    give_way(NICE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    kind, path = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    try:
        printed = sys.stdin.buffer.read(MOST_BYTES + 1) if kind == "command" else b""
        answer = list(lines(read(kind, path, printed)))
    except InventoryError as error:
        answer = [msgspec.json.encode(Head(error=error.message, where=error.where, remedy=error.remedy))]
    except (MemoryError, RecursionError):
        answer = [msgspec.json.encode(Head(error="is far too large or nested too deeply"))]
    sys.stdout.buffer.write(b"\n".join(answer) + b"\n")
    sys.stdout.buffer.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
