"""The journal of systemd, read through `journalctl`, whose JSON output systemd documents as stable.

The cursor of the last record handed over is remembered, so that a restart loses nothing and repeats nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from cockpit.errors import CommandError, SourceError
from cockpit.process import Process, capture, running
from cockpit.signals import SECOND, LogRecord, host_of
from cockpit.source import Emit, Options, Source, TimeRange
from cockpit.stores.logs.query import parse_query
from cockpit.stores.logs.terms import Word
from sources.support.journal import Entry, EntryReader, record_of

FIRST = 0.5
"""Seconds after which a journal that has nothing to show at the start is said to be quiet."""

READ = 64 * 1024
"""Bytes taken from journalctl at once."""

PART = 250
"""Entries read before others on the loop get their turn: a few milliseconds."""

SEARCHED = 10_000
"""Entries searched here where journalctl can't do it."""

ANSWER = 64 * 1024 * 1024
"""Bytes taken of one answer to a question."""

FIELDS = (
    "MESSAGE", "PRIORITY", "_SYSTEMD_UNIT", "_SYSTEMD_USER_UNIT", "UNIT", "USER_UNIT", "SYSLOG_IDENTIFIER",
    "_HOSTNAME", "_PID", "_COMM", "_TRANSPORT", "CODE_FILE", "CODE_LINE", "CODE_FUNC", "ERRNO", "MESSAGE_ID",
    "CONTAINER_NAME", "TRACE_ID", "SPAN_ID",
)  # fmt: skip

HIDDEN = "not seeing messages from other users"
"""What journalctl says to a user who may read only a part of the journal."""

