"""Who asks: the person behind this process, as far as the machine knows."""

from __future__ import annotations

import contextlib
import os
import socket

from msgspec import Struct


class Actor(Struct, frozen=True, kw_only=True):
    """The operator of this cockpit.

    Attributes:
        user: The account this process runs as.
        host: This machine's name.
        tty: The terminal, such as `/dev/pts/3`; empty without one.
        sudo_user: The account that became `user` by sudo; empty where none did.
    """

    user: str
    host: str
    tty: str = ""
    sudo_user: str = ""

    def __str__(self) -> str:
        name = f"{self.user}@{self.host}"
        return f"{name} (sudo by {self.sudo_user})" if self.sudo_user else name


def current_actor() -> Actor:
    """Find who runs this process.

    The account is that of the user id, which a changed environment can't fake; SUDO_USER is taken at its word.
    """
    import pwd

    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"uid {os.getuid()}"
    return Actor(
        user=user, host=socket.gethostname(), tty=_terminal(), sudo_user=os.environ.get("SUDO_USER", "")
    )


def _terminal() -> str:
    for number in (0, 1, 2):
        with contextlib.suppress(OSError):
            return os.ttyname(number)
    return ""
