"""Log files, followed as they grow: many at once, by patterns, through rotation and truncation.

Files are looked at with stat(2) every second, five times as often while they grow; no kernel interface for
watching is needed, so network file systems and every Unix work alike.
"""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Callable
from operator import attrgetter
from pathlib import Path

from cockpit.errors import SourceError
from cockpit.formats.multiline import Joiner
from cockpit.formats.stream import LineParser
from cockpit.signals import HealthSample, HealthState, LogRecord
from cockpit.source import Emit, Options, Source, TimeRange, resource
from cockpit.stores.logs.query import parse_query
from sources.support.filesearch import Search
from sources.support.followed import Followed, Following, read_gz
from sources.support.parsing import Parsing

QUICK = 0.2
"""Seconds between two looks while files grow."""

BATCH = 2_000
"""Records handed over at once."""

SLICE = 0.006
"""Seconds of work before others on the loop get their turn."""

NAMED = 5
"""Files named in the health row when they can't be read."""

PATHS = (
    "/var/log/syslog", "/var/log/messages", "/var/log/secure", "/var/log/cron", "/var/log/maillog",
    "/var/log/*.log", "/var/log/*/*.log", "/var/log/nginx/*", "/var/log/apache2/*", "/var/log/httpd/*",
)  # fmt: skip

SUBJECT = "log files"
"""The subject of the health row; another source than `files` itself adds its name."""

EXCLUDED = ("*.gz", "*.xz", "*.bz2", "*.zst", "*.[0-9]", "*.[0-9][0-9]", "*.old", "/var/log/journal/*")


class FilesOptions(Options, frozen=True, kw_only=True):
    """Which files to follow, and how to read them."""

    interval: float = 1.0
    """Seconds between two looks at files that don't grow."""
    paths: tuple[str, ...] = PATHS
    """Files and shell patterns; `**` goes through all folders below. `~` is the home folder."""
    exclude: tuple[str, ...] = EXCLUDED
    """Shell patterns of paths that are left out."""
    rescan: float = 5.0
    """Seconds between two searches for new files."""
    max_files: int = 500
    """Files followed at most: those that were written last."""
    backfill_bytes: int = 64 * 1024
    """Bytes read from the end of each file at the start."""
    backfill_total: int = 2 * 1024 * 1024
    """Bytes read from the ends of all files together at the start."""
    gz: bool = False
    """Whether to read packed files once, at the start, as history: `*.log` finds `app.log.2.gz` as well."""
    gz_bytes: int = 64 * 1024 * 1024
    """Bytes read of one unpacked `.gz` file at most."""
    multiline: bool = True
    """Whether to join stack traces and indented lines to the record that they belong to."""
    record_start: str = ""
    """A regular expression found in the first line of every record; the others are joined to it."""
    service: str = ""
    """`service.name` of the records that name none; by default from the file's name."""
    host_name: str = ""
    """`host.name` of the records that name none; the machine's own name where empty."""

    def __post_init__(self) -> None:
        try:
            re.compile(self.record_start)
        except re.error as error:
            raise ValueError(f"`record_start` is no regular expression: {error}") from None


