"""Patterns, and the conditions of `Host` and `Match`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network
from socket import AF_INET, AF_INET6

from msgspec import Struct

from cockpit import process
from cockpit.errors import CommandError
from cockpit.ssh.config.lines import delimited
from cockpit.ssh.config.options import Wrong
from cockpit.ssh.config.tokens import ALL, Unexpandable, expanded

EXEC_S = 10.0
"""Seconds that the command of a `Match exec` may take."""
VERSION = "OpenSSH_10.0"
"""The release whose rules are followed, for `Match version`."""


@lru_cache(maxsize=8192)
def _compiled(pattern: str) -> Callable[[str], object]:
    first, *parts = [
        "".join("." if each == "?" else re.escape(each) for each in part) for part in pattern.split("*")
    ]
    # Each part is taken where it first fits and stays there, so that no pattern takes long.
    middle = "".join(f"(?>.*?{part})" for part in parts[:-1])
    return re.compile(first + middle + (f".*{parts[-1]}" if parts else ""), re.DOTALL).fullmatch


def fits(text: str, pattern: str) -> bool:
    """Tell whether a text fits a pattern, in which only `*` and `?` stand for others."""
    if "*" in pattern or "?" in pattern:
        return _compiled(pattern)(text) is not None
    return text == pattern


def fits_any(text: str, patterns: Sequence[str]) -> bool:
    """Tell whether a text fits one of the patterns; one after `!` that fits decides against."""
    found = False
    for pattern in patterns:
        if pattern.startswith("!"):
            if fits(text, pattern[1:]):
                return False
        elif not found:
            found = fits(text, pattern)
    return found


def fits_list(text: str, patterns: str) -> bool:
    """Tell whether a text fits one of the patterns between commas; one after `!` that fits decides against."""
    return fits_any(text, patterns.split(","))


class Facts(Struct, frozen=True, kw_only=True):
    """What the conditions of `Match` are held against.

    Attributes:
        host: The host's name as it stands now, HostName considered.
        original: As it was asked for.
        tokens: Those of the commands of `exec`.
        final: Whether this is the last pass.
    """

    host: str
    original: str
    user: str
    local_user: str
    tag: str
    tokens: dict[str, str]
    final: bool


class Conditions(Struct, frozen=True):
    """What stands after `Match`.

    Attributes:
        tests: Name in lower case, whether it is negated, and its argument.
        final: Whether the last pass is asked for.
    """

    tests: tuple[tuple[str, bool, str], ...]
    final: bool

    async def hold(self, facts: Facts) -> bool:
        """Tell whether all hold; commands run only where all before them did.

        Raises:
            Wrong: A command can't be run, or a network is none.
        """
        for name, negated, argument in self.tests:
            if await _holds(name, argument, facts) == negated:
                return False
        return True


_LONE = ("all", "canonical", "final")
_SIMPLE: dict[str, Callable[[Facts, str], bool]] = {
    "all": lambda facts, argument: True,
    "canonical": lambda facts, argument: facts.final,
    "final": lambda facts, argument: facts.final,
    "host": lambda facts, argument: fits_list(facts.host.lower(), argument.lower()),
    "originalhost": lambda facts, argument: fits_list(facts.original.lower(), argument.lower()),
    "user": lambda facts, argument: fits_list(facts.user, argument),
    "localuser": lambda facts, argument: fits_list(facts.local_user, argument),
    "localnetwork": lambda facts, argument: _local_network(argument),
    "tagged": lambda facts, argument: fits_list(facts.tag, argument),
    "version": lambda facts, argument: fits_list(VERSION, argument),
    # One connection serves shells, commands and fetched files alike, so it is set up as for a shell.
    "sessiontype": lambda facts, argument: fits_list("shell", argument),
    "command": lambda facts, argument: fits_list("", argument),
}


@lru_cache(maxsize=1024)
def conditions(rest: str) -> Conditions:
    """Read what stands after `Match`.

    Raises:
        Wrong: It is no condition.
    """
    tests: list[tuple[str, bool, str]] = []
    left: str | None = rest
    while left is not None:
        word, left = delimited(left)
        if not word or word.startswith("#"):
            break
        negated = word.startswith("!")
        name = word[negated:].lower()
        if name not in _SIMPLE and name != "exec":
            raise Wrong(f"conditions ({', '.join((*_SIMPLE, 'exec'))}), which {word} is not")
        if name == "all":
            following = (left or "").lstrip()
            if len(tests) > 1 or (following and not following.startswith("#")):
                raise Wrong("`all` alone")
            tests.append((name, negated, ""))
            break
        if name in _LONE:
            tests.append((name, negated, ""))
            continue
        argument, left = delimited(left) if left is not None else (None, None)
        if not argument or argument.startswith("#"):
            raise Wrong(f"something after `{name}`")
        tests.append((name, negated, argument))
    if not tests:
        raise Wrong("a condition")
    return Conditions(tuple(tests), any(name == "final" for name, _, _ in tests))


async def _holds(name: str, argument: str, facts: Facts) -> bool:
    if name == "exec":
        return await _succeeds(argument, facts)
    return _SIMPLE[name](facts, argument)


async def _succeeds(command: str, facts: Facts) -> bool:
    """Run a command by the user's shell, as the user's own file asks for."""
    shell = os.environ.get("SHELL") or "/bin/sh"
    try:
        line = expanded(command, facts.tokens, ALL)
        status, _, _ = await process.capture((shell, "-c", line), timeout=EXEC_S, size=0)
    except (CommandError, Unexpandable) as error:
        raise Wrong(f"a command that can be run after `exec`: {error}") from None
    if status < 0:
        raise Wrong(f"a command after `exec` that ends by itself; signal {-status} ended it")
    return status == 0


def _local_network(patterns: str) -> bool:
    """Tell whether an address of this machine lies in one of the networks, and in none of those after `!`."""
    import psutil  # 21 ms, and hardly anybody asks

    addresses = [
        ip_address(each.address.partition("%")[0])
        for on_interface in psutil.net_if_addrs().values()
        for each in on_interface
        if each.family in (AF_INET, AF_INET6)
    ]
    found = False
    for pattern in patterns.split(","):
        negated = pattern.startswith("!")
        try:
            network = ip_network(pattern[negated:])
        except ValueError:
            raise Wrong(f"networks such as 10.0.0.0/8 after `localnetwork`, which {pattern} is not") from None
        if any(address in network for address in addresses):
            if negated:
                return False
            found = True
    return found
