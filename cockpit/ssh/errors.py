"""The one seam to asyncssh's errors: each becomes one of ours, with the hop, the reason and the remedy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import asyncssh

from cockpit.errors import (
    ChannelRefused,
    ConnectionLost,
    HostKeyRefused,
    HostUnreachable,
    LoginRefused,
    SshError,
)


@contextlib.contextmanager
def ssh_errors(hop: str) -> Iterator[None]:
    """Map what asyncssh and sockets raise in a block.

    Raises:
        SshError: One of its subclasses.
    """
    try:
        yield
    except SshError:
        raise
    except (TimeoutError, asyncssh.Error, OSError) as error:
        raise mapped(error, hop) from None


def mapped(error: BaseException, hop: str) -> SshError:
    """Return ours for one of theirs."""
    text = " ".join(str(error).split())
    match error:
        case asyncssh.HostKeyNotVerifiable():
            return HostKeyRefused(text, where=hop)
        case asyncssh.PermissionDenied():
            return LoginRefused("permission denied", where=hop)
        case asyncssh.ChannelOpenError():
            return ChannelRefused(text, where=hop)
        case asyncssh.ConnectionLost():
            return ConnectionLost("the connection was lost", where=hop)
        case _:
            return HostUnreachable(text or type(error).__name__, where=hop)
