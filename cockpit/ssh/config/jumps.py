"""Destinations as they are written: `[user@]host[:port]`, in ProxyJump and by those who ask for a host."""

from __future__ import annotations

import re
import socket
from urllib.parse import unquote

from cockpit.ssh.host_config import Jump

_HOST_PORT = re.compile(r"(\[[^\]]*\]|[^:/\[][^:/]*)(?:[:/](.*))?", re.DOTALL)


def jumps(text: str) -> tuple[Jump, ...]:
    """Return the hops of a ProxyJump, the nearest first.

    Raises:
        ValueError: An entry is no destination.
    """
    return tuple(destination(each) for each in text.split(","))


def destination(text: str) -> Jump:
    """Return one destination; `ssh://` may stand before it.

    Raises:
        ValueError: It is none.
    """
    uri = text.lower().startswith("ssh://")
    rest = text[len("ssh://") :].removesuffix("/") if uri else text
    user, at, place = rest.rpartition("@")
    found = _HOST_PORT.fullmatch(place)
    if found is None or (at and not user) or found[1] == "[]" or (uri and "/" in place):
        raise ValueError(f"[user@]host[:port], which {text!r} is not")
    host = found[1][1:-1] if found[1].startswith("[") else found[1]
    number = port_number(found[2]) if found[2] else 0
    if number is None:
        raise ValueError(f"[user@]host[:port], and {found[2]!r} is no port")
    return Jump(host=host, user=unquote(user) if uri else user, port=number)


def port_number(text: str) -> int | None:
    """Return a port by its number or its service's name, or None where it is neither."""
    if re.fullmatch(r"[+]?[0-9]{1,12}", text):
        return int(text) if 0 < int(text) < 65_536 else None
    if text[:1].isdigit():
        return None
    try:
        return socket.getservbyname(text, "tcp")
    except (OSError, ValueError):
        return None