class FilesSource(Source[FilesOptions]):
    """Log files of this machine."""

    kind = "files"
    summary = "log files, followed through rotation: text of common formats, JSON lines, logfmt"
    options_type = FilesOptions
    emits = frozenset({LogRecord, HealthSample})
    offers = frozenset({"query_logs"})

    def __init__(self, name: str, options: FilesOptions) -> None:
        super().__init__(name, options)
        self._start = re.compile(options.record_start) if options.record_start else None
        self._host = options.host_name
        self._following = Following(
            options.paths, exclude=options.exclude, most=options.max_files, follow=self._follow
        )
        self._parsing = Parsing(options.record_start, joined=options.multiline)
        self._outbox: list[LogRecord] = []
        self._began = False

    def joiner(self) -> Joiner:
        """Return a joiner of lines as the options want it."""
        return Joiner(self._start, enabled=self.options.multiline)

    def parser(self, path: str) -> LineParser:
        """Return a parser for the lines of a file."""
        self._host = self._host or socket.gethostname()
        where = resource(self.options.service or service_name(path), self._host)
        return LineParser(where, {"log.file.path": path}, source=self.name)

    def _follow(self, path: str) -> Followed:
        return Followed(path, self.parser(path), self.joiner())

    async def run(self, emit: Emit) -> None:
        """Read the files' ends, then follow them until cancelled; started again, go on where they were left."""
        try:
            await self._begin(emit)
            loop = asyncio.get_running_loop()
            scanned = spoken = loop.time()
            while True:
                if loop.time() - scanned >= self.options.rescan:
                    await self._scan()
                    await emit.replace(HealthSample, [self._health()])
                    scanned = spoken = loop.time()
                moved = await self._sweep(emit)
                await self._parsing.settle(self._following.all)
                if moved:
                    spoken = loop.time()
                elif loop.time() - spoken >= self.options.interval:
                    await emit([])
                    spoken = loop.time()
                await asyncio.sleep(self._pause(moved=moved))
        finally:
            self._parsing.recall()
            self._outbox += self._following.suspend(time.time_ns())
            await self._parsing.end()

    async def check(self) -> str:
        """Look for the files and say how many can be read."""
        await self._scan()
        try:
            followed, refused = len(self._following.files), self._following.refused
            if not followed:
                remedy = "give this user the right to read them" if refused else "check `paths`"
                raise SourceError(self._reason(), where=self.name, remedy=remedy)
            return self._reason()
        finally:
            self._following.suspend(time.time_ns())

    async def query_logs(self, query: str, within: TimeRange, limit: int) -> list[LogRecord]:
        """Return the newest records that fulfil a query, oldest first, looking through the files backwards."""
        search = Search(parse_query(query), within, limit, seconds=max(1.0, self.options.timeout))

        def look() -> list[LogRecord]:
            for path in self._following.paths():
                search.look_into(path, self.parser(path), self.joiner)
                if search.stop.is_set():
                    break
            return search.found

        try:
            return await asyncio.to_thread(look)
        finally:
            search.stop.set()

    async def _begin(self, emit: Emit) -> None:
        """Read what is there at the start, merged by time."""
        records: list[LogRecord] = []
        if not self._began:
            if self.options.gz:
                async for part in self._history():
                    records += part
            await self._scan(self._share)
            share = self._share(len(self._following.files))
            for followed in self._following.files:
                for part in followed.back_fill(share):
                    records += part
                    await asyncio.sleep(0)
            self._began = True
        else:
            await self._scan()
        records.sort(key=attrgetter("at"))
        self._outbox += records
        await self._send(emit)
        await emit.replace(HealthSample, [self._health()])

    async def _scan(self, from_end: Callable[[int], int] | None = None) -> None:
        """Look for files that are not followed yet; the looking is done on a thread."""
        self._following.take_up(await asyncio.to_thread(self._following.matching), from_end)

    def _share(self, files: int) -> int:
        return min(self.options.backfill_bytes, self.options.backfill_total // max(1, files))

    async def _history(self) -> AsyncIterator[list[LogRecord]]:
        for path in self._following.packed():
            async for part in read_gz(path, self.parser(path), self.joiner(), self.options.gz_bytes):
                yield part

    async def _sweep(self, emit: Emit) -> bool:
        """Read what came into each file; True when something did."""
        found = False
        loop = asyncio.get_running_loop()
        paused = loop.time()
        for followed in self._following.turns():
            for block in followed.blocks():
                async for part in self._parsing.records(followed, block, time.time_ns()):
                    found = await self._take(part, emit) or found
                if loop.time() - paused > SLICE:
                    await asyncio.sleep(0)
                    paused = loop.time()
        async for part in self._parsing.rest():
            found = await self._take(part, emit) or found
        await self._send(emit)
        return found

    async def _take(self, part: list[LogRecord], emit: Emit) -> bool:
        """Put records in the outbox, and hand it over where it is full; True where there are some."""
        self._outbox += part
        if len(self._outbox) >= BATCH:
            await self._send(emit)
        return bool(part)

    def _pause(self, *, moved: bool) -> float:
        if any(followed.more for followed in self._following.files):
            return 0.0
        busy = moved or self._following.waiting
        return min(QUICK, self.options.interval) if busy else self.options.interval

    async def _send(self, emit: Emit) -> None:
        """Hand over what is ready; a record leaves the outbox only once it was taken."""
        while self._outbox:
            batch = self._outbox[:BATCH]
            batch.sort(key=attrgetter("at"))
            await emit(batch)
            del self._outbox[: len(batch)]
            await asyncio.sleep(0)

    def _reason(self) -> str:
        following = self._following
        count = len(following.files)
        words = [f"{count} file{'s' if count > 1 else ''} followed" if count else "no file to follow"]
        if following.refused:
            names = ", ".join(sorted(following.refused)[:NAMED])
            more = len(following.refused) - NAMED
            words.append(
                f"{len(following.refused)} can't be read: {names}" + (f" and {more} more" if more > 0 else "")
            )
        if following.surplus:
            words.append(f"{following.surplus} more match than `max_files` allows")
        return "; ".join(words)

    def _health(self) -> HealthSample:
        following = self._following
        return HealthSample(
            at=time.time_ns(),
            subject=SUBJECT if self.name == self.kind else f"{SUBJECT} ({self.name})",
            kind="source",
            state=HealthState.OK if following.files else HealthState.UNKNOWN,
            reason=self._reason(),
            value=float(len(following.files)),
            unit="{file}",
            source=self.name,
            resource=resource(host=self._host or socket.gethostname()),
            details={"not readable": len(following.refused), "over max_files": following.surplus},
        )


def service_name(path: str) -> str:
    """Return the service that a log file's path tells of: `nginx` of /var/log/nginx/access.log, else its stem."""
    found = Path(path)
    parts = found.parts
    if parts[:3] == ("/", "var", "log") and len(parts) > 4:
        return parts[3]
    return found.name.split(".")[0] or found.name
