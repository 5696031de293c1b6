"""The process that reads and searches logs for the screen: `python -m cockpit.stores.logs.files.process`.

It opens what it is told, writes nothing but the spools it is given, and ends when its input does, which is when the
cockpit ends.
"""

from __future__ import annotations

import os
import select
import time
from typing import BinaryIO

from cockpit.errors import CockpitError
from cockpit.memory import keep_freed
from cockpit.ours import served
from cockpit.stores.logs.files.ahead import reads_ahead
from cockpit.stores.logs.files.filling import Filling
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.opened import NOWHERE, LogBytes, MissingLog, OpenedLog
from cockpit.stores.logs.files.opening import open_apart
from cockpit.stores.logs.files.scanner import BEAT, Scanner
from cockpit.stores.logs.files.searching import matching_of
from cockpit.stores.logs.files.sharing import shared
from cockpit.stores.logs.files.wire import LENGTH, PULSE, Asked, Look, Next, Open, Trouble, asked_of, framed

NICE = 10
"""Whoever looks at the screen comes first where cores are few."""
TURN = 0.015
"""Seconds for which what is found is gathered into one frame: to take one costs the screen more than what it says."""
BUDGET = 64 << 20
"""Bytes of packed columns that are remembered: those of some thirty million records."""


def main() -> None:
    """Serve until the input ends."""
    keep_freed()
    served(serve, nice=NICE)


def serve(asked: BinaryIO, told: BinaryIO) -> None:
    """Read and search as asked until nothing is asked any more."""
    opened = _message(asked)
    if not isinstance(opened, Open):
        return
    logs = Logs(budget=BUDGET, formats=opened.formats, zone=opened.zone)
    try:
        fillings = open_all(logs, opened)
    except CockpitError as error:
        told.write(framed([Trouble(-1, str(error))]))
        told.flush()
        return
    scanner = Scanner(logs, opened, fillings, reads_ahead=reads_ahead, share=shared)
    spoke = time.monotonic()
    while True:
        waits = [asked.fileno(), *scanner.waits]
        if asked.fileno() in select.select(waits, [], [], BEAT if scanner.idle else 0)[0]:
            message = _message(asked)
            if message is None:
                return
            if isinstance(message, Look):
                scanner.search.look(message.serial, matching_of(message.query))
            elif isinstance(message, Next):
                scanner.search.look_for(message, matching_of(message.query))
            continue
        said = scanner.step()
        until = time.monotonic() + TURN
        while said and time.monotonic() < until and (more := scanner.step()):
            said += more
        if said or time.monotonic() - spoke >= PULSE:
            spoke = time.monotonic()
            told.write(framed(said))
            told.flush()


def open_all(logs: Logs, opened: Open) -> list[Filling]:
    """Open the logs that a message names; return what fills those that are in spools.

    Raises:
        CockpitError: One can't be opened, or another has its name by now.
    """
    fillings = []
    named = zip(opened.paths, opened.identities, opened.sampled, opened.spools, strict=True)
    for number, (path, identity, size, spool) in enumerate(named):
        if not spool:
            logs.add(_log_of(path, identity), size)
            continue
        log, filling = open_apart(number, path, spool)
        logs.add(log, size)
        fillings.append(filling)
    return fillings


def _log_of(path: str, identity: tuple[int, int]) -> LogBytes:
    """Open the file that the screen has opened.

    Raises:
        CockpitError: It can't be opened, or another has its name by now.
    """
    if identity == NOWHERE:
        return MissingLog(path)
    log = OpenedLog(path)
    if log.identity != identity:
        log.close()
        raise CockpitError("another file has its name since it was opened", where=path)
    return log


def _message(asked: BinaryIO) -> Asked | None:
    """Return the next message, or None at the end of the input."""
    raw = asked.fileno()
    head = _exactly(raw, LENGTH.size)
    data = _exactly(raw, LENGTH.unpack(head)[0]) if head else None
    return asked_of(data) if data else None


def _exactly(raw: int, size: int) -> bytes | None:
    """Read past Python's own buffer, which `select` knows nothing of."""
    parts = bytearray()
    while len(parts) < size:
        part = os.read(raw, size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)


if __name__ == "__main__":
    main()
