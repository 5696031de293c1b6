"""Carries files: evidence from hosts into the action log's store, and uploads to them."""

from __future__ import annotations

import asyncio
import posixpath
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cockpit.actionlog.files import MEDIA_TYPE
from cockpit.actions.command import Command
from cockpit.actions.transport import Running, Stream
from cockpit.errors import CockpitError, CommandError
from cockpit.hygiene import clean_line
from cockpit.sftp.request import Fetch, Put, read
from cockpit.sftp.transfer import Progress, Transfer
from cockpit.signals import SECOND

if TYPE_CHECKING:
    import asyncssh

    from cockpit.actionlog.files import Manifest
    from cockpit.actionlog.log import ActionLog
    from cockpit.sftp.keeping import Keeping
    from cockpit.sftp.remote import RemoteFile
    from cockpit.ssh.connections import Connections
    from cockpit.ssh.pool import Pool

Say = Callable[[Stream, str], None]

EVERY = 0.1
"""Seconds between two looks at how far a transfer is."""


class SftpTransport:
    """Moves files over the pooled connections.

    Args:
        connections: The ways to hosts.
        log: Keeps the evidence.
        told: Given each transfer's progress, ten times a second at most.
    """

    def __init__(
        self, connections: Connections, log: ActionLog, told: Callable[[Progress], None] = lambda _: None
    ) -> None:
        self._connections = connections
        self._log = log
        self._told = told

    async def start(self, command: Command) -> Running:
        """Start the transfer that a command's words ask for.

        Raises:
            CockpitError: They ask for none, or its host can't be reached.
        """
        request = read(command.argv)
        sftp = await self._connections.on_loop(lambda pool: _session(pool, request.host))
        mover: _Fetching | _Putting
        if isinstance(request, Fetch):
            mover = _Fetching(self._connections, sftp, self._log, request, command.incident)
        else:
            mover = _Putting(self._connections, sftp, request)

        async def work(say: Say) -> int:
            telling = asyncio.create_task(self._tell(mover.progress))
            try:
                return await mover.move(say)
            finally:
                telling.cancel()
                self._told(mover.progress)
                await self._connections.on_loop(lambda _: _closed(sftp))

        return Transfer(work)

    async def _tell(self, progress: Progress) -> None:
        while True:
            self._told(progress)
            await asyncio.sleep(EVERY)


class _Fetching:
    """Brings files from a host."""

    def __init__(
        self,
        connections: Connections,
        sftp: asyncssh.SFTPClient,
        log: ActionLog,
        request: Fetch,
        incident: str,
    ) -> None:
        self.progress = Progress()
        self._connections = connections
        self._sftp = sftp
        self._log = log
        self._request = request
        self._incident = incident

    async def move(self, say: Say) -> int:
        """Fetch everything, say a line about each, and return how many could not be had."""
        files, failed = await self._find(say)
        self.progress.files = len(files)
        self.progress.total = sum(file.size for file in files)
        if self.progress.total > self._request.limit:
            raise CommandError(
                f"{self.progress.total:,} bytes are more than the limit of {self._request.limit:,}; "
                "nothing was fetched",
                where=self._request.host,
                remedy="fetch less, or raise --limit",
            )
        for file in files:
            self.progress.file = self._name(file.path)
            try:
                say(Stream.STDOUT, await self._fetch(file))
            except CockpitError as error:
                failed += 1
                say(Stream.STDERR, str(error))
            self.progress.files_done += 1
        return failed

    async def _find(self, say: Say) -> tuple[list[RemoteFile], int]:
        files: dict[str, RemoteFile] = {}
        failed = 0
        for path in self._request.paths:
            try:
                found = await self._connections.on_loop(partial(_found, self._sftp, self._request.host, path))
            except CockpitError as error:
                failed += 1
                say(Stream.STDERR, str(error))
                continue
            for file in found:
                if file.why_not:
                    say(Stream.STDERR, f"{self._name(file.path)}: left out: {file.why_not}")
                else:
                    files[file.path] = file
            if not found:
                say(Stream.STDERR, f"{self._name(path)}: is empty")
        return list(files.values()), failed

    async def _fetch(self, file: RemoteFile) -> str:
        """Fetch one file, keep it as evidence, and return the line about it."""
        came = await self._connections.on_loop(partial(self._copied, file))
        manifest, kept, resumed, changed = came
        title = f"{self._name(file.path)}, {manifest.size:,} bytes"
        evidence = await self._log.evidence(
            "file",
            title,
            msgspec.json.encode(manifest),
            query=self._name(file.path),
            start_ns=file.modified * SECOND,
            end_ns=time.time_ns(),
            media_type=MEDIA_TYPE,
            incident=self._incident,
        )
        notes = [
            f"resumed at {resumed:,} bytes" if resumed else "",
            f"{manifest.cut} secrets cut out" if manifest.cut else "",
            "it changed while it was fetched" if changed else "",
        ]
        told = "; ".join(filter(None, notes))
        about = f"{self._name(file.path)} · {manifest.size:,} bytes · sha256 {manifest.sha256}"
        return f"{about} · evidence {evidence} · {kept}{f' · {told}' if told else ''}"

    async def _copied(self, file: RemoteFile, _pool: Pool) -> tuple[Manifest, Path, int, bool]:
        """Copy one file into the store; on the connections' loop, what blocks in a thread."""
        from cockpit.sftp.copying import read as read_file
        from cockpit.sftp.keeping import Keeping, room_for
        from cockpit.sftp.remote import look

        where, loop = self._name(file.path), asyncio.get_running_loop()
        files = self._log.files
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="cockpit-fetch") as thread:
            keeping = await loop.run_in_executor(
                thread, lambda: Keeping(files, self._log.cleaner(), self._request.host, file)
            )
            if not room_for(files.folder, file.size):
                raise CommandError(
                    "the disk has no room for it", where=where, remedy=f"free some in {files.folder}"
                )
            try:
                go_on = await self._same_so_far(file, keeping, where)
                start = await loop.run_in_executor(thread, partial(keeping.open, go_on=go_on))
                self.progress.done += start

                async def take(data: bytes) -> None:
                    await loop.run_in_executor(thread, keeping.take, data)
                    self.progress.done += len(data)

                ended = await read_file(self._sftp, where, file.path, start=start, end=file.size, take=take)
                now = await look(self._sftp, self._request.host, file.path)
                manifest, path = await loop.run_in_executor(thread, keeping.finish)
            except OSError as error:
                raise CommandError(f"can't be kept: {error.strerror}", where=where) from None
            finally:
                await loop.run_in_executor(thread, keeping.close)
        changed = (now.size, now.modified) != (file.size, file.modified) or ended < file.size
        return manifest, path, start, changed

    async def _same_so_far(self, file: RemoteFile, keeping: Keeping, where: str) -> bool:
        """Return whether what an earlier transfer brought is still the beginning of the file."""
        from cockpit.sftp.copying import read as read_file

        here, tail = await asyncio.to_thread(keeping.earlier)
        if not tail or here > file.size:
            return False
        theirs = bytearray()

        async def take(data: bytes) -> None:
            theirs.extend(data)

        await read_file(self._sftp, where, file.path, start=here - len(tail), end=here, take=take)
        return bytes(theirs) == tail

    def _name(self, path: str) -> str:
        return f"{self._request.host}:{clean_line(path, 400)}"


