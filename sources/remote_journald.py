"""The journals of hosts over SSH: `journalctl --follow` on each, gone on with by its cursor after a loss."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from cockpit.errors import ConnectionLost
from cockpit.signals import HealthSample, HealthState, LogRecord
from cockpit.source import Emit, RemoteProgram
from sources.journald import FIELDS, PART, Priority
from sources.support.fleet import COMPLAINT, FleetOptions, FleetSource, last_words
from sources.support.journal import Entry, EntryReader, record_of
from sources.support.remote_shell import held

QUIET = 1.0
"""Seconds after which a journal that says nothing counts as one that is followed."""
_CURSOR = re.compile(r"s=[0-9a-f]{32}(?:;[ibmtx]=[0-9a-f]{1,32}){1,5}")
"""A cursor comes from the host and goes back to it on a command line, so it is only taken if it is one."""


class RemoteJournaldOptions(FleetOptions, frozen=True, kw_only=True):
    """Which part of which hosts' journals to follow."""

    interval: float = 5.0
    """Seconds between two words on how each host is."""
    backlog: Annotated[int, Meta(ge=0, le=100_000)] = 200
    """Entries read of each host at the start."""
    units: tuple[str, ...] = ()
    """Units to follow, or shell patterns of them; all where empty."""
    identifiers: tuple[str, ...] = ()
    """Syslog identifiers to follow; all where empty."""
    priority: Priority = ""
    """The least priority to follow: `warning` leaves out notices and less."""
    directory: str = ""
    """A folder on the hosts with journal files to read in place of the machine's own."""


class RemoteJournaldSource(FleetSource[RemoteJournaldOptions]):
    """Journals of hosts over SSH."""

    kind = "remote-journald"
    summary = "systemd's journals of hosts over SSH, through journalctl there"
    options_type = RemoteJournaldOptions
    emits = frozenset({LogRecord, HealthSample})
    row = "journal"

    def __init__(self, name: str, options: RemoteJournaldOptions) -> None:
        super().__init__(name, options)
        self._cursors: dict[str, str] = {}

    def argv(self, host: str) -> Sequence[str]:
        """Return journalctl's command line, held by its input; every value is part of its option's word."""
        return held(self._journalctl(host))

    @property
    def stdin(self) -> bool:
        """Its input is kept open, and its end is journalctl's."""
        return True

    def _journalctl(self, host: str) -> Sequence[str]:
        chosen, cursor = self.options, self._cursors.get(host)
        words = ["journalctl", "--follow", "--output=json", "--no-pager", "--all"]
        words.append(f"--output-fields={','.join(FIELDS)}")
        words += [f"--unit={unit}" for unit in chosen.units]
        words += [f"--identifier={identifier}" for identifier in chosen.identifiers]
        for option, value in (("priority", chosen.priority), ("directory", chosen.directory)):
            if value:
                words.append(f"--{option}={value}")
        if cursor:
            return [*words, f"--after-cursor={cursor}", "--no-tail"]
        return [*words, f"--lines={chosen.backlog}"]

    async def try_once(self, host: str, program: RemoteProgram) -> None:
        """See whether journalctl goes on, or begins to tell."""
        complaint = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(QUIET):
                async for number, piece in program.pieces():
                    if number == 1:
                        return
                    complaint += piece[:COMPLAINT]
                raise ConnectionLost(await last_words(program, complaint), where=host)

    async def serve(self, host: str, program: RemoteProgram, emit: Emit) -> None:
        """Hand over entries until journalctl ends."""
        telling = asyncio.create_task(self._tell_on(host, emit))
        try:
            await self._follow(host, program, emit)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def _follow(self, host: str, program: RemoteProgram, emit: Emit) -> None:
        reader, complaint = EntryReader(), b""
        async for number, piece in program.pieces():
            if number != 1:
                complaint = (complaint + piece)[-COMPLAINT:]
                continue
            entries = reader.feed(piece)
            for start in range(0, len(entries), PART):
                part = entries[start : start + PART]
                await emit([self._record(host, entry) for entry in part])
                if _CURSOR.fullmatch(part[-1].cursor):
                    self._cursors[host] = part[-1].cursor
                await asyncio.sleep(0)
        if b"cursor" in complaint:
            self._cursors.pop(host, None)
        raise ConnectionLost(await last_words(program, complaint), where=host)

    async def _tell_on(self, host: str, emit: Emit) -> None:
        """Say that a host's journal is followed, once it is clear that journalctl stays."""
        await asyncio.sleep(QUIET)
        while True:
            await self.tell(host, emit, HealthState.OK, "the journal is followed")
            await asyncio.sleep(self.options.interval)

    def _record(self, host: str, entry: Entry) -> LogRecord:
        """Return an entry's record, of the host by its target's name; what it calls itself is an attribute."""
        record = record_of(entry, self.name)
        named = record.resource.get("host.name", "")
        attributes = (
            {**record.attributes, "journald.hostname": named}
            if named not in ("", host)
            else record.attributes
        )
        return replace(record, resource={**record.resource, "host.name": host}, attributes=attributes)
