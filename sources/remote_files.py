"""Log files on hosts over SSH, followed as `tail -F` does: through rotation, truncation and lost connections.

On each host one shell stays, on one channel of the pooled connection; nothing runs there between two looks, and
nothing is written. Lines become records as those of the `files` source do. What can't be known to be whole, such as a
file that was cut short while nobody looked, is said by a record of its own at that place.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated

from msgspec import Meta

from cockpit.formats.multiline import Joiner
from cockpit.formats.stream import LineParser
from cockpit.hygiene import clean_text
from cockpit.signals import HealthSample, HealthState, Level, LogRecord
from cockpit.source import Emit, RemoteProgram, resource
from sources.files import EXCLUDED, service_name
from sources.support.fleet import FleetOptions, FleetSource
from sources.support.readings import size
from sources.support.remote_shell import RemoteShell
from sources.support.remote_tail import (
    AT_ONCE,
    BLOCK,
    Entry,
    Listing,
    Mark,
    RemoteFile,
    Rewritten,
    argv_of,
    read_listing,
)

QUICK = 0.25
"""Seconds between two looks while files grow."""
LISTING = 512 * 1024
"""Bytes of a list of files."""
NAMED = 3
"""Files named in a host's row when they can't be read."""
TURN = 4
"""Reads of one file before the next has its turn."""
PART = 250
"""Records made before others on the loop get their turn."""
MARKS = 2_000
"""Files of a host that are remembered."""


class RemoteFilesOptions(FleetOptions, frozen=True, kw_only=True):
    """Which files on which hosts to follow, and how to read them."""

    interval: float = 2.0
    """Seconds between two looks at files that don't grow; each costs a host two small processes."""
    timeout: float = 10.0
    """Seconds that one answer may take."""
    paths: tuple[str, ...]
    """Files and shell patterns on the hosts, from the root; the host's shell expands them, so there is no `**`."""
    exclude: tuple[str, ...] = EXCLUDED
    """Shell patterns of paths that are left out."""
    max_files: Annotated[int, Meta(ge=1, le=500)] = 50
    """Files followed on each host at most."""
    backfill_bytes: Annotated[int, Meta(ge=0, le=64 * 1024 * 1024)] = 64 * 1024
    """Bytes read from the end of each file at the start."""
    catch_up_bytes: Annotated[int, Meta(ge=64 * 1024)] = 16 * 1024 * 1024
    """Bytes read of one file of what came while a host was not reached; what is more is left out, and told."""
    multiline: bool = True
    """Whether to join stack traces and indented lines to the record that they belong to."""
    record_start: str = ""
    """A regular expression found in the first line of every record; the others are joined to it."""
    service: str = ""
    """`service.name` of the records that name none; by default from the file's name."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.paths:
            raise ValueError('paths is empty: name at least one, such as "/var/log/syslog"')
        for path in self.paths:
            if not path.startswith("/") or any(ord(sign) < 0x20 for sign in path):
                raise ValueError(f"{path!r} is no path from the root")
        try:
            re.compile(self.record_start)
        except re.error as error:
            raise ValueError(f"`record_start` is no regular expression: {error}") from None


class _Host:
    """What is remembered of a host's files, over lost connections too.

    Attributes:
        files: By path.
        marks: How far each file was read, by its inode, for it may change its name.
        listed: Whether its files were ever listed: what is there at the first time is read from its end.
    """

    def __init__(self) -> None:
        self.files: dict[str, RemoteFile] = {}
        self.marks: dict[int, Mark] = {}
        self.listed = False

    def read(self, file: RemoteFile) -> None:
        """Remember how far a file was read."""
        self.marks.pop(file.inode, None)
        while len(self.marks) >= MARKS:
            del self.marks[next(iter(self.marks))]
        self.marks[file.inode] = file.mark

    def begin(self, file: RemoteFile, inode: int, offset: int = 0) -> None:
        """Read a file that has a name now: where it was left if it is known, else near an offset."""
        mark = self.marks.get(inode)
        if mark is not None:
            file.resume(inode, mark)
        else:
            file.begin(inode, offset)


class RemoteFilesSource(FleetSource[RemoteFilesOptions]):
    """Log files on hosts over SSH."""

    kind = "remote-files"
    summary = "log files on hosts over SSH, followed through rotation and lost connections"
    options_type = RemoteFilesOptions
    emits = frozenset({LogRecord, HealthSample})
    row = "files"

    def __init__(self, name: str, options: RemoteFilesOptions) -> None:
        super().__init__(name, options)
        self._start_pattern = re.compile(options.record_start) if options.record_start else None
        self._hosts: dict[str, _Host] = {}

    @property
    def stdin(self) -> bool:
        """The shell is asked."""
        return True

    def argv(self, host: str) -> Sequence[str]:
        """Return the shell that lists and reads the files."""
        return argv_of(self.options.paths)

    async def try_once(self, host: str, program: RemoteProgram) -> None:
        """List the files."""
        await self._list(RemoteShell(host, program))

    async def serve(self, host: str, program: RemoteProgram, emit: Emit) -> None:
        """Look for what came, again and again, oftener while something comes."""
        shell, loop = RemoteShell(host, program), asyncio.get_running_loop()
        told = -self.options.interval
        known = self._hosts.setdefault(host, _Host())
        while True:
            listing = await self._list(shell)
            moved = await self._look(host, known, shell, listing, emit)
            if loop.time() - told >= self.options.interval:
                await self._tell_files(host, listing, emit)
                told = loop.time()
            await asyncio.sleep(min(QUICK, self.options.interval) if moved else self.options.interval)

    async def _list(self, shell: RemoteShell) -> Listing:
        number, answer = await shell.ask("l", timeout=self.options.timeout, limit=LISTING)
        return read_listing(number, answer)

    def _wanted(self, listing: Listing) -> list[Entry]:
        current = [
            entry
            for entry in listing.current()
            if not any(fnmatchcase(entry.path, pattern) for pattern in self.options.exclude)
        ]
        return current[: self.options.max_files]

    async def _look(self, host: str, known: _Host, shell: RemoteShell, listing: Listing, emit: Emit) -> bool:
        """Read what came into each file; True where something did."""
        moved = False
        for entry in self._wanted(listing):
            file = known.files.get(entry.path)
            if file is None:
                file = known.files[entry.path] = self._followed(host, entry.path)
                start = 0 if known.listed else entry.size - self.options.backfill_bytes
                known.begin(file, entry.inode, max(0, start))
            elif file.inode != entry.inode:
                await self._rotated(host, known, file, entry, shell, listing, emit)
            elif entry.size < file.offset:
                await self._say_gap(host, file, "the file was cut short", emit)
                file.begin(entry.inode)
                known.read(file)
            moved = await self._read(host, known, file, entry, shell, emit) or moved
            if settled := file.settled(time.time_ns()):
                await emit(settled)
        known.listed = True
        return moved

    async def _rotated(
        self,
        host: str,
        known: _Host,
        file: RemoteFile,
        entry: Entry,
        shell: RemoteShell,
        listing: Listing,
        emit: Emit,
    ) -> None:
        """Read the rest of a file that has another name by now, if it is there; then begin with the new one."""
        old, mark = listing.by_inode(file.inode, but=entry.path), known.marks.get(file.inode)
        if mark is not None and mark.offset > file.offset:  # read on under its new name already
            file.resume(file.inode, mark)
        if old is None or old.size < file.offset:
            await self._say_gap(host, file, "the file was replaced, and the old one is not beside it", emit)
        else:
            reached = -1
            while reached < file.offset < old.size:
                reached = file.offset
                await self._read(host, known, file, old, shell, emit)
        if rest := file.rest(time.time_ns()):
            await emit(rest)
        known.begin(file, entry.inode)

    async def _read(
        self, host: str, known: _Host, file: RemoteFile, entry: Entry, shell: RemoteShell, emit: Emit
    ) -> bool:
        """Read a turn's worth of a file; True where something came."""
        if (behind := entry.size - file.offset) > self.options.catch_up_bytes:
            left = behind - self.options.catch_up_bytes
            await self._say_gap(host, file, f"{size(left)} that came meanwhile are left out", emit)
            file.begin(entry.inode, file.offset + left)
        before = file.offset
        for _ in range(TURN):
            if file.offset >= entry.size:
                break
            question, reached = file.question(entry.index, entry.size), file.offset
            _, answer = await shell.ask(question, timeout=self.options.timeout, limit=AT_ONCE + 4 * BLOCK)
            try:
                texts = file.take(answer)
            except Rewritten:
                await self._say_gap(host, file, "the file was written anew", emit)
                file.begin(entry.inode)
                known.read(file)
                return True
            known.read(file)
            for start in range(0, len(texts), PART):
                await emit(file.records(texts[start : start + PART], time.time_ns()))
                await asyncio.sleep(0)
            if file.offset == reached:
                break
        return file.offset > before

    async def _say_gap(self, host: str, file: RemoteFile, why: str, emit: Emit) -> None:
        """Say that lines may be missing, at the place where they would be, after what was read before it."""
        now = time.time_ns()
        record = LogRecord(
            at=now,
            level=Level.WARN,
            body=f"lines of {host}:{file.path} may be missing here: {why}",
            attributes={"log.file.path": file.path, "cockpit.gap": True},
            source=self.name,
            resource=self._resource(host, file.path),
        )
        await emit([*file.rest(now), record])

    def _followed(self, host: str, path: str) -> RemoteFile:
        parser = LineParser(self._resource(host, path), {"log.file.path": path}, source=self.name)
        return RemoteFile(path, parser, Joiner(self._start_pattern, enabled=self.options.multiline))

    def _resource(self, host: str, path: str) -> dict[str, str]:
        return resource(self.options.service or service_name(path), host)

    async def _tell_files(self, host: str, listing: Listing, emit: Emit) -> None:
        followed, surplus = self._wanted(listing), len(listing.current()) - self.options.max_files
        words = [f"{len(followed)} files followed" if followed else "no file to follow"]
        if listing.refused:
            names = ", ".join(clean_text(path, 80) for path in listing.refused[:NAMED])
            words.append(f"{len(listing.refused)} can't be read: {names}")
        if surplus > 0:
            words.append(f"{surplus} more match than `max_files` allows")
        state = HealthState.OK if followed else HealthState.UNKNOWN
        await self.tell(host, emit, state, "; ".join(words))
