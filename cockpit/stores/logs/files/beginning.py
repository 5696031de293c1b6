"""Opens logs and reads their last records, before anything else is known of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from cockpit.errors import CockpitError
from cockpit.formats.declaration import Declaration
from cockpit.stores.logs.files.chunk import Summary
from cockpit.stores.logs.files.first import first_tail
from cockpit.stores.logs.files.loading import Loaded, load
from cockpit.stores.logs.files.logs import Logs
from cockpit.stores.logs.files.opened import LogBytes, MissingLog
from cockpit.stores.logs.files.opening import spool_of
from cockpit.stores.logs.files.wire import Open

BUDGET = 16 << 20
"""Bytes of packed columns remembered for drawing: what is drawn is in one chunk or two."""


class Beginning(Struct):
    """Logs that were opened.

    Attributes:
        logs: Them.
        opened: What to tell the process that reads the rest.
        tail: Their last records.
        loaded: The same as they are drawn; None where there are none yet.
        places: Where each lies, links followed.
        troubles: By log, why it can't be opened.
    """

    logs: Logs
    opened: Open
    tail: Summary
    loaded: Loaded | None
    places: list[str]
    troubles: dict[int, str]


class Opener:
    """Opens logs, one after another.

    Attributes:
        logs: Those that are open so far; it says which is being read.
    """

    def __init__(
        self, formats: Sequence[Declaration], zone: str, log_of: Callable[[str, bool], LogBytes]
    ) -> None:
        """Begin.

        Args:
            formats: Formats that the operator declared.
            zone: Of times that tell none; empty for this machine's.
            log_of: Opens one, told whether it was open before.

        Raises:
            UsageError: There is no such zone.
        """
        self.logs = Logs(budget=BUDGET, formats=formats, zone=zone)
        self._formats, self._zone = tuple(formats), zone
        self._log_of = log_of

    def open(self, paths: Sequence[str], *, anyway: bool = False) -> Beginning:
        """Open logs; those that can't be are missing, if anyway.

        Raises:
            CockpitError: One can't be opened or read.
        """
        logs, troubles = self.logs, {}
        try:
            for number, path in enumerate(paths):
                logs.reading = path
                try:
                    logs.add(self._log_of(path, anyway))
                except CockpitError as error:
                    if not anyway:
                        raise
                    troubles[number] = str(error)
                    logs.add(MissingLog(path))
            opened, tail = first_tail(logs, paths)
            loaded = load(logs, tail) if tail.count else None
        except CockpitError:
            logs.close()
            raise
        opened = replace(
            opened,
            identities=[log.identity for log in logs.opened],
            formats=self._formats,
            zone=self._zone,
            sampled=logs.sampled,
            spools=[spool_of(log) for log in logs.opened],
        )
        folders: dict[Path, str] = {}
        return Beginning(logs, opened, tail, loaded, [place_of(path, folders) for path in paths], troubles)


def place_of(path: str, folders: dict[Path, str] | None = None) -> str:
    """Return where a file lies, links followed.

    Args:
        path: As it was named.
        folders: Those that were looked up before, by what they are called.
    """
    here, known = Path(path), {} if folders is None else folders
    try:
        if here.is_symlink():
            return str(here.resolve())
        if here.parent not in known:
            known[here.parent] = str(here.parent.resolve())
    except OSError:  # one that can't be looked at has no links that matter
        return str(here.absolute())
    return os.path.join(known[here.parent], here.name)  # noqa: PTH118  a path is built for each of many files