Priority = Literal["", "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]


class JournaldOptions(Options, frozen=True, kw_only=True):
    """Which part of which journal to follow."""

    interval: float = 5.0
    """Seconds after which a quiet journal is said to be quiet."""
    backlog: Annotated[int, Meta(ge=0, le=100_000)] = 1_000
    """Entries read at the start."""
    units: tuple[str, ...] = ()
    """Units to follow, or shell patterns of them; all where empty."""
    identifiers: tuple[str, ...] = ()
    """Syslog identifiers to follow; all where empty."""
    priority: Priority = ""
    """The least priority to follow: `warning` leaves out notices and less."""
    directory: str = ""
    """A folder with journal files to read instead of this machine's."""
    files: tuple[str, ...] = ()
    """Journal files to read instead of this machine's; shell patterns are allowed."""
    namespace: str = ""
    """A journal namespace; `*` for all."""
    merge: bool = False
    """Whether to show journals of other machines that are stored here as well."""


class JournaldSource(Source[JournaldOptions]):
    """Follow the journal."""

    kind = "journald"
    summary = "systemd's journal, through journalctl"
    options_type = JournaldOptions
    emits = frozenset({LogRecord})
    offers = frozenset({"query_logs"})

    def __init__(self, name: str, options: JournaldOptions) -> None:
        super().__init__(name, options)
        self._cursor = ""

    def argv(self, *more: str) -> list[str]:
        """Return journalctl's command line for the journal that the options tell of.

        Every value is part of its option's word, so none can be taken for an option.
        """
        chosen = self.options
        words = ["journalctl", "--output=json", "--no-pager", "--all", f"--output-fields={','.join(FIELDS)}"]
        words += [f"--unit={unit}" for unit in chosen.units]
        words += [f"--identifier={identifier}" for identifier in chosen.identifiers]
        words += [f"--file={_absolute(file)}" for file in chosen.files]
        for option, value in (
            ("priority", chosen.priority),
            ("directory", _absolute(chosen.directory) if chosen.directory else ""),
            ("namespace", chosen.namespace),
        ):
            if value:
                words.append(f"--{option}={value}")
        if chosen.merge:
            words.append("--merge")
        return [*words, *more]

    async def run(self, emit: Emit) -> None:
        """Follow the journal from its last entries on; started again, from the entry after the last one."""
        place = (
            (f"--after-cursor={self._cursor}", "--no-tail")
            if self._cursor
            else (f"--lines={self.options.backlog}",)
        )
        with self._explained():
            async with running(self.argv("--follow", *place)) as process:
                complaint = asyncio.create_task(_last_words(process))
                try:
                    await self._follow(process, emit)
                    self._cursor = "" if "cursor" in await complaint else self._cursor
                    raise self._failed(f"journalctl ended: {await complaint or 'it said nothing'}")
                finally:
                    complaint.cancel()
                    await asyncio.gather(complaint, return_exceptions=True)

    async def check(self) -> str:
        """Read the newest entry."""
        status, entries, complaint = await self._ask("--lines=1")
        if status != 0:
            raise self._failed(complaint or f"journalctl ended with status {status}")
        if not entries:
            remedy = (
                "add this user to the group systemd-journal"
                if HIDDEN in complaint
                else "does `journalctl -n 1` show one? if not, this machine keeps no journal: disable the source"
            )
            raise SourceError("the journal has no entry that can be read", where=self.name, remedy=remedy)
        if HIDDEN in complaint:
            return "only this user's own entries: join the group systemd-journal to see the others"
        host = host_of(record_of(entries[-1], self.name).resource)
        return f"the newest entry is of {host or 'a host without a name'}"

    async def query_logs(self, query: str, within: TimeRange, limit: int) -> list[LogRecord]:
        """Return the newest records that fulfil a query, oldest first; journalctl looks for its longest word."""
        if limit <= 0:
            return []
        asked = parse_query(query)
        test = None if asked.admits_all or isinstance(asked.root, Word) else asked.tester()
        query = asked.pushed
        lines = limit if test is None else max(limit, SEARCHED)
        span = (f"--since=@{within.start // SECOND}", f"--until=@{-(-within.end // SECOND)}")
        grep = (f"--grep={re.escape(query)}", "--case-sensitive=no") if query else ()
        status, entries, complaint = await self._ask(*span, *grep, f"--lines={lines}")
        if status != 0 and "pattern matching" in complaint:
            # A journalctl that was built without PCRE2 can't search: the newest entries are searched here.
            status, entries, complaint = await self._ask(*span, f"--lines={max(limit, SEARCHED)}")
        if status != 0 and complaint and not entries:
            raise self._failed(complaint)
        wanted = query.lower()
        records = [
            record for entry in entries if wanted in (record := record_of(entry, self.name)).body.lower()
        ]
        records = [record for record in records if within.start <= record.at <= within.end]
        if test is not None:
            records = [record for record in records if test(record, None)]
        records.sort(key=lambda record: record.at)
        return records[-limit:]

    async def _follow(self, process: Process, emit: Emit) -> None:
        """Hand over entries until journalctl ends."""
        reader = EntryReader()
        patience = min(FIRST, self.options.interval)
        while True:
            try:
                async with asyncio.timeout(patience):
                    data = await process.stdout.read(READ) if process.stdout else b""
            except TimeoutError:
                await emit([])
                patience = self.options.interval
                continue
            if not data:
                return
            for part in _parts(reader.feed(data)):
                await emit([record_of(entry, self.name) for entry in part])
                self._cursor = part[-1].cursor or self._cursor
                await asyncio.sleep(0)

    async def _ask(self, *more: str) -> tuple[int, list[Entry], str]:
        """Return journalctl's exit status, its entries, and the first thing that it complains of."""
        with self._explained():
            status, out, err = await capture(self.argv(*more), timeout=self.options.timeout * 2, size=ANSWER)
        entries: list[Entry] = []
        reader = EntryReader()
        for start in range(0, len(out), READ):
            entries += reader.feed(out[start : start + READ])
            await asyncio.sleep(0)
        complaint = err.decode("utf-8", "replace").strip()
        return status, entries, complaint[:500]

    def _failed(self, message: str) -> SourceError:
        """Return the error for what journalctl complains of."""
        chosen = self.options
        elsewhere = chosen.directory or chosen.files or chosen.namespace
        remedy = "check `directory`, `files` and `namespace`" if elsewhere else "try `journalctl` by hand"
        return SourceError(message, where=self.name, remedy=remedy)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Say what to do where journalctl can't be started."""
        try:
            yield
        except CommandError as error:
            remedy = (
                "install systemd, or leave out the journald source" if error.message == "not found" else ""
            )
            raise SourceError(str(error), where=self.name, remedy=remedy or error.remedy) from None


def _absolute(path: str) -> str:
    """Return a path from the root: journalctl can't follow a relative one."""
    return str(Path(path).expanduser().absolute())


def _parts(entries: list[Entry]) -> Iterator[list[Entry]]:
    for start in range(0, len(entries), PART):
        yield entries[start : start + PART]


async def _last_words(process: Process) -> str:
    """Read what journalctl complains of to its end, and return the last of it."""
    kept = b""
    while process.stderr is not None and (part := await process.stderr.read(4096)):
        kept = (kept + part)[-500:]
    return kept.decode("utf-8", "replace").strip()
