"""How a program on a host is told to stop, where its server passes no signals on.

OpenSSH refuses that to root, for want of privilege separation, and did not know of it before 7.9. There a small shell
says first which process group the program will be in, on a line of stderr that is taken out again, and turns into the
program; a second channel of the same connection then signals that group.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cockpit.ssh.connections import Connections
    from cockpit.ssh.pool import Pool

SINCE = (7, 9)
"""The version of OpenSSH that first passed signals on."""
LONGEST = 16 * 1024
"""Bytes of stderr in which the line is looked for: a login shell may complain before."""
_SAY = (
    'if kill -s 0 -- "-$$" 2>/dev/null; then echo "$1 $$" >&2; else echo "$1 $PPID" >&2; fi; shift; exec "$@"'
)
"""The login shell leads the group, unless it turned into this one."""
_SIGNAL = 'kill -s "$1" -- "-$2"'


async def passes_signals(connections: Connections, host: str) -> bool:
    """Return whether a host's server passes signals on; connects to it.

    Raises:
        CockpitError: No way leads there.
    """

    async def look(pool: Pool) -> bool:
        hop = await pool.hop(host)
        connection = await hop.connected()
        return _passes(str(connection.get_extra_info("server_version", "")), hop.config.user)

    return await connections.on_loop(look)


def _passes(version: str, user: str) -> bool:
    """Return whether a server of that version passes a user's signals on, as far as the small shell would help."""
    openssh = re.search(r"OpenSSH_(\d+)\.(\d+)", version)
    if openssh is None:
        return True
    return user != "root" and (int(openssh[1]), int(openssh[2])) >= SINCE


class Saying:
    """A program that says its process group before it begins."""

    def __init__(self) -> None:
        self._word = secrets.token_hex(8)
        self._pattern = re.compile(rb"(?:^|(?<=\n))" + self._word.encode() + rb" (\d{1,10})\n")
        self._held: bytes | None = b""
        self.group = 0
        """The group; 0 as long as it is not known."""

    def argv(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Return an argv that says the group and then is the one given."""
        return ("/bin/sh", "-c", _SAY, "sh", self._word, *argv)

    def rest(self, stderr: bytes) -> bytes:
        """Return what there is to pass on of a piece of stderr, without the line."""
        if self._held is None:
            return stderr
        self._held += stderr
        found = self._pattern.search(self._held)
        if found:
            self.group = int(found[1])
        elif len(self._held) < LONGEST:
            return b""
        held, self._held = self._held, None
        return held[: found.start()] + held[found.end() :] if found else held

    def end(self) -> bytes:
        """Return what is held, at the end of the output."""
        held, self._held = self._held, None
        return held or b""


def signal_argv(name: str, group: int) -> tuple[str, ...]:
    """Return an argv that signals a process group on its host.

    Args:
        name: Without `SIG`, such as `TERM`.
        group: The group.
    """
    return ("/bin/sh", "-c", _SIGNAL, "sh", name, str(group))
