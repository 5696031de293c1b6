"""What there is on a host: files by name, glob or directory, found over SFTP and bounded."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import AsyncIterator

import asyncssh
from msgspec import Struct

from cockpit.errors import CommandError
from cockpit.hygiene import clean_line
from cockpit.ssh.errors import ssh_errors

DEPTH = 32
"""Directories within directories that are looked into."""
MOST = 10_000
"""Files of one request."""
_GLOB = frozenset("*?[")


class RemoteFile(Struct, frozen=True, kw_only=True):
    """A file on a host.

    Attributes:
        path: As the host names it; hostile, so cleaned where it is shown.
        modified: Seconds since the epoch.
        why_not: Why it is not one to be fetched, such as a socket; empty for a plain file.
    """

    path: str
    size: int = 0
    modified: int = 0
    mode: int = 0
    why_not: str = ""


async def found(sftp: asyncssh.SFTPClient, host: str, wanted: str) -> AsyncIterator[RemoteFile]:
    """Yield the files that a path, a glob or a directory stands for; links inside a directory are not followed.

    Args:
        sftp: A session.
        host: Its target, for errors.
        wanted: A path; relative to the account's home where it isn't absolute.

    Raises:
        CommandError: There is nothing, or too much.
        SshError: The host does not say.
    """
    count = 0
    for path in await _paths(sftp, host, wanted):
        async for file in _below(sftp, host, path, 0):
            count += 1
            if count > MOST:
                raise CommandError(
                    f"{clean_line(wanted)} is more than {MOST:,} files",
                    where=host,
                    remedy="fetch fewer at once",
                )
            yield file


async def look(sftp: asyncssh.SFTPClient, host: str, path: str) -> RemoteFile:
    """Return what a path is now, links followed.

    Raises:
        SshError: It isn't there, or may not be seen.
    """
    with ssh_errors(f"{host}:{clean_line(path)}"):
        return _described(path, await sftp.stat(path))


async def _paths(sftp: asyncssh.SFTPClient, host: str, wanted: str) -> list[str]:
    if not _GLOB & set(wanted):
        return [wanted]
    with ssh_errors(f"{host}:{clean_line(wanted)}"):
        names = sorted(str(name) for name in await sftp.glob(wanted))
    if not names:
        raise CommandError("nothing fits", where=f"{host}:{clean_line(wanted)}", remedy="check the pattern")
    return names


async def _below(sftp: asyncssh.SFTPClient, host: str, path: str, depth: int) -> AsyncIterator[RemoteFile]:
    file = await look(sftp, host, path)
    if not stat.S_ISDIR(file.mode):
        yield file
        return
    if depth == DEPTH:
        yield RemoteFile(path=path, why_not=f"more than {DEPTH} directories deep")
        return
    with ssh_errors(f"{host}:{clean_line(path)}"):
        entries = sorted(await sftp.readdir(path), key=lambda entry: str(entry.filename))
    for entry in entries:
        name = str(entry.filename)
        if name in (".", "..") or "/" in name:
            continue
        inside = posixpath.join(path, name)
        kept = _described(inside, entry.attrs)
        if stat.S_ISDIR(kept.mode):
            async for each in _below(sftp, host, inside, depth + 1):
                yield each
        else:
            yield kept


def _described(path: str, attributes: asyncssh.SFTPAttrs) -> RemoteFile:
    mode = attributes.permissions or 0
    kind = stat.S_IFMT(mode)
    if kind in (stat.S_IFREG, stat.S_IFDIR, 0):
        why_not = ""
    else:
        names = {stat.S_IFLNK: "a link", stat.S_IFSOCK: "a socket", stat.S_IFIFO: "a pipe"}
        why_not = f"{names.get(kind, 'a device')}, no file"
    return RemoteFile(
        path=path,
        size=attributes.size or 0,
        modified=int(attributes.mtime or 0),
        mode=mode,
        why_not=why_not,
    )
