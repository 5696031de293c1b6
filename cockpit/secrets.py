"""Where secrets come from: an environment variable, a file, or a command's first line.

They are read when they are needed and held by whoever needs them; no error here ever holds one, nor what a command
printed, for that may be one. What was resolved is remembered in this process, so that the action log can cut it out
of whatever it writes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from cockpit.errors import CommandError, ConfigError
from cockpit.process import capture
from cockpit.source import Secret

COMMAND_TIMEOUT = 10.0
"""Seconds that a secret's command may take."""
MAX_BYTES = 64 * 1024
"""Bytes read of a secret's file or output."""


SECRETIVE = re.compile(r"token|secret|passw|api-?_?key|credential|clear", re.IGNORECASE)
"""Names of options whose plain text is a secret."""

_resolved: set[str] = set()
"""The sources that resolve secrets, on threads of their own, and the log that must hold none share nothing else."""


def known() -> frozenset[str]:
    """Return every secret that was resolved in this process."""
    return frozenset(_resolved)


def remember(secret: str) -> None:
    """Have the action log cut out a secret from now on."""
    if secret:
        _resolved.add(secret)


def remember_configured(options: object, place: Callable[[str], str] = str) -> None:
    """Have the action log cut out the secrets that a source's raw options name, without running a command for any.

    A command line that runs no source resolves none of them, and what it runs may print them all the same.

    Args:
        options: The raw options, or what is in them.
        place: Returns where a file of that name is.
    """
    if isinstance(options, Mapping):
        for name, value in options.items():
            if isinstance(value, str) and SECRETIVE.search(str(name)):
                remember(value)
        if set(options) == {"env"} and isinstance(options["env"], str):
            remember(os.environ.get(options["env"], ""))
        elif set(options) == {"file"} and isinstance(options["file"], str):
            with contextlib.suppress(ConfigError):
                remember(_first_line(_read(place(options["file"]), ""), "the file", ""))
        options = tuple(options.values())
    if isinstance(options, list | tuple):
        for value in options:
            remember_configured(value, place)


async def resolve(secret: Secret, where: str) -> str:
    """Return a secret.

    Args:
        secret: Where it is kept; exactly one place.
        where: The source or target it is for, for errors.

    Raises:
        ConfigError: It is kept nowhere, or in several places, or can't be read there.
    """
    found = await _resolve(secret, where)
    remember(found)
    return found


async def _resolve(secret: Secret, where: str) -> str:
    places = [bool(secret.env), bool(secret.file), bool(secret.command), bool(secret.clear)]
    if sum(places) != 1:
        raise ConfigError(
            "a secret is kept in exactly one place", key=where, remedy="give env, file or command"
        )
    if secret.env:
        found = os.environ.get(secret.env, "")
        if not found:
            raise ConfigError(f"the environment variable {secret.env} is not set", key=where)
        return found
    if secret.file:
        return _first_line(
            await asyncio.to_thread(_read, secret.file, where), f"the file {secret.file}", where
        )
    if secret.command:
        return await _from_command(secret.command, where)
    return secret.clear


def _read(name: str, where: str) -> bytes:
    try:
        with Path(name).expanduser().open("rb") as file:
            return file.read(MAX_BYTES)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no such path"
        raise ConfigError(f"the secret's file {name} can't be read: {reason}", key=where) from None


async def _from_command(argv: tuple[str, ...], where: str) -> str:
    try:
        status, output, _ = await capture(argv, timeout=COMMAND_TIMEOUT, size=MAX_BYTES)
    except CommandError as error:
        raise ConfigError(f"the secret's command failed: {error}", key=where) from None
    if status:
        raise ConfigError(f"the secret's command {argv[0]} ended with status {status}", key=where)
    return _first_line(output, f"the command {argv[0]}", where)


def _first_line(content: bytes, origin: str, where: str) -> str:
    try:
        line = content.split(b"\n", 1)[0].rstrip(b"\r").decode()
    except UnicodeDecodeError:
        raise ConfigError(f"the first line of {origin} is no UTF-8", key=where) from None
    if not line:
        raise ConfigError(f"the first line of {origin} is empty", key=where)
    return line
