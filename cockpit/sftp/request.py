"""What is asked for, as the words that stand in the record and as types."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from cockpit.errors import UsageError

LIMIT = 4 << 30
"""Bytes that one fetch brings at most, unless more is asked for."""


class Fetch(Struct, frozen=True, kw_only=True):
    """Files to be fetched from a host.

    Attributes:
        paths: Files, globs and directories, as the host names them.
        limit: Bytes that may come in all.
    """

    host: str
    paths: tuple[str, ...]
    limit: int = LIMIT

    @property
    def argv(self) -> tuple[str, ...]:
        """The words of the record."""
        places = (f"{self.host}:{path}" for path in self.paths)
        return ("cockpit", "fetch", "--limit", str(self.limit), "--", *places)


class Put(Struct, frozen=True, kw_only=True):
    """Files to be put on a host.

    Attributes:
        files: Their local paths.
        path: Where to: a directory where it ends in `/` or there is more than one file.
        overwrite: Whether one that is there may be replaced.
    """

    host: str
    files: tuple[str, ...]
    path: str
    overwrite: bool = False

    @property
    def argv(self) -> tuple[str, ...]:
        """The words of the record."""
        flags = ("--overwrite",) if self.overwrite else ()
        return ("cockpit", "put", *flags, "--", *self.files, f"{self.host}:{self.path}")


def read(argv: Sequence[str]) -> Fetch | Put:
    """Return the request that the words of a record say.

    Raises:
        UsageError: They say none.
    """
    match list(argv):
        case ["cockpit", "fetch", "--limit", limit, "--", first, *more] if limit.isdecimal():
            places = [place(each) for each in (first, *more)]
            return Fetch(host=places[0][0], paths=tuple(path for _, path in places), limit=int(limit))
        case ["cockpit", "put", "--overwrite", "--", *files, where] if files:
            host, path = place(where)
            return Put(host=host, files=tuple(files), path=path, overwrite=True)
        case ["cockpit", "put", "--", *files, where] if files:
            host, path = place(where)
            return Put(host=host, files=tuple(files), path=path)
        case _:
            raise UsageError("that asks for no transfer", where=" ".join(argv[:2]))


def place(text: str) -> tuple[str, str]:
    """Split `HOST:PATH`; an empty path is the account's home.

    Raises:
        UsageError: It isn't that.
    """
    if text.startswith("["):  # an IPv6 address
        host, bracket, rest = text[1:].partition("]")
        colon, path = rest[:1], rest[1:]
        if not bracket or colon != ":":
            host = ""
    else:
        host, colon, path = text.partition(":")
    if not host or not colon or host.startswith("-") or "\0" in path:
        raise UsageError(f"{text!r} is no HOST:PATH", remedy="such as web-1:/var/log/nginx/error.log")
    return host, path or "."


def fetches(places: Sequence[str], limit: int) -> list[Fetch]:
    """Return a request a host for places, in the order in which hosts are first named.

    Raises:
        UsageError: One isn't a place.
    """
    paths: dict[str, list[str]] = {}
    for each in places:
        host, path = place(each)
        paths.setdefault(host, []).append(path)
    return [Fetch(host=host, paths=tuple(wanted), limit=limit) for host, wanted in paths.items()]
