"""Tokens such as `%h`, `~` and `${NAME}` in the values of ssh_config, as its section TOKENS has them."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import socket
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

_PLACE = re.compile(r"%(.?)|\$\{([^}]*)(\}?)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

ALL = "CdhijkLlnpru"
"""The tokens of names of files, of agents and of `Match exec`."""
COMMAND = "hjknpru"
"""Those of ProxyCommand and ProxyJump; `%j`, `%k` and `%u` come with later releases."""
USER = "dhijkLlnpu"
"""Those of User, as of OpenSSH 10."""


class Unexpandable(ValueError):
    """A token, a variable or a user's folder that there is not."""


class Here(Struct, frozen=True, kw_only=True):
    """What tokens say of this machine and its user.

    Attributes:
        home: The user's folder as the system's accounts have it, as OpenSSH takes it; HOME does not count.
    """

    user: str
    uid: int
    home: str
    hostname: str

    @classmethod
    def now(cls) -> Here:
        """Ask the system."""
        uid = os.getuid()
        try:
            account = pwd.getpwuid(uid)
            user, home = account.pw_name, account.pw_dir
        except KeyError:  # a container's user without an account; OpenSSH refuses to work there
            user, home = os.environ.get("USER") or str(uid), str(Path.home())
        return cls(user=user, uid=uid, home=home, hostname=socket.gethostname())


def tokens(
    here: Here, *, name: str, hostname: str, port: int, user: str, alias: str, jump: str
) -> dict[str, str]:
    """Return what each token stands for.

    Args:
        here: This machine.
        name: The host as it was asked for.
        hostname: Its real name or address.
        port: Its port.
        user: The user there.
        alias: HostKeyAlias; empty for none.
        jump: ProxyJump as it was said; empty for none.
    """
    hashed = hashlib.sha1(  # a name, no proof
        f"{here.hostname}{hostname}{port}{user}{jump}".encode(), usedforsecurity=False
    ).hexdigest()
    return {
        "C": hashed,
        "d": here.home,
        "h": hostname,
        "i": str(here.uid),
        "j": jump,
        "k": alias or name,
        "L": here.hostname.partition(".")[0],
        "l": here.hostname,
        "n": name,
        "p": str(port),
        "r": user,
        "u": here.user,
    }


def expanded(text: str, known: Mapping[str, str], allowed: str, *, variables: bool = False) -> str:
    """Return a text with its tokens replaced.

    Args:
        text: With tokens.
        known: What each stands for.
        allowed: Those that may be used here; `%%` may everywhere.
        variables: Whether `${NAME}` is replaced too.

    Raises:
        Unexpandable: There is no such token here, or no such variable.
    """

    def replaced(place: re.Match[str]) -> str:
        token, name, closed = place.groups()
        if token is None:
            return _variable(name, closed) if variables else place[0]
        if token == "%":  # noqa: S105  of ssh_config
            return "%"
        if not token or token not in allowed:
            raise Unexpandable(
                f"%{token} is no token here; there are %% {' '.join('%' + t for t in allowed)}"
            )
        return known[token]

    return _PLACE.sub(replaced, text)


def _variable(name: str, closed: str) -> str:
    if not closed or not name:
        raise Unexpandable("${ wants a variable's name and }")
    value = os.environ.get(name)
    if value is None:
        raise Unexpandable(f"the environment has no variable {name}")
    return value


def missing_variable(text: str) -> str | None:
    """Return what is wrong with the first `${NAME}` of a text that can't be replaced; None for nothing."""
    for place in _PLACE.finditer(text):
        if place[1] is None:
            try:
                _variable(place[2], place[3])
            except Unexpandable as error:
                return str(error)
    return None


def env_name(text: str) -> bool:
    """Tell whether a text can be a variable's name."""
    return _NAME.fullmatch(text) is not None


def untilded(text: str, here: Here) -> str:
    """Return a path with `~` or `~user` at its start replaced.

    Raises:
        Unexpandable: There is no such user.
    """
    if not text.startswith("~"):
        return text
    name, slash, rest = text[1:].partition("/")
    home = here.home
    if name:
        try:
            home = pwd.getpwnam(name).pw_dir
        except (KeyError, ValueError):
            raise Unexpandable(f"there is no user {name}") from None
    return f"{home.rstrip('/')}{slash}{rest.lstrip('/')}" if slash else home


def path_of(text: str, known: Mapping[str, str], here: Here) -> str:
    """Return a path with `~`, tokens and variables replaced.

    Raises:
        Unexpandable: One of them is not there.
    """
    return expanded(untilded(text, here), known, ALL, variables=True)