class _Putting:
    """Puts files on a host."""

    def __init__(self, connections: Connections, sftp: asyncssh.SFTPClient, request: Put) -> None:
        self.progress = Progress(files=len(request.files))
        self._connections = connections
        self._sftp = sftp
        self._request = request

    async def move(self, say: Say) -> int:
        """Put everything there, say a line about each, and return how many could not be."""
        sizes = await asyncio.to_thread(_sizes, self._request.files)
        self.progress.total = sum(sizes)
        failed = before = 0
        for name, size in zip(self._request.files, sizes, strict=True):
            self.progress.file = name
            try:
                say(Stream.STDOUT, await self._put(Path(name), before))
            except CockpitError as error:
                failed += 1
                say(Stream.STDERR, str(error))
            before += size
            self.progress.done = before
            self.progress.files_done += 1
        return failed

    async def _put(self, file: Path, before: int) -> str:
        def told(done: int) -> None:
            self.progress.done = before + done

        from cockpit.actionlog.files import hashed

        path = self._request.path
        if len(self._request.files) > 1 or await self._connections.on_loop(lambda _: self._sftp.isdir(path)):
            path = posixpath.join(path, file.name)
        sha256 = await asyncio.to_thread(hashed, file)
        where = f"{self._request.host}:{clean_line(path, 400)}"
        size = await self._connections.on_loop(
            lambda _: _written(self._sftp, where, file, path, overwrite=self._request.overwrite, told=told)
        )
        return f"{file} -> {where} · {size:,} bytes · sha256 {sha256}"


async def _session(pool: Pool, host: str) -> asyncssh.SFTPClient:
    from cockpit.ssh.subsystem import sftp_client

    return await sftp_client(await pool.hop(host), pool.times.answer)


async def _closed(sftp: asyncssh.SFTPClient) -> None:
    sftp.exit()


async def _found(sftp: asyncssh.SFTPClient, host: str, path: str, _pool: Pool) -> list[RemoteFile]:
    from cockpit.sftp.remote import found

    return [file async for file in found(sftp, host, path)]


async def _written(
    sftp: asyncssh.SFTPClient,
    where: str,
    file: Path,
    path: str,
    *,
    overwrite: bool,
    told: Callable[[int], None],
) -> int:
    """Write a file beside its place and move it there once it is whole; return its size there."""
    from cockpit.sftp.copying import write
    from cockpit.ssh.errors import ssh_errors

    with ssh_errors(where):
        if not overwrite and await sftp.lexists(path):
            raise CommandError("it is there already", where=where, remedy="--overwrite replaces it")
    beside = posixpath.join(posixpath.dirname(path), f".{posixpath.basename(path)}.{time.time_ns():x}.part")
    try:
        with file.open("rb") as source:
            await write(sftp, where, beside, source, told)
        with ssh_errors(where):
            await sftp.posix_rename(beside, path)
            return (await sftp.stat(path)).size or 0
    except BaseException:
        await asyncio.shield(_removed(sftp, beside))
        raise


async def _removed(sftp: asyncssh.SFTPClient, path: str) -> None:
    import contextlib

    import asyncssh

    with contextlib.suppress(asyncssh.Error, OSError):
        await sftp.remove(path)


def _sizes(files: tuple[str, ...]) -> list[int]:
    """Return the sizes of local files.

    Raises:
        CommandError: One isn't a file that can be read.
    """
    sizes = []
    for name in files:
        path = Path(name)
        try:
            with path.open("rb"):
                sizes.append(path.stat().st_size)
        except OSError as error:
            raise CommandError(error.strerror or str(error), where=name, remedy="nothing was sent") from None
    return sizes
