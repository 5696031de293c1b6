"""What ssh_config says about a host: the files read in one pass or two, and their values made into types."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from cockpit.errors import ConfigError, UsageError
from cockpit.ssh.config.canonical import canonical, enabled
from cockpit.ssh.config.jumps import destination
from cockpit.ssh.config.lines import lines_of
from cockpit.ssh.config.matching import Facts
from cockpit.ssh.config.options import Wrong
from cockpit.ssh.config.reader import DEEPEST, MOST_INCLUDED, Reader, Said, Source, included, placed
from cockpit.ssh.config.tokens import Here, Unexpandable, expanded
from cockpit.ssh.config.values import Values, tokens_of
from cockpit.ssh.host_config import HostConfig, Jump

SYSTEM_FILE = "/etc/ssh/ssh_config"

_BAD_HOST = re.compile(r"^-|[\s'\"`$\\;&<>|(){}\x00-\x20\x7f]")
_BAD_USER = re.compile(r"^-|[\s'\"`$;&<>|(){}\x00-\x20\x7f]|\\$")
"""What names may not hold, for they may come to stand in a shell's line: of ProxyCommand, or of `Match exec`."""


class Reading(Struct, frozen=True, kw_only=True):
    """What ssh_config says about a host.

    Attributes:
        said: What was said, by the option's name, and where; options that nobody named are not there.
        tokens: What `%h` and others stand for.
        here: This machine.
    """

    config: HostConfig
    said: dict[str, list[Said]]
    tokens: dict[str, str]
    here: Here


async def resolve(
    host: str, *, files: Sequence[Path] | None = None, user: str = "", port: int = 0
) -> HostConfig:
    """Return what the configuration says about a host.

    Args:
        host: The name as the operator typed it; `user@` may stand before it.
        files: The user's and the system's file; None takes OpenSSH's own.
        user: Overrides the configuration, as `ssh -l` does.
        port: Overrides the configuration, as `ssh -p` does.

    Raises:
        ConfigError: A file is wrong.
        UsageError: The host's or the user's name can't be one.
        HostUnreachable: The name has to be known to the resolver, and is not.
    """
    return (await read(host, files=files, user=user, port=port)).config


async def read(
    host: str, *, files: Sequence[Path] | None = None, user: str = "", port: int = 0, here: Here | None = None
) -> Reading:
    """Return what the configuration says about a host, and where it says so.

    Args:
        host: The name as the operator typed it.
        files: The user's and the system's file; None takes OpenSSH's own.
        user: Overrides the configuration.
        port: Overrides the configuration.
        here: This machine; None asks the system.

    Raises:
        ConfigError: A file is wrong.
        UsageError: The host's or the user's name can't be one.
        HostUnreachable: The name has to be known to the resolver, and is not.
    """
    here = here or Here.now()
    asked = _asked(host, user, port)
    given = {"user": asked.user, "port": str(asked.port or "")}
    reader = Reader(here, {name: Said((word,)) for name, word in given.items() if word})
    sources = _sources(files, here)
    for source in sources:
        await reader.read(source, asked.host, _facts(reader, asked.host, ""))
    with placed(reader, "hostname"):
        hostname = _hostname(reader, asked.host)
    hostname = await canonical(plain_address(hostname) or hostname.lower(), reader)
    if enabled(reader) or reader.final_wanted:
        reader.set("hostname", hostname)
        for source in sources:
            await reader.read(source, hostname, _facts(reader, asked.host, hostname))
    if "refuseconnection" in reader.said:
        said = reader.said["refuseconnection"][0]
        raise ConfigError(said.words[0], file=said.file, line=said.line, key="RefuseConnection")
    return _reading(host, asked.host, hostname, reader)


def known_names(files: Sequence[Path] | None = None) -> tuple[str, ...]:
    """Return the names after `Host` that are no patterns, in their order, for choosing one.

    Raises:
        ConfigError: A file can't be read; what else may be wrong with it is `resolve`'s to say.
    """
    here = Here.now()
    names: dict[str, None] = {}
    seen: set[str] = set()
    for source in _sources(files, here):
        _gather(source, here, names, seen, 0)
    return tuple(names)


def _gather(source: Source, here: Here, names: dict[str, None], seen: set[str], depth: int) -> None:
    """Add the names of a file, and of those that it includes where they stand; no file is read twice."""
    if source.path in seen or len(seen) >= MOST_INCLUDED or depth > DEEPEST:
        return
    seen.add(source.path)
    for line in lines_of(source.path, needed=source.needed, strict=source.strict):
        if line.name == "host":
            names.update(dict.fromkeys(word for word in line.words if not re.search(r"[*?!]", word)))
        elif line.name == "include":
            for word in line.words:
                with contextlib.suppress(Wrong, Unexpandable):
                    for path in included(word, source, here):
                        inner = Source(path, source.user, needed=False, strict=True)
                        _gather(inner, here, names, seen, depth + 1)


def _asked(host: str, user: str, port: int) -> Jump:
    if host.lower().startswith("ssh://"):
        try:
            found = destination(host)
        except ValueError as error:
            raise UsageError(f"an ssh:// address takes {error}", where=host) from None
    else:
        before, _, name = host.rpartition("@")
        found = Jump(host=name.removeprefix("[").removesuffix("]"), user=before)
    asked = Jump(host=found.host, user=user or found.user, port=port or found.port)
    if not asked.host or _BAD_HOST.search(asked.host):
        raise UsageError("is no host's name", where=repr(host), remedy="it has a character that no name has")
    if _BAD_USER.search(asked.user):
        raise UsageError(
            "is no user's name", where=repr(asked.user), remedy="it has a character that no name has"
        )
    return asked


def _sources(files: Sequence[Path] | None, here: Here) -> tuple[Source, ...]:
    if files is None:
        own = str(Path(here.home) / ".ssh" / "config")
        return (
            Source(own, user=True, needed=False, strict=True),
            Source(SYSTEM_FILE, user=False, needed=False, strict=False),
        )
    return tuple(Source(str(path), user=not at, needed=True, strict=not at) for at, path in enumerate(files))


def plain_address(host: str) -> str | None:
    """Return an address as it is usually written, or None for a name."""
    if not (host[:1].isdigit() or ":" in host):
        return None
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return socket.getnameinfo(found[0][4], socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
    except (OSError, UnicodeError):
        return None


def _hostname(reader: Reader, name: str) -> str:
    """Return what HostName makes of a name; without one, a `%` in it is its own, as in `fe80::1%eth0`."""
    return expanded(reader.one("hostname"), {"h": name}, "h") if "hostname" in reader.said else name


def _facts(reader: Reader, original: str, final: str) -> Callable[[], Facts]:
    def now() -> Facts:
        host = final or _hostname(reader, original)
        user, port = reader.one("user", reader.here.user), int(reader.one("port", "22"))
        return Facts(
            host=host,
            original=original,
            user=user,
            local_user=reader.here.user,
            tag=reader.one("tag"),
            tokens=tokens_of(reader, original, host, user, port, alias=host),
            final=bool(final),
        )

    return now


def _reading(asked: str, name: str, hostname: str, reader: Reader) -> Reading:
    values = Values(reader, name, hostname)
    return Reading(config=values.host_config(asked), said=reader.said, tokens=values.tokens, here=reader.here)
