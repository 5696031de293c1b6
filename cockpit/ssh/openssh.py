"""What OpenSSH itself says about a host: `ssh -G`, to compare with."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit import process
from cockpit.errors import CommandError

TIMEOUT = 10.0
"""Seconds that `ssh -G` may take: a `Match exec` of the configuration may."""


async def dump(host: str, *, arguments: Sequence[str] = ()) -> dict[str, list[str]]:
    """Return each option's values as `ssh -G HOST` prints them, by its lower-case name.

    Args:
        host: The name to ask for, `[user@]host`.
        arguments: More arguments, such as `-F FILE`.

    Raises:
        CommandError: There is no ssh, or it does not like its configuration.
    """
    status, out, err = await process.capture(("ssh", "-G", *arguments, "--", host), timeout=TIMEOUT)
    if status:
        raise CommandError(err.decode(errors="replace").strip() or f"exit status {status}", where="ssh -G")
    options: dict[str, list[str]] = {}
    for line in out.decode(errors="replace").splitlines():
        name, _, value = line.partition(" ")
        options.setdefault(name.lower(), []).append(value)
    return options
